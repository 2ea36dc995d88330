/* Requests for access as the staff sees them: deciding on those of others, reviewing what an owner opened in an
 * emergency, and the log of what was read. Asking is manage_person.c's. */
#include "foyer/log.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/manage_people.h"
#include "server/routes/tables.h"

#define LIST "/manage/access-requests"
#define PAGE_SIZE 20
#define LOG_PAGE_SIZE 50
#define REVIEWERS (FY_ROLES(OWNER) | FY_ROLES(DPO))

static struct fy_row_access_row row_of(struct fy_req *req, const struct fy_grant *g)
{
	unsigned role = 1u << req->session->role;
	bool own = g->asked_by == req->session->account_id;
	struct fy_row_access_row row = {
		.id = g->id,
		.account = g->person_id,
		.asker = g->asked_by,
		.role = fy_role_label(req->ctx.lang, g->asker_role),
		.purpose = fy_purpose_label(req->ctx.lang, g->purpose),
		.minutes = g->minutes,
		.asked = g->asked_at,
		.state = fy_grant_state_key(g->state),
		.ends = g->ends_at,
		.emergency = g->break_glass,
		.decider = g->decided_by == g->person_id ? 0 : g->decided_by,
		.decided = g->decided_at,
		.reviewer = g->reviewed_by,
		.reviewed = g->reviewed_at,
		.own = own,
		.may_end = g->state == FY_GRANT_APPROVED && (REVIEWERS & role),
		.may_decide = g->state == FY_GRANT_WAITING && !own && (FY_ROLES_ASKERS & role),
		.may_review = g->break_glass && g->reviewed_at == 0 && !own && (REVIEWERS & role),
	};
	if (own || row.may_decide || row.may_review) { /* whom it is for */
		row.reason = g->reason;
		row.unreadable = g->unreadable;
	}
	if (g->verdict) {
		row.review = g->verdict == FY_VERDICT_JUSTIFIED ? FY_LIT("justified") : FY_LIT("unjustified");
	} else if (g->break_glass) {
		fy_time left = g->asked_at + FY_GRANT_REVIEW_WITHIN - req->ctx.now;
		row.review = left > 0 ? FY_LIT("due") : FY_LIT("overdue");
		row.hours = left > 0 ? (uint64_t)((left + FY_HOUR - 1) / FY_HOUR) : 0;
	}
	return row;
}

/* A reason tells of the person: who reads one that somebody else wrote is in the log before. */
static fy_async int log_reasons(struct fy_req *req, const struct fy_row_access_row *rows, size_t count)
{
	int err = 0;
	for (size_t i = 0; i < count && err == 0; i++)
		if (rows[i].reason.text.len && !rows[i].own)
			err = fy_access_log_append(
				&req->ctx, &(struct fy_read){ .reader_id = req->session->account_id,
							      .reader_role = (enum fy_account_role)req->session->role,
							      .person_id = rows[i].account,
							      .purpose = FY_PURPOSE_LEGAL_DUTIES,
							      .fields = FY_LIT("access_request.reason") });
	return err;
}

fy_async static int list(struct fy_req *req)
{
	struct fy_grant_page found;
	struct fy_page page;
	struct fy_buf out;
	bool all = fy_eq(fy_param(req, "show"), FY_LIT("all"));
	uint64_t cursor = 0;
	int err = fy_param(req, "cursor").len ? fy_param_u64(req, "cursor", &cursor) : 0;
	if (err == 0)
		err = fy_grants_list(&req->ctx, !all, cursor, PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_access_row *rows = fy_new_array(&req->arena, struct fy_row_access_row, found.count + 1);
	for (size_t i = 0; i < found.count; i++)
		rows[i] = row_of(req, &found.items[i]);
	err = log_reasons(req, rows, found.count);
	if (err)
		return err;
	fy_page_with_form(req, &page);
	fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_access(&out, &page,
			      &(struct fy_view_manage_access){
				      .all = all,
				      .next_cursor = found.next_cursor ? fy_fmt(&req->arena, "%llu",
										(unsigned long long)found.next_cursor)
								       : FY_NONE,
				      .requests = rows,
				      .requests_count = found.count,
			      });
	return fy_reply_html(req, 200, &out);
}

/* What came of it, in words; FY_ERR_CONFLICT and FY_ERR_DENIED are answers, not errors. */
static int said(struct fy_req *req, int err, enum fy_text done)
{
	if (err == FY_ERR_CONFLICT)
		done = FY_TEXT_NOTICE_ACCESS_OVER;
	else if (err == FY_ERR_DENIED)
		done = FY_TEXT_NOTICE_ACCESS_NOT_YOURS;
	else if (err == FY_ERR_EXISTS)
		done = FY_TEXT_NOTICE_ACCESS_PERSON_REFUSED;
	else if (err == FY_ERR_NOT_FOUND)
		done = FY_TEXT_NOTICE_ACCESS_ENDED_BEFORE;
	else if (err)
		return err;
	return fy_redirect_said(req, LIST, done, 0);
}

fy_async static int decide(struct fy_req *req)
{
	bool approve = fy_eq(fy_param(req, "decision"), FY_LIT("approve"));
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	if (!approve && !fy_eq(fy_param(req, "decision"), FY_LIT("refuse")))
		return FY_ERR_INVALID;
	int err = fy_grants_decide(&req->ctx, id, req->session->account_id, FY_DECIDES_STAFF, approve);
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, approve ? "access.approved" : "access.refused", FY_KV("request", id),
		       FY_KV("by", req->session->account_id));
	return said(req, err, approve ? FY_TEXT_NOTICE_ACCESS_APPROVED : FY_TEXT_NOTICE_ACCESS_REFUSED);
}

