/* The API of the back office: inspecting sessions. The list is streamed where no page of it is asked for: an agency
 * with a hundred thousand live sessions gets them all in one response, and this process never holds more than a page
 * of them. */
#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/netaddr.h"
#include "server/http/list.h"
#include "server/routes/session_rows.h"
#include "server/routes/tables.h"

#define PAGE_SIZE 200

/* One page of the walk, in memory that goes with it. */
fy_async static int send_page(struct fy_req *req, const struct fy_session_filter *filter, bool *first,
			      char cursor[FY_SESSION_CURSOR_MAX + 1])
{
	struct fy_arena arena;
	struct fy_ctx ctx = req->ctx;
	struct fy_session_page found;
	struct fy_account_name *people = NULL;
	struct fy_json json;
	struct fy_buf out;
	fy_arena_init(&arena, 0);
	ctx.arena = &arena;
	int err = fy_sessions_list(&ctx, filter, fy_str(cursor), PAGE_SIZE, &found);
	/* Once MariaDB did not answer, the rest of the list does not wait for it again. */
	if (err == 0 && !fy_session_people(&ctx, found.items, found.count, req->session, &people))
		req->ctx.db = NULL;
	fy_buf_init(&out, &arena, 1 << 20);
	for (size_t i = 0; err == 0 && i < found.count; i++) {
		fy_buf_put(&out, *first ? FY_LIT("\n") : FY_LIT(",\n"));
		*first = false;
		fy_json_init(&json, &out);
		fy_session_put(&json, &arena, &found.items[i], &people[i], req->session->id);
		fy_json_finish(&json);
	}
	if (err == 0)
		err = fy_stream_write(req, fy_buf_slice(&out));
	FY_REQUIRE(err || found.next_cursor.len <= FY_SESSION_CURSOR_MAX);
	if (err == 0) {
		memcpy(cursor, found.next_cursor.ptr ? found.next_cursor.ptr : "", found.next_cursor.len);
		cursor[found.next_cursor.len] = '\0';
	}
	fy_arena_finish(&arena);
	return err;
}

static int read_account(struct fy_req *req, uint64_t *ret_account)
{
	if (fy_param_u64(req, "account", ret_account) || *ret_account == 0)
		return fy_refuse(req, FY_ERR_INVALID, "account", "An account is a number from 1 on.");
	return 0;
}

static int read_network(struct fy_req *req, struct fy_cidr *ret_network)
{
	if (fy_cidr_parse(fy_param(req, "ip"), ret_network))
		return fy_refuse(req, FY_ERR_INVALID, "ip",
				 "This is not a network like 192.0.2.0/24 or 2001:db8::/32.");
	return 0;
}

/* *ret_none: nothing can match. */
fy_async static int read_filter(struct fy_req *req, struct fy_session_filter *filter, struct fy_cidr *network,
				bool *ret_none)
{
	int err = 0;
	*ret_none = false;
	if (fy_param(req, "ip").len) {
		err = read_network(req, network);
		filter->network = network;
	}
	if (err == 0 && fy_param(req, "account").len)
		err = read_account(req, &filter->account_id);
	if (err || fy_param(req, "person").len == 0)
		return err;
	uint64_t person, asked = filter->account_id;
	err = fy_session_find_person(&req->ctx, fy_param(req, "person"), &person);
	if (err == FY_ERR_INVALID)
		return fy_refuse(req, err, "person", "This is not an e-mail address.");
	*ret_none = err == FY_ERR_NOT_FOUND || (err == 0 && asked && asked != person);
	if (err == 0)
		filter->account_id = person;
	return *ret_none ? 0 : err;
}

fy_async static int list_page(struct fy_req *req, const struct fy_session_filter *filter, bool none)
{
	struct fy_session_page found = { 0 };
	struct fy_account_name *people;
	struct fy_buf out;
	struct fy_json json;
	unsigned limit;
	int err = fy_list_limit(req, PAGE_SIZE, &limit);
	if (err == 0 && !none)
		err = fy_session_page(req, filter, limit, &found);
	if (err)
		return err;
	fy_session_people(&req->ctx, found.items, found.count, req->session, &people);
	fy_buf_init(&out, &req->arena, 1 << 20);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_array(&json, "sessions");
	for (size_t i = 0; i < found.count; i++)
		fy_session_put(&json, &req->arena, &found.items[i], &people[i], req->session->id);
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	fy_list_link(req, found.next_cursor);
	return fy_reply_json(req, 200, &out);
}

