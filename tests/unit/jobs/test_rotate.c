/* The rotation: no line lost or doubled while several processes write, wherever it is cut off. */
#include "tests/unit/jobs/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/gzip_file.h"
#include "jobs/rotate_plan.h"
#include "jobs/run.h"

#undef NOON /* in a year that the real clock does not reach: a run that believes in a day that is over leaves no note */
#define NOON ((fy_time)4004503200 * FY_SECOND) /* 2096-11-23T10:00:00Z, 11:00 in Paris */
#define WRITERS 4
#define NO_RIGHT 77 /* exit code */

static int begin(void **state)
{
	(void)state;
	empty_dir("log");
	stage.config.log_gzip = true;
	stage.config.log_keep_days = 180;
	stage.config.log_rotate_mib = 64;
	return 0;
}

struct run {
	fy_time at;
	bool dry;
	int result;                  /* expected */
	struct fy_job_report report; /* the texts in it are gone; for the counts */
	long long rotated, compressed, deleted, removed, left;
	char detail[600], names[4][300];
	size_t count;
};

static void rotate_task(struct task *t)
{
	struct run *run = t->arg;

	if (run->at)
		t->ctx.now = run->at;
	t->ctx.db = NULL;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "rotate", run->dry, &run->report), 0);
	snprintf(run->detail, sizeof run->detail, FY_FMT, FY_ARG(run->report.detail));
	run->count = run->report.count;
	for (size_t i = 0; i < run->count && i < 4; i++)
		snprintf(run->names[i], sizeof run->names[i], "%s %s: " FY_FMT, run->report.items[i].action,
			 run->report.items[i].object, FY_ARG(run->report.items[i].names));
	run->rotated = noted(&run->report, "rotate", "logs");
	run->compressed = noted(&run->report, "compress", "rotated logs");
	run->deleted = noted(&run->report, "delete", "old logs");
	run->removed = noted(&run->report, "remove", "unfinished files");
	run->left = noted(&run->report, "leave for the next run", "logs that are still written");
	CHECK_CODE(run->report.result, run->result);
}

static struct run rotate(fy_time at, bool dry, int result)
{
	static struct run run;
	run = (struct run){ .at = at, .dry = dry, .result = result };
	run_tasks(1, rotate_task, &run);
	return run;
}

static void assert_same(const struct run *dry, const struct run *real)
{
	assert_int_equal(dry->count, real->count);
	assert_string_equal(dry->detail, real->detail);
	for (size_t i = 0; i < dry->count; i++)
		assert_string_equal(dry->names[i], real->names[i]);
}

static char *gunzip(const char *name)
{
	gzFile gz = gzopen(path_of(name), "rb");
	char *text = calloc(1, 1 << 20);
	int got = gz ? gzread(gz, text, (1 << 20) - 1) : -1;

	assert_true(got >= 0);
	assert_int_equal(gzclose(gz), Z_OK);
	return text;
}

static void assert_gz(const char *name, const char *expected)
{
	char *text = gunzip(name);
	assert_string_equal(text, expected);
	free(text);
}

static void a_new_day_rotates_and_compresses(void **state)
{
	(void)state;
	write_file("log/access.log", "one\n");
	write_file("log/foyer.log", "two\n");
	struct run run = rotate(NOON, false, 0); /* the first look: today */
	assert_int_equal(run.count, 0);
	assert_true(file_exists("log/access.log"));
	struct run dry = rotate(NOON + FY_DAY, true, 0);
	assert_true(file_exists("log/access.log"));
	run = rotate(NOON + FY_DAY, false, 0);
	assert_same(&dry, &run);
	assert_string_equal(run.names[0],
			    "rotate logs: access.log to access.log-20961123, foyer.log to foyer.log-20961123");
	assert_string_equal(run.names[1], "compress rotated logs: access.log-20961123, foyer.log-20961123");
	assert_gz("log/access.log-20961123.gz", "one\n");
	assert_gz("log/foyer.log-20961123.gz", "two\n");
	assert_int_equal(count_files("log", "access.log"), 1);
	run = rotate(NOON + FY_DAY + FY_MINUTE, false, 0); /* the same day again: nothing */
	assert_int_equal(run.count, 0);
}

