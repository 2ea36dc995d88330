/* Inactive accounts: three warnings in time, none skipped when the job comes late, and one sign-in ends it all. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/inactive.h"
#include "storage/outbox.h"

#define KEEP 730
#define DAYS(n) ((n)*FY_DAY)

static uint64_t ada;
static unsigned letters;

static int letter(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email, struct fy_personal given_name,
		  fy_time erase_at, struct fy_mail_new *ret_mail)
{
	letters++;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("inactive"),
					  .lang = lang,
					  .to_address = email,
					  .fields = { fy_fmt(ctx->arena, FY_FMT " %lld", FY_ARG(given_name.text),
							     (long long)(erase_at / FY_DAY)) } };
	return 0;
}

static void given_ada(struct worker *w)
{
	struct fy_account_new account = { .email = personal("ada@example.org"),
					  .email_hash = hash_of(&w->arena, "ada"),
					  .given_name = personal("Ada"),
					  .family_name = personal("L"),
					  .state = FY_ACCOUNT_ACTIVE };
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &ada), 0);
	CHECK_CODE(fy_accounts_touch(&w->ctx, ada), 0);
}

static unsigned made;
static fy_time erase_at;

/* One run of the job at that time; mails that wait end as `delivered` says. */
static void run_once(struct worker *w)
{
	struct fy_inactive *items;
	struct fy_outbox_mail *mails;
	struct fy_account a;
	size_t count, mail_count;
	uint64_t last, bounced;
	bool delivered = *(bool *)w->arg;
	CHECK_CODE(fy_inactive_settle(&w->ctx, &bounced), 0);
	CHECK_CODE(fy_inactive_list_due(&w->ctx, KEEP, 0, 10, &items, &count, &last), 0);
	made = (unsigned)count;
	for (size_t i = 0; i < count; i++)
		CHECK_CODE(fy_inactive_warn(&w->ctx, &items[i], letter), 0);
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), FY_MINUTE, 10, &mails, &mail_count), 0);
	CHECK(mail_count == count);
	for (size_t i = 0; i < mail_count; i++)
		CHECK_CODE(delivered ? fy_outbox_sent(&w->ctx, FY_LIT("a"), &mails[i])
				     : fy_outbox_failed(&w->ctx, FY_LIT("a"), &mails[i], FY_LIT("550"), true, NULL),
			   0);
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &a), 0);
	erase_at = a.erase_at;
}

static void run_on_day(int64_t day, bool delivered, unsigned expected)
{
	run_at(NOON + DAYS(day), 1, run_once, &delivered);
	if (made != expected)
		fprintf(stderr, "day %lld: %u warnings\n", (long long)day, made);
	assert_int_equal(made, expected);
}

static void warnings_come_60_30_and_7_days_before_two_years(void **state)
{
	(void)state;
	letters = 0;
	run_all(1, given_ada, NULL);
	run_on_day(KEEP - 61, true, 0);
	run_on_day(KEEP - 60, true, 1);
	run_on_day(KEEP - 59, true, 0);
	run_on_day(KEEP - 31, true, 0);
	run_on_day(KEEP - 30, true, 1);
	run_on_day(KEEP - 8, true, 0);
	assert_int_equal(erase_at, 0);
	run_on_day(KEEP - 7, true, 1);
	assert_int_equal(erase_at, NOON + DAYS(KEEP));
	run_on_day(KEEP - 1, true, 0);
	assert_int_equal(letters, 3);
}

static void a_job_that_comes_late_warns_late_and_never_shorter(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_on_day(KEEP + 100, true, 1);
	run_on_day(KEEP + 129, true, 0);
	run_on_day(KEEP + 130, true, 1);
	run_on_day(KEEP + 152, true, 0);
	run_on_day(KEEP + 153, true, 1);
	assert_int_equal(erase_at, NOON + DAYS(KEEP + 160));
}

static void sign_in(struct worker *w)
{
	CHECK_CODE(fy_accounts_touch(&w->ctx, ada), 0);
}

static void a_sign_in_ends_it_even_after_the_last_warning(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_on_day(KEEP - 60, true, 1);
	run_on_day(KEEP - 30, true, 1);
	run_on_day(KEEP - 7, true, 1);
	assert_int_not_equal(erase_at, 0);
	run_at(NOON + DAYS(KEEP - 2), 1, sign_in, NULL);
	run_on_day(KEEP, true, 0);
	assert_int_equal(erase_at, 0);
	run_on_day(2 * KEEP - 2 - 61, true, 0);
	run_on_day(2 * KEEP - 2 - 60, true, 1); /* from the beginning */
}

static void sign_in_between(struct worker *w)
{
	struct fy_inactive *items;
	size_t count;
	uint64_t last;
	CHECK_CODE(fy_inactive_list_due(&w->ctx, KEEP, 0, 10, &items, &count, &last), 0);
	CHECK(count == 1);
	CHECK_CODE(fy_accounts_touch(&w->ctx, ada), 0);
	CHECK_CODE(fy_inactive_warn(&w->ctx, &items[0], letter), FY_ERR_NOT_FOUND);
}

static void who_signs_in_while_the_job_runs_is_not_warned(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_at(NOON + DAYS(KEEP - 60), 1, sign_in_between, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 0);
	assert_int_equal(number("SELECT notices FROM account"), 0);
}

static void due(struct worker *w)
{
	uint64_t *ids;
	size_t count;
	CHECK_CODE(fy_erasure_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == *(size_t *)w->arg);
}

