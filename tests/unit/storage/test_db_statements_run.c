/* Values through the typed statements: every type, NULL, limits, and what errors mean. */
#include "tests/unit/storage/test_db.h"

#include <string.h>

static const char long_name[] = "ÀÉÎÕÜàéîõüÀÉÎÕÜàéîõü"; /* 20 characters, 40 bytes */

static struct fy_sql_t_insert_all_params full(void)
{
	return (struct fy_sql_t_insert_all_params){
		.a8 = 255,
		.a16 = 65535,
		.a32 = 4294967295u,
		.a64 = UINT64_MAX,
		.i = INT64_MIN,
		.flag = true,
		.name = { fy_str(long_name) },
		.note = fy_str("it's \"quoted\"; -- ok"),
		.raw = fy_slice("\0\xff\x80z", 4),
		.token = { fy_str("$argon2id$v=19$m=65536") },
		.at = 1795428000123456,
		.seen = -1,
		.has_seen = true,
		.n = 0,
		.has_n = true,
	};
}

static void round_trip(struct task *t)
{
	struct fy_sql_t_insert_all_params p = full();
	struct fy_db_done done;
	struct fy_sql_t_all_by_id_row row;
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, &done), 0);
	CHECK_INT(done.affected, 1);
	CHECK_THAT(done.insert_id != 0);
	CHECK_INT(fy_sql_t_all_by_id(&t->ctx, &(struct fy_sql_t_all_by_id_params){ done.insert_id }, &row), 0);
	CHECK_INT(row.id, done.insert_id);
	CHECK_INT(row.a8, 255);
	CHECK_INT(row.a16, 65535);
	CHECK_INT(row.a32, 4294967295u);
	CHECK_THAT(row.a64 == UINT64_MAX);
	CHECK_THAT(row.i == INT64_MIN);
	CHECK_THAT(row.flag);
	CHECK_THAT(fy_eq(row.name.text, p.name.text));
	CHECK_THAT(fy_eq(row.note, p.note));
	CHECK_THAT(fy_eq(row.raw, p.raw));
	CHECK_THAT(fy_eq(row.token.text, p.token.text));
	CHECK_INT(row.at, p.at);
	CHECK_THAT(row.has_seen && row.seen == -1);
	CHECK_THAT(row.has_n && row.n == 0);
}

static void every_type_survives_the_round_trip(void **state)
{
	(void)state;
	run_fibers(1, round_trip, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server,
						"SELECT COUNT(*) FROM t_all WHERE at = '2026-11-23 10:00:00.123456' "
						"AND seen = '1969-12-31 23:59:59.999999' AND raw = x'00ff807a'"),
			 1);
}

static void nulls(struct task *t)
{
	struct fy_sql_t_insert_all_params p = full();
	struct fy_db_done done;
	struct fy_sql_t_all_by_id_row row;
	p.note = p.raw = FY_NONE;
	p.token.text = FY_NONE;
	p.has_seen = p.has_n = false;
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, &done), 0);
	CHECK_INT(fy_sql_t_all_by_id(&t->ctx, &(struct fy_sql_t_all_by_id_params){ done.insert_id }, &row), 0);
	CHECK_THAT(row.note.ptr == NULL && row.raw.ptr == NULL && row.token.text.ptr == NULL);
	CHECK_THAT(!row.has_seen && !row.has_n);
	p.name.text = p.note = FY_LIT("");
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, &done), 0);
	CHECK_INT(fy_sql_t_all_by_id(&t->ctx, &(struct fy_sql_t_all_by_id_params){ done.insert_id }, &row), 0);
	CHECK_THAT(row.note.ptr != NULL && row.note.len == 0);
	CHECK_THAT(row.name.text.ptr != NULL && row.name.text.len == 0);
}

