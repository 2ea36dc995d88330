/* Another address for the own account: asked for with the password, confirmed by whoever holds the new mailbox, told to
 * the old one before and after. Whether the new address has an account already is told by mail to its holder, never by
 * the page, as with a registration (register.c). The form stands on the security page. */
#include "foyer/log.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "server/auth/one_time.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/security.h"
#include "server/routes/sign_in.h"
#include "server/routes/tables.h"
#include "storage/email_change.h"
#include "storage/throttle.h"

#define PAGE "/account/security"
#define LINK "/email/confirm"
#define SETTLE_MS 100
#define TOKEN_PARAM 64

/* ---- Asking ---- */

/* What one of both mailboxes gets to know: the link, or that there is an account already. Nothing for one that is being
 * erased. ret_some: there is a mail. */
fy_async static int write_to_new(struct fy_req *req, const struct fy_account_signin *account, struct fy_slice address,
				 struct fy_slice hash, const struct fy_one_time *token, struct fy_mail_new *ret_mail,
				 bool *ret_some)
{
	struct fy_account_signin known = { 0 };
	int err = fy_accounts_find_signin(&req->ctx, hash, &known);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_some = known.state != FY_ACCOUNT_CLOSED;
	if (known.state == FY_ACCOUNT_ACTIVE) {
		err = fy_mails_email_wanted(req, &known, ret_mail);
		ret_mail->person_id = known.id;
		return err;
	}
	err = fy_mails_email_confirm(req, account->language, address, fy_link(req, LINK, token->token), ret_mail);
	ret_mail->person_id = account->id;
	return err;
}

fy_async static int ask(struct fy_req *req, const struct fy_account_signin *account, struct fy_slice address,
			struct fy_slice hash)
{
	struct fy_one_time token;
	struct fy_mail_new to_new, to_old;
	bool some = false;
	fy_one_time_make(req->ctx.keys, &token);
	int err = write_to_new(req, account, address, hash, &token, &to_new, &some);
	if (err == 0)
		err = fy_mails_email_asked(req, account, &to_old);
	if (err)
		return err;
	to_old.person_id = account->id;
	const struct fy_email_change_new change = { .account_id = account->id,
						    .email = { address },
						    .token_hash = fy_slice(token.hash, sizeof token.hash),
						    .mails = { some ? &to_new : NULL, &to_old } };
	err = fy_email_change_ask(&req->ctx, &change);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "email_change.asked", FY_KV("account", account->id));
	fy_mails_kick(req);
	fy_settle(req, SETTLE_MS);
	return 0;
}

/* The fields, the password and how often: what page and API have in common. Errors are in the form, and 0. */
fy_async static int take(struct fy_form *form, const char *email_field, const char *password_field,
			 struct fy_account_signin *ret_account, struct fy_slice *ret_address)
{
	struct fy_req *req = form->req;
	uint8_t hash[FY_HASH_BYTES], own[FY_HASH_BYTES];
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, ret_account);
	if (err == 0)
		err = fy_email_hash(&req->ctx, ret_account->email.text, NULL, own);
	if (err)
		return err;
	fy_form_email(form, email_field, ret_address, hash);
	fy_form_need(form, password_field, FY_TEXT_ERROR_CURRENT_PASSWORD_MISSING);
	if (form->count == 0 && memcmp(hash, own, sizeof own) == 0)
		fy_form_error(form, email_field, FY_TEXT_ERROR_EMAIL_SAME);
	if (form->count)
		return 0;
	err = fy_sign_in_confirm(form, password_field, ret_account, NULL);
	if (err || form->count)
		return err;
	if (!fy_throttle_mail(&req->ctx, FY_MAIL_CHANGE, fy_slice(hash, sizeof hash))) {
		fy_form_error(form, email_field, FY_TEXT_ERROR_TOO_MANY);
		return 0;
	}
	return ask(req, ret_account, *ret_address, fy_slice(hash, sizeof hash));
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	struct fy_slice address;
	fy_form_init(&form, req);
	int err = take(&form, "new_email", "email_password", &account, &address);
	if (err)
		return err;
	return form.count ? fy_security_page(req, &form, fy_param(req, "new_email"), 422)
			  : fy_redirect_said(req, PAGE, FY_TEXT_NOTICE_EMAIL_ASKED, 0);
}

fy_async static int cancel_one(struct fy_req *req)
{
	int err = fy_email_change_cancel(&req->ctx, req->session->account_id);
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, "email_change.cancelled", FY_KV("account", req->session->account_id));
	return err;
}

fy_async static int cancel(struct fy_req *req)
{
	int err = cancel_one(req);
	return err && err != FY_ERR_NOT_FOUND ? err : fy_redirect_said(req, PAGE, FY_TEXT_NOTICE_EMAIL_CANCELLED, 0);
}

