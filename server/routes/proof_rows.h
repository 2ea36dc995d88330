/* The proofs that promises are kept, as the policy page and the back office show them: kept, not kept since when, or not
 * known while the database is away. What a proof is, storage/proofs.h says. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "server/pages/pages_gen.h"

/* Rows in the context's arena, in the order in which they are shown; at least one of each kind. Two queries. */
fy_async size_t fy_proof_rows(struct fy_ctx *ctx, const struct fy_row_proof **ret_rows);
