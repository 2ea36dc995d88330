/* `foyer jobs list` and `foyer jobs run`: the jobs, when they run, and one of them now. What they do is jobs/'s. */
#include <stdio.h>
#include <unistd.h>

#include "foyer/require.h"
#include "jobs/runner.h"
#include "jobs/words.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/routes/mails.h"

#define LIST_LIMIT_MS 60000
#define RUN_LIMIT_MS (6 * 60 * 60 * 1000ULL)
#define OUTPUT_BYTES_MAX (4 * 1024 * 1024)

static struct fy_slice time_text(struct fy_ctx *ctx, fy_time t)
{
	struct fy_buf buf;

	fy_buf_init(&buf, ctx->arena, 40);
	fy_put_rfc3339(&buf, t, false);
	return fy_buf_slice(&buf);
}

static void put_time(struct fy_json *json, struct fy_ctx *ctx, const char *key, fy_time t)
{
	if (t)
		fy_json_put_str(json, key, time_text(ctx, t));
	else
		fy_json_put_null(json, key);
}

static const char *state_text(const struct fy_job_status *job)
{
	if (job->running)
		return "running";
	return job->failed ? "failed" : job->late ? "late" : job->last_at ? "ok" : "waiting";
}

static void put_list_json(struct fy_buf *out, struct fy_ctx *ctx, const struct fy_job_status *jobs, size_t count)
{
	struct fy_json json;

	fy_json_init(&json, out);
	fy_json_array(&json);
	for (size_t i = 0; i < count; i++) {
		const struct fy_job_status *job = &jobs[i];

		fy_json_object(&json);
		fy_json_put_str(&json, "name", fy_str(job->name));
		fy_json_put_str(&json, "what", fy_str(job->what[FY_LANG_EN]));
		fy_json_put_uint(&json, "period_seconds", job->period_s);
		fy_json_put_str(&json, "state", fy_str(state_text(job)));
		fy_json_put_bool(&json, "running", job->running);
		fy_json_put_bool(&json, "failed", job->failed);
		fy_json_put_bool(&json, "late", job->late);
		put_time(&json, ctx, "last_at", job->last_at);
		put_time(&json, ctx, "next_at", job->next_at);
		fy_json_put_str(&json, "detail", job->detail);
		fy_json_end(&json);
	}
	fy_json_end(&json);
	fy_json_finish(&json);
	fy_buf_char(out, '\n');
}

static void put_list_text(struct fy_buf *out, struct fy_ctx *ctx, const struct fy_job_status *jobs, size_t count)
{
	fy_buf_fmt(out, "%-16s %10s  %-8s %-20s  %-20s  %s\n", "JOB", "EVERY (s)", "STATE", "LAST", "NEXT", "DETAIL");
	for (size_t i = 0; i < count; i++) {
		const struct fy_job_status *job = &jobs[i];
		struct fy_slice last = job->last_at ? time_text(ctx, job->last_at) : FY_LIT("never");
		struct fy_slice next = job->next_at ? time_text(ctx, job->next_at) : FY_LIT("soon");

		fy_buf_fmt(out, "%-16s %10u  %-8s %-20.*s  %-20.*s  " FY_FMT "\n", job->name, job->period_s,
			   state_text(job), FY_ARG(last), FY_ARG(next), FY_ARG(job->detail));
	}
}

