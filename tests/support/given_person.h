/* A person with a key and nothing else, for tests of what belongs to persons. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* The keys of all tests. The caller destroys them. */
struct fy_keys *given_keys(void);

/* The number of a new person, through ctx->db and ctx->keys (known to the database: fy_instance_check_key); 0: it
 * could not be made. */
fy_async uint64_t given_person(struct fy_ctx *ctx);
