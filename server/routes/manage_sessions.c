/* The session inspector: who is signed in, from where, since when; ending one, all of a person, all of a network.
 * Ending is effective at the next request. The administrator's own session stays unless it is named itself. */
#include "foyer/log.h"
#include "protocol/netaddr.h"
#include "protocol/urlform.h"
#include "server/routes/form.h"
#include "server/routes/session_rows.h"
#include "server/routes/staff_names.h"
#include "server/routes/tables.h"

#define PAGE_SIZE 50
#define LIST "/manage/sessions"

static struct fy_slice filter_query(struct fy_req *req)
{
	struct fy_buf out;
	fy_buf_init(&out, &req->arena, 4096);
	fy_buf_char(&out, '?');
	if (fy_param(req, "person").len)
		fy_urlform_put(&out, FY_LIT("person"), fy_param(req, "person"));
	if (fy_param(req, "ip").len)
		fy_urlform_put(&out, FY_LIT("ip"), fy_param(req, "ip"));
	if (fy_param(req, "account").len)
		fy_urlform_put(&out, FY_LIT("account"), fy_param(req, "account"));
	return fy_from(fy_buf_slice(&out), 1);
}

/* Adds what the form says to `filter`. False where nothing can match: the address has no account. */
fy_async static int read_filter(struct fy_form *form, struct fy_session_filter *filter, struct fy_cidr *network,
				bool *ret_none)
{
	struct fy_req *req = form->req;
	*ret_none = false;
	if (fy_param(req, "ip").len) {
		if (fy_cidr_parse(fy_param(req, "ip"), network))
			fy_form_error(form, "ip", FY_TEXT_ERROR_NETWORK_FORMAT);
		else
			filter->network = network;
	}
	if (fy_param(req, "account").len && fy_param_u64(req, "account", &filter->account_id))
		return FY_ERR_INVALID;
	if (fy_param(req, "person").len == 0)
		return 0;
	int err = fy_session_find_person(&req->ctx, fy_param(req, "person"), &filter->account_id);
	if (err == FY_ERR_INVALID) {
		fy_form_error(form, "person", FY_TEXT_ERROR_EMAIL_FORMAT);
		return 0;
	}
	*ret_none = err == FY_ERR_NOT_FOUND;
	return *ret_none ? 0 : err;
}

