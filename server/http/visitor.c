/* Cookies, language, session and form token of one request; see visitor.h. */
#include "server/http/visitor.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/accept.h"
#include "protocol/cookie.h"
#include "protocol/urlform.h"
#include "server/http/request.h"
#include "storage/throttle.h"

/* ---- The cookie ---- */

static bool token_shaped(struct fy_slice text)
{
	if (text.len != FY_TOKEN_CHARS)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return true;
}

/* Some HTTP/1.1 proxies split the field (RFC 6265 allows one; RFC 9113 lets them be joined again). Of two cookies of
 * our name one was planted, by a sister domain or on the way; which one, nobody can tell, so neither counts. */
static struct fy_slice find_cookie(struct fy_req *req, struct fy_slice name)
{
	struct fy_slice first = FY_NONE, field, value;
	bool found = false;
	size_t at = 0;
	while (fy_http_next(&req->head, FY_LIT("cookie"), &at, &field)) {
		while (fy_cookie_next(&field, name, &value)) {
			if (found && !fy_eq(first, value)) {
				fy_log(&req->ctx, FY_LOG_WARN, "cookie.ambiguous", FY_KV("cookie", name));
				return FY_NONE;
			}
			first = value;
			found = true;
		}
	}
	return first;
}

void fy_visitor_cookie(struct fy_req *req, enum fy_which_cookie which)
{
	req->which = (uint8_t)which;
	struct fy_slice rest = find_cookie(req, req->app->cookie_name[which]);
	struct fy_slice token = fy_cut(&rest, '.');
	if (!token_shaped(token))
		return;
	req->token = token;
	while (rest.ptr) {
		struct fy_slice word = fy_cut(&rest, '.');
		if (fy_eq(word, FY_LIT("fr")) || fy_eq(word, FY_LIT("en"))) {
			req->has_cookie_lang = true;
			req->cookie_lang = word.ptr[0] == 'e' ? FY_LANG_EN : FY_LANG_FR;
		} else if (fy_eq(word, FY_LIT("in"))) {
			req->was_signed_in = true;
		}
	}
}

static void send_cookie(struct fy_req *req, struct fy_slice value, int64_t max_age_s)
{
	struct fy_buf field;
	struct fy_cookie cookie = {
		.name = req->app->cookie_name[req->which],
		.value = value,
		.max_age_s = max_age_s,
		.secure = req->app->secure_cookies,
		.same_site = req->which == FY_COOKIE_MANAGER ? FY_SAMESITE_STRICT : FY_SAMESITE_LAX,
	};
	fy_buf_init(&field, &req->arena, 512);
	FY_REQUIRE(fy_cookie_write(&field, &cookie) == 0);
	fy_header(req, "Set-Cookie", fy_buf_slice(&field));
}

/* A browser's session cookie for the back office; visitors keep theirs as long as a session may last. */
void fy_req_set_token(struct fy_req *req, struct fy_slice token)
{
	bool remember = req->lang_chosen || req->has_cookie_lang;
	req->token = fy_copy(&req->arena, token);
	const char *lang = req->ctx.lang == FY_LANG_EN ? ".en" : ".fr";
	struct fy_slice value = fy_fmt(&req->arena, FY_FMT "%s%s", FY_ARG(req->token), req->was_signed_in ? ".in" : "",
				       remember ? lang : "");
	send_cookie(req, value,
		    req->which == FY_COOKIE_MANAGER ? -1 : (int64_t)req->app->config->sessions_absolute_days * 86400);
}

void fy_req_forget_cookie(struct fy_req *req)
{
	req->token = FY_NONE;
	send_cookie(req, FY_LIT("x"), 0);
}

static void need_token(struct fy_req *req)
{
	char token[FY_TOKEN_CHARS + 1];
	if (req->token.len)
		return;
	fy_session_make_token(token);
	fy_req_set_token(req, fy_slice(token, FY_TOKEN_CHARS));
}

struct fy_slice fy_req_csrf(struct fy_req *req)
{
	char *text = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	need_token(req);
	fy_session_csrf(req->ctx.keys, req->token, text);
	return fy_slice(text, FY_TOKEN_CHARS);
}

bool fy_visitor_csrf_matches(const struct fy_req *req)
{
	for (unsigned i = 0; i < req->route->param_count; i++)
		if (strcmp(req->route->params[i].name, "csrf") == 0)
			return fy_session_csrf_matches(req->ctx.keys, req->token, req->values[i]);
	return false; /* the router's check refuses such a route at start-up */
}

