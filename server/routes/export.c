/* A member's own data, at once: from the privacy page as a ZIP, from the API as JSON or as a ZIP (GDPR Articles 15
 * and 20). What is in it is server/export's; without an account it goes by mail, which is privacy_request.c. */
#include "server/export/export.h"

#include "foyer/log.h"
#include "protocol/accept.h"
#include "server/auth/one_time.h"
#include "server/routes/account.h"
#include "server/routes/export.h"
#include "server/routes/sign_in.h"
#include "server/routes/tables.h"
#include "storage/throttle.h"

/* An export reads everything and takes a second of a thread. */
#define PER_MINUTE 1
#define BURST 5

static void release(void *export)
{
	fy_export_finish(export);
}

int fy_reply_export(struct fy_req *req, const struct fy_export *export, struct fy_slice zip)
{
	char name[FY_EXPORT_NAME_MAX];
	fy_export_name(export, name);
	fy_header(req, "Content-Disposition", fy_fmt(&req->arena, "attachment; filename=\"%s\"", name));
	fy_log(&req->ctx, FY_LOG_INFO, "person.exported", FY_KV("account", export->account_id),
	       FY_KV("records", (uint64_t) export->record_count), FY_KV("bytes", (uint64_t)zip.len));
	return fy_reply(req, 200, FY_LIT("application/zip"), zip);
}

fy_async int fy_export_for(struct fy_req *req, struct fy_slice email_hash, const struct fy_export **ret_export)
{
	struct fy_export *export = fy_new(&req->arena, struct fy_export);
	int err = fy_export_gather(&req->ctx, email_hash, export);
	if (err)
		return err;
	fy_arena_on_finish(&req->arena, release, export);
	*ret_export = export;
	return 0;
}

fy_async static int reply_zip(struct fy_req *req, const struct fy_export *export)
{
	struct fy_slice zip;
	int err = fy_export_zip(&req->ctx, export, &zip);
	return err ? err : fy_reply_export(req, export, zip);
}

/* Of whoever is signed in, as often as that is reasonable. */
fy_async static int gather_own(struct fy_req *req, struct fy_slice address, const struct fy_export **ret_export)
{
	uint8_t hash[FY_HASH_BYTES], bucket[16] = { 0 };
	memcpy(bucket, &req->session->account_id, sizeof req->session->account_id);
	int err = fy_throttle_take(&req->ctx, FY_LIT("export"), bucket, PER_MINUTE, BURST, &req->retry_after_s);
	if (err == 0)
		err = fy_email_hash(&req->ctx, address, NULL, hash);
	return err ? err : fy_export_for(req, fy_slice(hash, sizeof hash), ret_export);
}

fy_async static int download(struct fy_req *req)
{
	struct fy_account_signin account;
	const struct fy_export *export;
	struct fy_form form;
	fy_form_init(&form, req);
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	if (!fy_account_just_signed_in(req)) {
		fy_form_need(&form, "password", FY_TEXT_ERROR_CURRENT_PASSWORD_MISSING);
		if (form.count == 0)
			err = fy_sign_in_confirm(&form, "password", &account, NULL);
		if (err)
			return err;
		if (form.count)
			return fy_account_privacy_again(req, &form, 422);
	}
	err = gather_own(req, account.email.text, &export);
	if (err == FY_ERR_TOO_LARGE) {
		fy_form_error(&form, "", FY_TEXT_ERROR_EXPORT_TOO_LARGE);
		return fy_account_privacy_again(req, &form, 413);
	}
	return err ? err : reply_zip(req, export);
}

fy_async static int reply_json(struct fy_req *req, const struct fy_export *export)
{
	struct fy_export_stream stream;
	struct fy_slice piece;
	fy_export_begin(&stream, export, FY_EXPORT_JSON);
	int err = fy_stream_begin(req, 200, FY_LIT("application/json"));
	while (err == 0 && fy_export_next(&stream, &piece))
		err = fy_stream_write(req, piece);
	fy_export_end(&stream);
	return err;
}

fy_async static int api_reply(struct fy_req *req, struct fy_slice address)
{
	const struct fy_export *export;
	struct fy_slice accept = fy_http_get(&req->head, FY_H_ACCEPT);
	int err = gather_own(req, address, &export);
	if (err == FY_ERR_TOO_LARGE)
		return fy_refuse(req, err, NULL, "There is too much data for an immediate answer; ask us for it.");
	if (err)
		return err;
	bool zip = fy_accept_weight(accept, "application/zip") > fy_accept_weight(accept, "application/json");
	return zip ? reply_zip(req, export) : reply_json(req, export);
}

/* As on the page: an open session alone, in somebody else's hands, does not get everything at once. */
fy_async static int api_export(struct fy_req *req)
{
	struct fy_account_signin account;
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	if (!fy_account_just_signed_in(req))
		return fy_refuse(req, FY_ERR_DENIED, NULL,
				 "The sign-in is more than ten minutes old: send the password, with POST.");
	return api_reply(req, account.email.text);
}

fy_async static int api_export_confirmed(struct fy_req *req)
{
	struct fy_account_signin account;
	struct fy_form form;
	int err = fy_accounts_get_signin(&req->ctx, req->session->account_id, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	fy_form_init(&form, req);
	err = fy_sign_in_confirm(&form, "password", &account, NULL);
	if (err)
		return err;
	if (form.count)
		return fy_reply_problem(req, 422, FY_LIT("The password is not right."), NULL, 0);
	return api_reply(req, account.email.text);
}

static const struct fy_param api_params[] = { FY_JSON("password", 1000, .raw = true) };
static const struct fy_param download_params[] = { FY_FORM("csrf", 64), FY_FORM("password", 1000, .raw = true) };

const struct fy_route fy_export_routes[] = {
	{ FY_POST, "/account/privacy/export", download, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(download_params), .body_max = 8192, .deadline_ms = 60000 },
	{ FY_GET, "/api/v1/me/export", api_export, .access = FY_ACCESS_MEMBER, .rate = FY_RATE_WRITE, .api = true,
	  .deadline_ms = 60000 },
	{ FY_POST, "/api/v1/me/export", api_export_confirmed, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_WRITE, FY_PARAMS(api_params), .body_max = 8192, .api = true, .deadline_ms = 60000 },
};
const unsigned fy_export_route_count = sizeof fy_export_routes / sizeof fy_export_routes[0];
