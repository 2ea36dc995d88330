/* Argon2id on threads of its own.
 * Hashing a password takes tens of milliseconds and 64 MiB on purpose. Done on the loop it would stop everybody;
 * done on libuv's pool it would hold up file and name look-ups. So there are a few threads, one a core over all
 * workers, of idle priority: a storm of sign-ins slows sign-ins, not pages. The queue is bounded and memory is
 * threads x cost, however many wait.
 *
 * The loop never waits for a lock that an idle thread holds: the queue is a ring with one producer, results
 * come back over a stack that is pushed with one compare-and-swap. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"

struct fy_hasher;

struct fy_hasher_options {
	unsigned memory_mib;
	unsigned passes;
	unsigned threads; /* at least 1 */
	unsigned queue;   /* waiting, beside the one in each thread; past it FY_ERR_BUSY */
};

int fy_hasher_create(const struct fy_hasher_options *options, struct fy_hasher **ret_hasher);

/* Waits for the hash that runs in each thread; what is queued ends with FY_ERR_CANCELLED. Run the loop once
 * more afterwards. */
void fy_hasher_destroy(struct fy_hasher *hasher);

/* An encoded Argon2id string, in the context's arena and wiped with it. FY_ERR_BUSY, FY_ERR_TIMEOUT. What a fiber
 * has given up is skipped when its turn comes. */
fy_async int fy_password_hash(struct fy_ctx *ctx, struct fy_hasher *hasher, struct fy_secret password,
			      struct fy_secret *ret_encoded);

/* Whether `password` belongs to `encoded`. An empty `encoded` (no such account, or one without a password) costs
 * the same one hash and never matches. ret_rehash: it matches, but was made at another cost. */
fy_async int fy_password_verify(struct fy_ctx *ctx, struct fy_hasher *hasher, struct fy_secret password,
				struct fy_secret encoded, bool *ret_match, bool *ret_rehash);

/* Seconds until a request that comes now would have its turn; at least 1. */
unsigned fy_hasher_wait_s(const struct fy_hasher *hasher);

struct fy_hasher_stats {
	unsigned waiting, running;
	uint64_t hashed, skipped, refused;
};
void fy_hasher_stats(const struct fy_hasher *hasher, struct fy_hasher_stats *ret_stats);
