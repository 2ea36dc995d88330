/* Holding a job; see holder.h. Leases are renewed by a fiber beside the run, so that one long slice (a big file, a
 * slow mail server) does not lose them; a lock on a file needs nothing of the kind. Everything here is about who is
 * alive now and uses fy_clock, never the moved time of a run. */
#include "jobs/holder.h"

#include <stdio.h>
#include <string.h>

#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/worker_name.h"

#define GIVE_BACK_MS 5000 /* also past the run's own deadline */
#define NEVER UINT64_MAX

struct host_step {
	const char *dir, *name;
	bool held;
	int fd, err;
	struct fy_host_state state;
};

static void work_peek(void *arg)
{
	struct host_step *step = arg;
	fy_host_lock_peek(step->dir, step->name, &step->held, &step->state);
}

static void work_take(void *arg)
{
	struct host_step *step = arg;
	step->err = fy_host_lock_take(step->dir, step->name, &step->fd);
	if (step->err == 0)
		fy_host_lock_load(step->fd, &step->state);
}

static void work_save(void *arg)
{
	struct host_step *step = arg;
	step->err = fy_host_lock_save(step->fd, &step->state);
}

/* The thread has run, whatever the deadline says: a lock that was taken is not forgotten. */
static fy_async void on_pool(void (*work)(void *arg), struct host_step *step)
{
	int err = fy_await_work(NULL, work, step);
	if (err)
		step->err = err;
}

static fy_time or_zero(fy_time t)
{
	return t > 0 ? t : 0;
}

fy_async int fy_holder_look(struct fy_ctx *ctx, const struct fy_job *job, struct fy_job_standing *ret_standing)
{
	struct fy_job_standing standing = { 0 };

	if (job->scope == FY_JOB_HOST) {
		struct host_step step = { .dir = ctx->config->log_directory.ptr, .name = job->name };
		on_pool(work_peek, &step);
		if (step.err)
			return step.err;
		standing = (struct fy_job_standing){
			.held = step.held,
			.last_started_at = or_zero(step.state.last_started_at),
			.last_finished_at = or_zero(step.state.last_finished_at),
			.next_due_at = or_zero(step.state.next_due_at),
			.last_result = step.state.last_result,
			.detail = fy_copy(ctx->arena, fy_str(step.state.detail)),
		};
	} else {
		struct fy_lease lease;
		int err = ctx->db ? fy_leases_get(ctx, fy_str(job->name), &lease) : FY_ERR_DB_DOWN;
		if (err == FY_ERR_NOT_FOUND)
			memset(&lease, 0, sizeof lease);
		else if (err)
			return err;
		standing = (struct fy_job_standing){
			.held = lease.owner.len && lease.leased_until > fy_clock() && !fy_worker_gone(lease.owner),
			.last_started_at = lease.last_started_at,
			.last_finished_at = lease.last_finished_at,
			.next_due_at = lease.next_due_at,
			.last_result = lease.last_result,
			.detail = lease.last_detail,
		};
	}
	*ret_standing = standing;
	return 0;
}

static fy_time hold_of(const struct fy_job *job)
{
	return job->hold_s * FY_SECOND;
}

/* Lives until fy_holder_give_back stops it, at the latest one statement later. */
static fy_async void renew(void *arg)
{
	struct fy_job_holding *h = arg;
	const struct fy_job *job = h->job;
	uint64_t pause_ms = job->hold_s * 1000ULL / 3, good_until_ms = fy_loop_ms() + job->hold_s * 1000ULL;
	struct fy_arena arena;

	while (!h->stopping && !*h->lost) {
		h->stop = (struct fy_wait){ 0 };
		if (fy_wait(&h->stop, fy_loop_ms() + pause_ms) != FY_ERR_TIMEOUT || h->stopping)
			break;
		fy_arena_init(&arena, 0);
		uint64_t asked_ms = fy_loop_ms();
		struct fy_ctx ctx = h->ctx;
		ctx.arena = &arena;
		ctx.deadline_ms = asked_ms + pause_ms;
		int err = fy_leases_renew(&ctx, fy_str(job->name), fy_str(h->owner), h->fence, hold_of(job));
		fy_arena_finish(&arena);
		if (err == 0)
			good_until_ms = asked_ms + job->hold_s * 1000ULL;
		else if (err == FY_ERR_EXPIRED || fy_loop_ms() + pause_ms >= good_until_ms)
			*h->lost = true; /* the last chance to say so before it runs out by itself */
		if (err && *h->lost)
			fy_log(&h->ctx, FY_LOG_WARN, "job.lease_lost", FY_KV("job", job->name),
			       FY_KV("error", fy_strerror(err)));
	}
	h->renewing = false;
	fy_wait_done(&h->stopped, 0);
}

static fy_async void stop_renewing(struct fy_job_holding *h)
{
	h->stopping = true;
	fy_wait_done(&h->stop, 0);
	while (h->renewing)
		fy_wait(&h->stopped, NEVER); /* ends with the statement that runs, which has a deadline */
}

/* A lease whose holder was killed is given back in its name: nobody need wait until it would have lapsed. False: it is
 * not so, or another did it first. */
