/* All that is held about the holder of an e-mail address, value by value as the data register describes it: the answer
 * to GDPR Articles 15 (access) and 20 (portability). What the register says the person may see is in it; a field that
 * is missing here fails the export instead of leaving a hole. Values that are about somebody else are not in it: those
 * who looked or answered appear as a role, and of a person and the adult responsible for them each sees what is theirs.
 * How it is written down is server/export's. Called by the routes of the privacy page, the API, the answer to a mailed
 * link, and `foyer person export`. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/email_change.h"
#include "storage/grants.h"
#include "storage/holds.h"
#include "storage/outbox.h"
#include "storage/provided.h"
#include "storage/rights.h"
#include "storage/sessions.h"

/* Past either, FY_ERR_TOO_LARGE: somebody has to look. 5,000 messages of full length are within both. */
#define FY_EXPORT_MESSAGES_MAX 9999 /* one less than a list of ids holds */
#define FY_EXPORT_TEXT_MAX ((size_t)64 << 20)
/* What a process holds of all exports together: until one of them is finished, FY_ERR_BUSY. */
#define FY_EXPORT_HELD_MAX (2 * FY_EXPORT_TEXT_MAX)

enum fy_export_kind {
	FY_EXPORT_ACCOUNT = 1,
	FY_EXPORT_EMAIL_CHANGE,
	FY_EXPORT_HOLD,
	FY_EXPORT_CONSENT,
	FY_EXPORT_SESSION,
	FY_EXPORT_OFFICE_SESSION,
	FY_EXPORT_GRANT,
	FY_EXPORT_REQUEST,
	FY_EXPORT_STEP, /* of the request before it, the oldest first */
	FY_EXPORT_READ,
	FY_EXPORT_ENTERED,
	FY_EXPORT_MESSAGE,
	FY_EXPORT_MAIL,
};
#define FY_EXPORT_KINDS_END (FY_EXPORT_MAIL + 1)

enum fy_export_type {
	FY_EXPORT_TEXT = 1,
	FY_EXPORT_TIME,
	FY_EXPORT_YES_NO,
	FY_EXPORT_NUMBER,
	FY_EXPORT_LANGUAGE,
	FY_EXPORT_GROUND,
};

struct fy_export_value {
	const struct fy_register_field *field; /* of a column, or of a store */
	enum fy_export_type type;
	struct fy_personal text; /* empty: not given */
	fy_time time;            /* 0: never */
	bool yes;
	uint64_t number;
	enum fy_lang language;
	enum fy_erasure_ground ground; /* 0: none */
	fy_time ends_at;               /* when it goes, as far as that is known today: 0, not yet */
};

/* A row: an account, a message, … in the order of the enum, the newest first; a request is followed by its steps. */
struct fy_export_record {
	struct fy_export_record *next;
	enum fy_export_kind kind;
	struct fy_register_row row; /* the table or the store that it is of, and from when the rules of keeping count */
	union {
		const struct fy_account *account;
		const struct fy_email_change *email_change;
		const struct fy_hold *hold;
		const struct fy_consent *consent;
		const struct fy_session *session;
		const struct fy_contact_message *message;
		const struct fy_outbox_waiting *mail;
		const struct fy_grant *grant;
		const struct fy_read_entry *read;
		struct {
			const struct fy_provided *entered;
			struct fy_personal provider; /* the name of who entered the person: the source */
		};
		struct {
			const struct fy_rights_request *request;
			const struct fy_rights_step *step; /* NULL: the request itself */
		};
	};
	bool unreadable; /* damaged: its texts are empty */
	const struct fy_export_value *values;
	size_t value_count;
};

struct fy_export {
	struct fy_arena arena; /* holds all of it */
	fy_time made_at;
	const struct fy_config *config;
	struct fy_export_record *records; /* NULL: nothing is held */
	size_t record_count;
	size_t size;         /* bytes, about */
	uint64_t account_id; /* 0: no account */
};

/* Whether the person may see the field, so that it belongs into an export. */
bool fy_export_shows(const struct fy_register_field *field);

/* Whether anything is held: 0, or FY_ERR_NOT_FOUND. */
fy_async int fy_export_find(struct fy_ctx *ctx, struct fy_slice email_hash);

/* Gathers it, reading for FY_PURPOSE_RIGHTS; needs MariaDB and Redis. fy_export_finish in any case but an error, on the
 * thread that gathered. FY_ERR_TOO_LARGE and FY_ERR_BUSY past the bounds above; FY_ERR_UNREADABLE: the account was
 * damaged. A damaged message or request is in it, as one that cannot be read. */
fy_async int fy_export_gather(struct fy_ctx *ctx, struct fy_slice email_hash, struct fy_export *ret_export);
void fy_export_finish(struct fy_export *export);
