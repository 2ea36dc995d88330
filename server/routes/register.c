/* Becoming a member: register, confirm the address, ask for another link; and the set-up of administrators.
 * Whether an address has an account already is told by mail to its holder, never by the page. */
#include "foyer/log.h"
#include "server/auth/hasher.h"
#include "server/auth/one_time.h"
#include "server/http/visitor.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/outbox.h"
#include "storage/throttle.h"

#define SETTLE_MS 100
#define TOKEN_PARAM 64

static int register_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_register view = { 0 };
	fy_form_page(req, form, &page);
	if (form) {
		view.given_name.text = fy_param(req, "given_name");
		view.family_name.text = fy_param(req, "family_name");
		view.email.text = fy_param(req, "email");
	}
	fy_page_buf(req, &out);
	fy_page_register(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

static int register_done(struct fy_req *req, struct fy_slice address)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_register_done(&out, &page,
			      &(struct fy_view_register_done){ .email = { address }, .valid_hours = FY_CONFIRM_HOURS });
	return fy_reply_html(req, 200, &out);
}

fy_async static int register_show(struct fy_req *req)
{
	return req->session ? fy_redirect(req, "/account") : register_page(req, NULL, 200);
}

/* Registered twice and never confirmed. One of the two may be somebody else, who waits for the holder of the mailbox to
 * confirm a password that is not hers; so no password counts, and the link lets the holder choose one. */
fy_async static int contest(struct fy_req *req, const struct fy_account_signin *known)
{
	struct fy_mail_new mail;
	struct fy_one_time token;
	int err = fy_accounts_contest(&req->ctx, known->id);
	fy_one_time_make(req->ctx.keys, &token);
	if (err == 0)
		err = fy_mails_reset(req, known->language, known->email.text, (struct fy_personal){ FY_NONE },
				     fy_link(req, "/password/reset", token.token), &mail);
	mail.person_id = known->id;
	return err ? err
		   : fy_tokens_create(&req->ctx, known->id, FY_TOKEN_RESET_PASSWORD,
				      fy_slice(token.hash, sizeof token.hash),
				      req->ctx.now + FY_RESET_MINUTES * FY_MINUTE, &mail);
}

/* The address is taken: its holder hears of the attempt, or gets a link again. `registering`: by the registration form,
 * with another password perhaps. */
fy_async static int remind_holder(struct fy_req *req, struct fy_slice hash, bool registering)
{
	struct fy_account_signin known;
	struct fy_mail_new mail;
	struct fy_one_time token;
	int err = fy_accounts_find_signin(&req->ctx, hash, &known);
	bool found = err == 0, active = found && known.state == FY_ACCOUNT_ACTIVE;
	bool may_write =
		fy_throttle_mail(&req->ctx, active ? FY_MAIL_NOTICE : FY_MAIL_LINK, hash); /* asked for all alike */
	if (err)
		return err == FY_ERR_NOT_FOUND ? 0 : err;
	/* Who used the links up has sent them to the holder; the password of neither counts all the same. */
	if (!may_write)
		return registering && known.state == FY_ACCOUNT_PENDING ? fy_accounts_contest(&req->ctx, known.id) : 0;
	if (active) {
		err = fy_mails_address_known(req, known.language, known.email.text, known.given_name, &mail);
		mail.person_id = known.id;
		return err ? err : fy_outbox_add(&req->ctx, &mail);
	}
	if (known.state != FY_ACCOUNT_PENDING)
		return 0;
	if (registering)
		return contest(req, &known);
	fy_one_time_make(req->ctx.keys, &token);
	err = fy_mails_confirm(req, known.email.text, fy_link(req, "/verify", token.token), &mail);
	mail.person_id = known.id;
	return err ? err
		   : fy_tokens_create(&req->ctx, known.id, FY_TOKEN_CONFIRM_EMAIL,
				      fy_slice(token.hash, sizeof token.hash),
				      req->ctx.now + FY_CONFIRM_HOURS * FY_HOUR, &mail);
}

