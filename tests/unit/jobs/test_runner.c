/* The runner and what it holds: one at a time, renewed, stopped, healed. The jobs here are the test's own: this table
 * takes the place of jobs.c. */
#include "tests/unit/jobs/harness.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foyer/require.h"
#include "jobs/host_lock.h"
#include "jobs/run.h"
#include "storage/leases.h"

static struct {
	unsigned runs, at_once, overlaps, slices, local_runs;
	unsigned slices_wanted;
	fy_time believed;
	int ended_with;
	bool steal; /* the lease is taken away after the first slice */
} beat;

/* Parks often, so that another run would get between. */
static fy_async int run_beat(struct fy_job_run *run)
{
	int err = 0;

	if (++beat.at_once > 1)
		beat.overlaps++;
	beat.runs++;
	beat.believed = run->ctx->now;
	for (unsigned i = 0; i < beat.slices_wanted && err == 0; i++) {
		fy_sleep(run->ctx, 20);
		beat.slices++;
		fy_job_note(run, "beat", "slices", 1, FY_NONE);
		if (beat.steal && i == 0)
			change("UPDATE job_lease SET owner = 'somebody else', fence = fence + 1 WHERE name = 'beat'");
		err = fy_job_continue(run);
	}
	beat.at_once--;
	beat.ended_with = err;
	return err;
}

static fy_async int run_local(struct fy_job_run *run)
{
	beat.local_runs++;
	fy_sleep(run->ctx, 60);
	fy_job_note(run, "beat", "slices", 1, FY_NONE);
	return fy_job_continue(run);
}

const struct fy_job fy_jobs_table[] = {
	{ .name = "beat",
	  .what = { "Bat.", "Beats." },
	  .scope = FY_JOB_CLUSTER,
	  .period_s = 1,
	  .deadline_s = 5,
	  .hold_s = 1,
	  .run = run_beat },
	{ .name = "local",
	  .what = { "Bat ici.", "Beats here." },
	  .scope = FY_JOB_HOST,
	  .period_s = 3600,
	  .deadline_s = 5,
	  .run = run_local },
};
const size_t fy_jobs_table_count = FY_COUNT(fy_jobs_table);

const struct fy_job *fy_jobs_find(const char *name)
{
	for (size_t i = 0; i < fy_jobs_table_count; i++) {
		if (strcmp(fy_jobs_table[i].name, name) == 0)
			return &fy_jobs_table[i];
	}
	return NULL;
}

static struct fy_jobs *runners[2];

static int begin(void **state)
{
	(void)state;
	memset(&beat, 0, sizeof beat);
	beat.slices_wanted = 3;
	change("DELETE FROM job_lease");
	empty_dir("log");
	return 0;
}

static void start_runners(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct fy_jobs_host host = { .config = &stage.config, .db = stage.db[i] };
		assert_int_equal(fy_jobs_create(&host, &runners[i]), 0);
		fy_jobs_start(runners[i]);
	}
}

static bool nothing_runs(void)
{
	struct fy_sched_stats stats;
	fy_sched_stats(&stats);
	return stats.live == 0;
}

static void end_runners(void)
{
	for (unsigned i = 0; i < 2; i++)
		fy_jobs_drain(runners[i]);
	spin_until(nothing_runs, 5000);
	for (unsigned i = 0; i < 2; i++)
		fy_jobs_destroy(runners[i]);
	spin_ms(5);
}

static void two_runners_never_run_one_job_at_a_time(void **state)
{
	(void)state;
	start_runners();
	for (unsigned i = 0; i < 40; i++) { /* also when both are asked for it all the time */
		fy_jobs_kick(runners[i % 2], "beat");
		spin_ms(50);
	}
	end_runners();
	assert_int_equal(beat.overlaps, 0);
	assert_in_range(beat.runs, 8, 40);
	assert_int_equal(number("SELECT last_result FROM job_lease WHERE name = 'beat'") == 0 ||
				 number("SELECT last_result FROM job_lease WHERE name = 'beat'") == FY_ERR_CANCELLED,
			 1);
}

static void its_period_is_kept_by_both_together(void **state)
{
	(void)state;
	beat.slices_wanted = 1;
	start_runners();
	spin_ms(3600);
	end_runners();
	assert_in_range(beat.runs, 3, 5); /* twice as many if both runners did it for themselves */
	assert_int_equal(beat.local_runs, 1);
}

static bool ran_twice(void)
{
	return beat.runs >= 2 && beat.at_once == 0;
}

static bool runs_now(void)
{
	return beat.at_once > 0;
}

