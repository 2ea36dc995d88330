/* The member's own sessions, and the page that shows them beside the address and the password. */
#include "server/routes/security.h"

#include "server/routes/session_rows.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/email_change.h"

#define SESSIONS_SHOWN 100

fy_async int fy_security_page(struct fy_req *req, const struct fy_form *form, struct fy_slice new_email, int status)
{
	struct fy_account account;
	struct fy_email_change change = { 0 };
	struct fy_session_page found;
	struct fy_session_filter filter = { .account_id = req->session->account_id };
	struct fy_page page;
	struct fy_buf out;
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	if (err == 0)
		err = fy_sessions_list(&req->ctx, &filter, FY_NONE, SESSIONS_SHOWN, &found);
	if (err == 0)
		err = fy_email_change_get(&req->ctx, account.id, &change);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	bool waits = err == 0 && change.expires_at > req->ctx.now;
	struct fy_row_own_session *rows = fy_new_array(&req->arena, struct fy_row_own_session, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_session *s = &found.items[i];
		rows[i] = (struct fy_row_own_session){
			.id = fy_str(s->id),
			.device = fy_session_device(s),
			.network = { fy_session_network(&req->arena, s) },
			.since = s->created_at,
			.seen = s->last_seen_at,
			.current = strcmp(s->id, req->session->id) == 0,
		};
	}
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	page.path = FY_LIT("/account/security");
	const struct fy_personal none = { FY_NONE };
	fy_page_buf(req, &out);
	fy_page_account_security(&out, &page,
				 &(struct fy_view_account_security){ .email = account.email,
								     .password_changed = account.password_changed_at,
								     .waiting_email = waits ? change.email : none,
								     .waiting_until = change.expires_at,
								     .new_email = { new_email },
								     .sessions = rows,
								     .sessions_count = found.count });
	return fy_reply_html(req, status, &out);
}

fy_async static int security_show(struct fy_req *req)
{
	return fy_security_page(req, NULL, FY_NONE, 200);
}

/* Whether the id names a session of this very person: nobody may end another's by its id. */
fy_async int fy_security_end_own(struct fy_req *req, struct fy_slice id, unsigned *ret_count)
{
	struct fy_session_page found;
	struct fy_session_filter filter = { .account_id = req->session->account_id };
	*ret_count = 0;
	int err = fy_sessions_list(&req->ctx, &filter, FY_NONE, 1000, &found);
	for (size_t i = 0; err == 0 && i < found.count; i++)
		if (fy_eq(fy_str(found.items[i].id), id))
			return fy_sessions_end(&req->ctx, id, ret_count);
	return err;
}

fy_async static int end_one(struct fy_req *req)
{
	unsigned count = 0;
	struct fy_slice id = fy_param(req, "id");
	if (fy_eq(id, fy_str(req->session->id)))
		return fy_redirect_said(req, "/account/security", FY_TEXT_NOTICE_OWN_SESSION_KEPT, 0);
	int err = fy_security_end_own(req, id, &count);
	if (err)
		return err;
	return fy_redirect_said(req, "/account/security",
				count ? FY_TEXT_NOTICE_OWN_SESSION_ENDED : FY_TEXT_NOTICE_SESSION_GONE, 0);
}

fy_async static int end_others(struct fy_req *req)
{
	unsigned count = 0;
	int err = fy_sessions_end_person(&req->ctx, req->session->account_id, req->session->id, &count);
	return err ? err : fy_redirect_said(req, "/account/security", FY_TEXT_NOTICE_OTHERS_ENDED, count);
}

static const struct fy_param show_params[] = { FY_SAID };
static const struct fy_param end_params[] = { FY_FORM("csrf", 64), FY_FORM("id", 64) };
static const struct fy_param others_params[] = { FY_FORM("csrf", 64) };

const struct fy_route fy_security_routes[] = {
	{ FY_GET, "/account/security", security_show, .access = FY_ACCESS_MEMBER, FY_PARAMS(show_params) },
	{ FY_POST, "/account/sessions/end", end_one, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(end_params), .body_max = 4096 },
	{ FY_POST, "/account/sessions/end-others", end_others, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(others_params), .body_max = 4096 },
};
const unsigned fy_security_route_count = sizeof fy_security_routes / sizeof fy_security_routes[0];
