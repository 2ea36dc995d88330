/* The SMTP client; see smtp.h.
 * libcurl speaks the protocol; this file is the glue between its sockets, libuv's polls and a waiting fiber, and it
 * tells refusals that concern the message from those that concern the session.
 *
 *     fy_smtp_send ─adds an easy handle─► curl ─socket_function─► uv_poll ─on_socket─► curl_multi_socket_action
 *           ▲ fy_wait                      └───timer_function──► uv_timer ─on_timer──────────┘
 *           └──────────── fy_wait_done ◄──────── collect: CURLMSG_DONE
 *
 * Before it closes a connection curl sends QUIT and waits for the reply, blocking (smtp_disconnect in its lib/smtp.c).
 * On a loop nobody may wait, so the receiving side is shut first: QUIT still goes out, as RFC 5321 4.1.1.10 wants, and
 * the wait ends at once. */
#include "jobs/smtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/curl_load.h"

#define CONNECT_MS 15000
#define TOTAL_MS 120000
#define CONNECTIONS 4
#define SOCKETS_MAX 32           /* of one client, idle ones too */
#define SLACK_MS 2000            /* curl ends a message at its time limit; this is for a curl that would not */

static const struct fy_curl *curl;      /* NULL until the first client is made */

/* How far the dialogue is, by the command that curl sent last. From MAIL on a refusal is about this message. */
enum stage { STAGE_SESSION, STAGE_ENVELOPE, STAGE_CONTENT };

struct fy_smtp {
	CURLM *multi;
	uv_timer_t timer;
	struct fy_smtp_options options;
	curl_socket_t sockets[SOCKETS_MAX];
	unsigned socket_count;
	unsigned handles;            /* libuv's, open or closing */
	unsigned sending;
	struct fy_wait closed;
};

struct watch {
	uv_poll_t poll;
	struct fy_smtp *smtp;
	curl_socket_t fd;
};

/* In the arena of the sending fiber, which takes it out of curl before it goes on. */
struct sending {
	struct fy_smtp *smtp;
	CURL *easy;
	struct fy_slice rest;        /* of the message */
	enum stage stage;
	curl_socket_t fd;            /* of the connection that carries it */
	CURLcode result;
	struct fy_wait wait;
};

static void collect(struct fy_smtp *smtp)
{
	int left;

	for (CURLMsg *message; (message = curl->curl_multi_info_read(smtp->multi, &left)) != NULL;) {
		struct sending *sending;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl->curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &sending);
		sending->result = message->data.result;
		fy_wait_done(&sending->wait, 0);
	}
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct fy_smtp *smtp = watch->smtp;
	int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0), running;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	curl->curl_multi_socket_action(smtp->multi, watch->fd, flags, &running);
	collect(smtp);
}

