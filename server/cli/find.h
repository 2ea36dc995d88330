/* Finds what operators name on the command line. Called by the commands about persons and sessions. */
#pragma once

#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/keys.h"

/* The keyed hash under which an address is found; the context needs keys. FY_ERR_INVALID after a sentence. ret_address
 * (may be NULL) is the address as it would be stored, in the arena. */
int fy_find_email_hash(struct fy_ctx *ctx, const char *email, uint8_t ret_hash[FY_HASH_BYTES],
		       struct fy_slice *ret_address);

/* The account of an address; an error after a sentence. */
fy_async int fy_find_account(struct fy_ctx *ctx, const char *email, uint64_t *ret_id);

/* A one-time set-up link for an account, valid for `days`, on standard output. */
fy_async int fy_print_set_up_link(struct fy_ctx *ctx, uint64_t account_id, unsigned days);
