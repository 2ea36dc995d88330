/* Conditional requests (RFC 9110 13): is the client's copy still good, may this change go ahead.
 * Leaves making the tag to its caller. Called by static files and by the API's PATCH and PUT. */
#pragma once

#include <stdbool.h>

#include "foyer/clock.h"
#include "foyer/slice.h"
#include "protocol/http_head.h"

enum fy_condition {
	FY_CONDITION_GO = 0, /* do what was asked */
	FY_CONDITION_NOT_MODIFIED = 304,
	FY_CONDITION_FAILED = 412
};

/* Evaluates If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since in the order of 13.2.2 for a
 * resource that exists. `etag` is the current tag with its quotes (W/ where weak), len 0 for none;
 * `modified` 0 for unknown. */
enum fy_condition fy_etag_evaluate(const struct fy_http_head *head, struct fy_slice etag, fy_time modified);

/* For a resource that does not exist yet: If-Match fails, If-None-Match: * goes ahead. */
enum fy_condition fy_etag_evaluate_missing(const struct fy_http_head *head);

/* Whether the list (or "*") in `field` names `etag`; `weak` compares without the W/ mark (13.1.2).
 * A malformed list names nothing. */
bool fy_etag_listed(struct fy_slice field, struct fy_slice etag, bool weak);
