/* Restriction of processing (GDPR Article 18): what is held is kept, and used for nothing but what Article 18(2) leaves:
 * signing in, the person's own rights, claims and the law, safety (`despite_restriction` in storage/register.toml).
 *
 * A request for restriction, or an objection while it is examined (18(1)(d)), restricts at once: fy_rights_add. It is
 * about the holder of an address: the account, and the messages that were written with it before.
 *
 *     in force ── withdrawn, or lifted by the person ──► lifted
 *        └── refused, the person is told (18(3)) ── FY_RESTRICTION_NOTICE later, the retention job ──► lifted
 *
 * The data of a restricted account stay for as long as it lasts, even when nobody signs in: who asks for a restriction
 * may need them as evidence (18(1)(b), (c)). A request that was answered leaves it in force: only the person ends it then.
 * Enforced by withheld.h. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_RESTRICTION_NOTICE (7 * FY_DAY)

struct fy_restriction {
	bool in_force;
	fy_time since;
	fy_time lift_at; /* 0: until the person ends it */
};

fy_async int fy_restriction_get(struct fy_ctx *ctx, uint64_t account_id, struct fy_restriction *ret_restriction);

/* All that are in force. FY_ERR_NOT_FOUND: there was none. */
fy_async int fy_restriction_lift(struct fy_ctx *ctx, uint64_t account_id);

/* After a request began or ceased to restrict, in the same transaction: withholds or gives back what it is about. */
fy_async int fy_restriction_apply(struct fy_ctx *ctx, uint64_t request_id);

/* Refused requests that still restrict although the notice is over at ctx->now: ids above `after`, ascending, in the arena;
 * and the end of one. Called by the retention job. */
fy_async int fy_restriction_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit, uint64_t **ret_ids,
				     size_t *ret_count);
fy_async int fy_restriction_lift_refused(struct fy_ctx *ctx, uint64_t request_id);