fy_async static int register_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_slice address;
	struct fy_secret password, encoded;
	uint8_t hash[FY_HASH_BYTES];
	fy_form_init(&form, req);
	fy_form_need(&form, "given_name", FY_TEXT_ERROR_GIVEN_NAME_MISSING);
	fy_form_need(&form, "family_name", FY_TEXT_ERROR_FAMILY_NAME_MISSING);
	fy_form_email(&form, "email", &address, hash);
	struct fy_slice names[] = { fy_param(req, "given_name"), fy_param(req, "family_name"), fy_param(req, "email") };
	fy_form_new_password(&form, "password", names, 3, &password);
	if (form.count)
		return register_page(req, &form, 422);

	int err = fy_password_hash(&req->ctx, req->app->hasher, password, &encoded);
	if (err) {
		req->retry_after_s = err == FY_ERR_BUSY ? fy_hasher_wait_s(req->app->hasher) : 0;
		return err;
	}
	struct fy_one_time token;
	struct fy_mail_new mail;
	struct fy_account_new account = {
		.email = { address },
		.email_hash = fy_slice(hash, sizeof hash),
		.password_hash = encoded,
		.given_name = { fy_param(req, "given_name") },
		.family_name = { fy_param(req, "family_name") },
		.language = req->ctx.lang,
	};
	fy_one_time_make(req->ctx.keys, &token);
	err = fy_mails_confirm(req, address, fy_link(req, "/verify", token.token), &mail);
	if (err == 0)
		err = fy_accounts_create(&req->ctx, &account, FY_TOKEN_CONFIRM_EMAIL,
					 fy_slice(token.hash, sizeof token.hash),
					 req->ctx.now + FY_CONFIRM_HOURS * FY_HOUR, &mail, NULL);
	if (err == FY_ERR_EXISTS)
		err = remind_holder(req, fy_slice(hash, sizeof hash), true);
	if (err)
		return err;
	fy_mails_kick(req);
	fy_settle(req, SETTLE_MS);
	return register_done(req, address);
}

/* ---- Confirming the address ---- */

static int invalid_token(struct fy_req *req, const char *purpose)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = fy_str(purpose) });
	return fy_reply_html(req, 410, &out);
}

static bool is_bad_token(int err)
{
	return err == FY_ERR_NOT_FOUND || err == FY_ERR_EXPIRED;
}

/* Mail scanners follow links; only the button uses the token up. The optional purpose is asked for here and not with the
 * registration, as anybody may register anybody's address. */
fy_async static int verify_show(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_token token;
	struct fy_page page;
	struct fy_buf out;
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return invalid_token(req, "verify");
	int err = fy_tokens_find(&req->ctx, FY_TOKEN_CONFIRM_EMAIL, fy_slice(hash, sizeof hash), &token);
	if (err)
		return is_bad_token(err) ? invalid_token(req, "verify") : err;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_verify(
		&out, &page,
		&(struct fy_view_verify){ .token = { fy_param(req, "token") }, .opted_out = fy_visitor_opts_out(req) });
	return fy_reply_html(req, 200, &out);
}

fy_async static int verify_submit(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_page page;
	struct fy_buf out;
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return invalid_token(req, "verify");
	uint64_t id;
	bool market_research = fy_param_on(req, "market_research") && !fy_visitor_opts_out(req);
	int err = fy_accounts_confirm(&req->ctx, fy_slice(hash, sizeof hash), market_research, fy_mails_policy_change,
				      &id);
	if (err)
		return is_bad_token(err) ? invalid_token(req, "verify") : err;
	fy_mails_kick(req);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_verified(&out, &page, &(struct fy_view_verified){ 0 });
	return fy_reply_html(req, 200, &out);
}

