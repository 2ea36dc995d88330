/* Values on their way between C structs and Connector/C's bindings, and the comparison of a prepared statement
 * with what was declared. When statements run is left to db_run.c, db_merge.c and db_batch.c, which call this.
 *
 * All integers travel as BIGINT and are narrowed here with a range check. Slices are bound with no room, so that a
 * fetch reports their length, and then fetched once more straight into the arena. */
#include "storage/mariadb_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "foyer/require.h"

#define BINARY_CHARSET 63 /* the server's number for "no character set" */
#define UTF8MB4_BYTES_MAX 4

static bool is_slice(const struct fy_sql_field *f)
{
	return f->type >= FY_SQL_TEXT;
}

static bool counts_characters(const struct fy_sql_field *f)
{
	return f->type == FY_SQL_TEXT || f->type == FY_SQL_PERSONAL;
}

static const void *at(const void *base, uint16_t offset)
{
	return (const char *)base + offset;
}

/* The wrapped types hold exactly one slice. */
static struct fy_slice slice_at(const void *base, const struct fy_sql_field *f)
{
	struct fy_slice s;
	_Static_assert(sizeof(struct fy_personal) == sizeof s && sizeof(struct fy_secret) == sizeof s &&
			       sizeof(struct fy_sealed) == sizeof s,
		       "wrappers wrap");
	memcpy(&s, at(base, f->offset), sizeof s);
	return s;
}

