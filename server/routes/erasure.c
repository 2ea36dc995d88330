/* Erasing the own account: asking, with the password once more, and changing one's mind until the date. */
#include "foyer/log.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/sign_in.h"
#include "server/routes/tables.h"
#include "storage/erasure.h"
#include "storage/holds.h"

#define PATH "/account/erase"

fy_async static int show_form(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_account_overview account;
	struct fy_page page;
	struct fy_buf out;
	struct fy_hold hold;
	int err = fy_accounts_overview(&req->ctx, req->session->account_id, &account);
	if (err == 0)
		err = fy_holds_of(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &hold);
	if (err)
		return err;
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	page.path = FY_LIT(PATH);
	page.who.text = account.email.text;
	fy_page_buf(req, &out);
	int64_t days = req->app->config->retention_erasure_grace_days;
	fy_page_account_erase(
		&out, &page,
		&(struct fy_view_account_erase){ .email = account.email,
						 .erase_at = account.erase_at,
						 .would_be_at = account.erase_at ? 0 : req->ctx.now + days * FY_DAY,
						 .grace_days = (uint64_t)days,
						 .hold_review = hold.review_at,
						 .hold_reason = hold.reason });
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	return show_form(req, NULL, 200);
}

/* The date and the mail that tells of it. FY_ERR_DENIED: the last owner. */
fy_async static int ask(struct fy_req *req, const struct fy_account_signin *account, fy_time *ret_erase_at)
{
	struct fy_mail_new mail;
	*ret_erase_at = req->ctx.now + req->app->config->retention_erasure_grace_days * FY_DAY;
	int err = fy_erasure_ask(&req->ctx, account->id, FY_ERASURE_ASKED, *ret_erase_at);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "erasure.asked", FY_KV("account", account->id));
	if (fy_mails_erasure_asked(req, account, *ret_erase_at, &mail) == 0) {
		mail.person_id = account->id;
		fy_outbox_add(&req->ctx, &mail);
		fy_mails_kick(req);
	}
	return 0;
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	fy_time erase_at;
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err;
	fy_form_init(&form, req);
	fy_form_need(&form, "current_password", FY_TEXT_ERROR_CURRENT_PASSWORD_MISSING);
	if (form.count == 0)
		err = fy_sign_in_confirm(&form, "current_password", &account, NULL);
	if (err)
		return err;
	if (form.count)
		return show_form(req, &form, 422);
	err = ask(req, &account, &erase_at);
	if (err == FY_ERR_DENIED) {
		fy_form_error(&form, "", FY_TEXT_ERROR_LAST_OWNER);
		return show_form(req, &form, 409);
	}
	return err && err != FY_ERR_EXISTS ? err : fy_redirect_said(req, PATH, FY_TEXT_NOTICE_ERASURE_ASKED, 0);
}

fy_async static int keep(struct fy_req *req)
{
	int err = fy_erasure_cancel(&req->ctx, req->session->account_id);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, "erasure.cancelled", FY_KV("account", req->session->account_id));
	return fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_ERASURE_CANCELLED, 0);
}

static int reply_date(struct fy_req *req, int status, fy_time erase_at)
{
	struct fy_buf out, time;
	struct fy_json json;
	fy_buf_init(&out, &req->arena, 4096);
	fy_buf_init(&time, &req->arena, 64);
	fy_put_rfc3339(&time, erase_at, false);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_str(&json, "erase_at", fy_buf_slice(&time));
	fy_json_end(&json);
	fy_json_finish(&json);
	return fy_reply_json(req, status, &out);
}

/* 202: accepted, not done. Asking twice gives the date that stands. */
fy_async static int api_ask(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	struct fy_account_overview overview;
	fy_time erase_at;
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err;
	fy_form_init(&form, req);
	err = fy_sign_in_confirm(&form, "password", &account, NULL);
	if (err)
		return err;
	if (form.count)
		return fy_reply_problem(req, 422, FY_LIT("The password is not right."), NULL, 0);
	err = ask(req, &account, &erase_at);
	if (err == FY_ERR_DENIED)
		return fy_reply_problem(req, 409, FY_LIT("This is the account of the last owner."), NULL, 0);
	if (err == FY_ERR_EXISTS) {
		err = fy_accounts_overview(&req->ctx, account.id, &overview);
		erase_at = overview.erase_at;
	}
	return err ? err : reply_date(req, 202, erase_at);
}

fy_async static int api_keep(struct fy_req *req)
{
	int err = fy_erasure_cancel(&req->ctx, req->session->account_id);
	return err ? err : fy_reply_none(req);
}

static const struct fy_param show_params[] = { FY_SAID };
static const struct fy_param submit_params[] = { FY_FORM("csrf", 64), FY_FORM("current_password", 1000, .raw = true) };
static const struct fy_param keep_params[] = { FY_FORM("csrf", 64) };
static const struct fy_param api_params[] = { FY_JSON("password", 1000, .raw = true) };

const struct fy_route fy_erasure_routes[] = {
	{ FY_GET, PATH, show, .access = FY_ACCESS_MEMBER, FY_PARAMS(show_params) },
	{ FY_POST, PATH, submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(submit_params), .body_max = 8192, .deadline_ms = 15000 },
	{ FY_POST, PATH "/keep", keep, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(keep_params), .body_max = 4096 },
	{ FY_POST, "/api/v1/me/erasure", api_ask, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_WRITE, FY_PARAMS(api_params), .body_max = 8192, .deadline_ms = 15000, .api = true },
	{ FY_DELETE, "/api/v1/me/erasure", api_keep, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_WRITE, .api = true },
};
const unsigned fy_erasure_route_count = sizeof fy_erasure_routes / sizeof fy_erasure_routes[0];
