/* Facts about the whole installation, kept in the database. Called at every start. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Compares the master keys in ctx->keys with those that this database knows; the first use notes the key.
 * FY_ERR_CONFIG, with one sentence in ctx->fault, when it knows none of them: nothing that is sealed could be opened,
 * look-ups by address would find nobody, and sessions and links made before would be worth nothing. */
fy_async int fy_instance_check_key(struct fy_ctx *ctx);