static size_t characters(const char *text, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* Within the declared length. */
static bool fits(const struct fy_sql_field *f, const char *text, size_t len)
{
	if (f->exact)
		return len == f->max;
	if (len <= f->max)
		return true;
	return counts_characters(f) && len <= (size_t)f->max * UTF8MB4_BYTES_MAX && characters(text, len) <= f->max;
}

static MYSQL_TIME to_datetime(fy_time t)
{
	time_t seconds = (time_t)(t / FY_SECOND);
	fy_time rest = t % FY_SECOND;
	if (rest < 0) {
		rest += FY_SECOND;
		seconds--;
	}
	struct tm tm;
	gmtime_r(&seconds, &tm);
	return (MYSQL_TIME){ .year = (unsigned)tm.tm_year + 1900,
			     .month = (unsigned)tm.tm_mon + 1,
			     .day = (unsigned)tm.tm_mday,
			     .hour = (unsigned)tm.tm_hour,
			     .minute = (unsigned)tm.tm_min,
			     .second = (unsigned)tm.tm_sec,
			     .second_part = (unsigned long)rest,
			     .time_type = MYSQL_TIMESTAMP_DATETIME };
}

static fy_time from_datetime(const MYSQL_TIME *t)
{
	struct tm tm = { .tm_year = (int)t->year - 1900,
			 .tm_mon = (int)t->month - 1,
			 .tm_mday = (int)t->day,
			 .tm_hour = (int)t->hour,
			 .tm_min = (int)t->minute,
			 .tm_sec = (int)t->second };
	return (fy_time)timegm(&tm) * FY_SECOND + (fy_time)t->second_part;
}

/* DATETIME holds the years 1000 to 9999. */
static bool time_fits(fy_time t)
{
	return t >= -30610224000 * FY_SECOND && t < 253402300800 * FY_SECOND;
}

int fy_sql_check_params(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params)
{
	for (unsigned i = 0; i < statement->param_count; i++) {
		const struct fy_sql_field *f = &statement->params[i];
		if (is_slice(f)) {
			struct fy_slice s = slice_at(params, f);
			if ((s.ptr == NULL && (f->nullable || (s.len == 0 && !f->exact))) || fits(f, s.ptr, s.len))
				continue;
			return fy_fail(ctx, FY_ERR_TOO_LARGE, "statement %s: %s does not have the declared length",
				       statement->name, f->name);
		}
		if (f->type == FY_SQL_TIME && !(f->nullable && !*(const bool *)at(params, f->has_offset)) &&
		    !time_fits(*(const fy_time *)at(params, f->offset)))
			return fy_fail(ctx, FY_ERR_INVALID, "statement %s: %s is not a time of the years 1000 to 9999",
				       statement->name, f->name);
	}
	return 0;
}

void fy_sql_scratch_finish(struct fy_sql_scratch *s)
{
	free(s->params);
	free(s->lengths);
	free(s->times);
	free(s->row);
	memset(s, 0, sizeof *s);
}

void fy_sql_params_begin(struct fy_sql_scratch *s)
{
	s->used = 0;
}

static int make_room(struct fy_sql_scratch *s, size_t more)
{
	size_t cap = s->cap ? s->cap : 16;
	if (s->used + more <= s->cap)
		return 0;
	while (cap < s->used + more)
		cap *= 2;
	/* Bindings point into the other two arrays, so all three move at once and the pointers are set anew. */
	MYSQL_BIND *params = calloc(cap, sizeof *params);
	unsigned long *lengths = calloc(cap, sizeof *lengths);
	MYSQL_TIME *times = calloc(cap, sizeof *times);
	if (params == NULL || lengths == NULL || times == NULL) {
		free(params);
		free(lengths);
		free(times);
		return FY_ERR_NOMEM;
	}
	for (size_t i = 0; i < s->used; i++) {
		params[i] = s->params[i];
		lengths[i] = s->lengths[i];
		times[i] = s->times[i];
		params[i].length = &lengths[i];
		if (params[i].buffer == &s->times[i])
			params[i].buffer = &times[i];
	}
	free(s->params);
	free(s->lengths);
	free(s->times);
	s->params = params;
	s->lengths = lengths;
	s->times = times;
	s->cap = cap;
	return 0;
}

static enum enum_field_types parameter_type(enum fy_sql_type type)
{
	switch (type) {
	case FY_SQL_U8:
	case FY_SQL_BOOL:
		return MYSQL_TYPE_TINY;
	case FY_SQL_U16:
		return MYSQL_TYPE_SHORT;
	case FY_SQL_U32:
		return MYSQL_TYPE_LONG;
	case FY_SQL_U64:
	case FY_SQL_I64:
		return MYSQL_TYPE_LONGLONG;
	case FY_SQL_TIME:
		return MYSQL_TYPE_DATETIME;
	case FY_SQL_BYTES:
	case FY_SQL_SEALED:
		return MYSQL_TYPE_BLOB;
	case FY_SQL_TEXT:
	case FY_SQL_PERSONAL:
	case FY_SQL_SECRET:
		break;
	}
	return MYSQL_TYPE_STRING;
}

int fy_sql_params_row(struct fy_sql_scratch *s, const struct fy_sql_statement *statement, const void *params,
		      uint16_t id_at, const uint64_t *id)
{
	static my_bool is_null = 1;
	int err = make_room(s, statement->param_count);
	if (err)
		return err;
	for (unsigned i = 0; i < statement->param_count; i++, s->used++) {
		const struct fy_sql_field *f = &statement->params[i];
		MYSQL_BIND *bind = &s->params[s->used];
		memset(bind, 0, sizeof *bind);
		bind->buffer_type = parameter_type(f->type);
		bind->is_unsigned = f->type != FY_SQL_I64;
		bind->length = &s->lengths[s->used];
		if (is_slice(f)) {
			struct fy_slice text = slice_at(params, f);
			bind->buffer = (void *)(text.ptr ? text.ptr : "");
			bind->buffer_length = s->lengths[s->used] = text.len;
			if (text.ptr == NULL && f->nullable)
				bind->is_null = &is_null;
			continue;
		}
		bind->buffer = (void *)at(params, f->offset);
		if (id && f->offset == id_at) {
			bind->buffer = (void *)id;
			continue;
		}
		if (f->nullable && !*(const bool *)at(params, f->has_offset))
			bind->is_null = &is_null;
		else if (f->type == FY_SQL_TIME) {
			s->times[s->used] = to_datetime(*(const fy_time *)at(params, f->offset));
			bind->buffer = &s->times[s->used];
		}
	}
	return 0;
}

int fy_sql_params_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt)
{
	if (s->used == 0)
		return 0;
	FY_REQUIRE(mysql_stmt_param_count(stmt) == s->used);
	return mysql_stmt_bind_param(stmt, s->params) ? FY_ERR_INTERNAL : 0;
}

static void bind_column(struct fy_sql_scratch *s, unsigned i, enum fy_sql_type type)
{
	MYSQL_BIND *bind = &s->columns[i];
	memset(bind, 0, sizeof *bind);
	bind->length = &s->column_lengths[i];
	bind->is_null = &s->nulls[i];
	bind->buffer = &s->values[i];
	if (type >= FY_SQL_TEXT) {
		bind->buffer_type = MYSQL_TYPE_BLOB; /* no room: see the top */
		return;
	}
	bind->buffer_type = type == FY_SQL_TIME ? MYSQL_TYPE_DATETIME : MYSQL_TYPE_LONGLONG;
	bind->is_unsigned = type != FY_SQL_I64 && type != FY_SQL_BOOL;
	bind->buffer_length = sizeof s->values[i];
}

