/* The client on a real Redis: replies of every kind, one write for many fibers, limits, deadlines, outages. */
#include <string.h>

#include "tests/unit/storage/test_redis_support.h"

static uint64_t flushes(void)
{
	struct fy_redis_status status;
	fy_redis_status(redis, &status);
	return status.flushes;
}

static uint64_t connects(void)
{
	struct fy_redis_status status;
	fy_redis_status(redis, &status);
	return status.connects;
}

/* ---- Replies ---- */

static void ask_all_types(struct task *t)
{
	int err;
	struct fy_redis_reply r = ask(t, &err, 3, "SET", "k", "v");
	CHECK_CODE(err, 0);
	CHECK(r.type == FY_REDIS_TEXT && fy_eq(r.text, FY_LIT("OK")));
	r = ask(t, &err, 2, "GET", "k");
	CHECK(err == 0 && r.type == FY_REDIS_TEXT && fy_eq(r.text, FY_LIT("v")));
	r = ask(t, &err, 2, "GET", "none");
	CHECK(err == 0 && r.type == FY_REDIS_NIL);
	r = ask(t, &err, 3, "DECRBY", "n", "9000000000");
	CHECK(err == 0 && r.type == FY_REDIS_INTEGER && r.integer == -9000000000);
	r = ask(t, &err, 4, "MGET", "k", "none", "n");
	CHECK(err == 0 && r.type == FY_REDIS_ARRAY && r.count == 3);
	CHECK(fy_eq(r.items[0].text, FY_LIT("v")) && r.items[1].type == FY_REDIS_NIL &&
	      fy_eq(r.items[2].text, FY_LIT("-9000000000")));
	r = ask(t, &err, 4, "EVAL", "return {1,{'a',{2}},{}}", "0", "");
	CHECK(err == 0 && r.count == 3 && r.items[0].integer == 1 && r.items[1].count == 2 && r.items[2].count == 0);
	CHECK(fy_eq(r.items[1].items[0].text, FY_LIT("a")) && r.items[1].items[1].items[0].integer == 2);
}

static void replies_of_all_types_arrive(void **state)
{
	(void)state;
	run_fiber(ask_all_types, NULL);
}

static void ask_binary(struct task *t)
{
	struct fy_slice raw = fy_slice("a\0b\r\n$3\r\n\xff", 10), empty = fy_slice(NULL, 0);
	struct fy_redis_reply r;
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("SET"), raw, raw }, 3, &r), 0);
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("GET"), raw }, 2, &r), 0);
	CHECK(fy_eq(r.text, raw));
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("SET"), FY_LIT("e"), empty }, 3, &r), 0);
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("GET"), FY_LIT("e") }, 2, &r), 0);
	CHECK(r.type == FY_REDIS_TEXT && r.text.len == 0);
}

static void bytes_pass_unchanged(void **state)
{
	(void)state;
	run_fiber(ask_binary, NULL);
}

static void ask_large(struct task *t)
{
	size_t size = 3 << 20; /* more than a socket takes at once, and than the link keeps */
	char *bytes = fy_alloc(&t->arena, size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 31 + t->index);
	struct fy_slice name = fy_fmt(&t->arena, "large%u", t->index), value = fy_slice(bytes, size);
	struct fy_redis_reply r;
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("SET"), name, value }, 3, &r), 0);
	CHECK_CODE(fy_redis_command(&t->ctx, (struct fy_slice[]){ FY_LIT("GET"), name }, 2, &r), 0);
	CHECK(fy_eq(r.text, value));
	struct fy_slice many[FY_REDIS_ARGS_MAX] = { FY_LIT("RPUSH"), fy_fmt(&t->arena, "list%u", t->index) };
	for (unsigned i = 2; i < FY_REDIS_ARGS_MAX; i++)
		many[i] = fy_fmt(&t->arena, "%u-%0200u", t->index, i);
	CHECK_CODE(fy_redis_command(&t->ctx, many, FY_REDIS_ARGS_MAX, &r), 0);
	CHECK_CODE(fy_redis_command(&t->ctx,
				    (struct fy_slice[]){ FY_LIT("LRANGE"), many[1], FY_LIT("0"), FY_LIT("-1") }, 4, &r),
		   0);
	CHECK(r.count == FY_REDIS_ARGS_MAX - 2);
	for (unsigned i = 2; i < FY_REDIS_ARGS_MAX; i++)
		CHECK(fy_eq(r.items[i - 2].text, many[i]));
}

static void large_values_and_long_lists_pass(void **state)
{
	(void)state;
	run_fibers(4, ask_large, NULL);
}

