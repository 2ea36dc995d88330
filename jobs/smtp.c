/* The SMTP client; see smtp.h.
 * Speaks one message over a link (smtp_link.h), and tells refusals that concern the message from those that concern
 * the session.
 *
 *     link ready ─MAIL─► 2xx ─RCPT─► 2xx ─DATA─► 354 ─content, "."─► 250: taken over, the link is idle again
 *                          └───────────┴───────────┴── 4xx, 5xx: judged, QUIT */
#include "jobs/smtp.h"

#include <stdlib.h>
#include <string.h>

#include "foyer/buf.h"
#include "foyer/require.h"
#include "jobs/smtp_link.h"

#define CONNECT_MS 20000
#define TOTAL_MS 120000
#define QUIT_MS 1000 /* for the reply to QUIT, which decides nothing */
#define IDLE_MAX 8
#define ADDRESS_MAX 1024

struct fy_smtp {
	struct fy_smtp_options options;
	struct fy_smtp_hub *hub;
	struct fy_smtp_link *idle[IDLE_MAX];
	unsigned idle_count, sending;
};

int fy_smtp_create(const struct fy_smtp_options *options, struct fy_smtp **ret_smtp)
{
	struct fy_smtp *smtp;

	if (!fy_starts(fy_str(options->url), FY_LIT("smtp://")) && !fy_starts(fy_str(options->url), FY_LIT("smtps://")))
		return FY_ERR_CONFIG;
	smtp = calloc(1, sizeof *smtp);
	if (smtp == NULL)
		return FY_ERR_NOMEM;
	smtp->options = *options;
	if (!smtp->options.connect_ms)
		smtp->options.connect_ms = CONNECT_MS;
	if (!smtp->options.total_ms)
		smtp->options.total_ms = TOTAL_MS;
	int err = fy_smtp_hub_create(&smtp->hub);
	if (err) {
		free(smtp);
		return err;
	}
	*ret_smtp = smtp;
	return 0;
}

/* RFC 5321 4.1.1.10: a client says QUIT before it goes. */
static fy_async void take_leave(struct fy_smtp_link *link)
{
	uint64_t until_ms = fy_loop_ms() + QUIT_MS;
	int code;

	if (fy_smtp_link_put(link, FY_LIT("QUIT\r\n"), until_ms) == 0)
		fy_smtp_link_reply(link, until_ms, &code);
	fy_smtp_link_close(link);
}

fy_async void fy_smtp_destroy(struct fy_smtp *smtp)
{
	if (smtp == NULL)
		return;
	FY_REQUIRE(smtp->sending == 0);
	while (smtp->idle_count)
		take_leave(smtp->idle[--smtp->idle_count]);
	fy_smtp_hub_destroy(smtp->hub);
	free(smtp);
}

/* Replies that a refusal of the session gives at any command: closing, TLS or sign-in first, sign-in wrong (RFC 5321
 * 3.8, RFC 3207 4, RFC 4954 6). They are the operator's to mend, and the mail waits for that. */
static bool about_session(int code)
{
	return code == 421 || code == 530 || code == 534 || code == 535 || code == 538;
}

struct dialogue {
	struct fy_smtp_link *link;
	uint64_t until_ms;
	const char *at; /* the command that was sent last */
	int code;       /* and its reply; 0: none */
};

/* Says it and reads the reply. FY_ERR_DENIED: the server refused; other errors: the link is broken. */
static fy_async int ask(struct dialogue *d, const char *at, struct fy_slice text, int expected)
{
	d->at = at;
	d->code = 0;
	int err = fy_smtp_link_put(d->link, text, d->until_ms);
	if (err == 0)
		err = fy_smtp_link_reply(d->link, d->until_ms, &d->code);
	if (err)
		return err;
	return d->code / 100 == expected / 100 ? 0 : FY_ERR_DENIED;
}

/* With dots doubled at the start of lines (RFC 5321 4.5.2), and the end of data. */
static struct fy_slice stuff(struct fy_arena *arena, struct fy_slice message)
{
	char *at, *start = at = fy_alloc(arena, 2 * message.len + 5);

