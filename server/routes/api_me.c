/* The API of the person who is signed in: session, profile, own sessions. */
#include "protocol/datetime.h"
#include "protocol/etag.h"
#include "protocol/json_writer.h"
#include "server/http/list.h"
#include "server/routes/profile.h"
#include "server/routes/security.h"
#include "server/routes/session_rows.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"

#define PAGE_SIZE 50

static void put_time(struct fy_req *req, struct fy_json *json, const char *key, fy_time time)
{
	struct fy_buf text;
	if (time == 0) {
		fy_json_put_null(json, key);
		return;
	}
	fy_buf_init(&text, &req->arena, 64);
	fy_put_rfc3339(&text, time, false);
	fy_json_put_str(json, key, fy_buf_slice(&text));
}

/* The hot look-up: what Redis said, nothing else. */
fy_async static int session(struct fy_req *req)
{
	const struct fy_session *s = req->session;
	struct fy_buf out;
	struct fy_json json;
	fy_buf_init(&out, &req->arena, 2048);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_str(&json, "id", fy_slice(s->id, FY_SESSION_ID_CHARS));
	fy_json_put_uint(&json, "account_id", s->account_id);
	put_time(req, &json, "created_at", s->created_at);
	put_time(req, &json, "last_seen_at", s->last_seen_at);
	put_time(req, &json, "ends_at", s->ends_at);
	fy_json_end(&json);
	fy_json_finish(&json);
	return fy_reply_json(req, 200, &out);
}

static struct fy_slice etag_of(struct fy_req *req, uint32_t version)
{
	return fy_fmt(&req->arena, "\"v%u\"", version);
}

static int reply_me(struct fy_req *req, const struct fy_account *account)
{
	const struct fy_profile *p = &account->profile;
	struct fy_buf out;
	struct fy_json json;
	const struct {
		const char *key;
		struct fy_slice value;
	} texts[] = {
		{ "email", account->email.text },
		{ "given_name", p->given_name.text },
		{ "family_name", p->family_name.text },
		{ "phone", p->phone.text },
		{ "position", p->position.text },
		{ "skills", p->skills.text },
		{ "passions", p->passions.text },
		{ "language", p->language == FY_LANG_EN ? FY_LIT("en") : FY_LIT("fr") },
		{ "street_address", p->street_address.text },
		{ "postal_code", p->postal_code.text },
		{ "address_level2", p->address_level2.text },
		{ "country", p->country.text },
	};
	fy_buf_init(&out, &req->arena, 65536);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_uint(&json, "id", account->id);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		fy_json_put_str(&json, texts[i].key, texts[i].value);
	put_time(req, &json, "created_at", account->created_at);
	put_time(req, &json, "confirmed_at", account->confirmed_at);
	fy_json_end(&json);
	fy_json_finish(&json);
	int err = fy_reply_json(req, 200, &out);
	req->res.etag = etag_of(req, account->version);
	return err;
}

fy_async static int me(struct fy_req *req)
{
	struct fy_account account;
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	return err ? err : reply_me(req, &account);
}

/* Needs If-Match, so that two clients cannot overwrite each other unseen (RFC 6585 3). */
fy_async static int me_patch(struct fy_req *req)
{
	struct fy_account account;
	struct fy_form form;
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	if (err)
		return err;
	if (fy_http_get(&req->head, FY_H_IF_MATCH).ptr == NULL)
		return fy_reply_status(req, 428, FY_LIT("Send If-Match with the ETag of GET /api/v1/me."));
	if (fy_etag_evaluate(&req->head, etag_of(req, account.version), 0) != FY_CONDITION_GO)
		return fy_reply_status(req, 412, FY_LIT("The profile has changed meanwhile."));
	fy_form_init(&form, req);
	fy_profile_take(&form, &account.profile);
	if (form.count)
		return fy_form_refuse(&form);
	err = fy_accounts_update_profile(&req->ctx, account.id, account.version, &account.profile, &account.version);
	if (err == FY_ERR_CONFLICT)
		return fy_reply_status(req, 412, FY_LIT("The profile has changed meanwhile."));
	return err ? err : reply_me(req, &account);
}

fy_async static int my_sessions(struct fy_req *req)
{
	struct fy_session_page found;
	struct fy_session_filter filter = { .account_id = req->session->account_id };
	struct fy_buf out;
	struct fy_json json;
	unsigned limit;
	int err = fy_list_limit(req, PAGE_SIZE, &limit);
	if (err == 0)
		err = fy_session_page(req, &filter, limit, &found);
	if (err)
		return err;
	fy_buf_init(&out, &req->arena, 262144);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_array(&json, "sessions");
	for (size_t i = 0; i < found.count; i++)
		fy_session_put(&json, &req->arena, &found.items[i], NULL, req->session->id);
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	fy_list_link(req, found.next_cursor);
	return fy_reply_json(req, 200, &out);
}

fy_async static int my_session_end(struct fy_req *req)
{
	unsigned count = 0;
	int err = fy_security_end_own(req, fy_param(req, "id"), &count);
	if (err)
		return err;
	return count ? fy_reply_none(req) : FY_ERR_NOT_FOUND;
}

static const struct fy_param patch_params[] = { FY_PROFILE_PARAMS(FY_JSON) };
static const struct fy_param list_params[] = { FY_LIST_PARAMS(FY_SESSION_CURSOR_MAX) };
static const struct fy_param id_params[] = { FY_PATH("id", 64) };

const struct fy_route fy_api_me_routes[] = {
	{ FY_GET, "/api/v1/session", session, .access = FY_ACCESS_MEMBER, .api = true },
	{ FY_GET, "/api/v1/me", me, .access = FY_ACCESS_MEMBER, .api = true },
	{ FY_PATCH, "/api/v1/me", me_patch, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN, .rate = FY_RATE_WRITE,
	  FY_PARAMS(patch_params), .body_max = 32768, .api = true },
	{ FY_GET, "/api/v1/me/sessions", my_sessions, .access = FY_ACCESS_MEMBER, FY_PARAMS(list_params), .api = true },
	{ FY_DELETE, "/api/v1/me/sessions/:id", my_session_end, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_ORIGIN,
	  .rate = FY_RATE_WRITE, FY_PARAMS(id_params), .api = true },
};
const unsigned fy_api_me_route_count = sizeof fy_api_me_routes / sizeof fy_api_me_routes[0];
