/* The life of a request and the ways to answer it; see request.h. Reading parameters is params.c, who the
 * visitor is visitor.c. */
#include "server/http/request.h"

#include <stdlib.h>
#include <time.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/accept.h"
#include "protocol/clf.h"
#include "protocol/json_writer.h"
#include "protocol/netaddr.h"
#include "protocol/problem.h"
#include "server/http/conn.h"
#include "server/http/page.h"
#include "server/http/response.h"
#include "server/pages/pages_gen.h"

#define PAGE_MAX ((size_t)1 << 20)
#define RETRY_AFTER_S 5

static uint64_t monotonic_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Unique without a system call: a random start for each process, then a mixed counter (SplitMix64). */
static struct fy_slice make_request_id(struct fy_arena *arena, struct fy_http *http)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t mixed = http->request_seed + ++http->request_count * 0x9e3779b97f4a7c15u;
	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	mixed ^= mixed >> 31;
	char *text = fy_alloc(arena, 13);
	for (int i = 0; i < 13; i++, mixed >>= 5)
		text[i] = digits[mixed & 31];
	return fy_slice(text, 13);
}

struct fy_req *fy_req_create(struct fy_conn *conn, size_t arena_max)
{
	struct fy_app *app = conn->http->app;
	struct fy_arena arena;
	fy_arena_init(&arena, arena_max);
	struct fy_req *req = fy_alloc(&arena, sizeof *req);
	memset(req, 0, offsetof(struct fy_req, head));
	memset(&req->head, 0, offsetof(struct fy_http_head, headers));
	req->arena = arena;
	req->app = app;
	req->conn = conn;
	req->started_ns = monotonic_ns();
	fy_app_ctx(app, &req->arena, (uint64_t)app->config->limits_request_seconds * 1000, &req->ctx);
	req->ctx.request_id = make_request_id(&req->arena, conn->http);
	fy_buf_init(&req->res.headers, &req->arena, 8192);
	memcpy(req->client, conn->address, sizeof req->client);
	req->secure = conn->tls != NULL;
	memcpy(req->log_date, conn->http->log_date, sizeof req->log_date);
	return req;
}

/* Links from mails carry a token that opens a door, and browsers name the page they come from; the log keeps that the
 * link was followed, not its query. */
static struct fy_slice without_token(struct fy_slice address)
{
	static const char name[] = "token=";
	const char *mark = address.len ? memchr(address.ptr, '?', address.len) : NULL;
	if (mark == NULL || memmem(mark, (size_t)(address.ptr + address.len - mark), name, sizeof name - 1) == NULL)
		return address;
	return fy_upto(address, (size_t)(mark - address.ptr));
}

static void log_access(struct fy_req *req)
{
	char address[FY_ADDR_TEXT_MAX], user[24];
	struct fy_addr client;
	memcpy(client.b, req->client, sizeof client.b);
	struct fy_clf entry = {
		.client = fy_slice(address, fy_addr_text(&client, address)),
		.date = fy_slice(req->log_date, 26),
		.method = req->head.method_text,
		.target = without_token(req->head.target),
		.minor = req->head.minor,
		.status = req->res.status,
		.bytes = req->sent,
		.referer = without_token(fy_http_get(&req->head, FY_H_REFERER)),
		.user_agent = fy_http_get(&req->head, FY_H_USER_AGENT),
	};
	if (req->head.method == 0)
		entry.method = FY_NONE;
	if (req->session) {
		struct fy_buf id = { .ptr = user, .cap = sizeof user, .max = sizeof user };
		fy_buf_u64(&id, req->session->account_id);
		entry.user = fy_buf_slice(&id);
	}
	char space[5120];
	struct fy_buf line = { .ptr = space, .cap = sizeof space, .max = sizeof space };
	fy_clf_write(&line, &entry);
	fy_logfile_line(req->app->access_log, fy_buf_slice(&line));
}

void fy_req_destroy(struct fy_req *req)
{
	if (req->res.status && req->app->access_log && req->app->config->log_access)
		log_access(req);
	struct fy_arena arena = req->arena; /* the request lives in it */
	fy_arena_finish(&arena);
}

/* ---- Answers ---- */

