/* Signing in to the back office: own cookie, allowed networks, ended after 30 minutes, and not with a member's
 * account. */
#include "server/routes/sign_in.h"
#include "server/routes/tables.h"

static int login_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_manage_login view = { .next = fy_param(req, "next") };
	fy_form_page(req, form, &page);
	if (form == NULL) {
		fy_page_said(req, &page);
		if (req->was_signed_in && fy_eq(fy_param(req, "why"), FY_LIT("expired"))) {
			page.notice = FY_TEXT_NOTICE_SESSION_ENDED;
			page.notice_tone = FY_NOTICE_INFO;
		}
	} else {
		view.email.text = fy_param(req, "email");
	}
	if (req->retry_after_s)
		fy_header(req, "Retry-After", fy_fmt(&req->arena, "%u", req->retry_after_s));
	fy_page_buf(req, &out);
	fy_page_manage_login(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	return req->session ? fy_redirect(req, "/manage") : login_page(req, NULL, 200);
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	fy_form_init(&form, req);
	int result = fy_sign_in_check(&form, &account);
	if (result < 0)
		return result;
	if (result == FY_SIGN_IN_LIMITED)
		return login_page(req, &form, 429);
	if (result == FY_SIGN_IN_GOOD && fy_page_office_front(account.role) == NULL)
		fy_form_error(&form, "", FY_TEXT_ERROR_CREDENTIALS); /* says nothing about who may */
	if (result == FY_SIGN_IN_UNCONFIRMED)
		fy_form_error(&form, "", FY_TEXT_ERROR_CREDENTIALS);
	if (form.count)
		return login_page(req, &form, 422);
	int err = fy_sign_in_open(req, &account, FY_SESSION_MANAGER);
	if (err == 0)
		err = fy_accounts_touch(&req->ctx, account.id);
	if (err)
		return err;
	struct fy_slice next = fy_param(req, "next");
	return fy_next_page(req, next) ? fy_redirect_to(req, next)
				       : fy_redirect(req, fy_page_office_front(account.role));
}

fy_async static int logout(struct fy_req *req)
{
	int err = fy_sessions_end_token(&req->ctx, req->token);
	if (err)
		return err;
	fy_req_forget_cookie(req);
	fy_header(req, "Clear-Site-Data", FY_LIT("\"cache\", \"storage\""));
	return fy_redirect_said(req, "/manage/login", FY_TEXT_NOTICE_SIGNED_OUT, 0);
}

fy_async static int front(struct fy_req *req)
{
	return fy_redirect(req, fy_page_office_front(req->session->role));
}

static const struct fy_param show_params[] = { FY_QUERY("next", 600), FY_QUERY("why", 20), FY_SAID };
static const struct fy_param submit_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("email", FY_ACCOUNT_EMAIL_MAX),
	FY_FORM("password", 1000, .raw = true),
	FY_FORM("next", 600),
};
static const struct fy_param logout_params[] = { FY_FORM("csrf", 64) };

const struct fy_route fy_manage_login_routes[] = {
	{ FY_GET, "/manage", front, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_STAFF },
	{ FY_GET, "/manage/login", show, .access = FY_ACCESS_MANAGER_LOGIN, FY_PARAMS(show_params) },
	{ FY_POST, "/manage/login", submit, .access = FY_ACCESS_MANAGER_LOGIN, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(submit_params), .body_max = 8192, .deadline_ms = 15000 },
	{ FY_POST, "/manage/logout", logout, .access = FY_ACCESS_MANAGER_LOGIN, .csrf = FY_CSRF_FORM,
	  FY_PARAMS(logout_params), .body_max = 4096 },
};
const unsigned fy_manage_login_route_count = sizeof fy_manage_login_routes / sizeof fy_manage_login_routes[0];
