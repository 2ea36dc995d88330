/* Migrations: splitting, applying, resuming, refusing, and several servers at once. */
#include "tests/unit/storage/test_db.h"

#include <string.h>

#include "foyer/require.h"
#include "storage/migrate.h"

static void expect_split(const char *text, const char *const *expected, size_t count)
{
	struct fy_slice rest = fy_str(text), statement;
	for (size_t i = 0; i < count; i++) {
		assert_true(fy_migrate_split(&rest, &statement));
		if (!fy_eq(statement, fy_str(expected[i])))
			print_error("got <" FY_FMT ">, not <%s>\n", FY_ARG(statement), expected[i]);
		assert_true(fy_eq(statement, fy_str(expected[i])));
	}
	assert_false(fy_migrate_split(&rest, &statement));
}

#define EXPECT_SPLIT(text, ...)                                         \
	do {                                                            \
		static const char *const expected_[] = { __VA_ARGS__ }; \
		expect_split((text), expected_, FY_COUNT(expected_));   \
	} while (0)

static void statements_are_split_as_the_server_reads_them(void **state)
{
	(void)state;
	EXPECT_SPLIT("A;B ; C", "A", "B", "C");
	EXPECT_SPLIT(" -- c; c\nA -- x;y\n, b;\n# z;\nB;", "A -- x;y\n, b", "B");
	EXPECT_SPLIT("A 'x;''y' \"p;\\\"q\" `a;``b`; B", "A 'x;''y' \"p;\\\"q\" `a;``b`", "B");
	EXPECT_SPLIT("/* a; ' */ A /* ; */ x; /*/ ; */ B", "A /* ; */ x", "B");
	EXPECT_SPLIT("/*! A; */ ; B", "/*! A; */", "B");
	EXPECT_SPLIT("A /*M!100100 x;y */ /**/; B", "A /*M!100100 x;y */", "B");
	EXPECT_SPLIT("A --x; B", "A --x", "B");
	EXPECT_SPLIT("A 'open; B", "A 'open; B");
	EXPECT_SPLIT("A; -- only a comment", "A");
	EXPECT_SPLIT("A; /* open", "A");
	struct fy_slice rest = FY_NONE, statement;
	assert_false(fy_migrate_split(&rest, &statement));
	rest = FY_LIT(" ;; \n; ");
	assert_false(fy_migrate_split(&rest, &statement));
}

#define MIGRATION(n, title, sql, sum)                   \
	{                                               \
		n, title, { sql, sizeof(sql) - 1 }, sum \
	}
#define SUM_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SUM_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SUM_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define FIRST MIGRATION(1, "first", "CREATE TABLE m_a (x INT NOT NULL PRIMARY KEY); INSERT INTO m_a VALUES (1);", SUM_A)
#define SECOND                 \
	MIGRATION(2, "second", \
		  "-- adds a column; really\nALTER TABLE m_a ADD COLUMN y VARCHAR(9) NOT NULL DEFAULT 'a;b';", SUM_B)
#define THIRD MIGRATION(3, "third", "INSERT INTO m_a VALUES (2, 'z'); INSERT INTO m_a VALUES (3, 'z');", SUM_C)

static const struct fy_migration three[] = { FIRST, SECOND, THIRD };
static const struct fy_migration changed[] = {
	MIGRATION(1, "first", "CREATE TABLE m_a (x INT)", SUM_C),
	SECOND,
	THIRD,
};
static const struct fy_migration failing[] = {
	FIRST,
	MIGRATION(2, "broken",
		  "INSERT INTO m_a VALUES (10); ALTER TABLE m_b ADD COLUMN x INT; INSERT INTO m_a VALUES (11)", SUM_B),
};

static const struct fy_migration_list all = { three, 3 }, two = { three, 2 }, none = { NULL, 0 };
static const struct fy_migration_list with_change = { changed, 3 }, with_failure = { failing, 2 };

static struct fy_db_options where;
static unsigned progress;

static void on_applied(void *arg, const struct fy_migration *migration)
{
	(void)arg;
	progress += migration->number;
}

static int migrate(struct task *t, const struct fy_migration_list *list, unsigned *ret_applied)
{
	where = test_options();
	struct fy_migrate_options options = { .db = &where, .list = list, .applied = on_applied };
	return fy_migrate(&t->ctx, &options, ret_applied);
}