static void on_timer(uv_timer_t *timer)
{
	struct fy_smtp *smtp = timer->data;
	int running;

	curl->curl_multi_socket_action(smtp->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(smtp);
}

static void handle_gone(struct fy_smtp *smtp)
{
	if (--smtp->handles == 0)
		fy_wait_done(&smtp->closed, 0);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	struct fy_smtp *smtp = watch->smtp;

	free(watch);
	handle_gone(smtp);
}

static int socket_function(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct fy_smtp *smtp = arg;
	struct watch *watch = socket_arg;
	struct sending *sending = NULL;
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	if (what == CURL_POLL_REMOVE) {
		if (watch == NULL)
			return 0;
		curl->curl_multi_assign(smtp->multi, fd, NULL);
		uv_poll_stop(&watch->poll);
		uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		return 0;
	}
	if (curl->curl_easy_getinfo(easy, CURLINFO_PRIVATE, &sending) == CURLE_OK && sending)
		sending->fd = fd;
	if (watch == NULL) {
		watch = calloc(1, sizeof *watch);
		if (watch == NULL || uv_poll_init_socket(fy_loop(), &watch->poll, fd) != 0) {
			free(watch);
			return -1;
		}
		watch->poll.data = watch;
		watch->smtp = smtp;
		watch->fd = fd;
		smtp->handles++;
		curl->curl_multi_assign(smtp->multi, fd, watch);
	}
	return uv_poll_start(&watch->poll, events, on_socket) ? -1 : 0;
}

static int timer_function(CURLM *multi, long timeout_ms, void *arg)
{
	struct fy_smtp *smtp = arg;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&smtp->timer);
	else
		uv_timer_start(&smtp->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static curl_socket_t open_function(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fy_smtp *smtp = arg;

	(void)purpose;
	if (smtp->socket_count == SOCKETS_MAX)
		return CURL_SOCKET_BAD;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	smtp->sockets[smtp->socket_count++] = fd;
	return fd;
}

static int close_function(void *arg, curl_socket_t fd)
{
	struct fy_smtp *smtp = arg;

	for (unsigned i = 0; i < smtp->socket_count; i++) {
		if (smtp->sockets[i] == fd) {
			smtp->sockets[i] = smtp->sockets[--smtp->socket_count];
			break;
		}
	}
	return close(fd);
}

static size_t read_function(char *to, size_t size, size_t count, void *arg)
{
	struct sending *sending = arg;
	struct fy_slice part = fy_upto(sending->rest, size * count);

	sending->stage = STAGE_CONTENT;
	if (part.len)
		memcpy(to, part.ptr, part.len);
	sending->rest = fy_from(sending->rest, part.len);
	return part.len;
}

static bool is_command(struct fy_slice line, const char *verb)
{
	size_t len = strlen(verb);

	return line.len >= len && strncasecmp(line.ptr, verb, len) == 0;
}

/* Replies that end the message: curl is about to close the connection with a blocking QUIT. */
static bool ends_message(const struct sending *sending, struct fy_slice line)
{
	return sending->stage >= STAGE_ENVELOPE && line.len >= 4 && (line.ptr[0] == '4' || line.ptr[0] == '5');
}

static int debug_function(CURL *easy, curl_infotype type, char *text, size_t len, void *arg)
{
	struct sending *sending = arg;
	struct fy_slice line = fy_slice(text, len);

	(void)easy;
	if (type == CURLINFO_HEADER_OUT && is_command(line, "MAIL FROM:"))
		sending->stage = STAGE_ENVELOPE;
	else if (type == CURLINFO_HEADER_IN && sending->fd != CURL_SOCKET_BAD && ends_message(sending, line))
		shutdown(sending->fd, SHUT_RD);
	return 0;
}

/* Without this curl would print what the server says. */
static size_t drop_function(char *from, size_t size, size_t count, void *arg)
{
	(void)from;
	(void)arg;
	return size * count;
}

int fy_smtp_create(const struct fy_smtp_options *options, struct fy_smtp **ret_smtp)
{
	struct fy_smtp *smtp;

	if (!fy_starts(fy_str(options->url), FY_LIT("smtp://")) && !fy_starts(fy_str(options->url), FY_LIT("smtps://")))
		return FY_ERR_CONFIG;
	if (curl == NULL)
		curl = fy_curl_load();
	if (curl == NULL)
		return FY_ERR_UNSUPPORTED;
	smtp = calloc(1, sizeof *smtp);
	if (smtp == NULL)
		return FY_ERR_NOMEM;
	smtp->options = *options;
	if (!smtp->options.connect_ms)
		smtp->options.connect_ms = CONNECT_MS;
	if (!smtp->options.total_ms)
		smtp->options.total_ms = TOTAL_MS;
	if (!smtp->options.connections)
		smtp->options.connections = CONNECTIONS;
	smtp->multi = curl->curl_multi_init();
	if (smtp->multi == NULL || uv_timer_init(fy_loop(), &smtp->timer)) {
		curl->curl_multi_cleanup(smtp->multi);
		free(smtp);
		return FY_ERR_NOMEM;
	}
	smtp->timer.data = smtp;
	smtp->handles = 1;
	curl->curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETFUNCTION, socket_function);
	curl->curl_multi_setopt(smtp->multi, CURLMOPT_SOCKETDATA, smtp);
	curl->curl_multi_setopt(smtp->multi, CURLMOPT_TIMERFUNCTION, timer_function);
	curl->curl_multi_setopt(smtp->multi, CURLMOPT_TIMERDATA, smtp);
	curl->curl_multi_setopt(smtp->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)smtp->options.connections);
	*ret_smtp = smtp;
	return 0;
}

static void set_security(CURL *easy, const struct fy_smtp_options *options)
{
	bool implicit = fy_starts(fy_str(options->url), FY_LIT("smtps://"));
	bool must = implicit || options->tls == FY_MAIL_TLS_REQUIRED;

	curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl->curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(must ? CURLUSESSL_ALL :
				 options->tls == FY_MAIL_TLS_OPPORTUNISTIC ? CURLUSESSL_TRY : CURLUSESSL_NONE));
	curl->curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, must ? 1L : 0L);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, must ? 2L : 0L);
	if (options->ca_file)
		curl->curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
	if (options->user && options->user[0]) {
		curl->curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
		curl->curl_easy_setopt(easy, CURLOPT_PASSWORD, options->password.text.len ? options->password.text.ptr : "");
	}
}

