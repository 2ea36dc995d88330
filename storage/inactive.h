/* Accounts that nobody uses (rules 1.7): three warnings, then a date of erasure. A sign-in ends all of it.
 *
 *     60 days before ── 1st ──► 30 days ── 2nd ──► 7 days ── 3rd and erase_at ──► erasure.h
 *
 * Days are counted from the last action to the end of the time in the register, and each step also waits for the one
 * before, so that a late start of the job warns late and never shorter. A warning that bounces is made again after three
 * days; the third bounce in a row counts as made, as there is no other way to the person. Called by the retention job. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_NOTICE_STEPS 3
#define FY_NOTICE_BOUNCES 3

struct fy_inactive {
	uint64_t id;
	unsigned notices; /* made so far */
	bool owner;
	enum fy_lang lang;
	fy_time last_at;  /* the last action, or the confirmation of the address */
	fy_time erase_at; /* when it would go, if warned now */
};

/* Accounts whose next warning is due at ctx->now; ids above `after`, ascending, in the arena. `keep_days`: of the
 * register. */
fy_async int fy_inactive_list_due(struct fy_ctx *ctx, int64_t keep_days, uint64_t after, unsigned limit,
				  struct fy_inactive **ret_items, size_t *ret_count, uint64_t *ret_last_id);

/* Pure: whether the step after `notices` is due, and the date that it names. 0: not yet. */
fy_time fy_inactive_next(fy_time now, fy_time last_active_at, unsigned notices, int64_t keep_days);

struct fy_mail_new;

/* Notes the warning and queues its mail, in one transaction; the last one sets the date. FY_ERR_NOT_FOUND: somebody
 * signed in meanwhile. */
fy_async int fy_inactive_warn(struct fy_ctx *ctx, const struct fy_inactive *item,
			      int (*letter)(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email,
					    struct fy_personal given_name, fy_time erase_at,
					    struct fy_mail_new *ret_mail));

/* What became of warnings on their way: those delivered are noted, those that bounced are taken back,
 * and those whose mail is gone, as nobody can say that they arrived. */
fy_async int fy_inactive_settle(struct fy_ctx *ctx, uint64_t *ret_bounced);
/* How many bounced, for a dry run. */
fy_async int fy_inactive_count_bounced(struct fy_ctx *ctx, uint64_t *ret_bounced);
