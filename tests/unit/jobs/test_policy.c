/* The policy job: each person concerned gets one mail, whoever is killed in between; nobody else gets any. Linked with the
 * tables of a next release (tests/support/next_register.py): phone numbers get a new purpose, sessions of the back office
 * are kept for longer, and passions are called hobbies. */
#include "tests/unit/jobs/people.h"

#include <string.h>

#include "foyer/require.h"
#include "jobs/letters.h"
#include "storage/outbox.h"
#include "storage/policy.h"

#define VERSION "2098-12-01"
#define OLDER "'2026-01-01'" /* the version that people knew */
#define TOLD "SELECT COUNT(*) FROM account WHERE policy_told = '" VERSION "'"
#define MAILS "SELECT COUNT(*) FROM outbox WHERE template_name = 'policy_change'"

static unsigned fails_at; /* the letter of this number cannot be written; 0: all can */
static unsigned letters_written;

static bool about_phone(const struct fy_policy_change *change)
{
	return strcmp(change->fields[0], "account.phone") == 0;
}

/* Says which of the two changes it is about. */
static int letter(struct fy_ctx *ctx, const struct fy_policy_version *version,
		  const struct fy_announcement_person *person, struct fy_personal email, struct fy_personal given_name,
		  struct fy_mail_new *ret_mail)
{
	(void)given_name;
	bool phone = false, session = false;
	for (size_t i = 0; i < version->change_count; i++) {
		FY_REQUIRE(version->changes[i].major || !person->concerned[i]);
		if (person->concerned[i] && about_phone(&version->changes[i]))
			phone = true;
		else if (person->concerned[i])
			session = true;
	}
	if (++letters_written == fails_at)
		return fy_fail(ctx, FY_ERR_IO, "the machine stops here");
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("policy_change"),
					  .lang = person->lang,
					  .to_address = email,
					  .fields = { fy_fmt(ctx->arena, "%d%d", phone, session) } };
	return 0;
}

static int begin(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM one_time_token; DELETE FROM account; DELETE FROM job_lease; DELETE FROM policy_version; "
	       "DELETE FROM consent; DELETE FROM foyer_keys.person_key");
	stage.config.mail_announcements_per_run = 1000;
	fails_at = letters_written = 0;
	return 0;
}

/* People who knew the version before. */
static struct people given(struct people people)
{
	people = given_people(people);
	change("UPDATE account SET policy_told = " OLDER);
	return people;
}

static struct outcome ran;

static void run_policy(void)
{
	ran = run_named("policy", false);
	assert_int_equal(ran.result, 0);
}

static long long state_of(const char *column)
{
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT IFNULL(%s, -1) FROM policy_version WHERE version = '" VERSION "'", column);
	return number(sql);
}

static void nobody_is_told_of_a_first_version_or_of_what_is_known(void **state)
{
	(void)state;
	given_people((struct people){ .count = 3, .phone = true });
	change("UPDATE account SET policy_told = '" VERSION "'");
	run_policy();
	assert_int_equal(number(MAILS), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM policy_version WHERE ended_at IS NOT NULL"),
			 (long long)fy_policy_versions.count);
	assert_int_equal(number("SELECT COUNT(*) FROM policy_version WHERE version = '" VERSION
				"' AND effective_on = '2099-01-01' AND told = 0 AND persons = 0"),
			 1);
	run_policy();
	assert_string_equal(ran.detail, "nothing to do");
}

static void only_those_are_told_who_are_concerned_and_of_what_concerns_them(void **state)
{
	(void)state;
	given((struct people){ .count = 3, .phone = true });
	given((struct people){ .count = 5 });
	given((struct people){ .count = 2, .role = FY_ROLE_STAFF });
	given((struct people){ .count = 1, .role = FY_ROLE_OWNER, .phone = true });
	given((struct people){ .count = 4, .phone = true, .state = FY_ACCOUNT_PENDING });
	given((struct people){ .count = 1, .phone = true });
	change("UPDATE account SET state = 3 ORDER BY id DESC LIMIT 1"); /* closed */
	run_policy();
	assert_int_equal(number(MAILS), 6);
	assert_int_equal(number(TOLD), 6);
	assert_int_equal(state_of("persons"), 6);
	assert_int_equal(state_of("told"), 6);
	assert_true(state_of("ended_at") > 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE policy_told = '" VERSION
				"' AND (LENGTH(phone) > 0 OR role <> 1) AND state = 2"),
			 6);
	run_policy();
	assert_int_equal(number(MAILS), 6);
}

