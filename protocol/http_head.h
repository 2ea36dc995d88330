/* One HTTP/1.1 request head: finding its end in what has arrived, and taking it apart (RFC 9112, 9110).
 * Leaves the socket, timeouts, routing and every decision about access to its caller; the body is
 * http_body.h. Called by the connection code for each request: no allocation, slices into the raw bytes.
 *
 *     scan_from = 0;
 *     n = fy_http_head_find(received, &limits, &scan_from, &fault);
 *       n < 0   answer fault.status, close          n == 0  read more, call again with all bytes so far
 *       n > 0   fy_http_head_parse(fy_upto(received, n), ...); bytes after n are body or the next head
 *
 * Strict on purpose: whatever two recipients might read differently is refused, never repaired. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "foyer/slice.h"

/* Zero means "not set". The methods Foyer can serve; others are refused with 501 by the parser (RFC 9110
 * 9.1), CONNECT too, as there are no tunnels. TRACE parses so that routing answers 405 with Allow. */
enum fy_method { FY_GET = 1, FY_HEAD, FY_POST, FY_PUT, FY_PATCH, FY_DELETE, FY_OPTIONS, FY_TRACE, FY_METHODS_END };

/* RFC 9112 3.2; authority-form belongs to CONNECT and never gets through. */
enum fy_target_form { FY_TARGET_ORIGIN = 1, FY_TARGET_ABSOLUTE, FY_TARGET_ASTERISK };

/* Fields the parser notes while passing, so that fy_http_get needs no search. */
#define FY_HTTP_KNOWN(X)                              \
	X(HOST, "host")                               \
	X(CONTENT_LENGTH, "content-length")           \
	X(TRANSFER_ENCODING, "transfer-encoding")     \
	X(CONNECTION, "connection")                   \
	X(EXPECT, "expect")                           \
	X(UPGRADE, "upgrade")                         \
	X(COOKIE, "cookie")                           \
	X(CONTENT_TYPE, "content-type")               \
	X(CONTENT_ENCODING, "content-encoding")       \
	X(ACCEPT, "accept")                           \
	X(ACCEPT_LANGUAGE, "accept-language")         \
	X(ACCEPT_ENCODING, "accept-encoding")         \
	X(AUTHORIZATION, "authorization")             \
	X(USER_AGENT, "user-agent")                   \
	X(REFERER, "referer")                         \
	X(ORIGIN, "origin")                           \
	X(SEC_FETCH_SITE, "sec-fetch-site")           \
	X(SEC_GPC, "sec-gpc")                         \
	X(IF_MATCH, "if-match")                       \
	X(IF_NONE_MATCH, "if-none-match")             \
	X(IF_MODIFIED_SINCE, "if-modified-since")     \
	X(IF_UNMODIFIED_SINCE, "if-unmodified-since") \
	X(IDEMPOTENCY_KEY, "idempotency-key")         \
	X(FORWARDED, "forwarded")                     \
	X(X_FORWARDED_FOR, "x-forwarded-for")         \
	X(X_FORWARDED_PROTO, "x-forwarded-proto")     \
	X(X_FORWARDED_HOST, "x-forwarded-host")       \
	X(X_REQUEST_ID, "x-request-id")

enum fy_http_known {
	FY_H_NONE = 0,
#define FY_HTTP_KNOWN_ENUM(id, name) FY_H_##id,
	FY_HTTP_KNOWN(FY_HTTP_KNOWN_ENUM)
#undef FY_HTTP_KNOWN_ENUM
		FY_H_END
};

#define FY_HTTP_HEADERS_MAX 100

struct fy_http_limits {
	uint32_t target_max;  /* bytes of the request target; longer: 414 */
	uint32_t head_max;    /* bytes of the whole head; longer: 431 */
	uint32_t headers_max; /* field lines, at most FY_HTTP_HEADERS_MAX; more: 431 */
};

/* RFC 9112 3 asks for at least 8,000 bytes of request line. */
#define FY_HTTP_LIMITS_DEFAULT                                                            \
	{                                                                                 \
		.target_max = 8192, .head_max = 16384, .headers_max = FY_HTTP_HEADERS_MAX \
	}

/* Why a request is refused: the status to answer, and a short English reason (static storage). After
 * any fault the connection is closed, as nobody knows where the next request would begin. */
struct fy_http_fault {
	int status;
	const char *reason;
};

struct fy_http_header {
	struct fy_slice name;  /* as sent; compare without case */
	struct fy_slice value; /* without the white space around it; may be empty; may hold obs-text */
};

/* All slices point into the raw bytes given to the parser and live as long as those. */
struct fy_http_head {
	enum fy_method method;
	enum fy_target_form form;
	struct fy_slice method_text;
	struct fy_slice target;  /* as sent, for the log */
	struct fy_slice path;    /* begins with '/', still percent-encoded; "*" in asterisk-form */
	struct fy_slice query;   /* without the '?'; ptr NULL when there was none */
	struct fy_slice host;    /* effective: from absolute-form, else Host; with port; len 0 in 1.0 without Host */
	uint64_t content_length; /* 0 when has_length is false */
	uint8_t minor;           /* 0 or 1: HTTP/1.2 to 1.9 are served as 1.1 (RFC 9110 2.5) */
	bool has_length, chunked, keep_alive, expect_continue;
	uint16_t header_count;
	uint8_t known[FY_H_END];                            /* index + 1 of the first such field; 0 = absent */
	uint64_t repeated;                                  /* bit per known field that came more than once */
	struct fy_http_header headers[FY_HTTP_HEADERS_MAX]; /* only header_count are written */
};

/* The length of the first complete head in `raw`, leading empty lines (at most 4, RFC 9112 2.2) included;
 * 0 when more bytes are needed; FY_ERR_PROTOCOL with *fault as soon as the bytes cannot become a valid
 * head, however incomplete. `*scan_from` begins at 0 and is the finder's own memory between calls. */
ssize_t fy_http_head_find(struct fy_slice raw, const struct fy_http_limits *limits, size_t *scan_from,
			  struct fy_http_fault *fault);

/* `raw` is what fy_http_head_find measured. 0, or FY_ERR_PROTOCOL with *fault; *ret_head is then undefined. */
int fy_http_head_parse(struct fy_slice raw, const struct fy_http_limits *limits, struct fy_http_head *ret_head,
		       struct fy_http_fault *fault);

/* The first field of that name (ASCII case ignored), or FY_NONE. Present but empty has a non-NULL ptr. */
struct fy_slice fy_http_find(const struct fy_http_head *head, struct fy_slice name);

/* Every field of that name: begin with *at = 0; false when there is none left. */
bool fy_http_next(const struct fy_http_head *head, struct fy_slice name, size_t *at, struct fy_slice *ret_value);

static inline struct fy_slice fy_http_get(const struct fy_http_head *head, enum fy_http_known field)
{
	return head->known[field] ? head->headers[head->known[field] - 1].value : FY_NONE;
}

static inline bool fy_http_repeated(const struct fy_http_head *head, enum fy_http_known field)
{
	return (head->repeated >> field) & 1;
}

/* "GET"; "?" for a value that is no method. */
const char *fy_method_name(enum fy_method method);

/* uri-host [ ":" port ] as a Host field may have it (RFC 9112 3.2, RFC 3986 3.2.2); no userinfo, no comma. */
bool fy_http_host_valid(struct fy_slice host);

/* token of RFC 9110 5.6.2. */
bool fy_http_is_token(struct fy_slice text);
