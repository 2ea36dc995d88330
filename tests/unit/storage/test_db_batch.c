/* Coalesced writes: one commit for many, each answered for itself. */
#include "tests/unit/storage/test_db.h"

#include <string.h>

static struct fy_db_status status_now(void)
{
	struct fy_db_status status;
	fy_db_status(db, &status);
	return status;
}

static struct fy_sql_t_message_params message(struct task *t, const char *prefix, unsigned number)
{
	return (struct fy_sql_t_message_params){ .subject = fy_fmt(t->ctx.arena, "%s %u", prefix, number),
						 .at = t->ctx.now };
}

static uint64_t ids[400];

static void insert_one(struct task *t)
{
	struct fy_sql_t_message_params p = message(t, "subject", t->index);
	CHECK_INT(fy_sql_t_message(&t->ctx, &p, &ids[t->index]), 0);
}

static void rows_queued_together_share_executions_and_get_their_own_ids(void **state)
{
	(void)state;
	char sql[200];
	run_fibers(400, insert_one, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_message"), 400);
	assert_int_equal(status_now().batched_rows, 400);
	assert_true(status_now().executions < 30);
	for (unsigned i = 0; i < 400; i += 37) {
		snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM t_message WHERE id = %llu AND subject = 'subject %u'",
			 (unsigned long long)ids[i], i);
		assert_int_equal(mariadb_fixture_number(server, sql), 1);
	}
}

static void insert_maybe_bad(struct task *t)
{
	struct fy_sql_t_message_params p = message(t, "m", t->index == 70 ? 3 : t->index);
	uint64_t id = 0;
	int err = fy_sql_t_message(&t->ctx, &p, &id);
	if (t->index != 3 && t->index != 70)
		CHECK_INT(err, 0);
	t->err = err;
	CHECK_THAT((id != 0) == (err == 0));
}

static void a_bad_row_fails_alone(void **state)
{
	(void)state;
	static struct task tasks[100];
	run_fibers(100, insert_maybe_bad, NULL, tasks);
	assert_int_equal((tasks[3].err == FY_ERR_CONFLICT) + (tasks[70].err == FY_ERR_CONFLICT), 1);
	assert_int_equal((tasks[3].err == 0) + (tasks[70].err == 0), 1);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_message"), 99);
	assert_true(status_now().fallbacks >= 1);
}

static void insert_unit(struct task *t)
{
	struct fy_sql_t_message_params m = message(t, "unit", t->index);
	struct fy_sql_t_mail_params to = { .recipient = { fy_fmt(t->ctx.arena, "to %u", t->index) } }, staff = { 0 };
	struct fy_db_insert unit[] = { fy_sql_t_message_insert(&m), fy_sql_t_mail_insert(&to),
				       fy_sql_t_mail_insert(&staff) };
	uint64_t got[3];
	for (int i = 1; i < 3; i++) {
		unit[i].id_from = 1;
		unit[i].id_to = offsetof(struct fy_sql_t_mail_params, message_id);
	}
	if (t->index % 10 == 9)
		m.subject = FY_LIT("the same");
	t->err = fy_db_unit(&t->ctx, unit, 3, got);
	if (t->err == 0)
		CHECK_THAT(got[0] != 0 && got[1] == 0 && got[2] == 0);
}

static void a_unit_appears_whole_or_not_at_all(void **state)
{
	(void)state;
	static struct task tasks[60];
	run_fibers(60, insert_unit, NULL, tasks);
	unsigned good = 0, conflicts = 0;
	for (unsigned i = 0; i < 60; i++) {
		good += tasks[i].err == 0;
		conflicts += tasks[i].err == FY_ERR_CONFLICT;
	}
	assert_int_equal(good, 55);
	assert_int_equal(conflicts, 5);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_message"), 55);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_mail"), 110);
	assert_int_equal(mariadb_fixture_number(
				 server,
				 "SELECT COUNT(*) FROM t_message m JOIN t_mail l ON l.message_id = m.id "
				 "AND REPLACE(m.subject, 'unit', 'to') = l.recipient WHERE m.subject <> 'the same'"),
			 54);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_mail WHERE recipient IS NULL"), 55);
}

