/* All that is held about the holder of an e-mail address, value by value as the data register describes it: the answer
 * to GDPR Articles 15 (access) and 20 (portability). What the register says the person may see is in it; a field that
 * is missing here fails the export instead of leaving a hole. Values that are about somebody else are not in it: those
 * who looked or answered appear as a role. How it is written down is server/export's. Called by the routes of the privacy
 * page, the API, the answer to a mailed link, and `foyer person export`. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/outbox.h"
#include "storage/sessions.h"

/* Past either, FY_ERR_TOO_LARGE: somebody has to look. 5,000 messages of full length are within both, and a worker can
 * hold a few of these. */
#define FY_EXPORT_MESSAGES_MAX 9999 /* one less than a list of ids holds */
#define FY_EXPORT_TEXT_MAX ((size_t)64 << 20)

enum fy_export_kind { FY_EXPORT_ACCOUNT = 1, FY_EXPORT_CONSENT, FY_EXPORT_SESSION, FY_EXPORT_MESSAGE, FY_EXPORT_MAIL };

enum fy_export_type { FY_EXPORT_TEXT = 1, FY_EXPORT_TIME, FY_EXPORT_YES_NO, FY_EXPORT_LANGUAGE };

struct fy_export_value {
	enum fy_register_column column;
	enum fy_export_type type;
	struct fy_personal text; /* empty: not given */
	fy_time time;            /* 0: never */
	bool yes;
	enum fy_lang language;
	fy_time ends_at; /* when it goes, as far as that is known today: 0, not yet */
};

/* A row: an account, a message, … in the order of the enum, the newest first. */
struct fy_export_record {
	struct fy_export_record *next;
	enum fy_export_kind kind;
	union {
		const struct fy_account *account;
		const struct fy_consent *consent;
		const struct fy_session *session;
		const struct fy_contact_message *message;
		const struct fy_outbox_waiting *mail;
	};
	uint32_t triggers; /* bits 1u << FY_TRIGGER_…: the rules of keeping that can end this one */
	const struct fy_export_value *values;
	size_t value_count;
};

struct fy_export {
	struct fy_arena arena; /* holds all of it */
	fy_time made_at;
	const struct fy_config *config;
	struct fy_export_record *records; /* NULL: nothing is held */
	size_t record_count;
	uint64_t account_id; /* 0: no account */
};

/* Whether the person may see the field, so that it belongs into an export. */
bool fy_export_shows(const struct fy_register_field *field);

/* Whether anything is held: 0, or FY_ERR_NOT_FOUND. */
fy_async int fy_export_find(struct fy_ctx *ctx, struct fy_slice email_hash);

/* Gathers it, reading for FY_PURPOSE_RIGHTS; needs MariaDB and Redis. fy_export_finish in any case but an error.
 * FY_ERR_TOO_LARGE past the bounds above; FY_ERR_UNREADABLE: the account was damaged. A damaged message is in it, as
 * one that cannot be read. */
fy_async int fy_export_gather(struct fy_ctx *ctx, struct fy_slice email_hash, struct fy_export *ret_export);
void fy_export_finish(struct fy_export *export);