static void set_message(struct sending *sending, const char *from, struct curl_slist *to)
{
	const struct fy_smtp_options *options = &sending->smtp->options;
	CURL *easy = sending->easy;

	curl->curl_easy_setopt(easy, CURLOPT_URL, options->url);
	curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_PROXY, "");       /* whatever the environment says */
	curl->curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
	curl->curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->total_ms);
	curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, sending);
	curl->curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_function);
	curl->curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sending->smtp);
	curl->curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_function);
	curl->curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sending->smtp);
	curl->curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);     /* asks for the debug callback, which prints nothing */
	curl->curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, debug_function);
	curl->curl_easy_setopt(easy, CURLOPT_DEBUGDATA, sending);
	curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_function);
	curl->curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_function);
	curl->curl_easy_setopt(easy, CURLOPT_READDATA, sending);
	curl->curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sending->rest.len);
	curl->curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
	curl->curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	set_security(easy, options);
}

/* Replies that a refusal of the session gives at any command: TLS or sign-in first, sign-in wrong (RFC 4954 6, RFC
 * 3207 4). They are the operator's to mend, and the mail waits for that. */
static bool about_session(int code)
{
	return code == 421 || code == 530 || code == 534 || code == 535 || code == 538;
}

static int judge(struct fy_ctx *ctx, const struct sending *sending, struct fy_smtp_result *ret_result)
{
	long code = 0;

	if (sending->result == CURLE_OK)
		return 0;
	curl->curl_easy_getinfo(sending->easy, CURLINFO_RESPONSE_CODE, &code);
	ret_result->code = (int)code;
	bool refused = sending->stage >= STAGE_ENVELOPE && code >= 400 && sending->result != CURLE_OPERATION_TIMEDOUT;
	ret_result->permanent = refused && code >= 500 && code < 600 && !about_session((int)code);
	ret_result->reason = refused ? fy_fmt(ctx->arena, "refused with %ld", code) :
			     fy_fmt(ctx->arena, "%s (curl %d, last reply %ld)", curl->curl_easy_strerror(sending->result),
				    (int)sending->result, code);
	return FY_ERR_IO;
}

fy_async int fy_smtp_send(struct fy_ctx *ctx, struct fy_smtp *smtp, struct fy_slice from, struct fy_personal to,
			  struct fy_secret message, struct fy_smtp_result *ret_result)
{
	struct sending *sending = fy_new(ctx->arena, struct sending);
	uint64_t until_ms = fy_loop_ms() + smtp->options.total_ms + SLACK_MS;
	struct curl_slist *rcpt = curl->curl_slist_append(NULL, fy_cstr(ctx->arena, to.text));
	int err = FY_ERR_NOMEM;

	*ret_result = (struct fy_smtp_result){ .reason = FY_LIT("out of memory") };
	*sending = (struct sending){ .smtp = smtp, .easy = curl->curl_easy_init(), .rest = message.text, .fd = CURL_SOCKET_BAD,
				     .result = CURLE_OPERATION_TIMEDOUT };
	if (sending->easy == NULL || rcpt == NULL)
		goto out;
	set_message(sending, fy_cstr(ctx->arena, from), rcpt);
	if (curl->curl_multi_add_handle(smtp->multi, sending->easy) != CURLM_OK)
		goto out;
	smtp->sending++;
	fy_wait(&sending->wait, ctx->deadline_ms < until_ms ? ctx->deadline_ms : until_ms);
	smtp->sending--;
	err = judge(ctx, sending, ret_result);
	if (err && sending->fd != CURL_SOCKET_BAD && sending->wait.state == FY_WAIT_ABANDONED)
		shutdown(sending->fd, SHUT_RD);  /* it is taken away from curl in its middle */
	curl->curl_multi_remove_handle(smtp->multi, sending->easy);
out:
	curl->curl_slist_free_all(rcpt);
	if (sending->easy)
		curl->curl_easy_cleanup(sending->easy);
	return err;
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

fy_async void fy_smtp_destroy(struct fy_smtp *smtp)
{
	if (smtp == NULL)
		return;
	FY_REQUIRE(smtp->sending == 0);
	for (unsigned i = 0; i < smtp->socket_count; i++)
		shutdown(smtp->sockets[i], SHUT_RD);
	curl->curl_multi_cleanup(smtp->multi);
	uv_close((uv_handle_t *)&smtp->timer, on_timer_closed);
	while (smtp->handles)
		fy_wait(&smtp->closed, UINT64_MAX);      /* close callbacks come with the next turn */
	free(smtp);
}
