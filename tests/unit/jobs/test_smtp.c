/* The SMTP client: what becomes of a message under each reply, and a loop that never stands still. TLS is curl's;
 * here only that it is asked for. */
#include "tests/unit/jobs/harness.h"

#include <string.h>
#include <uv.h>

#include "jobs/smtp.h"
#include "tests/unit/jobs/fake_smtp.h"

#define LAG_MAX_MS 250 /* a blocking QUIT takes seconds */

static struct {
	struct fake_smtp *server;
	struct fy_smtp_options options;
	struct fy_smtp *client;
	struct fy_smtp_result result;
	char reason[200]; /* of the result, which is gone with its arena */
	int err;
	unsigned done;
	uint64_t tick_ms, lag_ms;
} x;

static const char message[] =
	"From: a@example.org\r\nSubject: x\r\n\r\nHello\r\n.hidden dot\r\nhttps://example.org/?t=1\r\n";

static void on_tick(uv_timer_t *timer)
{
	uint64_t now = uv_hrtime() / 1000000;
	(void)timer;
	if (x.tick_ms && now - x.tick_ms > x.lag_ms)
		x.lag_ms = now - x.tick_ms;
	x.tick_ms = now;
}

static void send_one(struct task *t)
{
	x.err = fy_smtp_send(&t->ctx, x.client, FY_LIT("no-reply@example.org"),
			     (struct fy_personal){ FY_LIT("secret@example.org") },
			     (struct fy_secret){ fy_slice(message, sizeof message - 1) }, &x.result);
	snprintf(x.reason, sizeof x.reason, FY_FMT, FY_ARG(x.result.reason));
	x.done += x.err == 0;
}

static void create(struct task *t)
{
	CHECK_CODE(fy_smtp_create(&x.options, &x.client), 0);
}

static void destroy(struct task *t)
{
	(void)t;
	fy_smtp_destroy(x.client);
}

/* `count` messages at the same time through one client, then, where `afterwards` is not FAKE_MOODS, one more of it in
 * that mood, and its end. The loop is watched all the while. */
