/* The order of checks that every request goes through; see dispatch.h.
 *
 *     head whole (loop):   path, route, method, body announced   ── wrong ──► answered at once
 *     body whole (fiber):  client, cookie, access, origin, parameters, form token, rate ──► handler
 */
#include "server/http/dispatch.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/accept.h"
#include "protocol/netaddr.h"
#include "protocol/path.h"
#include "protocol/urlform.h"
#include "server/http/conn.h"
#include "server/http/params.h"
#include "server/http/request.h"
#include "server/http/visitor.h"
#include "server/pages/static.h"
#include "storage/throttle.h"

/* Buckets by address; generous, as a school's whole class may share one. */
#define WRITE_BURST 60
#define WRITE_PER_MINUTE 60
#define MAIL_BURST 10
#define MAIL_PER_MINUTE 1

#define ROLE_MS 2000 /* a page of the back office waits no longer to learn whether its role still counts */

static const struct fy_slice immutable = { "public, max-age=31536000, immutable", 35 };

static void allow(struct fy_req *req, uint32_t methods)
{
	struct fy_buf list;
	fy_buf_init(&list, &req->arena, 128);
	for (enum fy_method m = FY_GET; m < FY_METHODS_END; m++) {
		if ((methods >> m & 1) == 0)
			continue;
		if (list.len)
			fy_buf_put(&list, FY_LIT(", "));
		fy_buf_put(&list, fy_str(fy_method_name(m)));
	}
	fy_header(req, "Allow", fy_buf_slice(&list));
}

static bool serve_static(struct fy_req *req)
{
	const struct fy_static_file *file = fy_static_find(req->head.path);
	if (file == NULL)
		return false;
	if (req->head.method != FY_GET && req->head.method != FY_HEAD) {
		allow(req, 1u << FY_GET | 1u << FY_HEAD);
		fy_reply_status(req, 405, FY_NONE);
		return true;
	}
	bool gzip = file->gzip.len && fy_accept_encoding(fy_http_get(&req->head, FY_H_ACCEPT_ENCODING), FY_LIT("gzip"));
	fy_reply(req, 200, file->type, gzip ? file->gzip : file->raw);
	req->res.etag = gzip ? file->etag_gzip : file->etag;
	req->res.cacheable = true;
	fy_header(req, "Cache-Control", immutable);
	if (file->gzip.len)
		fy_header(req, "Vary", FY_LIT("Accept-Encoding"));
	if (gzip)
		fy_header(req, "Content-Encoding", FY_LIT("gzip"));
	return true;
}

bool fy_req_route(struct fy_req *req)
{
	struct fy_http_head *head = &req->head;
	struct fy_route_match match;
	bool has_body = head->chunked || head->content_length > 0;

	fy_visitor_language(req);
	if (head->form == FY_TARGET_ASTERISK) {
		if (head->method == FY_OPTIONS) {
			allow(req, 1u << FY_GET | 1u << FY_HEAD | 1u << FY_POST | 1u << FY_PATCH | 1u << FY_DELETE |
					   1u << FY_OPTIONS);
			fy_reply_none(req);
		} else {
			fy_reply_status(req, 400, FY_LIT("The target * belongs to OPTIONS."));
		}
		return false;
	}
	int err = fy_path_check(head->path);
	if (err) {
		fy_reply_error(req, err);
		return false;
	}
	bool operator_side = req->conn->listener_kind == FY_LISTEN_ADMIN;
	if (!operator_side && serve_static(req))
		return false;
	fy_router_match(head->method, head->path, &match);
	if (match.allowed == 0 || (match.route && (match.route->access == FY_ACCESS_OPERATOR) != operator_side &&
				   match.route->access != FY_ACCESS_PROBE)) {
		fy_reply_status(req, 404, FY_NONE);
		return false;
	}
	/* From elsewhere the back office does not exist, so it has no methods either. */
	if (match.route == NULL &&
	    (fy_starts(head->path, FY_LIT("/manage")) || fy_starts(head->path, FY_LIT("/api/v1/manage")))) {
		fy_reply_status(req, 404, FY_NONE);
		return false;
	}
	if (match.route == NULL) {
		allow(req, match.allowed | 1u << FY_OPTIONS);
		if (head->method == FY_OPTIONS)
			fy_reply_none(req);
		else
			fy_reply_status(req, 405, FY_NONE);
		return false;
	}
	req->route = match.route;
	memcpy(req->path_params, match.path_params, sizeof req->path_params);
	if (has_body && req->route->body_max == 0) {
		fy_reply_status(req, 400, FY_LIT("This request must not have a body."));
		return false;
	}
	if (has_body && fy_http_get(head, FY_H_CONTENT_ENCODING).ptr) {
		fy_header(req, "Accept-Encoding", FY_LIT("identity"));
		fy_reply_status(req, 415, FY_LIT("The body must not be compressed."));
		return false;
	}
	return true;
}

