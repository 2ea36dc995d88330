/* Erasing accounts (GDPR Article 17; rules 1.8): first a date, which the person can take back, then everything at once.
 *
 *     active ── ask ──► active, erase_at ── close ──► closed ── finish ──► gone, a line in the ledger
 *                │  ▲                         │ the caller ends the sessions; cut off here, the next run goes on
 *                └──┘ cancel
 *
 * Whom the account entered goes before it (provided.h). In one transaction fy_erasure_finish deletes the account with its
 * tokens and mails, and what was written with its confirmed address without signing in: messages, links to the own data,
 * their mails. It destroys the keys of all that, writes the ledger and queues the last mail with the receipt, under a key
 * of its own that ends with it. Proofs of consent stay for their time, with a number that leads nowhere. When it happens
 * is the retention job's decision. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/receipt.h"

struct fy_mail_new;

/* The account is to be erased at `erase_at`. FY_ERR_EXISTS: it has a date already, which stays; FY_ERR_DENIED: it is the
 * last owner's; FY_ERR_NOT_FOUND: there is no such account, or it is not active. */
fy_async int fy_erasure_ask(struct fy_ctx *ctx, uint64_t account_id, enum fy_erasure_ground ground, fy_time erase_at);

/* Whether nobody else could run the office. Inside a transaction the rows of all owners are held until it ends, so two
 * that go at the same time see each other. */
fy_async int fy_erasure_is_last_owner(struct fy_ctx *ctx, uint64_t account_id, bool *ret_last);

/* Takes the date back, and what was counted towards inactivity. FY_ERR_NOT_FOUND: there was none, or it is too late. */
fy_async int fy_erasure_cancel(struct fy_ctx *ctx, uint64_t account_id);

/* Accounts whose date is over at ctx->now, closed or not: ids above `after`, ascending, in the arena. */
fy_async int fy_erasure_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit, uint64_t **ret_ids,
				 size_t *ret_count);

/* Signing in is refused from here on. FY_ERR_NOT_FOUND: the date was taken back, or the account is held (holds.h). */
fy_async int fy_erasure_close(struct fy_ctx *ctx, uint64_t account_id);

/* Who goes, for the last mail; the texts are wiped with the arena. */
struct fy_erasure_farewell {
	enum fy_lang lang;
	struct fy_personal email, given_name;
	struct fy_slice receipt; /* the text of it */
	fy_time erased_at;
};

/* Makes the mail; called inside the transaction. */
typedef int (*fy_erasure_letter)(struct fy_ctx *ctx, const struct fy_erasure_farewell *farewell,
				 struct fy_mail_new *ret_mail);

/* `letter` NULL: without a mail. A person whose key or address does not open any more is erased without one, which is
 * logged. FY_ERR_NOT_FOUND: gone already, or not closed. FY_ERR_DENIED: held since it was closed.
 * ret_receipt (may be NULL) is in the arena. */
fy_async int fy_erasure_finish(struct fy_ctx *ctx, uint64_t account_id, fy_erasure_letter letter,
			       struct fy_slice *ret_receipt);

/* For the repositories of other persons that are erased, inside their transaction. A line in the ledger, and the receipt of
 * it; and the last mail, under a person of its own whose key goes when the mail has gone. A caller goes round again as
 * fy_persons_again says: another erasure may have taken the serial. */
fy_async int fy_erasure_note(struct fy_ctx *ctx, uint64_t person_id, enum fy_erasure_ground ground, fy_time asked_at,
			     struct fy_slice *ret_receipt);
fy_async int fy_erasure_send(struct fy_ctx *ctx, const struct fy_mail_new *mail);

/* After an older dump was restored: erases again whom the ledger names, without a new line in it. At every start. */
fy_async int fy_erasure_replay(struct fy_ctx *ctx, uint64_t *ret_erased);
