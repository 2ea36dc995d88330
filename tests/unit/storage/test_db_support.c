/* See test_db.h. */
#include "tests/unit/storage/test_db.h"

#include <signal.h>
#include <string.h>

struct mariadb_fixture *server;
struct fy_db *db;
unsigned failures;
static unsigned running, ended;

static const char tables[] =
	"CREATE OR REPLACE TABLE t_all (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, a8 TINYINT UNSIGNED NOT NULL,"
	" a16 SMALLINT UNSIGNED NOT NULL, a32 INT UNSIGNED NOT NULL, a64 BIGINT UNSIGNED NOT NULL, i BIGINT NOT NULL,"
	" flag BOOLEAN NOT NULL, name VARCHAR(20) NOT NULL, note VARCHAR(30) NULL, raw BINARY(4) NULL,"
	" token VARCHAR(40) CHARACTER SET ascii NULL, at DATETIME(6) NOT NULL, seen DATETIME(6) NULL, n INT UNSIGNED NULL,"
	" UNIQUE KEY by_name (name));"
	"CREATE OR REPLACE TABLE t_card (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL);"
	"CREATE OR REPLACE TABLE t_memo (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, memo TEXT NOT NULL);"
	"CREATE OR REPLACE TABLE t_counter (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, amount BIGINT NOT NULL);"
	"INSERT INTO t_counter VALUES (1, 0), (2, 0), (3, 0);"
	"CREATE OR REPLACE TABLE t_one (id BIGINT UNSIGNED NOT NULL PRIMARY KEY); INSERT INTO t_one VALUES (300), (5000);"
	"CREATE OR REPLACE VIEW t_slow AS SELECT id, SLEEP(id / 1000) AS nap FROM t_one;"
	"CREATE OR REPLACE TABLE t_message (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, subject VARCHAR(20) NOT NULL,"
	" at DATETIME(6) NOT NULL, UNIQUE KEY by_subject (subject));"
	"CREATE OR REPLACE TABLE t_mail (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
	" message_id BIGINT UNSIGNED NOT NULL, recipient VARCHAR(40) NULL)";

int start_server(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	server = mariadb_fixture_start(NULL);
	return fy_sched_init(uv_default_loop(), 5000);
}

int stop_server(void **state)
{
	(void)state;
	fy_sched_finish();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	int err = uv_loop_close(uv_default_loop());
	fy_arena_trim();
	mariadb_fixture_stop(server);
	return err;
}

struct fy_db_options test_options(void)
{
	return (struct fy_db_options){ .socket_path = mariadb_fixture_socket(server),
				       .user = "root",
				       .database = "foyer",
				       .statements = &fy_sql_test };
}

static bool db_is_up(void)
{
	struct fy_db_status status;
	fy_db_status(db, &status);
	return status.up;
}

void open_db(struct fy_db_options options)
{
	assert_int_equal(fy_db_create(&options, &db), 0);
	spin_until(db_is_up, 10000);
}

void close_db(void)
{
	fy_db_destroy(db);
	db = NULL;
	for (int i = 0; i < 3; i++)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
}

int empty_tables(void **state)
{
	(void)state;
	mariadb_fixture_sql(server, tables);
	open_db(test_options());
	return 0;
}

int close_after(void **state)
{
	(void)state;
	close_db();
	return 0;
}

static void fiber(void *arg)
{
	struct task *t = arg;
	t->run(t);
	t->done_order = ++ended;
	fy_arena_finish(&t->arena);
	running--;
}

void run_fibers(unsigned count, void (*run)(struct task *t), void *arg, struct task *ret_tasks)
{
	struct task *tasks = ret_tasks ? ret_tasks : calloc(count, sizeof *tasks);
	failures = ended = 0;
	running = count;
	uv_update_time(uv_default_loop());
	for (unsigned i = 0; i < count; i++) {
		struct task *t = &tasks[i];
		memset(t, 0, sizeof *t);
		fy_arena_init(&t->arena, 0);
		t->ctx.arena = &t->arena;
		t->ctx.db = db;
		t->ctx.now = fy_clock();
		t->ctx.deadline_ms = fy_loop_ms() + 10000;
		t->index = i;
		t->run = run;
		t->arg = arg;
		assert_int_equal(fy_fiber_start(fiber, t), 0);
	}
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	if (ret_tasks == NULL)
		free(tasks);
	assert_int_equal(failures, 0);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

void spin_until(bool (*condition)(void), unsigned limit_ms)
{
	uv_timer_t tick;
	uv_timer_init(uv_default_loop(), &tick);
	uv_timer_start(&tick, on_tick, 2, 2);
	uint64_t end = uv_hrtime() + (uint64_t)limit_ms * 1000000;
	while (!condition() && uv_hrtime() < end)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	assert_true(condition());
}
