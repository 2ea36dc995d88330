/* One run of a job: take it, do it, note how it went, give it back.
 * When to do so is left to its callers, the runner's timer and `foyer jobs run`; both go this way, and a dry run goes
 * it too, without a holding. */
#include "jobs/run.h"

#include <sodium.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/holder.h"
#include "jobs/words.h"

#define SHOW_MS 1000
#define LOG_MS 60000
#define RETRY_S 300 /* a job that failed is tried again after this, or its period */

int fy_job_may_go_on(const struct fy_job_run *run)
{
	if (run->lost)
		return FY_ERR_EXPIRED;
	if (run->draining && *run->draining)
		return FY_ERR_CANCELLED;
	return run->ctx->deadline_ms <= fy_loop_ms() ? FY_ERR_TIMEOUT : 0;
}

static fy_jobs_watcher watcher;

void fy_jobs_watch(fy_jobs_watcher show)
{
	watcher = show;
}

/* To whoever watches, and of a long run to the log. */
static void tell_progress(struct fy_job_run *run)
{
	uint64_t now = fy_loop_ms();
	bool show = watcher && now - run->shown_ms >= SHOW_MS, log = now - run->logged_ms >= LOG_MS;
	struct fy_arena arena;
	if (run->dry_run || (!show && !log))
		return;
	fy_arena_init(&arena, 0);
	struct fy_slice so_far = fy_job_detail_words(&arena, FY_LANG_EN, fy_job_summary(run, &arena));
	if (show) {
		run->shown_ms = now;
		watcher(so_far);
	}
	if (log) {
		run->logged_ms = now;
		fy_log(run->ctx, FY_LOG_INFO, "job.progress", FY_KV("job", run->job->name), FY_KV("detail", so_far));
	}
	fy_arena_finish(&arena);
}

fy_async int fy_job_continue(struct fy_job_run *run)
{
	int err = fy_job_may_go_on(run);
	if (err)
		return err;
	tell_progress(run);
	fy_sleep(run->ctx, 1); /* requests come first */
	return fy_job_may_go_on(run);
}

static fy_time next_due(const struct fy_job *job, int result, bool more)
{
	unsigned wait_s = job->period_s;

	if (result == FY_ERR_CANCELLED || (result == 0 && more))
		return fy_clock();
	if (result && wait_s > RETRY_S)
		wait_s = RETRY_S;
	fy_time jitter = job->jitter_s ? (fy_time)randombytes_uniform(job->jitter_s * 1000) * (FY_SECOND / 1000) : 0;
	return fy_clock() + wait_s * FY_SECOND + jitter;
}

static struct fy_slice detail_of(struct fy_job_run *run, int result)
{
	struct fy_slice done = fy_job_summary(run, run->ctx->arena);
	const char *why = run->ctx->fault;

	if (result == 0)
		return done;
	if (result == FY_ERR_CANCELLED)
		return fy_fmt(run->ctx->arena, FY_JOB_STOPPED "; " FY_FMT, FY_ARG(done));
	return fy_fmt(run->ctx->arena, "%s%s%s; " FY_FMT, fy_strerror(result), why ? ": " : "", why ? why : "",
		      FY_ARG(done));
}

static void log_run(const struct fy_ctx *ctx, const struct fy_job_run *run, int result, struct fy_slice detail,
		    uint64_t took_ms)
{
	uint64_t done = 0;

	detail = fy_job_detail_words(ctx->arena, FY_LANG_EN, detail);
	for (size_t i = 0; i < run->item_count; i++)
		done += run->items[i].count;
	if (result && result != FY_ERR_CANCELLED)
		fy_log(ctx, FY_LOG_WARN, "job.failed", FY_KV("job", run->job->name),
		       FY_KV("error", fy_strerror(result)), FY_KV("detail", detail), FY_KV("ms", took_ms));
	else
		fy_log(ctx, done || result ? FY_LOG_INFO : FY_LOG_DEBUG, result ? "job.stopped" : "job.done",
		       FY_KV("job", run->job->name), FY_KV("detail", detail), FY_KV("ms", took_ms));
}

fy_async int fy_job_perform(struct fy_ctx *ctx, const struct fy_job_order *order, struct fy_job_report *ret_report,
			    bool *ret_more)
{
	const struct fy_job *job = order->job;
	struct fy_ctx saved = *ctx;
	struct fy_job_holding holding;
	/* In the arena: its items are large for a stack, and the report points into it. */
	struct fy_job_run *run = fy_new(ctx->arena, struct fy_job_run);
	uint64_t started_ms = fy_loop_ms();
	int result;

	*run = (struct fy_job_run){ .ctx = ctx,
				    .job = job,
				    .dry_run = order->dry_run,
				    .draining = order->draining,
				    .shown_ms = started_ms,
				    .logged_ms = started_ms };
	ctx->request_id = fy_fmt(ctx->arena, "job-%s-%08x", job->name, randombytes_random());
	if (!order->dry_run) {
		int err = fy_holder_take(ctx, job, order->even_early, &run->lost, &holding);
		if (err) {
			ctx->request_id = saved.request_id;
			if (err == FY_ERR_NOT_FOUND) { /* no directory, so nothing in it */
				*ret_report =
					(struct fy_job_report){ .name = job->name,
								.at = saved.now,
								.detail = fy_job_detail_words(ctx->arena, ctx->lang,
											      FY_LIT(FY_JOB_NOTHING)) };
				return 0;
			}
			return err;
		}
		run->holding = &holding;
	}
	ctx->fault = NULL;
	if (ctx->deadline_ms > started_ms + job->deadline_s * 1000ULL)
		ctx->deadline_ms = started_ms + job->deadline_s * 1000ULL;
	result = job->run(run);
	struct fy_slice detail = detail_of(run, result);
	if (!order->dry_run) {
		int err = fy_holder_give_back(ctx, &holding, result, detail, next_due(job, result, run->more));
		if (err)
			fy_log(ctx, FY_LOG_WARN, "job.not_recorded", FY_KV("job", job->name),
			       FY_KV("error", fy_strerror(err)));
		log_run(ctx, run, result, detail, fy_loop_ms() - started_ms);
	}
	*ret_report = (struct fy_job_report){
		.name = job->name,
		.dry_run = order->dry_run,
		.result = result,
		.detail = fy_job_detail_words(ctx->arena, ctx->lang, detail),
		.items = run->items,
		.count = run->item_count,
		.at = saved.now,
	};
	if (ret_more)
		*ret_more = run->more && result == 0;
	*ctx = saved;
	return 0;
}

fy_async int fy_jobs_run_now(struct fy_ctx *ctx, const char *name, bool dry_run, struct fy_job_report *ret_report)
{
	struct fy_job_order order = { .job = fy_jobs_find(name), .dry_run = dry_run, .even_early = true };

	if (order.job == NULL)
		return FY_ERR_NOT_FOUND;
	int err = fy_job_perform(ctx, &order, ret_report, NULL);
	return err == FY_ERR_EXISTS ? FY_ERR_BUSY : err;
}
