/* The page that the notice of GDPR Article 14 leads to, for people whom a member entered, and for the adults responsible
 * for minors: see, correct, object, erase. The link is the proof of who asks, no account is needed. Looking changes
 * nothing, as programs that read mails follow links; every act is a form. */
#include "server/routes/mails.h"
#include "server/routes/people.h"
#include "server/routes/register_view.h"
#include "server/routes/tables.h"

#define PATH "/notice"

static int gone(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	page.path = FY_LIT(PATH);
	fy_page_buf(req, &out);
	fy_page_token_invalid(&out, &page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("notice") });
	return fy_reply_html(req, 410, &out);
}

static int old(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_notice_old(&out, &page, &(struct fy_view_notice_old){ .token = { fy_param(req, "token") } });
	return fy_reply_html(req, 410, &out);
}

/* Answers a link that leads nowhere. */
static int refuse(struct fy_req *req, int err)
{
	return err == FY_ERR_NOT_FOUND ? gone(req) : err == FY_ERR_EXPIRED ? old(req) : err;
}

static fy_async int find(struct fy_req *req, uint8_t hash[FY_HASH_BYTES], struct fy_provided *ret_person)
{
	if (!fy_one_time_hash(req->ctx.keys, fy_param(req, "token"), hash))
		return FY_ERR_NOT_FOUND;
	return fy_provided_find(&req->ctx, fy_slice(hash, FY_HASH_BYTES), ret_person);
}

/* `f`: what the form shows. */
fy_async static int notice_page(struct fy_req *req, const struct fy_form *form, const struct fy_provided *p,
				const struct fy_provided_fields *f, int status)
{
	const struct fy_policy_version *policy = fy_policy_in_force(&fy_policy_versions, req->ctx.now);
	const struct fy_config *config = req->app->config;
	struct fy_personal provider;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_people_provider(req, p->provider_id, req->ctx.lang, &provider);
	if (err)
		return err;
	struct fy_view_notice view = {
		.token = { fy_param(req, "token") },
		.provider = provider,
		.minor = fy_provided_is_minor(p->fields.birth_date, req->ctx.now),
		.restricted = p->state == FY_PROVIDED_RESTRICTED,
		.typed = f != &p->fields,
		.since = p->created_at,
		.birth_day = fy_people_birth_day(req, f),
		FY_PEOPLE_VIEW(*f, fy_people_birth_date(req, view.typed ? form : NULL, f)),
		.person = { fy_fmt(&req->arena, FY_FMT " " FY_FMT, FY_ARG(p->fields.given_name.text),
				   FY_ARG(p->fields.family_name.text)) },
		.contact = config->site_contact,
		.dpo_contact = config->site_dpo_contact,
		.link_until = p->link_until,
	};
	const struct fy_register_row record = {
		&fy_register_tables[fy_register_fields[FY_COLUMN_PROVIDED_PERSON_ID].table], fy_provided_since(p)
	};
	view.classes_count = fy_register_classes(&req->ctx, &record, 1, &view.classes);
	view.held_count =
		fy_register_rows(&req->ctx, policy->entries, policy->entry_count, 1u << FY_PERSONS_ENTERED, &view.held);
	fy_form_page(req, form, &page);
	page.path = FY_LIT(PATH);
	page.query = fy_fmt(&req->arena, "token=" FY_FMT, FY_ARG(fy_param(req, "token")));
	if (form == NULL)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_notice(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_provided p;
	int err = find(req, hash, &p);
	return err ? refuse(req, err) : notice_page(req, NULL, &p, &p.fields, 200);
}

static int done(struct fy_req *req, int err, enum fy_text notice)
{
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, PATH "?token=" FY_FMT, FY_ARG(fy_param(req, "token"))));
	return err ? refuse(req, err) : fy_redirect_said(req, path, notice, 0);
}

static int sent(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	fy_mails_kick(req);
	fy_page_with_form(req, &page);
	page.path = FY_LIT(PATH);
	fy_page_buf(req, &out);
	fy_page_notice_sent(&out, &page, &(struct fy_view_notice_sent){ 0 });
	return fy_reply_html(req, 200, &out);
}

/* The adult says that the person is of age: from now on the link is the person's, who gets it by mail. */
fy_async static int hand_over(struct fy_req *req, const struct fy_provided *p, uint8_t hash[FY_HASH_BYTES],
			      const struct fy_provided_fields *fields)
{
	struct fy_people_notice notice;
	int err = fy_people_notify(req, NULL, p->provider_id, fields, &notice);
	if (err == 0)
		err = fy_provided_correct(&req->ctx, fy_slice(hash, FY_HASH_BYTES), fields, &notice.notice);
	return err ? refuse(req, err) : sent(req);
}

