/* Who may run a job now: one interface to the two ways of holding one, the lease in MariaDB and the lock on a file.
 * Called by the runner and by `foyer jobs run`; what the job does meanwhile is none of its business. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "jobs/host_lock.h"
#include "jobs/job.h"

struct fy_job_holding {
	const struct fy_job *job;
	char owner[FY_LEASE_OWNER_MAX + 1];
	uint64_t fence; /* FY_JOB_CLUSTER */
	int fd;         /* FY_JOB_HOST */
	const char *dir;
	struct fy_host_state state;

	/* The fiber that renews a lease. Ended before the holding goes. */
	struct fy_ctx ctx;
	bool *lost;
	bool renewing, stopping;
	struct fy_wait stop, stopped;
};

/* What is known without holding it. Times are those of fy_clock; 0: never. */
struct fy_job_standing {
	bool held;
	fy_time last_started_at, last_finished_at, next_due_at;
	int last_result;
	struct fy_slice detail; /* in the context's arena */
};
fy_async int fy_holder_look(struct fy_ctx *ctx, const struct fy_job *job, struct fy_job_standing *ret_standing);

/* FY_ERR_BUSY: another holds it; FY_ERR_EXISTS: not `even_early`, and it is not due; FY_ERR_NOT_FOUND: its directory
 * does not exist. The context, `holding` and `lost` stay where they are until fy_holder_give_back. *lost becomes true
 * when the lease was taken by somebody else or could not be renewed in time. */
fy_async int fy_holder_take(struct fy_ctx *ctx, const struct fy_job *job, bool even_early, bool *lost,
			    struct fy_job_holding *ret_holding);

/* Ends it and notes how the run went. FY_ERR_EXPIRED: it was lost meanwhile, and nothing was noted. */
fy_async int fy_holder_give_back(struct fy_ctx *ctx, struct fy_job_holding *holding, int result, struct fy_slice detail,
				 fy_time next_due_at);
