/* Links to an SMTP server; see smtp_link.h.
 *
 *     open ─easy handle─► curl ─socket_function─► uv_poll ─on_curl_socket─► curl_multi_socket_action ─┐
 *       ▲                  └────timer_function──► uv_timer ─on_curl_timer──────────┘                   │
 *       └───────────────────────── fy_wait_done ◄──── collect: CURLMSG_DONE ◄──────────────────────────┘
 *     put, reply ─curl_easy_send, curl_easy_recv─► CURLE_AGAIN ─► uv_poll of the link ─► fy_wait_done */
#include "jobs/smtp_link.h"

#include <stdlib.h>
#include <string.h>

#include "foyer/arena.h"
#include "jobs/curl_load.h"

#define REPLY_BYTES_MAX 8192 /* of one reply; RFC 5321 4.5.3.1.5 allows 512 a line */

static const struct fy_curl *curl; /* NULL until the first hub is made */

struct fy_smtp_hub {
	CURLM *multi;
	uv_timer_t timer;
	unsigned handles; /* libuv's, open or closing */
	struct fy_wait closed;
};

/* A socket that curl watches. */
struct watch {
	uv_poll_t poll;
	struct fy_smtp_hub *hub;
	curl_socket_t fd;
};

struct fy_smtp_link {
	struct fy_smtp_hub *hub;
	CURL *easy;
	CURLcode result;     /* of connecting */
	struct fy_wait wait; /* for curl, then for the socket */
	uv_poll_t poll;
	size_t at, len; /* read and not yet used */
	char in[2048];
};

static void handle_gone(struct fy_smtp_hub *hub)
{
	if (--hub->handles == 0)
		fy_wait_done(&hub->closed, 0);
}

static void collect(struct fy_smtp_hub *hub)
{
	int left;

	for (CURLMsg *message; (message = curl->curl_multi_info_read(hub->multi, &left)) != NULL;) {
		struct fy_smtp_link *link;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl->curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &link);
		link->result = message->data.result;
		fy_wait_done(&link->wait, 0);
	}
}

static void on_curl_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct fy_smtp_hub *hub = watch->hub;
	int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0),
	    running;

	curl->curl_multi_socket_action(hub->multi, watch->fd, status < 0 ? CURL_CSELECT_ERR : flags, &running);
	collect(hub);
}

static void on_curl_timer(uv_timer_t *timer)
{
	struct fy_smtp_hub *hub = timer->data;
	int running;

	curl->curl_multi_socket_action(hub->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(hub);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	struct fy_smtp_hub *hub = watch->hub;

	free(watch);
	handle_gone(hub);
}

static int socket_function(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct fy_smtp_hub *hub = arg;
	struct watch *watch = socket_arg;
	int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch == NULL)
			return 0;
		curl->curl_multi_assign(hub->multi, fd, NULL);
		uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		return 0;
	}
	if (watch == NULL) {
		watch = calloc(1, sizeof *watch);
		if (watch == NULL || uv_poll_init_socket(fy_loop(), &watch->poll, fd) != 0) {
			free(watch);
			return -1;
		}
		watch->poll.data = watch;
		watch->hub = hub;
		watch->fd = fd;
		hub->handles++;
		curl->curl_multi_assign(hub->multi, fd, watch);
	}
	return uv_poll_start(&watch->poll, events, on_curl_socket) ? -1 : 0;
}