static int fresh(void **state)
{
	(void)state;
	db = NULL;
	progress = 0;
	mariadb_fixture_sql(server, "DROP DATABASE foyer; CREATE DATABASE foyer");
	return 0;
}

static void settle(void)
{
	for (int i = 0; i < 5; i++)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
}

static void apply_twice(struct task *t)
{
	unsigned applied = 99;
	CHECK_INT(migrate(t, &two, &applied), 0);
	CHECK_INT(applied, 2);
	CHECK_INT(migrate(t, &all, &applied), 0);
	CHECK_INT(applied, 1);
	CHECK_INT(migrate(t, &all, &applied), 0);
	CHECK_INT(applied, 0);
	struct fy_migration_status *list;
	size_t count = 0;
	where = test_options();
	struct fy_migrate_options options = { .db = &where, .list = &all };
	CHECK_INT(fy_migrate_status(&t->ctx, &options, &list, &count), 0);
	CHECK_INT(count, 3);
	CHECK_THAT(list[2].applied && list[2].statements_done == 2 && strcmp(list[2].name, "third") == 0);
	CHECK_THAT(llabs(list[0].applied_at - fy_clock()) < FY_MINUTE);
}

static void each_is_applied_once(void **state)
{
	(void)state;
	run_fibers(1, apply_twice, NULL, NULL);
	settle();
	assert_int_equal(mariadb_fixture_number(server, "SELECT SUM(x) FROM m_a WHERE y IN ('a;b', 'z')"), 6);
	assert_int_equal(progress, 6);
}

static void show_empty(struct task *t)
{
	struct fy_migration_status *list;
	size_t count = 0;
	where = test_options();
	struct fy_migrate_options options = { .db = &where, .list = &all };
	CHECK_INT(fy_migrate_status(&t->ctx, &options, &list, &count), 0);
	CHECK_INT(count, 3);
	CHECK_THAT(!list[0].applied && !list[2].applied && list[0].applied_at == 0);
	unsigned applied = 9;
	CHECK_INT(migrate(t, &none, &applied), 0);
	CHECK_INT(applied, 0);
}

static void an_empty_database_has_none(void **state)
{
	(void)state;
	run_fibers(1, show_empty, NULL, NULL);
	settle();
}

static void expect_refusal(struct task *t)
{
	const struct fy_migration_list *list = t->arg;
	CHECK_INT(migrate(t, list, NULL), FY_ERR_SCHEMA);
	printf("[          ] %s\n", t->ctx.fault);
}

static void a_newer_database_a_changed_file_and_a_gap_are_refused(void **state)
{
	(void)state;
	run_fibers(1, apply_twice, NULL, NULL);
	run_fibers(1, expect_refusal, (void *)&two, NULL);         /* newer */
	run_fibers(1, expect_refusal, (void *)&with_change, NULL); /* changed */
	mariadb_fixture_sql(server, "DELETE FROM schema_migration WHERE number = 2");
	run_fibers(1, expect_refusal, (void *)&all, NULL); /* missing */
	settle();
}

static void fail_in_the_middle(struct task *t)
{
	CHECK_INT(migrate(t, &with_failure, NULL), FY_ERR_SCHEMA);
	CHECK_THAT(strstr(t->ctx.fault, "0002_broken, statement 2") != NULL);
}

static void resume(struct task *t)
{
	unsigned applied;
	CHECK_INT(migrate(t, &with_failure, &applied), 0);
	CHECK_INT(applied, 1);
}

static void what_was_cut_off_goes_on_at_the_next_statement(void **state)
{
	(void)state;
	run_fibers(1, fail_in_the_middle, NULL, NULL);
	assert_int_equal(
		mariadb_fixture_number(server, "SELECT statements_done FROM schema_migration WHERE number = 2"), 1);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM m_a"), 2);
	mariadb_fixture_sql(server, "CREATE TABLE m_b (id INT NOT NULL)"); /* what statement 2 lacked */
	run_fibers(1, resume, NULL, NULL);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM m_a"), 3);
	assert_int_equal(mariadb_fixture_number(server, "SELECT x FROM m_b"), -1);
	settle();
}

static void race(struct task *t)
{
	unsigned applied = 0;
	t->ctx.deadline_ms = fy_loop_ms() + 30000;
	CHECK_INT(migrate(t, &all, &applied), 0);
	t->err = (int)applied;
}

