/* What a generated statement is made of, and the calls that its typed function makes.
 * The texts and tables come from storage/sql/generate.py; how they run is in db_run.c, db_merge.c and
 * db_batch.c. Included by the generated statements.h only; others call the typed functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum fy_sql_type {
	FY_SQL_U8 = 1,
	FY_SQL_U16,
	FY_SQL_U32,
	FY_SQL_U64,
	FY_SQL_I64,
	FY_SQL_BOOL,
	FY_SQL_TIME,
	FY_SQL_TEXT,
	FY_SQL_BYTES,
	FY_SQL_PERSONAL,
	FY_SQL_SECRET,
	FY_SQL_SEALED, /* from FY_SQL_TEXT on: slices */
};

#define FY_SQL_NO_FLAG UINT16_MAX

/* One parameter, or one column of a row. */
struct fy_sql_field {
	const char *name;
	enum fy_sql_type type;
	bool nullable, exact; /* exact: bytes(=N) */
	uint16_t offset;      /* in the params or row struct */
	uint16_t has_offset;  /* of has_NAME, or FY_SQL_NO_FLAG */
	uint32_t max;         /* of a slice: characters of text and personal, bytes of the others */
};

enum fy_sql_kind { FY_SQL_ONE = 1, FY_SQL_MANY, FY_SQL_EXEC, FY_SQL_MERGE, FY_SQL_INSERT_BATCH };

#define FY_SQL_VARIANTS 6 /* insert_batch: 1, 2, 4, 8, 16, 32 rows */
#define FY_SQL_WIDTH_MAX 32

/* The same statement for `width` ids or rows at once. Each is prepared on its own. */
struct fy_sql_variant {
	uint16_t width;
	uint32_t len;
	const char *text;
};

struct fy_sql_statement {
	const char *name;
	enum fy_sql_kind kind;
	uint16_t index; /* in its list */
	uint16_t slot;  /* of variants[0] among the list's prepared statements */
	uint16_t param_count, row_count, variant_count;
	const struct fy_sql_field *params, *row;
	size_t params_size, row_size;
	uint32_t max_rows;                               /* of kind many */
	bool returning;                                  /* insert_batch that ends with RETURNING id */
	struct fy_sql_variant variants[FY_SQL_VARIANTS]; /* narrow to wide */
};

struct fy_sql_list {
	const struct fy_sql_statement *const *statements;
	uint16_t count, slots;
};

extern const struct fy_sql_list fy_sql_none;    /* no statement at all */
extern const struct fy_sql_list fy_sql_builtin; /* storage/sql, generated */

fy_async int fy_db_one(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params, void *ret_row);
fy_async int fy_db_many(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params,
			void *ret_rows, size_t *ret_count); /* ret_rows: struct …_row **, an arena array */
fy_async int fy_db_exec(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params,
			struct fy_db_done *ret_done);
fy_async int fy_db_merge(struct fy_ctx *ctx, const struct fy_sql_statement *statement, uint64_t id, void *ret_row);
/* Many ids of one fiber at once. An absent id is no error: ret_found says which rows were written. Not in a
 * transaction. */
fy_async int fy_db_merge_each(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const uint64_t *ids,
			      size_t count, void *ret_rows, bool *ret_found);