fy_async static int correct(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_provided p;
	struct fy_form form;
	int err = find(req, hash, &p);
	if (err)
		return refuse(req, err);
	struct fy_provided_fields fields = p.fields;
	fy_form_init(&form, req);
	fy_people_take(&form, &fields);
	if (form.count)
		return notice_page(req, &form, &p, &fields, 422);
	if (fy_provided_is_minor(p.fields.birth_date, req->ctx.now) &&
	    !fy_provided_is_minor(fields.birth_date, req->ctx.now))
		return hand_over(req, &p, hash, &fields);
	err = fy_provided_correct(&req->ctx, fy_slice(hash, sizeof hash), &fields, NULL);
	return done(req, err, FY_TEXT_NOTICE_DATA_CORRECTED);
}

fy_async static int restrict_to(struct fy_req *req, bool restricted, enum fy_text notice)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_provided p;
	int err = find(req, hash, &p);
	if (err == 0)
		err = fy_provided_restrict(&req->ctx, fy_slice(hash, sizeof hash), restricted);
	return done(req, err, notice);
}

fy_async static int object(struct fy_req *req)
{
	return restrict_to(req, true, FY_TEXT_NOTICE_DATA_RESTRICTED);
}

fy_async static int allow(struct fy_req *req)
{
	return restrict_to(req, false, FY_TEXT_NOTICE_DATA_ALLOWED);
}

fy_async static int erase(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_provided p;
	struct fy_form form;
	struct fy_page page;
	struct fy_buf out;
	struct fy_slice receipt;
	int err = find(req, hash, &p);
	if (err)
		return refuse(req, err);
	fy_form_init(&form, req);
	if (!fy_param_on(req, "confirm"))
		fy_form_error(&form, "confirm", FY_TEXT_ERROR_ERASE_CONFIRM_MISSING);
	if (form.count)
		return notice_page(req, &form, &p, &p.fields, 422);
	err = fy_provided_end(&req->ctx, 0, p.id, FY_PROVIDED_BY_PERSON, &fy_mails_provided, &receipt);
	if (err)
		return refuse(req, err);
	fy_mails_kick(req);
	fy_page_with_form(req, &page);
	page.path = FY_LIT(PATH);
	fy_page_buf(req, &out);
	fy_page_notice_erased(&out, &page, &(struct fy_view_notice_erased){ .receipt = { receipt } });
	return fy_reply_html(req, 200, &out);
}

/* To the address of the record, so who holds nothing but an old mail's link learns nothing. */
fy_async static int again(struct fy_req *req)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_provided p;
	struct fy_people_notice notice;
	int err = find(req, hash, &p);
	if (err && err != FY_ERR_EXPIRED)
		return refuse(req, err);
	err = fy_people_notify(req, NULL, p.provider_id, &p.fields, &notice);
	if (err == 0)
		err = fy_provided_renew(&req->ctx, fy_slice(hash, sizeof hash), &notice.notice);
	return err ? refuse(req, err) : sent(req);
}

static const struct fy_param show_params[] = { FY_QUERY("token", 64), FY_SAID };
static const struct fy_param correct_params[] = { FY_FORM("csrf", 64), FY_FORM("token", 64),
						  FY_PEOPLE_PARAMS(FY_FORM) };
static const struct fy_param act_params[] = { FY_FORM("csrf", 64), FY_FORM("token", 64) };
static const struct fy_param erase_params[] = { FY_FORM("csrf", 64), FY_FORM("token", 64), FY_FORM("confirm", 10) };

#define ACT .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM
const struct fy_route fy_notice_routes[] = {
	{ FY_GET, PATH, show, .access = FY_ACCESS_ANYONE, .rate = FY_RATE_WRITE, FY_PARAMS(show_params) },
	{ FY_POST, PATH "/correct", correct, ACT, .rate = FY_RATE_WRITE, FY_PARAMS(correct_params), .body_max = 16384 },
	{ FY_POST, PATH "/object", object, ACT, .rate = FY_RATE_WRITE, FY_PARAMS(act_params), .body_max = 4096 },
	{ FY_POST, PATH "/allow", allow, ACT, .rate = FY_RATE_WRITE, FY_PARAMS(act_params), .body_max = 4096 },
	{ FY_POST, PATH "/erase", erase, ACT, .rate = FY_RATE_WRITE, FY_PARAMS(erase_params), .body_max = 4096 },
	{ FY_POST, PATH "/again", again, ACT, .rate = FY_RATE_MAIL, FY_PARAMS(act_params), .body_max = 4096 },
};
const unsigned fy_notice_route_count = sizeof fy_notice_routes / sizeof fy_notice_routes[0];