int fy_reply(struct fy_req *req, int status, struct fy_slice type, struct fy_slice body)
{
	req->res.status = status;
	req->res.type = type;
	req->res.body = body;
	return 0;
}

int fy_reply_html(struct fy_req *req, int status, const struct fy_buf *page)
{
	if (page->failed)
		return fy_fail(&req->ctx, FY_ERR_INTERNAL, "the page outgrew its buffer");
	return fy_reply(req, status, FY_LIT("text/html; charset=utf-8"), fy_buf_slice(page));
}

int fy_reply_json(struct fy_req *req, int status, const struct fy_buf *json)
{
	if (json->failed)
		return fy_fail(&req->ctx, FY_ERR_INTERNAL, "the JSON outgrew its buffer");
	return fy_reply(req, status, FY_LIT("application/json"), fy_buf_slice(json));
}

int fy_reply_none(struct fy_req *req)
{
	return fy_reply(req, 204, FY_NONE, FY_NONE);
}

int fy_redirect_to(struct fy_req *req, struct fy_slice path)
{
	fy_header(req, "Location", path);
	return fy_reply(req, 303, FY_NONE, FY_NONE);
}

int fy_redirect(struct fy_req *req, const char *path)
{
	return fy_redirect_to(req, fy_str(path));
}

void fy_header(struct fy_req *req, const char *name, struct fy_slice value)
{
	/* A line break in a value would let it write fields of its own. */
	FY_REQUIRE(value.len == 0 ||
		   (memchr(value.ptr, '\r', value.len) == NULL && memchr(value.ptr, '\n', value.len) == NULL));
	fy_buf_put(&req->res.headers, fy_str(name));
	fy_buf_put(&req->res.headers, FY_LIT(": "));
	fy_buf_put(&req->res.headers, value);
	fy_buf_put(&req->res.headers, FY_LIT("\r\n"));
}

/* The one table from errors to statuses. */
static int status_of(int err)
{
	switch (err) {
	case FY_ERR_INVALID:
	case FY_ERR_PROTOCOL:
		return 400;
	case FY_ERR_UNAUTHENTICATED:
		return 401;
	case FY_ERR_DENIED:
		return 403;
	case FY_ERR_NOT_FOUND:
		return 404;
	case FY_ERR_CONFLICT:
	case FY_ERR_EXISTS:
	case FY_ERR_STALE_FORM:
		return 409;
	case FY_ERR_EXPIRED:
		return 410;
	case FY_ERR_TOO_LARGE:
		return 413;
	case FY_ERR_UNSUPPORTED:
		return 415;
	case FY_ERR_LIMITED:
		return 429;
	case FY_ERR_BUSY:
	case FY_ERR_TIMEOUT:
	case FY_ERR_CANCELLED:
	case FY_ERR_DB_DOWN:
	case FY_ERR_REDIS_DOWN:
		return 503;
	default:
		return 500;
	}
}

int fy_refuse(struct fy_req *req, int err, const char *param, const char *sentence)
{
	req->refused = param;
	req->refusal = sentence;
	return fy_fail(&req->ctx, err, "%s", sentence);
}

static int reply_status(struct fy_req *req, int status, struct fy_slice detail, const struct fy_problem_error *errors,
			size_t count);

int fy_reply_error(struct fy_req *req, int err)
{
	int status = status_of(err);
	if (status == 403 || (status == 409 && err == FY_ERR_STALE_FORM))
		fy_log(&req->ctx, FY_LOG_INFO, "request.refused", FY_KV("route", req->route ? req->route->path : "-"),
		       FY_KV("error", fy_strerror(err)), FY_KV("detail", req->ctx.fault ? req->ctx.fault : ""));
	if (status >= 500)
		fy_log(&req->ctx, status == 500 ? FY_LOG_ERROR : FY_LOG_WARN, "request.failed",
		       FY_KV("route", req->route ? req->route->path : "-"), FY_KV("error", fy_strerror(err)),
		       FY_KV("detail", req->ctx.fault ? req->ctx.fault : ""));
	bool said = req->refusal && status < 500;
	struct fy_slice detail = said ? fy_str(req->refusal) : FY_NONE;
	struct fy_problem_error error = { .detail = detail };
	if (said && req->refused)
		error.pointer = fy_str(req->refused);
	return reply_status(req, status, detail, &error, error.pointer.len ? 1 : 0);
}