fy_async static int end(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_grants_end(&req->ctx, id, req->session->account_id, FY_DECIDES_STAFF);
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, "access.ended", FY_KV("request", id),
		       FY_KV("by", req->session->account_id));
	return said(req, err, FY_TEXT_NOTICE_ACCESS_ENDED);
}

fy_async static int review(struct fy_req *req)
{
	bool justified = fy_eq(fy_param(req, "verdict"), FY_LIT("justified"));
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	if (!justified && !fy_eq(fy_param(req, "verdict"), FY_LIT("unjustified")))
		return FY_ERR_INVALID;
	int err = fy_grants_review(&req->ctx, id, req->session->account_id,
				   justified ? FY_VERDICT_JUSTIFIED : FY_VERDICT_UNJUSTIFIED);
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, "access.reviewed", FY_KV("request", id),
		       FY_KV("by", req->session->account_id), FY_KV("justified", (int)justified));
	return said(req, err, FY_TEXT_NOTICE_ACCESS_REVIEWED);
}

fy_async static int show_log(struct fy_req *req)
{
	struct fy_read_page found;
	struct fy_page page;
	struct fy_buf out;
	enum fy_lang lang = req->ctx.lang;
	uint64_t cursor = 0;
	int err = fy_param(req, "cursor").len ? fy_param_u64(req, "cursor", &cursor) : 0;
	if (err == 0)
		err = fy_access_log_list(&req->ctx, cursor, LOG_PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_read *rows = fy_new_array(&req->arena, struct fy_row_read, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_read_entry *e = &found.items[i];
		rows[i] = (struct fy_row_read){
			.id = e->id,
			.when = e->read_at,
			.reader = e->read.reader_id,
			.role = fy_role_label(lang, e->read.reader_role),
			.person = e->read.person_id,
			.message = fy_starts(e->read.fields, FY_LIT("contact_message.")),
			.letter = fy_starts(e->read.fields, FY_LIT("rights_request.name")),
			.purpose = fy_purpose_label(lang, e->read.purpose),
			.fields = fy_fields_label(&req->arena, lang, e->read.fields),
		};
	}
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_access_log(
		&out, &page,
		&(struct fy_view_manage_access_log){
			.next_cursor = found.next_cursor
					       ? fy_fmt(&req->arena, "%llu", (unsigned long long)found.next_cursor)
					       : FY_NONE,
			.reads = rows,
			.reads_count = found.count,
		});
	return fy_reply_html(req, 200, &out);
}

static const struct fy_param list_params[] = { FY_QUERY("show", 10), FY_QUERY("cursor", 20), FY_SAID };
static const struct fy_param decide_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("decision", 10) };
static const struct fy_param review_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("verdict", 12) };
static const struct fy_param end_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64) };
static const struct fy_param log_params[] = { FY_QUERY("cursor", 20) };

const struct fy_route fy_manage_access_routes[] = {
	{ FY_GET, LIST, list, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_STAFF, FY_PARAMS(list_params) },
	{ FY_POST, LIST "/:id/decide", decide, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(decide_params), .body_max = 4096 },
	{ FY_POST, LIST "/:id/end", end, .access = FY_ACCESS_MANAGER, .roles = REVIEWERS, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(end_params), .body_max = 4096 },
	{ FY_POST, LIST "/:id/review", review, .access = FY_ACCESS_MANAGER, .roles = REVIEWERS, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(review_params), .body_max = 4096 },
	{ FY_GET, "/manage/access-log", show_log, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES(OWNER) | FY_ROLES(AUDITOR) | FY_ROLES(DPO), FY_PARAMS(log_params) },
};
const unsigned fy_manage_access_route_count = sizeof fy_manage_access_routes / sizeof fy_manage_access_routes[0];
