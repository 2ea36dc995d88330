/* Messages of the contact form, and their way from open to answered or closed.
 * Checking the fields, the consent box and the mails' text are left to the routes; the purge deletes what
 * is past its time. Called by /contact, /manage/contact and the purge. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/register.h"

enum fy_contact_state { FY_CONTACT_OPEN = 1, FY_CONTACT_ANSWERED, FY_CONTACT_CLOSED };

/* Bounds in bytes (characters of up to 4 bytes); more is FY_ERR_TOO_LARGE. */
#define FY_CONTACT_NAME_MAX 800
#define FY_CONTACT_EMAIL_MAX 1016
#define FY_CONTACT_SUBJECT_MAX 800
#define FY_CONTACT_MESSAGE_MAX 20000

struct fy_contact_new {
	struct fy_slice reference; /* unique, up to 20 ASCII characters; stands in the acknowledgement */
	struct fy_personal name;
	struct fy_personal email;
	struct fy_personal subject;
	struct fy_personal message;
	struct fy_slice consent_text_version; /* which wording of the box was ticked; up to 20 bytes */
	enum fy_lang lang;
};

struct fy_contact_message {
	uint64_t id;
	enum fy_contact_state state;
	enum fy_lang lang;
	fy_time created_at;
	fy_time consented_at;
	fy_time closed_at; /* answered or closed; 0 while open */
	struct fy_slice reference;
	struct fy_slice consent_text_version;
	struct fy_personal name;
	struct fy_personal email;
	struct fy_personal subject;
	struct fy_personal message;
	bool unreadable; /* of fy_contact_get_each: damaged, its texts are empty */
};

/* A message in a list, which opens nothing. */
struct fy_contact_head {
	uint64_t id;
	enum fy_contact_state state;
	fy_time created_at;
	struct fy_slice reference;
};

/* A page of a list; keyset pagination: the next page starts below the last row's id. */
struct fy_contact_page {
	struct fy_contact_head *items;
	size_t count;
	uint64_t next_cursor; /* 0: this was the last page */
};

struct fy_mail_new;

/* Saves the message together with its mails (up to 2: the acknowledgement, the notice), all or nothing,
 * and returns once they are durable. Who writes is a person with a key of its own, for message and mails. Messages
 * that arrive while an earlier commit runs share the next one; a bad row is then retried alone and cannot sink the
 * others. ret_id may be NULL. FY_ERR_INVALID: that is no address. */
fy_async int fy_contact_add(struct fy_ctx *ctx, const struct fy_contact_new *message, const struct fy_mail_new *mails,
			    size_t mail_count, uint64_t *ret_id);

/* Newest first, from below `cursor` (0: from the top), at most `limit` (up to 100). `state` 0: all. */
fy_async int fy_contact_list(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t cursor, unsigned limit,
			     struct fy_contact_page *ret_page);
/* Opens the texts for `purpose`. FY_ERR_DENIED where they were not collected for it, or their use is restricted: the
 * texts are empty, the rest is there. FY_ERR_UNREADABLE. */
fy_async int fy_contact_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			    struct fy_contact_message *ret_message);

/* The messages that were written with an address, by its look-up hash (email_hash.h), the newest first: at most `limit`
 * (up to 10000), and FY_ERR_TOO_LARGE where there are more. Their text is read by id: fy_contact_get_each gives as many as
 * ids, marks what is unreadable, and leaves out what is gone; outside of transactions. */
fy_async int fy_contact_list_email(struct fy_ctx *ctx, struct fy_slice email_hash, unsigned limit, uint64_t **ret_ids,
				   size_t *ret_count);
fy_async int fy_contact_get_each(struct fy_ctx *ctx, const uint64_t *ids, size_t count,
				 enum fy_register_purpose purpose, struct fy_contact_message **ret_messages,
				 size_t *ret_count);

fy_async int fy_contact_count(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t *ret_count);

/* From any state to any other. FY_ERR_NOT_FOUND. Setting what is set already changes nothing. */
fy_async int fy_contact_set_state(struct fy_ctx *ctx, uint64_t id, enum fy_contact_state state);

/* Messages whose time is over: answered or closed before `before`, or never answered and written before
 * it. How many; and deletes up to `limit`. */
fy_async int fy_contact_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_contact_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				 size_t *ret_count);
fy_async int fy_contact_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
