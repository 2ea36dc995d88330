/* The published versions of the privacy policy: what the data register promised at each date, in words.
 * The content is storage/policy/DATE.json, embedded; the build stops where the newest is not what the register says,
 * so the last entry list is the register itself as people read it. Pages and the record of processing show them.
 * Constant; no I/O. GDPR Articles 13, 14 and 30. */
#pragma once

#include "foyer/clock.h"
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
};

struct fy_policy_version {
	const char *date;        /* "2026-11-23" */
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

/* Midnight in Paris of its date. */
fy_time fy_policy_day(const struct fy_policy_version *version);

/* The version in force, and the one of a date ("2026-11-23"; NULL: there is none). */
const struct fy_policy_version *fy_policy_now(void);
/* What is said now of that column, which must be there. */
const struct fy_policy_entry *fy_policy_entry_of(struct fy_slice name);
const struct fy_policy_version *fy_policy_find(const struct fy_policy_list *list, struct fy_slice date);
