/* By what an e-mail address is found while the address itself is sealed: a keyed hash of what all its spellings have in
 * common. Called by sign-in and registration, the contact form, and the answers to who asks what is held. */
#pragma once

#include "foyer/ctx.h"
#include "storage/keys.h"

/* The look-up hash of an address as a person types it; FY_ERR_INVALID and FY_ERR_UNSUPPORTED as
 * fy_email_parse. ret_address (may be NULL) is the parsed address, in the arena. */
int fy_email_hash(struct fy_ctx *ctx, struct fy_slice typed, struct fy_slice *ret_address,
		  uint8_t ret_hash[FY_HASH_BYTES]);
