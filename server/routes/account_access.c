/* The person and the team's access to their data: deciding on requests, and who looked. Staff are named by their role
 * (CJEU C-579/21). What staff do is in manage_person.c and manage_access.c. */
#include "server/routes/account_access.h"

#include "foyer/log.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "server/http/list.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/tables.h"

#define ASKS_SHOWN 20
#define LOOKS_SHOWN 20
#define PAGE_SIZE 50

fy_async static int fill_asks(struct fy_req *req, struct fy_view_account_privacy *view)
{
	struct fy_grant_page page;
	enum fy_lang lang = req->ctx.lang;
	int err = fy_grants_list_person(&req->ctx, req->session->account_id, 0, 0, ASKS_SHOWN, &page);
	if (err)
		return err;
	struct fy_row_access_ask *rows = fy_new_array(&req->arena, struct fy_row_access_ask, page.count + 1);
	for (size_t i = 0; i < page.count; i++) {
		const struct fy_grant *g = &page.items[i];
		rows[i] = (struct fy_row_access_ask){
			.id = g->id,
			.role = fy_role_label(lang, g->asker_role),
			.purpose = fy_purpose_label(lang, g->purpose),
			.reason = g->reason,
			.minutes = g->minutes,
			.asked = g->asked_at,
			.state = fy_grant_state_key(g->state),
			.ends = g->ends_at,
			.emergency = g->break_glass,
		};
	}
	view->asks = rows;
	view->asks_count = page.count;
	return 0;
}

fy_async int fy_account_access_fill(struct fy_req *req, uint64_t before, struct fy_view_account_privacy *view)
{
	struct fy_read_page page;
	enum fy_lang lang = req->ctx.lang;
	int err = fill_asks(req, view);
	if (err == 0)
		err = fy_access_log_list_person(&req->ctx, req->session->account_id, before, LOOKS_SHOWN, &page);
	if (err)
		return err;
	struct fy_row_access_look *rows = fy_new_array(&req->arena, struct fy_row_access_look, page.count + 1);
	for (size_t i = 0; i < page.count; i++) {
		const struct fy_read_entry *e = &page.items[i];
		rows[i] = (struct fy_row_access_look){
			.when = e->read_at,
			.role = fy_role_label(lang, e->read.reader_role),
			.purpose = fy_purpose_label(lang, e->read.purpose),
			.reason = e->reason,
			.fields = fy_fields_label(&req->arena, lang, e->read.fields),
			.emergency = e->break_glass,
			.task = e->read.request_id == 0,
		};
	}
	view->looks = rows;
	view->looks_count = page.count;
	if (page.next_cursor)
		view->looks_older = fy_fmt(&req->arena, "%llu", (unsigned long long)page.next_cursor);
	return 0;
}

fy_async static int decide(struct fy_req *req)
{
	struct fy_slice decision = fy_param(req, "decision");
	bool approve = fy_eq(decision, FY_LIT("approve"));
	uint64_t id;
	if (fy_param_u64(req, "id", &id) || !(approve || fy_eq(decision, FY_LIT("refuse"))))
		return FY_ERR_INVALID;
	int err = fy_grants_decide(&req->ctx, id, req->session->account_id, FY_DECIDES_PERSON, approve);
	if (err == FY_ERR_CONFLICT)
		return fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_ACCESS_OVER, 0);
	if (err)
		return err == FY_ERR_DENIED ? FY_ERR_NOT_FOUND : err; /* somebody else's: says nothing about it */
	fy_log(&req->ctx, FY_LOG_INFO, approve ? "access.approved" : "access.refused", FY_KV("request", id),
	       FY_KV("by", req->session->account_id));
	return fy_redirect_said(req, "/account/privacy",
				approve ? FY_TEXT_NOTICE_ACCESS_APPROVED : FY_TEXT_NOTICE_ACCESS_REFUSED, 0);
}

fy_async static int end(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_INVALID;
	int err = fy_grants_end(&req->ctx, id, req->session->account_id, FY_DECIDES_PERSON);
	if (err == FY_ERR_NOT_FOUND)
		return fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_ACCESS_ENDED_BEFORE, 0);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "access.ended", FY_KV("request", id), FY_KV("by", req->session->account_id));
	return fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_ACCESS_ENDED, 0);
}

/* ---- The API ---- */

static void put_read(struct fy_req *req, struct fy_json *json, const struct fy_read_entry *e)
{
	struct fy_buf time;
	struct fy_slice fields = e->read.fields;
	fy_buf_init(&time, &req->arena, 64);
	fy_put_rfc3339(&time, e->read_at, false);
	fy_json_object(json);
	fy_json_put_uint(json, "id", e->id);
	fy_json_put_str(json, "read_at", fy_buf_slice(&time));
	fy_json_put_str(json, "role", fy_role_key(e->read.reader_role));
	fy_json_put_str(json, "purpose", fy_purpose_key(e->read.purpose));
	if (e->reason.text.len)
		fy_json_put_str(json, "reason", e->reason.text);
	else
		fy_json_put_null(json, "reason");
	fy_json_put_array(json, "fields");
	while (fields.ptr)
		fy_json_str(json, fy_cut(&fields, ' '));
	fy_json_end(json);
	fy_json_put_bool(json, "emergency", e->break_glass);
	fy_json_end(json);
}

fy_async static int api_log(struct fy_req *req)
{
	struct fy_read_page page;
	struct fy_buf out;
	struct fy_json json;
	unsigned limit;
	uint64_t cursor = 0;
	int err = fy_list_limit(req, PAGE_SIZE, &limit);
	if (err == 0 && fy_param(req, "cursor").len && fy_param_u64(req, "cursor", &cursor))
		err = fy_refuse(req, FY_ERR_INVALID, "cursor", "The cursor is not one that this list gave.");
	if (err == 0)
		err = fy_access_log_list_person(&req->ctx, req->session->account_id, cursor, limit, &page);
	if (err)
		return err;
	fy_buf_init(&out, &req->arena, 1 << 20);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_array(&json, "reads");
	for (size_t i = 0; i < page.count; i++)
		put_read(req, &json, &page.items[i]);
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	if (page.next_cursor)
		fy_list_link(req, fy_fmt(&req->arena, "%llu", (unsigned long long)page.next_cursor));
	return fy_reply_json(req, 200, &out);
}

static const struct fy_param decide_params[] = { FY_FORM("csrf", 64), FY_FORM("id", 20), FY_FORM("decision", 10) };
static const struct fy_param end_params[] = { FY_FORM("csrf", 64), FY_FORM("id", 20) };
static const struct fy_param log_params[] = { FY_LIST_PARAMS(20) };

const struct fy_route fy_account_access_routes[] = {
	{ FY_POST, "/account/access", decide, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(decide_params), .body_max = 4096 },
	{ FY_POST, "/account/access/end", end, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(end_params), .body_max = 4096 },
	{ FY_GET, "/api/v1/me/access-log", api_log, .access = FY_ACCESS_MEMBER, FY_PARAMS(log_params), .api = true },
};
const unsigned fy_account_access_route_count = sizeof fy_account_access_routes / sizeof fy_account_access_routes[0];
