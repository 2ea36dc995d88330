/* llhttp's verdict on a head, behind one function, so that its versions differ in one file only.
 * Leaves all rules that llhttp does not know, and all that its versions judge differently, to
 * http_head.c, which has checked them before. Called by http_head.c, and by tests as an oracle. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/slice.h"

struct fy_llhttp_verdict {
	uint64_t content_length;
	bool has_length, chunked;
	uint8_t major, minor;
	const char *method; /* static storage */
	const char *error;  /* llhttp's reason when it refused; static storage */
};

/* 0 when llhttp in strict mode accepts the head, and consumed all of it; FY_ERR_PROTOCOL otherwise, with
 * only ret_verdict->error set. `any_minor` lets HTTP/1.2 to 1.9 pass. */
int fy_llhttp_judge(struct fy_slice head, bool any_minor, struct fy_llhttp_verdict *ret_verdict);
