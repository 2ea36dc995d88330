/* The studies job: each person who agreed gets one invitation, whoever is killed or stops it in between; nobody else gets
 * any. */
#include "tests/unit/jobs/people.h"

#include <string.h>

#include "foyer/require.h"
#include "jobs/letters.h"
#include "storage/consents.h"
#include "storage/outbox.h"
#include "storage/studies.h"

#define MAILS "SELECT COUNT(*) FROM outbox WHERE consent = 1"
#define PERSONS "SELECT COUNT(DISTINCT person_id) FROM outbox WHERE consent = 1"

static unsigned fails_at; /* the letter of this number cannot be written; 0: all can */
static unsigned stops_at; /* after the letter of this number somebody stops it */
static unsigned letters_written;

static int letter(struct fy_ctx *ctx, const struct fy_study_text *text, const struct fy_study_recipient *to,
		  struct fy_mail_new *ret_mail)
{
	(void)text;
	letters_written++;
	if (letters_written == fails_at)
		return fy_fail(ctx, FY_ERR_IO, "the machine stops here");
	if (letters_written == stops_at)
		change("UPDATE study SET state = 4, ended_at = UTC_TIMESTAMP(6), stopped_by = 1");
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("study_invitation"),
					  .lang = to->lang,
					  .consent = FY_CONSENT_MARKET_RESEARCH,
					  .to_address = to->email,
					  .fields = { FY_LIT("x") } };
	return 0;
}

static int begin(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM consent; DELETE FROM account; DELETE FROM job_lease; DELETE FROM study; "
	       "DELETE FROM foyer_keys.person_key");
	stage.config.mail_announcements_per_run = 1000;
	fails_at = stops_at = letters_written = 0;
	return 0;
}

static void add_study(struct task *t)
{
	const struct fy_study_text text = { .title = { FY_LIT("T"), FY_LIT("T") },
					    .text = { FY_LIT("x"), FY_LIT("x") } };
	uint64_t id;
	CHECK_CODE(fy_studies_add(&t->ctx, &text, 1, &id), 0);
	CHECK_CODE(fy_studies_send(&t->ctx, id, 1, 1), 0);
}

static void given_study(void)
{
	run_tasks(1, add_study, NULL);
}

static struct outcome ran;

static void run_studies(void)
{
	ran = run_named("studies", false);
	assert_int_equal(ran.result, 0);
}

static void without_an_order_nobody_is_told(void **state)
{
	(void)state;
	given_people((struct people){ .count = 2, .agree = true });
	given_study();
	change("UPDATE study SET state = 1, sent_at = NULL");
	run_studies();
	assert_string_equal(ran.detail, "nothing to do");
	assert_int_equal(number(MAILS), 0);
}

static void those_are_told_who_agree_and_nobody_else(void **state)
{
	(void)state;
	given_people((struct people){ .count = 3, .agree = true });
	given_people((struct people){ .count = 2 });
	given_people((struct people){ .count = 2, .agree = true, .state = FY_ACCOUNT_PENDING });
	given_people((struct people){ .count = 1, .agree = true });
	change("UPDATE account SET state = 3 ORDER BY id DESC LIMIT 1"); /* closed */
	given_study();
	run_studies();
	assert_string_equal(ran.detail, "sent 3 invitations to market research");
	assert_int_equal(number(PERSONS), 3);
	assert_int_equal(
		number("SELECT COUNT(*) FROM study WHERE state = 3 AND persons = 3 AND told = 3 AND ended_at IS NOT NULL"),
		1);
	run_studies();
	assert_string_equal(ran.detail, "nothing to do");
	assert_int_equal(number(MAILS), 3);
}

static void a_dry_run_says_what_the_run_does(void **state)
{
	(void)state;
	given_people((struct people){ .count = 5, .agree = true });
	given_study();
	stage.config.mail_announcements_per_run = 3;
	ran = run_named("studies", true);
	assert_string_equal(ran.detail, "sent 3 invitations to market research, left for the next run: 2 accounts");
	assert_int_equal(number("SELECT COUNT(*) FROM study WHERE persons IS NULL AND told = 0 AND cursor_id = 0"), 1);
	assert_int_equal(number(MAILS), 0);
	run_studies();
	assert_string_equal(ran.detail, "sent 3 invitations to market research, left for the next run: 2 accounts");
	assert_int_equal(number(MAILS), 3);
}

