/* What appending to the access log and walking it share. Only for access_log.c and access_verify.c. */
#pragma once

#include "storage/access_log.h"
#include "storage/statements.h"

/* The hash of a row (its own `hash` does not count) after the row whose hash is `before`. */
void fy_chain_hash(struct fy_ctx *ctx, const uint8_t before[FY_HASH_BYTES],
		   const struct fy_sql_access_log_walk_row *row, uint8_t ret_hash[FY_HASH_BYTES]);

/* Whether the row with both ends is as an append or the purge left it, or as new. Without its seal, rows at an end could
 * be cut off and the ends put back to one that is left, whose hash stands in it. */
bool fy_chain_ends_fit(struct fy_ctx *ctx, const struct fy_sql_access_chain_get_row *chain);
