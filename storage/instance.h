/* Facts about the whole installation, kept in the database. Called at every start. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Compares ctx->keys with the key that this database was first used with; the first use notes it. FY_ERR_CONFIG,
 * with one sentence in ctx->fault, when it is another: look-ups by address would find nobody, and sessions and
 * links made before would be worth nothing. */
fy_async int fy_instance_check_key(struct fy_ctx *ctx);
