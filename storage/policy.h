/* The published versions of the privacy policy: what the data register promised at each date, in words.
 * The content is storage/policy/DATE.json, embedded; the build stops where the newest is not what the register says,
 * so the last entry list is the register itself as people read it. Pages and the record of processing show them.
 *
 * A version may take effect later than it is published (`effective`). Until that day the one before is in force, and a
 * purpose that only the new one gives to a column is shut: fy_policy_shut. Who is told of it: announcements.h.
 * Constant; no I/O. GDPR Articles 13, 14 and 30. */
#pragma once

#include "foyer/ctx.h"
#include "storage/register.h"

/* One rule of how long; `keep.from` is not set. A setting that exists no more has a setting_unit_s of 0. */
struct fy_policy_period {
	struct fy_register_keep keep;
	struct fy_slice from[2];
};

/* A field and all that was said of it. Texts are indexed by enum fy_lang, lists joined by commas. */
struct fy_policy_entry {
	const char *name; /* "table.column" or "store.field" */
	struct fy_slice label[2], holder[2], activity[2], persons[2], category[2], purposes[2], basis[2],
		provided_by[2], then[2];
	struct fy_slice seen_by[2]; /* empty: nobody */
	uint32_t about;             /* bits 1u << FY_PERSONS_…, of the words that still exist */
	struct fy_policy_period periods[3];
	uint8_t period_count;
};

/* Something that differs from the version before; the same change of several fields of one table is one. */
struct fy_policy_change {
	const char *kind; /* "purpose_added", "period", … as policy.py's difference names them */
	bool major;       /* people have to be told */
	struct fy_slice what[2], from[2], to[2];
	struct fy_policy_period from_periods[3], to_periods[3]; /* of a "period" */
	uint8_t from_count, to_count;
	const char *const *fields; /* names as in struct fy_policy_entry, until NULL; none: it is about words alone */
	uint32_t about;            /* whom these are about: bits 1u << FY_PERSONS_… */
	bool sealed; /* all of them are, so what is held keeps the purposes it was collected for (seal.h) */
};

struct fy_policy_version {
	const char *date;        /* "2026-11-23": published */
	const char *effective;   /* the same day, or a later one; not before that of the version before */
	const char *fingerprint; /* SHA-256 of `file`, hexadecimal */
	struct fy_slice file;    /* the JSON as it was published; names the fingerprint of the version before */
	const struct fy_policy_entry *entries; /* by category, then as the register lists them */
	size_t entry_count;
	const struct fy_policy_change *changes; /* major ones first; none in the first version */
	size_t change_count;
	bool major; /* some change is */
};

struct fy_policy_list {
	const struct fy_policy_version *items; /* oldest first; never empty */
	size_t count;
};
extern const struct fy_policy_list fy_policy_versions;

/* Midnight in Paris of its date, and of the day it takes effect. */
fy_time fy_policy_day(const struct fy_policy_version *version);
fy_time fy_policy_effective(const struct fy_policy_version *version);

/* The newest version, which is what the register says. */
const struct fy_policy_version *fy_policy_now(void);
/* What is said of that column in the version in force, or, where it came with a later one, in the newest. It must be
 * there. */
const struct fy_policy_entry *fy_policy_entry_of(struct fy_slice name, fy_time now);
/* The newest that has taken effect, or the first one. */
const struct fy_policy_version *fy_policy_in_force(const struct fy_policy_list *list, fy_time now);
/* The next to take effect that has a major change for people of these kinds (bits 1u << FY_PERSONS_…); NULL: none. */
const struct fy_policy_version *fy_policy_coming(const struct fy_policy_list *list, uint32_t persons, fy_time now);
/* The one of a date ("2026-11-23"; NULL: there is none). */
const struct fy_policy_version *fy_policy_find(const struct fy_policy_list *list, struct fy_slice date);

/* Purposes that came to a column with a version later than the column's first. */
struct fy_policy_opening {
	uint16_t column, version; /* the latter an index into fy_policy_versions */
	uint32_t purposes;
	bool whole; /* the column itself came with it */
};
extern const struct fy_policy_opening fy_policy_openings[];  /* ends with a row without purposes */
extern const uint32_t fy_policy_late[/* FY_COLUMN_COUNT */]; /* all their purposes, by column */

/* Those of `purposes` that are not open yet for that column: no version that is in force gives them to it. The day has
 * come when both the context's clock and the real one say so, so that a run with a moved time opens nothing. `kept`:
 * of a value that is being collected rather than read. A column that came with the version has no other purposes, and
 * what people enter there they enter knowing them: they are kept, and shut. */
uint32_t fy_policy_shut_late(const struct fy_ctx *ctx, enum fy_register_column column, uint32_t purposes, bool kept);
static inline uint32_t fy_policy_shut(const struct fy_ctx *ctx, enum fy_register_column column, uint32_t purposes,
				      bool kept)
{
	purposes &= fy_policy_late[column];
	return purposes ? fy_policy_shut_late(ctx, column, purposes, kept) : 0;
}