static void a_kick_during_a_run_is_not_lost(void **state)
{
	(void)state;
	change("INSERT INTO job_lease (name, next_due_at) VALUES ('beat', UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)");
	start_runners();
	spin_ms(100);
	assert_int_equal(beat.runs, 0);
	fy_jobs_kick(runners[0], "beat");
	spin_until(runs_now, 2000);
	fy_jobs_kick(runners[1], "beat"); /* held by the other: it must wait, and then run */
	spin_until(ran_twice, 3000);
	end_runners();
	assert_int_equal(beat.overlaps, 0);
}

static void run_beat_now(struct task *t)
{
	struct fy_job_report report;

	if (t->arg)
		t->ctx.now = *(fy_time *)t->arg;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "beat", false, &report), 0);
	CHECK(report.at == t->ctx.now && !report.dry_run && strcmp(report.name, "beat") == 0);
	CHECK(report.result == beat.ended_with);
	CHECK(noted(&report, "beat", "slices") == (long long)beat.slices);
}

static void a_long_run_keeps_its_lease(void **state)
{
	(void)state;
	beat.slices_wanted = 120; /* some 2.5 s; the lease lasts one */
	start_runners();
	fy_jobs_kick(runners[1], "beat");
	spin_ms(2800);
	end_runners();
	assert_int_equal(beat.overlaps, 0);
	assert_in_range(beat.slices, 60, 240);
}

static struct {
	unsigned calls, last, grew;
} shown;

static void show(struct fy_slice so_far)
{
	unsigned slices = 0;
	char words[64];
	snprintf(words, sizeof words, FY_FMT, FY_ARG(so_far));
	sscanf(words, "%*[^0-9]%u slices", &slices);
	shown.calls++;
	shown.grew += slices > shown.last;
	shown.last = slices;
}

static void a_long_run_tells_how_far_it_is(void **state)
{
	(void)state;
	memset(&shown, 0, sizeof shown);
	beat.slices_wanted = 120;
	fy_jobs_watch(show);
	run_tasks(1, run_beat_now, NULL);
	fy_jobs_watch(NULL);
	assert_in_range(shown.calls, 2, 5); /* about once a second, of some 2.5 */
	assert_int_equal(shown.grew, shown.calls);
	assert_in_range(shown.last, 20, beat.slices);
}

static void a_lost_lease_stops_the_run_between_two_slices(void **state)
{
	(void)state;
	beat.slices_wanted = 120;
	beat.steal = true;
	run_tasks(1, run_beat_now, NULL);
	assert_int_equal(beat.ended_with, FY_ERR_EXPIRED);
	assert_in_range(beat.slices, 1, 60);
	/* And what the new holder has is left alone. */
	assert_int_equal(
		number("SELECT COUNT(*) FROM job_lease WHERE owner = 'somebody else' AND last_finished_at IS NULL"), 1);
}

static void a_run_past_its_deadline_stops_and_has_failed(void **state)
{
	(void)state;
	beat.slices_wanted = 10000;
	run_tasks(1, run_beat_now, NULL);
	assert_int_equal(beat.ended_with, FY_ERR_TIMEOUT);
	assert_int_equal(number("SELECT last_result FROM job_lease WHERE name = 'beat'"), FY_ERR_TIMEOUT);
	assert_int_equal(number("SELECT owner IS NULL FROM job_lease WHERE name = 'beat'"), 1);
}

static void draining_ends_a_run_between_two_slices(void **state)
{
	(void)state;
	beat.slices_wanted = 10000;
	start_runners();
	spin_until(runs_now, 2000);
	end_runners();
	assert_int_equal(beat.ended_with, FY_ERR_CANCELLED);
	/* Another server goes on at once. */
	assert_int_equal(number("SELECT next_due_at <= UTC_TIMESTAMP(6) FROM job_lease WHERE name = 'beat'"), 1);
	unsigned runs = beat.runs;
	spin_ms(1200);
	assert_int_equal(beat.runs, runs);
}

static void a_job_believes_in_the_moved_clock_and_its_lease_does_not(void **state)
{
	(void)state;
	fy_time next_year = fy_clock() + 365 * FY_DAY;
	run_tasks(1, run_beat_now, &next_year);
	assert_true(beat.believed == next_year);
	assert_int_equal(
		number("SELECT COUNT(*) FROM job_lease WHERE next_due_at < UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE "
		       "AND last_finished_at < UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE"),
		1);
}

static void run_both(struct task *t)
{
	struct fy_job_report report;
	unsigned *busy = t->arg;
	int err = fy_jobs_run_now(&t->ctx, t->index < 4 ? "beat" : "local", false, &report);

	CHECK(err == 0 || err == FY_ERR_BUSY);
	*busy += err == FY_ERR_BUSY;
}

static void of_several_at_the_same_moment_one_runs(void **state)
{
	unsigned busy = 0;

	(void)state;
	run_tasks(8, run_both, &busy);
	assert_int_equal(busy, 6); /* three of the four that tried each job */
	assert_int_equal(beat.runs, 1);
	assert_int_equal(beat.local_runs, 1);
}

