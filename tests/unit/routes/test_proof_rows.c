/* The public proofs: a promise turns red when its job stops, says so in words, and is good again after a run. */
#include "tests/unit/jobs/harness.h"

#include <string.h>

#include "jobs/run.h"
#include "protocol/datetime.h"
#include "server/routes/proof_rows.h"
#include "storage/proofs.h"

static int begin(void **state)
{
	(void)state;
	empty_dir("log");
	stage.config.log_keep_days = 180;
	stage.config.log_rotate_mib = 64;
	change("DELETE FROM instance; DELETE FROM job_lease");
	return 0;
}

static void run_task(struct task *t)
{
	struct fy_job_report report;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, t->arg, false, &report), 0);
	CHECK_CODE(report.result, 0);
}

/* What the page says of each promise; the notes of runs never stand there. */
static struct {
	enum fy_lang lang;
	bool away;
	struct fy_row_proof rows[8];
	size_t count;
	char html[65536];
} seen;

static void look_task(struct task *t)
{
	const struct fy_row_proof *rows;
	struct fy_buf out;
	struct fy_page page = { .lang = seen.lang, .now = t->ctx.now };
	t->ctx.lang = seen.lang;
	if (seen.away)
		t->ctx.deadline_ms = fy_loop_ms() + 200;
	seen.count = fy_proof_rows(&t->ctx, &rows);
	CHECK(seen.count <= sizeof seen.rows / sizeof *seen.rows);
	memcpy(seen.rows, rows, seen.count * sizeof *rows);
	fy_buf_init(&out, &t->arena, sizeof seen.html);
	fy_page_privacy(&out, &page, &(struct fy_view_privacy){ .proofs = rows, .proofs_count = seen.count });
	CHECK(!out.failed && out.len < sizeof seen.html);
	memcpy(seen.html, out.ptr, out.len);
	seen.html[out.len] = '\0';
}

static void look(enum fy_lang lang)
{
	seen.lang = lang;
	run_tasks(1, look_task, NULL);
}

static void assert_said(const char *words)
{
	if (!strstr(seen.html, words))
		fail_msg("not on the page: %s", words);
}

static void what_never_ran_is_not_kept(void **state)
{
	(void)state;
	look(FY_LANG_EN);
	assert_int_equal(seen.count, 5);
	assert_true(seen.rows[0].known && !seen.rows[0].kept && !seen.rows[1].kept && !seen.rows[2].kept &&
		    seen.rows[4].kept);
	assert_said("badge bad");
	assert_said("No successful run has been observed yet.");
}

static void a_job_that_stops_turns_its_promise_red_and_a_run_makes_it_good(void **state)
{
	(void)state;
	run_tasks(1, run_task, "purge");
	run_tasks(1, run_task, "retention");
	run_tasks(1, run_task, "rotate");
	change("UPDATE job_lease SET last_detail = 'delete|3|secret things'");
	look(FY_LANG_EN);
	assert_true(seen.rows[0].kept && seen.rows[1].kept && seen.rows[2].kept);
	assert_null(strstr(seen.html, "badge bad"));
	assert_null(strstr(seen.html, "secret things"));
	assert_said("Last successful run:");

	change("UPDATE instance SET value = DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 23 HOUR, '%Y-%m-%dT%H:%i:%sZ') WHERE name LIKE "
	       "'proof.%'");
	look(FY_LANG_EN);
	assert_true(seen.rows[0].kept && seen.rows[1].kept && seen.rows[2].kept);

	change("UPDATE instance SET value = DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 25 HOUR, '%Y-%m-%dT%H:%i:%sZ') WHERE name LIKE "
	       "'proof.%'");
	change("UPDATE job_lease SET last_finished_at = UTC_TIMESTAMP(6), last_result = -1"); /* it runs, and fails */
	look(FY_LANG_EN);
	assert_true(!seen.rows[0].kept && !seen.rows[1].kept && !seen.rows[2].kept && seen.rows[4].kept);
	assert_said(
		"<p class=\"broken\"><span class=\"badge bad\">not kept</span> This promise has not been kept since");
	look(FY_LANG_FR);
	assert_said("<span class=\"badge bad\">non tenue</span> Cette promesse n’est plus tenue depuis le");

	run_tasks(1, run_task, "purge");
	run_tasks(1, run_task, "retention");
	run_tasks(1, run_task, "rotate");
	look(FY_LANG_FR);
	assert_true(seen.rows[0].kept && seen.rows[1].kept && seen.rows[2].kept);
	assert_null(strstr(seen.html, "badge bad"));
}