static void servers_that_start_at_once_apply_each_file_once(void **state)
{
	(void)state;
	static struct task tasks[6];
	run_fibers(6, race, NULL, tasks);
	int applied = 0;
	for (int i = 0; i < 6; i++)
		applied += tasks[i].err;
	assert_int_equal(applied, 3);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM m_a"), 3);
	settle();
}

static void wait_in_vain(struct task *t)
{
	t->ctx.deadline_ms = fy_loop_ms() + 400;
	CHECK_INT(migrate(t, &all, NULL), FY_ERR_TIMEOUT);
	mariadb_fixture_sql(server, "UPDATE schema_lease SET until = UTC_TIMESTAMP(6) + INTERVAL 300000 MICROSECOND");
	t->ctx.deadline_ms = fy_loop_ms() + 5000;
	CHECK_INT(migrate(t, &all, NULL), 0);
}

static void a_dead_servers_lease_is_waited_for_and_then_taken(void **state)
{
	(void)state;
	run_fibers(1, show_empty, NULL, NULL);
	mariadb_fixture_sql(server,
			    "UPDATE schema_lease SET owner = 'somebody', until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR");
	run_fibers(1, wait_in_vain, NULL, NULL);
	settle();
}

static const struct fy_migration long_one[] = {
	MIGRATION(1, "long", "CREATE TABLE m_l (x INT); INSERT INTO m_l SELECT SLEEP(1.2); INSERT INTO m_l VALUES (1)",
		  SUM_A),
};
static const struct fy_migration_list long_list = { long_one, 1 };

static void with_short_lease(struct task *t)
{
	where = test_options();
	struct fy_migrate_options options = { .db = &where, .list = &long_list, .lease_ms = 400 };
	unsigned applied;
	CHECK_INT(fy_migrate(&t->ctx, &options, &applied), 0);
	t->err = (int)applied;
}

static void the_lease_is_kept_while_a_long_statement_runs(void **state)
{
	(void)state;
	static struct task tasks[2];
	run_fibers(2, with_short_lease, NULL, tasks);
	assert_int_equal(tasks[0].err + tasks[1].err, 1);
	assert_int_equal(mariadb_fixture_number(server, "SELECT COUNT(*) FROM m_l"), 2);
	settle();
}

static void down(struct task *t)
{
	struct fy_db_options nowhere = { .socket_path = "/nonexistent/sock", .user = "root", .database = "foyer" };
	struct fy_migrate_options options = { .db = &nowhere, .list = &all };
	t->ctx.deadline_ms = fy_loop_ms() + 200;
	CHECK_INT(fy_migrate(&t->ctx, &options, NULL), FY_ERR_DB_DOWN);
	CHECK_THAT(t->ctx.fault && strlen(t->ctx.fault) > 10);
}

static void a_server_that_is_away_is_said_so(void **state)
{
	(void)state;
	run_fibers(1, down, NULL, NULL);
	settle();
}

static void builtin(struct task *t)
{
	where = test_options();
	struct fy_migrate_options options = { .db = &where };
	int err = fy_migrate(&t->ctx, &options, NULL);
	if (err)
		fprintf(stderr, "%s\n", t->ctx.fault);
	CHECK_INT(err, 0);
	where.statements = NULL;
	CHECK_INT(fy_db_create(&where, &t->ctx.db), 0);
	err = fy_db_wait_ready(&t->ctx);
	if (err)
		fprintf(stderr, "%s\n", t->ctx.fault);
	CHECK_INT(err, 0);
	fy_db_destroy(t->ctx.db);
}

static void foyers_own_migrations_apply_and_all_its_statements_fit_them(void **state)
{
	(void)state;
	run_fibers(1, builtin, NULL, NULL);
	settle();
}

#define MIGRATE_TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_split_as_the_server_reads_them),
		MIGRATE_TEST(each_is_applied_once),
		MIGRATE_TEST(an_empty_database_has_none),
		MIGRATE_TEST(a_newer_database_a_changed_file_and_a_gap_are_refused),
		MIGRATE_TEST(what_was_cut_off_goes_on_at_the_next_statement),
		MIGRATE_TEST(servers_that_start_at_once_apply_each_file_once),
		MIGRATE_TEST(a_dead_servers_lease_is_waited_for_and_then_taken),
		MIGRATE_TEST(the_lease_is_kept_while_a_long_statement_runs),
		MIGRATE_TEST(a_server_that_is_away_is_said_so),
		MIGRATE_TEST(foyers_own_migrations_apply_and_all_its_statements_fit_them),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
