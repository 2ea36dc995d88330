/* Transactions: statements that happen together or not at all.
 * Isolation is READ COMMITTED; rows that a decision rests on are read with FOR UPDATE. What a transaction
 * does is the repositories' business. Called by repositories and domain flows inside a fiber. */
#pragma once

#include <stdbool.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Runs `body(ctx, arg)` between BEGIN and COMMIT on one connection. Every generated statement called with this
 * same `ctx` runs on that connection; another context does not see the transaction.
 *
 * The body's negative result rolls back and is returned. When the server ends the transaction as a victim
 * (deadlock, lock wait, Galera certification: 1213, 1205, 1020) it is repeated from the start, up to 5 times with
 * jitter, so the body must be repeatable: it sets its outputs anew and has no effect outside the database.
 * Still a victim after that: FY_ERR_CONFLICT. No transaction inside a transaction (FY_REQUIRE).
 * FY_ERR_DB_DOWN or FY_ERR_TIMEOUT from the COMMIT means that the outcome is unknown; it is not repeated. */
fy_async int fy_tx(struct fy_ctx *ctx, fy_async int (*body)(struct fy_ctx *ctx, void *arg), void *arg);

/* True while `ctx` is inside fy_tx. */
bool fy_tx_active(const struct fy_ctx *ctx);
