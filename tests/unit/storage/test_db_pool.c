/* The pool: deadlines, caps, order, a server that goes and comes back, a schema that does not fit. */
#include <mysql.h>
#include "tests/unit/storage/test_db.h"

#include <string.h>

static struct fy_db_status status_now(void)
{
	struct fy_db_status status;
	fy_db_status(db, &status);
	return status;
}

static void reopen(struct fy_db_options options)
{
	close_db();
	open_db(options);
}

static int slow(struct task *t, uint64_t ms)
{
	struct fy_sql_t_slow_row row;
	return fy_sql_t_slow(&t->ctx, &(struct fy_sql_t_slow_params){ ms }, &row);
}

static void give_up_after_100_ms(struct task *t)
{
	t->ctx.deadline_ms = fy_loop_ms() + 100;
	CHECK_INT(slow(t, 5000), FY_ERR_TIMEOUT);
	struct fy_sql_t_amount_row row;
	t->ctx.deadline_ms = fy_loop_ms() + 5000;
	CHECK_INT(fy_sql_t_amount(&t->ctx, &(struct fy_sql_t_amount_params){ 1 }, &row), 0);
}

static void a_deadline_throws_the_connection_away(void **state)
{
	(void)state;
	uint64_t begun = uv_hrtime();
	run_fibers(1, give_up_after_100_ms, NULL, NULL);
	assert_true(uv_hrtime() - begun < 3000000000ull);
	assert_int_equal(status_now().discards, 1);
	assert_int_equal(status_now().busy, 0);
}

static void sleep_a_little(struct task *t)
{
	t->err = slow(t, 300);
}

static void a_full_queue_is_busy_at_once(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	struct task tasks[8];
	options.pool_size = 1;
	options.queue_max = 3;
	reopen(options);
	run_fibers(8, sleep_a_little, NULL, tasks);
	unsigned good = 0, busy = 0;
	for (unsigned i = 0; i < 8; i++) {
		good += tasks[i].err == 0;
		busy += tasks[i].err == FY_ERR_BUSY;
		if (tasks[i].err == FY_ERR_BUSY)
			assert_true(tasks[i].done_order <= 5); /* before any statement had ended */
	}
	assert_int_equal(good, 3);
	assert_int_equal(busy, 5);
}

static void a_long_wait_in_the_queue_is_busy(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	struct task tasks[3];
	options.pool_size = 1;
	options.queue_wait_ms = 400;
	reopen(options);
	run_fibers(3, sleep_a_little, NULL, tasks);
	assert_int_equal(tasks[0].err, 0);
	assert_int_equal(tasks[1].err, 0); /* waited 300 ms, then ran past the limit of the queue: allowed */
	assert_int_equal(tasks[2].err, FY_ERR_BUSY);
	assert_int_equal(status_now().discards, 0);
	assert_int_equal(status_now().waiting, 0);
}

static void read_amount(struct task *t)
{
	struct fy_sql_t_amount_row row;
	t->err = fy_sql_t_amount(&t->ctx, &(struct fy_sql_t_amount_params){ 1 }, &row);
}

static void the_oldest_waiter_is_served_first(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	struct task tasks[50];
	options.pool_size = 1;
	reopen(options);
	run_fibers(50, read_amount, NULL, tasks);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(tasks[i].err, 0);
		assert_int_equal(tasks[i].done_order, i + 1);
	}
}

static bool is_down(void)
{
	return !status_now().up;
}

static bool is_up(void)
{
	return status_now().up;
}

static void expect_down(struct task *t)
{
	uint64_t begun = uv_hrtime();
	struct fy_sql_t_card_row row;
	read_amount(t);
	CHECK_INT(t->err, FY_ERR_DB_DOWN);
	CHECK_INT(fy_sql_t_card(&t->ctx, 1, &row), FY_ERR_DB_DOWN);
	CHECK_INT(fy_sql_t_message(&t->ctx, &(struct fy_sql_t_message_params){ .subject = FY_LIT("x") }, NULL),
		  FY_ERR_DB_DOWN);
	CHECK_THAT(uv_hrtime() - begun < 50000000);
}

static void expect_good(struct task *t)
{
	read_amount(t);
	CHECK_INT(t->err, 0);
}

static void a_server_that_dies_is_noticed_and_its_return_heals(void **state)
{
	(void)state;
	run_fibers(4, expect_good, NULL, NULL);
	mariadb_fixture_kill(server);
	spin_until(is_down, 2000);
	assert_true(strlen(status_now().last_error) > 0);
	run_fibers(3, expect_down, NULL, NULL);
	mariadb_fixture_start_again(server);
	spin_until(is_up, 10000);
	run_fibers(4, expect_good, NULL, NULL);
	assert_string_equal(status_now().last_error, "");
}

