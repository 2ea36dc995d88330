/* The purge: what goes and what stays, a dry run that says exactly that, and slices that may be cut off anywhere. */
#include "tests/unit/jobs/harness.h"

#include <string.h>

#include "jobs/run.h"

static int begin(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM contact_message; DELETE FROM one_time_token; DELETE FROM account; "
	       "DELETE FROM job_lease; DELETE FROM foyer_keys.person_key; DELETE FROM rights_request; DELETE FROM consent; "
	       "DELETE FROM access_log; UPDATE access_chain SET start_id = 0, last_id = 0");
	return 0;
}

/* Accounts 1.. `count`, made `days` ago; state 1 is unconfirmed. */
static void given_accounts(unsigned first, unsigned count, unsigned state, unsigned days)
{
	char sql[900];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO account (id, email, email_hash, given_name, family_name, phone, position, skills, passions, "
		"street_address, postal_code, address_level2, country, language, role, state, created_at) "
		"SELECT seq, 'a@example.org', UNHEX(SHA2(seq, 256)), 'A', 'B', '', '', '', '', '', '', '', '', 0, 1, %u, "
		"UTC_TIMESTAMP(6) - INTERVAL %u DAY - INTERVAL 1 MINUTE FROM seq_%u_to_%u",
		state, days, first, first + count - 1);
	change(sql);
}

static void given_tokens(unsigned first, unsigned count, const char *account, const char *expires)
{
	char sql[600];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO one_time_token (id, account_id, purpose, token_hash, created_at, expires_at) "
		"SELECT seq, %s, 1, UNHEX(SHA2(seq, 256)), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL %s FROM seq_%u_to_%u",
		account, expires, first, first + count - 1);
	change(sql);
}

static void given_mails(unsigned first, unsigned count, unsigned state, const char *ended, const char *account)
{
	char sql[600];

	snprintf(sql, sizeof sql,
		 "INSERT INTO outbox (id, person_id, template_name, lang, state, created_at, ended_at) "
		 "SELECT seq, %s, 'x', 0, %u, UTC_TIMESTAMP(6) - INTERVAL 9 DAY, %s FROM seq_%u_to_%u",
		 account, state, ended, first, first + count - 1);
	change(sql);
}

static void given_messages(unsigned first, unsigned count, unsigned state, unsigned days, const char *closed)
{
	char sql[600];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO contact_message (id, reference, name, email, subject, message, consent_text_version, consented_at, lang, state, "
		"created_at, closed_at) SELECT seq, seq, 'n', 'e', 's', 'm', '1', UTC_TIMESTAMP(6), 0, %u, "
		"UTC_TIMESTAMP(6) - INTERVAL %u DAY, %s FROM seq_%u_to_%u",
		state, days, closed, first, first + count - 1);
	change(sql);
}

/* Of one account a decision of each of these ages, in days; of an erased one, another. */
static void given_consents(int shift)
{
	char sql[900];

	snprintf(
		sql, sizeof sql,
		"DELETE FROM consent; DELETE FROM foyer_keys.erasure; "
		"INSERT INTO consent (account_id, purpose, text_version, given, decided_at) VALUES "
		"(1, 1, 'x', 1, UTC_TIMESTAMP(6) - INTERVAL %d DAY), (1, 1, 'x', 0, UTC_TIMESTAMP(6) - INTERVAL %d DAY), "
		"(1, 1, 'x', 1, UTC_TIMESTAMP(6) - INTERVAL %d DAY), (1, 1, 'x', 0, UTC_TIMESTAMP(6) - INTERVAL 10 DAY), "
		"(77, 1, 'x', 1, UTC_TIMESTAMP(6) - INTERVAL 2000 DAY), (78, 1, 'x', 1, UTC_TIMESTAMP(6) - INTERVAL 2000 DAY); "
		"INSERT INTO foyer_keys.erasure (serial, person_id, reference, ground, asked_at, erased_at, hash) VALUES "
		"(1, 77, REPEAT('x', 16), 1, '2020-01-01', UTC_TIMESTAMP(6) - INTERVAL %d DAY, REPEAT('x', 32)), "
		"(2, 78, REPEAT('x', 16), 1, '2020-01-01', UTC_TIMESTAMP(6) - INTERVAL %d DAY, REPEAT('x', 32))",
		1900 + shift, 1830 + shift, 1827 + shift, 1827 + shift, 1824 + shift);
	change(sql);
}

static void given_requests(unsigned first, unsigned count, const char *ended)
{
	char sql[800];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO rights_request (id, account_id, kind, state, lang, wish, created_at, received_at, counts_from, due_at, "
		"answer_by, ended_at) SELECT seq, 1, 1, IF(%s IS NULL, 3, 5), 0, 'w', '2020-01-01', '2020-01-01', '2020-01-01', "
		"'2020-02-03', '2020-02-03', %s FROM seq_%u_to_%u",
		ended, ended, first, first + count - 1);
	change(sql);
	snprintf(sql, sizeof sql,
		 "INSERT INTO rights_step (request_id, at, from_state, to_state, note) "
		 "SELECT seq, '2020-01-01', 0, 1, '' FROM seq_%u_to_%u",
		 first, first + count - 1);
	change(sql);
}

