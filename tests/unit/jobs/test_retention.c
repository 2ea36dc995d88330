/* The retention job: a dry run says what the run does, a cap ends it, and a clock that jumps erases nobody. */
#include "tests/unit/jobs/harness.h"

#include <string.h>

#include "jobs/letters.h"
#include "storage/accounts.h"
#include "storage/outbox.h"

#define PEOPLE 25

static fy_time days;

static int begin(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM provided_person; DELETE FROM foyer_keys.erasure; DELETE FROM account; DELETE FROM job_lease; DELETE FROM instance WHERE name LIKE "
	       "'retention%'; DELETE FROM foyer_keys.person_key");
	stage.config.retention_erasures_per_run = 500;
	return 0;
}

static int inactive(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email, struct fy_personal given_name,
		    fy_time erase_at, struct fy_mail_new *ret_mail)
{
	(void)given_name;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("inactive"),
					  .lang = lang,
					  .to_address = email,
					  .fields = { fy_fmt(ctx->arena, "%lld", (long long)erase_at) } };
	return 0;
}

static void given_people(struct task *t)
{
	for (unsigned i = 0; i < PEOPLE; i++) {
		uint8_t *hash = fy_zalloc(t->ctx.arena, 32);
		hash[0] = (uint8_t)(i + 1);
		struct fy_account_new account = { .email = { FY_LIT("x@example.org") },
						  .email_hash = fy_slice(hash, 32),
						  .given_name = { FY_LIT("X") },
						  .family_name = { FY_LIT("Y") },
						  .role = i == 0 ? FY_ROLE_OWNER : FY_ROLE_MEMBER,
						  .state = FY_ACCOUNT_ACTIVE };
		CHECK_CODE(fy_accounts_create(&t->ctx, &account, 0, FY_NONE, 0, NULL, NULL), 0);
	}
}

struct runs {
	struct fy_job_report dry, real;
	long long changed;
};

static void dry_then_real(struct task *t)
{
	struct runs *r = t->arg;
	t->ctx.now += days;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "retention", true, &r->dry), 0);
	r->changed = number("SELECT COUNT(*) FROM account WHERE notices > 0");
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "retention", false, &r->real), 0);
	CHECK(fy_eq(r->dry.detail, r->real.detail));
	CHECK(same_items(&r->dry, &r->real));
}

static void a_dry_run_says_what_the_run_does_and_the_last_owner_is_left_alone(void **state)
{
	(void)state;
	struct runs r;
	days = 671 * FY_DAY;
	run_tasks(1, given_people, NULL);
	run_tasks(1, dry_then_real, &r);
	assert_int_equal(r.changed, 0);
	assert_int_equal(noted(&r.real, "send", "first warnings of inactivity"), PEOPLE - 1);
	assert_int_equal(noted(&r.real, "leave alone", "last owners"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices = 1"), PEOPLE - 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'inactive'"), PEOPLE - 1);
}

static void run_and_fail(struct task *t)
{
	struct fy_job_report report;
	t->ctx.now += days;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "retention", false, &report), 0);
	CHECK_CODE(report.result, FY_ERR_INVALID);
	CHECK(noted(&report, "send", "first warnings of inactivity") == PEOPLE - 2);
	CHECK(noted(&report, "leave for the next run", "first warnings of inactivity") == 1);
}

static void one_who_cannot_be_written_to_keeps_no_other_and_fails_the_run(void **state)
{
	(void)state;
	days = 671 * FY_DAY;
	run_tasks(1, given_people, NULL);
	change("UPDATE account SET email = '' WHERE role <> 2 ORDER BY id LIMIT 1");
	run_tasks(1, run_and_fail, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices = 1"), PEOPLE - 2);
}

static void a_run_warns_as_many_as_it_may_and_the_next_one_goes_on(void **state)
{
	(void)state;
	struct runs r;
	days = 671 * FY_DAY;
	stage.config.retention_erasures_per_run = 10;
	run_tasks(1, given_people, NULL);
	run_tasks(1, dry_then_real, &r);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices = 1"), 10);
	run_tasks(1, dry_then_real, &r);
	run_tasks(1, dry_then_real, &r);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices = 1"), PEOPLE - 1);
}

/* ---- People whom a member entered ---- */

static uint64_t school;

static int goodbye(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail)
{
	(void)ctx;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("gone"), .to_address = gone->provider.email };
	return 0;
}

