/* Finding a person, and who belongs to the staff. Nobody browses by name: a person is found by the exact e-mail address,
 * which is compared as a keyed hash, or by the number of the account, and their file stays sealed (manage_person.c).
 * Roles are given and taken here, too. */
#include "server/routes/manage_people.h"

#include "foyer/log.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/session_rows.h"
#include "server/routes/tables.h"
#include "storage/tx.h"

fy_async static int people_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_account_standing *staff;
	struct fy_page page;
	struct fy_buf out;
	size_t count;
	int err = fy_accounts_list_staff(&req->ctx, &staff, &count);
	if (err)
		return err;
	struct fy_row_staff *rows = fy_new_array(&req->arena, struct fy_row_staff, count + 1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct fy_row_staff){
			.account = staff[i].id,
			.role = fy_role_label(req->ctx.lang, staff[i].role),
			.pending = staff[i].state == FY_ACCOUNT_PENDING,
			.own = staff[i].id == req->session->account_id,
		};
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_manage_people(&out, &page,
			      &(struct fy_view_manage_people){ .who = { form ? fy_param(req, "who") : FY_NONE },
							       .staff = rows,
							       .staff_count = count });
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	return people_page(req, NULL, 200);
}

int fy_redirect_to_person(struct fy_req *req, uint64_t account, enum fy_text notice)
{
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/people/%llu", (unsigned long long)account));
	return notice ? fy_redirect_said(req, path, notice, 0) : fy_redirect(req, path);
}

/* A POST, so that the address stands in no log of requests. */
fy_async static int find(struct fy_req *req)
{
	struct fy_account_standing standing;
	struct fy_form form;
	uint64_t account = 0;
	fy_form_init(&form, req);
	fy_form_need(&form, "who", FY_TEXT_ERROR_PERSON_MISSING);
	if (form.count == 0 && fy_param_u64(req, "who", &account)) {
		int err = fy_session_find_person(&req->ctx, fy_param(req, "who"), &account);
		if (err && err != FY_ERR_INVALID && err != FY_ERR_NOT_FOUND)
			return err;
	}
	if (form.count == 0) {
		int err = fy_accounts_standing(&req->ctx, account, &standing);
		if (err == 0)
			return fy_redirect_to_person(req, account, 0);
		if (err != FY_ERR_NOT_FOUND)
			return err;
		fy_form_error(&form, "who", FY_TEXT_ERROR_PERSON_UNKNOWN);
	}
	return people_page(req, &form, 422);
}

/* ---- Roles ---- */

/* The back-office sessions of a person whose role has changed: each knows the role of its sign-in. */
fy_async static int end_office_sessions(struct fy_req *req, uint64_t account)
{
	const struct fy_session_filter filter = { .account_id = account };
	struct fy_slice cursor = FY_NONE;
	struct fy_session_page page;
	do {
		int err = fy_sessions_list(&req->ctx, &filter, cursor, 100, &page);
		for (size_t i = 0; i < page.count && err == 0; i++)
			if (page.items[i].kind == FY_SESSION_MANAGER)
				err = fy_sessions_end(&req->ctx, fy_str(page.items[i].id), NULL);
		if (err)
			return err;
		cursor = page.next_cursor;
	} while (cursor.len);
	return 0;
}

struct role_change {
	struct fy_req *req;
	uint64_t account;
	enum fy_account_role role, old;
};

fy_async static int change_and_tell(struct fy_ctx *ctx, void *arg)
{
	struct role_change *c = arg;
	int err = fy_accounts_change_role(ctx, c->req->session->account_id, c->account, c->role, &c->old);
	return err || c->old == c->role ? err : fy_mails_role_changed(c->req, c->account, c->old, c->role);
}

fy_async static int set_role(struct fy_req *req)
{
	struct role_change c = { .req = req };
	if (fy_param_u64(req, "id", &c.account))
		return FY_ERR_NOT_FOUND;
	if (fy_role_find(fy_param(req, "role"), &c.role))
		return FY_ERR_INVALID;
	int err = fy_tx(&req->ctx, change_and_tell, &c);
	if (err == FY_ERR_CONFLICT)
		return fy_redirect_to_person(req, c.account, FY_TEXT_NOTICE_LAST_OWNER);
	if (err == 0) /* also where nothing changed: an earlier try may have been cut off here */
		err = end_office_sessions(req, c.account);
	if (err)
		return err;
	if (c.old == c.role)
		return fy_redirect_to_person(req, c.account, FY_TEXT_NOTICE_ROLE_SAME);
	fy_mails_kick(req);
	fy_log(&req->ctx, FY_LOG_INFO, "account.role_changed", FY_KV("account", c.account),
	       FY_KV("by", req->session->account_id), FY_KV("from", fy_role_key(c.old)),
	       FY_KV("to", fy_role_key(c.role)));
	return fy_redirect_to_person(req, c.account, FY_TEXT_NOTICE_ROLE_CHANGED);
}

static const struct fy_param find_params[] = { FY_FORM("csrf", 64), FY_FORM("who", FY_ACCOUNT_EMAIL_MAX) };
static const struct fy_param role_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("role", 20) };

const struct fy_route fy_manage_people_routes[] = {
	{ FY_GET, "/manage/people", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS },
	{ FY_POST, "/manage/people/find", find, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS,
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE, FY_PARAMS(find_params), .body_max = 4096 },
	{ FY_POST, "/manage/people/:id/role", set_role, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL, FY_PARAMS(role_params), .body_max = 4096 },
};
const unsigned fy_manage_people_route_count = sizeof fy_manage_people_routes / sizeof fy_manage_people_routes[0];