/* 22:59 UTC of 23 November is 23:59 in Paris. */
static void the_day_ends_at_midnight_in_paris(void **state)
{
	fy_time midnight = NOON + 13 * FY_HOUR;

	(void)state;
	write_file("log/access.log", "one\n");
	rotate(midnight - FY_MINUTE, false, 0);
	assert_int_equal(rotate(midnight - FY_SECOND, false, 0).count, 0);
	assert_int_equal(rotate(midnight, false, 0).rotated, 1);
}

static void size_rotates_too_and_numbers_the_day(void **state)
{
	char *megabyte = malloc((1 << 20) + 1);

	(void)state;
	memset(megabyte, 'x', 1 << 20);
	megabyte[1 << 20] = '\0';
	stage.config.log_rotate_mib = 1;
	for (unsigned i = 0; i < 3; i++) {
		write_file("log/access.log", megabyte);
		assert_int_equal(rotate(NOON, false, 0).rotated, 1);
	}
	write_file("log/access.log", "small\n");
	assert_int_equal(rotate(NOON, false, 0).count, 0);
	assert_true(file_exists("log/access.log-20961123.gz"));
	assert_true(file_exists("log/access.log-20961123.2.gz"));
	assert_true(file_exists("log/access.log-20961123.3.gz"));
	assert_int_equal(rotate(NOON + FY_DAY, false, 0).rotated, 1);
	assert_gz("log/access.log-20961123.4.gz", "small\n");
	free(megabyte);
}

static void only_our_own_old_files_are_deleted(void **state)
{
	static const char *const stay[] = {
		"log/access.log-20960528.gz",     "log/foyer.log-20961122.7.gz",   "log/other.log-20200101.gz",
		"log/access.log-20200101.gz.bak", "log/access.log-20201301.gz",    "log/access.log-2020010.gz",
		"log/access.log-20200101.1.gz",   "log/access.log-20200101.02.gz", "log/mariadb.log"
	};
	static const char *const go[] = { "log/access.log-20960526.gz", "log/access.log-20200229",
					  "log/foyer.log-20200101.12.gz" };
	(void)state;
	for (size_t i = 0; i < FY_COUNT(stay); i++)
		write_file(stay[i], "x");
	for (size_t i = 0; i < FY_COUNT(go); i++)
		write_file(go[i], "x");
	struct run dry = rotate(NOON, true, 0), run = rotate(NOON, false, 0);
	assert_same(&dry, &run);
	assert_int_equal(run.deleted, FY_COUNT(go));
	for (size_t i = 0; i < FY_COUNT(stay); i++)
		assert_true(file_exists(stay[i]));
	for (size_t i = 0; i < FY_COUNT(go); i++)
		assert_false(file_exists(go[i]));
}

static void without_gzip_files_stay_plain(void **state)
{
	(void)state;
	stage.config.log_gzip = false;
	write_file("log/access.log", "one\n");
	rotate(NOON, false, 0);
	struct run run = rotate(NOON + FY_DAY, false, 0);
	assert_int_equal(run.rotated, 1);
	assert_int_equal(run.compressed, -1);
	assert_true(file_exists("log/access.log-20961123"));
}

/* Each kind of thing that a killed rotation leaves. */
static void what_was_cut_off_is_finished_by_the_next_run(void **state)
{
	gzFile gz;

	(void)state;
	write_file("log/access.log-20961120", "renamed, not compressed\n");
	write_file("log/access.log-20961121", "half compressed\n");
	write_file("log/.access.log-20961121.gz.tmp", "\x1f\x8bhalf");
	write_file("log/access.log-20961122", "compressed, not removed\n");
	gz = gzopen(path_of("log/access.log-20961122.gz"), "wb");
	assert_true(gzputs(gz, "compressed, not removed\n") > 0 && gzclose(gz) == Z_OK);
	write_file("log/.not-ours.tmp", "x");
	struct run dry = rotate(NOON, true, 0), run = rotate(NOON, false, 0);
	assert_same(&dry, &run);
	assert_int_equal(run.compressed, 3);
	assert_int_equal(run.removed, 1);
	assert_gz("log/access.log-20961120.gz", "renamed, not compressed\n");
	assert_gz("log/access.log-20961121.gz", "half compressed\n");
	assert_gz("log/access.log-20961122.gz", "compressed, not removed\n");
	assert_int_equal(count_files("log", "access.log"), 3);
	assert_int_equal(count_files("log", ".access"), 0);
	assert_true(file_exists("log/.not-ours.tmp"));
}