static void given_entered(struct task *t)
{
	uint8_t hash[32] = { 1 };
	struct fy_account_new account = { .email = { FY_LIT("school@example.org") },
					  .email_hash = fy_slice(hash, 32),
					  .given_name = { FY_LIT("X") },
					  .family_name = { FY_LIT("Y") },
					  .state = FY_ACCOUNT_ACTIVE };
	CHECK_CODE(fy_accounts_create(&t->ctx, &account, 0, FY_NONE, 0, NULL, &school), 0);
	for (unsigned i = 0; i < PEOPLE; i++) {
		uint64_t id;
		struct fy_slice address = fy_fmt(t->ctx.arena, "p%u@example.org", i);
		struct fy_provided_fields person = { .given_name = { FY_LIT("Mei") },
						     .family_name = { FY_LIT("Wang") },
						     .email = { address },
						     .birth_date = { 2000, 1, 1 },
						     .what_for = { FY_LIT("x") } };
		struct fy_mail_new mail = { .template_name = FY_LIT("notice"), .to_address = { address } };
		hash[1] = (uint8_t)i;
		struct fy_provided_notice notice = { fy_slice(hash, 32), t->ctx.now + FY_DAY, &mail };
		CHECK_CODE(fy_provided_add(&t->ctx, school, &person, &notice, &id), 0);
	}
	/* every second one was reached */
	change("SET @n := 0; UPDATE outbox SET state = IF((@n := @n + 1) % 2, 3, 4), ended_at = created_at, next_attempt_at = NULL");
}

static void who_could_not_be_told_is_erased_as_many_as_a_run_may_and_as_the_dry_run_said(void **state)
{
	(void)state;
	struct runs r;
	stage.config.retention_erasures_per_run = 5;
	run_tasks(1, given_entered, NULL);
	long long reached = number("SELECT COUNT(*) FROM outbox WHERE state = 3"), left = PEOPLE - reached;
	assert_int_equal(reached, PEOPLE / 2 + 1);
	days = 29 * FY_DAY;
	run_tasks(1, dry_then_real, &r);
	assert_int_equal(noted(&r.real, "erase", "entered people who could not be told"), -1);
	days = 31 * FY_DAY;
	for (; left > 0; left -= 5) {
		run_tasks(1, dry_then_real, &r);
		assert_int_equal(noted(&r.real, "erase", "entered people who could not be told"), left < 5 ? left : 5);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person"), reached);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), PEOPLE - reached);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'gone'"), PEOPLE - reached);
	stage.config.retention_erasures_per_run = 500;
	days = 731 * FY_DAY;
	run_tasks(1, dry_then_real, &r);
	assert_int_equal(noted(&r.real, "erase", "unused entries of people"), reached);
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person"), 0);
	assert_int_equal(
		number("SELECT COUNT(*) FROM foyer_keys.person_key k JOIN foyer_keys.erasure e ON e.person_id = k.person_id"),
		0);
}

static int result;

static void run_by_the_clock(struct task *t)
{
	struct fy_job_report report;
	t->ctx.now = fy_clock();
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "retention", false, &report), 0);
	result = report.result;
	CHECK(result == 0 || fy_starts(report.detail, fy_str(fy_strerror(result))) ||
	      strstr(fy_cstr(t->ctx.arena, report.detail), "the clock has jumped"));
}

static void after(fy_time passed, int expected)
{
	fy_clock_shift(passed);
	run_tasks(1, run_by_the_clock, NULL);
	assert_int_equal(result, expected);
}

static void a_clock_that_jumps_stops_the_job_for_a_day(void **state)
{
	(void)state;
	run_tasks(1, given_people, NULL);
	after(0, 0);
	after(FY_HOUR, 0);
	after(2 * FY_DAY, 0); /* off for a weekend */
	after(800 * FY_DAY, FY_ERR_DENIED);
	after(FY_HOUR, FY_ERR_DENIED);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices > 0"), 0);
	after(-800 * FY_DAY, FY_ERR_DENIED); /* mended, which is a jump as well */
	after(23 * FY_HOUR, FY_ERR_DENIED);
	after(2 * FY_HOUR, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE notices > 0"), 0);
	fy_clock_shift(-(3 * FY_DAY + 3 * FY_HOUR));
}

int main(void)
{
	static const struct fy_job_letters letters = { .inactive = inactive, .provided = { goodbye, goodbye } };
	fy_jobs_set_letters(&letters);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_dry_run_says_what_the_run_does_and_the_last_owner_is_left_alone, begin),
		cmocka_unit_test_setup(one_who_cannot_be_written_to_keeps_no_other_and_fails_the_run, begin),
		cmocka_unit_test_setup(a_run_warns_as_many_as_it_may_and_the_next_one_goes_on, begin),
		cmocka_unit_test_setup(who_could_not_be_told_is_erased_as_many_as_a_run_may_and_as_the_dry_run_said,
				       begin),
		cmocka_unit_test_setup(a_clock_that_jumps_stops_the_job_for_a_day, begin),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