	for (size_t i = 0; i < message.len; i++) {
		if (message.ptr[i] == '.' && (i == 0 || message.ptr[i - 1] == '\n'))
			*at++ = '.';
		*at++ = message.ptr[i];
	}
	if (at - start < 2 || at[-1] != '\n' || at[-2] != '\r') {
		*at++ = '\r';
		*at++ = '\n';
	}
	memcpy(at, ".\r\n", 3);
	return fy_slice(start, (size_t)(at + 3 - start));
}

static fy_async int speak(struct fy_ctx *ctx, struct dialogue *d, struct fy_slice from, struct fy_personal to,
			  struct fy_secret message)
{
	struct fy_slice line = fy_fmt(ctx->arena, "MAIL FROM:<" FY_FMT ">\r\n", FY_ARG(from));
	int err = ask(d, "MAIL", line, 250);

	if (err == 0) {
		line = fy_fmt(ctx->arena, "RCPT TO:<" FY_FMT ">\r\n", FY_ARG(to.text));
		err = ask(d, "RCPT", line, 250);
	}
	if (err == 0)
		err = ask(d, "DATA", FY_LIT("DATA\r\n"), 354);
	if (err == 0) {
		struct fy_slice data = stuff(ctx->arena, message.text);
		err = ask(d, "content", data, 250);
		explicit_bzero((char *)data.ptr, data.len);
	}
	return err;
}

static int judge(struct fy_ctx *ctx, const struct dialogue *d, int err, struct fy_smtp_result *ret_result)
{
	bool refused = err == FY_ERR_DENIED;

	ret_result->code = d->code;
	ret_result->permanent = refused && d->code >= 500 && !about_session(d->code);
	ret_result->reason = refused ? fy_fmt(ctx->arena, "%s refused with %d", d->at, d->code)
				     : fy_fmt(ctx->arena, "after %s: %s", d->at,
					      err == FY_ERR_IO ? "the connection was lost" : fy_strerror(err));
	return FY_ERR_IO;
}

/* Commands are lines: nothing that ends one, or the address in it, may stand there. */
static bool fits_a_command(struct fy_slice address)
{
	if (address.len == 0 || address.len > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < address.len; i++) {
		unsigned char c = (unsigned char)address.ptr[i];
		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>')
			return false;
	}
	return true;
}

static fy_async int send_on(struct fy_ctx *ctx, struct fy_smtp *smtp, struct fy_slice from, struct fy_personal to,
			    struct fy_secret message, struct fy_smtp_result *ret_result)
{
	struct dialogue d = { .until_ms = fy_loop_ms() + smtp->options.total_ms };
	bool used;
	int err;

	if (ctx->deadline_ms < d.until_ms)
		d.until_ms = ctx->deadline_ms;
	do {
		uint64_t connect_until_ms = fy_loop_ms() + smtp->options.connect_ms;
		used = smtp->idle_count > 0;
		if (used) {
			d.link = smtp->idle[--smtp->idle_count];
		} else {
			err = fy_smtp_link_open(ctx->arena, smtp->hub, &smtp->options,
						connect_until_ms < d.until_ms ? connect_until_ms : d.until_ms, &d.link,
						ret_result);
			if (err)
				return err;
		}
		err = speak(ctx, &d, from, to, message);
		if (err == 0 && smtp->idle_count < IDLE_MAX) {
			smtp->idle[smtp->idle_count++] = d.link;
			return 0;
		}
		if (err == 0 || err == FY_ERR_DENIED)
			take_leave(d.link);
		else
			fy_smtp_link_close(d.link);
		/* A server may close an idle connection at any time; that says nothing about this message. */
	} while (err && used && strcmp(d.at, "MAIL") == 0 && (err == FY_ERR_IO || d.code == 421));
	return err ? judge(ctx, &d, err, ret_result) : 0;
}

fy_async int fy_smtp_send(struct fy_ctx *ctx, struct fy_smtp *smtp, struct fy_slice from, struct fy_personal to,
			  struct fy_secret message, struct fy_smtp_result *ret_result)
{
	*ret_result = (struct fy_smtp_result){ 0 };
	if (!fits_a_command(from) || !fits_a_command(to.text)) {
		*ret_result =
			(struct fy_smtp_result){ .permanent = true, .reason = FY_LIT("an address does not fit SMTP") };
		return FY_ERR_IO;
	}
	smtp->sending++;
	int err = send_on(ctx, smtp, from, to, message, ret_result);
	smtp->sending--;
	return err;
}
