/* Sealing what versions before sealing had stored as plain text. A step of the start-up, before anyone is served. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Seals all accounts and messages that are not, in transactions of a few rows; one that is cut off goes on where it was.
 * ret_rows: how many it sealed. Does nothing once a start has found nothing left to seal. */
fy_async int fy_seal_existing(struct fy_ctx *ctx, uint64_t *ret_rows);

/* Then gives the hashes of their addresses to what has none: messages, requests of people without an account, and people
 * who were entered. What was hashed is not read. */
fy_async int fy_hash_existing(struct fy_ctx *ctx);
