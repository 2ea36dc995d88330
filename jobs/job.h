/* What a job is, and what its run may use: the row of the table, the run, its report and its pauses.
 * When a job runs and who may run it are the runner's (runner.c, holder.c). Included by the files of jobs/ and
 * their tests only; everybody else includes runner.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "jobs/runner.h"

struct fy_job_run;

/* How many may run it at a time. */
enum fy_job_scope {
	FY_JOB_CLUSTER = 1, /* one of all servers: a lease in MariaDB */
	FY_JOB_HOST,        /* one for each log directory: a lock on a file in it, also while MariaDB is away */
};

struct fy_job {
	const char *name;    /* up to FY_LEASE_NAME_MAX */
	const char *what[2]; /* by enum fy_lang */
	enum fy_job_scope scope;
	unsigned period_s, jitter_s; /* from the end of a run to the next: period + 0..jitter */
	unsigned deadline_s;         /* a run that takes longer stops between two slices */
	unsigned hold_s;             /* length of a lease; renewed at a third of it. Not used by FY_JOB_HOST */
	/* Does the work in slices with fy_job_continue between them; running it twice is harmless. Where
	 * run->dry_run, goes the same way, notes the same, and changes nothing. */
	fy_async int (*run)(struct fy_job_run *run);
};

/* The table; `fy_jobs_table_count` rows. */
extern const struct fy_job fy_jobs_table[];
extern const size_t fy_jobs_table_count;
const struct fy_job *fy_jobs_find(const char *name); /* NULL: none */

fy_async int fy_policy_run(struct fy_job_run *run);
fy_async int fy_purge_run(struct fy_job_run *run);
fy_async int fy_retention_run(struct fy_job_run *run);
fy_async int fy_studies_run(struct fy_job_run *run);
fy_async int fy_rotate_run(struct fy_job_run *run);
fy_async int fy_mail_run(struct fy_job_run *run);

#define FY_JOB_NOTE_MAX 32
#define FY_JOB_ITEMS_MAX 16

struct fy_job_holding;

/* One run. On the stack of its fiber. */
struct fy_job_run {
	struct fy_ctx *ctx; /* ctx->now: the time the job is to believe in */
	const struct fy_job *job;
	bool dry_run;
	bool more;  /* set by the job: there is more to do at once */
	int failed; /* set by the job, for itself: one could not be dealt with, and the others were */

	/* The rest is the runner's and report.c's. */
	const bool *draining;           /* NULL: nobody drains it */
	struct fy_job_holding *holding; /* NULL in a dry run */
	bool lost;                      /* the lease is another's, or may be */
	uint64_t shown_ms, logged_ms;   /* when its progress was last told */
	struct fy_job_item items[FY_JOB_ITEMS_MAX];
	struct fy_buf names[FY_JOB_ITEMS_MAX];
	size_t item_count;
};

/* Between two slices: lets the loop turn once, then says whether to go on. FY_ERR_CANCELLED: the process ends;
 * FY_ERR_EXPIRED: somebody else holds the lease now; FY_ERR_TIMEOUT: the run took too long. The job returns it. */
fy_async int fy_job_continue(struct fy_job_run *run);

/* The same question without letting the loop turn. */
int fy_job_may_go_on(const struct fy_job_run *run);

/* Notes that `count` objects were treated, or in a dry run would be; adds to an earlier note of the same action and
 * object. `action` and `object` are constants with a row in words.c; `name` (an id, a file name; empty: none) must
 * not be personal. */
void fy_job_note(struct fy_job_run *run, const char *action, const char *object, uint64_t count, struct fy_slice name);
void fy_job_note_id(struct fy_job_run *run, const char *action, const char *object, uint64_t id);

/* One line out of all notes, for fy_job_detail_words: "delete|3|old logs; send|1|mails"; in the arena. */
struct fy_slice fy_job_summary(const struct fy_job_run *run, struct fy_arena *arena);

/* FY_JOB_HOST: a short text that outlives the run, shared by all that run the job on this log directory. Empty
 * where there was none. Saving is durable against a kill of the process, and nothing in a dry run. */
fy_async int fy_job_load_note(struct fy_job_run *run, char ret_note[FY_JOB_NOTE_MAX]);
fy_async int fy_job_save_note(struct fy_job_run *run, const char *note);