/* Something else has the compressed name: other text, cut off, or going on. Nothing of either is lost. */
static void a_different_compressed_file_is_never_replaced(void **state)
{
	static const char *const plain = "the first line\nthe second line\n";
	static const char *const others[] = { "the first line\nthe second lime\n", "the first line\n",
					      "the first line\nthe second line\nthe third line\n", "" };
	(void)state;
	for (size_t i = 0; i < FY_COUNT(others); i++) {
		gzFile gz = gzopen(path_of("log/access.log-20961122.gz"), "wb");
		assert_true(gzputs(gz, others[i]) >= 0 && gzclose(gz) == Z_OK);
		write_file("log/access.log-20961122", plain);
		write_file("log/access.log-20961121", "beside\n");
		struct run run = rotate(NOON, false, FY_ERR_IO);
		assert_non_null(strstr(run.detail, "a different file has its compressed name"));
		char *kept = read_file("log/access.log-20961122");
		assert_string_equal(kept, plain);
		free(kept);
		assert_gz("log/access.log-20961122.gz", others[i]);
		assert_gz("log/access.log-20961121.gz", "beside\n"); /* the others are treated all the same */
		empty_dir("log");
	}
}

/* In a process of its own, which has a small file system that nobody else sees: its threads must be born with it. */
static void full_disk(void **state)
{
	(void)state;
	FILE *random = fopen("/dev/urandom", "r");
	FILE *file = fopen(path_of("log/access.log-20961122"), "w");
	for (unsigned i = 0; i < 44 * 1024; i++)
		fputc(fgetc(random), file);
	fclose(random);
	assert_int_equal(fclose(file), 0);
	struct run run = rotate(NOON, false, FY_ERR_IO);
	assert_non_null(strstr(run.detail, "the disk is full"));
	assert_true(file_exists("log/access.log-20961122"));
	assert_false(file_exists("log/access.log-20961122.gz"));
	assert_int_equal(count_files("log", ".access"), 0);
	assert_int_equal(umount(path_of("log")), 0);
}

static int mount_small(void **state)
{
	return stage_open(state) || mount("none", path_of("log"), "tmpfs", 0, "size=64k") ? -1 : 0;
}

