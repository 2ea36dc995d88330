/* The outbox: no mail is claimed twice at a time, none is lost, and nothing remains of those that are done. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/outbox.h"

#define MAILS 60
#define HOLD FY_MINUTE

static unsigned times_claimed[MAILS];
static uint64_t owners[MAILS];

static const struct fy_mail_new plain = {
	.template_name = { "confirm", 7 },
	.lang = FY_LANG_EN,
	.to_address = { { "a@example.org", 13 } },
	.fields = { { "link=34:https://example.org/verify?token=x;", 43 } },
};

/* A mail of a person of its own. */
static fy_async int add(struct fy_ctx *ctx, const struct fy_mail_new *mail)
{
	struct fy_mail_new mine = *mail;
	mine.person_id = given_person(ctx);
	return fy_outbox_add(ctx, &mine);
}

static void fill(struct worker *w)
{
	for (unsigned i = 0; i < MAILS; i++) {
		struct fy_mail_new mail = plain;
		mail.person_id = owners[i] = given_person(&w->ctx);
		CHECK_CODE(fy_outbox_add(&w->ctx, &mail), 0);
	}
}

static void claim_until_none_is_left(struct worker *w)
{
	struct fy_slice owner = fy_fmt(&w->arena, "w%u", w->index);
	for (unsigned empty = 0; empty < 3;) {
		struct fy_outbox_mail *mails;
		size_t count;
		CHECK_CODE(fy_outbox_claim(&w->ctx, owner, HOLD, 7, &mails, &count), 0);
		empty = count ? 0 : empty + 1;
		for (size_t i = 0; i < count; i++) {
			CHECK(mails[i].attempts == 1 && fy_eq(mails[i].to_address.text, plain.to_address.text));
			CHECK(fy_eq(mails[i].fields.text, plain.fields.text));
			for (unsigned m = 0; m < MAILS; m++)
				times_claimed[m] += owners[m] == mails[i].person_id;
		}
	}
}

static void many_workers_claim_each_mail_once(void **state)
{
	(void)state;
	memset(times_claimed, 0, sizeof times_claimed);
	run_all(1, fill, NULL);
	run_all(12, claim_until_none_is_left, NULL);
	for (unsigned i = 0; i < MAILS; i++)
		assert_int_equal(times_claimed[i], 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 2 AND attempts = 1"), MAILS);
}

static void lapse(struct worker *w)
{
	struct fy_outbox_mail *first, *second;
	size_t count;
	CHECK_CODE(add(&w->ctx, &plain), 0);
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 5, &first, &count), 0);
	CHECK(count == 1);
	w->ctx.now += HOLD - 1;
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("b"), HOLD, 5, &second, &count), 0);
	CHECK(count == 0);
	w->ctx.now += 1;
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 5, &second, &count), 0); /* its own, once more */
	CHECK(count == 1 && second[0].id == first[0].id && second[0].attempts == 2);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &first[0]), FY_ERR_EXPIRED);
	CHECK_CODE(fy_outbox_failed(&w->ctx, FY_LIT("a"), &first[0], FY_LIT("421"), false, NULL), FY_ERR_EXPIRED);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("b"), &second[0]), FY_ERR_EXPIRED);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &second[0]), 0);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &second[0]), FY_ERR_EXPIRED);
}

static void a_lapsed_claim_is_worth_nothing(void **state)
{
	(void)state;
	run_all(1, lapse, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 3 AND to_address IS NULL "
				"AND fields IS NULL AND next_attempt_at IS NULL"),
			 1);
}

static void fail_again_and_again(struct worker *w)
{
	unsigned attempts = 0;
	bool final = false;
	fy_time last = 0;
	struct fy_mail_new mail = plain;
	mail.fields = secret("link=1:x;");
	CHECK_CODE(add(&w->ctx, &mail), 0);
	while (!final) {
		struct fy_outbox_mail *mails;
		size_t count;
		CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 5, &mails, &count), 0);
		if (count == 0) {
			w->ctx.now += FY_MINUTE;
			CHECK(w->ctx.now < NOON + 4 * FY_DAY);
			continue;
		}
		attempts++;
		last = w->ctx.now;
		CHECK(mails[0].attempts == attempts && mails[0].fields.text.len == 9);
		CHECK_CODE(fy_outbox_failed(&w->ctx, FY_LIT("a"), &mails[0], FY_LIT("451"), false, &final), 0);
	}
	CHECK(attempts == 9);
	CHECK(last <= NOON + 3 * FY_DAY && last > NOON + 2 * FY_DAY);
}

static void a_mail_is_tried_for_three_days_and_then_given_up_and_wiped(void **state)
{
	(void)state;
	static const fy_time waits[] = { FY_MINUTE,   5 * FY_MINUTE, 30 * FY_MINUTE, 2 * FY_HOUR,
					 6 * FY_HOUR, 12 * FY_HOUR,  FY_DAY,         FY_DAY };
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(fy_outbox_next_attempt(NOON, NOON, i + 1), NOON + waits[i]);
	assert_int_equal(fy_outbox_next_attempt(NOON, NOON + 3 * FY_DAY, 1), 0);
	assert_int_equal(fy_outbox_next_attempt(NOON, NOON + 3 * FY_DAY - FY_MINUTE, 1), NOON + 3 * FY_DAY);
	run_all(1, fail_again_and_again, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 4 AND to_address IS NULL "
				"AND fields IS NULL AND last_error = '451'"),
			 1);
}

