/* The body of one request, taken from the bytes after its head (RFC 9112 6 and 7).
 * Leaves reading, deadlines, `100 Continue` and the meaning of the content to its caller. Called by the
 * connection code each time bytes arrive; bytes after the end of the body stay with the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/slice.h"
#include "protocol/http_head.h"

/* Own limits, beyond which a chunked body is refused with 400: nobody sane sends these. */
#define FY_CHUNK_DIGITS_MAX 16      /* hexadecimal digits of a size, leading zeros included */
#define FY_CHUNK_EXT_MAX 256        /* bytes of extensions in one chunk header */
#define FY_CHUNK_EXT_TOTAL_MAX 4096 /* and in all of them together */
#define FY_TRAILER_MAX 4096         /* bytes of all trailer lines; they are checked and discarded */

/* Embedded in the connection; 40 bytes, no pointers, nothing to free. */
struct fy_http_body {
	uint64_t left;  /* bytes still to come, of the body or of the current chunk */
	uint64_t max;   /* content larger than this: 413 */
	uint64_t taken; /* bytes of content so far */
	uint32_t ext_total;
	uint16_t line; /* bytes of the current size, extension or trailer part */
	uint16_t trailer;
	uint8_t state;
	bool done;
};

/* Prepares for the body that `head` announces; `done` is true at once when there is none.
 * FY_ERR_TOO_LARGE with status 413 when the announced length is above `max`. */
int fy_http_body_init(struct fy_http_body *body, const struct fy_http_head *head, uint64_t max,
		      struct fy_http_fault *fault);

/* Takes bytes of the body from `in` and appends the content to `out`. *ret_used is how many bytes were
 * taken; all of `in` unless the body ended. FY_ERR_PROTOCOL (400) or FY_ERR_TOO_LARGE (413) with *fault:
 * close the connection after answering. Not to be called again after an error or once `done`. */
int fy_http_body_feed(struct fy_http_body *body, struct fy_slice in, struct fy_buf *out, size_t *ret_used,
		      struct fy_http_fault *fault);