static void a_full_disk_keeps_the_plain_file(void **state)
{
	int status;

	(void)state;
	pid_t child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "test_jobs_rotate", "full-disk", NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_RIGHT) {
		print_message("no right to mount a small file system: not tried\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void a_missing_directory_is_nothing_to_do(void **state)
{
	struct fy_slice usual = stage.config.log_directory;

	(void)state;
	stage.config.log_directory = FY_LIT("/nonexistent/log");
	struct run dry = rotate(NOON, true, 0), run = rotate(NOON, false, 0);
	stage.config.log_directory = usual;
	assert_same(&dry, &run);
	assert_string_equal(run.detail, "nothing to do");
}

/* A writer that sleeps keeps its file from being compressed, and loses nothing. */
static void a_file_that_is_still_written_waits(void **state)
{
	(void)state;
	write_file("log/access.log-20961122", "begun\n");
	int fd = open(path_of("log/access.log-20961122"), O_WRONLY | O_APPEND);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	struct run run = rotate(NOON, false, 0);
	assert_int_equal(run.left, 1);
	assert_int_equal(write(fd, "ended\n", 6), 6);
	close(fd);
	run = rotate(NOON, false, 0);
	assert_int_equal(run.compressed, 1);
	assert_gz("log/access.log-20961122.gz", "begun\nended\n");
}

static void a_moved_clock_leaves_no_trace_in_the_calendar(void **state)
{
	fy_time now = fy_clock();

	(void)state;
	write_file("log/access.log", "one\n");
	rotate(0, false, 0);
	assert_int_equal(rotate(now + 400 * FY_DAY, false, 0).rotated, 1);
	write_file("log/access.log", "two\n");
	assert_int_equal(rotate(0, false, 0).rotated, -1); /* today is not a new day */
	assert_int_equal(rotate(now - 400 * FY_DAY, false, 0).rotated, -1);
	assert_int_equal(rotate(0, false, 0).rotated, -1);
	assert_int_equal(rotate(now + FY_DAY, false, 0).rotated, 1);
}

/* Numbered lines through fy_logfile, as a worker writes them: many in a turn, now and then a pause. */
static _Noreturn void write_lines(unsigned writer, int count_fd)
{
	int err = 0;
	struct fy_logfile *file = fy_logfile_open(path_of("log/access.log"), &err);
	unsigned long line = 0;
	char text[200], filler[81];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(filler, '.', 80);
	filler[80] = '\0';
	while (access(path_of("stop"), F_OK) != 0) {
		for (unsigned i = 0; i < 20; i++)
			fy_logfile_line(file, fy_slice(text, (size_t)snprintf(text, sizeof text, "%u %lu %s", writer,
									      line++, filler)));
		fy_logfile_flush(file);
		usleep(500);
	}
	uint64_t lost = fy_logfile_lost(file);
	fy_logfile_close(file);
	unsigned long result[3] = { writer, line, (unsigned long)lost };
	_exit(write(count_fd, result, sizeof result) == sizeof result ? 0 : 1);
}

struct tally {
	unsigned char *seen[WRITERS];
	unsigned long room, doubled, broken, lines;
};

static void tally_file(struct tally *tally, const char *name)
{
	gzFile gz = gzopen(path_of(name), "rb"); /* also reads plain files */
	char line[256];

	assert_non_null(gz);
	while (gzgets(gz, line, sizeof line)) {
		unsigned writer;
		unsigned long number;
		int used = 0;
		if (sscanf(line, "%u %lu .%n", &writer, &number, &used) != 2 || !used || writer >= WRITERS ||
		    number >= tally->room || strlen(line) != (size_t)used + 79 + 1) {
			tally->broken++;
			continue;
		}
		tally->doubled += tally->seen[writer][number];
		tally->seen[writer][number] = 1;
		tally->lines++;
	}
	int err;
	gzerror(gz, &err);
	assert_true(err == Z_OK || err == Z_STREAM_END);
	gzclose(gz);
}

static void tally_all(struct tally *tally)
{
	char name[400];
	DIR *dir = opendir(path_of("log"));

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		snprintf(name, sizeof name, "log/%s", entry->d_name);
		if (strncmp(entry->d_name, "access.log", 10) == 0)
			tally_file(tally, name);
	}
	closedir(dir);
}

/* A rotator in a process of its own, killed after a while. */
static void rotate_and_be_killed(unsigned days, unsigned after_us)
{
	char day[12];

	snprintf(day, sizeof day, "%u", days);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/proc/self/exe", "test_jobs_rotate", "rotate", stage.dir, day, NULL);
		_exit(127);
	}
	usleep(after_us);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static bool all_are_compressed(void)
{
	char name[64];
	unsigned gz = 0;
	DIR *dir = opendir(path_of("log"));

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		snprintf(name, sizeof name, "%.63s", entry->d_name);
		gz += strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".gz") == 0;
	}
	closedir(dir);
	return gz && gz == count_files("log", "access.log-") && count_files("log", ".access") == 0;
}