/* The same answer for every address; only one with an unconfirmed account gets a mail of this kind. */
fy_async static int verify_again(struct fy_req *req)
{
	struct fy_form form;
	struct fy_slice address;
	uint8_t hash[FY_HASH_BYTES];
	fy_form_init(&form, req);
	if (!fy_form_email(&form, "email", &address, hash)) {
		struct fy_page page;
		struct fy_buf out;
		fy_form_page(req, &form, &page);
		page.path = FY_LIT("/verify"); /* which the language switch can GET */
		fy_page_buf(req, &out);
		fy_page_token_invalid(&out, &page,
				      &(struct fy_view_token_invalid){ .purpose = FY_LIT("verify"),
								       .email = { fy_param(req, "email") } });
		return fy_reply_html(req, 422, &out);
	}
	int err = remind_holder(req, fy_slice(hash, sizeof hash), false);
	if (err)
		return err;
	fy_mails_kick(req);
	fy_settle(req, SETTLE_MS);
	return register_done(req, address);
}

/* ---- Setting up an administrator ---- */

/* Whose account the link sets up; `id` 0: the first owner's, who says the address now. */
struct setup {
	uint8_t token_hash[FY_HASH_BYTES];
	struct fy_account account;
};

static bool nameless(const struct setup *setup)
{
	return !setup->account.profile.given_name.text.len || !setup->account.profile.family_name.text.len;
}

static int setup_page(struct fy_req *req, const struct fy_form *form, const struct setup *setup, int status)
{
	const struct fy_profile *known = &setup->account.profile;
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_setup view = {
		.token = { fy_param(req, "token") },
		.given_name = known->given_name,
		.family_name = known->family_name,
		.email = setup->account.email,
		.first = setup->account.id == 0,
		.nameless = nameless(setup),
	};
	fy_form_page(req, form, &page);
	if (form) {
		view.given_name.text = fy_param(req, "given_name");
		view.family_name.text = fy_param(req, "family_name");
		if (view.first)
			view.email.text = fy_param(req, "email");
	}
	fy_page_buf(req, &out);
	fy_page_setup(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int setup_find(struct fy_req *req, struct setup *ret_setup)
{
	struct fy_token token;
	*ret_setup = (struct setup){ 0 };
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), ret_setup->token_hash))
		return FY_ERR_NOT_FOUND;
	int err = fy_tokens_find(&req->ctx, FY_TOKEN_SET_UP, fy_slice(ret_setup->token_hash, FY_HASH_BYTES), &token);
	if (err || token.account_id == 0)
		return err;
	return fy_accounts_get(&req->ctx, token.account_id, FY_PURPOSE_RIGHTS, &ret_setup->account);
}

fy_async static int setup_show(struct fy_req *req)
{
	struct setup setup;
	int err = setup_find(req, &setup);
	if (err)
		return is_bad_token(err) ? invalid_token(req, "setup") : err;
	return setup_page(req, NULL, &setup, 200);
}

/* What was open before the account was set up ends with it. */
fy_async static int set_up_known(struct fy_req *req, struct fy_slice token_hash, const struct fy_account_new *account)
{
	uint64_t id;
	int err = fy_accounts_set_up(&req->ctx, token_hash, account, fy_mails_policy_change, &id);
	return err ? err : fy_sessions_end_person(&req->ctx, id, NULL, NULL);
}

