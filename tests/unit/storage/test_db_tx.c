/* Transactions: all or nothing, repeated after a deadlock, never repeated when the outcome is unknown. */
#include "tests/unit/storage/test_db.h"

#include <string.h>

static int64_t amount(struct fy_ctx *ctx, uint64_t id)
{
	struct fy_sql_t_amount_row row = { .amount = -1 };
	fy_sql_t_amount(ctx, &(struct fy_sql_t_amount_params){ id }, &row);
	return row.amount;
}

static int add(struct fy_ctx *ctx, uint64_t id, int64_t by)
{
	return fy_sql_t_add(ctx, &(struct fy_sql_t_add_params){ .by = by, .id = id }, NULL);
}

static int add_and(struct fy_ctx *ctx, void *arg)
{
	const int *result = arg;
	int err = add(ctx, 1, 5);
	if (err)
		return err;
	CHECK_INT(amount(ctx, 1), 5);
	CHECK_THAT(fy_tx_active(ctx));
	struct fy_ctx other = *ctx;
	CHECK_THAT(!fy_tx_active(&other));
	CHECK_INT(amount(&other, 1), 0); /* another context does not see it */
	return *result;
}

static void roll_back(struct task *t)
{
	int result = FY_ERR_DENIED;
	CHECK_INT(fy_tx(&t->ctx, add_and, &result), FY_ERR_DENIED);
	CHECK_THAT(!fy_tx_active(&t->ctx));
	CHECK_INT(amount(&t->ctx, 1), 0);
	result = 0;
	CHECK_INT(fy_tx(&t->ctx, add_and, &result), 0);
	CHECK_INT(amount(&t->ctx, 1), 5);
}

static void an_error_rolls_back_and_success_commits(void **state)
{
	(void)state;
	run_fibers(1, roll_back, NULL, NULL);
}

static int met, tries;

/* Each takes one row and, once both have, the other's: MariaDB makes one of them the victim. */
static int cross(struct fy_ctx *ctx, void *arg)
{
	uint64_t first = *(uint64_t *)arg;
	tries++;
	int err = add(ctx, first, 1);
	met++;
	while (err == 0 && met < 2)
		err = fy_sleep(ctx, 1);
	return err ? err : add(ctx, 3 - first, 1);
}

static void cross_lock(struct task *t)
{
	uint64_t first = t->index + 1;
	CHECK_INT(fy_tx(&t->ctx, cross, &first), 0);
}

static void a_deadlock_is_repeated_and_both_succeed(void **state)
{
	(void)state;
	met = tries = 0;
	run_fibers(2, cross_lock, NULL, NULL);
	assert_int_equal(tries, 3);
	assert_int_equal(mariadb_fixture_number(
				 server, "SELECT MIN(amount) = 2 AND MAX(amount) = 2 FROM t_counter WHERE id < 3"),
			 1);
}

static int swallow(struct fy_ctx *ctx, void *arg)
{
	cross(ctx, arg);
	return 0;
}

static void cross_and_swallow(struct task *t)
{
	uint64_t first = t->index + 1;
	CHECK_INT(fy_tx(&t->ctx, swallow, &first), 0);
}

static void a_victim_is_repeated_even_where_the_body_hides_the_error(void **state)
{
	(void)state;
	met = tries = 0;
	run_fibers(2, cross_and_swallow, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(
				 server, "SELECT MIN(amount) = 2 AND MAX(amount) = 2 FROM t_counter WHERE id < 3"),
			 1);
}

static int read_modify_write(struct fy_ctx *ctx, void *arg)
{
	(void)arg;
	int err = add(ctx, 1, 1);
	return err ? err : add(ctx, 2, 1);
}

static void many(struct task *t)
{
	CHECK_INT(fy_tx(&t->ctx, read_modify_write, NULL), 0);
}

static void a_hundred_transactions_on_two_connections_lose_nothing(void **state)
{
	(void)state;
	run_fibers(100, many, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT SUM(amount) FROM t_counter"), 200);
}

static int kill_inside(struct fy_ctx *ctx, void *arg)
{
	unsigned *calls = arg;
	++*calls;
	CHECK_INT(add(ctx, 1, 1), 0);
	mariadb_fixture_kill(server);
	fy_sleep(ctx, 20);
	CHECK_INT(add(ctx, 1, 1), FY_ERR_DB_DOWN);
	return 0; /* hides it: the transaction must still fail */
}

static void killed(struct task *t)
{
	unsigned calls = 0;
	CHECK_INT(fy_tx(&t->ctx, kill_inside, &calls), FY_ERR_DB_DOWN);
	CHECK_INT(calls, 1);
	CHECK_INT(fy_tx(&t->ctx, kill_inside, &calls), FY_ERR_DB_DOWN);
	CHECK_INT(calls, 1);
}

static bool is_up(void)
{
	struct fy_db_status status;
	fy_db_status(db, &status);
	return status.up;
}

static bool is_down(void)
{
	struct fy_db_status status;
	fy_db_status(db, &status);
	return !status.up;
}

static void a_lost_connection_fails_the_transaction_without_repetition(void **state)
{
	(void)state;
	run_fibers(1, killed, NULL, NULL);
	spin_until(is_down, 2000);
	mariadb_fixture_start_again(server);
	spin_until(is_up, 10000);
	assert_int_equal(mariadb_fixture_number(server, "SELECT amount FROM t_counter WHERE id = 1"), 0);
}

static int freeze_before_commit(struct fy_ctx *ctx, void *arg)
{
	unsigned *calls = arg;
	++*calls;
	int err = add(ctx, 1, 1);
	mariadb_fixture_freeze(server, true);
	ctx->deadline_ms = fy_loop_ms() + 100;
	return err;
}

static void frozen(struct task *t)
{
	unsigned calls = 0;
	CHECK_INT(fy_tx(&t->ctx, freeze_before_commit, &calls), FY_ERR_TIMEOUT);
	CHECK_INT(calls, 1);
	mariadb_fixture_freeze(server, false);
}

static void a_commit_that_does_not_answer_is_not_repeated(void **state)
{
	(void)state;
	struct fy_db_status status;
	run_fibers(1, frozen, NULL, NULL);
	fy_db_status(db, &status);
	assert_int_equal(status.discards, 1);
}

static int hold(struct fy_ctx *ctx, void *arg)
{
	(void)arg;
	int err = add(ctx, 1, 1);
	return err ? err : fy_sleep(ctx, 300);
}

static void hold_or_wait(struct task *t)
{
	if (t->index < 2)
		t->err = fy_tx(&t->ctx, hold, NULL);
	else
		t->err = add(&t->ctx, 2, 1);
	CHECK_INT(t->err, 0);
}

static void others_wait_for_pinned_connections_and_then_go_on(void **state)
{
	(void)state;
	run_fibers(6, hold_or_wait, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT SUM(amount) FROM t_counter"), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(an_error_rolls_back_and_success_commits),
		DB_TEST(a_deadlock_is_repeated_and_both_succeed),
		DB_TEST(a_victim_is_repeated_even_where_the_body_hides_the_error),
		DB_TEST(a_hundred_transactions_on_two_connections_lose_nothing),
		DB_TEST(a_lost_connection_fails_the_transaction_without_repetition),
		DB_TEST(a_commit_that_does_not_answer_is_not_repeated),
		DB_TEST(others_wait_for_pinned_connections_and_then_go_on),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