/* Requests about account 1, refused `days` ago. */
static void given_asked(unsigned first, unsigned count, unsigned days)
{
	char sql[600];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO access_request (id, person_id, purpose, reason, minutes, asked_by, asker_role, asked_at, state, "
		"break_glass) SELECT seq, 1, 4, 'r', 60, 2, 3, UTC_TIMESTAMP(6) - INTERVAL %u DAY - INTERVAL 1 MINUTE, 3, "
		"FALSE FROM seq_%u_to_%u",
		days, first, first + count - 1);
	change(sql);
}

/* Reads 1 to `count`; the first `old` of them `days` ago. */
static void given_reads(unsigned count, unsigned old, unsigned days)
{
	char sql[800];

	snprintf(
		sql, sizeof sql,
		"INSERT INTO access_log SELECT seq, UTC_TIMESTAMP(6) - INTERVAL IF(seq <= %u, %u, 1) DAY - INTERVAL 1 MINUTE, "
		"2, 3, 1, 4, 'account.email', NULL, REPEAT('h', 32) FROM seq_1_to_%u; "
		"UPDATE access_chain SET last_id = %u",
		old, days, count, count);
	change(sql);
}

/* Addresses that four of accounts 1 to 5 are to get by a link that is good for `rest`; that of the fifth is for two days. */
static void given_changes(const char *rest)
{
	char sql[400];

	snprintf(sql, sizeof sql,
		 "INSERT INTO email_change SELECT seq, 'x', UNHEX(LPAD(HEX(seq), 64, '0')), UTC_TIMESTAMP(6), "
		 "IF(seq < 5, UTC_TIMESTAMP(6) + INTERVAL %s, UTC_TIMESTAMP(6) + INTERVAL 2 DAY) FROM seq_1_to_5",
		 rest);
	change(sql);
}

struct both {
	struct fy_job_report dry, real;
	long long rows_after_dry;
	fy_time at;
};

#define ALL_ROWS                                                                                                           \
	"SELECT (SELECT COUNT(*) FROM account) + (SELECT COUNT(*) FROM one_time_token) + (SELECT COUNT(*) FROM outbox) + " \
	"(SELECT COUNT(*) FROM contact_message) + (SELECT COUNT(*) FROM rights_request) + "                                \
	"(SELECT COUNT(*) FROM access_request) + (SELECT COUNT(*) FROM access_log) + (SELECT COUNT(*) FROM email_change)"

static long long deleted(const struct fy_job_report *report, const char *object)
{
	return noted(report, "delete", object);
}

static void dry_then_real(struct task *t)
{
	struct fy_job_report dry, real;
	long long before = number(ALL_ROWS);

	if (t->arg)
		t->ctx.now = *(fy_time *)t->arg;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", true, &dry), 0);
	CHECK(dry.result == 0 && dry.dry_run);
	CHECK(number(ALL_ROWS) == before && number("SELECT COUNT(*) FROM job_lease") == 0);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", false, &real), 0);
	CHECK(real.result == 0 && !real.dry_run);
	CHECK(same_items(&dry, &real) && fy_eq(dry.detail, real.detail));
	CHECK(deleted(&real, "unconfirmed registrations") == 450);
	CHECK(deleted(&real, "expired links") == 401);
	CHECK(deleted(&real, "finished mails") == 230);
	CHECK(deleted(&real, "old contact messages") == 203);
	CHECK(deleted(&real, "old consent proofs") == 3);
	CHECK(deleted(&real, "old requests about rights") == 202);
	CHECK(deleted(&real, "old requests for access") == 202);
	CHECK(deleted(&real, "old rows of the access log") == 204);
	CHECK(fy_starts(real.items[0].names, FY_LIT("1, 2, 3, ")) &&
	      fy_eq(fy_from(real.items[0].names, real.items[0].names.len - 5), FY_LIT(", 401")));
	CHECK(fy_starts(real.items[1].names, FY_LIT("1, 2, 3, ")) && real.items[2].names.len);
	CHECK(deleted(&real, "expired changes of an address") == 4);
	CHECK(fy_starts(real.items[8].names, FY_LIT("1001, 1002, 1003, ")));
	/* Again: nothing is left to do. */
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", false, &real), 0);
	CHECK(fy_eq(real.detail, FY_LIT("nothing to do")));
}