static void null_and_empty_are_told_apart(void **state)
{
	(void)state;
	run_fibers(1, nulls, NULL, NULL);
	assert_int_equal(
		mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_all WHERE note IS NULL AND seen IS NULL"), 1);
}

static void too_long(struct task *t)
{
	struct fy_sql_t_insert_all_params p = full();
	char name[42];
	snprintf(name, sizeof name, "%sx", long_name);
	p.name.text = fy_str(name);
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), FY_ERR_TOO_LARGE);
	CHECK_THAT(strstr(t->ctx.fault, "name") != NULL);
	p = full();
	p.raw = fy_slice("abc", 3);
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), FY_ERR_TOO_LARGE);
	p = full();
	p.name.text = fy_slice("\xff\xfe", 2);
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), FY_ERR_INVALID);
	p = full();
	p.at = INT64_MAX;
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), FY_ERR_INVALID);
}

static void what_does_not_fit_is_refused_not_cut(void **state)
{
	(void)state;
	run_fibers(1, too_long, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_all"), 0);
}

static void conflict(struct task *t)
{
	struct fy_sql_t_insert_all_params p = full();
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), 0);
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), FY_ERR_CONFLICT);
	CHECK_THAT(strstr(t->ctx.fault, "1062") != NULL && strstr(t->ctx.fault, "\xc3") == NULL);
}

static void a_duplicate_key_is_a_conflict_and_its_value_is_not_in_the_fault(void **state)
{
	(void)state;
	run_fibers(1, conflict, NULL, NULL);
}

static void rows_missing(struct task *t)
{
	struct fy_sql_t_all_by_id_row row = { .id = 77 };
	CHECK_INT(fy_sql_t_all_by_id(&t->ctx, &(struct fy_sql_t_all_by_id_params){ 12345 }, &row), FY_ERR_NOT_FOUND);
	CHECK_INT(row.id, 77);
	struct fy_sql_t_insert_all_params p = full();
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), 0);
	p.name.text = FY_LIT("other");
	CHECK_INT(fy_sql_t_insert_all(&t->ctx, &p, NULL), 0);
	struct fy_sql_t_by_flag_row flag;
	CHECK_INT(fy_sql_t_by_flag(&t->ctx, &(struct fy_sql_t_by_flag_params){ true }, &flag), FY_ERR_INTERNAL);
	struct fy_db_done done = { 0 };
	CHECK_INT(fy_sql_t_set(&t->ctx, &(struct fy_sql_t_set_params){ .amount = 0, .id = 1 }, &done), 0);
	CHECK_INT(done.affected, 1); /* matched, though nothing changed */
	CHECK_INT(fy_sql_t_set(&t->ctx, &(struct fy_sql_t_set_params){ .amount = 0, .id = 99 }, &done), 0);
	CHECK_INT(done.affected, 0);
}

static void one_row_means_one_row(void **state)
{
	(void)state;
	run_fibers(1, rows_missing, NULL, NULL);
}

static void lists(struct task *t)
{
	struct fy_sql_t_some_row *rows = NULL;
	struct fy_sql_t_list_row *all = NULL;
	size_t count = 9;
	CHECK_INT(fy_sql_t_some(&t->ctx, &(struct fy_sql_t_some_params){ 0 }, &rows, &count), 0);
	CHECK_INT(count, 0);
	CHECK_INT(fy_sql_t_some(&t->ctx, &(struct fy_sql_t_some_params){ 3 }, &rows, &count), 0);
	CHECK_INT(count, 3);
	CHECK_INT(rows[2].id, 3);
	CHECK_THAT(fy_eq(rows[1].name.text, FY_LIT("two")));
	count = 7;
	CHECK_INT(fy_sql_t_list(&t->ctx, &all, &count), FY_ERR_TOO_LARGE);
	CHECK_INT(count, 7);
}

static void a_list_has_a_hard_maximum(void **state)
{
	(void)state;
	mariadb_fixture_sql(server, "INSERT INTO t_card VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')");
	run_fibers(1, lists, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(every_type_survives_the_round_trip),
		DB_TEST(null_and_empty_are_told_apart),
		DB_TEST(what_does_not_fit_is_refused_not_cut),
		DB_TEST(a_duplicate_key_is_a_conflict_and_its_value_is_not_in_the_fault),
		DB_TEST(one_row_means_one_row),
		DB_TEST(a_list_has_a_hard_maximum),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
