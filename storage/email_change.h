/* Another address for an account (GDPR Article 16), which counts when whoever holds its mailbox says so.
 *
 *     ask ──► waits, for as long as the register says ── confirm, by the link in the new mailbox ──► the account's address
 *      ▲        │ asked again, it is another one
 *      └────────┴── cancelled, or the password was changed, or its time is over, or the account goes ──► nothing
 *
 * What is found by the address goes along: messages to the contact form and requests about rights that were written with
 * the old one are found by the new one from then on, so that export and erasure of the account still reach them, and who
 * gets the old mailbox one day does not. They say the address that they were written with. A record that somebody else
 * entered stays with the address it names: its person is written to there.
 *
 * Whether the address is free is not told to who asks. Making links, writing mails and ending sessions are the caller's:
 * the routes of the account (server/routes/email_change.c). */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

struct fy_mail_new;

struct fy_email_change {
	uint64_t account_id;
	struct fy_personal email; /* the new one, in the arena */
	fy_time asked_at, expires_at;
};

/* How long a link is good, from the register (email_change.email): microseconds. */
fy_time fy_email_change_valid(const struct fy_ctx *ctx);

struct fy_email_change_new {
	uint64_t account_id;
	struct fy_personal email;
	struct fy_slice token_hash;         /* 32 bytes */
	const struct fy_mail_new *mails[2]; /* to the new mailbox and to the old one, with their persons; NULL: none */
};

/* Waits from now on, instead of what waited before; the mails join the transaction. FY_ERR_NOT_FOUND: no active account. */
fy_async int fy_email_change_ask(struct fy_ctx *ctx, const struct fy_email_change_new *change);

/* What waits for an account, expired or not, for the person's own eyes. FY_ERR_NOT_FOUND. */
fy_async int fy_email_change_get(struct fy_ctx *ctx, uint64_t account_id, struct fy_email_change *ret_change);

/* By the hash of the link. FY_ERR_NOT_FOUND: never there, used, replaced, cancelled or expired. */
fy_async int fy_email_change_find(struct fy_ctx *ctx, struct fy_slice token_hash, struct fy_email_change *ret_change);

/* FY_ERR_NOT_FOUND: nothing waits. */
fy_async int fy_email_change_cancel(struct fy_ctx *ctx, uint64_t account_id);

/* Of any number of callers with one link exactly one gets 0: the address and its hash are replaced, what is found by it
 * goes along, links that were mailed to the old address become useless, and `farewell` to the old mailbox joins. A
 * registration of the new address that nobody ever confirmed gives way. FY_ERR_NOT_FOUND as above; FY_ERR_EXISTS: the
 * address has an account meanwhile. The caller ends the person's sessions. */
fy_async int fy_email_change_confirm(struct fy_ctx *ctx, struct fy_slice token_hash,
				     const struct fy_mail_new *farewell);

/* Those whose link expired before `before`: how many, which come first, and deletes up to `limit`. */
fy_async int fy_email_change_count_expired(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_email_change_list_expired(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
					  size_t *ret_count);
fy_async int fy_email_change_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
