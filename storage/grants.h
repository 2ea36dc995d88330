/* Prior authorisation: a member of staff asks to see the data of a person for one purpose, somebody else agrees, and
 * until it ends the grant opens the fields of that purpose to this one reader (privacy policy, "employee access"; GDPR
 * Articles 5(1)(b), 25 and 32).
 *
 *     WAITING ── approve ──► APPROVED ── its time, or given back ──► ENDED
 *        ├── refuse ──► REFUSED      └─ break-glass starts here, and waits for a review
 *        └── 24 hours ──► LAPSED
 *
 * Nobody decides on their own request, and none for a member of staff who is not one any more: ends with the role
 * (accounts_roles.c). Mails are the routes', in the same transaction. LAPSED, and the end by time, are not stored: they
 * follow from the time of who reads. Called by the routes and the purge. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/access_log.h"

enum fy_grant_state { FY_GRANT_WAITING = 1, FY_GRANT_APPROVED, FY_GRANT_REFUSED, FY_GRANT_LAPSED, FY_GRANT_ENDED };
enum fy_grant_verdict { FY_VERDICT_JUSTIFIED = 1, FY_VERDICT_UNJUSTIFIED };

#define FY_GRANT_REASON_MIN 10 /* characters */
#define FY_GRANT_REASON_MAX 500
#define FY_GRANT_MINUTES 60 /* where nothing else is asked */
#define FY_GRANT_MINUTES_MAX 480
#define FY_GRANT_WAIT FY_DAY                  /* for a decision */
#define FY_GRANT_REFUSAL_HOLDS (30 * FY_DAY)  /* the person's: until then only the person approves of the same */
#define FY_GRANT_REVIEW_WITHIN (72 * FY_HOUR) /* of a break-glass */

/* For what staff may ask: the purposes of the policy that are about a person. */
static inline bool fy_grant_purpose(enum fy_register_purpose purpose)
{
	return purpose == FY_PURPOSE_IDENTIFICATION || purpose == FY_PURPOSE_CONTACT ||
	       purpose == FY_PURPOSE_CONTRACTUALISATION || purpose == FY_PURPOSE_BILLING;
}

struct fy_grant_new {
	uint64_t person_id; /* an account */
	uint64_t asked_by;
	enum fy_register_purpose purpose;
	struct fy_personal reason; /* sealed under the key of the person it is about */
	unsigned minutes;
};

struct fy_grant {
	uint64_t id, person_id, asked_by;
	enum fy_account_role asker_role; /* when asking */
	enum fy_register_purpose purpose;
	struct fy_personal reason;
	bool unreadable; /* the reason is damaged */
	unsigned minutes;
	enum fy_grant_state state;
	fy_time asked_at, decided_at, ends_at; /* the latter two: 0 where there was no decision, or no approval */
	uint64_t decided_by;
	bool break_glass;
	enum fy_grant_verdict verdict; /* 0: none yet */
	uint64_t reviewed_by;
	fy_time reviewed_at;
};

struct fy_grant_page {
	struct fy_grant *items;
	size_t count;
	uint64_t next_cursor; /* 0: this was the last page */
};

/* FY_ERR_EXISTS: the same is waiting already; FY_ERR_DENIED: the asker is not of the staff that may; FY_ERR_NOT_FOUND:
 * no such account; FY_ERR_INVALID: the own account, a purpose, a reason or a time that cannot be asked. */
fy_async int fy_grants_ask(struct fy_ctx *ctx, const struct fy_grant_new *grant, uint64_t *ret_id);

/* Approved at once, for an owner only: FY_ERR_DENIED. Other errors as above. */
fy_async int fy_grants_break_glass(struct fy_ctx *ctx, const struct fy_grant_new *grant, uint64_t *ret_id);

/* By the person it is about, or by staff other than the asker: FY_ERR_DENIED. FY_ERR_EXISTS: the person has refused the
 * same, so staff cannot approve of it. FY_ERR_CONFLICT: it does not wait any more. `as` is where they decide: on the own
 * account's pages nobody decides about others. */
enum fy_grant_decider { FY_DECIDES_PERSON = 1, FY_DECIDES_STAFF };
fy_async int fy_grants_decide(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_decider as, bool approve);

/* The asker gives an open grant back. FY_ERR_NOT_FOUND: there is none. */
fy_async int fy_grants_give_back(struct fy_ctx *ctx, uint64_t id, uint64_t by);

/* Ends an open grant before its time: the person it is about, or an owner or DPO. FY_ERR_NOT_FOUND: none of theirs is
 * open. */
fy_async int fy_grants_end(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_decider as);

/* Of a break-glass, by an owner or DPO who did not ask: FY_ERR_DENIED. FY_ERR_CONFLICT: it has been reviewed. */
fy_async int fy_grants_review(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_verdict verdict);

/* What is open to `reader` about `person` (0: about anybody) at ctx->now, the longest first, at most 100. */
struct fy_grant_open {
	uint64_t id, person_id;
	enum fy_register_purpose purpose;
	fy_time ends_at;
};
fy_async int fy_grants_open(struct fy_ctx *ctx, uint64_t reader, uint64_t person, struct fy_grant_open **ret_grants,
			    size_t *ret_count);

/* Writes the read to the log, if its grant (read->request_id) is open to that reader for that person and purpose; durable
 * on return. FY_ERR_DENIED: it is not. Nothing is answered before this. */
fy_async int fy_grants_read(struct fy_ctx *ctx, const struct fy_read *read);

/* The reason is opened for `purpose`: FY_PURPOSE_LEGAL_DUTIES, or FY_PURPOSE_RIGHTS for the person. FY_ERR_UNREADABLE is
 * only marked. Lists: newest first, below `cursor` (0: from the top), up to `limit` (at most 100). */
fy_async int fy_grants_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			   struct fy_grant *ret_grant);
/* All; or those that wait for a decision or a review. */
fy_async int fy_grants_list(struct fy_ctx *ctx, bool due, uint64_t cursor, unsigned limit,
			    struct fy_grant_page *ret_page);
/* About a person; `asker` 0: of all who asked, for the person's eyes. */
fy_async int fy_grants_list_person(struct fy_ctx *ctx, uint64_t person, uint64_t asker, uint64_t cursor, unsigned limit,
				   struct fy_grant_page *ret_page);

/* Requests asked, and grants ended, before `before`: how many; the first; and deletes up to `limit`. */
fy_async int fy_grants_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_grants_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count);
fy_async int fy_grants_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