static void ask_wrongly(struct task *t)
{
	int err;
	ask(t, &err, 3, "SET", "k", "text");
	ask(t, &err, 2, "INCR", "k");
	CHECK_CODE(err, FY_ERR_INTERNAL);
	CHECK(t->ctx.fault && strstr(t->ctx.fault, "not an integer"));
	struct fy_redis_reply r = ask(t, &err, 2, "GET", "k");
	CHECK(err == 0 && fy_eq(r.text, FY_LIT("text")));
}

static void an_error_reply_concerns_its_command_alone(void **state)
{
	(void)state;
	run_fiber(ask_wrongly, NULL);
	assert_int_equal(connects(), 1);
}

/* ---- Many at once ---- */

/* As for the disk that is full (MISCONF) or a long script (BUSY): Redis is there, and cannot serve. */
static void ask_without_memory(struct task *t)
{
	int err;
	ask(t, &err, 4, "CONFIG", "SET", "maxmemory", "1");
	CHECK_CODE(err, 0);
	ask(t, &err, 3, "SET", "one", "more");
	CHECK_CODE(err, FY_ERR_REDIS_DOWN);
	CHECK(strstr(t->ctx.fault, "OOM"));
	ask(t, &err, 4, "CONFIG", "SET", "maxmemory", "0");
	CHECK_CODE(err, 0);
	ask(t, &err, 3, "SET", "one", "more");
	CHECK_CODE(err, 0);
}

static void a_redis_that_cannot_serve_counts_as_away(void **state)
{
	(void)state;
	run_fiber(ask_without_memory, NULL);
}

static void ask_own(struct task *t)
{
	char name[24], value[24];
	int err;
	snprintf(name, sizeof name, "own%u", t->index);
	snprintf(value, sizeof value, "value %u", t->index);
	ask(t, &err, 3, "SET", name, value);
	CHECK_CODE(err, 0);
	struct fy_redis_reply r = ask(t, &err, 2, "GET", name);
	CHECK_CODE(err, 0);
	CHECK(fy_eq(r.text, fy_str(value)));
	r = ask(t, &err, 2, "GETDEL", name);
	CHECK(err == 0 && fy_eq(r.text, fy_str(value)));
}

/* 6,000 commands. A turn's commands leave in one write; replies that the kernel splits cost a few more. */
static void two_thousand_fibers_get_their_own_replies_in_few_writes(void **state)
{
	(void)state;
	uint64_t before = flushes();
	run_fibers(2000, ask_own, NULL);
	assert_in_range(flushes() - before, 3, 300);
}

static void pipeline(struct task *t)
{
	struct fy_slice set[] = { FY_LIT("SET"), FY_LIT("p"), FY_LIT("1") },
			bad[] = { FY_LIT("LPUSH"), FY_LIT("p"), FY_LIT("x") }, incr[] = { FY_LIT("INCR"), FY_LIT("p") };
	struct fy_redis_call calls[] = { { set, 3 }, { bad, 3 }, { incr, 2 } };
	CHECK_CODE(fy_redis_pipeline(&t->ctx, calls, 3), FY_ERR_INTERNAL);
	CHECK(strstr(t->ctx.fault, "WRONGTYPE"));
	CHECK(calls[0].reply.type == FY_REDIS_TEXT && calls[1].reply.type == FY_REDIS_ERROR);
	CHECK(calls[2].reply.type == FY_REDIS_INTEGER && calls[2].reply.integer == 2);
}

static void a_pipeline_is_one_write_and_tells_the_first_error(void **state)
{
	(void)state;
	uint64_t before = flushes();
	run_fiber(pipeline, NULL);
	assert_int_equal(flushes() - before, 1);
}

static unsigned busy;

static void ask_when_full(struct task *t)
{
	int err;
	ask(t, &err, 2, "INCR", "counted");
	CHECK(err == 0 || err == FY_ERR_BUSY);
	busy += err == FY_ERR_BUSY;
}

static void past_the_cap_commands_are_refused_at_once(void **state)
{
	(void)state;
	struct fy_redis_options options = test_options();
	close_redis();
	options.outstanding_max = 10;
	open_redis(options);
	busy = 0;
	run_fibers(25, ask_when_full, NULL);
	assert_int_equal(busy, 15);
	assert_int_equal(redis_fixture_number(server, "GET counted"), 10);
	run_fibers(10, ask_when_full, NULL);
	assert_int_equal(busy, 15);
}

static void send_notes(struct task *t)
{
	int err;
	for (int i = 0; i < 100; i++)
		fy_redis_send(redis, (struct fy_slice[]){ FY_LIT("INCR"), FY_LIT("notes") }, 2);
	struct fy_redis_reply r = ask(t, &err, 2, "GET", "notes");
	CHECK(err == 0 && fy_eq(r.text, FY_LIT("100")));
}

