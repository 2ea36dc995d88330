/* The rotation of access.log and foyer.log, while any number of processes write to them.
 * Which files are treated how is rotate_plan.c's, compressing one gzip_file.c's; writers notice that their file was
 * renamed within a second (server/base/logfile.c). Run by the runner, once for each log directory: the lock on it
 * makes this the only process that renames there.
 *
 *     access.log ─renamed─► access.log-20261123 ─no writer left: compressed─► access.log-20261123.gz ─too old─► gone
 *
 * The plan is made once; a dry run stops after noting it, the real run notes each step as it is done. Killed at any
 * point, the next run finds what is left to do from the names alone. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/gzip_file.h"
#include "jobs/job.h"
#include "jobs/oldest_line.h"
#include "jobs/rotate_plan.h"
#include "protocol/basexx.h"
#include "storage/proofs.h"

#define SLICE_BYTES ((size_t)4 << 20)
#define LOOK_MS 100      /* how often to see whether the last writer has gone */
#define WRITERS_MS 10000 /* and how long, in all; an idle writer is waited for by the next run */
#define PROVE_EVERY (10 * FY_MINUTE)

struct rotation {
	struct fy_job_run *run;
	const char *dir;
	struct fy_rotate_rules rules;
	struct fy_rotate_plan plan;
	const struct fy_rotate_step *step;
	struct fy_gzip_file *file;
	bool done;
	int err;
	uint64_t wait_until_ms;
	fy_time oldest;                 /* line of an access log; 0: none */
	char id[FY_PROOF_ID_CHARS + 1]; /* of the directory: random, and kept in the job's note there */
};

static void work_plan(void *arg)
{
	struct rotation *r = arg;
	r->err = fy_rotate_plan_make(r->dir, &r->rules, &r->plan);
}

static void work_step(void *arg)
{
	struct rotation *r = arg;
	int dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed = dir < 0;

	if (!failed && r->step->action == FY_ROTATE_RENAME)
		failed = renameat(dir, r->step->name, dir, r->step->target) != 0;
	else if (!failed)
		failed = unlinkat(dir, r->step->name, 0) != 0;
	r->err = failed ? -errno : 0;
	if (dir >= 0)
		close(dir);
}

static void work_open(void *arg)
{
	struct rotation *r = arg;
	r->err = fy_gzip_open(r->dir, r->step->name, r->step->target, &r->file);
}

static void work_slice(void *arg)
{
	struct rotation *r = arg;
	r->err = fy_gzip_slice(r->file, SLICE_BYTES, &r->done);
}

static void work_oldest(void *arg)
{
	struct rotation *r = arg;
	r->err = fy_oldest_line(r->dir, &r->oldest);
}

static void work_close(void *arg)
{
	struct rotation *r = arg;
	fy_gzip_close(r->file);
	r->file = NULL;
}

/* Without the context: a thread that has begun is waited for, also past the deadline. */
static fy_async int on_pool(struct rotation *r, void (*work)(void *arg))
{
	int err = fy_await_work(NULL, work, r);
	return err ? err : r->err;
}

static void note(struct rotation *r)
{
	struct fy_ctx *ctx = r->run->ctx;
	const struct fy_rotate_step *step = r->step;

	switch (step->action) {
	case FY_ROTATE_CLEAN:
		fy_job_note(r->run, "remove", "unfinished files", 1, fy_str(step->name));
		break;
	case FY_ROTATE_RENAME:
		fy_job_note(r->run, "rotate", "logs", 1, fy_fmt(ctx->arena, "%s to %s", step->name, step->target));
		break;
	case FY_ROTATE_COMPRESS:
		fy_job_note(r->run, "compress", "rotated logs", 1, fy_str(step->name));
		break;
	case FY_ROTATE_DELETE:
		fy_job_note(r->run, "delete", "old logs", 1, fy_str(step->name));
		break;
	}
}

static fy_async int compress(struct rotation *r)
{
	int err;

	while ((err = on_pool(r, work_open)) == FY_ERR_BUSY && fy_loop_ms() < r->wait_until_ms) {
		fy_sleep(r->run->ctx, LOOK_MS);
		err = fy_job_may_go_on(r->run);
		if (err)
			return err;
	}
	while (err == 0) {
		err = on_pool(r, work_slice);
		if (err || r->done)
			break;
		err = fy_job_continue(r->run);
	}
	if (r->file)
		on_pool(r, work_close);
	return err;
}

