/* The facts of a breach, as they become known (GDPR Article 33(3) to (5)): a new one, and one that is edited from the
 * version that the form showed. */
#include "server/routes/breach.h"
#include "server/routes/tables.h"
#include "storage/once.h"

#define NUMBER_MAX 1000000000000ull

/* What was typed, or what is stored where nothing was typed. */
static void fill(struct fy_req *req, const struct fy_form *form, const struct fy_breach_facts *f,
		 struct fy_view_manage_breach_form *view)
{
	if (form == NULL) {
		view->name = f->title;
		view->discovered_at = fy_form_moment_text(req, f->discovered_at);
		view->aware_at = fy_form_moment_text(req, f->aware_at);
		view->occurred_from = fy_form_moment_text(req, f->occurred_from);
		view->occurred_to = fy_form_moment_text(req, f->occurred_to);
		view->persons = fy_breach_number(req, f->has_persons, f->persons);
		view->records = fy_breach_number(req, f->has_records, f->records);
	} else {
		view->name = fy_param(req, "name");
		view->discovered_at = fy_param(req, "discovered_at");
		view->aware_at = fy_param(req, "aware_at");
		view->occurred_from = fy_param(req, "occurred_from");
		view->occurred_to = fy_param(req, "occurred_to");
		view->persons = fy_param(req, "persons");
		view->records = fy_param(req, "records");
	}
	view->confidentiality = f->confidentiality;
	view->integrity = f->integrity;
	view->availability = f->availability;
	view->nature = f->nature;
	view->persons_categories = f->persons_categories;
	view->data_categories = f->data_categories;
	view->consequences = f->consequences;
	view->measures_taken = f->measures_taken;
	view->measures_planned = f->measures_planned;
	view->risk = fy_breach_risk_name(f->risk);
}

