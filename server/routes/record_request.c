/* Writing down a request that came by letter, e-mail or telephone: the month counts from its receipt, and the person
 * receives the same acknowledgement as one who has an account. The board is manage_requests.c's. */
#include "protocol/datetime.h"
#include "server/domain/deadline.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/right_words.h"
#include "server/routes/tables.h"
#include "storage/once.h"

#define FIRST_YEAR 2018 /* the GDPR applies from 25 May 2018; earlier is a slip of the pen */

static int form_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out, today;
	char *once = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	fy_session_make_token(once);
	fy_buf_init(&today, &req->arena, 32);
	fy_put_iso_date(&today, fy_paris_date(req->ctx.now));
	struct fy_view_manage_request_new view = { .once = fy_str(once),
						   .received_on = fy_buf_slice(&today),
						   .language = FY_LIT("fr") };
	fy_form_page(req, form, &page);
	if (form) {
		view.kind = fy_param(req, "kind");
		view.name.text = fy_param(req, "name");
		view.email.text = fy_param(req, "email");
		view.received_on = fy_param(req, "received_on");
		view.language = fy_param(req, "language");
		view.wish.text = fy_param(req, "wish");
	}
	fy_page_buf(req, &out);
	fy_page_manage_request_new(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	return form_page(req, NULL, 200);
}

/* The day's beginning: which hour it was does not matter to the month. */
static void take_received(struct fy_form *form, fy_time *ret_received)
{
	struct fy_date date;
	if (fy_parse_iso_date(fy_param(form->req, "received_on"), &date) || date.year < FIRST_YEAR) {
		fy_form_error(form, "received_on", FY_TEXT_ERROR_RECEIVED_ON_FORMAT);
		return;
	}
	*ret_received = fy_paris_day_start(date);
	if (*ret_received > form->req->ctx.now)
		fy_form_error(form, "received_on", FY_TEXT_ERROR_RECEIVED_ON_FUTURE);
}

static int recorded(struct fy_req *req, struct fy_slice id)
{
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/requests/" FY_FMT, FY_ARG(id)));
	return fy_redirect_said(req, path, FY_TEXT_NOTICE_REQUEST_RECORDED, 0);
}

fy_async static int store(struct fy_req *req, const struct fy_rights_new *request, struct fy_slice *ret_id)
{
	struct fy_mail_new receipt;
	uint64_t id;
	int err = fy_mails_right(req, FY_RIGHTS_RECEIVED,
				 &(struct fy_mails_right){ .lang = request->lang,
							   .to = request->email.text,
							   .name = request->name,
							   .kind = request->kind,
							   .received = request->received_at,
							   .due = request->due_at },
				 &receipt);
	if (err == 0)
		err = fy_rights_add(&req->ctx, request, &receipt, &id);
	if (err)
		return err;
	fy_mails_kick(req);
	*ret_id = fy_fmt(&req->arena, "%llu", (unsigned long long)id);
	return 0;
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_once once;
	struct fy_slice id, address = FY_NONE;
	uint8_t hash[32];
	struct fy_rights_new request = {
		.recorded_by = req->session->account_id,
		.kind = fy_right_kind(fy_param(req, "kind")),
		.lang = fy_eq(fy_param(req, "language"), FY_LIT("en")) ? FY_LANG_EN : FY_LANG_FR,
		.name = { fy_param(req, "name") },
		.wish = { fy_param(req, "wish") },
	};
	fy_form_init(&form, req);
	if (request.kind == 0)
		fy_form_error(&form, "kind", FY_TEXT_ERROR_RIGHT_MISSING);
	fy_form_need(&form, "name", FY_TEXT_ERROR_NAME_MISSING);
	fy_form_email(&form, "email", &address, hash);
	take_received(&form, &request.received_at);
	fy_form_need(&form, "wish", FY_TEXT_ERROR_WISH_MISSING);
	if (form.count)
		return form_page(req, &form, 422);
	request.email.text = address;
	request.due_at = fy_deadline_after_months(request.received_at, FY_DEADLINE_MONTHS);
	int err = fy_once_begin(&req->ctx,
				fy_fmt(&req->arena, FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT, FY_ARG(req->token),
				       FY_ARG(fy_param(req, "once")), FY_ARG(address), FY_ARG(request.wish.text)),
				&once, &id);
	if (err)
		return err == FY_ERR_EXISTS ? recorded(req, id) : err;
	err = store(req, &request, &id);
	if (err)
		fy_once_failed(&req->ctx, &once);
	else
		fy_once_done(&req->ctx, &once, id);
	return err ? err : recorded(req, id);
}

static const struct fy_param submit_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("kind", 20),
	FY_FORM("name", FY_RIGHTS_NAME_CHARS),
	FY_FORM("email", 254),
	FY_FORM("received_on", 10),
	FY_FORM("language", 2),
	FY_FORM("wish", FY_RIGHTS_WISH_CHARS, .lines = true),
	FY_FORM("once", FY_TOKEN_CHARS),
};

const struct fy_route fy_record_request_routes[] = {
	{ FY_GET, "/manage/requests/new", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_RIGHTS },
	{ FY_POST, "/manage/requests/new", submit, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_RIGHTS,
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL, FY_PARAMS(submit_params), .body_max = 65536 },
};
const unsigned fy_record_request_route_count = sizeof fy_record_request_routes / sizeof fy_record_request_routes[0];