static fy_async int list_body(struct fy_ctx *ctx, void *arg)
{
	const bool *json = arg;
	struct fy_job_status *jobs;
	struct fy_buf out;
	size_t count;
	int err = fy_jobs_list(ctx, &jobs, &count);

	if (err) {
		fy_cli_say("the jobs cannot be listed: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	fy_buf_init(&out, ctx->arena, OUTPUT_BYTES_MAX);
	if (*json)
		put_list_json(&out, ctx, jobs, count);
	else
		put_list_text(&out, ctx, jobs, count);
	return fy_cli_print(fy_buf_slice(&out));
}

int fy_cmd_jobs_list(int argc, char **argv)
{
	bool json = false;
	const struct fy_flag flags[] = { { "--json", NULL, "an array of objects", NULL, &json } };
	struct fy_cli cli = {
		.name = "jobs list",
		.help = "Shows every job, when it ran last and when it runs next.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	return code >= 0 ? code
			 : fy_cli_run(&cli, FY_CLI_DB | FY_CLI_REDIS | FY_CLI_KEYS, LIST_LIMIT_MS, list_body, &json);
}

struct run {
	const char *name, *at_text;
	fy_time at; /* 0: now */
	bool dry_run, json;
};

static void put_report_json(struct fy_buf *out, struct fy_ctx *ctx, const struct fy_job_report *report)
{
	struct fy_json json;

	fy_json_init(&json, out);
	fy_json_object(&json);
	fy_json_put_str(&json, "name", fy_str(report->name));
	put_time(&json, ctx, "at", report->at);
	fy_json_put_bool(&json, "dry_run", report->dry_run);
	fy_json_put_bool(&json, "ok", report->result == 0);
	if (report->result)
		fy_json_put_str(&json, "error", fy_str(fy_strerror(report->result)));
	fy_json_put_str(&json, "detail", report->detail);
	fy_json_put_array(&json, "items");
	for (size_t i = 0; i < report->count; i++) {
		const struct fy_job_item *item = &report->items[i];

		fy_json_object(&json);
		fy_json_put_str(&json, "action", fy_str(item->action));
		fy_json_put_str(&json, "object", fy_str(item->object));
		fy_json_put_uint(&json, "count", item->count);
		fy_json_put_str(&json, "names", item->names);
		fy_json_end(&json);
	}
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	fy_buf_char(out, '\n');
}

static void put_report_text(struct fy_buf *out, struct fy_ctx *ctx, const struct fy_job_report *report)
{
	fy_buf_fmt(out, "%s%s, as at " FY_FMT ": %s\n", report->name,
		   report->dry_run ? " (dry run, nothing is changed)" : "", FY_ARG(time_text(ctx, report->at)),
		   report->result ? fy_strerror(report->result) : "done");
	for (size_t i = 0; i < report->count; i++) {
		const struct fy_job_item *item = &report->items[i];

		fy_buf_fmt(out, "  %s%s %llu " FY_FMT "%s" FY_FMT "\n", report->dry_run ? "would " : "", item->action,
			   (unsigned long long)item->count,
			   FY_ARG(fy_job_object_words(FY_LANG_EN, fy_str(item->object), item->count)),
			   item->names.len ? ": " : "", FY_ARG(item->names));
	}
	if (report->detail.len)
		fy_buf_fmt(out, "  " FY_FMT "\n", FY_ARG(report->detail));
}

static void show_progress(struct fy_slice so_far)
{
	fprintf(stderr, "\r\033[K" FY_FMT, FY_ARG(so_far));
	fflush(stderr);
}

static fy_async int run_body(struct fy_ctx *ctx, void *arg)
{
	const struct run *run = arg;
	struct fy_job_report report;
	struct fy_buf out;
	int err, code;

	if (run->at)
		ctx->now = run->at;
	fy_mails_author();
	if (isatty(STDERR_FILENO))
		fy_jobs_watch(show_progress);
	err = fy_jobs_run_now(ctx, run->name, run->dry_run, &report);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (err == FY_ERR_NOT_FOUND) {
		fy_cli_say("there is no job %.60s; foyer jobs list names them", run->name);
		return FY_EXIT_USAGE;
	}
	if (err) {
		fy_cli_say("the job %s cannot run: %s", run->name,
			   err == FY_ERR_BUSY ? "it runs already"
			   : ctx->fault       ? ctx->fault
					      : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	if (!run->dry_run)
		fy_cli_trace(ctx, report.result ? "job.failed" : "job.done", FY_KV("job", report.name),
			     FY_KV("detail", report.detail));
	fy_buf_init(&out, ctx->arena, OUTPUT_BYTES_MAX);
	if (run->json)
		put_report_json(&out, ctx, &report);
	else
		put_report_text(&out, ctx, &report);
	code = fy_cli_print(fy_buf_slice(&out));
	return report.result ? FY_EXIT_FAILED : code;
}

int fy_cmd_jobs_run(int argc, char **argv)
{
	struct run run = { .name = NULL };
	const struct fy_flag flags[] = {
		{ "--at", "RFC3339", "as if it were that time: 2027-01-31T03:00:00Z", &run.at_text, NULL },
		{ "--dry-run", NULL, "only say exactly what the run would do", NULL, &run.dry_run },
		{ "--json", NULL, "an object", NULL, &run.json },
	};
	struct fy_cli cli = {
		.name = "jobs run",
		.help = "Runs one job now, unless it runs already, here or on another server.",
		.operand = "NAME",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	run.name = cli.operands[0];
	if (cli.operand_count != 1) {
		fy_cli_say("name one job; foyer jobs list names them");
		return FY_EXIT_USAGE;
	}
	if (run.at_text && fy_parse_rfc3339(fy_str(run.at_text), &run.at) != 0) {
		fy_cli_say("--at wants a time like 2027-01-31T03:00:00Z, not %.60s", run.at_text);
		return FY_EXIT_USAGE;
	}
	return fy_cli_run(&cli, FY_CLI_DB | FY_CLI_REDIS | FY_CLI_KEYS, RUN_LIMIT_MS, run_body, &run);
}
