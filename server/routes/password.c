/* Forgotten and changed passwords. */
#include "server/auth/hasher.h"
#include "server/auth/one_time.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/security.h"
#include "server/routes/sign_in.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/throttle.h"

#define SETTLE_MS 100

static int forgot_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_forgot(&out, &page, &(struct fy_view_forgot){ .email = { form ? fy_param(req, "email") : FY_NONE } });
	return fy_reply_html(req, status, &out);
}

fy_async static int forgot_show(struct fy_req *req)
{
	return forgot_page(req, NULL, 200);
}

fy_async static int send_reset(struct fy_req *req, struct fy_slice hash)
{
	struct fy_account_signin account;
	struct fy_one_time token;
	struct fy_mail_new mail;
	bool may_write = fy_throttle_mail(&req->ctx, FY_MAIL_LINK, hash);
	int err = fy_accounts_find_signin(&req->ctx, hash, &account);
	if (err || account.state == FY_ACCOUNT_CLOSED || !may_write)
		return err == FY_ERR_NOT_FOUND ? 0 : err;
	fy_one_time_make(req->ctx.keys, &token);
	err = fy_mails_reset(req, account.language, account.email.text, account.given_name,
			     fy_link(req, "/password/reset", token.token), &mail);
	mail.person_id = account.id;
	return err ? err
		   : fy_tokens_create(&req->ctx, account.id, FY_TOKEN_RESET_PASSWORD,
				      fy_slice(token.hash, sizeof token.hash),
				      req->ctx.now + FY_RESET_MINUTES * FY_MINUTE, &mail);
}

/* The same page and the same time, whether or not the address has an account. */
fy_async static int forgot_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_slice address;
	uint8_t hash[FY_HASH_BYTES];
	struct fy_page page;
	struct fy_buf out;
	fy_form_init(&form, req);
	if (!fy_form_email(&form, "email", &address, hash))
		return forgot_page(req, &form, 422);
	int err = send_reset(req, fy_slice(hash, sizeof hash));
	if (err)
		return err;
	fy_mails_kick(req);
	fy_settle(req, SETTLE_MS);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_forgot_done(&out, &page,
			    &(struct fy_view_forgot_done){ .email = { address }, .valid_minutes = FY_RESET_MINUTES });
	return fy_reply_html(req, 200, &out);
}

static int invalid_link(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("reset") });
	return fy_reply_html(req, 410, &out);
}

static int reset_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_reset(&out, &page, &(struct fy_view_reset){ .token = { fy_param(req, "token") } });
	return fy_reply_html(req, status, &out);
}

fy_async static int find_token(struct fy_req *req, uint8_t hash[FY_HASH_BYTES], struct fy_account_signin *ret_account)
{
	struct fy_token token;
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return FY_ERR_NOT_FOUND;
	int err = fy_tokens_find(&req->ctx, FY_TOKEN_RESET_PASSWORD, fy_slice(hash, FY_HASH_BYTES), &token);
	if (err)
		return err == FY_ERR_EXPIRED ? FY_ERR_NOT_FOUND : err;
	return fy_accounts_get_signin(&req->ctx, token.account_id, ret_account);
}