static void run_into_the_kill(struct task *t)
{
	if (t->index == 5) {
		fy_sleep(&t->ctx, 100);
		mariadb_fixture_kill(server);
		return;
	}
	CHECK_INT(slow(t, 5000), FY_ERR_DB_DOWN);
}

static void statements_in_flight_and_in_the_queue_end_when_the_server_dies(void **state)
{
	(void)state;
	uint64_t begun = uv_hrtime();
	run_fibers(6, run_into_the_kill, NULL, NULL);
	assert_true(uv_hrtime() - begun < 2000000000ull);
	spin_until(is_down, 2000);
	mariadb_fixture_start_again(server);
	spin_until(is_up, 10000);
}

static void the_watchdog_ends_what_nobody_limits(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	struct task task;
	options.statement_max_ms = 200;
	reopen(options);
	run_fibers(1, sleep_a_little, NULL, &task);
	assert_int_equal(task.err, FY_ERR_TIMEOUT);
}

static bool has_mismatch(void)
{
	return status_now().schema_mismatch;
}

static void wait_ready(struct task *t)
{
	CHECK_INT(fy_db_wait_ready(&t->ctx), FY_ERR_SCHEMA);
	CHECK_THAT(strstr(t->ctx.fault, "statement t_list") && strstr(t->ctx.fault, "name"));
}

static void a_schema_that_does_not_fit_is_named_and_healed(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"ALTER TABLE t_card MODIFY name VARCHAR(51) NOT NULL",
		"ALTER TABLE t_card MODIFY name VARCHAR(50) NULL",
		"ALTER TABLE t_card MODIFY name INT NOT NULL",
		"ALTER TABLE t_card CHANGE name other VARCHAR(50) NOT NULL",
	};
	struct fy_db_options options = test_options();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		close_db();
		mariadb_fixture_sql(
			server,
			"CREATE OR REPLACE TABLE t_card (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL)");
		mariadb_fixture_sql(server, wrong[i]);
		assert_int_equal(fy_db_create(&options, &db), 0);
		spin_until(has_mismatch, 5000);
		assert_false(status_now().up);
		run_fibers(1, wait_ready, NULL, NULL);
	}
	mariadb_fixture_sql(
		server,
		"CREATE OR REPLACE TABLE t_card (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL)");
	spin_until(is_up, 10000);
	assert_false(status_now().schema_mismatch);
}

static bool has_two(void)
{
	return status_now().connections == 2;
}

static bool server_sees_two(void)
{
	return mariadb_fixture_number(
		       server,
		       "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'foyer' AND command = 'Sleep'") ==
	       2;
}

static void the_pool_has_the_connections_it_was_given(void **state)
{
	(void)state;
	spin_until(has_two, 5000);
	spin_until(server_sees_two, 5000); /* those of earlier tests go a little later than their sockets */
}

static bool is_denied(void)
{
	return strstr(status_now().last_error, "Access denied") != NULL;
}

static void failover_goes_to_the_host_that_lives(void **state)
{
	(void)state;
	struct mariadb_fixture *local = server;
	struct mariadb_fixture *other =
		mariadb_fixture_start(&(struct mariadb_fixture_options){ .accounts = true, .tcp = true });
	mariadb_fixture_sql(
		other, "CREATE USER app@'127.0.0.1' IDENTIFIED BY 'p4ss'; GRANT ALL ON foyer.* TO app@'127.0.0.1'");
	struct fy_db_host hosts[] = { { "127.0.0.1", 1 }, { "localhost", mariadb_fixture_port(other) } };
	struct fy_db_options options = { .hosts = hosts,
					 .host_count = 2,
					 .user = "app",
					 .database = "foyer",
					 .password = { FY_LIT("p4ss") },
					 .statements = &fy_sql_none };
	reopen(options);
	assert_string_equal(status_now().host, "localhost");
	mariadb_fixture_kill(other);
	spin_until(is_down, 2000);
	mariadb_fixture_start_again(other);
	spin_until(is_up, 10000);
	options.password.text = FY_LIT("wrong");
	close_db();
	assert_int_equal(fy_db_create(&options, &db), 0);
	spin_until(is_denied, 5000);
	close_db();
	mariadb_fixture_stop(other);
	server = local;
	open_db(test_options());
}

static void run_or_skip(const char *command)
{
	if (system(command) != 0) {
		print_message("skipped: openssl is not there\n");
		skip();
	}
}

static bool has_failed(void)
{
	return status_now().last_error[0] != '\0';
}

