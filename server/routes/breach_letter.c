/* What is printed about a breach: the notification to the CNIL, which may say that something is still unknown (GDPR
 * Article 33(4)), and the letter to the persons, which may not: Article 34(2) wants all of its parts, so it is shown
 * only when each is written. */
#include "server/routes/breach.h"
#include "server/routes/tables.h"

/* ---- The notification ---- */

fy_async static int notification(struct fy_req *req)
{
	struct fy_breach b;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_breach_find(req, &b);
	if (err)
		return err;
	const struct fy_breach_facts *f = &b.facts;
	bool partial = !f->nature.len || !f->persons_categories.len || !f->data_categories.len || !f->has_persons ||
		       !f->has_records || !f->consequences.len || !f->measures_taken.len || !f->risk;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_breach_notification(&out, &page,
				    &(struct fy_view_breach_notification){
					    .id = b.id,
					    .contact = req->app->config->site_contact,
					    .dpo_name = req->app->config->site_dpo_name,
					    .dpo_contact = req->app->config->site_dpo_contact,
					    FY_BREACH_FACTS(req, f),
					    .partial = partial,
					    .delay_reasons = b.delay_reasons,
					    .informed = b.persons_informed_at,
					    .informed_how = b.persons_how,
					    .informed_reason = b.persons_reason,
				    });
	return fy_reply_html(req, 200, &out);
}

/* ---- The letter ---- */

struct letter {
	struct fy_breach breach;
	struct fy_breach_letter text;
	enum fy_lang lang;
};

fy_async static int find(struct fy_req *req, struct letter *letter)
{
	struct fy_slice language = fy_param(req, "language");
	letter->lang = fy_eq(language, FY_LIT("en")) ? FY_LANG_EN : FY_LANG_FR;
	if (letter->lang == FY_LANG_FR && !fy_eq(language, FY_LIT("fr")))
		return FY_ERR_NOT_FOUND;
	int err = fy_breach_find(req, &letter->breach);
	return err ? err : fy_breaches_letter(&req->ctx, letter->breach.id, letter->lang, &letter->text);
}

static int form_page(struct fy_req *req, const struct letter *letter, const struct fy_breach_letter *shown,
		     bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	struct fy_form form;
	if (status == 422)
		fy_form_init(&form, req);
	fy_form_page(req, status == 422 ? &form : NULL, &page);
	if (status == 200)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_breach_letter(&out, &page,
				     &(struct fy_view_manage_breach_letter){
					     .id = letter->breach.id,
					     .language = fy_param(req, "language"),
					     .version = shown->version,
					     .conflict = conflict,
					     .nature = shown->nature,
					     .consequences = shown->consequences,
					     .measures = shown->measures,
					     .advice = shown->advice,
				     });
	return fy_reply_html(req, status, &out);
}

/* The first time it begins with the register's words. */
fy_async static int show(struct fy_req *req)
{
	struct letter letter;
	int err = find(req, &letter);
	if (err)
		return err;
	if (letter.text.version == 0) {
		letter.text.nature = letter.breach.facts.nature;
		letter.text.consequences = letter.breach.facts.consequences;
		letter.text.measures = letter.breach.facts.measures_taken;
	}
	return form_page(req, &letter, &letter.text, false, 200);
}

/* A letter may be saved half-written; it is printed when it is whole. */
fy_async static int submit(struct fy_req *req)
{
	struct letter letter;
	struct fy_form form;
	uint64_t version;
	int err = find(req, &letter);
	if (err)
		return err;
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	struct fy_breach_letter typed = {
		.version = (uint32_t)version,
		.nature = fy_param(req, "nature"),
		.consequences = fy_param(req, "consequences"),
		.measures = fy_param(req, "measures"),
		.advice = fy_param(req, "advice"),
	};
	fy_form_init(&form, req);
	if (form.count)
		return form_page(req, &letter, &typed, false, 422);
	err = fy_breaches_save_letter(&req->ctx, letter.breach.id, letter.lang, &typed);
	if (err == FY_ERR_CONFLICT) {
		err = find(req, &letter);
		typed.version = letter.text.version;
		return err ? err : form_page(req, &letter, &typed, true, 409);
	}
	const char *rest = letter.lang == FY_LANG_EN ? "/letter/en" : "/letter/fr";
	return err ? err
		   : fy_redirect_said(req, fy_cstr(&req->arena, fy_breach_path(req, letter.breach.id, rest)),
				      FY_TEXT_NOTICE_LETTER_SAVED, 0);
}

/* In the letter's language, whatever the staff reads in. */
fy_async static int print(struct fy_req *req)
{
	struct letter letter;
	struct fy_page page;
	struct fy_buf out;
	int err = find(req, &letter);
	if (err)
		return err;
	const struct fy_breach_letter *t = &letter.text;
	bool complete = t->nature.len && t->consequences.len && t->measures.len && t->advice.len;
	fy_page_with_form(req, &page);
	if (complete)
		page.lang = letter.lang;
	fy_page_buf(req, &out);
	fy_page_breach_letter(&out, &page,
			      &(struct fy_view_breach_letter){
				      .id = letter.breach.id,
				      .language = fy_param(req, "language"),
				      .complete = complete,
				      .lacks_nature = t->nature.len == 0,
				      .lacks_consequences = t->consequences.len == 0,
				      .lacks_measures = t->measures.len == 0,
				      .lacks_advice = t->advice.len == 0,
				      .nature = t->nature,
				      .consequences = t->consequences,
				      .measures = t->measures,
				      .advice = t->advice,
				      .contact = req->app->config->site_contact,
				      .dpo_name = req->app->config->site_dpo_name,
				      .dpo_contact = req->app->config->site_dpo_contact,
			      });
	return fy_reply_html(req, complete ? 200 : 409, &out);
}

static const struct fy_param id_params[] = { FY_PATH("id", 20) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_PATH("language", 2), FY_SAID };
static const struct fy_param print_params[] = { FY_PATH("id", 20), FY_PATH("language", 2) };
static const struct fy_param submit_params[] = {
	FY_PATH("id", 20),
	FY_PATH("language", 2),
	FY_FORM("csrf", 64),
	FY_FORM("version", 10),
	FY_FORM("nature", FY_BREACH_TEXT_CHARS, .lines = true),
	FY_FORM("consequences", FY_BREACH_TEXT_CHARS, .lines = true),
	FY_FORM("measures", FY_BREACH_TEXT_CHARS, .lines = true),
	FY_FORM("advice", FY_BREACH_TEXT_CHARS, .lines = true),
};

const struct fy_route fy_breach_letter_routes[] = {
	{ FY_GET, "/manage/breaches/:id/notification", notification, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES_BREACHES, FY_PARAMS(id_params) },
	{ FY_GET, "/manage/breaches/:id/letter/:language", show, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES_BREACHES, FY_PARAMS(show_params) },
	{ FY_POST, "/manage/breaches/:id/letter/:language", submit, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES_BREACHES, .csrf = FY_CSRF_FORM, FY_PARAMS(submit_params), .body_max = 262144 },
	{ FY_GET, "/manage/breaches/:id/letter/:language/print", print, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES_BREACHES, FY_PARAMS(print_params) },
};
const unsigned fy_breach_letter_route_count = sizeof fy_breach_letter_routes / sizeof fy_breach_letter_routes[0];
