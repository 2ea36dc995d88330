/* Values on their way between C structs and Connector/C's bindings, and the comparison of a prepared statement
 * with what was declared. Text limits are enforced here, in both directions. When statements run is left to
 * db_run.c, db_merge.c and db_batch.c, which call this. */
#pragma once

#include <mysql.h>

#include "storage/db_statement.h"

#define FY_SQL_COLUMNS_MAX 64

/* Scratch memory of one connection: bindings live here while Connector/C looks at them. Zero to begin. */
struct fy_sql_scratch {
	MYSQL_BIND *params;
	unsigned long *lengths;
	MYSQL_TIME *times;
	size_t used, cap; /* parameters bound; parameters there is room for */

	MYSQL_BIND columns[FY_SQL_COLUMNS_MAX];
	union {
		uint64_t u;
		int64_t i;
		MYSQL_TIME time;
	} values[FY_SQL_COLUMNS_MAX];
	unsigned long column_lengths[FY_SQL_COLUMNS_MAX];
	my_bool nulls[FY_SQL_COLUMNS_MAX];
	void *row; /* a row is complete before the caller sees any of it */
	size_t row_cap;
};

void fy_sql_scratch_finish(struct fy_sql_scratch *s);

/* 0, or FY_ERR_TOO_LARGE or FY_ERR_INVALID with the parameter's name in ctx->fault. */
int fy_sql_check_params(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params);

/* Parameters: begin, one call a row, then bind. `params` is read until the execution has been started. A u64 at
 * `id_at` is taken from *id instead (FY_SQL_NO_FLAG: none). */
void fy_sql_params_begin(struct fy_sql_scratch *s);
int fy_sql_params_row(struct fy_sql_scratch *s, const struct fy_sql_statement *statement, const void *params,
		      uint16_t id_at, const uint64_t *id);
int fy_sql_params_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt);

/* Rows of a stored result: bind once, then fetch and copy each. Fetch: 1 a row, 0 the end, or an error.
 * Copy: text goes into ctx->arena; *ret_row is written only on success. */
int fy_sql_rows_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt, const struct fy_sql_statement *statement);
int fy_sql_row_fetch(MYSQL_STMT *stmt);
int fy_sql_row_copy(struct fy_sql_scratch *s, MYSQL_STMT *stmt, const struct fy_sql_statement *statement,
		    struct fy_ctx *ctx, void *ret_row);

/* The one u64 column of `INSERT … RETURNING id`. */
int fy_sql_ids_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt);
static inline uint64_t fy_sql_id(const struct fy_sql_scratch *s)
{
	return s->values[0].u; /* also the first column of a merged read */
}

/* Whether the prepared statement has the declared parameters and columns; if not, `ret_why` says which differs. */
bool fy_sql_fits(MYSQL_STMT *stmt, const struct fy_sql_statement *statement, unsigned width, char *ret_why,
		 size_t why_size);
