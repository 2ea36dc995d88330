/* What is held about whoever holds an e-mail address, with an account or without: asked for on a page, answered by mail
 * (GDPR Articles 12(3) and 15). The page says and takes the same whether something is held or not; only the mailbox
 * learns. The link opens a page with a button, as mail scanners follow links, and the button works once. */
#include "server/auth/one_time.h"
#include "server/export/export.h"
#include "server/routes/export.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/throttle.h"
#include "storage/tokens.h"

#define SETTLE_MS 100
#define TOKEN_PARAM 64

static int request_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_privacy_request(
		&out, &page, &(struct fy_view_privacy_request){ .email = { form ? fy_param(req, "email") : FY_NONE } });
	return fy_reply_html(req, status, &out);
}

fy_async static int request_show(struct fy_req *req)
{
	return request_page(req, NULL, 200);
}

/* Both answers are a token and a mail, so that neither takes longer; where nothing is held nobody learns the token. */
fy_async static int answer(struct fy_req *req, struct fy_slice address, struct fy_slice email_hash)
{
	struct fy_one_time token;
	struct fy_mail_new mail;
	bool may_write = fy_throttle_mail(&req->ctx, FY_MAIL_LINK, email_hash);
	int found = fy_export_find(&req->ctx, email_hash);
	if (found && found != FY_ERR_NOT_FOUND)
		return found;
	if (!may_write)
		return 0;
	fy_one_time_make(req->ctx.keys, &token);
	struct fy_slice link = fy_link(req, "/privacy/request/data", token.token);
	int err = found == 0 ? fy_mails_export_link(req, address, link, &mail)
			     : fy_mails_export_nothing(req, address, &mail);
	if (err == 0)
		err = fy_tokens_create_for_address(&req->ctx, email_hash, FY_TOKEN_EXPORT,
						   fy_slice(token.hash, sizeof token.hash),
						   req->ctx.now + FY_EXPORT_MINUTES * FY_MINUTE, &mail);
	return err;
}

fy_async static int request_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_slice address;
	uint8_t hash[FY_HASH_BYTES];
	struct fy_page page;
	struct fy_buf out;
	fy_form_init(&form, req);
	if (!fy_form_email(&form, "email", &address, hash))
		return request_page(req, &form, 422);
	int err = answer(req, address, fy_slice(hash, sizeof hash));
	if (err)
		return err;
	fy_mails_kick(req);
	fy_settle(req, SETTLE_MS);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_privacy_request_done(
		&out, &page,
		&(struct fy_view_privacy_request_done){ .email = { address }, .valid_minutes = FY_EXPORT_MINUTES });
	return fy_reply_html(req, 200, &out);
}

static int invalid_link(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("export") });
	return fy_reply_html(req, 410, &out);
}

static int data_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_privacy_data(&out, &page, &(struct fy_view_privacy_data){ .token = { fy_param(req, "token") } });
	return fy_reply_html(req, status, &out);
}

/* FY_ERR_NOT_FOUND: it is none, was used, or is too old. */
fy_async static int find_token(struct fy_req *req, uint8_t hash[FY_HASH_BYTES], struct fy_token *ret_token)
{
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return FY_ERR_NOT_FOUND;
	int err = fy_tokens_find(&req->ctx, FY_TOKEN_EXPORT, fy_slice(hash, FY_HASH_BYTES), ret_token);
	return err == FY_ERR_EXPIRED ? FY_ERR_NOT_FOUND : err;
}

fy_async static int data_show(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_token token;
	int err = find_token(req, hash, &token);
	if (err)
		return err == FY_ERR_NOT_FOUND ? invalid_link(req) : err;
	return data_page(req, NULL, 200);
}

/* The link is used up once the data is there to be sent: an export that fails may be tried again. */
fy_async static int data_submit(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_token token;
	struct fy_form form;
	const struct fy_export *export;
	struct fy_slice zip;
	int err = find_token(req, hash, &token);
	if (err)
		return err == FY_ERR_NOT_FOUND ? invalid_link(req) : err;
	err = fy_export_for(req, token.email_hash, &export);
	if (err == FY_ERR_TOO_LARGE) {
		fy_form_init(&form, req);
		fy_form_error(&form, "", FY_TEXT_ERROR_EXPORT_TOO_LARGE);
		return data_page(req, &form, 413);
	}
	if (err == 0)
		err = fy_export_zip(&req->ctx, export, &zip);
	if (err == 0)
		err = fy_tokens_use(&req->ctx, FY_TOKEN_EXPORT, fy_slice(hash, sizeof hash), &token);
	if (err == FY_ERR_NOT_FOUND || err == FY_ERR_EXPIRED)
		return invalid_link(req);
	return err ? err : fy_reply_export(req, export, zip);
}

static const struct fy_param request_params[] = { FY_FORM("csrf", 64), FY_FORM("email", FY_ACCOUNT_EMAIL_MAX) };
static const struct fy_param show_params[] = { FY_QUERY("token", TOKEN_PARAM) };
static const struct fy_param data_params[] = { FY_FORM("csrf", 64), FY_FORM("token", TOKEN_PARAM) };

const struct fy_route fy_privacy_request_routes[] = {
	{ FY_GET, "/privacy/request", request_show, .access = FY_ACCESS_ANYONE },
	{ FY_POST, "/privacy/request", request_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_MAIL, FY_PARAMS(request_params), .body_max = 4096 },
	{ FY_GET, "/privacy/request/data", data_show, .access = FY_ACCESS_ANYONE, FY_PARAMS(show_params) },
	{ FY_POST, "/privacy/request/data", data_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(data_params), .body_max = 4096, .deadline_ms = 60000 },
};
const unsigned fy_privacy_request_route_count = sizeof fy_privacy_request_routes / sizeof fy_privacy_request_routes[0];