fy_async static int setup_submit(struct fy_req *req)
{
	uint8_t email_hash[FY_HASH_BYTES];
	struct setup setup;
	struct fy_form form;
	struct fy_slice address = FY_NONE;
	struct fy_secret password, encoded;
	uint64_t id;
	int err = setup_find(req, &setup);
	if (err)
		return is_bad_token(err) ? invalid_token(req, "setup") : err;
	bool first = setup.account.id == 0;
	fy_form_init(&form, req);
	struct fy_personal given_name = setup.account.profile.given_name,
			   family_name = setup.account.profile.family_name;
	if (nameless(&setup)) {
		fy_form_need(&form, "given_name", FY_TEXT_ERROR_GIVEN_NAME_MISSING);
		fy_form_need(&form, "family_name", FY_TEXT_ERROR_FAMILY_NAME_MISSING);
		given_name.text = fy_param(req, "given_name");
		family_name.text = fy_param(req, "family_name");
	}
	if (first)
		fy_form_email(&form, "email", &address, email_hash);
	struct fy_slice names[] = { given_name.text, family_name.text,
				    first ? fy_param(req, "email") : setup.account.email.text };
	fy_form_new_password(&form, "password", names, 3, &password);
	if (form.count)
		return setup_page(req, &form, &setup, 422);
	err = fy_password_hash(&req->ctx, req->app->hasher, password, &encoded);
	if (err)
		return err;
	struct fy_account_new owner = {
		.email = { address },
		.email_hash = fy_slice(email_hash, sizeof email_hash),
		.password_hash = encoded,
		.given_name = given_name,
		.family_name = family_name,
		.language = req->ctx.lang,
		.role = FY_ROLE_OWNER,
		.state = FY_ACCOUNT_ACTIVE,
	};
	struct fy_slice token_hash = fy_slice(setup.token_hash, sizeof setup.token_hash);
	err = first ? fy_accounts_set_up_owner(&req->ctx, token_hash, &owner, fy_mails_policy_change, &id)
		    : set_up_known(req, token_hash, &owner);
	if (err == FY_ERR_EXISTS) {
		fy_form_error(&form, "email", FY_TEXT_ERROR_EMAIL_TAKEN);
		return setup_page(req, &form, &setup, 422);
	}
	if (is_bad_token(err) || err == FY_ERR_CONFLICT || err == FY_ERR_DENIED)
		return invalid_token(req, "setup");
	if (err)
		return err;
	if (first)
		fy_log(&req->ctx, FY_LOG_INFO, "account.created", FY_KV("account", id), FY_KV("role", "owner"));
	return fy_redirect_said(req, "/manage/login", FY_TEXT_NOTICE_SETUP_DONE, 0);
}

static const struct fy_param register_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("given_name", FY_ACCOUNT_NAME_MAX),
	FY_FORM("family_name", FY_ACCOUNT_NAME_MAX),
	FY_FORM("email", FY_ACCOUNT_EMAIL_MAX),
	FY_FORM("password", 1000, .raw = true),
};
static const struct fy_param verify_show_params[] = { FY_QUERY("token", TOKEN_PARAM) };
static const struct fy_param verify_params[] = { FY_FORM("csrf", 64), FY_FORM("token", TOKEN_PARAM),
						 FY_FORM("market_research", 10) };
static const struct fy_param again_params[] = { FY_FORM("csrf", 64), FY_FORM("email", FY_ACCOUNT_EMAIL_MAX) };
static const struct fy_param setup_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("token", TOKEN_PARAM),
	FY_FORM("given_name", FY_ACCOUNT_NAME_MAX),
	FY_FORM("family_name", FY_ACCOUNT_NAME_MAX),
	FY_FORM("email", FY_ACCOUNT_EMAIL_MAX),
	FY_FORM("password", 1000, .raw = true),
};

const struct fy_route fy_register_routes[] = {
	{ FY_GET, "/register", register_show, .access = FY_ACCESS_VISITOR },
	{ FY_POST, "/register", register_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL,
	  FY_PARAMS(register_params), .body_max = 16384, .deadline_ms = 15000 },
	{ FY_GET, "/verify", verify_show, .access = FY_ACCESS_ANYONE, FY_PARAMS(verify_show_params) },
	{ FY_POST, "/verify", verify_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(verify_params), .body_max = 4096 },
	{ FY_POST, "/verify/again", verify_again, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_MAIL, FY_PARAMS(again_params), .body_max = 4096 },
	{ FY_GET, "/setup", setup_show, .access = FY_ACCESS_ANYONE, FY_PARAMS(verify_show_params) },
	{ FY_POST, "/setup", setup_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(setup_params), .body_max = 16384, .deadline_ms = 15000 },
};
const unsigned fy_register_route_count = sizeof fy_register_routes / sizeof fy_register_routes[0];
