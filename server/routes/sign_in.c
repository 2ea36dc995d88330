/* See sign_in.h. */
#include "server/routes/sign_in.h"

#include "foyer/log.h"
#include "protocol/user_agent.h"
#include "protocol/utf8.h"
#include "server/auth/hasher.h"
#include "server/auth/one_time.h"
#include "storage/throttle.h"

/* The same password at today's cost. A failure here must not fail the sign-in. */
fy_async static void rehash(struct fy_req *req, const struct fy_account_signin *account, struct fy_secret password)
{
	struct fy_secret encoded;
	int err = fy_password_hash(&req->ctx, req->app->hasher, password, &encoded);
	if (err == 0)
		err = fy_accounts_rehash(&req->ctx, account->id, account->password_hash, encoded);
	fy_log(&req->ctx, err ? FY_LOG_WARN : FY_LOG_INFO, "account.rehashed", FY_KV("account", account->id),
	       FY_KV("error", err ? fy_strerror(err) : ""));
}

fy_async int fy_sign_in_check(struct fy_form *form, struct fy_account_signin *ret_account)
{
	struct fy_req *req = form->req;
	struct fy_slice typed = fy_param(req, "password"), address;
	struct fy_account_signin account = { 0 };
	uint8_t hash[FY_HASH_BYTES];
	bool match = false, old_cost = false;
	if (typed.len == 0)
		fy_form_error(form, "password", FY_TEXT_ERROR_PASSWORD_MISSING);
	if (!fy_form_email(form, "email", &address, hash) || form->count)
		return FY_SIGN_IN_WRONG;
	struct fy_slice who = fy_slice(hash, sizeof hash);
	int err = fy_throttle_sign_in(&req->ctx, who, req->client, &req->retry_after_s);
	if (err == FY_ERR_LIMITED) {
		fy_form_error(form, "", FY_TEXT_ERROR_TOO_MANY);
		fy_log(&req->ctx, FY_LOG_INFO, "sign_in.limited", FY_KV("wait_s", req->retry_after_s),
		       FY_KV("route", req->route->path));
		return FY_SIGN_IN_LIMITED;
	}
	if (err)
		return err;
	err = fy_accounts_find_signin(&req->ctx, who, &account);
	if (err && err != FY_ERR_NOT_FOUND) {
		fy_throttle_sign_in_untried(&req->ctx, who, req->client);
		return err;
	}
	struct fy_slice normal = typed;
	fy_utf8_nfc(&req->arena, typed, &normal); /* what is not valid text matches nothing */
	struct fy_secret password = fy_copy_secret(&req->arena, normal);
	err = fy_password_verify(&req->ctx, req->app->hasher, password, account.password_hash, &match, &old_cost);
	if (err) {
		fy_throttle_sign_in_untried(&req->ctx, who, req->client); /* no guess was tested */
		req->retry_after_s = err == FY_ERR_BUSY ? fy_hasher_wait_s(req->app->hasher) : 0;
		return err;
	}
	if (!match || account.state == FY_ACCOUNT_CLOSED) {
		fy_throttle_sign_in_failed(&req->ctx, who, req->client);
		fy_log(&req->ctx, FY_LOG_INFO, "sign_in.failed", FY_KV("account", account.id),
		       FY_KV("route", req->route->path));
		fy_form_error(form, "", FY_TEXT_ERROR_CREDENTIALS);
		return FY_SIGN_IN_WRONG;
	}
	fy_throttle_sign_in_passed(&req->ctx, who);
	fy_throttle_sign_in_known(&req->ctx, who, req->client);
	if (old_cost)
		rehash(req, &account, password);
	*ret_account = account;
	return account.state == FY_ACCOUNT_ACTIVE ? FY_SIGN_IN_GOOD : FY_SIGN_IN_UNCONFIRMED;
}

fy_async int fy_sign_in_open(struct fy_req *req, const struct fy_account_signin *account, enum fy_session_kind kind)
{
	char device[FY_UA_LABEL_MAX], token[FY_TOKEN_CHARS + 1];
	size_t len = fy_user_agent_label(fy_http_get(&req->head, FY_H_USER_AGENT), device);
	struct fy_session_new session = {
		.account_id = account->id,
		.kind = kind,
		.method = FY_METHOD_PASSWORD,
		.role = (uint8_t)account->role,
		.lang = account->language,
		.device = fy_slice(device, len),
	};
	memcpy(session.address, req->client, sizeof session.address);
	int err = fy_sessions_open(&req->ctx, &session, req->token, token);
	if (err)
		return err;
	/* Erasure closes the account first and ends its sessions then, so one of both sees the other. */
	struct fy_account_standing standing;
	err = fy_accounts_standing(&req->ctx, account->id, &standing);
	if (err == 0 && standing.state == FY_ACCOUNT_CLOSED)
		err = FY_ERR_NOT_FOUND;
	if (err) {
		fy_sessions_end_token(&req->ctx, fy_slice(token, FY_TOKEN_CHARS));
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	}
	req->was_signed_in = true;
	fy_req_set_token(req, fy_slice(token, FY_TOKEN_CHARS));
	fy_log(&req->ctx, FY_LOG_INFO, "session.opened", FY_KV("account", account->id), FY_KV("kind", (int)kind));
	return 0;
}

fy_async int fy_sign_in_confirm(struct fy_form *form, const char *field, const struct fy_account_signin *account,
				struct fy_secret *ret_password)
{
	struct fy_req *req = form->req;
	uint8_t hash[FY_HASH_BYTES];
	bool match = false, old_cost;
	int err = fy_email_hash(&req->ctx, account->email.text, NULL, hash);
	if (err)
		return err;
	struct fy_slice who = fy_slice(hash, sizeof hash), normal = fy_param(req, field);
	err = fy_throttle_sign_in(&req->ctx, who, req->client, &req->retry_after_s);
	if (err)
		return err;
	fy_utf8_nfc(&req->arena, normal, &normal);
	struct fy_secret typed = fy_copy_secret(&req->arena, normal);
	err = fy_password_verify(&req->ctx, req->app->hasher, typed, account->password_hash, &match, &old_cost);
	if (err) {
		fy_throttle_sign_in_untried(&req->ctx, who, req->client);
		return err;
	}
	if (match) {
		fy_throttle_sign_in_passed(&req->ctx, who);
		fy_throttle_sign_in_known(&req->ctx, who,
					  req->client); /* and forgets what was counted for this network */
	} else {
		fy_throttle_sign_in_failed(&req->ctx, who, req->client);
		fy_form_error(form, field, FY_TEXT_ERROR_CURRENT_PASSWORD_WRONG);
	}
	if (ret_password)
		*ret_password = typed;
	return 0;
}