static void without_mariadb(struct task *t)
{
	struct fy_job_report report;

	t->ctx.db = NULL;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "local", false, &report), 0);
	CHECK(report.result == 0);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "beat", false, &report), FY_ERR_DB_DOWN);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "none", false, &report), FY_ERR_NOT_FOUND);
}

static void a_job_of_the_host_needs_no_mariadb(void **state)
{
	(void)state;
	run_tasks(1, without_mariadb, NULL);
	assert_int_equal(beat.runs, 0);
	assert_int_equal(beat.local_runs, 1);
	assert_true(file_exists("log/.local.job"));
}

static void expect_busy_then_free(struct task *t)
{
	struct fy_job_report report;
	struct fy_job_status *list;
	size_t count;
	pid_t *child = t->arg;

	CHECK_CODE(fy_jobs_list(&t->ctx, &list, &count), 0);
	CHECK(count == 2 && list[1].running);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "local", false, &report), FY_ERR_BUSY);
	kill(*child, SIGKILL);
	waitpid(*child, NULL, 0);
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "local", false, &report), 0);
	CHECK_CODE(fy_jobs_list(&t->ctx, &list, &count), 0);
	CHECK(!list[1].running && list[1].last_at && list[1].next_at > list[1].last_at);
	CHECK(fy_eq(list[1].detail, FY_LIT("beat 1 slices")));
}

static void a_lock_ends_with_its_process(void **state)
{
	int ready[2], fd;
	char byte;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fy_host_lock_take(stage.config.log_directory.ptr, "local", &fd) == 0 &&
		    write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	run_tasks(1, expect_busy_then_free, &child);
	close(ready[0]);
	close(ready[1]);
}

static bool three_runs(void)
{
	return beat.runs >= 3;
}

static void mariadb_may_go_and_come_back(void **state)
{
	(void)state;
	beat.slices_wanted = 1;
	start_runners();
	spin_until(ran_twice, 5000);
	mariadb_away();
	unsigned before = beat.runs;
	spin_ms(2500);
	assert_int_equal(beat.runs, before);
	beat.runs = 2;
	mariadb_back();
	spin_until(three_runs, 20000);
	end_runners();
	assert_int_equal(beat.overlaps, 0);
}

static void list(struct task *t)
{
	struct fy_job_status *list, *expected = t->arg;
	size_t count;

	CHECK_CODE(fy_jobs_list(&t->ctx, &list, &count), 0);
	CHECK(count == 2 && strcmp(list[0].name, "beat") == 0 && list[0].period_s == 1);
	CHECK(list[0].running == expected->running && list[0].failed == expected->failed &&
	      list[0].late == expected->late);
	CHECK(!list[1].running && !list[1].failed && !list[1].late && list[1].last_at == 0);
}

static void a_job_is_late_when_nothing_ran_for_long(void **state)
{
	struct fy_job_status expected = { 0 };

	(void)state;
	run_tasks(1, list, &expected); /* it never ran: not late, as it may be new */
	change("INSERT INTO job_lease (name, last_result, last_finished_at) VALUES "
	       "('beat', 0, UTC_TIMESTAMP(6) - INTERVAL 50 SECOND)");
	run_tasks(1, list, &expected);
	change("UPDATE job_lease SET last_finished_at = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND");
	expected.late = true;
	run_tasks(1, list, &expected);
	change("UPDATE job_lease SET owner = 'x', leased_until = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE");
	expected = (struct fy_job_status){ .running = true };
	run_tasks(1, list, &expected);
	change("UPDATE job_lease SET owner = NULL, leased_until = NULL, last_result = -20015, "
	       "last_finished_at = UTC_TIMESTAMP(6)");
	expected = (struct fy_job_status){ .failed = true };
	run_tasks(1, list, &expected);
	change("UPDATE job_lease SET last_result = -20010"); /* drained: no fault of the job */
	expected = (struct fy_job_status){ 0 };
	run_tasks(1, list, &expected);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_runners_never_run_one_job_at_a_time),
		TEST(its_period_is_kept_by_both_together),
		TEST(a_kick_during_a_run_is_not_lost),
		TEST(a_long_run_keeps_its_lease),
		TEST(a_long_run_tells_how_far_it_is),
		TEST(a_lost_lease_stops_the_run_between_two_slices),
		TEST(a_run_past_its_deadline_stops_and_has_failed),
		TEST(draining_ends_a_run_between_two_slices),
		TEST(a_job_believes_in_the_moved_clock_and_its_lease_does_not),
		TEST(of_several_at_the_same_moment_one_runs),
		TEST(a_job_of_the_host_needs_no_mariadb),
		TEST(a_lock_ends_with_its_process),
		TEST(a_job_is_late_when_nothing_ran_for_long),
		TEST(mariadb_may_go_and_come_back),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
