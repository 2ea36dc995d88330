/* One run of a job, from the holding to the report; see run.c. */
#pragma once

#include "jobs/job.h"

struct fy_job_order {
	const struct fy_job *job;
	bool dry_run;
	bool even_early;      /* although it is not due */
	const bool *draining; /* NULL: nobody drains it */
};

/* Runs it as if it were ctx->now; on return ctx is as before. Errors are of taking it (fy_holder_take); how the run
 * went is in the report. ret_more (may be NULL): the job has more to do at once. */
fy_async int fy_job_perform(struct fy_ctx *ctx, const struct fy_job_order *order, struct fy_job_report *ret_report,
			    bool *ret_more);