static bool wants_json(const struct fy_req *req)
{
	if (req->route)
		return req->route->api;
	if (fy_starts(req->head.path, FY_LIT("/api/")) || fy_starts(req->head.path, FY_LIT("/oauth/")))
		return true;
	return fy_accept_media(fy_http_get(&req->head, FY_H_ACCEPT), FY_MEDIA_HTML) == FY_MEDIA_JSON;
}

int fy_reply_problem(struct fy_req *req, int status, struct fy_slice detail, const struct fy_problem_error *errors,
		     size_t count)
{
	struct fy_problem_error *pointed = fy_new_array(&req->arena, struct fy_problem_error, count + 1);
	struct fy_buf body, pointer;
	for (size_t i = 0; i < count; i++) {
		fy_buf_init(&pointer, &req->arena, 256);
		fy_problem_pointer(&pointer, errors[i].pointer);
		pointed[i] = (struct fy_problem_error){ fy_buf_slice(&pointer), errors[i].detail };
	}
	struct fy_problem problem = {
		.title = fy_str(fy_status_text(status)),
		.detail = detail,
		.request_id = req->ctx.request_id,
		.status = status,
		.errors = pointed,
		.error_count = count,
	};
	fy_buf_init(&body, &req->arena, PAGE_MAX);
	fy_problem_write(&body, &problem);
	return fy_reply(req, status, FY_LIT("application/problem+json"), fy_buf_slice(&body));
}

static int reply_status(struct fy_req *req, int status, struct fy_slice detail, const struct fy_problem_error *errors,
			size_t count)
{
	struct fy_buf body;
	struct fy_page page;
	req->res.etag = FY_NONE;
	req->res.cacheable = false;
	if ((status == 503 || status == 429) && req->retry_after_s == 0)
		req->retry_after_s = RETRY_AFTER_S;
	if (req->retry_after_s)
		fy_header(req, "Retry-After", fy_fmt(&req->arena, "%u", req->retry_after_s));
	if (wants_json(req)) {
		if (status == 401)
			fy_header(req, "WWW-Authenticate", FY_LIT("Bearer"));
		return fy_reply_problem(req, status, detail, errors, count);
	}
	fy_buf_init(&body, &req->arena, PAGE_MAX);
	fy_page_init(req, &page);
	fy_page_error(&body, &page, (unsigned)status, req->retry_after_s);
	return fy_reply(req, status, FY_LIT("text/html; charset=utf-8"), fy_buf_slice(&body));
}

int fy_reply_status(struct fy_req *req, int status, struct fy_slice detail)
{
	return reply_status(req, status, detail, NULL, 0);
}

/* ---- Streams ---- */

fy_async int fy_stream_begin(struct fy_req *req, int status, struct fy_slice type)
{
	if (req->conn == NULL)
		return FY_ERR_CANCELLED;
	req->res.status = status;
	req->res.type = type;
	req->res.streaming = true;
	req->conn->requests++;
	if (!req->head.keep_alive || req->app->draining || fy_conn_has_ended(req->conn))
		req->res.close = true;
	return fy_conn_write(req, fy_response_stream_head(req, req->conn->http));
}

fy_async int fy_stream_write(struct fy_req *req, struct fy_slice piece)
{
	if (piece.len == 0 || req->head.method == FY_HEAD)
		return req->conn ? 0 : FY_ERR_CANCELLED;
	req->sent += piece.len;
	if (req->head.minor == 0)
		return fy_conn_write(req, piece);
	struct fy_buf chunk;
	fy_buf_init(&chunk, NULL, piece.len + 32); /* the heap: a stream may have any number of pieces */
	fy_buf_reserve(&chunk, piece.len + 32);
	fy_buf_fmt(&chunk, "%zx\r\n", piece.len);
	fy_buf_put(&chunk, piece);
	fy_buf_put(&chunk, FY_LIT("\r\n"));
	int err = fy_conn_write(req, fy_buf_slice(&chunk));
	fy_buf_finish(&chunk);
	return err;
}
