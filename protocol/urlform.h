/* Percent-encoding, query strings and application/x-www-form-urlencoded bodies as name/value pairs.
 * Leaves which names are declared, and what values mean, to the routes. Called for each request that
 * has a query or a form. Strict: bad %XX, invalid UTF-8 and NUL are errors, not repaired. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "foyer/arena.h"
#include "foyer/buf.h"
#include "foyer/slice.h"

struct fy_pair {
	struct fy_slice name, value; /* decoded UTF-8 without NUL */
};

/* In the order sent; the same name may stand more than once. */
struct fy_pairs {
	struct fy_pair *items;
	size_t count;
};

/* Splits at '&', '+' is a space. Pairs, and text that needed decoding, live in `arena`; other text points
 * into `text`. Empty pieces ("a=1&&b=2") are skipped; a piece without '=' has an empty value.
 * FY_ERR_TOO_LARGE past `count_max` pairs, FY_ERR_INVALID for bad encoding. */
int fy_urlform_parse(struct fy_arena *arena, struct fy_slice text, size_t count_max, struct fy_pairs *ret_pairs);

/* The first pair of that exact name, or NULL. */
const struct fy_pair *fy_pairs_find(const struct fy_pairs *pairs, struct fy_slice name);
size_t fy_pairs_count(const struct fy_pairs *pairs, struct fy_slice name);

/* Decodes %XX (and '+' where `plus`). Without anything to decode *ret_text is `text` itself, else a copy in
 * `arena`. FY_ERR_INVALID: bad %XX, NUL, or not UTF-8 in the end. */
int fy_url_decode(struct fy_arena *arena, struct fy_slice text, bool plus, struct fy_slice *ret_text);

/* Appends `text` with everything but RFC 3986 unreserved characters as %XX. */
void fy_url_encode(struct fy_buf *buf, struct fy_slice text);

/* Appends name=value, both encoded, with '&' before it unless the buffer is empty or ends in '?'. */
void fy_urlform_put(struct fy_buf *buf, struct fy_slice name, struct fy_slice value);