fy_async static int list_all(struct fy_req *req, const struct fy_session_filter *filter)
{
	char cursor[FY_SESSION_CURSOR_MAX + 1] = "";
	bool first = true;
	uint64_t total;
	int err = fy_sessions_count(&req->ctx, &total); /* before the status is out: Redis may be away */
	if (err)
		return err;
	err = fy_stream_begin(req, 200, FY_LIT("application/json"));
	if (err == 0)
		err = fy_stream_write(req, FY_LIT("{\"sessions\":["));
	while (err == 0) {
		err = send_page(req, filter, &first, cursor);
		if (cursor[0] == '\0')
			break;
	}
	return err ? err : fy_stream_write(req, FY_LIT("]}\n"));
}

fy_async static int list(struct fy_req *req)
{
	struct fy_session_filter filter = { 0 };
	struct fy_cidr network;
	bool none;
	int err = read_filter(req, &filter, &network, &none);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "sessions.listed", FY_KV("by", req->session->account_id));
	if (none || fy_param(req, "limit").len || fy_param(req, "cursor").len)
		return list_page(req, &filter, none);
	return list_all(req, &filter);
}

static void log_ended(struct fy_req *req, const char *what, unsigned count)
{
	fy_log(&req->ctx, FY_LOG_INFO, "sessions.ended", FY_KV("by", req->session->account_id), FY_KV("what", what),
	       FY_KV("count", count));
}

fy_async static int end(struct fy_req *req)
{
	unsigned count = 0;
	int err = fy_sessions_end(&req->ctx, fy_param(req, "id"), &count);
	if (err)
		return err;
	log_ended(req, "one", count);
	return count ? fy_reply_none(req) : FY_ERR_NOT_FOUND;
}

/* All of a person or of a network, but the caller's own. */
fy_async static int end_many(struct fy_req *req)
{
	bool person = fy_param_given(req, "account");
	unsigned count = 0;
	uint64_t account;
	struct fy_cidr network;
	struct fy_buf out;
	struct fy_json json;
	if (person == fy_param_given(req, "ip"))
		return fy_refuse(req, FY_ERR_INVALID, NULL, "Name one of them: account, or ip with a network.");
	int err = person ? read_account(req, &account) : read_network(req, &network);
	if (err == 0)
		err = person ? fy_sessions_end_person(&req->ctx, account, req->session->id, &count)
			     : fy_sessions_end_network(&req->ctx, &network, req->session->id, &count);
	if (err)
		return err;
	log_ended(req, person ? "person" : "network", count);
	fy_buf_init(&out, &req->arena, 64);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_uint(&json, "ended", count);
	fy_json_end(&json);
	fy_json_finish(&json);
	return fy_reply_json(req, 200, &out);
}

static const struct fy_param list_params[] = { FY_QUERY("ip", 64), FY_QUERY("account", 20), FY_QUERY("person", 254),
					       FY_LIST_PARAMS(FY_SESSION_CURSOR_MAX) };
static const struct fy_param many_params[] = { FY_QUERY("ip", 64), FY_QUERY("account", 20) };
static const struct fy_param end_params[] = { FY_PATH("id", 64) };

const struct fy_route fy_api_manage_routes[] = {
	{ FY_GET, "/api/v1/manage/sessions", list, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  FY_PARAMS(list_params), .api = true, .deadline_ms = 120000 },
	{ FY_DELETE, "/api/v1/manage/sessions", end_many, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_ORIGIN, FY_PARAMS(many_params), .api = true, .deadline_ms = 30000 },
	{ FY_DELETE, "/api/v1/manage/sessions/:id", end, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_ORIGIN, FY_PARAMS(end_params), .api = true },
};
const unsigned fy_api_manage_route_count = sizeof fy_api_manage_routes / sizeof fy_api_manage_routes[0];