static int fail_step(struct rotation *r, int err)
{
	static const char *const verbs[] = { "", "removing", "renaming", "compressing", "deleting" };
	const char *why = err == FY_ERR_EXISTS               ? "a different file has its compressed name"
			  : err == -ENOSPC || err == -EDQUOT ? "the disk is full; the file is kept as it is"
							     : fy_strerror(err);

	fy_log(r->run->ctx, FY_LOG_ERROR, "rotate.step_failed", FY_KV("file", (const char *)r->step->name),
	       FY_KV("doing", verbs[r->step->action]), FY_KV("reason", why));
	return fy_fail(r->run->ctx, FY_ERR_IO, "%s %s: %s", verbs[r->step->action], r->step->name, why);
}

/* One file's trouble does not keep the others from being treated; the first error is the run's. */
static fy_async int follow(struct rotation *r)
{
	struct fy_job_run *run = r->run;
	/* A run that believes in an earlier day leaves the note to the next one. */
	bool saved = fy_date_compare(r->rules.today, fy_paris_date(fy_clock())) < 0;
	int result = 0;
	char day[FY_JOB_NOTE_MAX];

	snprintf(day, sizeof day, "%04d%02d%02d %s", r->rules.today.year, r->rules.today.month, r->rules.today.day,
		 r->id);
	for (size_t i = 0; i <= r->plan.count; i++) {
		r->step = i < r->plan.count ? &r->plan.steps[i] : NULL;
		if (!saved && (r->step == NULL || r->step->action > FY_ROTATE_RENAME)) {
			/* After the last renaming, and not when one failed: what is still there keeps its day. */
			saved = true;
			result = result ? result : fy_job_save_note(run, day);
		}
		if (r->step == NULL)
			break;
		if (run->dry_run) {
			note(r);
			continue;
		}
		int err = fy_job_continue(run);
		if (err)
			return err;
		err = r->step->action == FY_ROTATE_COMPRESS ? compress(r) : on_pool(r, work_step);
		if (err == 0)
			note(r);
		else if (err == FY_ERR_BUSY)
			fy_job_note(run, "leave for the next run", "logs that are still written", 1,
				    fy_str(r->step->name));
		else if (err == FY_ERR_CANCELLED || err == FY_ERR_EXPIRED || err == FY_ERR_TIMEOUT)
			return err;
		else if (result == 0)
			result = fail_step(r, err);
		else
			fail_step(r, err);
	}
	return result;
}

/* The day that the present logs belong to is the one on which the last run looked; and the directory's id. */
static fy_async int begin(struct rotation *r)
{
	char note_text[FY_JOB_NOTE_MAX];
	int year, month, day, err = fy_job_load_note(r->run, note_text);

	if (err)
		return err;
	r->rules.begun = r->rules.today;
	if (sscanf(note_text, "%4d%2d%2d %16[0-9a-f]", &year, &month, &day, r->id) >= 3) {
		struct fy_date date = { .year = year, .month = month, .day = day };
		if (fy_date_valid(date) && fy_date_compare(date, r->rules.today) < 0)
			r->rules.begun = date; /* otherwise a run with a moved clock was here */
	}
	if (strlen(r->id) != FY_PROOF_ID_CHARS) {
		unsigned char random[FY_PROOF_ID_CHARS / 2];
		randombytes_buf(random, sizeof random);
		fy_hex_encode(r->id, random, sizeof random);
		r->id[FY_PROOF_ID_CHARS] = '\0';
	}
	return 0;
}

/* For the policy page. What counts is the rotation: it also works while MariaDB is away, and is proved later. */
static fy_async void prove(struct rotation *r)
{
	struct fy_ctx *ctx = r->run->ctx;
	int err = ctx->db ? on_pool(r, work_oldest) : FY_ERR_DB_DOWN;

	if (err == 0)
		err = fy_proofs_note(ctx, FY_PROOF_LOGS, fy_str(r->id), r->oldest, PROVE_EVERY);
	if (err)
		fy_log(ctx, FY_LOG_DEBUG, "rotate.not_proved", FY_KV("error", fy_strerror(err)));
}

fy_async int fy_rotate_run(struct fy_job_run *run)
{
	const struct fy_config *config = run->ctx->config;
	struct rotation r = {
		.run = run,
		.dir = config->log_directory.ptr,
		.rules = {
			.today = fy_paris_date(run->ctx->now),
			.rotate_bytes = (uint64_t)config->log_rotate_mib << 20,
			.keep_days = config->log_keep_days,
			.gzip = config->log_gzip,
		},
		.wait_until_ms = fy_loop_ms() + WRITERS_MS,
	};
	int err = begin(&r);

	if (err)
		return err;
	err = on_pool(&r, work_plan);
	if (err == FY_ERR_NOT_FOUND)
		return 0;
	if (err)
		return fy_fail(run->ctx, FY_ERR_IO, "the log directory cannot be read: %s", fy_strerror(err));
	err = follow(&r);
	fy_rotate_plan_finish(&r.plan);
	if (err == 0 && !run->dry_run)
		prove(&r);
	return err;
}
