/* What is sent twice by a double click or a reload is done once: the answer to the first is kept for a few minutes in
 * Redis, under a keyed hash of what was sent. A convenience and no promise: while Redis is away everything is done.
 * Called by routes whose form cannot know by itself that it was sent before. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_ONCE_KEY_MAX 32

struct fy_once {
	char key[FY_ONCE_KEY_MAX];
};

/* 0: it is the first, and the caller ends it with fy_once_done or fy_once_failed. FY_ERR_EXISTS: it was done, and
 * ret_answer (in the arena) is the first one's; waits for a first one that is still at work. FY_ERR_TIMEOUT. */
fy_async int fy_once_begin(struct fy_ctx *ctx, struct fy_slice what, struct fy_once *ret_once,
			   struct fy_slice *ret_answer);

void fy_once_done(struct fy_ctx *ctx, const struct fy_once *once, struct fy_slice answer);
void fy_once_failed(struct fy_ctx *ctx, const struct fy_once *once);
