/* What the repositories share: joining a transaction, and NULL as zero.
 * Only for the .c files of the repositories; callers see neither has_… flags nor NULL. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/tx.h"

#define FY_HASH_BYTES 32

/* Runs `body` in the caller's transaction where there is one, else in its own. */
static inline fy_async int fy_repo_join(struct fy_ctx *ctx, fy_async int (*body)(struct fy_ctx *ctx, void *arg),
					void *arg)
{
	return fy_tx_active(ctx) ? body(ctx, arg) : fy_tx(ctx, body, arg);
}

static inline fy_time fy_repo_time(bool has, fy_time time)
{
	return has ? time : 0;
}

/* A text that must be there may have any pointer, one that may be NULL is NULL by its pointer: an empty
 * one that shall be NULL loses its pointer here. */
static inline struct fy_slice fy_repo_or_null(struct fy_slice text)
{
	return text.len ? text : FY_NONE;
}

/* Cuts between characters: half of one would be refused by the column. */
static inline struct fy_slice fy_repo_cut(struct fy_slice text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
		max--;
	return fy_upto(text, max);
}

/* The ids that rows of `row_size` bytes begin with. */
static inline uint64_t *fy_repo_ids(struct fy_arena *arena, const void *rows, size_t row_size, size_t count)
{
	uint64_t *ids = fy_new_array(arena, uint64_t, count + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(&ids[i], (const char *)rows + i * row_size, sizeof ids[i]);
	return ids;
}
