/* What runs by itself, how it went, and running one now. */
#include "jobs/runner.h"
#include "server/routes/form.h"
#include "server/routes/tables.h"

fy_async static int show(struct fy_req *req)
{
	struct fy_job_status *jobs;
	struct fy_page page;
	struct fy_buf out;
	size_t count;
	int err = fy_jobs_list(&req->ctx, &jobs, &count);
	if (err)
		return err;
	struct fy_row_job *rows = fy_new_array(&req->arena, struct fy_row_job, count + 1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct fy_row_job){
			.name = fy_str(jobs[i].name),
			.purpose = fy_str(jobs[i].what[req->ctx.lang]),
			.period_seconds = jobs[i].period_s,
			.failed = jobs[i].failed,
			.detail = jobs[i].detail,
			.last = jobs[i].last_at,
			.next = jobs[i].next_at,
			.running = jobs[i].running,
		};
	fy_page_with_form(req, &page);
	fy_page_said(req, &page);
	if (page.notice) { /* the notice names the job, but only one that exists */
		for (size_t i = 0; i < count; i++)
			if (fy_eq(fy_str(jobs[i].name), fy_param(req, "job")))
				page.notice_args.s = fy_str(jobs[i].name);
	}
	fy_page_buf(req, &out);
	fy_page_manage_jobs(&out, &page, &(struct fy_view_manage_jobs){ .jobs = rows, .jobs_count = count });
	return fy_reply_html(req, 200, &out);
}

fy_async static int run(struct fy_req *req)
{
	struct fy_job_report report;
	char *name = fy_cstr(&req->arena, fy_param(req, "name"));
	int err = fy_jobs_run_now(&req->ctx, name, false, &report);
	if (err && err != FY_ERR_BUSY)
		return err;
	enum fy_text said = err             ? FY_TEXT_NOTICE_JOB_RUNNING
			    : report.result ? FY_TEXT_NOTICE_JOB_FAILED
					    : FY_TEXT_NOTICE_JOB_DONE;
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/jobs?job=%s", err ? name : report.name));
	return fy_redirect_said(req, path, said, 0);
}

static const struct fy_param show_params[] = { FY_QUERY("job", 40), FY_SAID };
static const struct fy_param run_params[] = { FY_FORM("csrf", 64), FY_FORM("name", 40) };

const struct fy_route fy_manage_jobs_routes[] = {
	{ FY_GET, "/manage/jobs", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER), FY_PARAMS(show_params) },
	{ FY_POST, "/manage/jobs/run", run, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER), .csrf = FY_CSRF_FORM,
	  FY_PARAMS(run_params), .body_max = 4096, .deadline_ms = 120000 },
};
const unsigned fy_manage_jobs_route_count = sizeof fy_manage_jobs_routes / sizeof fy_manage_jobs_routes[0];
