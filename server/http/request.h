/* One request, from its complete head to the last byte of its response.
 * It lives in its own arena, which holds everything the handler makes, and dies when the response has
 * been handed to the kernel. A handler runs in a fiber, reads declared parameters, and prepares the
 * response; the connection sends it when the handler has returned. A client that leaves does not stop
 * the handler: the response is then dropped. */
#pragma once

#include "foyer/buf.h"
#include "foyer/ctx.h"
#include "protocol/http_body.h"
#include "protocol/http_head.h"
#include "server/app.h"
#include "server/http/route.h"
#include "storage/sessions.h"

struct fy_conn;

struct fy_response {
	int status;           /* 0: nothing was prepared yet */
	struct fy_slice type; /* Content-Type */
	struct fy_slice body;
	struct fy_slice etag;  /* with its quotes; a 200 then answers conditional requests */
	struct fy_buf headers; /* further lines, each ended by CRLF */
	bool cacheable;        /* the handler has said how long; otherwise Cache-Control: no-store */
	bool streaming, close;
	bool broken; /* of a stream: it ended before its end */
};

struct fy_req {
	struct fy_ctx ctx;
	struct fy_arena arena;
	struct fy_app *app;
	struct fy_conn *conn; /* NULL once the client has gone */
	struct fy_slice body;
	struct fy_buf body_buf;
	struct fy_http_body body_reader;
	const struct fy_route *route;
	struct fy_slice path_params[4];
	struct fy_slice values[FY_PARAMS_MAX]; /* of the declared parameters; ptr NULL: not given */
	uint8_t faults[FY_PARAMS_MAX];         /* enum fy_param_fault */
	uint8_t client[16];                    /* the visitor's address, after trusted proxies; IPv4 mapped */
	bool head_only;                        /* HEAD: no body, also where the head could not be read */
	bool secure;                           /* the visitor came over TLS */
	bool forwarded;                        /* a trusted proxy named the visitor */
	bool was_signed_in;                    /* the cookie was given at a sign-in, whose session may have ended */
	uint8_t which;                         /* enum fy_which_cookie: whose cookie `token` is */
	enum fy_lang cookie_lang;
	bool has_cookie_lang, lang_chosen; /* the cookie names a language; ?lang= was given */
	struct fy_slice token;             /* of the cookie, or just made; 43 characters or empty */
	struct fy_session *session;        /* who is signed in; NULL: nobody, or not looked up */
	struct fy_response res;
	const char *refusal;    /* the sentence of fy_refuse; NULL: none */
	const char *refused;    /* the parameter it is about; NULL: the request as a whole */
	uint32_t retry_after_s; /* for a 429 or 503; 0: the usual */
	uint64_t started_ns;
	char log_date[28];
	uint64_t sent;            /* body bytes, for the access log */
	struct fy_http_head head; /* last: large, and not zeroed */
};

enum fy_param_fault { FY_PARAM_OK, FY_PARAM_TOO_LONG, FY_PARAM_BAD_TEXT };

/* For the connection. A request is made when its head is whole and dies with its response. */
struct fy_req *fy_req_create(struct fy_conn *conn, size_t arena_max);
void fy_req_destroy(struct fy_req *req);

/* ---- Input. `name` must be declared by the route; asking for another aborts. ---- */
struct fy_slice fy_param(const struct fy_req *req, const char *name); /* empty when not given */
bool fy_param_given(const struct fy_req *req, const char *name);
enum fy_param_fault fy_param_fault(const struct fy_req *req, const char *name);
bool fy_param_on(const struct fy_req *req, const char *name); /* a ticked box */
int fy_param_u64(const struct fy_req *req, const char *name, uint64_t *ret_number);

/* ---- Output. Bodies must live in the request's arena or in constants. ---- */
int fy_reply(struct fy_req *req, int status, struct fy_slice type, struct fy_slice body);
int fy_reply_html(struct fy_req *req, int status, const struct fy_buf *page);
int fy_reply_json(struct fy_req *req, int status, const struct fy_buf *json);
int fy_reply_none(struct fy_req *req);                 /* 204 */
int fy_redirect(struct fy_req *req, const char *path); /* 303 */
int fy_redirect_to(struct fy_req *req, struct fy_slice path);
void fy_header(struct fy_req *req, const char *name, struct fy_slice value);

/* Notes what is wrong with the request, in a constant sentence for whoever wrote the client, and returns `err` (one
 * of a status below 500). `param` (NULL: the request as a whole) is the parameter to change. fy_fail's sentences
 * stay in the log: they may speak of our own affairs. */
int fy_refuse(struct fy_req *req, int err, const char *param, const char *sentence);

/* The error answer for `err`: a page or problem+json, by the route and what the client accepts. The latter says what
 * fy_refuse noted. */
int fy_reply_error(struct fy_req *req, int err);
int fy_reply_status(struct fy_req *req, int status, struct fy_slice detail);

/* Always problem+json. The pointers of `errors` are plain names of parameters. */
struct fy_problem_error;
int fy_reply_problem(struct fy_req *req, int status, struct fy_slice detail, const struct fy_problem_error *errors,
		     size_t count);

/* A response whose length is not known: chunked on HTTP/1.1, ended by closing on 1.0. Writes park while
 * the client does not read; FY_ERR_CANCELLED once it has gone. After fy_stream_begin the status is out,
 * so an error can only end the connection. */
fy_async int fy_stream_begin(struct fy_req *req, int status, struct fy_slice type);
fy_async int fy_stream_write(struct fy_req *req, struct fy_slice piece);

/* ---- Cookies and forms (server/http/visitor.c) ---- */
/* The csrf field's value for this visitor; gives a visitor without a cookie one. */
struct fy_slice fy_req_csrf(struct fy_req *req);
void fy_req_forget_cookie(struct fy_req *req);
void fy_req_set_token(struct fy_req *req, struct fy_slice token);