static void a_warning_that_bounces_is_made_again_and_the_third_time_counts(void **state)
{
	(void)state;
	size_t none = 0, one = 1;
	run_all(1, given_ada, NULL);
	run_on_day(KEEP - 60, true, 1);
	run_on_day(KEEP - 30, true, 1);
	run_on_day(KEEP - 7, false, 1);
	run_at(NOON + DAYS(KEEP), 1, due, &none); /* nobody knows yet that it bounced, and still nothing goes */
	run_on_day(KEEP, true, 0);                /* learns of it, and takes the date back */
	assert_int_equal(erase_at, 0);
	run_on_day(KEEP + 2, true, 0);
	run_on_day(KEEP + 3, false, 1);
	run_on_day(KEEP + 4, false, 0);
	run_on_day(KEEP + 7, false, 1);
	assert_int_equal(erase_at, NOON + DAYS(KEEP + 14));
	run_on_day(KEEP + 8, true, 0); /* bounced three times: there is no other way to the person */
	assert_int_equal(erase_at, NOON + DAYS(KEEP + 14));
	run_at(NOON + DAYS(KEEP + 14), 1, due, &one);
}

static void ask_for_erasure(struct worker *w)
{
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON + DAYS(KEEP - 50)), 0);
}

static void list_due(struct worker *w)
{
	uint64_t *ids;
	size_t count;
	CHECK_CODE(fy_erasure_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	*(size_t *)w->arg = count;
}

static size_t due_on_day(int64_t day)
{
	size_t count = 99;
	run_at(NOON + DAYS(day), 1, list_due, &count);
	return count;
}

static void an_erasure_that_was_asked_for_outlives_a_warning_that_bounces(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_on_day(KEEP - 60, false, 1);
	run_at(NOON + DAYS(KEEP - 57), 1, ask_for_erasure, NULL);
	assert_int_equal(due_on_day(KEEP - 51), 0);
	assert_int_equal(due_on_day(KEEP - 50), 1); /* what became of the warning does not matter */
	run_on_day(KEEP - 56, true, 0);
	assert_int_equal(erase_at, NOON + DAYS(KEEP - 50));
}

static void warn_three_times(void)
{
	run_all(1, given_ada, NULL);
	run_on_day(KEEP - 60, true, 1);
	run_on_day(KEEP - 30, true, 1);
	run_on_day(KEEP - 7, true, 1);
}

static void a_dry_run_sees_a_last_warning_that_no_run_has_settled(void **state)
{
	(void)state;
	warn_three_times();
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notice_mail_id IS NOT NULL"), 1);
	assert_int_equal(due_on_day(KEEP - 1), 0);
	assert_int_equal(due_on_day(KEEP), 1);
	run_on_day(KEEP - 6, true, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notice_mail_id IS NOT NULL"), 0);
	assert_int_equal(erase_at, NOON + DAYS(KEEP));
	assert_int_equal(due_on_day(KEEP), 1);
}

/* Nobody can say whether it arrived, so nobody was properly warned. */
static void a_warning_whose_mail_is_gone_is_made_again(void **state)
{
	(void)state;
	warn_three_times();
	change("DELETE FROM outbox");
	assert_int_equal(due_on_day(KEEP), 0);
	run_on_day(KEEP - 6, true, 0);
	assert_int_equal(erase_at, 0);
	assert_int_equal(number("SELECT notices FROM account"), 2);
	assert_int_equal(number("SELECT bounces FROM account"), 0);
	run_on_day(KEEP - 3, true, 1);
	assert_int_equal(erase_at, NOON + DAYS(KEEP + 4));
}

static void a_last_warning_that_arrives_late_leaves_seven_days_all_the_same(void **state)
{
	(void)state;
	warn_three_times();
	change("UPDATE account a JOIN outbox o ON o.id = a.notice_mail_id SET o.ended_at = a.erase_at + INTERVAL 1 DAY");
	assert_int_equal(due_on_day(KEEP + 2), 0);
	assert_int_equal(due_on_day(KEEP + 8), 1);
	run_on_day(KEEP + 2, true, 0);
	assert_int_equal(erase_at, NOON + DAYS(KEEP + 8));
}

static void who_is_restricted_is_not_erased_for_inactivity(void **state)
{
	(void)state;
	warn_three_times();
	change("INSERT INTO rights_request (id, account_id, kind, state, lang, wish, created_at, received_at, counts_from, due_at, "
	       "answer_by, restricted_at) SELECT 1, id, 4, 1, 0, '', created_at, created_at, created_at, created_at, created_at, "
	       "created_at FROM account");
	assert_int_equal(due_on_day(KEEP), 0);
	change("UPDATE rights_request SET lifted_at = created_at");
	assert_int_equal(due_on_day(KEEP), 1);
	change("DELETE FROM rights_request");
}

static void a_closed_account_keeps_its_date_whoever_still_signs_in(void **state)
{
	(void)state;
	warn_three_times();
	change("UPDATE account SET state = 3");
	run_at(NOON + DAYS(KEEP), 1, sign_in, NULL);
	assert_int_equal(due_on_day(KEEP), 1);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, empty_tables)
	const struct CMUnitTest tests[] = {
		TEST(warnings_come_60_30_and_7_days_before_two_years),
		TEST(a_job_that_comes_late_warns_late_and_never_shorter),
		TEST(a_sign_in_ends_it_even_after_the_last_warning),
		TEST(who_signs_in_while_the_job_runs_is_not_warned),
		TEST(a_warning_that_bounces_is_made_again_and_the_third_time_counts),
		TEST(an_erasure_that_was_asked_for_outlives_a_warning_that_bounces),
		TEST(a_dry_run_sees_a_last_warning_that_no_run_has_settled),
		TEST(a_warning_whose_mail_is_gone_is_made_again),
		TEST(a_last_warning_that_arrives_late_leaves_seven_days_all_the_same),
		TEST(who_is_restricted_is_not_erased_for_inactivity),
		TEST(a_closed_account_keeps_its_date_whoever_still_signs_in),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