static void find_client(struct fy_req *req)
{
	const struct fy_config *config = req->app->config;
	struct fy_addr peer;
	memcpy(peer.b, req->client, sizeof peer.b);
	/* Only a proxy on this machine can be behind a unix socket. */
	struct fy_client client = fy_client_of(
		&req->head, &peer, req->conn && req->conn->unix_peer, req->secure, config->server_trusted_proxies.items,
		config->server_trusted_proxies.count, (enum fy_forwarded_field)config->server_forwarded);
	memcpy(req->client, client.addr.b, sizeof req->client);
	req->secure = client.https;
	req->forwarded = client.forwarded;
}

/* Who is forwarded by a proxy that nobody declared comes with the proxy's own address, often loopback, which would
 * open the back office to everybody; so the traces of such a proxy count as "from elsewhere". A visitor without a
 * known address (a unix socket whose proxy says nothing) is from elsewhere too. */
static bool from_manager_network(const struct fy_req *req)
{
	bool traces = req->head.known[FY_H_FORWARDED] || req->head.known[FY_H_X_FORWARDED_FOR];
	if (traces && !req->forwarded)
		return false;
	return fy_cidrs_hold(&req->app->config->sessions_manager_networks, req->client);
}

/* A role that changed after the sign-in, or an account that was closed, ends the session here: whoever ends sessions may
 * have come before this one was written. Without MariaDB the role of the sign-in counts, as sessions must be endable then,
 * and nothing personal can be read. */
fy_async static int check_role(struct fy_req *req)
{
	struct fy_account_standing now;
	struct fy_ctx brief = req->ctx;
	if (brief.deadline_ms > fy_loop_ms() + ROLE_MS)
		brief.deadline_ms = fy_loop_ms() + ROLE_MS;
	int err = fy_accounts_standing(&brief, req->session->account_id, &now);
	if (err == 0 && (now.state != FY_ACCOUNT_ACTIVE || now.role != (enum fy_account_role)req->session->role))
		err = FY_ERR_NOT_FOUND;
	if (err == FY_ERR_NOT_FOUND) {
		fy_log(&req->ctx, FY_LOG_WARN, "session.role_changed", FY_KV("account", req->session->account_id));
		req->session = NULL;
		err = fy_sessions_end_token(&req->ctx, req->token);
		return err ? err : FY_ERR_UNAUTHENTICATED;
	}
	return err == FY_ERR_DB_DOWN || err == FY_ERR_TIMEOUT ? 0 : err;
}

