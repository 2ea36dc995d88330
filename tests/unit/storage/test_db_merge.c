/* Merged reads: everyone gets their own row, whatever happens to the others. */
#include "tests/unit/storage/test_db.h"

#include <string.h>

#define PEOPLE 2000

static void fill_cards(void)
{
	mariadb_fixture_sql(server, "INSERT INTO t_card SELECT seq, CONCAT('person ', seq) FROM seq_1_to_2000");
}

static void read_own(struct task *t)
{
	struct fy_sql_t_card_row row;
	char expected[32];
	uint64_t id = t->index % PEOPLE + 1;
	snprintf(expected, sizeof expected, "person %llu", (unsigned long long)id);
	int err = fy_sql_t_card(&t->ctx, id, &row);
	CHECK_INT(err, 0);
	if (err)
		return;
	CHECK_INT(row.id, id);
	CHECK_THAT(fy_eq(row.name.text, fy_str(expected)));
}

static void two_thousand_fibers_get_their_own_row(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	struct fy_db_status status;
	close_db();
	options.queue_max = PEOPLE;
	options.queue_wait_ms = 10000;
	open_db(options);
	fill_cards();
	run_fibers(PEOPLE, read_own, NULL, NULL);
	fy_db_status(db, &status);
	assert_int_equal(status.merged_rows, PEOPLE);
	assert_int_equal(status.executions, (PEOPLE + 31) / 32);
	assert_int_equal(status.fallbacks, 0);
}

static void read_mixed(struct task *t)
{
	struct fy_sql_t_card_row row = { .id = 5 };
	uint64_t id = t->index % 3 == 0 ? 5000 + t->index : 7; /* absent, or one that many want */
	int err = fy_sql_t_card(&t->ctx, id, &row);
	CHECK_INT(err, id == 7 ? 0 : FY_ERR_NOT_FOUND);
	CHECK_INT(row.id, id == 7 ? 7 : 5);
}

static void absent_and_repeated_ids_are_answered_each(void **state)
{
	(void)state;
	fill_cards();
	run_fibers(11, read_mixed, NULL, NULL);
}

static void read_memo(struct task *t)
{
	struct fy_sql_t_memo_row row;
	int err = fy_sql_t_memo(&t->ctx, t->index + 1, &row);
	CHECK_INT(err, t->index == 4 ? FY_ERR_TOO_LARGE : 0);
}

static void a_row_that_is_wrong_fails_alone(void **state)
{
	(void)state;
	mariadb_fixture_sql(
		server, "INSERT INTO t_memo SELECT seq, IF(seq = 5, 'far longer than ten', 'short') FROM seq_1_to_20");
	run_fibers(20, read_memo, NULL, NULL);
}

static void read_from_broken_view(struct task *t)
{
	struct fy_sql_t_card_row row;
	int err = fy_sql_t_card(&t->ctx, t->index + 1, &row);
	CHECK_INT(err, t->index == 6 ? FY_ERR_INTERNAL : 0);
}

/* A view whose row 7 is an error of the server (a subquery with two rows): the merged SELECT fails as a whole. */
static void a_merged_query_that_fails_falls_back_to_single_ones(void **state)
{
	(void)state;
	struct fy_db_status status;
	close_db();
	mariadb_fixture_sql(
		server,
		"RENAME TABLE t_card TO t_card_base;"
		"INSERT INTO t_card_base SELECT seq, 'x' FROM seq_1_to_20;"
		"CREATE OR REPLACE VIEW t_card AS SELECT id, CASE id WHEN 7 THEN (SELECT name FROM t_card_base) "
		"ELSE name END AS name FROM t_card_base");
	mariadb_fixture_sql(
		server,
		"DROP VIEW t_card; CREATE VIEW t_card AS SELECT id, "
		"COALESCE(CASE id WHEN 7 THEN (SELECT b.name FROM t_card_base b) ELSE name END, '') AS name FROM t_card_base");
	open_db(test_options());
	run_fibers(20, read_from_broken_view, NULL, NULL);
	fy_db_status(db, &status);
	assert_int_not_equal(status.fallbacks, 0);
	close_db();
	mariadb_fixture_sql(server,
			    "DROP VIEW t_card; DROP TABLE t_card_base; "
			    "CREATE TABLE t_card (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL)");
	open_db(test_options());
}

static void impatient_or_not(struct task *t)
{
	struct fy_sql_t_card_row row;
	if (t->index % 2)
		t->ctx.deadline_ms = fy_loop_ms() + 50;
	t->err = fy_sql_t_card(&t->ctx, t->index + 1, &row);
	CHECK_INT(t->err, t->index % 2 ? FY_ERR_TIMEOUT : 0);
}

static void on_thaw(uv_timer_t *timer)
{
	mariadb_fixture_freeze(server, false);
	uv_close((uv_handle_t *)timer, NULL);
}

static void those_who_leave_do_not_take_the_others_with_them(void **state)
{
	(void)state;
	struct fy_db_status status;
	uv_timer_t timer;
	fill_cards();
	mariadb_fixture_freeze(server, true);
	uv_timer_init(uv_default_loop(), &timer);
	uv_timer_start(&timer, on_thaw, 300, 0);
	run_fibers(20, impatient_or_not, NULL, NULL);
	fy_db_status(db, &status);
	assert_int_equal(status.discards, 0);
}

static void all_impatient(struct task *t)
{
	struct fy_sql_t_card_row row;
	t->ctx.deadline_ms = fy_loop_ms() + 50;
	CHECK_INT(fy_sql_t_card(&t->ctx, t->index + 1, &row), FY_ERR_TIMEOUT);
}

static void the_last_to_leave_takes_the_connection(void **state)
{
	(void)state;
	struct fy_db_status status;
	fill_cards();
	mariadb_fixture_freeze(server, true);
	run_fibers(5, all_impatient, NULL, NULL);
	mariadb_fixture_freeze(server, false);
	fy_db_status(db, &status);
	assert_int_equal(status.discards, 1);
}

static int read_in_transaction(struct fy_ctx *ctx, void *arg)
{
	struct task *t = arg;
	struct fy_sql_t_card_row row;
	struct fy_db_status status;
	int err = fy_sql_t_card(ctx, 3, &row);
	CHECK_INT(err, 0);
	CHECK_INT(row.id, 3);
	fy_db_status(db, &status);
	CHECK_INT(status.merged_rows, 0);
	(void)t;
	return err;
}

static void in_transaction(struct task *t)
{
	CHECK_INT(fy_tx(&t->ctx, read_in_transaction, t), 0);
}

static void inside_a_transaction_reads_are_not_merged(void **state)
{
	(void)state;
	fill_cards();
	run_fibers(1, in_transaction, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(two_thousand_fibers_get_their_own_row),
		DB_TEST(absent_and_repeated_ids_are_answered_each),
		DB_TEST(a_row_that_is_wrong_fails_alone),
		DB_TEST(a_merged_query_that_fails_falls_back_to_single_ones),
		DB_TEST(those_who_leave_do_not_take_the_others_with_them),
		DB_TEST(the_last_to_leave_takes_the_connection),
		DB_TEST(inside_a_transaction_reads_are_not_merged),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
