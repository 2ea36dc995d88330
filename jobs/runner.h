/* The job runner: what is due, who may run it, and how it went.
 * Which jobs exist is the table in jobs.c, what each does its own file. A worker has one runner, on its loop; of
 * all workers of all servers one at a time runs a job, by a lease (storage/leases.h) or, for a job about files of
 * one machine, by a lock on a file. The command line and the back office list jobs and run one now. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"

struct fy_jobs;

/* What the contexts of runs are made from; copied. */
struct fy_jobs_host {
	const struct fy_config *config;
	struct fy_db *db;
	struct fy_redis *redis;
	const struct fy_keys *keys;
};

int fy_jobs_create(const struct fy_jobs_host *host, struct fy_jobs **ret_jobs);
void fy_jobs_start(struct fy_jobs *jobs);

/* Starts nothing new; what runs stops between two slices, and its fiber ends. */
void fy_jobs_drain(struct fy_jobs *jobs);

/* No run may be alive. Accepts NULL. */
void fy_jobs_destroy(struct fy_jobs *jobs);

/* Looks at the job `name` at once instead of at its time: after a commit that gave it something to do. */
void fy_jobs_kick(struct fy_jobs *jobs, const char *name);

struct fy_job_status {
	const char *name;
	const char *what[2]; /* a short sentence, by enum fy_lang */
	unsigned period_s;
	bool running;             /* somebody holds the lease now */
	bool failed, late;        /* the last run; nothing ran for three periods */
	fy_time last_at, next_at; /* 0: never */
	struct fy_slice detail;   /* of the last run, in the context's language; no personal text */
};

/* In the order of the table. The context needs db for jobs with a lease; FY_ERR_DB_DOWN. */
fy_async int fy_jobs_list(struct fy_ctx *ctx, struct fy_job_status **ret_list, size_t *ret_count);

/* One thing that a run did, or that a dry run says the real run would do. */
struct fy_job_item {
	const char *action; /* "delete", "compress", "send" … */
	const char *object; /* "registrations", "log files" … */
	uint64_t count;
	struct fy_slice names; /* ids or file names, "3, 5, 8"; may be cut, then it ends in "…" */
};

struct fy_job_report {
	const char *name;
	bool dry_run;
	int result;                /* 0 or FY_ERR_… */
	struct fy_slice detail;    /* one line, in the context's language */
	struct fy_job_item *items; /* in the context's arena */
	size_t count;
	fy_time at;
};

/* Of runs in this process, dry ones left out: called about once a second with what was done so far, "deleted 300 expired links". NULL:
 * nobody watches. For the command line. */
typedef void (*fy_jobs_watcher)(struct fy_slice so_far);
void fy_jobs_watch(fy_jobs_watcher show);

/* Runs one job now, as if it were ctx->now. A dry run takes the same way and changes nothing. FY_ERR_NOT_FOUND: no
 * such job; FY_ERR_BUSY: it runs already, here or elsewhere. How the run itself went is in the report. */
fy_async int fy_jobs_run_now(struct fy_ctx *ctx, const char *name, bool dry_run, struct fy_job_report *ret_report);
