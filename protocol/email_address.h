/* E-mail addresses as people type them into a form (RFC 5321 4.1.2, limits of 4.5.3.1).
 * Leaves whether a mailbox exists to the confirmation mail. Policy: dot-string local parts and domain names
 * of at least one label only; quoted strings, comments, address literals and non-ASCII local parts are legal
 * somewhere but refused. A domain in UTF-8 is refused with its own error: people paste the xn-- form. */
#pragma once

#include "foyer/arena.h"
#include "foyer/slice.h"

#define FY_EMAIL_MAX 254 /* RFC 5321 4.5.3.1.3: a path of 256 with its < > */
#define FY_EMAIL_LOCAL_MAX 64

/* Checks `text` (no white space around it is allowed) and gives it with the domain in lower case, in `arena`.
 * The local part keeps its case: the receiving host alone may say whether it matters; fy_email_key folds it.
 * FY_ERR_INVALID: no address; FY_ERR_UNSUPPORTED: internationalised or quoted; FY_ERR_TOO_LARGE: too long. */
int fy_email_parse(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_address);

/* What two addresses of one account have in common: all lower case (ASCII). `text` is a parsed address. */
struct fy_slice fy_email_key(struct fy_arena *arena, struct fy_slice address);

struct fy_slice fy_email_domain(struct fy_slice address);
