/* Persons whom a member enters, a school its students: people without an account, about whom data come from somebody
 * else (GDPR Article 14). The record says who provided it; the person, or the adult responsible for a minor, gets a
 * notice with a link to see, correct, object and erase.
 *
 *     ENTERED ── the person corrects ──► TAKEN_OVER ◄── lifts ──┐
 *        └───────── objects ────────────────┴──────────► RESTRICTED      stored, and used by nobody (Article 18)
 *
 * The provider edits while it is ENTERED, and may remove it unless it is RESTRICTED; sees only what they entered, and of a
 * restricted one the name. How a record ends is below; each end writes a line into the ledger of erasure.h, so no older
 * dump brings it back. Words of mails, links and limits of rate are the callers': /account/people, /api/v1/people, /notice
 * and the retention job. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "protocol/datetime.h"
#include "storage/register.h"

enum fy_provided_state { FY_PROVIDED_ENTERED = 1, FY_PROVIDED_TAKEN_OVER, FY_PROVIDED_RESTRICTED };
enum fy_provided_notice_state { FY_NOTICE_ON_ITS_WAY = 1, FY_NOTICE_DELIVERED, FY_NOTICE_BOUNCED };

/* Characters; names and addresses as in accounts.h. */
#define FY_PROVIDED_WHAT_FOR_MAX 200

#define FY_PROVIDED_ADULT_AGE 18
#define FY_PROVIDED_AGE_MAX 120

struct fy_provided_fields {
	struct fy_personal given_name, family_name;
	struct fy_personal email; /* may be empty of a minor */
	struct fy_date birth_date;
	enum fy_lang lang; /* of the mails to the person */
	struct fy_personal what_for;
	struct fy_personal adult_given_name, adult_family_name, adult_email; /* of a minor; of an adult not kept */
};

struct fy_provided {
	uint64_t id, provider_id;
	uint32_t version; /* goes up with each change: the ETag */
	enum fy_provided_state state;
	enum fy_provided_notice_state notice; /* as the outbox has it now */
	bool withheld;                        /* restricted: all but the name is empty */
	struct fy_provided_fields fields;
	fy_time created_at, last_active_at;
	fy_time inform_by;  /* when it goes unless the notice has been delivered (Article 14(3)(a)) */
	fy_time noticed_at; /* 0: not yet */
	fy_time link_until;
};

/* The link's keyed hash, and the mail that carries it; its person is the one entered. */
struct fy_mail_new;
struct fy_provided_notice {
	struct fy_slice hash; /* FY_HASH_BYTES */
	fy_time expires_at;
	const struct fy_mail_new *mail;
};

/* Pure. The day counts in Paris. */
bool fy_provided_birth_date_ok(struct fy_date birth_date, fy_time now);
bool fy_provided_is_minor(struct fy_date birth_date, fy_time now);
fy_time fy_provided_of_age(struct fy_date birth_date); /* the beginning of that day */
/* Where the notice goes: the person, or the adult responsible for a minor; also for one who has come of age since and has
 * no address. */
struct fy_personal fy_provided_recipient(const struct fy_provided_fields *fields, fy_time now);

/* From when the rules of keeping count for it. */
struct fy_register_since fy_provided_since(const struct fy_provided *person);

/* Saves the person with a key of their own and queues the notice, all or nothing.
 * FY_ERR_INVALID: a name, the birth date, the reason, or an address is missing, or of a minor the adult.
 * FY_ERR_EXISTS: the provider entered that address already; a minor without one is known by the adult's, the name and
 * the day. FY_ERR_DENIED: the provider's account is not active. Whether the person has an account is not looked at. */
fy_async int fy_provided_add(struct fy_ctx *ctx, uint64_t provider_id, const struct fy_provided_fields *fields,
			     const struct fy_provided_notice *notice, uint64_t *ret_id);

/* FY_ERR_NOT_FOUND: there is none, or another provider entered it. */
fy_async int fy_provided_get(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, struct fy_provided *ret_person);

/* Whoever entered it, for `purpose`; of a restricted one nothing but FY_PURPOSE_RIGHTS opens more than the name. */
fy_async int fy_provided_read(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			      struct fy_provided *ret_person);

/* Whom the holder of an address may ask about, by its look-up hash (email_hash.h): who was entered with it, and of whom it
 * is the responsible adult's. FY_ERR_TOO_LARGE: more than `limit` (up to 1000). */
struct fy_provided_match {
	uint64_t id;
	bool own; /* false: the adult's only */
};
fy_async int fy_provided_list_of(struct fy_ctx *ctx, struct fy_slice email_hash, unsigned limit,
				 struct fy_provided_match **ret_matches, size_t *ret_count);

