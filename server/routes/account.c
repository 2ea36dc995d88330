/* The member's account: overview, profile, and what is held. */
#include "server/routes/account.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "server/http/visitor.h"
#include "server/routes/account_access.h"
#include "server/routes/profile.h"
#include "server/routes/register_view.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/email_hash.h"
#include "storage/export.h"
#include "storage/provided.h"
#include "storage/register.h"
#include "storage/restriction.h"

#define JUST_SIGNED_IN (10 * FY_MINUTE)

/* The hot page: one Redis command, one merged SELECT. */
fy_async static int account_show(struct fy_req *req)
{
	struct fy_account_overview account;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_accounts_overview(&req->ctx, req->session->account_id, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	uint32_t person = 1u << FY_PERSONS_MEMBERS | (req->session->role != FY_ROLE_MEMBER ? 1u << FY_PERSONS_TEAM : 0);
	const struct fy_policy_version *coming = fy_policy_coming(&fy_policy_versions, person, req->ctx.now);
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
				.erase_at = account.erase_at,
				.restricted = account.restricted,
				.policy_change = coming ? fy_policy_effective(coming) : 0,
				.policy_date = coming ? fy_str(coming->date) : FY_NONE,
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

bool fy_account_just_signed_in(const struct fy_req *req)
{
	return req->session->created_at > req->ctx.now - JUST_SIGNED_IN;
}

/* Class by class, with the day it goes. Where there is too much to be looked through for a page, it says so. */
fy_async static int fill_held(struct fy_req *req, struct fy_slice address, struct fy_view_account_privacy *view)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_export held;
	size_t n = 0;
	int err = fy_email_hash(&req->ctx, address, NULL, hash);
	if (err == 0)
		err = fy_export_gather(&req->ctx, fy_slice(hash, sizeof hash), &held);
	if (err == FY_ERR_TOO_LARGE || err == FY_ERR_BUSY) {
		view->too_much = true;
		return 0;
	}
	if (err)
		return err;
	struct fy_register_row *rows = fy_new_array(&req->arena, struct fy_register_row, held.record_count + 1);
	for (const struct fy_export_record *record = held.records; record; record = record->next)
		rows[n++] = record->row;
	fy_export_finish(&held);
	view->classes_count = fy_register_classes(&req->ctx, rows, n, &view->classes);
	return 0;
}

fy_async static int privacy_page(struct fy_req *req, const struct fy_form *form, uint64_t looks_before, int status)
{
	struct fy_account_overview account;
	struct fy_consent consent;
	struct fy_restriction restriction;
	const struct fy_policy_version *policy = fy_policy_in_force(&fy_policy_versions, req->ctx.now);
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_account_privacy view = { .opted_out = fy_visitor_opts_out(req) };
	int err = fy_consents_get(&req->ctx, req->session->account_id, FY_CONSENT_MARKET_RESEARCH, &consent);
	if (err == 0)
		err = fy_accounts_overview(&req->ctx, req->session->account_id, &account);
	if (err == 0)
		err = fy_restriction_get(&req->ctx, req->session->account_id, &restriction);
	if (err == 0)
		err = fy_account_access_fill(req, looks_before, &view);
	if (err == 0)
		err = fy_provided_count(&req->ctx, req->session->account_id, &view.entered);
	if (err == 0)
		err = fill_held(req, account.email.text, &view);
	if (err)
		return err;
	view.market_research = consent.given;
	view.market_research_at = consent.decided_at;
	view.restricted_since = restriction.since;
	view.lift_at = restriction.lift_at;
	view.email = account.email;
	view.ask_password = !fy_account_just_signed_in(req);
	view.held_count =
		fy_register_rows(&req->ctx, policy->entries, policy->entry_count, 1u << FY_PERSONS_MEMBERS, &view.held);
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	page.path = FY_LIT("/account/privacy");
	fy_page_buf(req, &out);
	fy_page_account_privacy(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async int fy_account_privacy_again(struct fy_req *req, const struct fy_form *form, int status)
{
	return privacy_page(req, form, 0, status);
}

fy_async static int privacy_show(struct fy_req *req)
{
	uint64_t looks_before = 0;
	if (fy_param(req, "looks").len && fy_param_u64(req, "looks", &looks_before))
		return FY_ERR_INVALID;
	return privacy_page(req, NULL, looks_before, 200);
}

fy_async static int restriction_end(struct fy_req *req)
{
	int err = fy_restriction_lift(&req->ctx, req->session->account_id);
	if (err == FY_ERR_NOT_FOUND)
		return fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_RESTRICTION_NONE, 0);
	if (err == 0)
		fy_log(&req->ctx, FY_LOG_INFO, "restriction.ended", FY_KV("account", req->session->account_id));
	return err ? err : fy_redirect_said(req, "/account/privacy", FY_TEXT_NOTICE_RESTRICTION_ENDED, 0);
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
static const struct fy_param end_params[] = { FY_FORM("csrf", 64) };

const struct fy_route fy_account_routes[] = {
	{ FY_GET, "/account", account_show, .access = FY_ACCESS_MEMBER },
	{ FY_GET, "/account/profile", profile_show, .access = FY_ACCESS_MEMBER, FY_PARAMS(said_params) },
	{ FY_POST, "/account/profile", profile_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(profile_params), .body_max = 32768 },
	{ FY_GET, "/account/privacy", privacy_show, .access = FY_ACCESS_MEMBER, FY_PARAMS(shown_params) },
	{ FY_POST, "/account/privacy", privacy_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(privacy_params), .body_max = 4096 },
	{ FY_POST, "/account/privacy/restriction/end", restriction_end, .access = FY_ACCESS_MEMBER,
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE, FY_PARAMS(end_params), .body_max = 4096 },
};
const unsigned fy_account_route_count = sizeof fy_account_routes / sizeof fy_account_routes[0];
