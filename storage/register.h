/* The data register as C tables: which columns hold what about whom, and what was promised about each.
 * The content is storage/register.toml, checked against migrations and statements at build time; what
 * follows from it (policy page, export, erasure, retention, record of processing) is left to those who
 * read these tables. No I/O; everything is constant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/ctx.h"
#include "storage/register_table.h"

struct fy_config;

enum fy_register_mark { FY_MARK_PUBLIC = 1, FY_MARK_PERSONAL, FY_MARK_SECRET };

/* A word of the register's vocabulary: a purpose, a category, … Labels are indexed by enum fy_lang. */
struct fy_register_word {
	const char *key;
	struct fy_slice label[2];
};

extern const struct fy_register_word fy_register_purposes[]; /* by enum fy_register_purpose, … */
extern const struct fy_register_word fy_register_categories[];
extern const struct fy_register_word fy_register_persons[];
extern const struct fy_register_word fy_register_activities[];
extern const struct fy_register_word fy_register_bases[];
extern const struct fy_register_word fy_register_sources[];
extern const struct fy_register_word fy_register_triggers[];
extern const struct fy_register_word fy_register_thens[];
extern const struct fy_register_word fy_register_viewers[];

struct fy_register_table {
	const char *name;
	struct fy_slice label[2];
	const char *person; /* the column by which a row belongs to a person; NULL: about nobody, or a store */
	uint32_t persons;   /* whom the rows are about: bits 1u << FY_PERSONS_…; 0: nobody */
	enum fy_register_activity activity; /* its sheet in the record of processing; of those about persons only */
};

/* One rule of how long a value is kept; a field goes when the first of its rules says so. */
struct fy_register_keep {
	uint32_t seconds;        /* where `setting` is NULL */
	const char *setting;     /* "section.key" of the setting that says how long */
	size_t setting_offset;   /* of that member in struct fy_config */
	uint32_t setting_unit_s; /* what it counts: days or minutes */
	enum fy_register_trigger from;
};

struct fy_register_field {
	uint16_t table; /* index into fy_register_tables */
	const char *column;
	enum fy_register_mark mark;
	/* Of personal and secret fields only: */
	struct fy_slice label[2];
	enum fy_register_category category;
	enum fy_register_basis basis;
	enum fy_register_source provided_by;
	enum fy_register_then then;
	uint32_t purposes; /* bits 1u << FY_PURPOSE_… */
	uint32_t seen_by;  /* bits 1u << FY_VIEWER_…; 0: nobody */
	struct fy_register_keep keep[3];
	uint8_t keep_count;
	bool derived; /* made from another field: erased with it, not exported beside it */
	bool sealed;  /* at rest; bound to `purposes` and FY_PURPOSE_RIGHTS (seal.h) */
};

extern const struct fy_register_table fy_register_tables[];
extern const size_t fy_register_table_count;

/* Ordered by table, then as the migrations create them. */
extern const struct fy_register_field fy_register_fields[];
extern const size_t fy_register_field_count;

/* What is kept elsewhere than in a column (Redis, files), in the same terms: `table` of these fields is an index into
 * the stores, `column` a name within it. Neither list has a place in a database. */
extern const struct fy_register_table fy_register_stores[];
extern const size_t fy_register_store_count;
extern const struct fy_register_field fy_register_store_fields[];
extern const size_t fy_register_store_field_count;

/* All of a table or a store. */
const struct fy_register_field *fy_register_fields_of(const struct fy_register_table *holder, size_t *ret_count);

/* NULL: there is no such column. */
const struct fy_register_field *fy_register_find(struct fy_slice table, struct fy_slice column);

/* How long a rule means under this configuration, in seconds. */
int64_t fy_register_keep_seconds(const struct fy_register_keep *keep, const struct fy_config *config);

/* From when each rule counts for one row, by enum fy_register_trigger. 0: the rule does not apply to it; FY_NOT_BEGUN:
 * it does, and nobody can say yet from when. */
#define FY_NOT_BEGUN ((fy_time)-1)
struct fy_register_since {
	fy_time from[FY_TRIGGER_COUNT];
};

/* When the field of that row goes; 0: no rule that applies has begun. */
fy_time fy_register_end(const struct fy_register_field *field, const struct fy_register_since *since,
			const struct fy_config *config);

/* One row of a person, or what a store holds: enough to say when it goes. */
struct fy_register_row {
	const struct fy_register_table *holder; /* a table or a store */
	struct fy_register_since since;
};
