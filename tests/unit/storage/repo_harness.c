/* The stage of the repositories' tests (repo_harness.h). */
#include "tests/unit/storage/repo_harness.h"

#include "storage/db.h"
#include "storage/instance.h"
#include "storage/keys.h"
#include "storage/migrate.h"
#include "tests/support/given_person.h"
#include "tests/support/mariadb_fixture.h"

#define CLIENTS 2
#define WORKERS_MAX 64
#define DEADLINE_MS 20000

static struct {
	uv_loop_t loop;
	struct mariadb_fixture *server;
	struct fy_db *clients[CLIENTS];
	struct fy_keys *keys;
	unsigned failures;
	unsigned alive;
} h;

void check_failed(struct worker *w, const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: worker %u: not so: %s%s%s\n", file, line, w->index, what, w->ctx.fault ? "; " : "",
		w->ctx.fault ? w->ctx.fault : "");
	h.failures++;
}

void check_code_failed(struct worker *w, const char *file, int line, const char *what, int code, int expected)
{
	fprintf(stderr, "%s:%d: worker %u: %s gave %d (%s), not %d (%s)%s%s\n", file, line, w->index, what, code,
		fy_strerror(code), expected, fy_strerror(expected), w->ctx.fault ? "; " : "",
		w->ctx.fault ? w->ctx.fault : "");
	h.failures++;
}

static void run_worker(void *arg)
{
	struct worker *w = arg;
	w->run(w);
	w->ended = true;
	h.alive--;
}

void run_at(fy_time now, unsigned count, void (*run)(struct worker *w), void *arg)
{
	static struct worker workers[WORKERS_MAX];
	assert_in_range(count, 1, WORKERS_MAX);
	h.failures = 0;
	h.alive = count;
	uv_update_time(&h.loop);
	for (unsigned i = 0; i < count; i++) {
		struct worker *w = &workers[i];
		*w = (struct worker){ .index = i, .arg = arg, .run = run };
		fy_arena_init(&w->arena, 0);
		w->ctx = (struct fy_ctx){ .arena = &w->arena,
					  .deadline_ms = fy_loop_ms() + DEADLINE_MS,
					  .now = now,
					  .db = h.clients[i % CLIENTS],
					  .keys = h.keys };
		assert_int_equal(fy_fiber_start(run_worker, w), 0);
	}
	while (h.alive)
		uv_run(&h.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < count; i++)
		fy_arena_finish(&workers[i].arena);
	assert_int_equal(h.failures, 0);
}

void run_all(unsigned count, void (*run)(struct worker *w), void *arg)
{
	run_at(NOON, count, run, arg);
}

long long number(const char *query)
{
	return mariadb_fixture_number(h.server, query);
}

void change(const char *statement)
{
	mariadb_fixture_sql(h.server, statement);
}

struct fy_slice hash_of(struct fy_arena *arena, const char *name)
{
	char *hash = fy_zalloc(arena, 32);
	size_t len = strlen(name);
	memcpy(hash, name, len < 32 ? len : 32);
	return fy_slice(hash, 32);
}

int empty_tables(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM contact_message; DELETE FROM one_time_token; DELETE FROM account; "
	       "DELETE FROM job_lease; DELETE FROM rights_request; DELETE FROM foyer_keys.person_key; "
	       "DELETE FROM access_log; UPDATE access_chain SET start_id = 0, start_hash = REPEAT(CHAR(0), 32), "
	       "last_id = 0, last_hash = REPEAT(CHAR(0), 32), seal = REPEAT(CHAR(0), 32)");
	return 0;
}

static void migrate_and_wait(struct worker *w)
{
	const struct fy_db_options *options = w->arg;
	unsigned applied = 0;
	CHECK_CODE(fy_migrate(&w->ctx, &(struct fy_migrate_options){ .db = options }, &applied), 0);
	CHECK(applied >= 5);
	for (unsigned i = 0; i < CLIENTS; i++) {
		int err = fy_db_create(options, &h.clients[i]);
		CHECK_CODE(err, 0);
		w->ctx.db = h.clients[i];
		CHECK_CODE(fy_db_wait_ready(&w->ctx), 0);
	}
	CHECK_CODE(fy_instance_check_key(&w->ctx), 0);
}

int harness_start(void **state)
{
	(void)state;
	h.server = mariadb_fixture_start(NULL);
	uv_loop_init(&h.loop);
	if (fy_sched_init(&h.loop, WORKERS_MAX + 8))
		return -1;
	struct fy_db_options options = {
		.socket_path = mariadb_fixture_socket(h.server), .user = "root", .database = "foyer", .pool_size = 4
	};
	h.keys = given_keys();
	run_at(NOON, 1, migrate_and_wait, &options);
	return 0;
}

int harness_stop(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CLIENTS; i++)
		fy_db_destroy(h.clients[i]);
	uv_run(&h.loop, UV_RUN_DEFAULT);
	fy_sched_finish();
	uv_run(&h.loop, UV_RUN_DEFAULT);
	fy_arena_trim();
	fy_keys_destroy(h.keys);
	mariadb_fixture_stop(h.server);
	return uv_loop_close(&h.loop);
}