static void a_dry_run_says_what_the_run_then_does(void **state)
{
	(void)state;
	given_accounts(1, 5, 2, 100); /* confirmed: stays */
	given_accounts(101, 7, 1, 6); /* not a week yet */
	given_accounts(1001, 450, 1, 7);
	given_tokens(1, 401, "1", "-1 MINUTE");
	given_tokens(1001, 3, "1", "1 HOUR");
	given_tokens(2001, 30, "1001", "1 HOUR"); /* go with their registration, not as expired ones */
	given_mails(1, 120, 3, "UTC_TIMESTAMP(6) - INTERVAL 8 DAY", "1");
	given_mails(201, 110, 4, "UTC_TIMESTAMP(6) - INTERVAL 8 DAY", "1001");
	given_mails(401, 4, 3, "UTC_TIMESTAMP(6) - INTERVAL 6 DAY", "1");
	given_mails(501, 6, 1, "NULL", "1");
	given_messages(1, 201, 2, 800, "UTC_TIMESTAMP(6) - INTERVAL 366 DAY");
	given_messages(301, 2, 1, 366, "NULL");
	given_messages(401, 5, 2, 800, "UTC_TIMESTAMP(6) - INTERVAL 364 DAY");
	given_asked(1, 202, 365);
	given_asked(301, 3, 364);
	given_reads(209, 204, 365);
	given_changes("-1 MINUTE");
	given_consents(0);
	given_requests(1, 202, "UTC_TIMESTAMP(6) - INTERVAL 1827 DAY");
	given_requests(301, 3, "UTC_TIMESTAMP(6) - INTERVAL 1825 DAY");
	given_requests(401, 2, "NULL"); /* never ended: stay, however old */
	run_tasks(1, dry_then_real, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM consent"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 12);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 10);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 5);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_request"), 5);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_step"), 5);
	assert_int_equal(number("SELECT COUNT(*) FROM access_request"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM access_log"), 5);
	assert_int_equal(number("SELECT start_id FROM access_chain"), 204);
}

static void the_moved_clock_decides_what_is_old(void **state)
{
	fy_time tomorrow = fy_clock() + FY_DAY;

	(void)state;
	given_accounts(1, 5, 2, 100);
	given_accounts(1001, 450, 1, 6); /* seven days, tomorrow */
	given_accounts(2001, 3, 1, 5);
	given_tokens(1, 401, "1", "23 HOUR");
	given_tokens(1001, 2, "1", "25 HOUR");
	given_mails(1, 230, 3, "UTC_TIMESTAMP(6) - INTERVAL 6 DAY - INTERVAL 1 MINUTE", "NULL");
	given_messages(1, 203, 3, 800, "UTC_TIMESTAMP(6) - INTERVAL 364 DAY - INTERVAL 1 MINUTE");
	given_asked(1, 202, 364);
	given_reads(209, 204, 364);
	given_changes("23 HOUR");
	given_consents(-1);
	given_requests(1, 202, "UTC_TIMESTAMP(6) - INTERVAL 1825 DAY - INTERVAL 1 MINUTE");
	run_tasks(1, dry_then_real, &tomorrow);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 8);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 2);
}

/* The purge is told to stop before it begins, and does so after its first slice. */
static void one_slice(struct task *t)
{
	struct fy_job_report report;
	static const bool draining = true;
	struct fy_job_order order = { .job = fy_jobs_find("purge"), .even_early = true, .draining = &draining };

	CHECK_CODE(fy_job_perform(&t->ctx, &order, &report, NULL), 0);
	CHECK(report.result == FY_ERR_CANCELLED);
	CHECK(deleted(&report, "expired links") == 200);
}

static void last_slices(struct task *t)
{
	struct fy_job_report report;

	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", false, &report), 0);
	CHECK(report.result == 0 && deleted(&report, "expired links") == 50);
}

static void it_stops_after_a_slice_and_goes_on_later(void **state)
{
	(void)state;
	given_accounts(1, 1, 2, 100);
	given_tokens(1, 450, "1", "-1 MINUTE");
	run_tasks(1, one_slice, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 250);
	assert_int_equal(number("SELECT next_due_at <= UTC_TIMESTAMP(6) FROM job_lease"), 1);
	run_tasks(1, one_slice, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 50);
	run_tasks(1, last_slices, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 0);
}

static void many_names(struct task *t)
{
	struct fy_job_report report;
	struct fy_slice names;

	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", true, &report), 0);
	names = report.items[8].names;
	CHECK(deleted(&report, "unconfirmed registrations") == 5000);
	CHECK(names.len > 10000 && names.len <= 16384);
	CHECK(fy_eq(fy_from(names, names.len - 5), FY_LIT(", …")));
	CHECK(number("SELECT COUNT(*) FROM account") == 5000);
}

static void too_many_to_name(struct task *t)
{
	struct fy_job_report dry, real;

	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", true, &dry), 0);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "purge", false, &real), 0);
	CHECK(same_items(&dry, &real) && deleted(&real, "expired links") == 3500);
	CHECK(fy_eq(fy_from(real.items[0].names, real.items[0].names.len - 5), FY_LIT(", …")));
}

static void more_links_than_can_be_named_are_counted(void **state)
{
	(void)state;
	given_accounts(1, 1, 2, 100);
	given_tokens(1, 3500, "1", "-1 MINUTE");
	run_tasks(1, too_many_to_name, NULL);
}

static void a_long_list_of_names_is_cut_and_says_so(void **state)
{
	(void)state;
	given_accounts(1, 5000, 1, 8);
	run_tasks(1, many_names, NULL);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_dry_run_says_what_the_run_then_does),    TEST(the_moved_clock_decides_what_is_old),
		TEST(it_stops_after_a_slice_and_goes_on_later), TEST(a_long_list_of_names_is_cut_and_says_so),
		TEST(more_links_than_can_be_named_are_counted),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