fy_async static int show(struct fy_req *req)
{
	struct fy_form form;
	struct fy_session_filter filter = { 0 };
	struct fy_session_page found = { 0 };
	struct fy_cidr network;
	struct fy_page page;
	struct fy_buf out;
	uint64_t total = 0;
	bool none;
	fy_form_init(&form, req);
	int err = read_filter(&form, &filter, &network, &none);
	if (err == 0)
		err = fy_sessions_count(&req->ctx, &total);
	if (err == 0 && form.count == 0 && !none)
		err = fy_sessions_list(&req->ctx, &filter, fy_param(req, "cursor"), PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_account_name *people;
	fy_session_people(&req->ctx, found.items, found.count, req->session, &people);
	struct fy_row_session *rows = fy_new_array(&req->arena, struct fy_row_session, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_session *s = &found.items[i];
		rows[i] = (struct fy_row_session){
			.id = fy_str(s->id),
			.type = fy_str(fy_session_kind_name(s->kind)),
			.device = fy_session_device(s),
			.network = { fy_session_network(&req->arena, s) },
			.since = s->created_at,
			.seen = s->last_seen_at,
			.current = strcmp(s->id, req->session->id) == 0,
			.account = s->account_id,
			.name = fy_staff_name(&req->arena, &people[i]),
			.email = people[i].email,
		};
	}
	fy_form_page(req, &form, &page);
	fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_sessions(&out, &page,
				&(struct fy_view_manage_sessions){
					.person = { fy_param(req, "person") },
					.ip = { fy_param(req, "ip") },
					.account = fy_param(req, "person").len ? 0 : filter.account_id,
					.query = filter_query(req),
					.total = total,
					.shown = found.count,
					.next_cursor = found.next_cursor,
					.sessions = rows,
					.sessions_count = found.count,
				});
	return fy_reply_html(req, form.count ? 422 : 200, &out);
}

/* Back to the list with its filter. `query` comes from our own page, but it is a form field all the same: only what
 * the list's own parameters can be is taken over. */
static int back(struct fy_req *req, enum fy_text notice, uint64_t n)
{
	struct fy_pairs pairs;
	struct fy_buf to;
	fy_buf_init(&to, &req->arena, 4096);
	fy_buf_put(&to, FY_LIT(LIST "?"));
	if (fy_urlform_parse(&req->arena, fy_param(req, "query"), 8, &pairs) == 0) {
		for (size_t i = 0; i < pairs.count; i++)
			if (fy_eq(pairs.items[i].name, FY_LIT("person")) || fy_eq(pairs.items[i].name, FY_LIT("ip")) ||
			    fy_eq(pairs.items[i].name, FY_LIT("account")))
				fy_urlform_put(&to, pairs.items[i].name, pairs.items[i].value);
	}
	if (to.failed)
		to.len = sizeof LIST - 1;
	else if (to.ptr[to.len - 1] == '?')
		to.len--;
	return fy_redirect_said(req, fy_cstr(&req->arena, fy_buf_slice(&to)), notice, n);
}

static int ended(struct fy_req *req, const char *what, unsigned count)
{
	fy_log(&req->ctx, FY_LOG_INFO, "sessions.ended", FY_KV("by", req->session->account_id), FY_KV("what", what),
	       FY_KV("count", count));
	return back(req, count ? FY_TEXT_NOTICE_SESSIONS_ENDED : FY_TEXT_NOTICE_SESSION_GONE, count);
}

fy_async static int end_one(struct fy_req *req)
{
	unsigned count = 0;
	if (fy_eq(fy_param(req, "id"), fy_str(req->session->id)))
		return back(req, FY_TEXT_NOTICE_OWN_SESSION_KEPT, 0);
	int err = fy_sessions_end(&req->ctx, fy_param(req, "id"), &count);
	return err ? err : ended(req, "one", count);
}

fy_async static int end_person(struct fy_req *req)
{
	unsigned count = 0;
	uint64_t account;
	if (fy_param_u64(req, "account", &account) || account == 0)
		return FY_ERR_INVALID;
	int err = fy_sessions_end_person(&req->ctx, account, req->session->id, &count);
	return err ? err : ended(req, "person", count);
}

fy_async static int end_network(struct fy_req *req)
{
	unsigned count = 0;
	struct fy_cidr network;
	if (fy_cidr_parse(fy_param(req, "network"), &network))
		return FY_ERR_INVALID;
	int err = fy_sessions_end_network(&req->ctx, &network, req->session->id, &count);
	return err ? err : ended(req, "network", count);
}

static const struct fy_param show_params[] = { FY_QUERY("person", 254), FY_QUERY("ip", 64), FY_QUERY("account", 20),
					       FY_QUERY("cursor", FY_SESSION_CURSOR_MAX), FY_SAID };
static const struct fy_param one_params[] = { FY_FORM("csrf", 64), FY_FORM("id", 64), FY_FORM("query", 1000) };
static const struct fy_param person_params[] = { FY_FORM("csrf", 64), FY_FORM("account", 20), FY_FORM("query", 1000) };
static const struct fy_param network_params[] = { FY_FORM("csrf", 64), FY_FORM("network", 64), FY_FORM("query", 1000) };

const struct fy_route fy_manage_sessions_routes[] = {
	{ FY_GET, LIST, show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER), FY_PARAMS(show_params) },
	{ FY_POST, LIST "/end", end_one, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER), .csrf = FY_CSRF_FORM,
	  FY_PARAMS(one_params), .body_max = 8192 },
	{ FY_POST, LIST "/end-person", end_person, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_FORM, FY_PARAMS(person_params), .body_max = 8192 },
	{ FY_POST, LIST "/end-network", end_network, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_FORM, FY_PARAMS(network_params), .body_max = 8192, .deadline_ms = 30000 },
};
const unsigned fy_manage_sessions_route_count = sizeof fy_manage_sessions_routes / sizeof fy_manage_sessions_routes[0];