static void no_line_is_lost_or_doubled(void **state)
{
	int counts[2];
	pid_t writers[WRITERS];
	struct tally tally = { .room = 4000000 };
	unsigned long written = 0, result[3];
	unsigned days = 0;

	(void)state;
	unlink(path_of("stop"));
	assert_int_equal(pipe(counts), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		if (writers[i] == 0)
			write_lines(i, counts[1]);
		tally.seen[i] = calloc(tally.room, 1);
		assert_non_null(tally.seen[i]);
	}
	/* Each run believes that another day has come, so each rotates. */
	for (; days < 5; days++)
		rotate(fy_clock() + days * FY_DAY, false, 0);
	for (unsigned i = 0; i < 14; i++)
		rotate_and_be_killed(days++, 5000 + i * i * 9000);
	rotate(fy_clock() + days++ * FY_DAY, false, 0);
	write_file("stop", "");
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_int_equal(read(counts[0], result, sizeof result), sizeof result);
		assert_int_equal(result[2], 0);
		assert_true(result[1] < tally.room);
		written += result[1];
		waitpid(writers[i], NULL, 0);
	}
	rotate(fy_clock() + days * FY_DAY, false, 0);
	assert_true(all_are_compressed());
	assert_true(count_files("log", "access.log-") >= 8);
	tally_all(&tally);
	print_message("%lu lines in %u files\n", tally.lines, count_files("log", "access.log-"));
	assert_int_equal(tally.broken, 0);
	assert_int_equal(tally.doubled, 0);
	assert_int_equal(tally.lines, written);
	assert_true(written > 20000);
	for (unsigned i = 0; i < WRITERS; i++)
		free(tally.seen[i]);
	close(counts[0]);
	close(counts[1]);
}

static void names_are_read_strictly(void **state)
{
	const char *base;
	struct fy_date day;
	unsigned number;
	bool gzip;

	(void)state;
	assert_true(fy_rotate_parse("access.log-20961123", &base, &day, &number, &gzip));
	assert_true(number == 1 && !gzip && day.year == 2096 && day.month == 11 && day.day == 23);
	assert_true(fy_rotate_parse("foyer.log-20240229.17.gz", &base, &day, &number, &gzip));
	assert_true(number == 17 && gzip && strcmp(base, "foyer.log") == 0);
	static const char *const wrong[] = { "access.log",
					     "access.log-",
					     "access.log-20961123.",
					     "access.log-20961123.gz.gz",
					     "access.log-20961123.1",
					     "access.log-20961123.0",
					     "access.log-20961123.100000",
					     "access.log-20961123.2.",
					     "access.log-20230229",
					     "xaccess.log-20961123",
					     "access.log-20961123.2.gzip",
					     "access.log-20961123.g" };
	for (size_t i = 0; i < FY_COUNT(wrong); i++)
		assert_false(fy_rotate_parse(wrong[i], &base, &day, &number, &gzip));
}

/* The process that rotate_and_be_killed starts: one rotation in the given directory, as if some days later. */
static void rotate_later(struct task *t)
{
	struct fy_job_report report;

	t->ctx.now += atoi(t->arg) * FY_DAY;
	fy_jobs_run_now(&t->ctx, "rotate", false, &report);
}

static int rotate_in(const char *dir, char *days)
{
	void *none = NULL;
	char log[300];

	if (stage_open(&none))
		return 1;
	rmdir(path_of("log"));
	rmdir(stage.dir);
	snprintf(log, sizeof log, "%s/log", dir);
	stage.config.log_directory = fy_str(log);
	run_tasks(1, rotate_later, days);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_read_strictly),
		TEST(a_new_day_rotates_and_compresses),
		TEST(the_day_ends_at_midnight_in_paris),
		TEST(size_rotates_too_and_numbers_the_day),
		TEST(only_our_own_old_files_are_deleted),
		TEST(without_gzip_files_stay_plain),
		TEST(what_was_cut_off_is_finished_by_the_next_run),
		TEST(a_different_compressed_file_is_never_replaced),
		TEST(a_full_disk_keeps_the_plain_file),
		TEST(a_missing_directory_is_nothing_to_do),
		TEST(a_file_that_is_still_written_waits),
		TEST(a_moved_clock_leaves_no_trace_in_the_calendar),
		TEST(no_line_is_lost_or_doubled),
	};

	const struct CMUnitTest small[] = { cmocka_unit_test(full_disk) };

	if (argc == 2 && strcmp(argv[1], "full-disk") == 0)
		return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
			       ? NO_RIGHT
			       : cmocka_run_group_tests(small, mount_small, stage_close);
	if (argc == 4 && strcmp(argv[1], "rotate") == 0)
		return rotate_in(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, stage_open, stage_close);
}
