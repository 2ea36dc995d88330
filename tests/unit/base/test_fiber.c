/* Fibers: waits, deadlines, the ready list, stacks; and the awaits of await.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/require.h"

static uv_loop_t loop;
static struct fy_arena arena;

static int set_up(void **state)
{
	(void)state;
	uv_loop_init(&loop);
	fy_arena_init(&arena, 0);
	return fy_sched_init(&loop, 5000);
}

static int tear_down(void **state)
{
	(void)state;
	fy_sched_finish();
	uv_run(&loop, UV_RUN_DEFAULT);
	fy_arena_finish(&arena);
	fy_arena_trim();
	return uv_loop_close(&loop);
}

static struct fy_ctx ctx_for(uint64_t ms)
{
	return (struct fy_ctx){ .arena = &arena, .deadline_ms = fy_loop_ms() + ms };
}

/* ---- A callback wakes a fiber, but the fiber runs in the loop's hook, never inside the callback. ---- */

static struct {
	struct fy_wait wait;
	bool in_callback, ran_in_callback;
	int result;
} wake;

static void wake_later(uv_timer_t *timer)
{
	wake.in_callback = true;
	fy_wait_done(&wake.wait, 42);
	wake.in_callback = false;
	uv_close((uv_handle_t *)timer, NULL);
}

static void wait_for_timer(void *arg)
{
	(void)arg;
	wake.result = fy_wait(&wake.wait, fy_loop_ms() + 5000);
	wake.ran_in_callback = wake.in_callback;
}

