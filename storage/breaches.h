/* The register of personal data breaches (GDPR Articles 33(5) and 34), notified or not:
 *
 *     OPEN ──► NOTIFIED ◄── NOT_NOTIFIED ◄── OPEN      not notified only while the risk is unlikely (Article 33(1)):
 *                 │               │                     facts that say otherwise open it again
 *                 └──► CLOSED ◄───┘                     once it is written whether the persons were informed
 *
 * Facts come in phases, so all but CLOSED can be changed; each change names the version that was read. The 72 hours are
 * server/domain/deadline.h's, what must be written is the routes'. Called by /manage/breaches. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

enum fy_breach_state { FY_BREACH_OPEN = 1, FY_BREACH_NOTIFIED, FY_BREACH_NOT_NOTIFIED, FY_BREACH_CLOSED };
#define FY_BREACH_STATES_END (FY_BREACH_CLOSED + 1)

/* For the rights and freedoms of the persons concerned. */
enum fy_breach_risk { FY_BREACH_RISK_UNKNOWN = 0, FY_BREACH_RISK_UNLIKELY, FY_BREACH_RISK, FY_BREACH_RISK_HIGH };
#define FY_BREACH_RISKS_END (FY_BREACH_RISK_HIGH + 1)

/* Characters; more is FY_ERR_TOO_LARGE. */
#define FY_BREACH_TITLE_CHARS 200
#define FY_BREACH_REFERENCE_CHARS 100
#define FY_BREACH_LINES_CHARS 2000
#define FY_BREACH_TEXT_CHARS 4000

/* What stands in the register by Article 33(3) and (5); an empty text and 0 are "not known yet". */
struct fy_breach_facts {
	struct fy_slice title;
	fy_time discovered_at, aware_at;    /* the 72 hours count from aware_at */
	fy_time occurred_from, occurred_to; /* 0: not known */
	bool confidentiality, integrity, availability;
	bool has_persons, has_records; /* approximate numbers are known */
	uint64_t persons, records;
	struct fy_slice persons_categories, data_categories;
	struct fy_slice nature, consequences, measures_taken, measures_planned;
	enum fy_breach_risk risk;
};

struct fy_breach {
	uint64_t id;
	uint32_t version;
	enum fy_breach_state state;
	struct fy_breach_facts facts;
	fy_time cnil_notified_at; /* 0: not notified */
	struct fy_slice cnil_reference;
	struct fy_slice cnil_reason;   /* why it was not notified */
	struct fy_slice delay_reasons; /* why it was notified after the 72 hours */
	fy_time persons_informed_at;   /* 0: they were not */
	struct fy_slice persons_how, persons_reason;
	fy_time created_at, closed_at;
};

/* A line of the list. */
struct fy_breach_line {
	uint64_t id;
	enum fy_breach_state state;
	enum fy_breach_risk risk;
	struct fy_slice title;
	fy_time aware_at, cnil_notified_at;
	bool explained; /* reasons for a late notification are written */
};

struct fy_breach_page {
	struct fy_breach_line *items;
	size_t count;
	uint64_t next_cursor; /* 0: this was the last page */
};

/* What the staff writes of the letter to the persons, in one language (Article 34(2)). */
struct fy_breach_letter {
	uint32_t version; /* 0: never saved */
	struct fy_slice nature, consequences, measures, advice;
};

/* What was done to it, when and by whom, and how the deadline and the risk stood afterwards; never changed. */
enum fy_breach_act {
	FY_BREACH_RECORDED = 1,
	FY_BREACH_FACTS_SAVED,
	FY_BREACH_ACT_NOTIFIED,
	FY_BREACH_ACT_NOT_NOTIFIED,
	FY_BREACH_PERSONS_DECIDED,
	FY_BREACH_ACT_CLOSED,
};

struct fy_breach_step {
	fy_time at, aware_at;
	uint64_t by_account_id;
	enum fy_breach_act act;
	enum fy_breach_state state;
	enum fy_breach_risk risk;
};

/* The newest first, up to 1000, in the arena. */
fy_async int fy_breaches_steps(struct fy_ctx *ctx, uint64_t id, struct fy_breach_step **ret_steps, size_t *ret_count);

/* Which breach is changed, from the version that was read, and by whom. */
struct fy_breach_change {
	uint64_t id, by_account_id;
	uint32_t version;
};

fy_async int fy_breaches_add(struct fy_ctx *ctx, const struct fy_breach_facts *facts, uint64_t by_account_id,
			     uint64_t *ret_id);
fy_async int fy_breaches_get(struct fy_ctx *ctx, uint64_t id, struct fy_breach *ret_breach);

/* Newest first, from below `cursor` (0: from the top), at most `limit` (up to 100). `state` 0: all. */
fy_async int fy_breaches_list(struct fy_ctx *ctx, enum fy_breach_state state, uint64_t cursor, unsigned limit,
			      struct fy_breach_page *ret_page);

/* Changes, each with its step of the history: FY_ERR_CONFLICT when the version is another now or the state does not allow
 * it. Closing needs a decision about the CNIL and one about the persons. */
fy_async int fy_breaches_save_facts(struct fy_ctx *ctx, const struct fy_breach_change *change,
				    const struct fy_breach_facts *facts);
fy_async int fy_breaches_notified(struct fy_ctx *ctx, const struct fy_breach_change *change, fy_time at,
				  struct fy_slice reference, struct fy_slice delay_reasons);
fy_async int fy_breaches_not_notified(struct fy_ctx *ctx, const struct fy_breach_change *change,
				      struct fy_slice reason);
/* `at` 0: they were not informed, for `reason`. */
fy_async int fy_breaches_persons(struct fy_ctx *ctx, const struct fy_breach_change *change, fy_time at,
				 struct fy_slice how, struct fy_slice reason);
fy_async int fy_breaches_close(struct fy_ctx *ctx, const struct fy_breach_change *change);

/* Empty with version 0 where none was written. Saving one whose version is another now: FY_ERR_CONFLICT. */
fy_async int fy_breaches_letter(struct fy_ctx *ctx, uint64_t id, enum fy_lang lang,
				struct fy_breach_letter *ret_letter);
fy_async int fy_breaches_save_letter(struct fy_ctx *ctx, uint64_t id, enum fy_lang lang,
				     const struct fy_breach_letter *letter);
