/* The runner: a timer on the worker's loop that starts what is due, one fiber a job.
 * How one run goes is run.c's, who may run is holder.c's. The worker creates, starts, drains and destroys it; routes
 * kick it after a commit. It sleeps until the earliest time at which some job may be due, so an idle worker asks
 * MariaDB once a period and job. */
#include "jobs/runner.h"

#include <stdlib.h>
#include <string.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/holder.h"
#include "jobs/job.h"
#include "jobs/run.h"
#include "jobs/words.h"
#include "storage/leases.h"

#define LOOK_MAX_MS 60000   /* even when nothing is due, so that a moved wall clock is noticed */
#define TAKE_LIMIT_MS 10000 /* looking and taking; the run has the job's own deadline */
#define AWAY_FIRST_MS 1000  /* MariaDB is away: doubled up to AWAY_MAX_MS */
#define AWAY_MAX_MS 15000
#define KICK_GAP_MS 100 /* between two runs that kicks caused: a storm of commits shares runs */
#define LATE_PERIODS 3
#define LATE_MIN_S 60 /* a shorter silence is no reason to call an operator */

struct slot {
	struct fy_jobs *jobs;
	const struct fy_job *job;
	uint64_t try_ms;   /* loop time */
	uint64_t ended_ms; /* of the last run here */
	uint64_t pause_ms; /* grows while the same obstacle stands */
	bool alive, kicked, away;
};

struct fy_jobs {
	struct fy_jobs_host host;
	uv_timer_t timer;
	bool started, draining;
	size_t count;
	struct slot slots[];
};

static void arm(struct fy_jobs *jobs);

static uint64_t grown(struct slot *slot, uint64_t first_ms, uint64_t max_ms)
{
	slot->pause_ms = slot->pause_ms ? slot->pause_ms * 2 : first_ms;
	if (slot->pause_ms > max_ms)
		slot->pause_ms = max_ms;
	return slot->pause_ms;
}

/* Milliseconds until `due` (wall clock), at the most LOOK_MAX_MS. */
static uint64_t until(fy_time due)
{
	fy_time left = due - fy_clock();

	if (left <= 0)
		return 0;
	return left > LOOK_MAX_MS * 1000LL ? LOOK_MAX_MS : (uint64_t)(left / 1000) + 1;
}

static void note_away(struct slot *slot, struct fy_ctx *ctx, int err)
{
	if (!slot->away)
		fy_log(ctx, FY_LOG_WARN, "job.waits", FY_KV("job", slot->job->name), FY_KV("error", fy_strerror(err)),
		       FY_KV("detail", ctx->fault ? ctx->fault : ""));
	slot->away = true;
}

/* Runs it if it is due and free. Returns after how many milliseconds to look again. */
static fy_async uint64_t attempt(struct slot *slot, struct fy_ctx *ctx)
{
	struct fy_job_standing standing;
	struct fy_job_report report;
	bool kicked = slot->kicked, more = false;

	int err = fy_holder_look(ctx, slot->job, &standing);
	if (err == 0 && !standing.held && !kicked && until(standing.next_due_at)) {
		slot->pause_ms = 0;
		return until(standing.next_due_at);
	}
	if (err == 0) {
		struct fy_job_order order = { .job = slot->job,
					      .even_early = kicked,
					      .draining = &slot->jobs->draining };
		slot->kicked = false; /* a kick from now on asks for another run */
		ctx->deadline_ms = fy_loop_ms() + TAKE_LIMIT_MS + slot->job->deadline_s * 1000ULL;
		err = standing.held ? FY_ERR_BUSY : fy_job_perform(ctx, &order, &report, &more);
		if (err)
			slot->kicked |= kicked;
	}
	if (err == 0) {
		if (slot->away)
			fy_log(ctx, FY_LOG_INFO, "job.runs_again", FY_KV("job", slot->job->name));
		slot->away = false;
		slot->pause_ms = 0;
		slot->ended_ms = fy_loop_ms();
		return more ? 0 : report.result ? AWAY_FIRST_MS : slot->job->period_s * 1000ULL;
	}
	if (err == FY_ERR_EXISTS) /* another has just run it */
		return slot->job->period_s * 1000ULL;
	if (err == FY_ERR_BUSY) /* another runs it; a kick must not be lost by that */
		return slot->kicked ? grown(slot, KICK_GAP_MS, slot->job->period_s * 1000ULL)
				    : slot->job->period_s * 1000ULL;
	note_away(slot, ctx, err);
	return grown(slot, AWAY_FIRST_MS, AWAY_MAX_MS);
}

static fy_async void run_slot(void *arg)
{
	struct slot *slot = arg;
	struct fy_jobs *jobs = slot->jobs;
	struct fy_arena arena;

	fy_arena_init(&arena, 0);
	struct fy_ctx ctx = {
		.arena = &arena,
		.deadline_ms = fy_loop_ms() + TAKE_LIMIT_MS,
		.now = fy_clock(),
		.config = jobs->host.config,
		.db = jobs->host.db,
		.redis = jobs->host.redis,
		.keys = jobs->host.keys,
	};
	uint64_t wait_ms = attempt(slot, &ctx);
	fy_arena_finish(&arena);
	slot->alive = false;
	slot->try_ms = fy_loop_ms() + (wait_ms < LOOK_MAX_MS ? wait_ms : LOOK_MAX_MS);
	if (slot->kicked && slot->pause_ms == 0)
		slot->try_ms = slot->ended_ms + KICK_GAP_MS;
	arm(jobs);
}