static void a_callback_wakes_but_does_not_run_a_fiber(void **state)
{
	(void)state;
	uv_timer_t timer;
	memset(&wake, 0, sizeof wake);
	uv_timer_init(&loop, &timer);
	assert_int_equal(fy_fiber_start(wait_for_timer, NULL), 0);
	uv_timer_start(&timer, wake_later, 5, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(wake.result, 42);
	assert_false(wake.ran_in_callback);
}

/* ---- A deadline ends the wait, and the late callback finds it abandoned. ---- */

static struct {
	struct fy_wait *wait;
	int result;
	uint64_t took_ms;
} late;

static void wait_in_vain(void *arg)
{
	(void)arg;
	uint64_t start = fy_loop_ms();
	late.wait = calloc(1, sizeof *late.wait);
	late.result = fy_wait(late.wait, start + 30);
	late.took_ms = fy_loop_ms() - start;
}

static void a_passed_deadline_abandons_the_wait(void **state)
{
	(void)state;
	fy_fiber_start(wait_in_vain, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(late.result, FY_ERR_TIMEOUT);
	assert_true(late.took_ms >= 29);
	assert_int_equal(late.wait->state, FY_WAIT_ABANDONED);
	fy_wait_done(late.wait, 7); /* the operation's callback, at last: must touch no fiber */
	assert_int_equal(late.wait->state, FY_WAIT_ABANDONED);
	free(late.wait);
}

static void wait_with_past_deadline(void *arg)
{
	struct fy_wait wait = { 0 };
	*(int *)arg = fy_wait(&wait, 0);
}

static void a_deadline_in_the_past_does_not_park(void **state)
{
	(void)state;
	int result = 0;
	fy_fiber_start(wait_with_past_deadline, &result);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(result, FY_ERR_TIMEOUT);
}

static void wait_for_what_is_done(void *arg)
{
	struct fy_wait wait = { 0 };
	fy_wait_done(&wait, 9);
	*(int *)arg = fy_wait(&wait, fy_loop_ms() + 1000);
}

static void a_wait_that_was_done_first_returns_at_once(void **state)
{
	(void)state;
	int result = 0;
	fy_fiber_start(wait_for_what_is_done, &result);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(result, 9);
}

/* ---- Many fibers; each keeps its own locals across parks. ---- */

#define MANY 3000
static unsigned finished;

static void sleep_and_check(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg, squares[16];
	struct fy_ctx ctx = ctx_for(20000);
	for (unsigned i = 0; i < 16; i++)
		squares[i] = number * i;
	for (unsigned round = 0; round < 3; round++) {
		FY_REQUIRE(fy_sleep(&ctx, 1 + number % 7) == 0);
		for (unsigned i = 0; i < 16; i++)
			FY_REQUIRE(squares[i] == number * i);
	}
	finished++;
}

static void three_thousand_fibers_keep_their_own_stacks(void **state)
{
	(void)state;
	struct fy_sched_stats stats;
	finished = 0;
	for (uintptr_t i = 0; i < MANY; i++)
		assert_int_equal(fy_fiber_start(sleep_and_check, (void *)i), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(finished, MANY);
	fy_sched_stats(&stats);
	assert_int_equal(stats.live, 0);
	assert_true(stats.peak == MANY);
	assert_true(stats.pooled <= 256); /* a burst's stacks go back to the system */
}

static void nothing(void *arg)
{
	(void)arg;
}

static void starting_more_than_the_maximum_is_busy(void **state)
{
	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(fy_fiber_start(nothing, NULL), 0);
	assert_int_equal(fy_fiber_start(nothing, NULL), FY_ERR_BUSY);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(fy_fiber_start(nothing, NULL), 0);
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* ---- Two fibers that wake each other do not keep the loop from its timers. ---- */

static struct {
	struct fy_wait ping, pong;
	bool stop;
	unsigned rounds;
} game;

static void play_ping(void *arg)
{
	(void)arg;
	while (!game.stop) {
		game.rounds++;
		fy_wait_done(&game.pong, 0);
		fy_wait(&game.ping, fy_loop_ms() + 10000);
		game.ping = (struct fy_wait){ 0 };
	}
	fy_wait_done(&game.pong, 0);
}

static void play_pong(void *arg)
{
	(void)arg;
	while (!game.stop) {
		fy_wait(&game.pong, fy_loop_ms() + 10000);
		game.pong = (struct fy_wait){ 0 };
		fy_wait_done(&game.ping, 0);
	}
}

static void end_game(uv_timer_t *timer)
{
	game.stop = true;
	uv_close((uv_handle_t *)timer, NULL);
}

static void busy_fibers_do_not_starve_the_loop(void **state)
{
	(void)state;
	uv_timer_t timer;
	memset(&game, 0, sizeof game);
	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, end_game, 20, 0);
	fy_fiber_start(play_ping, NULL);
	fy_fiber_start(play_pong, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(game.stop);
	assert_true(game.rounds > 10);
}

/* ---- Thread pool and children ---- */

static void square(void *arg)
{
	int *number = arg;
	*number *= *number;
}

static void use_the_pool(void *arg)
{
	struct fy_ctx ctx = ctx_for(5000);
	FY_REQUIRE(fy_await_work(&ctx, square, arg) == 0);
}

static void work_runs_on_the_pool_and_wakes_its_fiber(void **state)
{
	(void)state;
	int number = 12;
	fy_fiber_start(use_the_pool, &number);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(number, 144);
}

struct child_case {
	const char *script;
	struct fy_slice input;
	uint64_t limit_ms;
	int err, status;
	struct fy_slice output;
};

static void run_child(void *arg)
{
	struct child_case *c = arg;
	struct fy_ctx ctx = ctx_for(c->limit_ms);
	char *argv[] = { "sh", "-c", (char *)c->script, NULL };
	struct fy_child child = { .file = "/bin/sh", .argv = argv, .input = c->input, .output_max = 100 };
	c->err = fy_await_child(&ctx, &child, &c->status, &c->output);
}

static void a_child_gets_input_and_gives_output_and_status(void **state)
{
	(void)state;
	struct child_case c = { .script = "tr a-z A-Z; exit 3", .input = FY_LIT("bonjour"), .limit_ms = 10000 };
	fy_fiber_start(run_child, &c);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.status, 3);
	assert_int_equal(c.output.len, 7);
	assert_memory_equal(c.output.ptr, "BONJOUR", 7);
}

static void a_child_past_its_deadline_is_killed(void **state)
{
	(void)state;
	struct child_case c = { .script = "exec sleep 30", .limit_ms = 100 };
	fy_fiber_start(run_child, &c);
	uint64_t start = uv_hrtime();
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(c.err, FY_ERR_TIMEOUT);
	assert_true(uv_hrtime() - start < 20000000000u);
}

static void output_past_its_maximum_is_cut(void **state)
{
	(void)state;
	struct child_case c = { .script = "head -c 100000 /dev/zero", .limit_ms = 10000 };
	fy_fiber_start(run_child, &c);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(c.err, 0);
	assert_int_equal(c.output.len, 100);
}

static void run_missing(void *arg)
{
	struct fy_ctx ctx = ctx_for(5000);
	char *argv[] = { "missing", NULL };
	struct fy_child child = { .file = "/nonexistent/program", .argv = argv };
	int status;
	*(int *)arg = fy_await_child(&ctx, &child, &status, NULL);
}

static void a_program_that_does_not_exist_is_an_error(void **state)
{
	(void)state;
	int err = 0;
	fy_fiber_start(run_missing, &err);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(err, UV_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_callback_wakes_but_does_not_run_a_fiber, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_passed_deadline_abandons_the_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deadline_in_the_past_does_not_park, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wait_that_was_done_first_returns_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(three_thousand_fibers_keep_their_own_stacks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(starting_more_than_the_maximum_is_busy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(busy_fibers_do_not_starve_the_loop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(work_runs_on_the_pool_and_wakes_its_fiber, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_child_gets_input_and_gives_output_and_status, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_child_past_its_deadline_is_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(output_past_its_maximum_is_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_program_that_does_not_exist_is_an_error, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
