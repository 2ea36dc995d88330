/* Sealing what versions before sealing had stored as plain text. A step of the start-up, before anyone is served. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Seals all accounts and messages that are not, in transactions of a few rows; one that is cut off goes on where it was.
 * ret_rows: how many it sealed. Does nothing once a start has found nothing left to seal. */
fy_async int fy_seal_existing(struct fy_ctx *ctx, uint64_t *ret_rows);

/* Then gives each message, and each request of somebody without an account, that has none the hash of its address. Those
 * that were hashed are not read. */
fy_async int fy_hash_existing(struct fy_ctx *ctx);
