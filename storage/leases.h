/* Job leases: one row per job, so that of all workers of all servers one at a time runs it.
 * What a job does and when it is due are left to jobs/; this file only decides who may, by conditional
 * updates (GET_LOCK does not work on Galera). Called by the job runner and by the pages that list jobs.
 *
 * Leases are about who is alive now, so they use fy_clock() and not ctx->now: a run with `--at` in the
 * future must not take over the lease of a job that is running. Servers' clocks may differ by less than
 * the margin between a lease's length and the interval of its renewals. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_LEASE_NAME_MAX 40
#define FY_LEASE_OWNER_MAX 64
#define FY_LEASE_DETAIL_MAX 500

/* `due_by` of a run that does not wait for its time. */
#define FY_LEASE_EVEN_EARLY INT64_MAX

struct fy_lease {
	struct fy_slice name;
	struct fy_slice owner; /* empty: nobody holds it */
	uint64_t fence;        /* counts the times it was taken */
	fy_time leased_until;  /* these four: 0 = never */
	fy_time last_started_at;
	fy_time last_finished_at;
	fy_time next_due_at;
	int last_result;             /* 0 or FY_ERR_… */
	struct fy_slice last_detail; /* one line of jobs/words.h; no personal text */
};

/* Takes the lease for `hold` (microseconds) if nobody holds it and next_due_at <= due_by. A job seen for
 * the first time gets its row here. FY_ERR_BUSY: another holds it; FY_ERR_EXISTS: it is not due (another
 * has already run it). ret_fence names this holding in the calls below, and may be stored with what the
 * job writes: a greater fence is a later holder. */
fy_async int fy_leases_take(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, fy_time hold,
			    fy_time due_by, uint64_t *ret_fence);

/* FY_ERR_EXPIRED: another has taken it since; the job must stop and write nothing more. A lease that ran
 * out but that nobody took is renewed. */
fy_async int fy_leases_renew(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, uint64_t fence,
			     fy_time hold);

/* Gives it back and notes how it went. `detail` is cut at FY_LEASE_DETAIL_MAX. FY_ERR_EXPIRED as above. */
fy_async int fy_leases_finish(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, uint64_t fence,
			      int result, struct fy_slice detail, fy_time next_due_at);

/* By name; FY_ERR_NOT_FOUND where it never ran. All of them, ordered by name, in the arena. */
fy_async int fy_leases_get(struct fy_ctx *ctx, struct fy_slice name, struct fy_lease *ret_lease);
fy_async int fy_leases_list(struct fy_ctx *ctx, struct fy_lease **ret_leases, size_t *ret_count);