fy_async static int reset_show(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_account_signin account;
	int err = find_token(req, hash, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? invalid_link(req) : err;
	return reset_page(req, NULL, 200);
}

/* The holder hears of every change of the password (CNIL; rules 1.5). */
fy_async static void tell_holder(struct fy_req *req, const struct fy_account_signin *account)
{
	struct fy_mail_new mail;
	if (fy_mails_password_changed(req, account->language, account->email.text, account->given_name, &mail) == 0) {
		mail.person_id = account->id;
		fy_outbox_add(&req->ctx, &mail);
		fy_mails_kick(req);
	}
}

fy_async static int reset_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	struct fy_secret password, encoded;
	struct fy_page page;
	struct fy_buf out;
	uint8_t hash[FY_HASH_BYTES];
	uint64_t id;
	int err = find_token(req, hash, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? invalid_link(req) : err;
	fy_form_init(&form, req);
	struct fy_slice names[] = { account.email.text, account.given_name.text };
	if (!fy_form_new_password(&form, "password", names, 2, &password))
		return reset_page(req, &form, 422);
	err = fy_password_hash(&req->ctx, req->app->hasher, password, &encoded);
	if (err == 0)
		err = fy_accounts_reset_password(&req->ctx, FY_TOKEN_RESET_PASSWORD, fy_slice(hash, sizeof hash),
						 encoded, fy_mails_policy_change, &id);
	if (err == FY_ERR_NOT_FOUND || err == FY_ERR_EXPIRED || err == FY_ERR_DENIED)
		return invalid_link(req);
	if (err == 0)
		err = fy_sessions_end_person(&req->ctx, account.id, NULL, NULL);
	if (err)
		return err;
	tell_holder(req, &account);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_reset_done(&out, &page, &(struct fy_view_reset_done){ 0 });
	return fy_reply_html(req, 200, &out);
}

fy_async static int change_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	struct fy_secret current, password, encoded;
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err;
	fy_form_init(&form, req);
	fy_form_need(&form, "current_password", FY_TEXT_ERROR_CURRENT_PASSWORD_MISSING);
	struct fy_slice names[] = { account.email.text, account.given_name.text };
	fy_form_new_password(&form, "password", names, 2, &password);
	if (form.count)
		return fy_security_page(req, &form, FY_NONE, 422);
	err = fy_sign_in_confirm(&form, "current_password", &account, &current);
	if (err)
		return err;
	if (form.count == 0 && fy_eq(current.text, password.text))
		fy_form_error(&form, "password", FY_TEXT_ERROR_PASSWORD_SAME);
	if (form.count)
		return fy_security_page(req, &form, FY_NONE, 422);
	err = fy_password_hash(&req->ctx, req->app->hasher, password, &encoded);
	if (err == 0)
		err = fy_accounts_set_password(&req->ctx, account.id, encoded);
	if (err == 0)
		err = fy_sessions_end_person(&req->ctx, account.id, NULL, NULL);
	if (err == 0) /* whoever knew this session's token, too, is out */
		err = fy_sign_in_open(req, &account, FY_SESSION_VISITOR);
	if (err)
		return err;
	tell_holder(req, &account);
	return fy_redirect_said(req, "/account/security", FY_TEXT_NOTICE_PASSWORD_CHANGED, 0);
}

static const struct fy_param forgot_params[] = { FY_FORM("csrf", 64), FY_FORM("email", FY_ACCOUNT_EMAIL_MAX) };
static const struct fy_param reset_show_params[] = { FY_QUERY("token", 64) };
static const struct fy_param reset_params[] = { FY_FORM("csrf", 64), FY_FORM("token", 64),
						FY_FORM("password", 1000, .raw = true) };
static const struct fy_param change_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("current_password", 1000, .raw = true),
	FY_FORM("password", 1000, .raw = true),
	FY_SAID,
};

const struct fy_route fy_password_routes[] = {
	{ FY_GET, "/password/forgot", forgot_show, .access = FY_ACCESS_ANYONE },
	{ FY_POST, "/password/forgot", forgot_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_MAIL, FY_PARAMS(forgot_params), .body_max = 4096 },
	{ FY_GET, "/password/reset", reset_show, .access = FY_ACCESS_ANYONE, FY_PARAMS(reset_show_params) },
	{ FY_POST, "/password/reset", reset_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(reset_params), .body_max = 8192, .deadline_ms = 15000 },
	{ FY_POST, "/account/password", change_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(change_params), .body_max = 8192, .deadline_ms = 20000 },
};
const unsigned fy_password_route_count = sizeof fy_password_routes / sizeof fy_password_routes[0];
