/* Event lines as JSON: what happened, by ids. Where lines go and how a file survives rotation is
 * logfile.c; who may stand in a line is decided by the types in foyer/log.h. */
#include "foyer/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "foyer/buf.h"
#include "foyer/clock.h"
#include "foyer/ctx.h"

#define LINE_MAX_BYTES 8192

enum fy_log_level fy_log_threshold = FY_LOG_INFO;

static struct fy_logfile *target;

void fy_log_to(struct fy_logfile *file, enum fy_log_level threshold)
{
	target = file;
	fy_log_threshold = threshold;
}

static void put_time(struct fy_buf *buf, fy_time now)
{
	static time_t last = -1;
	static char text[24];
	time_t second = (time_t)(now / FY_SECOND);
	if (second != last) {
		struct tm tm;
		gmtime_r(&second, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
		last = second;
	}
	fy_buf_fmt(buf, "%s.%03dZ", text, (int)(now % FY_SECOND / 1000));
}

/* RFC 8259 strings; what is not printable ASCII or valid-looking UTF-8 is escaped, so that a hostile
 * value can neither end the line nor move a terminal's cursor. */
static void put_string(struct fy_buf *buf, struct fy_slice text)
{
	static const char hex[] = "0123456789abcdef";
	fy_buf_char(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c == '"' || c == '\\') {
			char pair[2] = { '\\', (char)c };
			fy_buf_put(buf, fy_slice(pair, 2));
		} else if (c < 0x20 || c >= 0x7f) {
			char escaped[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
			fy_buf_put(buf, fy_slice(escaped, 6));
		} else {
			fy_buf_char(buf, (char)c);
		}
	}
	fy_buf_char(buf, '"');
}

void fy_log_write(const struct fy_ctx *ctx, enum fy_log_level level, const char *event, const struct fy_kv *kv,
		  size_t count)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char space[LINE_MAX_BYTES];
	struct fy_buf line = { .ptr = space, .cap = sizeof space, .max = sizeof space };
	fy_buf_put(&line, FY_LIT("{\"ts\":\""));
	put_time(&line, fy_clock());
	fy_buf_put(&line, FY_LIT("\",\"level\":\""));
	fy_buf_put(&line, fy_str(names[level]));
	fy_buf_put(&line, FY_LIT("\",\"event\":\""));
	fy_buf_put(&line, fy_str(event));
	fy_buf_fmt(&line, "\",\"pid\":%d", (int)getpid());
	if (ctx && ctx->request_id.len) {
		fy_buf_put(&line, FY_LIT(",\"request_id\":"));
		put_string(&line, ctx->request_id);
	}
	for (size_t i = 1; i < count; i++) {
		size_t before = line.len;
		fy_buf_put(&line, FY_LIT(",\""));
		fy_buf_put(&line, fy_str(kv[i].key));
		fy_buf_put(&line, FY_LIT("\":"));
		switch (kv[i].kind) {
		case FY_KV_INT:
			fy_buf_fmt(&line, "%lld", (long long)kv[i].i);
			break;
		case FY_KV_UINT:
			fy_buf_u64(&line, kv[i].u);
			break;
		case FY_KV_BOOL:
			fy_buf_put(&line, kv[i].b ? FY_LIT("true") : FY_LIT("false"));
			break;
		case FY_KV_TEXT:
			put_string(&line, fy_upto(kv[i].s, 1000));
			break;
		}
		if (line.failed ||
		    line.len + 2 > sizeof space) { /* a line that is too long loses its tail, not its form */
			line.failed = false;
			line.len = before;
			break;
		}
	}
	fy_buf_char(&line, '}');
	if (target) {
		fy_logfile_line(target, fy_buf_slice(&line));
		return;
	}
	fy_buf_char(&line, '\n');
	ssize_t ignored = write(STDERR_FILENO, line.ptr, line.len);
	(void)ignored;
}
