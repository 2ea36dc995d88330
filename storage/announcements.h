/* Telling people of a version of the policy that has a major change for them (GDPR Articles 13(3) and 12; rules 1.3).
 *
 *     new to this database ── note ──► under way ── tell one after the other ──► ended
 *                               └── the first version, or minor changes only: ended at once
 *
 * Concerned is an active account that did not know the version, by a major change about its kind of person, of something
 * that is held about it; a new field concerns all whom it will be about. The mail, the mark on the account and the
 * cursor move in one transaction, so whoever is killed in between, nobody is left out and nobody is told twice. Accounts
 * that become active later are told then, of what is newer than the text they registered with. What is done at a time is
 * jobs/tell.h's; the words are the letter's. */
#pragma once

#include "foyer/fiber.h"
#include "storage/policy.h"
#include "storage/telling.h"

struct fy_mail_new;

struct fy_announcement {
	const struct fy_policy_version *version;
	bool noted;     /* it has its row */
	bool rewritten; /* with another fingerprint: the version was changed after it ran here */
	bool silent;    /* there is nothing to tell anybody */
	struct fy_telling telling;
	fy_time ended_at;
};

/* One for each published version, oldest first, in the arena. One without a row says what its row will. */
fy_async int fy_announcements_list(struct fy_ctx *ctx, struct fy_announcement **ret_items, size_t *ret_count);

/* Makes its row; somebody else may be first. */
fy_async int fy_announcements_note(struct fy_ctx *ctx, const struct fy_announcement *item);

struct fy_announcement_person {
	uint64_t id;
	enum fy_lang lang;
	const bool *concerned; /* by the number of the change in the version */
};

/* Looks at up to `limit` accounts with ids above `after`; those that are concerned, ascending, in the arena. *ret_last:
 * the last id that was looked at; 0: there are no more. */
fy_async int fy_announcements_people(struct fy_ctx *ctx, const struct fy_announcement *item, uint64_t after,
				     unsigned limit, struct fy_announcement_person **ret_people, size_t *ret_count,
				     uint64_t *ret_last);

/* Remembers how many have to be told. */
fy_async int fy_announcements_count(struct fy_ctx *ctx, const struct fy_announcement *item);

typedef int (*fy_announcement_letter)(struct fy_ctx *ctx, const struct fy_policy_version *version,
				      const struct fy_announcement_person *person, struct fy_personal email,
				      struct fy_personal given_name, struct fy_mail_new *ret_mail);

/* Queues the mail and moves on. FY_ERR_NOT_FOUND: the account is gone, or knows it meanwhile. FY_ERR_UNREADABLE.
 * FY_ERR_EXPIRED: somebody else goes on with it, and nothing was changed. */
fy_async int fy_announcements_tell(struct fy_ctx *ctx, struct fy_announcement *item,
				   const struct fy_announcement_person *person, fy_announcement_letter letter);

/* Who has just become a member may have accepted an older text while the versions since were announced to the members of
 * that time: tells of each of them that concerns the account. Inside the transaction that makes it active. */
fy_async int fy_announcements_catch_up(struct fy_ctx *ctx, uint64_t account_id, fy_announcement_letter letter);

/* Accounts up to `id` are done; and all are. FY_ERR_EXPIRED as above. */
fy_async int fy_announcements_pass(struct fy_ctx *ctx, struct fy_announcement *item, uint64_t id);
fy_async int fy_announcements_end(struct fy_ctx *ctx, const struct fy_announcement *item);
