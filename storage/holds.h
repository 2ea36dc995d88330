/* Legal holds: accounts that are needed for the establishment, exercise or defence of a claim, and are not erased while
 * that lasts (GDPR Article 17(3)(e)), whoever asks for it and however long nobody signs in.
 *
 *     placed, with a reason and a day of review ── reviewed: a later day ──┐
 *        │  ▲                                                             │
 *        │  └─────────────────────────────────────────────────────────────┘
 *        └── lifted ──► what waited for it is done by the next run of the retention job
 *
 * A hold does not end by itself: from its day on the list shows it as due. The person sees reason and date. Called by
 * /manage/holds; asked by erasure, the retention job and the pages of the person. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/register.h"

#define FY_HOLD_REASON_CHARS 500 /* bytes are bounded at four each; more is FY_ERR_TOO_LARGE */

struct fy_hold {
	uint64_t id; /* 0: none */
	uint64_t account_id;
	struct fy_personal reason; /* empty in lists, and where it cannot be read, which is logged */
	uint64_t placed_by;
	fy_time placed_at, review_at;
	fy_time lifted_at; /* 0: in force */
};

/* FY_ERR_NOT_FOUND: there is no such account; FY_ERR_EXISTS: it is held already; FY_ERR_INVALID: no reason, or the review
 * is not later than now. */
fy_async int fy_holds_place(struct fy_ctx *ctx, uint64_t account_id, struct fy_personal reason, fy_time review_at,
			    uint64_t by, uint64_t *ret_id);

/* Another day of review, later than now. FY_ERR_NOT_FOUND: lifted, or never placed. */
fy_async int fy_holds_review(struct fy_ctx *ctx, uint64_t id, fy_time review_at);
fy_async int fy_holds_lift(struct fy_ctx *ctx, uint64_t id, uint64_t by);

/* The hold of an account that is in force; id 0: there is none. The reason opens for `purpose`: FY_PURPOSE_RIGHTS for the
 * person, FY_PURPOSE_LEGAL_DUTIES for who decides. */
fy_async int fy_holds_of(struct fy_ctx *ctx, uint64_t account_id, enum fy_register_purpose purpose,
			 struct fy_hold *ret_hold);
fy_async int fy_holds_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose, struct fy_hold *ret_hold);

/* In force, or lifted ones; oldest first, at most `limit` (up to 100), after the id `after`. ret_next 0: the last page. */
fy_async int fy_holds_list(struct fy_ctx *ctx, bool lifted, uint64_t after, unsigned limit, struct fy_hold **ret_holds,
			   size_t *ret_count, uint64_t *ret_next);