static int timer_function(CURLM *multi, long timeout_ms, void *arg)
{
	struct fy_smtp_hub *hub = arg;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&hub->timer);
	else
		uv_timer_start(&hub->timer, on_curl_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

int fy_smtp_hub_create(struct fy_smtp_hub **ret_hub)
{
	struct fy_smtp_hub *hub;

	if (curl == NULL)
		curl = fy_curl_load();
	if (curl == NULL)
		return FY_ERR_UNSUPPORTED;
	hub = calloc(1, sizeof *hub);
	if (hub == NULL)
		return FY_ERR_NOMEM;
	hub->multi = curl->curl_multi_init();
	if (hub->multi == NULL || uv_timer_init(fy_loop(), &hub->timer)) {
		curl->curl_multi_cleanup(hub->multi);
		free(hub);
		return FY_ERR_NOMEM;
	}
	hub->timer.data = hub;
	hub->handles = 1;
	curl->curl_multi_setopt(hub->multi, CURLMOPT_SOCKETFUNCTION, socket_function);
	curl->curl_multi_setopt(hub->multi, CURLMOPT_SOCKETDATA, hub);
	curl->curl_multi_setopt(hub->multi, CURLMOPT_TIMERFUNCTION, timer_function);
	curl->curl_multi_setopt(hub->multi, CURLMOPT_TIMERDATA, hub);
	*ret_hub = hub;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_gone(handle->data);
}

fy_async void fy_smtp_hub_destroy(struct fy_smtp_hub *hub)
{
	curl->curl_multi_cleanup(hub->multi);
	uv_close((uv_handle_t *)&hub->timer, on_timer_closed);
	while (hub->handles)
		fy_wait(&hub->closed, UINT64_MAX); /* close callbacks come with the next turn */
	free(hub);
}

/* What the server says while curl speaks with it is of no use to us, and would be printed. */
static size_t drop_function(char *from, size_t size, size_t count, void *arg)
{
	(void)from;
	(void)arg;
	return size * count;
}

static void set_security(CURL *easy, const struct fy_smtp_options *options)
{
	bool implicit = fy_starts(fy_str(options->url), FY_LIT("smtps://"));
	bool must = implicit || options->tls == FY_MAIL_TLS_REQUIRED;

	curl->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl->curl_easy_setopt(easy, CURLOPT_USE_SSL,
			       (long)(must                                        ? CURLUSESSL_ALL
				      : options->tls == FY_MAIL_TLS_OPPORTUNISTIC ? CURLUSESSL_TRY
										  : CURLUSESSL_NONE));
	curl->curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, must ? 1L : 0L);
	curl->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, must ? 2L : 0L);
	if (options->ca_file)
		curl->curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
	if (options->user && options->user[0]) {
		curl->curl_easy_setopt(easy, CURLOPT_USERNAME, options->user);
		curl->curl_easy_setopt(easy, CURLOPT_PASSWORD,
				       options->password.text.len ? options->password.text.ptr : "");
	}
}

static void on_link_closed(uv_handle_t *handle)
{
	struct fy_smtp_link *link = handle->data;
	struct fy_smtp_hub *hub = link->hub;

	free(link);
	handle_gone(hub);
}

/* Removing an easy handle that was only to connect closes its connection, and says nothing to the server. */
static void drop_easy(struct fy_smtp_link *link)
{
	curl->curl_multi_remove_handle(link->hub->multi, link->easy);
	curl->curl_easy_cleanup(link->easy);
}

void fy_smtp_link_close(struct fy_smtp_link *link)
{
	uv_poll_stop(&link->poll);
	drop_easy(link);
	uv_close((uv_handle_t *)&link->poll, on_link_closed);
}

static int start_poll(struct fy_smtp_link *link)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl->curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD ||
	    uv_poll_init_socket(fy_loop(), &link->poll, fd) != 0)
		return FY_ERR_IO;
	link->poll.data = link;
	link->hub->handles++;
	return 0;
}

