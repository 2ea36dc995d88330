/* What the policy page says of promises: noted by runs that did their work, by no other, and read from the files. */
#include "tests/unit/jobs/harness.h"

#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "foyer/require.h"
#include "jobs/oldest_line.h"
#include "jobs/run.h"
#include "protocol/datetime.h"
#include "storage/proofs.h"

#define LINE(date) "192.0.2.1 - - [" date "] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n"

static int begin(void **state)
{
	(void)state;
	empty_dir("log");
	stage.config.log_gzip = true;
	stage.config.log_keep_days = 180;
	stage.config.log_rotate_mib = 64;
	change("DELETE FROM instance; DELETE FROM outbox; DELETE FROM one_time_token; DELETE FROM account; "
	       "DELETE FROM job_lease");
	return 0;
}

struct run {
	const char *job;
	fy_time at; /* 0: now */
	bool dry;
	int result;
};

static void run_task(struct task *t)
{
	struct run *run = t->arg;
	struct fy_job_report report;

	if (run->at)
		t->ctx.now = run->at;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, run->job, run->dry, &report), 0);
	CHECK_CODE(report.result, run->result);
}

static void run_job(const char *job, fy_time at, bool dry, int result)
{
	struct run run = { job, at, dry, result };
	run_tasks(1, run_task, &run);
}

static struct {
	struct fy_proof items[8];
	size_t count;
} seen;

static void list_task(struct task *t)
{
	struct fy_proof *proofs;
	CHECK_CODE(fy_proofs_list(&t->ctx, &proofs, &seen.count), 0);
	CHECK(seen.count <= FY_COUNT(seen.items));
	memcpy(seen.items, proofs, seen.count * sizeof *proofs);
}

static void look(void)
{
	run_tasks(1, list_task, NULL);
}

static void assert_recent(fy_time t)
{
	assert_true(t > fy_clock() - FY_MINUTE && t <= fy_clock());
}

static void a_purge_that_succeeds_is_noted_and_a_dry_one_is_not(void **state)
{
	(void)state;
	run_job("purge", 0, true, 0);
	look();
	assert_int_equal(seen.count, 0);
	run_job("purge", 0, false, 0);
	look();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.items[0].kind, FY_PROOF_PURGE);
	assert_recent(seen.items[0].kept_at);
}

static void a_purge_that_fails_is_not_noted(void **state)
{
	(void)state;
	run_job("purge", 0, false, 0);
	change("UPDATE instance SET value = '2026-01-01T00:00:00Z' WHERE name = 'proof.purge'; "
	       "RENAME TABLE outbox TO outbox_away");
	run_job("purge", 0, false, FY_ERR_SCHEMA);
	change("RENAME TABLE outbox_away TO outbox");
	look();
	assert_true(fy_clock() - seen.items[0].kept_at > FY_PROOF_STALE);
	run_job("purge", 0, false, 0);
	look();
	assert_recent(seen.items[0].kept_at);
}

/* A purge as of last year deletes less than what is due today; one as of next year proves nothing about next year. */
static void a_moved_clock_proves_nothing_more(void **state)
{
	(void)state;
	run_job("purge", fy_clock() - 300 * FY_DAY, false, 0);
	look();
	assert_true(fy_clock() - seen.items[0].kept_at > 299 * FY_DAY);
	run_job("purge", fy_clock() + 300 * FY_DAY, false, 0);
	look();
	assert_recent(seen.items[0].kept_at);
	run_job("purge", fy_clock() - 300 * FY_DAY, false, 0);
	look();
	assert_recent(seen.items[0].kept_at);
}

static void a_rotation_notes_the_oldest_line_that_is_left(void **state)
{
	(void)state;
	char today[64];
	struct fy_date day = fy_paris_date(fy_clock()), kept = fy_date_add_days(day, -100);
	fy_time first = fy_paris_day_start(kept) + 90 * FY_SECOND;
	struct fy_buf line;

	write_file("log/access.log-20200105", LINE("05/Jan/2020:10:00:00 +0100"));
	fy_buf_init(&line, NULL, 256);
	fy_buf_put(&line, FY_LIT("2001:db8::1 - 7 ["));
	fy_put_clf_date(&line, first);
	fy_buf_put(&line, FY_LIT("] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\nnext"));
	fy_buf_char(&line, '\0');
	snprintf(today, sizeof today, "log/access.log-%04d%02d%02d", kept.year, kept.month, kept.day);
	write_file(today, line.ptr);
	fy_buf_finish(&line);
	write_file("log/foyer.log-20191231", "{}\n"); /* holds no address */
	run_job("rotate", 0, false, 0);
	look();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.items[0].kind, FY_PROOF_LOGS);
	assert_int_equal(seen.items[0].id.len, FY_PROOF_ID_CHARS);
	assert_recent(seen.items[0].kept_at);
	assert_true(seen.items[0].oldest_at == first);
	assert_false(file_exists(today)); /* it was read compressed */
}

