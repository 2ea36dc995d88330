/* Checks of request paths and of redirect targets.
 * Leaves the matching of routes to server/http; decodes nothing. Called once for each request, and
 * wherever a visitor names the page to go on to. */
#pragma once

#include <stdbool.h>

#include "foyer/slice.h"

/* A raw (still encoded) path that means one thing to everyone: 0. Otherwise, the path is not repaired:
 *   FY_ERR_INVALID    answer 400: does not begin with '/', bad %XX, encoded NUL or control character,
 *                     backslash (also encoded), encoded slash, invalid UTF-8 once decoded
 *   FY_ERR_NOT_FOUND  answer 404: empty segment ("//"), "." or ".." segment (also encoded) */
int fy_path_check(struct fy_slice raw_path);

/* True for a path (with optional query) on this same site that may be sent as Location after "next=...":
 * begins with one '/', then neither '/' nor '\', and passes fy_path_check; at most 1024 bytes. */
bool fy_path_is_local(struct fy_slice target);
