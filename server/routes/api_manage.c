/* The API of the back office: inspecting sessions. The list is streamed: an agency with a hundred thousand live
 * sessions gets them all in one response, and this process never holds more than a page of them. */
#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/netaddr.h"
#include "server/http/request.h"
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
	if (err == 0 && !fy_session_people(&ctx, found.items, found.count, &people))
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

fy_async static int list(struct fy_req *req)
{
	struct fy_session_filter filter = { 0 };
	struct fy_cidr network;
	char cursor[FY_SESSION_CURSOR_MAX + 1] = "";
	bool first = true;
	uint64_t total;
	if (fy_param(req, "ip").len) {
		if (fy_cidr_parse(fy_param(req, "ip"), &network))
			return FY_ERR_INVALID;
		filter.network = &network;
	}
	if (fy_param(req, "account").len && fy_param_u64(req, "account", &filter.account_id))
		return FY_ERR_INVALID;
	int err = fy_sessions_count(&req->ctx, &total);  /* before the status is out: Redis may be away */
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "sessions.listed", FY_KV("by", req->session->account_id));
	err = fy_stream_begin(req, 200, FY_LIT("application/json"));
	if (err == 0)
		err = fy_stream_write(req, FY_LIT("{\"sessions\":["));
	while (err == 0) {
		err = send_page(req, &filter, &first, cursor);
		if (cursor[0] == '\0')
			break;
	}
	return err ? err : fy_stream_write(req, FY_LIT("]}\n"));
}

fy_async static int end(struct fy_req *req)
{
	unsigned count = 0;
	int err = fy_sessions_end(&req->ctx, fy_param(req, "id"), &count);
	if (err)
		return err;
	fy_log(&req->ctx, FY_LOG_INFO, "sessions.ended", FY_KV("by", req->session->account_id), FY_KV("what", "one"), FY_KV("count", count));
	return count ? fy_reply_none(req) : FY_ERR_NOT_FOUND;
}

static const struct fy_param list_params[] = { FY_QUERY("ip", 64), FY_QUERY("account", 20) };
static const struct fy_param end_params[] = { FY_PATH("id", 64) };

const struct fy_route fy_api_manage_routes[] = {
	{ FY_GET, "/api/v1/manage/sessions", list, .access = FY_ACCESS_MANAGER, FY_PARAMS(list_params), .api = true, .deadline_ms = 120000 },
	{ FY_DELETE, "/api/v1/manage/sessions/:id", end, .access = FY_ACCESS_MANAGER, .csrf = FY_CSRF_ORIGIN, FY_PARAMS(end_params),
	  .api = true },
};
const unsigned fy_api_manage_route_count = sizeof fy_api_manage_routes / sizeof fy_api_manage_routes[0];
