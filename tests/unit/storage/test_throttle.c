/* Delays after failed sign-ins, and rates. */
#include <string.h>

#include "storage/throttle.h"
#include "tests/unit/storage/test_redis_support.h"

static const uint8_t HOME[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 7 };
static const uint8_t CROOK[16] = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 9 };

enum outcome { FAIL, PASS, UNTRIED, NOTHING };

static struct fy_slice who;
static const uint8_t *from;
static enum outcome outcome;

static void do_attempt(struct task *t)
{
	int *wait = t->arg;
	unsigned seconds = 99;
	int err = fy_throttle_sign_in(&t->ctx, who, from, &seconds);
	CHECK(err == 0 || err == FY_ERR_LIMITED);
	CHECK((err == 0) == (seconds == 0));
	*wait = (int)seconds;
	if (err)
		return;
	if (outcome == FAIL) {
		fy_throttle_sign_in_failed(&t->ctx, who, from);
	} else if (outcome == PASS) {
		fy_throttle_sign_in_passed(&t->ctx, who);
		fy_throttle_sign_in_known(&t->ctx, who, from);
	} else if (outcome == UNTRIED) {
		CHECK_CODE(fy_throttle_sign_in_untried(&t->ctx, who, from), 0);
	}
}

/* One attempt now; the seconds it has to wait instead, or 0. */
static int attempt(enum outcome o, const uint8_t *address)
{
	int wait = -1;
	outcome = o;
	from = address;
	run_fiber(do_attempt, &wait);
	return wait;
}

static int setup(void **state)
{
	who = FY_LIT("the look-up hash of an account...");
	return empty_server(state);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_after)

static void delays_double_from_the_fifth_failure_up_to_a_minute(void **state)
{
	(void)state;
	static const int expected[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	for (size_t i = 0; i < FY_COUNT(expected); i++) {
		assert_int_equal(attempt(FAIL, HOME), expected[i]);
		now += (expected[i] - 1) * FY_SECOND;
		assert_int_equal(attempt(FAIL, HOME), 1);
		now += FY_SECOND;
		assert_int_equal(attempt(FAIL, HOME), 0);
	}
}

static void waiting_attempts_do_not_prolong_the_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++, now += 2 * FY_SECOND)
		assert_int_equal(attempt(FAIL, HOME), 0);
	now -= 2 * FY_SECOND;
	for (int i = 0; i < 50; i++)
		assert_int_equal(attempt(FAIL, HOME), 4);
	now += 4 * FY_SECOND;
	assert_int_equal(attempt(FAIL, HOME), 0);
}

static unsigned admitted;

static void do_rush(struct task *t)
{
	unsigned wait;
	admitted += fy_throttle_sign_in(&t->ctx, who, CROOK, &wait) == 0;
}

static void attempts_at_the_same_time_find_each_other(void **state)
{
	(void)state;
	admitted = 0;
	run_fibers(200, do_rush, NULL);
	assert_int_equal(admitted, 5);
}