/* `breach` NULL: a new one. `form` NULL: nothing was typed. */
static int form_page(struct fy_req *req, const struct fy_breach *breach, const struct fy_breach_facts *facts,
		     const struct fy_form *form, bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	char *once = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	fy_session_make_token(once);
	struct fy_view_manage_breach_form view = { .id = breach ? breach->id : 0,
						   .version = breach ? breach->version : 0,
						   .once = fy_str(once),
						   .conflict = conflict };
	fill(req, form, facts, &view);
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_manage_breach_form(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

static void take_number(struct fy_form *form, const char *field, bool *ret_known, uint64_t *ret_number)
{
	*ret_known = fy_param(form->req, field).len != 0;
	if (*ret_known && (fy_param_u64(form->req, field, ret_number) || *ret_number > NUMBER_MAX))
		fy_form_error(form, field, FY_TEXT_ERROR_NUMBER_FORMAT);
}

static void take_times(struct fy_form *form, struct fy_breach_facts *facts)
{
	facts->discovered_at = fy_form_moment(form, "discovered_at");
	facts->aware_at = fy_form_moment(form, "aware_at");
	facts->occurred_from = fy_form_moment(form, "occurred_from");
	facts->occurred_to = fy_form_moment(form, "occurred_to");
	fy_form_need(form, "discovered_at", FY_TEXT_ERROR_MOMENT_FORMAT);
	fy_form_need(form, "aware_at", FY_TEXT_ERROR_MOMENT_FORMAT);
	if (facts->discovered_at && facts->aware_at && facts->aware_at < facts->discovered_at)
		fy_form_error(form, "aware_at", FY_TEXT_ERROR_MOMENT_ORDER);
	if (facts->occurred_from && facts->occurred_to && facts->occurred_to < facts->occurred_from)
		fy_form_error(form, "occurred_to", FY_TEXT_ERROR_MOMENT_ORDER);
}

static void take(struct fy_form *form, struct fy_breach_facts *facts)
{
	struct fy_req *req = form->req;
	uint64_t risk;
	*facts = (struct fy_breach_facts){
		.title = fy_param(req, "name"),
		.confidentiality = fy_param_on(req, "confidentiality"),
		.integrity = fy_param_on(req, "integrity"),
		.availability = fy_param_on(req, "availability"),
		.persons_categories = fy_param(req, "persons_categories"),
		.data_categories = fy_param(req, "data_categories"),
		.nature = fy_param(req, "nature"),
		.consequences = fy_param(req, "consequences"),
		.measures_taken = fy_param(req, "measures_taken"),
		.measures_planned = fy_param(req, "measures_planned"),
	};
	fy_form_need(form, "name", FY_TEXT_ERROR_BREACH_TITLE_MISSING);
	take_times(form, facts);
	if (!facts->confidentiality && !facts->integrity && !facts->availability)
		fy_form_error(form, "confidentiality", FY_TEXT_ERROR_BREACH_KIND_MISSING);
	take_number(form, "persons", &facts->has_persons, &facts->persons);
	take_number(form, "records", &facts->has_records, &facts->records);
	if (fy_param_u64(req, "risk", &risk) == 0 && risk < FY_BREACH_RISKS_END)
		facts->risk = (enum fy_breach_risk)risk;
}

fy_async static int show_new(struct fy_req *req)
{
	fy_time now = req->ctx.now;
	return form_page(req, NULL, &(struct fy_breach_facts){ .discovered_at = now, .aware_at = now }, NULL, false,
			 200);
}

fy_async static int submit_new(struct fy_req *req)
{
	struct fy_breach_facts facts;
	struct fy_form form;
	struct fy_once once;
	struct fy_slice path;
	uint64_t id;
	fy_form_init(&form, req);
	take(&form, &facts);
	if (form.count)
		return form_page(req, NULL, &facts, &form, false, 422);
	int err = fy_once_begin(&req->ctx,
				fy_fmt(&req->arena, FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT, FY_ARG(req->token),
				       FY_ARG(fy_param(req, "once")), FY_ARG(facts.title), FY_ARG(facts.nature)),
				&once, &path);
	if (err)
		return err == FY_ERR_EXISTS ? fy_redirect_to(req, path) : err;
	err = fy_breaches_add(&req->ctx, &facts, req->session->account_id, &id);
	if (err)
		fy_once_failed(&req->ctx, &once);
	else
		fy_once_done(&req->ctx, &once, fy_breach_path(req, id, ""));
	return err ? err : fy_breach_saved(req, id);
}

fy_async static int show_edit(struct fy_req *req)
{
	struct fy_breach breach;
	int err = fy_breach_find(req, &breach);
	if (err)
		return err;
	if (breach.state == FY_BREACH_CLOSED)
		return fy_redirect_to(req, fy_breach_path(req, breach.id, ""));
	return form_page(req, &breach, &breach.facts, NULL, false, 200);
}

/* What another window saved meanwhile is not overwritten: what was typed stays, with the fresh version to send. */
fy_async static int submit_edit(struct fy_req *req)
{
	struct fy_breach_facts facts;
	struct fy_breach breach;
	struct fy_form form;
	uint64_t version;
	int err = fy_breach_find(req, &breach);
	if (err)
		return err;
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	fy_form_init(&form, req);
	take(&form, &facts);
	if (breach.cnil_notified_at && facts.aware_at > breach.cnil_notified_at)
		fy_form_error(&form, "aware_at", FY_TEXT_ERROR_NOTIFIED_BEFORE_AWARE);
	if (form.count) {
		breach.version = (uint32_t)version; /* mending a field does not make it newer */
		return form_page(req, &breach, &facts, &form, false, 422);
	}
	struct fy_breach_change change = fy_breach_change_of(req, &breach, (uint32_t)version);
	err = fy_breaches_save_facts(&req->ctx, &change, &facts);
	if (err != FY_ERR_CONFLICT)
		return err ? err : fy_breach_saved(req, breach.id);
	err = fy_breaches_get(&req->ctx, breach.id, &breach);
	return err ? err : form_page(req, &breach, &facts, &form, true, 409);
}

#define FACTS                                                                                                      \
	FY_FORM("csrf", 64), FY_FORM("name", FY_BREACH_TITLE_CHARS), FY_FORM("discovered_at", FY_MOMENT_CHARS),    \
		FY_FORM("aware_at", FY_MOMENT_CHARS), FY_FORM("occurred_from", FY_MOMENT_CHARS),                   \
		FY_FORM("occurred_to", FY_MOMENT_CHARS), FY_FORM("confidentiality", 10), FY_FORM("integrity", 10), \
		FY_FORM("availability", 10), FY_FORM("nature", FY_BREACH_TEXT_CHARS, .lines = true),               \
		FY_FORM("persons_categories", FY_BREACH_LINES_CHARS, .lines = true), FY_FORM("persons", 20),       \
		FY_FORM("data_categories", FY_BREACH_LINES_CHARS, .lines = true), FY_FORM("records", 20),          \
		FY_FORM("consequences", FY_BREACH_TEXT_CHARS, .lines = true),                                      \
		FY_FORM("measures_taken", FY_BREACH_TEXT_CHARS, .lines = true),                                    \
		FY_FORM("measures_planned", FY_BREACH_TEXT_CHARS, .lines = true), FY_FORM("risk", 1)
static const struct fy_param new_params[] = { FACTS, FY_FORM("once", FY_TOKEN_CHARS) };
static const struct fy_param id_params[] = { FY_PATH("id", 20) };
static const struct fy_param edit_params[] = { FY_PATH("id", 20), FACTS, FY_FORM("version", 10) };

const struct fy_route fy_breach_facts_routes[] = {
	{ FY_GET, "/manage/breaches/new", show_new, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES },
	{ FY_POST, "/manage/breaches/new", submit_new, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(new_params), .body_max = 262144 },
	{ FY_GET, "/manage/breaches/:id/facts", show_edit, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  FY_PARAMS(id_params) },
	{ FY_POST, "/manage/breaches/:id/facts", submit_edit, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(edit_params), .body_max = 262144 },
};
const unsigned fy_breach_facts_route_count = sizeof fy_breach_facts_routes / sizeof fy_breach_facts_routes[0];