/* The rotation runs, but a file stays: a name that it does not know, a disk that refuses. The files decide. */
static void an_address_that_is_too_old_is_a_promise_not_kept(void **state)
{
	(void)state;
	run_tasks(1, run_task, "purge");
	change("INSERT INTO instance (name, value) SELECT 'proof.logs.a', CONCAT(value, ' ', "
	       "DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 181 DAY, '%Y-%m-%dT%H:%i:%sZ')) FROM instance WHERE name = 'proof.purge'");
	look(FY_LANG_EN);
	assert_true(seen.rows[2].kept && seen.rows[2].oldest);
	assert_said("The oldest network address that is kept is of");
	change("INSERT INTO instance (name, value) SELECT 'proof.logs.b', CONCAT(value, ' ', "
	       "DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 183 DAY, '%Y-%m-%dT%H:%i:%sZ')) FROM instance WHERE name = 'proof.purge'");
	look(FY_LANG_EN);
	assert_int_equal(seen.count, 6);
	assert_true(seen.rows[2].kept && !seen.rows[3].kept && seen.rows[3].number == 2);
	assert_true(seen.rows[3].since == seen.rows[3].oldest + 180 * FY_DAY);
	assert_said("The logs of server no. 2 are deleted after 180 days.");
}

/* Of the master key in use its day is shown; a replacement that nobody finishes within a day is a promise not kept. */
static void the_last_rotation_is_shown_and_one_that_stands_still_is_not_kept(void **state)
{
	(void)state;
	run_tasks(1, run_task, "purge");
	run_tasks(1, run_task, "retention");
	run_tasks(1, run_task, "rotate");
	change("UPDATE foyer_keys.master_key SET created_at = '2026-03-04 11:00:00'");
	look(FY_LANG_EN);
	assert_true(fy_eq(seen.rows[3].kind, FY_LIT("keys")) && seen.rows[3].kept && seen.rows[3].since == 0);
	assert_said("The master key in use is of 4 March 2026.");
	assert_null(strstr(seen.html, "badge bad"));

	change("INSERT INTO foyer_keys.master_key (id, created_at) VALUES (77, UTC_TIMESTAMP(6) - INTERVAL 23 HOUR)");
	look(FY_LANG_EN);
	assert_true(seen.rows[3].kept && seen.rows[3].since);
	assert_said("A replacement, begun on");
	assert_null(strstr(seen.html, "badge bad"));
	change("UPDATE foyer_keys.master_key SET created_at = UTC_TIMESTAMP(6) - INTERVAL 25 HOUR WHERE id = 77");
	look(FY_LANG_FR);
	assert_false(seen.rows[3].kept);
	assert_said("<span class=\"badge bad\">non tenue</span> Un remplacement, commencé le");
	assert_said("La clé principale en service date du 4 mars 2026.");
	change("DELETE FROM foyer_keys.master_key WHERE id = 77");
}

static void without_the_database_nothing_is_claimed(void **state)
{
	(void)state;
	run_tasks(1, run_task, "purge");
	mariadb_away();
	seen.away = true;
	look(FY_LANG_EN);
	seen.away = false;
	mariadb_back();
	assert_int_equal(seen.count, 5);
	assert_true(!seen.rows[0].known && !seen.rows[1].known && !seen.rows[2].known && !seen.rows[3].known &&
		    seen.rows[4].known);
	assert_said("The database does not answer: we cannot tell at the moment.");
	assert_null(strstr(seen.html, "badge bad"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_never_ran_is_not_kept, begin),
		cmocka_unit_test_setup(a_job_that_stops_turns_its_promise_red_and_a_run_makes_it_good, begin),
		cmocka_unit_test_setup(an_address_that_is_too_old_is_a_promise_not_kept, begin),
		cmocka_unit_test_setup(the_last_rotation_is_shown_and_one_that_stands_still_is_not_kept, begin),
		cmocka_unit_test_setup(without_the_database_nothing_is_claimed, begin),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