int fy_sql_rows_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt, const struct fy_sql_statement *statement)
{
	if (mysql_stmt_field_count(stmt) != statement->row_count)
		return FY_ERR_SCHEMA;
	for (unsigned i = 0; i < statement->row_count; i++)
		bind_column(s, i, statement->row[i].type);
	if (s->row_cap < statement->row_size) {
		void *row = realloc(s->row, statement->row_size);
		if (row == NULL)
			return FY_ERR_NOMEM;
		s->row = row;
		s->row_cap = statement->row_size;
	}
	return mysql_stmt_bind_result(stmt, s->columns) ? FY_ERR_INTERNAL : 0;
}

int fy_sql_ids_bind(struct fy_sql_scratch *s, MYSQL_STMT *stmt)
{
	if (mysql_stmt_field_count(stmt) != 1)
		return FY_ERR_SCHEMA;
	bind_column(s, 0, FY_SQL_U64);
	return mysql_stmt_bind_result(stmt, s->columns) ? FY_ERR_INTERNAL : 0;
}

int fy_sql_row_fetch(MYSQL_STMT *stmt)
{
	int rc = mysql_stmt_fetch(stmt);
	if (rc == MYSQL_NO_DATA)
		return 0;
	return rc == 0 || rc == MYSQL_DATA_TRUNCATED ? 1 : FY_ERR_PROTOCOL;
}

static int copy_slice(struct fy_sql_scratch *s, MYSQL_STMT *stmt, unsigned i, const struct fy_sql_field *f,
		      struct fy_ctx *ctx, struct fy_slice *ret_slice)
{
	unsigned long len = s->column_lengths[i];
	if (len > (unsigned long)f->max * (counts_characters(f) ? UTF8MB4_BYTES_MAX : 1))
		return FY_ERR_TOO_LARGE;
	char *text = f->type == FY_SQL_SECRET ? fy_alloc_secret(ctx->arena, len) : fy_alloc(ctx->arena, len + 1);
	unsigned long got = 0;
	my_bool null = 0, cut = 0;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_BLOB,
			    .buffer = text,
			    .buffer_length = len,
			    .length = &got,
			    .is_null = &null,
			    .error = &cut };
	int err = 0;
	if (len && (mysql_stmt_fetch_column(stmt, &bind, i, 0) || got != len))
		err = FY_ERR_PROTOCOL;
	else if (!fits(f, text, len))
		err = FY_ERR_TOO_LARGE;
	text[len] = '\0';
	*ret_slice = fy_slice(text, len);
	return err;
}

static int copy_number(const struct fy_sql_scratch *s, unsigned i, const struct fy_sql_field *f, void *to)
{
	uint64_t u = s->values[i].u;
	switch (f->type) {
	case FY_SQL_U8:
		*(uint8_t *)to = (uint8_t)u;
		return u > UINT8_MAX ? FY_ERR_SCHEMA : 0;
	case FY_SQL_U16:
		*(uint16_t *)to = (uint16_t)u;
		return u > UINT16_MAX ? FY_ERR_SCHEMA : 0;
	case FY_SQL_U32:
		*(uint32_t *)to = (uint32_t)u;
		return u > UINT32_MAX ? FY_ERR_SCHEMA : 0;
	case FY_SQL_BOOL:
		*(bool *)to = u != 0;
		return 0;
	case FY_SQL_TIME:
		*(fy_time *)to = from_datetime(&s->values[i].time);
		return 0;
	default:
		*(uint64_t *)to = u;
		return 0;
	}
}

int fy_sql_row_copy(struct fy_sql_scratch *s, MYSQL_STMT *stmt, const struct fy_sql_statement *statement,
		    struct fy_ctx *ctx, void *ret_row)
{
	memset(s->row, 0, statement->row_size);
	for (unsigned i = 0; i < statement->row_count; i++) {
		const struct fy_sql_field *f = &statement->row[i];
		char *to = (char *)s->row + f->offset;
		int err = 0;
		if (s->nulls[i]) {
			if (!f->nullable)
				err = FY_ERR_SCHEMA;
		} else if (is_slice(f)) {
			struct fy_slice text = FY_NONE;
			err = copy_slice(s, stmt, i, f, ctx, &text);
			memcpy(to, &text, sizeof text);
		} else {
			err = copy_number(s, i, f, to);
			if (f->nullable)
				*(bool *)((char *)s->row + f->has_offset) = true;
		}
		if (err)
			return fy_fail(ctx, err, "statement %s: column %s is not as declared", statement->name,
				       f->name);
	}
	memcpy(ret_row, s->row, statement->row_size);
	return 0;
}

