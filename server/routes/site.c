/* Pages that say something and ask nothing, and the files that robots look for. */
#include "protocol/datetime.h"
#include "server/routes/form.h"
#include "server/routes/tables.h"
#include "storage/keys.h"

static int reply_page(struct fy_req *req, const struct fy_buf *out)
{
	return fy_reply_html(req, 200, out);
}

/* None of these needs the form token unless somebody is signed in (the sign-out button is a form). */
static void begin(struct fy_req *req, struct fy_page *page, struct fy_buf *out)
{
	fy_page_init(req, page);
	fy_page_buf(req, out);
}

fy_async static int home(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	begin(req, &page, &out);
	fy_page_home(&out, &page, &(struct fy_view_home){ 0 });
	return reply_page(req, &out);
}

fy_async static int cookies(struct fy_req *req)
{
	const struct fy_config *config = req->app->config;
	struct fy_page page;
	struct fy_buf out;
	begin(req, &page, &out);
	fy_page_cookies(&out, &page,
			&(struct fy_view_cookies){
				.visitor_cookie = req->app->cookie_name[0],
				.manager_cookie = req->app->cookie_name[1],
				.idle_seconds = (uint64_t)config->sessions_idle_days * 86400,
				.absolute_seconds = (uint64_t)config->sessions_absolute_days * 86400,
				.manager_seconds = (uint64_t)config->sessions_manager_minutes * 60,
			});
	return reply_page(req, &out);
}

fy_async static int legal(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	begin(req, &page, &out);
	fy_page_legal(&out, &page,
		      &(struct fy_view_legal){ .contact = req->app->config->site_contact,
					       .phone = req->app->config->site_phone });
	return reply_page(req, &out);
}

fy_async static int accessibility(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	begin(req, &page, &out);
	fy_page_accessibility(&out, &page,
			      &(struct fy_view_accessibility){ .contact = req->app->config->site_contact });
	return reply_page(req, &out);
}

static int reply_text(struct fy_req *req, struct fy_slice text)
{
	fy_header(req, "Cache-Control", FY_LIT("public, max-age=86400"));
	req->res.cacheable = true;
	return fy_reply(req, 200, FY_LIT("text/plain; charset=utf-8"), text);
}

fy_async static int robots(struct fy_req *req)
{
	return reply_text(
		req,
		FY_LIT("User-agent: *\n"
		       "Disallow: /account\nDisallow: /api/\nDisallow: /login\nDisallow: /manage\n"
		       "Disallow: /oauth/\nDisallow: /password/\nDisallow: /register\nDisallow: /setup\nDisallow: /verify\n"));
}

/* RFC 9116: Contact and Expires are compulsory; the latter at most a year ahead. */
fy_async static int security_txt(struct fy_req *req)
{
	struct fy_buf out;
	fy_buf_init(&out, &req->arena, 2048);
	fy_buf_fmt(&out, "Contact: mailto:" FY_FMT "\nExpires: ", FY_ARG(req->app->config->site_contact));
	fy_put_rfc3339(&out, (req->ctx.now / FY_DAY + 180) * FY_DAY, false);
	fy_buf_fmt(&out, "\nPreferred-Languages: fr, en\nCanonical: " FY_FMT "/.well-known/security.txt\n",
		   FY_ARG(req->app->config->server_base_url));
	return reply_text(req, fy_buf_slice(&out));
}

fy_async static int change_password(struct fy_req *req)
{
	return fy_redirect(req, "/account/security");
}

/* https://globalprivacycontrol.org: the signal counts as refusal of every optional purpose. */
fy_async static int gpc(struct fy_req *req)
{
	return fy_reply(req, 200, FY_LIT("application/json"), FY_LIT("{\"gpc\":true,\"lastUpdate\":\"2026-11-23\"}\n"));
}

/* With it anybody can check the receipt of an erasure (storage/receipt.h), also when this site is gone: keep a copy. */
fy_async static int receipt_key(struct fy_req *req)
{
	uint8_t key[FY_SIGN_PUBLIC_BYTES];
	struct fy_buf out;
	fy_buf_init(&out, &req->arena, 256);
	fy_keys_sign_public(req->ctx.keys, key);
	for (size_t i = 0; i < sizeof key; i++)
		fy_buf_fmt(&out, "%02x", key[i]);
	fy_buf_char(&out, '\n');
	return reply_text(req, fy_buf_slice(&out));
}

const struct fy_route fy_site_routes[] = {
	{ FY_GET, "/", home, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/cookies", cookies, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/legal", legal, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/accessibility", accessibility, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/robots.txt", robots, .access = FY_ACCESS_ANYONE },
	{ FY_GET, "/.well-known/security.txt", security_txt, .access = FY_ACCESS_ANYONE },
	{ FY_GET, "/.well-known/foyer-receipt-key", receipt_key, .access = FY_ACCESS_ANYONE },
	{ FY_GET, "/.well-known/change-password", change_password, .access = FY_ACCESS_ANYONE },
	{ FY_GET, "/.well-known/gpc.json", gpc, .access = FY_ACCESS_ANYONE },
};
const unsigned fy_site_route_count = sizeof fy_site_routes / sizeof fy_site_routes[0];
