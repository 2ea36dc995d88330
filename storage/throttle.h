/* Limits on how often: sign-in attempts per account and address, and plain rates per address.
 * Kept in Redis, one key each, so all workers and servers share them. Names of buckets are keyed hashes: no
 * address or account stands in Redis in clear. Which limits apply where is the routes' matter. */
#pragma once

#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Sign-in: from the fifth failure on an account waits 1, 2, 4 … 60 seconds, an address from the 30th on; never a
 * hard lock that somebody else could cause for long (CNIL délibération 2022-100). `who` is the account's look-up
 * hash, known or not: unknown accounts are treated alike. Asking: FY_ERR_LIMITED with the seconds to wait.
 * Redis away: FY_ERR_REDIS_DOWN; nobody can sign in then anyway, as sessions live there. */
fy_async int fy_throttle_sign_in(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16],
				 unsigned *ret_wait_s);
/* Notes the outcome; without waiting. A success forgets the account's failures, not the address'. */
void fy_throttle_sign_in_failed(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16]);
void fy_throttle_sign_in_passed(struct fy_ctx *ctx, struct fy_slice who);

/* A leaky bucket (GCRA): `burst` at once, then `per_minute`. FY_ERR_LIMITED with the seconds to wait. Redis away:
 * 0, as a site that cannot count should rather answer. */
fy_async int fy_throttle_take(struct fy_ctx *ctx, struct fy_slice bucket, const uint8_t address[16], unsigned per_minute,
			      unsigned burst, unsigned *ret_wait_s);
