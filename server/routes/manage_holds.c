/* Legal holds (storage/holds.h): which accounts may not be erased for now, why, and until when somebody looks again.
 * Accounts are shown by number: for a hold nobody needs the name. Its reason speaks of the person and is theirs to see, so
 * each look at it is written to the log of reads. */
#include "foyer/log.h"
#include "protocol/datetime.h"
#include "server/routes/form.h"
#include "server/routes/session_rows.h"
#include "server/routes/tables.h"
#include "storage/access_log.h"
#include "storage/holds.h"

#define PAGE_SIZE 30
#define HOLDERS (FY_ROLES(OWNER) | FY_ROLES(DPO))
#define REVIEW_DAYS_MAX 366 /* a hold is looked at once a year at least */
#define REVIEW_DAYS_USUAL 90

static struct fy_slice day_text(struct fy_req *req, fy_time day)
{
	struct fy_buf text;
	fy_buf_init(&text, &req->arena, 32);
	fy_put_iso_date(&text, fy_paris_date(day));
	return fy_buf_slice(&text);
}

/* The field `review_on`: a day from tomorrow on, within a year. */
static fy_time take_review(struct fy_form *form)
{
	struct fy_date date;
	fy_time now = form->req->ctx.now;
	if (fy_parse_iso_date(fy_param(form->req, "review_on"), &date)) {
		fy_form_error(form, "review_on", FY_TEXT_ERROR_REVIEW_ON_FORMAT);
		return 0;
	}
	fy_time day = fy_paris_day_start(date);
	if (day <= now || day > now + REVIEW_DAYS_MAX * FY_DAY)
		fy_form_error(form, "review_on", FY_TEXT_ERROR_REVIEW_ON_RANGE);
	return day;
}

/* ---- The list ---- */

fy_async static int list_page(struct fy_req *req, const struct fy_form *form, bool lifted, uint64_t after, int status)
{
	struct fy_hold *holds;
	struct fy_page page;
	struct fy_buf out;
	size_t count;
	uint64_t next;
	int err = fy_holds_list(&req->ctx, lifted, after, PAGE_SIZE, &holds, &count, &next);
	if (err)
		return err;
	struct fy_row_hold *rows = fy_new_array(&req->arena, struct fy_row_hold, count + 1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct fy_row_hold){ .id = holds[i].id,
						.account = holds[i].account_id,
						.placed = holds[i].placed_at,
						.review = holds[i].review_at,
						.lifted = holds[i].lifted_at,
						.due = !holds[i].lifted_at && holds[i].review_at <= req->ctx.now };
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	page.path = FY_LIT("/manage/holds");
	fy_page_buf(req, &out);
	fy_page_manage_holds(
		&out, &page,
		&(struct fy_view_manage_holds){
			.lifted = lifted,
			.next_cursor = next ? fy_fmt(&req->arena, "%llu", (unsigned long long)next) : FY_NONE,
			.holds = rows,
			.holds_count = count,
			.email = { form ? fy_param(req, "email") : FY_NONE },
			.reason = { form ? fy_param(req, "reason") : FY_NONE },
			.review_on = form ? fy_param(req, "review_on")
					  : day_text(req, req->ctx.now + REVIEW_DAYS_USUAL * FY_DAY) });
	return fy_reply_html(req, status, &out);
}

fy_async static int list(struct fy_req *req)
{
	struct fy_slice state = fy_param(req, "state");
	bool lifted = fy_eq(state, FY_LIT("lifted"));
	uint64_t after = 0;
	if (state.len && !lifted)
		return FY_ERR_INVALID;
	if (fy_param(req, "cursor").len && fy_param_u64(req, "cursor", &after))
		return FY_ERR_INVALID;
	return list_page(req, NULL, lifted, after, 200);
}

static int done(struct fy_req *req, uint64_t id, enum fy_text notice)
{
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/holds/%llu", (unsigned long long)id));
	return fy_redirect_said(req, path, notice, 0);
}

