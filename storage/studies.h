/* Invitations to market research, sent by mail to those who agreed to be asked (GDPR Article 6(1)(a); the privacy policy:
 * "to request participation in market research").
 *
 *     DRAFT ── send ──► SENDING ── all are told ──► ENDED
 *                          └────── stop ──────────► STOPPED
 *
 * Told is each active account whose latest decision is a yes. Address and name are read for FY_PURPOSE_MARKET_RESEARCH,
 * so a consent that was withdrawn or a restriction (Article 18) refuses by itself (withheld.h), here and again when the
 * mail is delivered (outbox.h). Mail and cursor move in one transaction and accounts come in ascending order, so
 * whoever is killed in between, nobody is left out and nobody is told twice; who was told is not kept. What is written
 * here is about nobody. Called by /manage/studies and jobs/studies.c. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/telling.h"

struct fy_mail_new;

enum fy_study_state { FY_STUDY_DRAFT = 1, FY_STUDY_SENDING, FY_STUDY_ENDED, FY_STUDY_STOPPED };
#define FY_STUDY_STATES_END (FY_STUDY_STOPPED + 1)

/* Characters; more is FY_ERR_TOO_LARGE. */
#define FY_STUDY_TITLE_CHARS 120
#define FY_STUDY_TEXT_CHARS 3000
#define FY_STUDY_LINK_CHARS 500

struct fy_study_text {
	struct fy_slice title[2], text[2]; /* by enum fy_lang */
	struct fy_slice link;              /* "https://…" of the questionnaire; may be empty */
};

struct fy_study {
	uint64_t id;
	uint32_t version;
	enum fy_study_state state;
	struct fy_study_text text;
	fy_time created_at, sent_at, ended_at;    /* 0: not yet */
	uint64_t created_by, sent_by, stopped_by; /* accounts; 0: nobody */
	struct fy_telling telling;
};

/* A line of the list. */
struct fy_study_line {
	uint64_t id;
	enum fy_study_state state;
	struct fy_slice title[2];
	fy_time sent_at;
	uint64_t told;
};

struct fy_study_page {
	struct fy_study_line *items;
	size_t count;
	uint64_t next_cursor; /* 0: this was the last page */
};

fy_async int fy_studies_add(struct fy_ctx *ctx, const struct fy_study_text *text, uint64_t by_account_id,
			    uint64_t *ret_id);
fy_async int fy_studies_get(struct fy_ctx *ctx, uint64_t id, struct fy_study *ret_study);

/* Newest first, from below `cursor` (0: from the top), at most `limit` (up to 100). */
fy_async int fy_studies_list(struct fy_ctx *ctx, uint64_t cursor, unsigned limit, struct fy_study_page *ret_page);

/* How many agree at present. A little more than are told, where somebody has restricted the use of the own data. */
fy_async int fy_studies_agreed(struct fy_ctx *ctx, uint64_t *ret_persons);

/* From the version that was read. FY_ERR_CONFLICT: it is another now, or no draft any more. */
fy_async int fy_studies_save(struct fy_ctx *ctx, uint64_t id, uint32_t version, const struct fy_study_text *text);
fy_async int fy_studies_send(struct fy_ctx *ctx, uint64_t id, uint32_t version, uint64_t by_account_id);

/* No further mail is queued. FY_ERR_CONFLICT: it is not being sent. */
fy_async int fy_studies_stop(struct fy_ctx *ctx, uint64_t id, uint64_t by_account_id);

/* ---- For the job ---- */

/* Those that are being sent, oldest first, in the arena. */
fy_async int fy_studies_under_way(struct fy_ctx *ctx, struct fy_study **ret_studies, size_t *ret_count);

struct fy_study_person {
	uint64_t id;
	enum fy_lang lang;
};

/* Up to `limit` of those who agree, with ids above `after`, ascending, in the arena. *ret_last: the last one's id; 0:
 * there are no more. */
fy_async int fy_studies_people(struct fy_ctx *ctx, uint64_t after, unsigned limit, struct fy_study_person **ret_people,
			       size_t *ret_count, uint64_t *ret_last);

/* Remembers how many have to be told. */
fy_async int fy_studies_count(struct fy_ctx *ctx, const struct fy_study *study);

/* What a letter is made of. `withdrawal`: the token of withdrawal.h. */
struct fy_study_recipient {
	enum fy_lang lang;
	struct fy_personal email, given_name;
	fy_time agreed_at;
	struct fy_secret withdrawal;
};
typedef int (*fy_study_letter)(struct fy_ctx *ctx, const struct fy_study_text *text,
			       const struct fy_study_recipient *to, struct fy_mail_new *ret_mail);

/* Queues the mail and moves on. FY_ERR_NOT_FOUND: the account is gone, or does not agree any more; FY_ERR_DENIED: the
 * person withholds the purpose; FY_ERR_UNREADABLE; FY_ERR_EXPIRED: the study was stopped or somebody else goes on with
 * it. In none of these was anything changed. */
fy_async int fy_studies_tell(struct fy_ctx *ctx, struct fy_study *study, const struct fy_study_person *person,
			     fy_study_letter letter);

/* Accounts up to `id` are done; and all are. FY_ERR_EXPIRED as above. */
fy_async int fy_studies_pass(struct fy_ctx *ctx, struct fy_study *study, uint64_t id);
fy_async int fy_studies_end(struct fy_ctx *ctx, const struct fy_study *study);