fy_async int fy_smtp_link_open(struct fy_arena *arena, struct fy_smtp_hub *hub, const struct fy_smtp_options *options,
			       uint64_t deadline_ms, struct fy_smtp_link **ret_link, struct fy_smtp_result *ret_result)
{
	struct fy_smtp_link *link = calloc(1, sizeof *link);
	CURL *easy = link ? curl->curl_easy_init() : NULL;
	long code = 0;

	*ret_result = (struct fy_smtp_result){ .reason = FY_LIT("out of memory") };
	if (easy == NULL) {
		free(link);
		return FY_ERR_IO;
	}
	*link = (struct fy_smtp_link){ .hub = hub, .easy = easy, .result = CURLE_OPERATION_TIMEDOUT };
	curl->curl_easy_setopt(easy, CURLOPT_URL, options->url);
	curl->curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl->curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl->curl_easy_setopt(easy, CURLOPT_PRIVATE, link);
	curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_function);
	set_security(easy, options);
	if (curl->curl_multi_add_handle(hub->multi, easy) == CURLM_OK)
		fy_wait(&link->wait, deadline_ms);
	if (link->result == CURLE_OK && start_poll(link) == 0) {
		*ret_result = (struct fy_smtp_result){ 0 };
		*ret_link = link;
		return 0;
	}
	curl->curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	ret_result->code = (int)code;
	ret_result->reason = fy_fmt(arena, "no connection: %s (curl %d, last reply %ld)",
				    curl->curl_easy_strerror(link->result), (int)link->result, code);
	drop_easy(link);
	free(link);
	return FY_ERR_IO;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct fy_smtp_link *link = poll->data;
	(void)events;
	(void)status; /* curl_easy_send or _recv finds it out */
	fy_wait_done(&link->wait, 0);
}

static fy_async int await_socket(struct fy_smtp_link *link, int events, uint64_t deadline_ms)
{
	link->wait = (struct fy_wait){ 0 };
	if (uv_poll_start(&link->poll, events, on_ready) != 0)
		return FY_ERR_IO;
	int err = fy_wait(&link->wait, deadline_ms);
	uv_poll_stop(&link->poll);
	return err;
}

fy_async int fy_smtp_link_put(struct fy_smtp_link *link, struct fy_slice text, uint64_t deadline_ms)
{
	while (text.len) {
		size_t put = 0;
		CURLcode code = curl->curl_easy_send(link->easy, text.ptr, text.len, &put);
		if (code != CURLE_OK && code != CURLE_AGAIN)
			return FY_ERR_IO;
		text = fy_from(text, put);
		int err = code == CURLE_AGAIN ? await_socket(link, UV_WRITABLE, deadline_ms) : 0;
		if (err)
			return err;
	}
	return 0;
}

static fy_async int read_more(struct fy_smtp_link *link, uint64_t deadline_ms)
{
	for (;;) {
		size_t got = 0;
		CURLcode code = curl->curl_easy_recv(link->easy, link->in, sizeof link->in, &got);
		if (code == CURLE_OK && got) {
			link->at = 0;
			link->len = got;
			return 0;
		}
		if (code != CURLE_AGAIN)
			return FY_ERR_IO; /* also the end of the connection */
		int err = await_socket(link, UV_READABLE, deadline_ms);
		if (err)
			return err;
	}
}

fy_async int fy_smtp_link_reply(struct fy_smtp_link *link, uint64_t deadline_ms, int *ret_code)
{
	char head[4] = ""; /* of the line that is read: code, and ' ' or '-' */
	size_t column = 0;

	for (size_t total = 0; total < REPLY_BYTES_MAX; total++) {
		int err = link->at < link->len ? 0 : read_more(link, deadline_ms);
		if (err)
			return err;
		char c = link->in[link->at++];
		if (c != '\n') {
			if (column < sizeof head)
				head[column] = c;
			column++;
			continue;
		}
		if (column < 3 || head[0] < '2' || head[0] > '5' || head[1] < '0' || head[1] > '9' || head[2] < '0' ||
		    head[2] > '9')
			return FY_ERR_PROTOCOL;
		if (column == 3 || head[3] != '-') {
			*ret_code = (head[0] - '0') * 100 + (head[1] - '0') * 10 + head[2] - '0';
			return 0;
		}
		column = 0;
	}
	return FY_ERR_PROTOCOL;
}