fy_async static int place(struct fy_req *req)
{
	struct fy_form form;
	uint64_t account = 0, id;
	struct fy_personal reason = { fy_param(req, "reason") };
	fy_form_init(&form, req);
	fy_form_need(&form, "email", FY_TEXT_ERROR_EMAIL_MISSING);
	fy_form_need(&form, "reason", FY_TEXT_ERROR_HOLD_REASON_MISSING);
	fy_time review = take_review(&form);
	int err = 0;
	if (!fy_form_has_error(&form, "email"))
		err = fy_session_find_person(&req->ctx, fy_param(req, "email"), &account);
	if (err == 0 && form.count == 0)
		err = fy_holds_place(&req->ctx, account, reason, review, req->session->account_id, &id);
	if (err == FY_ERR_INVALID || err == FY_ERR_NOT_FOUND)
		fy_form_error(&form, "email", FY_TEXT_ERROR_HOLD_PERSON_UNKNOWN);
	else if (err == FY_ERR_EXISTS)
		fy_form_error(&form, "email", FY_TEXT_ERROR_HOLD_EXISTS);
	else if (err)
		return err;
	if (form.count)
		return list_page(req, &form, false, 0, 422);
	fy_log(&req->ctx, FY_LOG_INFO, "hold.placed", FY_KV("hold", id), FY_KV("account", account),
	       FY_KV("by", req->session->account_id));
	return done(req, id, FY_TEXT_NOTICE_HOLD_PLACED);
}

/* ---- One hold ---- */

fy_async static int hold_page(struct fy_req *req, uint64_t id, const struct fy_form *form, int status)
{
	struct fy_hold hold;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_holds_get(&req->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &hold);
	if (err == 0)
		err = fy_access_log_append(&req->ctx, &(struct fy_read){
							      .reader_id = req->session->account_id,
							      .reader_role = (enum fy_account_role)req->session->role,
							      .person_id = hold.account_id,
							      .purpose = FY_PURPOSE_LEGAL_DUTIES,
							      .fields = FY_LIT("legal_hold.reason"),
						      });
	if (err)
		return err;
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	page.path = fy_fmt(&req->arena, "/manage/holds/%llu", (unsigned long long)id);
	fy_page_buf(req, &out);
	fy_page_manage_hold(&out, &page,
			    &(struct fy_view_manage_hold){
				    .id = hold.id,
				    .account = hold.account_id,
				    .placed_by = hold.placed_by,
				    .reason = hold.reason,
				    .placed = hold.placed_at,
				    .review = hold.review_at,
				    .lifted = hold.lifted_at,
				    .due = !hold.lifted_at && hold.review_at <= req->ctx.now,
				    .review_on = form ? fy_param(req, "review_on")
						      : day_text(req, req->ctx.now + REVIEW_DAYS_USUAL * FY_DAY) });
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	uint64_t id;
	return fy_param_u64(req, "id", &id) ? FY_ERR_NOT_FOUND : hold_page(req, id, NULL, 200);
}

fy_async static int review(struct fy_req *req)
{
	struct fy_form form;
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	fy_form_init(&form, req);
	fy_time day = take_review(&form);
	if (form.count)
		return hold_page(req, id, &form, 422);
	int err = fy_holds_review(&req->ctx, id, day);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "hold.reviewed", FY_KV("hold", id), FY_KV("by", req->session->account_id));
	return done(req, id, FY_TEXT_NOTICE_HOLD_REVIEWED);
}

fy_async static int lift(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_holds_lift(&req->ctx, id, req->session->account_id);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "hold.lifted", FY_KV("hold", id), FY_KV("by", req->session->account_id));
	return done(req, id, FY_TEXT_NOTICE_HOLD_LIFTED);
}

static const struct fy_param list_params[] = { FY_QUERY("state", 10), FY_QUERY("cursor", 20), FY_SAID };
static const struct fy_param place_params[] = { FY_FORM("csrf", 64), FY_FORM("email", 254),
						FY_FORM("reason", FY_HOLD_REASON_CHARS, .lines = true),
						FY_FORM("review_on", 10) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param review_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("review_on", 10) };
static const struct fy_param lift_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64) };

const struct fy_route fy_manage_holds_routes[] = {
	{ FY_GET, "/manage/holds", list, .access = FY_ACCESS_MANAGER, .roles = HOLDERS, FY_PARAMS(list_params) },
	{ FY_POST, "/manage/holds", place, .access = FY_ACCESS_MANAGER, .roles = HOLDERS, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(place_params), .body_max = 16384 },
	{ FY_GET, "/manage/holds/:id", show, .access = FY_ACCESS_MANAGER, .roles = HOLDERS, FY_PARAMS(show_params) },
	{ FY_POST, "/manage/holds/:id/review", review, .access = FY_ACCESS_MANAGER, .roles = HOLDERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(review_params), .body_max = 4096 },
	{ FY_POST, "/manage/holds/:id/lift", lift, .access = FY_ACCESS_MANAGER, .roles = HOLDERS, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(lift_params), .body_max = 4096 },
};
const unsigned fy_manage_holds_route_count = sizeof fy_manage_holds_routes / sizeof fy_manage_holds_routes[0];