static void on_timer(uv_timer_t *timer)
{
	struct fy_jobs *jobs = timer->data;

	for (size_t i = 0; i < jobs->count && !jobs->draining; i++) {
		struct slot *slot = &jobs->slots[i];
		if (slot->alive || slot->try_ms > fy_loop_ms())
			continue;
		slot->alive = true;
		if (fy_fiber_start(run_slot, slot)) { /* requests took all fibers */
			slot->alive = false;
			slot->try_ms = fy_loop_ms() + AWAY_FIRST_MS;
		}
	}
	arm(jobs);
}

static void arm(struct fy_jobs *jobs)
{
	uint64_t next = UINT64_MAX, now = fy_loop_ms();

	if (!jobs->started || jobs->draining)
		return;
	for (size_t i = 0; i < jobs->count; i++) {
		if (!jobs->slots[i].alive && jobs->slots[i].try_ms < next)
			next = jobs->slots[i].try_ms;
	}
	if (next == UINT64_MAX)
		uv_timer_stop(&jobs->timer);
	else
		uv_timer_start(&jobs->timer, on_timer, next > now ? next - now : 0, 0);
}

int fy_jobs_create(const struct fy_jobs_host *host, struct fy_jobs **ret_jobs)
{
	struct fy_jobs *jobs = calloc(1, sizeof *jobs + fy_jobs_table_count * sizeof jobs->slots[0]);

	if (jobs == NULL)
		return FY_ERR_NOMEM;
	jobs->host = *host;
	jobs->count = fy_jobs_table_count;
	for (size_t i = 0; i < jobs->count; i++)
		jobs->slots[i] = (struct slot){ .jobs = jobs, .job = &fy_jobs_table[i] };
	int err = uv_timer_init(fy_loop(), &jobs->timer);
	if (err) {
		free(jobs);
		return err;
	}
	jobs->timer.data = jobs;
	*ret_jobs = jobs;
	return 0;
}

void fy_jobs_start(struct fy_jobs *jobs)
{
	jobs->started = true;
	arm(jobs);
}

void fy_jobs_drain(struct fy_jobs *jobs)
{
	if (jobs == NULL)
		return;
	jobs->draining = true;
	uv_timer_stop(&jobs->timer);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void fy_jobs_destroy(struct fy_jobs *jobs)
{
	if (jobs == NULL)
		return;
	for (size_t i = 0; i < jobs->count; i++)
		FY_REQUIRE(!jobs->slots[i].alive);
	uv_close((uv_handle_t *)&jobs->timer, on_closed);
}

void fy_jobs_kick(struct fy_jobs *jobs, const char *name)
{
	if (jobs == NULL)
		return;
	for (size_t i = 0; i < jobs->count; i++) {
		struct slot *slot = &jobs->slots[i];
		if (strcmp(slot->job->name, name) != 0 || slot->kicked)
			continue;
		slot->kicked = true;
		slot->try_ms = slot->ended_ms ? slot->ended_ms + KICK_GAP_MS : 0;
		arm(jobs);
	}
}

static bool is_late(const struct fy_job *job, const struct fy_job_standing *standing)
{
	fy_time limit = LATE_PERIODS * (fy_time)job->period_s * FY_SECOND;
	fy_time since = standing->last_finished_at ? standing->last_finished_at : standing->last_started_at;

	if (limit < LATE_MIN_S * FY_SECOND)
		limit = LATE_MIN_S * FY_SECOND;
	return !standing->held && since && fy_clock() - since > limit;
}

fy_async int fy_jobs_list(struct fy_ctx *ctx, struct fy_job_status **ret_list, size_t *ret_count)
{
	struct fy_job_status *list = fy_new_array(ctx->arena, struct fy_job_status, fy_jobs_table_count);

	for (size_t i = 0; i < fy_jobs_table_count; i++) {
		const struct fy_job *job = &fy_jobs_table[i];
		struct fy_job_standing standing;
		int err = fy_holder_look(ctx, job, &standing);
		if (err)
			return err;
		list[i] = (struct fy_job_status){
			.name = job->name,
			.what = { job->what[0], job->what[1] },
			.period_s = job->period_s,
			.running = standing.held,
			.failed = standing.last_result && standing.last_result != FY_ERR_CANCELLED,
			.late = is_late(job, &standing),
			.last_at = standing.last_finished_at,
			.next_at = standing.next_due_at,
			.detail = fy_job_detail_words(ctx->arena, ctx->lang, standing.detail),
		};
	}
	*ret_list = list;
	*ret_count = fy_jobs_table_count;
	return 0;
}
