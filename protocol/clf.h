/* One access-log line in Combined Log Format, as goaccess and others read it.
 * Leaves the file, and what of the address may be kept, to its caller. Bytes that could end a field or a line,
 * or that are not printable ASCII, are written as \xHH; quotes and backslashes too, so nothing is ambiguous. */
#pragma once

#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/clock.h"
#include "foyer/slice.h"

struct fy_clf {
	struct fy_slice client; /* address text; empty: "-" */
	struct fy_slice user;   /* an id, never a name; empty: "-" */
	fy_time at;
	struct fy_slice date;           /* `at` as fy_put_clf_date writes it, where the caller has it; else empty */
	struct fy_slice method, target; /* method empty: the request line could not be read, "-" */
	uint8_t minor;
	int status;
	uint64_t bytes;                      /* of the response body; written as a number, 0 too */
	struct fy_slice referer, user_agent; /* empty: "-" */
};

/* Appends the line without its line feed. Long fields are cut (target 2048, others 512 bytes). */
void fy_clf_write(struct fy_buf *buf, const struct fy_clf *entry);