/* Newest first; `cursor` 0: from the start, and as the next one: that was all. One that cannot be read is there without
 * its texts, which is logged. `limit` up to 200. */
struct fy_provided_page {
	struct fy_provided *items;
	size_t count;
	uint64_t next_cursor;
};
fy_async int fy_provided_list(struct fy_ctx *ctx, uint64_t provider_id, uint64_t cursor, unsigned limit,
			      struct fy_provided_page *ret_page);
fy_async int fy_provided_count(struct fy_ctx *ctx, uint64_t provider_id, uint64_t *ret_count);

/* The provider changes what they entered. `notice` (NULL: it reached the right one) sends another one: its link replaces
 * the old, and the month does not begin again. FY_ERR_DENIED: the person has taken it over, or objected.
 * FY_ERR_CONFLICT: it changed meanwhile. Otherwise as fy_provided_add. */
fy_async int fy_provided_update(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, uint32_t version,
				const struct fy_provided_fields *fields, const struct fy_provided_notice *notice);

/* ---- By the link of the notice: `hash` is the link's. FY_ERR_NOT_FOUND: no such link, or replaced. ---- */

/* All of it. FY_ERR_EXPIRED: the record is there, the link too old. ret_person is written in both cases. */
fy_async int fy_provided_find(struct fy_ctx *ctx, struct fy_slice hash, struct fy_provided *ret_person);

/* Each of these proves that the notice arrived. `notice` (NULL: the link stays) is another one whose link replaces this
 * one: for who is of age by the correction, as the link was the adult's. */
fy_async int fy_provided_correct(struct fy_ctx *ctx, struct fy_slice hash, const struct fy_provided_fields *fields,
				 const struct fy_provided_notice *notice);
fy_async int fy_provided_restrict(struct fy_ctx *ctx, struct fy_slice hash, bool restricted);

/* A new link instead of an expired one, by mail to whom the notice went. */
fy_async int fy_provided_renew(struct fy_ctx *ctx, struct fy_slice hash, const struct fy_provided_notice *notice);

/* ---- The end ---- */

enum fy_provided_end {
	FY_PROVIDED_BY_PERSON = 1, /* at once, through the link (Article 17) */
	FY_PROVIDED_BY_PROVIDER,
	FY_PROVIDED_WITH_PROVIDER, /* whose account is erased */
	FY_PROVIDED_UNINFORMED,    /* the notice could not be delivered within a month */
	FY_PROVIDED_UNUSED,
};

/* Who is gone, for the last mails; the texts are wiped with the arena. */
struct fy_provided_gone {
	enum fy_provided_end why;
	struct fy_provided_fields person;
	fy_time entered_at, erased_at;
	struct fy_slice receipt;
	struct {
		enum fy_lang lang;
		struct fy_personal email, given_name;
	} provider;
};

/* Make the mails, inside the transaction. The person's goes to whom the notice reached, and tells of every end but the
 * one for want of a notice; the provider's tells of the ends that they did not bring about: BY_PERSON (Article 19) and
 * UNINFORMED. */
struct fy_provided_letters {
	int (*person)(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail);
	int (*provider)(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail);
};

/* Deletes the record with its mails, destroys the key and writes the ledger, in one transaction. `provider_id` is looked at
 * for BY_PROVIDER only. What does not open any more ends without mails, which is logged. FY_ERR_NOT_FOUND: gone, another's,
 * or not due any more. FY_ERR_DENIED: BY_PROVIDER, and the person objected. ret_receipt may be NULL. */
fy_async int fy_provided_end(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, enum fy_provided_end why,
			     const struct fy_provided_letters *letters, struct fy_slice *ret_receipt);

/* The rows and the key alone, inside a transaction: no line, no mail. Of one that is gone: 0. */
fy_async int fy_provided_delete(struct fy_ctx *ctx, uint64_t id);

/* Before an account goes: all whom it entered, each in a transaction of its own. */
fy_async int fy_provided_end_all(struct fy_ctx *ctx, uint64_t provider_id, const struct fy_provided_letters *letters);

/* Records whose time is over at ctx->now by the register's rules, and why; ids above `after`, ascending, in the arena. */
struct fy_provided_due {
	uint64_t id;
	enum fy_provided_end why;
};
fy_async int fy_provided_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit,
				  struct fy_provided_due **ret_items, size_t *ret_count);

/* Notes what became of notices on their way, before their mails are purged. */
fy_async int fy_provided_settle(struct fy_ctx *ctx);

/* How long the register keeps a record after `from`. */
fy_time fy_provided_kept(const struct fy_config *config, enum fy_register_trigger from);
