/* See test_redis_support.h. */
#include "tests/unit/storage/test_redis_support.h"

#include <signal.h>
#include <string.h>

struct redis_fixture *server;
struct fy_redis *redis;
struct fy_config config;
fy_time now;
unsigned timeout_ms;

static struct fy_keys *keys;
static unsigned failures, running;

int start_server(void **state)
{
	uint8_t master[32] = { 7 };
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	server = redis_fixture_start(NULL);
	keys = fy_keys_from_bytes(master);
	return fy_sched_init(uv_default_loop(), 5000);
}

int stop_server(void **state)
{
	(void)state;
	fy_sched_finish();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	int err = uv_loop_close(uv_default_loop());
	fy_arena_trim();
	fy_keys_destroy(keys);
	redis_fixture_stop(server);
	return err;
}

struct fy_redis_options test_options(void)
{
	return (struct fy_redis_options){ .socket_path = redis_fixture_socket(server),
					  .backoff_min_ms = 5,
					  .backoff_max_ms = 20 };
}

bool redis_is_up(void)
{
	struct fy_redis_status status;
	fy_redis_status(redis, &status);
	return status.up;
}

bool redis_is_down(void)
{
	return !redis_is_up();
}

void open_redis(struct fy_redis_options options)
{
	assert_int_equal(fy_redis_create(&options, &redis), 0);
	spin_until(redis_is_up, 10000);
}

void close_redis(void)
{
	fy_redis_destroy(redis);
	redis = NULL;
	for (int i = 0; i < 3; i++)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
}

int empty_server(void **state)
{
	(void)state;
	redis_fixture_number(server, "FLUSHALL");
	config = (struct fy_config){ .sessions_idle_days = 14,
				     .sessions_absolute_days = 30,
				     .sessions_manager_minutes = 30 };
	now = NOON;
	timeout_ms = 10000;
	open_redis(test_options());
	return 0;
}

int close_after(void **state)
{
	(void)state;
	close_redis();
	return 0;
}

static void fiber(void *arg)
{
	struct task *t = arg;
	t->run(t);
	fy_arena_finish(&t->arena);
	running--;
}

void run_fibers(unsigned count, void (*run)(struct task *t), void *arg)
{
	struct task *tasks = calloc(count, sizeof *tasks);
	failures = 0;
	running = count;
	uv_update_time(uv_default_loop());
	for (unsigned i = 0; i < count; i++) {
		struct task *t = &tasks[i];
		fy_arena_init(&t->arena, 0);
		t->ctx = (struct fy_ctx){ .arena = &t->arena,
					  .redis = redis,
					  .keys = keys,
					  .config = &config,
					  .now = now,
					  .deadline_ms = fy_loop_ms() + timeout_ms };
		t->index = i;
		t->run = run;
		t->arg = arg;
		assert_int_equal(fy_fiber_start(fiber, t), 0);
	}
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
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

fy_async struct fy_redis_reply ask(struct task *t, int *ret_err, unsigned count, ...)
{
	struct fy_slice args[16];
	struct fy_redis_reply reply = { 0 };
	va_list list;
	va_start(list, count);
	for (unsigned i = 0; i < count && i < FY_COUNT(args); i++)
		args[i] = fy_str(va_arg(list, const char *));
	va_end(list);
	*ret_err = fy_redis_command(&t->ctx, args, count, &reply);
	return reply;
}

void check_failed(struct task *t, const char *file, int line, const char *what, int code)
{
	fprintf(stderr, "%s:%d: fiber %u: not so: %s; %d (%s)%s%s\n", file, line, t->index, what, code,
		fy_strerror(code), t->ctx.fault ? "; " : "", t->ctx.fault ? t->ctx.fault : "");
	failures++;
}
