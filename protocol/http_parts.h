/* The pieces of the request-head parser that http_head.c puts together.
 * Leaves the public contract to http_head.h. Not for callers outside protocol/. */
#pragma once

#include "foyer/err.h"
#include "protocol/http_head.h"

static inline int fy_http_refuse(struct fy_http_fault *fault, int status, const char *reason)
{
	fault->status = status;
	fault->reason = reason;
	return FY_ERR_PROTOCOL;
}

/* The request line without its CRLF. With `partial` the line may end anywhere, and only what can no longer
 * become right is a fault; ret_head is then not to be used. */
int fy_http_request_line(struct fy_slice line, bool partial, const struct fy_http_limits *limits,
			 struct fy_http_head *ret_head, struct fy_http_fault *fault);

/* What the body's length and the connection's life depend on, checked field by field as they come. */
struct fy_http_framing {
	bool has_te, te_chunked, te_foreign; /* te_foreign: a coding besides chunked came before it */
	bool close, keep_alive;
	struct fy_slice host; /* of the Host field; ptr NULL: none yet */
};

int fy_http_framing_field(struct fy_http_framing *framing, enum fy_http_known field, struct fy_slice value,
			  struct fy_http_head *head, struct fy_http_fault *fault);

/* What only the end of the head can tell. */
int fy_http_framing_end(const struct fy_http_framing *framing, struct fy_http_head *head, struct fy_http_fault *fault);
