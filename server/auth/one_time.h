/* Links that work once: a random token for the mail, its keyed hash for the database. Used by the routes of
 * registration and passwords and by the set-up of the first administrator. */
#pragma once

#include "foyer/ctx.h"
#include "storage/email_hash.h"
#include "storage/keys.h"
#include "storage/sessions.h"

struct fy_one_time {
	char token[FY_TOKEN_CHARS + 1];
	uint8_t hash[FY_HASH_BYTES];
};

void fy_one_time_make(const struct fy_keys *keys, struct fy_one_time *ret_token);

/* False when `token` cannot be one, whatever the database says. */
bool fy_one_time_hash(const struct fy_keys *keys, struct fy_slice token, uint8_t ret_hash[FY_HASH_BYTES]);