static bool is_refused_by_certificate(void)
{
	return strstr(status_now().last_error, "ertificate") != NULL;
}

/* The certificate is for the name localhost, signed by an authority of our own. */
static void a_certificate_must_be_right_for_the_name(void **state)
{
	(void)state;
	char dir[] = "/tmp/foyer-tls-XXXXXX", command[800], ca[64], args[3][80];
	assert_non_null(mkdtemp(dir));
	snprintf(
		command, sizeof command,
		"cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 9 "
		"-subj /CN=test-authority 2>/dev/null && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "
		"server.key -out server.csr -subj /CN=localhost 2>/dev/null && printf 'subjectAltName=DNS:localhost' > ext && "
		"openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 -extfile ext -out server.pem "
		"2>/dev/null && chmod 755 . && chmod 644 *.pem server.key",
		dir);
	run_or_skip(command);
	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(args[0], sizeof args[0], "--ssl-ca=%s/ca.pem", dir);
	snprintf(args[1], sizeof args[1], "--ssl-cert=%s/server.pem", dir);
	snprintf(args[2], sizeof args[2], "--ssl-key=%s/server.key", dir);
	const char *const extra[] = { args[0], args[1], args[2], NULL };
	struct mariadb_fixture *other = mariadb_fixture_start(
		&(struct mariadb_fixture_options){ .accounts = true, .tcp = true, .extra = extra });
	mariadb_fixture_sql(
		other,
		"CREATE USER app@'127.0.0.1' IDENTIFIED BY 'p4ss' REQUIRE SSL; GRANT ALL ON foyer.* TO app@'127.0.0.1'");
	struct fy_db_host host = { "localhost", mariadb_fixture_port(other) };
	struct fy_db_options options = { .hosts = &host,
					 .host_count = 1,
					 .user = "app",
					 .database = "foyer",
					 .password = { FY_LIT("p4ss") },
					 .statements = &fy_sql_none,
					 .tls = true,
					 .tls_verify = true,
					 .tls_ca = ca };
	reopen(options);
	/* From Connector/C 3.4 on a server may also prove itself by a hash over its certificate and the account's
	 * password, which this one does: then neither name nor authority need to be right. */
	if (mysql_get_client_version() >= 30400)
		goto done;
	host.name = "127.0.0.1"; /* the same server; its certificate does not say so */
	close_db();
	assert_int_equal(fy_db_create(&options, &db), 0);
	spin_until(is_refused_by_certificate, 5000);
	assert_false(status_now().up);
	options.tls_verify = false;
	reopen(options);
	options.tls_verify = true;
	options.tls_ca = "/dev/null"; /* an authority that nobody trusts */
	host.name = "localhost";
	close_db();
	assert_int_equal(fy_db_create(&options, &db), 0);
	spin_until(has_failed, 5000);
	assert_false(status_now().up);
done:
	close_db();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	mariadb_fixture_stop(other);
	snprintf(command, sizeof command, "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	open_db(test_options());
}

static void destroying_in_the_middle_of_an_attempt_is_clean(void **state)
{
	(void)state;
	struct fy_db_options options = test_options();
	for (int turns = 0; turns < 40; turns++) {
		close_db();
		assert_int_equal(fy_db_create(&options, &db), 0);
		for (int i = 0; i < turns; i++) {
			uv_run(uv_default_loop(), UV_RUN_NOWAIT);
			uv_sleep(turns % 3 == 0);
		}
	}
	struct fy_db_host silent = { "localhost", 1 };
	close_db();
	options = (struct fy_db_options){ .hosts = &silent, .host_count = 1, .user = "x", .database = "x" };
	assert_int_equal(fy_db_create(&options, &db), 0);
	uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	close_db();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	open_db(test_options());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DB_TEST(a_deadline_throws_the_connection_away),
		DB_TEST(a_full_queue_is_busy_at_once),
		DB_TEST(a_long_wait_in_the_queue_is_busy),
		DB_TEST(the_oldest_waiter_is_served_first),
		DB_TEST(the_pool_has_the_connections_it_was_given),
		DB_TEST(the_watchdog_ends_what_nobody_limits),
		DB_TEST(a_schema_that_does_not_fit_is_named_and_healed),
		DB_TEST(a_server_that_dies_is_noticed_and_its_return_heals),
		DB_TEST(statements_in_flight_and_in_the_queue_end_when_the_server_dies),
		DB_TEST(destroying_in_the_middle_of_an_attempt_is_clean),
		DB_TEST(a_certificate_must_be_right_for_the_name),
		DB_TEST(failover_goes_to_the_host_that_lives),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