static void notes_are_sent_in_order_without_waiting(void **state)
{
	(void)state;
	uint64_t before = flushes();
	run_fiber(send_notes, NULL);
	assert_int_equal(flushes() - before, 1);
}

/* ---- Outages ---- */

static void ask_down(struct task *t)
{
	int err;
	uint64_t start = uv_hrtime();
	ask(t, &err, 2, "GET", "k");
	CHECK_CODE(err, FY_ERR_REDIS_DOWN);
	CHECK(uv_hrtime() - start < 50000000); /* at once, and not after some limit */
}

static void ask_up(struct task *t)
{
	int err;
	ask(t, &err, 1, "PING");
	CHECK_CODE(err, 0);
}

static void a_killed_server_fails_at_once_and_heals(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		redis_fixture_kill(server);
		spin_until(redis_is_down, 5000);
		run_fibers(100, ask_down, NULL);
		redis_fixture_start_again(server);
		spin_until(redis_is_up, 5000);
		run_fibers(100, ask_up, NULL);
	}
	assert_int_equal(connects(), 4);
}

static void wait_for_push(struct task *t)
{
	int err;
	ask(t, &err, 3, "BLPOP", "never", "0");
	CHECK_CODE(err, FY_ERR_REDIS_DOWN);
}

static uv_timer_t later;

static void kill_it(uv_timer_t *timer)
{
	redis_fixture_kill(server);
	uv_close((uv_handle_t *)timer, NULL);
}

static void commands_under_way_fail_when_the_connection_breaks(void **state)
{
	(void)state;
	uv_timer_init(uv_default_loop(), &later);
	uv_timer_start(&later, kill_it, 30, 0);
	uint64_t start = uv_hrtime();
	run_fibers(50, wait_for_push, NULL);
	assert_true(uv_hrtime() - start < 1500000000); /* before any deadline */
	redis_fixture_start_again(server);
	spin_until(redis_is_up, 5000);
}

/* ---- Deadlines ---- */

static void ask_impatiently(struct task *t)
{
	int err;
	if (t->index == 0) { /* holds up all behind it for 300 ms */
		ask(t, &err, 3, "BLPOP", "never", "0.3");
		CHECK_CODE(err, FY_ERR_TIMEOUT);
		return;
	}
	t->ctx.deadline_ms = fy_loop_ms() + 5000;
	char name[24];
	snprintf(name, sizeof name, "%u", t->index);
	struct fy_redis_reply r = ask(t, &err, 2, "ECHO", name);
	CHECK_CODE(err, 0);
	CHECK(fy_eq(r.text, fy_str(name)));
}

static void an_impatient_fiber_does_not_take_the_others_connection(void **state)
{
	(void)state;
	timeout_ms = 50;
	run_fibers(20, ask_impatiently, NULL);
	assert_int_equal(connects(), 1);
}

static void ask_late(struct task *t)
{
	int err;
	t->ctx.deadline_ms = fy_loop_ms();
	ask(t, &err, 2, "INCR", "late");
	CHECK_CODE(err, FY_ERR_TIMEOUT);
}

static void past_the_deadline_nothing_is_sent(void **state)
{
	(void)state;
	run_fibers(10, ask_late, NULL);
	assert_int_equal(redis_fixture_number(server, "GET late"), -1);
	assert_int_equal(connects(), 1);
}

static void ask_frozen(struct task *t)
{
	int err;
	ask(t, &err, 1, "PING");
	CHECK_CODE(err, FY_ERR_TIMEOUT);
}

static void ask_frozen_again(struct task *t)
{
	int err;
	ask(t, &err, 1, "PING");
	CHECK_CODE(err, FY_ERR_REDIS_DOWN);
}

static void a_silent_server_is_given_up_after_the_limit(void **state)
{
	(void)state;
	struct fy_redis_options options = test_options();
	close_redis();
	options.command_timeout_ms = 150;
	options.connect_timeout_ms = 100;
	open_redis(options);
	redis_fixture_freeze(server, true);
	run_fibers(20, ask_frozen, NULL);
	assert_true(redis_is_down());
	run_fibers(20, ask_frozen_again, NULL);
	redis_fixture_freeze(server, false);
	spin_until(redis_is_up, 5000);
	run_fibers(20, ask_up, NULL);
	assert_int_equal(connects(), 2);
}

static void notes_to_a_silent_server_show_in_the_status(void **state)
{
	(void)state;
	struct fy_redis_options options = test_options();
	struct fy_redis_status status;
	close_redis();
	options.command_timeout_ms = 100;
	open_redis(options);
	redis_fixture_freeze(server, true);
	fy_redis_send(redis, (struct fy_slice[]){ FY_LIT("PING") }, 1);
	spin_until(redis_is_down, 5000);
	fy_redis_status(redis, &status);
	assert_string_equal(status.last_error, "no reply in time");
	redis_fixture_freeze(server, false);
	spin_until(redis_is_up, 5000);
}