static int unit_then_fail(struct fy_ctx *ctx, void *arg)
{
	struct task *t = arg;
	struct fy_sql_t_message_params m = message(t, "tx", t->index);
	struct fy_sql_t_mail_params mail = { .recipient = { FY_LIT("x") } };
	struct fy_db_insert unit[] = { fy_sql_t_message_insert(&m), fy_sql_t_mail_insert(&mail) };
	unit[1].id_from = 1;
	unit[1].id_to = offsetof(struct fy_sql_t_mail_params, message_id);
	uint64_t got[2];
	CHECK_INT(fy_db_unit(ctx, unit, 2, got), 0);
	CHECK_THAT(got[0] != 0);
	return t->index ? FY_ERR_DENIED : 0;
}

static void unit_in_transaction(struct task *t)
{
	CHECK_INT(fy_tx(&t->ctx, unit_then_fail, t), t->index ? FY_ERR_DENIED : 0);
}

static void inside_a_transaction_a_unit_follows_it(void **state)
{
	(void)state;
	run_fibers(2, unit_in_transaction, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_message"), 1);
	assert_int_equal(
		mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_mail l JOIN t_message m ON m.id = l.message_id"),
		1);
}

static void insert_then_killed(struct task *t)
{
	if (t->index == 0) {
		mariadb_fixture_freeze(server, true);
		fy_sleep(&t->ctx, 50);
		mariadb_fixture_kill(server);
		return;
	}
	struct fy_sql_t_message_params p = message(t, "lost", t->index);
	CHECK_INT(fy_sql_t_message(&t->ctx, &p, NULL), FY_ERR_DB_DOWN);
}

static bool is_up(void)
{
	return status_now().up;
}

static bool is_down(void)
{
	return !status_now().up;
}

static void nothing_is_answered_as_done_when_the_server_dies(void **state)
{
	(void)state;
	run_fibers(40, insert_then_killed, NULL, NULL);
	spin_until(is_down, 2000);
	mariadb_fixture_start_again(server);
	spin_until(is_up, 10000);
	run_fibers(5, insert_one, NULL, NULL);
	assert_true(mariadb_fixture_number(server, "SELECT COUNT(*) FROM t_message WHERE subject LIKE 'subject%'") ==
		    5);
}

static void insert_impatient(struct task *t)
{
	struct fy_sql_t_message_params p = message(t, "late", t->index);
	if (t->index % 2)
		t->ctx.deadline_ms = fy_loop_ms() + 50;
	CHECK_INT(fy_sql_t_message(&t->ctx, &p, NULL), t->index % 2 ? FY_ERR_TIMEOUT : 0);
}

static void on_thaw(uv_timer_t *timer)
{
	mariadb_fixture_freeze(server, false);
	uv_close((uv_handle_t *)timer, NULL);
}

static void a_unit_whose_fiber_left_does_not_harm_the_others(void **state)
{
	(void)state;
	uv_timer_t timer;
	mariadb_fixture_freeze(server, true);
	uv_timer_init(uv_default_loop(), &timer);
	uv_timer_start(&timer, on_thaw, 200, 0);
	run_fibers(45, insert_impatient, NULL, NULL);
	for (unsigned i = 0; i < 45; i += 2) {
		char sql[100];
		snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM t_message WHERE subject = 'late %u'", i);
		assert_int_equal(mariadb_fixture_number(server, sql), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(rows_queued_together_share_executions_and_get_their_own_ids),
		DB_TEST(a_bad_row_fails_alone),
		DB_TEST(a_unit_appears_whole_or_not_at_all),
		DB_TEST(inside_a_transaction_a_unit_follows_it),
		DB_TEST(nothing_is_answered_as_done_when_the_server_dies),
		DB_TEST(a_unit_whose_fiber_left_does_not_harm_the_others),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