static char said[8][3];

static void read_mails(struct task *t)
{
	struct fy_outbox_mail *mails;
	size_t count;
	CHECK_CODE(fy_outbox_claim(&t->ctx, FY_LIT("a"), FY_MINUTE, 8, &mails, &count), 0);
	CHECK(count == *(size_t *)t->arg);
	for (size_t i = 0; i < count; i++) {
		CHECK(mails[i].lang == FY_LANG_EN && fy_eq(mails[i].to_address.text, FY_LIT("x@example.org")));
		snprintf(said[i], sizeof said[i], FY_FMT, FY_ARG(mails[i].fields.text));
	}
}

static void a_mail_says_what_concerns_its_person(void **state)
{
	(void)state;
	size_t three = 3;
	given((struct people){ .count = 1, .phone = true });
	given((struct people){ .count = 1, .role = FY_ROLE_STAFF });
	given((struct people){ .count = 1, .role = FY_ROLE_STAFF, .phone = true });
	run_policy();
	run_tasks(1, read_mails, &three);
	assert_string_equal(said[0], "10");
	assert_string_equal(said[1], "01");
	assert_string_equal(said[2], "11");
}

static void who_has_no_mark_is_told_by_the_day_of_registration(void **state)
{
	(void)state;
	given((struct people){ .count = 2, .phone = true });
	change("UPDATE account SET policy_told = NULL; "
	       "UPDATE account SET created_at = '2098-12-01 10:00:00' ORDER BY id LIMIT 1");
	run_policy();
	assert_int_equal(number(MAILS), 1);
}

static void a_dry_run_says_what_the_run_does(void **state)
{
	(void)state;
	given((struct people){ .count = 5, .phone = true });
	stage.config.mail_announcements_per_run = 3;
	ran = run_named("policy", true);
	assert_int_equal(ran.result, 0);
	assert_string_equal(ran.detail,
			    "sent 3 announcements of a change of the policy, left for the next run: 2 accounts");
	assert_int_equal(number("SELECT COUNT(*) FROM policy_version"), 0);
	assert_int_equal(number(MAILS), 0);
	run_policy();
	assert_string_equal(ran.detail,
			    "sent 3 announcements of a change of the policy, left for the next run: 2 accounts");
	assert_int_equal(number(MAILS), 3);
}

static void no_more_mails_wait_than_the_setting_allows(void **state)
{
	(void)state;
	given((struct people){ .count = 7, .phone = true });
	stage.config.mail_announcements_per_run = 3;
	run_policy();
	run_policy();
	assert_int_equal(number(MAILS), 3); /* none of them has left */
	change("UPDATE outbox SET state = 3, next_attempt_at = NULL ORDER BY id LIMIT 2");
	run_policy();
	assert_int_equal(number(MAILS), 5);
	assert_int_equal(state_of("told"), 5);
	assert_int_equal(state_of("persons"), 7);
	change("UPDATE outbox SET state = 3, next_attempt_at = NULL");
	run_policy();
	assert_int_equal(number(MAILS), 7);
	assert_true(state_of("ended_at") > 0);
	assert_int_equal(number("SELECT COUNT(DISTINCT person_id) FROM outbox"), 7);
}