fy_async static int check_access(struct fy_req *req)
{
	switch (req->route->access) {
	case FY_ACCESS_ANYONE:
	case FY_ACCESS_PROBE:
	case FY_ACCESS_OPERATOR:
		fy_visitor_cookie(req, FY_COOKIE_VISITOR);
		return 0;
	case FY_ACCESS_VISITOR: {
		fy_visitor_cookie(req, FY_COOKIE_VISITOR);
		int err = fy_visitor_load(req);
		/* Pages for everyone stay up while Redis is away; the visitor then looks signed out. */
		return err == FY_ERR_UNAUTHENTICATED || err == FY_ERR_REDIS_DOWN || err == FY_ERR_TIMEOUT ? 0 : err;
	}
	case FY_ACCESS_MEMBER:
		fy_visitor_cookie(req, FY_COOKIE_VISITOR);
		return fy_visitor_load(req);
	case FY_ACCESS_MANAGER_LOGIN:
	case FY_ACCESS_MANAGER: {
		/* From elsewhere the back office does not exist. */
		if (!from_manager_network(req))
			return FY_ERR_NOT_FOUND;
		fy_visitor_cookie(req, FY_COOKIE_MANAGER);
		int err = fy_visitor_load(req);
		if (req->route->access == FY_ACCESS_MANAGER_LOGIN)
			return err == FY_ERR_UNAUTHENTICATED ? 0 : err;
		if (err == 0)
			err = check_role(req);
		if (err == 0 && !(req->route->roles >> req->session->role & 1))
			return fy_refuse(req, FY_ERR_DENIED, NULL, "This is for other roles of the back office.");
		return err;
	}
	}
	return FY_ERR_DENIED;
}

fy_async static int check_rate(struct fy_req *req)
{
	if (req->route->rate == FY_RATE_NONE)
		return 0;
	bool mail = req->route->rate == FY_RATE_MAIL;
	return fy_visitor_rate(req, mail ? "mail" : "write", mail ? MAIL_PER_MINUTE : WRITE_PER_MINUTE,
			       mail ? MAIL_BURST : WRITE_BURST);
}

/* Pages send people to sign in and bring them back; the API says 401. */
static int ask_to_sign_in(struct fy_req *req)
{
	if (req->route->api)
		return fy_reply_error(req, FY_ERR_UNAUTHENTICATED);
	bool manager = req->route->access == FY_ACCESS_MANAGER;
	struct fy_buf to;
	fy_buf_init(&to, &req->arena, 8192);
	fy_buf_put(&to, manager ? FY_LIT("/manage/login") : FY_LIT("/login"));
	if (req->head.method == FY_GET && fy_path_is_local(req->head.target) && req->head.target.len < 512) {
		fy_buf_put(&to, FY_LIT("?next="));
		fy_url_encode(&to, req->head.target);
		if (req->was_signed_in)
			fy_buf_put(&to, FY_LIT("&why=expired"));
	} else if (req->was_signed_in) {
		fy_buf_put(&to, FY_LIT("?why=expired"));
	}
	return fy_redirect_to(req, fy_buf_slice(&to));
}

fy_async static int handle(struct fy_req *req)
{
	find_client(req);
	int err = check_access(req);
	if (err == FY_ERR_UNAUTHENTICATED)
		return ask_to_sign_in(req);
	if (err)
		return err;
	fy_visitor_language(req);
	bool by_cookie = req->route->csrf == FY_CSRF_FORM || req->route->csrf == FY_CSRF_ORIGIN;
	if (by_cookie && !fy_visitor_same_origin(req))
		return fy_refuse(req, FY_ERR_DENIED, NULL, "The request comes from another site.");
	err = fy_params_read(req);
	if (err)
		return err;
	if (req->route->csrf == FY_CSRF_FORM && !fy_visitor_csrf_matches(req))
		return FY_ERR_STALE_FORM;
	err = check_rate(req);
	if (err)
		return err;
	return req->route->handler(req);
}

fy_async void fy_req_run(void *arg)
{
	struct fy_req *req = arg;
	if (req->route->deadline_ms)
		req->ctx.deadline_ms = fy_loop_ms() + req->route->deadline_ms;
	else
		req->ctx.deadline_ms = fy_loop_ms() + (uint64_t)req->app->config->limits_request_seconds * 1000;
	int err = handle(req);
	if (req->res.streaming) {
		if (err == 0 && req->head.minor > 0 && req->head.method != FY_HEAD && req->conn)
			err = fy_conn_write(req, FY_LIT("0\r\n\r\n"));
		req->res.broken = err != 0;
	} else if (err) {
		fy_buf_init(&req->res.headers, &req->arena, 8192);
		fy_reply_error(req, err);
	}
	fy_conn_respond(req);
}