static fy_async bool free_from_the_dead(struct fy_ctx *ctx, const struct fy_job *job)
{
	struct fy_lease lease;

	if (fy_leases_get(ctx, fy_str(job->name), &lease) || !fy_worker_gone(lease.owner))
		return false;
	if (fy_leases_finish(ctx, lease.name, lease.owner, lease.fence, FY_ERR_CANCELLED,
			     FY_LIT("the process that ran it ended"), fy_clock()))
		return false;
	fy_log(ctx, FY_LOG_WARN, "job.left_behind", FY_KV("job", job->name), FY_KV("by", lease.owner));
	return true;
}

static fy_async int take_lease(struct fy_ctx *ctx, struct fy_job_holding *h, bool even_early)
{
	const struct fy_job *job = h->job;

	if (ctx->db == NULL)
		return FY_ERR_DB_DOWN;
	fy_time due_by = even_early ? FY_LEASE_EVEN_EARLY : fy_clock();
	int err = fy_leases_take(ctx, fy_str(job->name), fy_str(h->owner), hold_of(job), due_by, &h->fence);
	if (err == FY_ERR_BUSY && free_from_the_dead(ctx, job)) {
		due_by = even_early ? FY_LEASE_EVEN_EARLY : fy_clock();
		err = fy_leases_take(ctx, fy_str(job->name), fy_str(h->owner), hold_of(job), due_by, &h->fence);
	}
	if (err)
		return err;
	h->renewing = true;
	err = fy_fiber_start(renew, h);
	if (err) {
		h->renewing = false;
		fy_leases_finish(ctx, fy_str(job->name), fy_str(h->owner), h->fence, err, FY_LIT("too many fibers"),
				 fy_clock());
	}
	return err;
}

static fy_async int take_lock(struct fy_ctx *ctx, struct fy_job_holding *h, bool even_early)
{
	struct host_step step = { .dir = ctx->config->log_directory.ptr, .name = h->job->name };

	on_pool(work_take, &step);
	if (step.err)
		return step.err;
	fy_time now = fy_clock();
	if (!even_early && step.state.next_due_at > now) {
		fy_host_lock_drop(step.fd);
		return FY_ERR_EXISTS;
	}
	step.state.last_started_at = now;
	on_pool(work_save, &step); /* a full disk must not keep the job from making room */
	h->fd = step.fd;
	h->dir = step.dir;
	h->state = step.state;
	return 0;
}

fy_async int fy_holder_take(struct fy_ctx *ctx, const struct fy_job *job, bool even_early, bool *lost,
			    struct fy_job_holding *ret_holding)
{
	*ret_holding = (struct fy_job_holding){ .job = job, .fd = -1, .ctx = *ctx, .lost = lost };
	fy_worker_name(ret_holding->owner);
	return job->scope == FY_JOB_HOST ? take_lock(ctx, ret_holding, even_early)
					 : take_lease(ctx, ret_holding, even_early);
}

static fy_async int give_back_lock(struct fy_job_holding *h, int result, struct fy_slice detail, fy_time next_due_at)
{
	struct host_step step = { .fd = h->fd, .state = h->state };

	step.state.last_finished_at = fy_clock();
	step.state.next_due_at = next_due_at;
	step.state.last_result = result;
	snprintf(step.state.detail, sizeof step.state.detail, FY_FMT, FY_ARG(detail));
	on_pool(work_save, &step);
	fy_host_lock_drop(h->fd);
	return step.err;
}

fy_async int fy_holder_give_back(struct fy_ctx *ctx, struct fy_job_holding *holding, int result, struct fy_slice detail,
				 fy_time next_due_at)
{
	if (holding->job->scope == FY_JOB_HOST)
		return give_back_lock(holding, result, detail, next_due_at);
	stop_renewing(holding);
	struct fy_ctx own = *ctx;
	own.deadline_ms = fy_loop_ms() + GIVE_BACK_MS;
	return fy_leases_finish(&own, fy_str(holding->job->name), fy_str(holding->owner), holding->fence, result,
				detail, next_due_at);
}

fy_async int fy_job_load_note(struct fy_job_run *run, char ret_note[FY_JOB_NOTE_MAX])
{
	struct host_step step = { .dir = run->ctx->config->log_directory.ptr, .name = run->job->name };

	FY_REQUIRE(run->job->scope == FY_JOB_HOST);
	if (run->holding) {
		memcpy(ret_note, run->holding->state.note, FY_JOB_NOTE_MAX);
		return 0;
	}
	on_pool(work_peek, &step);
	memcpy(ret_note, step.state.note, FY_JOB_NOTE_MAX);
	return step.err;
}

fy_async int fy_job_save_note(struct fy_job_run *run, const char *note)
{
	struct fy_job_holding *h = run->holding;

	if (run->dry_run)
		return 0;
	FY_REQUIRE(h && h->job->scope == FY_JOB_HOST && strlen(note) < FY_JOB_NOTE_MAX);
	snprintf(h->state.note, sizeof h->state.note, "%s", note);
	struct host_step step = { .fd = h->fd, .state = h->state };
	on_pool(work_save, &step);
	return step.err;
}