static void a_log_directory_keeps_its_id_and_is_noted_every_ten_minutes(void **state)
{
	(void)state;
	run_job("rotate", 0, false, 0);
	change("UPDATE instance SET value = DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 5 MINUTE, '%Y-%m-%dT%H:%i:%sZ')");
	run_job("rotate", 0, false, 0);
	look();
	assert_int_equal(seen.count, 1);
	assert_true(fy_clock() - seen.items[0].kept_at > 4 * FY_MINUTE);
	change("UPDATE instance SET value = DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 15 MINUTE, '%Y-%m-%dT%H:%i:%sZ')");
	run_job("rotate", 0, false, 0);
	look();
	assert_int_equal(seen.count, 1);
	assert_recent(seen.items[0].kept_at);
	empty_dir("log"); /* another directory, another id */
	run_job("rotate", 0, false, 0);
	look();
	assert_int_equal(seen.count, 2);
}

static void a_server_that_is_gone_for_a_month_is_forgotten_and_not_before(void **state)
{
	(void)state;
	change("INSERT INTO instance (name, value) VALUES "
	       "('proof.logs.00', DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 29 DAY, '%Y-%m-%dT%H:%i:%sZ')), "
	       "('proof.logs.01', DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL 31 DAY, '%Y-%m-%dT%H:%i:%sZ')), "
	       "('proof.purge', '2020-01-01T00:00:00Z'), ('proof.logs.02', 'nonsense'), ('proofx', '2020-01-01T00:00:00Z')");
	look();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.items[0].kind, FY_PROOF_PURGE);
	assert_true(seen.items[1].kind == FY_PROOF_LOGS && seen.items[1].id.len == 2);
}

static fy_time oldest(void)
{
	fy_time at = -1;
	assert_int_equal(fy_oldest_line(path_of("log"), &at), 0);
	return at;
}

static void the_oldest_line_is_found_by_name_and_date(void **state)
{
	(void)state;
	fy_time at = 0;
	assert_true(oldest() == 0);
	write_file("log/access.log", LINE("20/Nov/2026:10:00:00 +0100"));
	assert_int_equal(fy_parse_clf_date(FY_LIT("20/Nov/2026:10:00:00 +0100"), &at), 0);
	assert_true(oldest() == at);
	write_file("log/access.log-20261103.2", LINE("03/Nov/2026:20:00:00 +0100"));
	assert_int_equal(fy_parse_clf_date(FY_LIT("03/Nov/2026:20:00:00 +0100"), &at), 0);
	assert_true(oldest() == at);
	write_file("log/access.log-20261103", LINE("03/Nov/2026:08:00:00 +0100"));
	assert_int_equal(fy_parse_clf_date(FY_LIT("03/Nov/2026:08:00:00 +0100"), &at), 0);
	assert_true(oldest() == at);
	write_file("log/access.log-20261001", "somebody else's words\n");
	assert_true(oldest() == fy_paris_day_start((struct fy_date){ 2026, 10, 1 }));
	write_file("log/access.log-2026", LINE("01/Jan/2020:08:00:00 +0100"));
	assert_true(oldest() == fy_paris_day_start((struct fy_date){ 2026, 10, 1 }));
	assert_int_not_equal(fy_oldest_line(path_of("nowhere"), &at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_purge_that_succeeds_is_noted_and_a_dry_one_is_not, begin),
		cmocka_unit_test_setup(a_purge_that_fails_is_not_noted, begin),
		cmocka_unit_test_setup(a_moved_clock_proves_nothing_more, begin),
		cmocka_unit_test_setup(a_rotation_notes_the_oldest_line_that_is_left, begin),
		cmocka_unit_test_setup(a_log_directory_keeps_its_id_and_is_noted_every_ten_minutes, begin),
		cmocka_unit_test_setup(a_server_that_is_gone_for_a_month_is_forgotten_and_not_before, begin),
		cmocka_unit_test_setup(the_oldest_line_is_found_by_name_and_date, begin),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
