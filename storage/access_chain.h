/* What appending to the access log and walking it share. Only for access_log.c and access_verify.c. */
#pragma once

#include "storage/access_log.h"
#include "storage/statements.h"

/* The hash of a row (its own `hash` does not count) after the row whose hash is `before`. */
void fy_chain_hash(struct fy_ctx *ctx, const uint8_t before[FY_HASH_BYTES],
		   const struct fy_sql_access_log_walk_row *row, uint8_t ret_hash[FY_HASH_BYTES]);
