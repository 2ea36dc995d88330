/* The body of a JSON error: RFC 9457 application/problem+json.
 * Leaves which status and words to the one table of errors in server/http, its only caller. */
#pragma once

#include <stddef.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

struct fy_problem_error {
	struct fy_slice pointer; /* JSON pointer (RFC 6901) "/email", or "" */
	struct fy_slice detail;
};

struct fy_problem {
	struct fy_slice type;          /* stable URI; len 0: "about:blank" */
	struct fy_slice title, detail; /* in the visitor's language; detail may be empty */
	struct fy_slice request_id;
	int status;
	const struct fy_problem_error *errors;
	size_t error_count;
};

void fy_problem_write(struct fy_buf *buf, const struct fy_problem *problem);

/* Appends "/" and the member name with ~ and / escaped (RFC 6901 3). */
void fy_problem_pointer(struct fy_buf *buf, struct fy_slice member);