static void a_success_forgets_the_accounts_failures(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	assert_int_equal(attempt(PASS, HOME), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	assert_int_equal(attempt(FAIL, HOME), 1);
}

static void what_was_not_tried_does_not_count(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(attempt(UNTRIED, HOME), 0);
	assert_int_equal(redis_fixture_number(server, "DBSIZE"), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(attempt(UNTRIED, HOME), 0);
	assert_int_equal(attempt(FAIL, HOME), 0);
	assert_int_equal(attempt(FAIL, HOME), 1);
}

static void accounts_do_not_share_their_failures(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	assert_int_equal(attempt(FAIL, HOME), 1);
	who = FY_LIT("another account");
	assert_int_equal(attempt(FAIL, HOME), 0);
}

static void a_crook_does_not_lock_the_holder_out(void **state)
{
	(void)state;
	assert_int_equal(attempt(PASS, HOME), 0);
	for (int i = 0; i < 40; i++) { /* never lets go */
		now += FY_SECOND;
		attempt(FAIL, CROOK);
	}
	assert_in_range(attempt(FAIL, CROOK), 1, 60);
	assert_int_equal(attempt(FAIL, HOME), 0); /* a slip */
	assert_int_equal(attempt(PASS, HOME), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(attempt(FAIL, HOME), 0);
	assert_int_equal(attempt(FAIL, HOME), 1); /* from there, too, only so many */
}

static void do_fail_another(struct task *t)
{
	char name[32];
	unsigned wait = 0;
	snprintf(name, sizeof name, "account %u", t->index);
	int err = fy_throttle_sign_in(&t->ctx, fy_str(name), CROOK, &wait);
	CHECK(err == 0 || (err == FY_ERR_LIMITED && wait >= 1 && wait <= 60));
	admitted += err == 0;
	fy_throttle_sign_in_failed(&t->ctx, fy_str(name), CROOK);
}

static void one_address_cannot_try_many_accounts(void **state)
{
	(void)state;
	admitted = 0;
	for (int i = 0; i < 3; i++)
		run_fibers(31, do_fail_another, NULL);
	assert_int_equal(admitted, 31);
	assert_in_range(attempt(NOTHING, CROOK), 1, 60);
	assert_int_equal(attempt(NOTHING, HOME), 0);
	now += FY_MINUTE; /* however many they were */
	assert_int_equal(attempt(NOTHING, CROOK), 0);
}

static void neighbours_in_one_ipv6_network_are_one(void **state)
{
	(void)state;
	uint8_t address[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	char name[16];
	admitted = 0;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "n%u", i);
		who = fy_str(name);
		address[15] = (uint8_t)i;
		admitted += attempt(FAIL, address) == 0;
	}
	assert_int_equal(admitted, 31);
	address[7] = 1; /* the next household */
	assert_int_equal(attempt(FAIL, address), 0);
}

struct rate {
	unsigned per_minute, burst, wait;
	int err;
	const uint8_t *address;
};

static void do_take(struct task *t)
{
	struct rate *r = t->arg;
	r->err = fy_throttle_take(&t->ctx, FY_LIT("contact"), r->address, r->per_minute, r->burst, &r->wait);
	admitted += r->err == 0;
}

static void a_bucket_gives_its_burst_then_its_rate(void **state)
{
	(void)state;
	struct rate r = { .per_minute = 6, .burst = 3, .address = HOME };
	admitted = 0;
	run_fibers(20, do_take, &r);
	assert_int_equal(admitted, 3);
	run_fiber(do_take, &r);
	assert_int_equal(r.err, FY_ERR_LIMITED);
	assert_int_equal(r.wait, 10);
	now += 9500 * (FY_SECOND / 1000);
	run_fiber(do_take, &r);
	assert_true(r.err == FY_ERR_LIMITED && r.wait == 1);
	now += FY_SECOND;
	run_fiber(do_take, &r);
	assert_int_equal(r.err, 0);
	run_fiber(do_take, &r);
	assert_int_equal(r.err, FY_ERR_LIMITED);
	r.address = CROOK;
	run_fiber(do_take, &r);
	assert_int_equal(r.err, 0);
}

static void do_mail(struct task *t)
{
	admitted += fy_throttle_mail(&t->ctx, FY_MAIL_NOTICE, *(struct fy_slice *)t->arg);
}

static void do_link(struct task *t)
{
	admitted += fy_throttle_mail(&t->ctx, FY_MAIL_LINK, *(struct fy_slice *)t->arg);
}

static void a_recipient_gets_a_few_mails_and_then_one_now_and_then(void **state)
{
	(void)state;
	struct fy_slice victim = FY_LIT("victim"), other = FY_LIT("other");
	admitted = 0;
	run_fibers(20, do_mail, &victim);
	assert_int_equal(admitted, 6);
	now += 19 * 60 * FY_SECOND;
	run_fiber(do_mail, &victim);
	assert_int_equal(admitted, 6);
	run_fiber(do_mail, &other);
	assert_int_equal(admitted, 7);
	now += 61 * FY_SECOND;
	run_fibers(3, do_mail, &victim);
	assert_int_equal(admitted, 8);
	run_fiber(do_link, &victim); /* notices do not use the links up */
	assert_int_equal(admitted, 9);
}

static void do_enter(struct task *t)
{
	unsigned wait_s;
	admitted += fy_throttle_entering(&t->ctx, *(uint64_t *)t->arg, 10, &wait_s) == 0;
}

static void a_member_enters_so_many_people_a_day(void **state)
{
	(void)state;
	uint64_t school = 7, other = 8;
	admitted = 0;
	run_fibers(15, do_enter, &school);
	assert_int_equal(admitted, 10);
	run_fiber(do_enter, &other);
	assert_int_equal(admitted, 11);
	now += 143 * 60 * FY_SECOND;
	run_fiber(do_enter, &school);
	assert_int_equal(admitted, 11);
	now += 2 * 60 * FY_SECOND; /* a tenth of a day */
	run_fibers(3, do_enter, &school);
	assert_int_equal(admitted, 12);
}

static void do_ask_away(struct task *t)
{
	unsigned wait;
	CHECK(fy_throttle_mail(&t->ctx, FY_MAIL_LINK, who));
	CHECK_CODE(fy_throttle_sign_in(&t->ctx, who, HOME, &wait), FY_ERR_REDIS_DOWN);
	CHECK_CODE(fy_throttle_take(&t->ctx, FY_LIT("contact"), HOME, 1, 1, &wait), 0);
	CHECK_CODE(fy_throttle_take(&t->ctx, FY_LIT("contact"), HOME, 1, 1, &wait), 0);
	fy_throttle_sign_in_failed(&t->ctx, who, HOME);
	fy_throttle_sign_in_passed(&t->ctx, who);
}

static void without_redis_sign_in_waits_and_rates_do_not(void **state)
{
	(void)state;
	redis_fixture_kill(server);
	spin_until(redis_is_down, 5000);
	run_fiber(do_ask_away, NULL);
	redis_fixture_start_again(server);
	spin_until(redis_is_up, 5000);
}

static void redis_knows_neither_address_nor_account(void **state)
{
	(void)state;
	long size;
	attempt(PASS, HOME);
	attempt(FAIL, HOME);
	char *dump = redis_fixture_dump(server, &size);
	assert_non_null(memmem(dump, (size_t)size, "thr:net:", 8));
	assert_null(memmem(dump, (size_t)size, who.ptr, 12));
	assert_null(memmem(dump, (size_t)size, HOME + 10, 6));
	assert_null(memmem(dump, (size_t)size, "192.0.2", 7));
	free(dump);
	char *keys = redis_fixture_text(server, "KEYS *"), *rest = keys, words[96];
	for (char *key; (key = strsep(&rest, "\n")) && *key;) { /* and forgets all */
		snprintf(words, sizeof words, "TTL %s", key);
		assert_in_range(redis_fixture_number(server, words), 1, 30 * 86400);
	}
	free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(delays_double_from_the_fifth_failure_up_to_a_minute),
		TEST(waiting_attempts_do_not_prolong_the_wait),
		TEST(attempts_at_the_same_time_find_each_other),
		TEST(a_success_forgets_the_accounts_failures),
		TEST(what_was_not_tried_does_not_count),
		TEST(accounts_do_not_share_their_failures),
		TEST(a_crook_does_not_lock_the_holder_out),
		TEST(one_address_cannot_try_many_accounts),
		TEST(neighbours_in_one_ipv6_network_are_one),
		TEST(a_bucket_gives_its_burst_then_its_rate),
		TEST(a_recipient_gets_a_few_mails_and_then_one_now_and_then),
		TEST(a_member_enters_so_many_people_a_day),
		TEST(without_redis_sign_in_waits_and_rates_do_not),
		TEST(redis_knows_neither_address_nor_account),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