static void close_under_way(struct task *t)
{
	int err;
	if (t->index == 9) {
		fy_redis_destroy(redis);
		return;
	}
	ask(t, &err, 3, "BLPOP", "never", "0");
	CHECK_CODE(err, FY_ERR_REDIS_DOWN);
}

static void closing_ends_the_commands_under_way(void **state)
{
	(void)state;
	run_fibers(10, close_under_way, NULL);
	open_redis(test_options());
	run_fiber(ask_up, NULL);
}

/* ---- Greeting ---- */

static void refusal(struct fy_redis_options options, const char *expected)
{
	struct fy_redis_status status;
	close_redis();
	assert_int_equal(fy_redis_create(&options, &redis), 0);
	do {
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		fy_redis_status(redis, &status);
	} while (strcmp(status.last_error, "not connected yet") == 0);
	assert_false(status.up);
	for (int i = 0; i < 100; i++) { /* the reason stays over the attempts that follow */
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		fy_redis_status(redis, &status);
		assert_non_null(strstr(status.last_error, expected));
	}
	run_fiber(ask_down, NULL);
}

static void credentials_are_needed_and_used(void **state)
{
	(void)state;
	struct fy_redis_options options = test_options();
	redis_fixture_number(server, "ACL SETUSER foyer on >sesame ~* +@all");
	redis_fixture_number(server, "ACL SETUSER default off");
	refusal(options, "NOAUTH");
	options.user = "foyer";
	options.password = (struct fy_secret){ FY_LIT("wrong") };
	refusal(options, "WRONGPASS");
	close_redis();
	options.password = (struct fy_secret){ FY_LIT("sesame") };
	open_redis(options);
	run_fiber(ask_up, NULL);
	redis_fixture_number(server, "ACL SETUSER default on");
}

static void set_here(struct task *t)
{
	int err;
	ask(t, &err, 3, "SET", "here", "1");
	CHECK_CODE(err, 0);
}

static void the_database_is_selected_or_the_start_refused(void **state)
{
	(void)state;
	struct fy_redis_options options = test_options();
	close_redis();
	options.db = 3;
	open_redis(options);
	run_fiber(set_here, NULL);
	assert_int_equal(redis_fixture_number(server, "EXISTS here"), 0);
	redis_fixture_number(server, "SELECT 3");
	assert_int_equal(redis_fixture_number(server, "EXISTS here"), 1);
	redis_fixture_number(server, "SELECT 0");
	options.db = 99; /* the server has 16 */
	refusal(options, "out of range");
}

static void nothing_listens(void **state)
{
	(void)state;
	struct fy_redis_options options = { .socket_path = "/nonexistent/socket",
					    .backoff_min_ms = 1,
					    .backoff_max_ms = 2 };
	refusal(options, "No such file");
	options = (struct fy_redis_options){ .host = "localhost", .port = 1, .backoff_min_ms = 1, .backoff_max_ms = 2 };
	refusal(options, "refused");
}

static void options_that_cannot_work_are_refused(void **state)
{
	(void)state;
	struct fy_redis *none = NULL;
	struct fy_redis_options options = { .port = 6379 };
	assert_int_equal(fy_redis_create(&options, &none), FY_ERR_INVALID);
#ifndef FOYER_HIREDIS_SSL
	options = (struct fy_redis_options){ .host = "localhost", .tls_ca = "/ca.pem" };
	assert_int_equal(fy_redis_create(&options, &none), FY_ERR_UNSUPPORTED);
#endif
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replies_of_all_types_arrive),
		TEST(bytes_pass_unchanged),
		TEST(large_values_and_long_lists_pass),
		TEST(an_error_reply_concerns_its_command_alone),
		TEST(a_redis_that_cannot_serve_counts_as_away),
		TEST(two_thousand_fibers_get_their_own_replies_in_few_writes),
		TEST(a_pipeline_is_one_write_and_tells_the_first_error),
		TEST(past_the_cap_commands_are_refused_at_once),
		TEST(notes_are_sent_in_order_without_waiting),
		TEST(a_killed_server_fails_at_once_and_heals),
		TEST(commands_under_way_fail_when_the_connection_breaks),
		TEST(an_impatient_fiber_does_not_take_the_others_connection),
		TEST(past_the_deadline_nothing_is_sent),
		TEST(a_silent_server_is_given_up_after_the_limit),
		TEST(notes_to_a_silent_server_show_in_the_status),
		TEST(closing_ends_the_commands_under_way),
		TEST(credentials_are_needed_and_used),
		TEST(the_database_is_selected_or_the_start_refused),
		TEST(nothing_listens),
		TEST(options_that_cannot_work_are_refused),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