/* Bits of an integer column; 0: not an integer. */
static int integer_bits(const MYSQL_FIELD *column)
{
	switch (column->type) {
	case MYSQL_TYPE_TINY:
		return 8;
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_YEAR:
		return 16;
	case MYSQL_TYPE_INT24:
		return 24;
	case MYSQL_TYPE_LONG:
		return 32;
	case MYSQL_TYPE_LONGLONG:
		return 64;
	default:
		return 0;
	}
}

static bool column_has_type(const MYSQL_FIELD *column, const struct fy_sql_field *f)
{
	static const int bits_of[] = { [FY_SQL_U8] = 8, [FY_SQL_U16] = 16, [FY_SQL_U32] = 32, [FY_SQL_U64] = 64 };
	int bits = integer_bits(column);
	bool is_unsigned = column->flags & UNSIGNED_FLAG, binary = column->charsetnr == BINARY_CHARSET;
	bool text = column->type == MYSQL_TYPE_STRING || column->type == MYSQL_TYPE_VAR_STRING ||
		    column->type == MYSQL_TYPE_VARCHAR || column->type == MYSQL_TYPE_ENUM ||
		    (column->type >= MYSQL_TYPE_TINY_BLOB && column->type <= MYSQL_TYPE_BLOB);
	switch (f->type) {
	case FY_SQL_U8:
	case FY_SQL_U16:
	case FY_SQL_U32:
	case FY_SQL_U64:
		return bits && is_unsigned && bits <= bits_of[f->type];
	case FY_SQL_I64:
		return bits && (!is_unsigned || bits < 64);
	case FY_SQL_BOOL:
		return bits != 0;
	case FY_SQL_TIME:
		return column->type == MYSQL_TYPE_DATETIME && column->decimals == 6;
	case FY_SQL_TEXT:
		return text && !binary;
	case FY_SQL_BYTES:
	case FY_SQL_SEALED:
		return text && binary;
	case FY_SQL_PERSONAL:
	case FY_SQL_SECRET:
		return text;
	}
	return false;
}

/* A bounded column must not be able to hold more than a row may: a later value would be an error at run time. */
static bool column_is_short_enough(const MYSQL_FIELD *column, const struct fy_sql_field *f)
{
	if (!is_slice(f) || (column->type >= MYSQL_TYPE_TINY_BLOB && column->type <= MYSQL_TYPE_BLOB))
		return true;
	bool binary = column->charsetnr == BINARY_CHARSET;
	unsigned long long bytes =
		(unsigned long long)f->max * (binary || !counts_characters(f) ? 1 : UTF8MB4_BYTES_MAX);
	if (f->type == FY_SQL_SECRET && !binary) /* hashes and tokens: ASCII in a text column */
		bytes *= UTF8MB4_BYTES_MAX;
	return column->length <= bytes;
}

bool fy_sql_fits(MYSQL_STMT *stmt, const struct fy_sql_statement *statement, unsigned width, char *ret_why,
		 size_t why_size)
{
	unsigned params = (unsigned)mysql_stmt_param_count(stmt), columns = mysql_stmt_field_count(stmt);
	if (params != statement->param_count * width) {
		snprintf(ret_why, why_size, "it has %u parameters, not %u", params, statement->param_count * width);
		return false;
	}
	if (statement->returning) /* the server names that column only when it executes: see fy_sql_ids_bind */
		return true;
	if (columns != statement->row_count) {
		snprintf(ret_why, why_size, "it has %u columns, not %u", columns, statement->row_count);
		return false;
	}
	MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
	bool good = columns == 0 || meta != NULL;
	for (unsigned i = 0; i < columns && good; i++) {
		const struct fy_sql_field *f = &statement->row[i];
		const MYSQL_FIELD *column = mysql_fetch_field_direct(meta, i);
		const char *what = NULL;
		if (!column_has_type(column, f))
			what = "another type";
		else if (!column_is_short_enough(column, f))
			what = "a greater length";
		else if (!f->nullable && !(column->flags & NOT_NULL_FLAG))
			what = "a possible NULL";
		if (what) {
			snprintf(ret_why, why_size, "column %s (%s) has %s", f->name, column->name, what);
			good = false;
		}
	}
	if (meta)
		mysql_free_result(meta);
	return good;
}
