/* Cookies: finding one in a Cookie field, and writing Set-Cookie (RFC 6265).
 * Leaves names, lives and what values mean to server/auth. Called on each request; no allocation. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

/* The value of the next cookie of exactly that name (case matters) in what is left of a Cookie field, without
 * optional quotes; FY_NONE where the value has characters that cookies cannot have. False: there is no further one. */
bool fy_cookie_next(struct fy_slice *field, struct fy_slice name, struct fy_slice *ret_value);

/* A cookie-name that is a token; prefixes as "__Host-" are the caller's business. */
bool fy_cookie_name_valid(struct fy_slice name);

struct fy_cookie {
	struct fy_slice name, value; /* value: cookie-octets only, checked */
	int64_t max_age_s;           /* < 0: a session cookie; 0: delete it now */
	bool secure;                 /* also requires it of a "__Host-" or "__Secure-" name */
	bool script_readable;        /* false: HttpOnly */
	enum { FY_SAMESITE_LAX = 0, FY_SAMESITE_STRICT, FY_SAMESITE_NONE } same_site;
	struct fy_slice path; /* len 0: "/" */
};

/* Appends the value of a Set-Cookie field (no name, no CRLF). FY_ERR_INVALID when name, value or path
 * could break out of the field, or a prefix's promises are not kept; nothing is appended then. */
int fy_cookie_write(struct fy_buf *buf, const struct fy_cookie *cookie);