static void a_run_that_stops_in_the_middle_is_gone_on_with(void **state)
{
	(void)state;
	given((struct people){ .count = 8, .phone = true });
	for (fails_at = 3; fails_at <= 8; fails_at += 3) { /* the 3rd letter, and after one more the 6th */
		ran = run_named("policy", false);
		assert_int_equal(ran.result, FY_ERR_IO);
		assert_int_equal(number(MAILS), number(TOLD));
		assert_int_equal(number(MAILS), state_of("told"));
		assert_int_equal(state_of("ended_at"), -1);
	}
	assert_in_range(number(MAILS), 2, 7);
	fails_at = 0;
	run_policy();
	assert_int_equal(number(MAILS), 8);
	assert_int_equal(number("SELECT COUNT(DISTINCT person_id) FROM outbox"), 8);
	assert_int_equal(state_of("persons"), 8);
}

static struct fy_announcement stale;

/* What a run remembers that was overtaken by another one, as its lease had ended. */
static void remember(struct task *t)
{
	struct fy_announcement *items;
	size_t count;
	CHECK_CODE(fy_announcements_list(&t->ctx, &items, &count), 0);
	stale = items[count - 1];
}

static void tell_again(struct task *t)
{
	const bool concerned[16] = { true };
	struct fy_announcement_person person = { .id = *(uint64_t *)t->arg,
						 .lang = FY_LANG_EN,
						 .concerned = concerned };
	CHECK_CODE(fy_announcements_tell(&t->ctx, &stale, &person, letter), FY_ERR_EXPIRED);
	CHECK_CODE(fy_announcements_pass(&t->ctx, &stale, person.id), FY_ERR_EXPIRED);
}

static void a_run_that_was_overtaken_tells_nobody(void **state)
{
	(void)state;
	struct people p = given((struct people){ .count = 4, .phone = true });
	stage.config.mail_announcements_per_run = 1;
	run_policy();
	run_tasks(1, remember, NULL);
	stage.config.mail_announcements_per_run = 2;
	run_policy();
	assert_int_equal(number(MAILS), 2);
	run_tasks(1, tell_again, &p.ids[3]);
	assert_int_equal(number(MAILS), 2);
	stage.config.mail_announcements_per_run = 1000;
	run_policy();
	assert_int_equal(number(MAILS), 4);
}

static void one_account_that_cannot_be_opened_does_not_keep_the_others(void **state)
{
	(void)state;
	struct people p = given((struct people){ .count = 3, .phone = true });
	char sql[120];
	snprintf(sql, sizeof sql, "DELETE FROM foyer_keys.person_key WHERE person_id = %llu",
		 (unsigned long long)p.ids[1]);
	change(sql);
	run_policy();
	assert_int_equal(number(MAILS), 2);
	assert_true(state_of("ended_at") > 0);
	assert_non_null(strstr(ran.detail, "left alone 1 unreadable account"));
}

static void a_version_that_was_rewritten_is_named(void **state)
{
	(void)state;
	run_policy();
	change("UPDATE policy_version SET fingerprint = REPEAT('0', 64) WHERE version = '" VERSION "'");
	run_policy();
	assert_string_equal(ran.detail, "left alone 1 version of the policy that was rewritten");
}

/* Registered before the version, and confirmed when all others have been told of it. */
struct latecomer {
	enum fy_account_role role;
	bool by_password, in_force;
	uint64_t id;
};

static struct fy_slice link_hash(struct task *t)
{
	uint8_t *hash = fy_zalloc(t->ctx.arena, 32);
	memset(hash, 'l', 32);
	return fy_slice(hash, 32);
}

static void register_late(struct task *t)
{
	struct latecomer *l = t->arg;
	struct fy_account_new account = { .email = { FY_LIT("x@example.org") },
					  .email_hash = link_hash(t),
					  .given_name = { FY_LIT("X") },
					  .family_name = { FY_LIT("Y") },
					  .language = FY_LANG_EN,
					  .role = l->role };
	if (l->in_force)
		t->ctx.now = fy_policy_effective(fy_policy_now());
	CHECK_CODE(fy_accounts_create(&t->ctx, &account, FY_TOKEN_CONFIRM_EMAIL, link_hash(t), t->ctx.now + FY_HOUR,
				      NULL, &l->id),
		   0);
}