static void refuse_for_good(struct worker *w)
{
	struct fy_outbox_mail *mails;
	size_t count;
	bool final = false;
	char reason[300];
	memset(reason, 'x', sizeof reason);
	CHECK_CODE(add(&w->ctx, &plain), 0);
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 5, &mails, &count), 0);
	CHECK_CODE(fy_outbox_failed(&w->ctx, FY_LIT("a"), &mails[0], fy_slice(reason, sizeof reason), true, &final), 0);
	CHECK(final);
}

static void a_permanent_refusal_is_not_tried_again(void **state)
{
	(void)state;
	run_all(1, refuse_for_good, NULL);
	assert_int_equal(number("SELECT CHAR_LENGTH(last_error) FROM outbox WHERE state = 4"), 200);
}

static void claim_what_kills(struct worker *w)
{
	struct fy_outbox_mail *mails;
	size_t count = 1;
	unsigned claims = 0;
	CHECK_CODE(add(&w->ctx, &plain), 0);
	for (;; claims++, w->ctx.now += HOLD) {
		CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 5, &mails, &count), 0);
		if (count == 0)
			break;
		CHECK(claims < 100);
	}
	CHECK(claims == 20);
}

static void a_mail_whose_sender_always_dies_is_given_up(void **state)
{
	(void)state;
	run_all(1, claim_what_kills, NULL);
	assert_int_equal(number("SELECT state FROM outbox"), 4);
}

static int add_and_fail(struct fy_ctx *ctx, void *arg)
{
	int err = add(ctx, arg);
	return err ? err : FY_ERR_DENIED;
}

static void join_a_transaction(struct worker *w)
{
	struct fy_mail_new mail = plain;
	CHECK_CODE(fy_tx(&w->ctx, add_and_fail, &mail), FY_ERR_DENIED);
	mail.to_address = (struct fy_personal){ FY_NONE };
	CHECK_CODE(add(&w->ctx, &mail), FY_ERR_INVALID);
	mail = plain;
	mail.fields.text = (struct fy_slice){ fy_zalloc(&w->arena, FY_MAIL_FIELDS_MAX + 1), FY_MAIL_FIELDS_MAX + 1 };
	CHECK_CODE(add(&w->ctx, &mail), FY_ERR_TOO_LARGE);
}

static void a_mail_joins_the_transaction_of_what_caused_it(void **state)
{
	(void)state;
	run_all(1, join_a_transaction, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 0);
}

static void count_and_purge(struct worker *w)
{
	struct fy_outbox_counts counts;
	struct fy_outbox_mail *mails;
	size_t count;
	uint64_t n;
	CHECK_CODE(fy_outbox_count(&w->ctx, &counts), 0);
	CHECK(counts.queued == 0 && counts.sent == 0 && counts.oldest_queued_at == 0);
	for (unsigned i = 0; i < 6; i++) {
		w->ctx.now = NOON + i * FY_SECOND;
		CHECK_CODE(add(&w->ctx, &plain), 0);
	}
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), HOLD, 4, &mails, &count), 0);
	CHECK(count == 4);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &mails[0]), 0);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &mails[1]), 0);
	CHECK_CODE(fy_outbox_failed(&w->ctx, FY_LIT("a"), &mails[2], FY_LIT("550"), true, NULL), 0);
	CHECK_CODE(fy_outbox_count(&w->ctx, &counts), 0);
	CHECK(counts.queued == 2 && counts.sending == 1 && counts.sent == 2 && counts.failed == 1);
	CHECK(counts.oldest_queued_at == NOON + 4 * FY_SECOND);
	CHECK_CODE(fy_outbox_count_old(&w->ctx, w->ctx.now, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_outbox_count_old(&w->ctx, w->ctx.now + 1, &n), 0);
	CHECK(n == 3);
	CHECK_CODE(fy_outbox_purge(&w->ctx, w->ctx.now + 1, 2, &n), 0);
	CHECK(n == 2);
	CHECK_CODE(fy_outbox_purge(&w->ctx, w->ctx.now + 1, 2, &n), 0);
	CHECK(n == 1);
}

static void mails_are_counted_and_only_those_that_are_done_are_purged(void **state)
{
	(void)state;
	run_all(1, count_and_purge, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_workers_claim_each_mail_once),
		TEST(a_lapsed_claim_is_worth_nothing),
		TEST(a_mail_is_tried_for_three_days_and_then_given_up_and_wiped),
		TEST(a_permanent_refusal_is_not_tried_again),
		TEST(a_mail_whose_sender_always_dies_is_given_up),
		TEST(a_mail_joins_the_transaction_of_what_caused_it),
		TEST(mails_are_counted_and_only_those_that_are_done_are_purged),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
