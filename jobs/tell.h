/* Telling many people of something, one mail each: counts them once, then goes through them from where the last run
 * stopped. What it is, whom it concerns and the words are its repository's and author's; this is the pace and the way,
 * for policy.c and studies.c.
 *
 * A run adds no more mails than would let `mail.announcements_per_run` of them wait, so that a thousand of them do not
 * stand before the mail of somebody who has just registered. */
#pragma once

#include "jobs/job.h"
#include "storage/telling.h"

/* All in a slice's arena. Each person begins with the account's id, a uint64_t. */
struct fy_tell_kind {
	const char *object; /* what is sent, for the notes (words.c) */
	size_t person_size;

	/* Those concerned among up to `limit` accounts with ids above `after`. *ret_last: the last id that was looked at;
	 * 0: there are no more. */
	fy_async int (*people)(struct fy_ctx *ctx, void *item, uint64_t after, unsigned limit, void **ret_people,
			       size_t *ret_count, uint64_t *ret_last);

	/* Queues the mail and moves the cursor to the account, in one transaction. FY_ERR_NOT_FOUND: it is gone, or does
	 * not want it any more; FY_ERR_DENIED: the person does not allow it; FY_ERR_UNREADABLE: it is left alone and
	 * named. None of these stops the others. */
	fy_async int (*tell)(struct fy_ctx *ctx, void *item, const void *person);

	/* Remember telling->persons; that accounts up to `id` are done; that all are. */
	fy_async int (*count)(struct fy_ctx *ctx, void *item);
	fy_async int (*pass)(struct fy_ctx *ctx, void *item, uint64_t id);
	fy_async int (*end)(struct fy_ctx *ctx, void *item);
};

/* How many mails may be added now. */
fy_async int fy_tell_room(struct fy_ctx *ctx, uint64_t *ret_left);

/* Tells up to *left people, and takes them off it. `telling` is the item's, kept up to date by its functions. Afterwards
 * telling->ended says whether all are told. */
fy_async int fy_tell(struct fy_job_run *run, const struct fy_tell_kind *kind, void *item, struct fy_telling *telling,
		     uint64_t *left);