/* 202: accepted, not done. */
fy_async static int api_ask(struct fy_req *req)
{
	struct fy_form form;
	struct fy_account_signin account;
	struct fy_slice address;
	struct fy_buf out, time;
	struct fy_json json;
	fy_form_init(&form, req);
	int err = take(&form, "email", "password", &account, &address);
	if (err)
		return err;
	if (form.count)
		return fy_form_refuse(&form);
	fy_buf_init(&out, &req->arena, 4096);
	fy_buf_init(&time, &req->arena, 64);
	fy_put_rfc3339(&time, req->ctx.now + fy_email_change_valid(&req->ctx), false);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_str(&json, "email", address);
	fy_json_put_str(&json, "confirm_by", fy_buf_slice(&time));
	fy_json_end(&json);
	fy_json_finish(&json);
	return fy_reply_json(req, 202, &out);
}

fy_async static int api_cancel(struct fy_req *req)
{
	int err = cancel_one(req);
	return err ? err : fy_reply_none(req);
}

/* ---- Confirming ---- */

static int invalid_link(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	page.path = FY_LIT(LINK); /* which the language switch can GET */
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("email") });
	return fy_reply_html(req, 410, &out);
}

fy_async static int find(struct fy_req *req, uint8_t hash[FY_HASH_BYTES], struct fy_email_change *ret_change)
{
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return FY_ERR_NOT_FOUND;
	return fy_email_change_find(&req->ctx, fy_slice(hash, FY_HASH_BYTES), ret_change);
}

/* Mail scanners follow links; only the button changes anything. */
fy_async static int confirm_show(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_email_change change;
	struct fy_page page;
	struct fy_buf out;
	int err = find(req, hash, &change);
	if (err)
		return err == FY_ERR_NOT_FOUND ? invalid_link(req) : err;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_email_confirm(
		&out, &page,
		&(struct fy_view_email_confirm){ .token = { fy_param(req, "token") }, .email = change.email });
	return fy_reply_html(req, 200, &out);
}

/* As after a change of the password: whoever knew a token of a session is out, and who is here goes on with another. */
fy_async static int end_sessions(struct fy_req *req, uint64_t account_id, bool *ret_here)
{
	struct fy_account_signin account;
	*ret_here = req->session && req->session->account_id == account_id;
	int err = fy_sessions_end_person(&req->ctx, account_id, NULL, NULL);
	if (err || !*ret_here)
		return err;
	err = fy_accounts_get_signin(&req->ctx, account_id, &account);
	return err ? err : fy_sign_in_open(req, &account, FY_SESSION_VISITOR);
}

fy_async static int confirm_submit(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_email_change change;
	struct fy_account_signin before;
	struct fy_mail_new farewell;
	struct fy_page page;
	struct fy_buf out;
	bool here;
	int err = find(req, hash, &change);
	if (err == 0)
		err = fy_accounts_get_signin(&req->ctx, change.account_id, &before);
	if (err == 0)
		err = fy_mails_email_changed(req, &before, &farewell);
	farewell.person_id = change.account_id;
	if (err == 0)
		err = fy_email_change_confirm(&req->ctx, fy_slice(hash, sizeof hash), &farewell);
	if (err == FY_ERR_NOT_FOUND || err == FY_ERR_EXISTS)
		return invalid_link(req);
	if (err == 0)
		err = end_sessions(req, change.account_id, &here);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "email_change.confirmed", FY_KV("account", change.account_id));
	fy_mails_kick(req);
	if (here)
		return fy_redirect_said(req, PAGE, FY_TEXT_NOTICE_EMAIL_CHANGED, 0);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_email_confirmed(&out, &page, &(struct fy_view_email_confirmed){ .email = change.email });
	return fy_reply_html(req, 200, &out);
}

static const struct fy_param submit_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("new_email", FY_ACCOUNT_EMAIL_MAX),
	FY_FORM("email_password", 1000, .raw = true),
	FY_SAID,
};
static const struct fy_param cancel_params[] = { FY_FORM("csrf", 64) };
static const struct fy_param show_params[] = { FY_QUERY("token", TOKEN_PARAM) };
static const struct fy_param confirm_params[] = { FY_FORM("csrf", 64), FY_FORM("token", TOKEN_PARAM) };
static const struct fy_param api_params[] = { FY_JSON("email", FY_ACCOUNT_EMAIL_MAX),
					      FY_JSON("password", 1000, .raw = true) };

const struct fy_route fy_email_change_routes[] = {
	{ FY_POST, "/account/email", submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL,
	  FY_PARAMS(submit_params), .body_max = 8192, .deadline_ms = 15000 },
	{ FY_POST, "/account/email/cancel", cancel, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(cancel_params), .body_max = 4096 },
	{ FY_GET, LINK, confirm_show, .access = FY_ACCESS_VISITOR, FY_PARAMS(show_params) },
	{ FY_POST, LINK, confirm_submit, .access = FY_ACCESS_VISITOR, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(confirm_params), .body_max = 4096 },
	{ FY_POST, "/api/v1/me/email", api_ask, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_MAIL, FY_PARAMS(api_params), .body_max = 8192, .deadline_ms = 15000, .api = true },
	{ FY_DELETE, "/api/v1/me/email", api_cancel, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_WRITE, .api = true },
};
const unsigned fy_email_change_route_count = sizeof fy_email_change_routes / sizeof fy_email_change_routes[0];