bool fy_visitor_same_origin(const struct fy_req *req)
{
	struct fy_slice site = fy_http_get(&req->head, FY_H_SEC_FETCH_SITE);
	struct fy_slice origin = fy_http_get(&req->head, FY_H_ORIGIN);
	if (site.len)
		return fy_eq(site, FY_LIT("same-origin")) || fy_eq(site, FY_LIT("none"));
	if (origin.len == 0)
		return true;
	/* "null" comes from sandboxes and from privacy settings; the form's own token decides about it. */
	if (fy_eq(origin, FY_LIT("null")))
		return req->route->csrf == FY_CSRF_FORM;
	if (fy_eq_nocase(origin, req->app->config->server_base_url))
		return true;
	struct fy_slice host = fy_starts(origin, FY_LIT("https://"))  ? fy_from(origin, 8)
			       : fy_starts(origin, FY_LIT("http://")) ? fy_from(origin, 7)
								      : FY_NONE;
	return host.len && fy_eq_nocase(host, req->head.host);
}

bool fy_visitor_opts_out(const struct fy_req *req)
{
	return fy_eq(fy_http_get(&req->head, FY_H_SEC_GPC), FY_LIT("1"));
}

/* ---- Language ---- */

static bool chosen_lang(const struct fy_req *req, enum fy_lang *ret_lang)
{
	struct fy_slice rest = req->head.query;
	while (rest.ptr) {
		struct fy_slice pair = fy_cut(&rest, '&');
		if (fy_eq(pair, FY_LIT("lang=fr")) || fy_eq(pair, FY_LIT("lang=en"))) {
			*ret_lang = pair.ptr[5] == 'e' ? FY_LANG_EN : FY_LANG_FR;
			return true;
		}
	}
	return false;
}

void fy_visitor_language(struct fy_req *req)
{
	if (chosen_lang(req, &req->ctx.lang)) {
		bool page = req->route && !req->route->api && req->head.method == FY_GET;
		if (page && !req->lang_chosen && !(req->has_cookie_lang && req->cookie_lang == req->ctx.lang)) {
			req->lang_chosen = true;
			if (req->token.len)
				fy_req_set_token(req, req->token);
			else
				need_token(req);
		}
		if (req->route) /* before that the cookie was not read: nothing is remembered yet */
			req->lang_chosen = true;
		return;
	}
	if (req->has_cookie_lang)
		req->ctx.lang = req->cookie_lang;
	else if (req->session)
		req->ctx.lang = req->session->lang;
	else
		req->ctx.lang = fy_accept_lang(fy_http_get(&req->head, FY_H_ACCEPT_LANGUAGE), FY_LANG_FR);
}

struct fy_slice fy_visitor_query_without_lang(const struct fy_req *req)
{
	struct fy_buf out;
	struct fy_slice rest = req->head.query;
	if (rest.len == 0)
		return FY_NONE;
	fy_buf_init(&out, req->ctx.arena, rest.len + 1);
	while (rest.ptr) {
		struct fy_slice pair = fy_cut(&rest, '&');
		if (pair.len == 0 || fy_starts(pair, FY_LIT("lang=")))
			continue;
		if (out.len)
			fy_buf_char(&out, '&');
		fy_buf_put(&out, pair);
	}
	return fy_buf_slice(&out);
}

/* ---- Session and rate ---- */

fy_async int fy_visitor_load(struct fy_req *req)
{
	enum fy_session_kind kind = req->which == FY_COOKIE_MANAGER ? FY_SESSION_MANAGER : FY_SESSION_VISITOR;
	if (req->token.len == 0)
		return FY_ERR_UNAUTHENTICATED;
	struct fy_session *session = fy_alloc(&req->arena, sizeof *session);
	int err = fy_sessions_find(&req->ctx, kind, req->token, req->client, session);
	if (err == 0)
		req->session = session;
	return err;
}

/* The operator's own machine is not limited: health checks, benchmarks, and a proxy that was not declared, which
 * would otherwise make all visitors one address. */
static bool is_local(const uint8_t address[16])
{
	static const uint8_t v4[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 }, v6[16] = { [15] = 1 }, none[16];
	return memcmp(address, v4, sizeof v4) == 0 || memcmp(address, v6, sizeof v6) == 0 ||
	       memcmp(address, none, 16) == 0;
}

fy_async int fy_visitor_rate(struct fy_req *req, const char *bucket, unsigned per_minute, unsigned burst)
{
	unsigned wait_s = 0;
	if (is_local(req->client))
		return 0;
	int err = fy_throttle_take(&req->ctx, fy_str(bucket), req->client, per_minute, burst, &wait_s);
	if (err == FY_ERR_LIMITED)
		req->retry_after_s = wait_s;
	return err;
}