static void no_more_mails_wait_than_the_setting_allows_and_one_study_follows_the_other(void **state)
{
	(void)state;
	given_people((struct people){ .count = 4, .agree = true });
	given_study();
	given_study();
	stage.config.mail_announcements_per_run = 3;
	run_studies();
	run_studies();
	assert_int_equal(number(MAILS), 3); /* none of them has left */
	change("UPDATE outbox SET state = 3, next_attempt_at = NULL");
	run_studies();
	assert_int_equal(number(MAILS), 6);
	assert_int_equal(number("SELECT told FROM study ORDER BY id LIMIT 1"), 4);
	assert_int_equal(number("SELECT told FROM study ORDER BY id DESC LIMIT 1"), 2);
	change("UPDATE outbox SET state = 3, next_attempt_at = NULL");
	run_studies();
	assert_int_equal(number("SELECT MIN(n) FROM (SELECT COUNT(*) AS n FROM outbox GROUP BY person_id) x"), 2);
	assert_int_equal(number("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM outbox GROUP BY person_id) x"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM study WHERE state = 3"), 2);
}

static void a_run_that_stops_in_the_middle_is_gone_on_with(void **state)
{
	(void)state;
	given_people((struct people){ .count = 8, .agree = true });
	given_study();
	for (fails_at = 3; fails_at <= 8; fails_at += 3) { /* the 3rd letter, and after two more the 6th */
		ran = run_named("studies", false);
		assert_int_equal(ran.result, FY_ERR_IO);
		assert_int_equal(number(MAILS), number("SELECT told FROM study"));
		assert_int_equal(number("SELECT state FROM study"), FY_STUDY_SENDING);
	}
	assert_in_range(number(MAILS), 2, 7);
	fails_at = 0;
	run_studies();
	assert_int_equal(number(MAILS), 8);
	assert_int_equal(number(PERSONS), 8);
	assert_int_equal(number("SELECT persons FROM study"), 8);
}

static void one_that_is_stopped_in_the_middle_goes_no_further(void **state)
{
	(void)state;
	given_people((struct people){ .count = 5, .agree = true });
	given_study();
	stops_at = 3;
	run_studies();
	assert_int_equal(number(MAILS), 2); /* the third was written, and did not go */
	assert_non_null(strstr(ran.detail, "left alone 1 invitation that was stopped"));
	run_studies();
	assert_string_equal(ran.detail, "nothing to do");
	assert_int_equal(number("SELECT told FROM study WHERE state = 4"), 2);
}

static void withdraw(struct task *t)
{
	CHECK_CODE(fy_consents_set(&t->ctx, *(uint64_t *)t->arg, FY_CONSENT_MARKET_RESEARCH, false), 0);
}

static void who_withdraws_before_the_turn_comes_is_not_told(void **state)
{
	(void)state;
	struct people p = given_people((struct people){ .count = 3, .agree = true });
	given_study();
	stage.config.mail_announcements_per_run = 1;
	run_studies();
	run_tasks(1, withdraw, &p.ids[1]);
	stage.config.mail_announcements_per_run = 1000;
	run_studies();
	assert_int_equal(number(MAILS), 2);
	char sql[120];
	snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM outbox WHERE person_id = %llu", (unsigned long long)p.ids[1]);
	assert_int_equal(number(sql), 0);
}

static void one_account_that_cannot_be_opened_does_not_keep_the_others(void **state)
{
	(void)state;
	struct people p = given_people((struct people){ .count = 3, .agree = true });
	char sql[120];
	snprintf(sql, sizeof sql, "DELETE FROM foyer_keys.person_key WHERE person_id = %llu",
		 (unsigned long long)p.ids[1]);
	change(sql);
	given_study();
	run_studies();
	assert_int_equal(number(MAILS), 2);
	assert_int_equal(number("SELECT state FROM study"), FY_STUDY_ENDED);
	assert_non_null(strstr(ran.detail, "left alone 1 unreadable account"));
}

int main(void)
{
	static const struct fy_job_letters all = { .study = letter };
	fy_jobs_set_letters(&all);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_an_order_nobody_is_told, begin),
		cmocka_unit_test_setup(those_are_told_who_agree_and_nobody_else, begin),
		cmocka_unit_test_setup(a_dry_run_says_what_the_run_does, begin),
		cmocka_unit_test_setup(no_more_mails_wait_than_the_setting_allows_and_one_study_follows_the_other,
				       begin),
		cmocka_unit_test_setup(a_run_that_stops_in_the_middle_is_gone_on_with, begin),
		cmocka_unit_test_setup(one_that_is_stopped_in_the_middle_goes_no_further, begin),
		cmocka_unit_test_setup(who_withdraws_before_the_turn_comes_is_not_told, begin),
		cmocka_unit_test_setup(one_account_that_cannot_be_opened_does_not_keep_the_others, begin),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