static void exchange_twice(unsigned count, enum fake_mood afterwards)
{
	uv_timer_t tick;

	x.tick_ms = x.lag_ms = 0;
	run_tasks(1, create, NULL);
	uv_timer_init(fy_loop(), &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	run_tasks(count, send_one, NULL);
	if (afterwards != FAKE_MOODS) {
		fake_smtp_mood(x.server, afterwards);
		run_tasks(1, send_one, NULL);
	}
	run_tasks(1, destroy, NULL);
	on_tick(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	spin_ms(1);
	assert_in_range(x.lag_ms, 0, LAG_MAX_MS);
}

static void exchange(unsigned count)
{
	exchange_twice(count, FAKE_MOODS);
}

static int begin(void **state)
{
	(void)state;
	memset(&x, 0, sizeof x);
	x.server = fake_smtp_start(FAKE_ACCEPTS);
	x.options = (struct fy_smtp_options){
		.url = fake_smtp_url(x.server), .tls = FY_MAIL_TLS_OFF, .connect_ms = 2000, .total_ms = 3000
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	fake_smtp_stop(x.server);
	return 0;
}

static void with_mood(enum fake_mood mood)
{
	fake_smtp_mood(x.server, mood);
	exchange(1);
}

static void assert_outcome(int code, bool permanent)
{
	assert_int_equal(x.err, FY_ERR_IO);
	assert_int_equal(x.result.code, code);
	assert_int_equal(x.result.permanent, permanent);
	assert_true(strlen(x.reason) > 0);
	assert_null(strstr(x.reason, "example.org"));
}

static void a_message_arrives_as_it_is(void **state)
{
	(void)state;
	with_mood(FAKE_ACCEPTS);
	assert_int_equal(x.err, 0);
	char *said = fake_smtp_dialogue(x.server);
	assert_non_null(strstr(said, "MAIL FROM:<no-reply@example.org>"));
	assert_non_null(strstr(said, "RCPT TO:<secret@example.org>\r\nDATA\r\n"));
	assert_non_null(
		strstr(said, "\r\nHello\r\n..hidden dot\r\nhttps://example.org/?t=1\r\n.\r\n")); /* RFC 5321 4.5.2 */
	assert_non_null(strstr(said, "QUIT\r\n"));
	free(said);
}

static void one_client_serves_many_and_keeps_a_connection(void **state)
{
	(void)state;
	exchange(16);
	exchange_twice(1, FAKE_ACCEPTS);
	assert_int_equal(x.done, 18);
	assert_int_equal(fake_smtp_accepted(x.server), 18);
	assert_int_equal(fake_smtp_connections(x.server), 17); /* the last two shared one */
	assert_int_equal(fake_smtp_commands(x.server, "QUIT"), 17);
}

static void a_refusal_for_now_is_not_permanent(void **state)
{
	(void)state;
	with_mood(FAKE_451_AT_RCPT);
	assert_outcome(451, false);
	assert_int_equal(fake_smtp_commands(x.server, "QUIT"), 1);
}

static void a_refusal_for_ever_is_permanent(void **state)
{
	(void)state;
	with_mood(FAKE_550_AT_RCPT);
	assert_outcome(550, true);
}

static void so_is_one_of_the_content(void **state)
{
	(void)state;
	with_mood(FAKE_554_AFTER_DATA);
	assert_outcome(554, true);
}

static void but_not_one_for_now_of_the_content(void **state)
{
	(void)state;
	with_mood(FAKE_451_AFTER_DATA);
	assert_outcome(451, false);
}

/* These would refuse any message: the operator mends the settings, and no mail is thrown away meanwhile. */
static void a_refusal_of_the_session_is_not_permanent(void **state)
{
	(void)state;
	with_mood(FAKE_554_GREETING);
	assert_outcome(554, false);
	with_mood(FAKE_530_AT_MAIL);
	assert_outcome(530, false);
	x.options.user = "foyer";
	x.options.password = (struct fy_secret){ FY_LIT("open sesame") };
	with_mood(FAKE_535_AT_AUTH);
	assert_outcome(535, false);
	assert_int_equal(fake_smtp_commands(x.server, "RCPT"), 0);
}

static void sign_in_comes_first(void **state)
{
	(void)state;
	x.options.user = "foyer";
	x.options.password = (struct fy_secret){ FY_LIT("open sesame") };
	with_mood(FAKE_ACCEPTS);
	assert_int_equal(x.err, 0);
	char *said = fake_smtp_dialogue(x.server);
	const char *auth = strstr(said, "AUTH PLAIN"), *mail = strstr(said, "MAIL FROM");
	assert_true(auth && mail && auth < mail);
	free(said);
}

static void silence_ends_at_the_time_limit(void **state)
{
	(void)state;
	x.options.total_ms = 400;
	with_mood(FAKE_SILENT);
	assert_outcome(0, false);
}

static void silence_after_the_message_does_not_make_it_refused(void **state)
{
	(void)state;
	x.options.total_ms = 400;
	with_mood(FAKE_SILENT_AFTER_DATA);
	assert_outcome(0, false);
}

static void a_server_that_leaves_quit_unanswered_does_not_hold_the_loop(void **state)
{
	(void)state;
	with_mood(FAKE_450_THEN_SILENT);
	assert_outcome(450, false);
}

static void after_any_failure_the_client_goes_on(void **state)
{
	(void)state;
	x.options.total_ms = 400;
	for (enum fake_mood mood = FAKE_451_AT_RCPT; mood < FAKE_MOODS; mood++) {
		if (mood == FAKE_535_AT_AUTH)
			continue; /* needs a user, who is then accepted */
		fake_smtp_mood(x.server, mood);
		x.done = 0;
		exchange_twice(3, FAKE_ACCEPTS);
		assert_int_equal(x.err, 0);
		assert_int_equal(x.done, 1);
	}
}

static void a_broken_connection_is_tried_again(void **state)
{
	(void)state;
	with_mood(FAKE_HANGS_UP_AT_DATA);
	assert_int_equal(x.err, FY_ERR_IO);
	assert_false(x.result.permanent);
}

static void without_a_server_it_fails_for_now(void **state)
{
	char url[64];

	(void)state;
	struct fake_smtp *gone = fake_smtp_start(FAKE_ACCEPTS);
	snprintf(url, sizeof url, "%s", fake_smtp_url(gone));
	fake_smtp_stop(gone);
	x.options.url = url;
	exchange(1);
	assert_outcome(0, false);
}

static void required_tls_never_goes_without(void **state)
{
	(void)state;
	x.options.tls = FY_MAIL_TLS_REQUIRED;
	with_mood(FAKE_ACCEPTS); /* offers no STARTTLS */
	assert_int_equal(x.err, FY_ERR_IO);
	assert_false(x.result.permanent);
	assert_int_equal(fake_smtp_commands(x.server, "MAIL"), 0);
	assert_int_equal(fake_smtp_accepted(x.server), 0);
}

static void opportunistic_tls_goes_without_where_none_is_offered(void **state)
{
	(void)state;
	x.options.tls = FY_MAIL_TLS_OPPORTUNISTIC;
	with_mood(FAKE_ACCEPTS);
	assert_int_equal(x.err, 0);
}

static void expect_config_error(struct task *t)
{
	x.options.url = "http://127.0.0.1";
	CHECK_CODE(fy_smtp_create(&x.options, &x.client), FY_ERR_CONFIG);
	x.options.url = "";
	CHECK_CODE(fy_smtp_create(&x.options, &x.client), FY_ERR_CONFIG);
}

static void only_smtp_addresses_are_taken(void **state)
{
	(void)state;
	run_tasks(1, expect_config_error, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_arrives_as_it_is),
		TEST(one_client_serves_many_and_keeps_a_connection),
		TEST(a_refusal_for_now_is_not_permanent),
		TEST(a_refusal_for_ever_is_permanent),
		TEST(so_is_one_of_the_content),
		TEST(but_not_one_for_now_of_the_content),
		TEST(a_refusal_of_the_session_is_not_permanent),
		TEST(sign_in_comes_first),
		TEST(silence_ends_at_the_time_limit),
		TEST(silence_after_the_message_does_not_make_it_refused),
		TEST(a_server_that_leaves_quit_unanswered_does_not_hold_the_loop),
		TEST(after_any_failure_the_client_goes_on),
		TEST(a_broken_connection_is_tried_again),
		TEST(without_a_server_it_fails_for_now),
		TEST(required_tls_never_goes_without),
		TEST(opportunistic_tls_goes_without_where_none_is_offered),
		TEST(only_smtp_addresses_are_taken),
	};
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