static void confirm_late(struct task *t)
{
	struct latecomer *l = t->arg;
	uint64_t id;
	if (l->in_force)
		t->ctx.now = fy_policy_effective(fy_policy_now());
	if (!l->by_password) {
		CHECK_CODE(fy_accounts_confirm(&t->ctx, link_hash(t), false, letter, &id), 0);
		return;
	}
	change("UPDATE one_time_token SET purpose = 3"); /* a link of an administrator's */
	CHECK_CODE(fy_accounts_reset_password(&t->ctx, FY_TOKEN_SET_UP, link_hash(t),
					      (struct fy_secret){ FY_LIT("$new") }, letter, &id),
		   0);
}

static void told_late(struct latecomer l, long long mails, const char *version)
{
	char sql[120];
	begin(NULL);
	run_tasks(1, register_late, &l);
	if (!l.in_force)
		assert_int_equal(number("SELECT COUNT(*) FROM account WHERE policy_told < '" VERSION "'"), 1);
	run_policy(); /* nobody else is there: the version ends */
	assert_true(state_of("ended_at") > 0);
	assert_int_equal(number(MAILS), 0);
	run_tasks(1, confirm_late, &l);
	assert_int_equal(number(MAILS), mails);
	snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM account WHERE state = 2 AND policy_told %s '" VERSION "'",
		 version);
	assert_int_equal(number(sql), 1);
	run_policy();
	assert_int_equal(number(MAILS), mails); /* and once */
}

static void who_confirms_after_the_others_were_told_is_told_then(void **state)
{
	(void)state;
	told_late((struct latecomer){ .role = FY_ROLE_STAFF }, 1, "=");
	told_late((struct latecomer){ .role = FY_ROLE_STAFF, .by_password = true }, 1, "=");
	told_late((struct latecomer){ .role = FY_ROLE_MEMBER }, 0, "<"); /* the change does not concern them */
	told_late((struct latecomer){ .role = FY_ROLE_STAFF, .in_force = true }, 0, "="); /* the text they were shown */
}

static void set_up_late(struct task *t)
{
	struct fy_account_new owner = { .email = { FY_LIT("x@example.org") },
					.email_hash = link_hash(t),
					.password_hash = { FY_LIT("$new") },
					.given_name = { FY_LIT("X") },
					.family_name = { FY_LIT("Y") },
					.language = FY_LANG_EN };
	uint64_t id;
	CHECK_CODE(fy_tokens_create(&t->ctx, 0, FY_TOKEN_SET_UP, link_hash(t), t->ctx.now + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_accounts_set_up_owner(&t->ctx, link_hash(t), &owner, letter, &id), 0);
}

static void an_owner_who_is_set_up_before_the_version_s_day_is_told_of_it(void **state)
{
	(void)state;
	run_policy();
	run_tasks(1, set_up_late, NULL);
	assert_int_equal(number(MAILS), 1);
	assert_int_equal(number(TOLD), 1);
}

int main(void)
{
	static const struct fy_job_letters all = { .policy = letter };
	fy_jobs_set_letters(&all);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_is_told_of_a_first_version_or_of_what_is_known, begin),
		cmocka_unit_test_setup(only_those_are_told_who_are_concerned_and_of_what_concerns_them, begin),
		cmocka_unit_test_setup(a_mail_says_what_concerns_its_person, begin),
		cmocka_unit_test_setup(who_has_no_mark_is_told_by_the_day_of_registration, begin),
		cmocka_unit_test_setup(a_dry_run_says_what_the_run_does, begin),
		cmocka_unit_test_setup(no_more_mails_wait_than_the_setting_allows, begin),
		cmocka_unit_test_setup(a_run_that_stops_in_the_middle_is_gone_on_with, begin),
		cmocka_unit_test_setup(a_run_that_was_overtaken_tells_nobody, begin),
		cmocka_unit_test_setup(one_account_that_cannot_be_opened_does_not_keep_the_others, begin),
		cmocka_unit_test_setup(a_version_that_was_rewritten_is_named, begin),
		cmocka_unit_test_setup(who_confirms_after_the_others_were_told_is_told_then, begin),
		cmocka_unit_test_setup(an_owner_who_is_set_up_before_the_version_s_day_is_told_of_it, begin),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
