/* The outbox: mails to be sent, kept in the same database as the change that caused them, so that either
 * both happen or none. A row holds a template's name and the values for it; writing the text and speaking
 * SMTP are left to others. The mail job claims and reports here, routes only add.
 *
 *     QUEUED ── claim ──► SENDING ── sent ──► SENT
 *        ▲                  │  └─ claim lapses: due again
 *        └── failed, retry ─┘ ── failed, 3 days after it was written ──► FAILED
 *
 * Address and values are sealed under the person's key, and wiped at SENT and FAILED; the rest of the row goes with
 * the purge. A mail that rests on a consent is opened for its purpose and for no other, so one that waits while the
 * consent is withdrawn or the use of the data restricted is not sent. What cannot be opened any more is given up, and
 * says so. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/consents.h"

enum fy_mail_state { FY_MAIL_QUEUED = 1, FY_MAIL_SENDING, FY_MAIL_SENT, FY_MAIL_FAILED };

/* Bounds in bytes; more is FY_ERR_TOO_LARGE. */
#define FY_MAIL_ADDRESS_MAX 1016 /* 254 characters (RFC 5321 4.5.3.1.3) of up to 4 bytes */
#define FY_MAIL_FIELDS_MAX 20480 /* the column has room for a seal around them */

struct fy_mail_new {
	uint64_t person_id;            /* whose mail it is; filled in where the person is made with it */
	struct fy_slice template_name; /* a constant name, up to 40 bytes; shown to the operator */
	enum fy_lang lang;
	enum fy_consent_purpose consent; /* that it rests on; 0: on none */
	struct fy_personal to_address;
	struct fy_secret fields; /* the values; secret, because one may be a link that signs in */
};

/* A claimed mail; in the context's arena. */
struct fy_outbox_mail {
	uint64_t id;
	uint64_t person_id;
	bool ends_person;  /* it is the last thing that the person's key is for */
	unsigned attempts; /* this one included */
	enum fy_lang lang;
	enum fy_consent_purpose consent;
	fy_time created_at;
	struct fy_slice template_name;
	struct fy_personal to_address;
	struct fy_secret fields;
};

/* A mail that was not sent yet, without what it says: that may be a link. */
struct fy_outbox_waiting {
	uint64_t id;
	fy_time created_at;
	struct fy_personal to_address;
};

struct fy_outbox_counts {
	uint64_t queued, sending, sent, failed;
	fy_time oldest_queued_at; /* 0: none waits */
};

/* Joins the running transaction where there is one. Due at once. FY_ERR_NOT_FOUND: there is no such person (any
 * more). */
fy_async int fy_outbox_add(struct fy_ctx *ctx, const struct fy_mail_new *mail);

/* The mails that wait for the holder of an address, by its look-up hash: of the account, of what was written with it, and
 * of people who were entered with it. The newest first, in the arena, read for FY_PURPOSE_RIGHTS. One that cannot be
 * opened is left out, as the job gives it up. */
fy_async int fy_outbox_list_waiting(struct fy_ctx *ctx, struct fy_slice email_hash,
				    struct fy_outbox_waiting **ret_mails, size_t *ret_count);

/* Claims up to `limit` due mails for `claim_for` (microseconds): until then nobody else gets them, and
 * afterwards they are due again. `owner` (up to 64 bytes) names the worker. *ret_mails is an array in the
 * arena; a count of 0 is not an error. The same mail is never handed to two callers at a time. */
fy_async int fy_outbox_claim(struct fy_ctx *ctx, struct fy_slice owner, fy_time claim_for, unsigned limit,
			     struct fy_outbox_mail **ret_mails, size_t *ret_count);

/* Gives back the claims of those that `gone` says will never report: their mails are due at once. */
fy_async int fy_outbox_unclaim(struct fy_ctx *ctx, bool (*gone)(struct fy_slice owner), uint64_t *ret_mails);

/* Reports on a claimed mail. FY_ERR_EXPIRED: the claim had lapsed and somebody else has it now; nothing
 * was changed. `reason` (cut at 200 bytes) is for the operator and must not hold an address.
 * ret_final (may be NULL) says whether it was the last attempt. */
fy_async int fy_outbox_sent(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail);
fy_async int fy_outbox_failed(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail,
			      struct fy_slice reason, bool permanent, bool *ret_final);

/* When to try again after `attempts` failures of a mail written at `created_at`; 0: never again.
 * 1 min, 5 min, 30 min, 2 h, 6 h, 12 h, then daily, up to 3 days after it was written. Pure. */
fy_time fy_outbox_next_attempt(fy_time created_at, fy_time now, unsigned attempts);

fy_async int fy_outbox_count(struct fy_ctx *ctx, struct fy_outbox_counts *ret_counts);

/* Mails that wait and are not put off until later. */
fy_async int fy_outbox_count_due(struct fy_ctx *ctx, uint64_t *ret_count);

/* Mails sent or given up before `before`: how many; and deletes up to `limit`. */
fy_async int fy_outbox_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_outbox_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count);
fy_async int fy_outbox_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
