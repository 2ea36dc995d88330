/* The member's account: overview, profile, and what is held. */
#include "foyer/require.h"
#include "server/http/visitor.h"
#include "server/routes/account_access.h"
#include "server/routes/profile.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/register.h"

/* The hot page: one Redis command, one merged SELECT. */
fy_async static int account_show(struct fy_req *req)
{
	struct fy_account_overview account;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_accounts_overview(&req->ctx, req->session->account_id, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	fy_page_init(req, &page);
	page.who.text = account.email.text;
	fy_page_buf(req, &out);
	fy_page_account(&out, &page,
			&(struct fy_view_account){
				.given_name = account.given_name,
				.family_name = account.family_name,
				.email = account.email,
				.phone = account.phone,
				.address_level2 = account.address_level2,
				.member_since = account.created_at,
				.password_changed = account.password_changed_at,
				.signed_in = req->session->created_at,
			});
	return fy_reply_html(req, 200, &out);
}

static int profile_page(struct fy_req *req, const struct fy_form *form, const struct fy_profile *p, uint64_t version,
			bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_account_profile(&out, &page,
				&(struct fy_view_account_profile){
					.given_name = p->given_name,
					.family_name = p->family_name,
					.phone = p->phone,
					.position = p->position,
					.skills = p->skills,
					.passions = p->passions,
					.language = p->language == FY_LANG_EN ? FY_LIT("en") : FY_LIT("fr"),
					.street_address = p->street_address,
					.postal_code = p->postal_code,
					.address_level2 = p->address_level2,
					.country = p->country,
					.version = version,
					.conflict = conflict,
				});
	return fy_reply_html(req, status, &out);
}

fy_async static int profile_show(struct fy_req *req)
{
	struct fy_account account;
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	return err ? err : profile_page(req, NULL, &account.profile, account.version, false, 200);
}

/* What another window saved meanwhile is not overwritten: the person sees both, with the fresh version to send. */
fy_async static int profile_submit(struct fy_req *req)
{
	struct fy_account account;
	struct fy_form form;
	uint64_t version;
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	if (err)
		return err;
	struct fy_profile profile = account.profile;
	fy_form_init(&form, req);
	fy_profile_take(&form, &profile);
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	if (form.count)
		return profile_page(req, &form, &profile, version, false, 422);
	err = fy_accounts_update_profile(&req->ctx, account.id, (uint32_t)version, &profile, NULL);
	if (err == FY_ERR_CONFLICT) {
		err = fy_accounts_get(&req->ctx, account.id, FY_PURPOSE_RIGHTS, &account);
		return err ? err : profile_page(req, &form, &profile, account.version, true, 409);
	}
	if (err)
		return err;
	if (profile.language != account.profile.language) { /* and the pages follow at once */
		req->ctx.lang = profile.language;
		req->lang_chosen = true;
		fy_req_set_token(req, req->token);
	}
	return fy_redirect_said(req, "/account/profile", FY_TEXT_NOTICE_PROFILE_SAVED, 0);
}

/* ---- What is held, straight from the data register ---- */

static void join(struct fy_buf *out, struct fy_slice text)
{
	if (out->len)
		fy_buf_put(out, FY_LIT(", "));
	fy_buf_put(out, text);
}

/* What a member has by being one; mails and messages in transit have rows of their own life. */
static bool of_a_member(const struct fy_register_field *field)
{
	const char *table = fy_register_tables[field->table].name;
	return strcmp(table, "account") == 0 || strcmp(table, "consent") == 0 || strcmp(table, "access_request") == 0 ||
	       strcmp(table, "access_log") == 0;
}

static void put_duration(struct fy_buf *out, int64_t days, enum fy_lang lang)
{
	bool years = days >= 365 && days % 365 <= days / 365 / 4 + 1;
	int64_t n = years ? days / 365 : days;
	if (lang == FY_LANG_EN)
		fy_buf_fmt(out, "%lld %s%s ", (long long)n, years ? "year" : "day", n == 1 ? "" : "s");
	else
		fy_buf_fmt(out, "%lld %s%s ", (long long)n, years ? "an" : "jour", n == 1 ? "" : "s");
}

/* One row a category: its fields, their purposes, how long. */
static size_t held_rows(struct fy_req *req, struct fy_row_held *rows, size_t max)
{
	enum fy_lang lang = req->ctx.lang;
	size_t count = 0;
	for (unsigned category = 0; category < FY_CATEGORY_COUNT && count < max; category++) {
		struct fy_buf fields, purposes, kept;
		uint32_t named = 0;
		fy_buf_init(&fields, &req->arena, 8192);
		fy_buf_init(&purposes, &req->arena, 4096);
		fy_buf_init(&kept, &req->arena, 4096);
		for (size_t i = 0; i < fy_register_field_count; i++) {
			const struct fy_register_field *field = &fy_register_fields[i];
			if (field->mark == FY_MARK_PUBLIC || field->derived || (unsigned)field->category != category ||
			    !of_a_member(field))
				continue;
			join(&fields, field->label[lang]);
			for (unsigned p = 0; p < FY_PURPOSE_COUNT; p++)
				if ((field->purposes & ~named) >> p & 1)
					join(&purposes, fy_register_purposes[p].label[lang]);
			named |= field->purposes;
			for (unsigned k = 0; kept.len == 0 && k < field->keep_count; k++) {
				int64_t days = fy_register_keep_days(&field->keep[k], req->app->config);
				if (days)
					put_duration(&kept, days, lang);
				fy_buf_put(&kept, fy_register_triggers[field->keep[k].from].label[lang]);
			}
		}
		if (fields.len == 0)
			continue;
		rows[count++] = (struct fy_row_held){
			.category = fy_register_categories[category].label[lang],
			.fields = fy_buf_slice(&fields),
			.purpose = fy_buf_slice(&purposes),
			.kept = fy_buf_slice(&kept),
		};
	}
	return count;
}

fy_async static int privacy_show(struct fy_req *req)
{
	struct fy_consent consent;
	struct fy_row_held rows[FY_CATEGORY_COUNT];
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_account_privacy view = { .held = rows, .opted_out = fy_visitor_opts_out(req) };
	int err = fy_consents_get(&req->ctx, req->session->account_id, FY_CONSENT_MARKET_RESEARCH, &consent);
	if (err == 0)
		err = fy_account_access_fill(req, &view);
	if (err)
		return err;
	view.market_research = consent.given;
	view.market_research_at = consent.decided_at;
	view.held_count = held_rows(req, rows, FY_COUNT(rows));
	fy_page_with_form(req, &page);
	fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_account_privacy(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

/* A browser that opts out gives no consent; one that was given elsewhere stays until it is withdrawn. */
fy_async static int privacy_submit(struct fy_req *req)
{
	bool given = fy_param_on(req, "market_research");
	if (given && fy_visitor_opts_out(req))
		return fy_redirect(req, "/account/privacy");
	int err = fy_consents_set(&req->ctx, req->session->account_id, FY_CONSENT_MARKET_RESEARCH, given);
	return err ? err
		   : fy_redirect_said(req, "/account/privacy",
				      given ? FY_TEXT_NOTICE_CONSENT_GIVEN : FY_TEXT_NOTICE_CONSENT_WITHDRAWN, 0);
}

static const struct fy_param said_params[] = { FY_SAID };
static const struct fy_param shown_params[] = { FY_QUERY("looks", 20), FY_SAID };
static const struct fy_param profile_params[] = { FY_FORM("csrf", 64), FY_FORM("version", 10),
						  FY_PROFILE_PARAMS(FY_FORM), FY_SAID };
static const struct fy_param privacy_params[] = { FY_FORM("csrf", 64), FY_FORM("market_research", 10) };

const struct fy_route fy_account_routes[] = {
	{ FY_GET, "/account", account_show, .access = FY_ACCESS_MEMBER },
	{ FY_GET, "/account/profile", profile_show, .access = FY_ACCESS_MEMBER, FY_PARAMS(said_params) },
	{ FY_POST, "/account/profile", profile_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(profile_params), .body_max = 32768 },
	{ FY_GET, "/account/privacy", privacy_show, .access = FY_ACCESS_MEMBER, FY_PARAMS(shown_params) },
	{ FY_POST, "/account/privacy", privacy_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(privacy_params), .body_max = 4096 },
};
const unsigned fy_account_route_count = sizeof fy_account_routes / sizeof fy_account_routes[0];
