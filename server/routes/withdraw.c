/* The link in a mail that rests on a consent: its reader withdraws the consent by one button, or by a click in the mail
 * program (RFC 8058). The token is the proof of who asks (storage/withdrawal.h); neither session nor cookie nor form
 * token is needed, as little as for saying yes. Looking changes nothing, as programs that read mails follow links. */
#include "foyer/log.h"
#include "server/routes/form.h"
#include "server/routes/tables.h"
#include "storage/withdrawal.h"

#define PATH "/withdraw"

/* One answer for what was never a link, was changed, or was somebody's who is erased. */
static int unknown(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("withdraw") });
	return fy_reply_html(req, 404, &out);
}

static int done(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_withdrawn(&out, &page, &(struct fy_view_withdrawn){ 0 });
	return fy_reply_html(req, 200, &out);
}

fy_async static int show(struct fy_req *req)
{
	enum fy_consent_purpose purpose;
	struct fy_consent consent;
	struct fy_page page;
	struct fy_buf out;
	uint64_t account;
	int err = fy_withdrawal_find(&req->ctx, fy_param(req, "token"), &account, &purpose);
	if (err == 0)
		err = fy_consents_get(&req->ctx, account, purpose, &consent);
	if (err)
		return err == FY_ERR_NOT_FOUND ? unknown(req) : err;
	if (!consent.given)
		return done(req);
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_withdraw(&out, &page, &(struct fy_view_withdraw){ .token = { fy_param(req, "token") } });
	return fy_reply_html(req, 200, &out);
}

fy_async static int submit(struct fy_req *req)
{
	enum fy_consent_purpose purpose;
	uint64_t account;
	int err = fy_withdrawal_find(&req->ctx, fy_param(req, "token"), &account, &purpose);
	if (err == 0)
		err = fy_consents_set(&req->ctx, account, purpose, false);
	if (err)
		return err == FY_ERR_NOT_FOUND ? unknown(req) : err;
	fy_log(&req->ctx, FY_LOG_INFO, "consent.withdrawn", FY_KV("account", account),
	       FY_KV("purpose", (unsigned)purpose), FY_KV("by", "link"));
	return done(req);
}

/* Mail programs send a form of either kind, whose field says nothing but that it is meant: the body is not read. */
static const struct fy_param token_params[] = { FY_QUERY("token", 64) };

const struct fy_route fy_withdraw_routes[] = {
	{ FY_GET, PATH, show, .access = FY_ACCESS_ANYONE, .rate = FY_RATE_WRITE, FY_PARAMS(token_params) },
	{ FY_POST, PATH, submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_LINK, .rate = FY_RATE_WRITE,
	  FY_PARAMS(token_params), .body_max = 4096 },
};
const unsigned fy_withdraw_route_count = sizeof fy_withdraw_routes / sizeof fy_withdraw_routes[0];
