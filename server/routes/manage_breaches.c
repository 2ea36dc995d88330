/* The register of breaches: the list with what is left of the 72 hours, a breach, and the decisions about it (GDPR
 * Articles 33 and 34). Each decision is made from the version that its form showed. Facts are breach_facts.c's, what is
 * printed is breach_letter.c's. */
#include "foyer/log.h"
#include "foyer/require.h"
#include "server/domain/deadline.h"
#include "server/routes/breach.h"
#include "server/routes/tables.h"

#define PAGE_SIZE 30

static const char *const state_names[FY_BREACH_STATES_END] = { [FY_BREACH_OPEN] = "open",
							       [FY_BREACH_NOTIFIED] = "notified",
							       [FY_BREACH_NOT_NOTIFIED] = "not_notified",
							       [FY_BREACH_CLOSED] = "closed" };

fy_async int fy_breach_find(struct fy_req *req, struct fy_breach *ret_breach)
{
	uint64_t id;
	return fy_param_u64(req, "id", &id) ? FY_ERR_NOT_FOUND : fy_breaches_get(&req->ctx, id, ret_breach);
}

struct fy_slice fy_breach_path(struct fy_req *req, uint64_t id, const char *rest)
{
	return fy_fmt(&req->arena, "/manage/breaches/%llu%s", (unsigned long long)id, rest);
}

struct fy_breach_change fy_breach_change_of(const struct fy_req *req, const struct fy_breach *breach, uint32_t version)
{
	return (struct fy_breach_change){ .id = breach->id,
					  .by_account_id = req->session->account_id,
					  .version = version };
}

int fy_breach_saved(struct fy_req *req, uint64_t id)
{
	fy_log(&req->ctx, FY_LOG_INFO, "breach.saved", FY_KV("breach", id), FY_KV("by", req->session->account_id));
	return fy_redirect_said(req, fy_cstr(&req->arena, fy_breach_path(req, id, "")), FY_TEXT_NOTICE_BREACH_SAVED, 0);
}

struct fy_slice fy_breach_number(struct fy_req *req, bool known, uint64_t number)
{
	return known ? fy_fmt(&req->arena, "%llu", (unsigned long long)number) : FY_NONE;
}

struct fy_slice fy_breach_risk_name(enum fy_breach_risk risk)
{
	static const char *const names[FY_BREACH_RISKS_END] = { "0", "1", "2", "3" };
	FY_REQUIRE(risk < FY_BREACH_RISKS_END);
	return fy_str(names[risk]);
}

/* ---- The list ---- */

/* Hours left, or begun since the end. */
static uint64_t hours(fy_time due, fy_time now)
{
	return now > due ? (uint64_t)((now - due) / FY_HOUR) + 1 : (uint64_t)fy_deadline_hours_left(due, now);
}

/* Notified after the 72 hours, or not yet though they are over. */
static bool is_late(enum fy_breach_state state, fy_time aware_at, fy_time notified_at, fy_time now)
{
	fy_time due = fy_deadline_of_breach(aware_at);
	return notified_at ? notified_at > due : state == FY_BREACH_OPEN && now > due;
}

fy_async static int list(struct fy_req *req)
{
	struct fy_slice filter = fy_param(req, "state");
	enum fy_breach_state state = 0;
	struct fy_breach_page found;
	struct fy_page page;
	struct fy_buf out;
	fy_time now = req->ctx.now;
	uint64_t cursor = 0;
	for (enum fy_breach_state s = FY_BREACH_OPEN; s < FY_BREACH_STATES_END; s++)
		if (fy_eq(filter, fy_str(state_names[s])))
			state = s;
	if (filter.len && state == 0)
		return FY_ERR_INVALID;
	int err = fy_param(req, "cursor").len ? fy_param_u64(req, "cursor", &cursor) : 0;
	if (err == 0)
		err = fy_breaches_list(&req->ctx, state, cursor, PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_breach *rows = fy_new_array(&req->arena, struct fy_row_breach, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_breach_line *b = &found.items[i];
		bool late = is_late(b->state, b->aware_at, b->cnil_notified_at, now);
		rows[i] = (struct fy_row_breach){
			.id = b->id,
			.title = b->title,
			.state = fy_str(state_names[b->state]),
			.aware = b->aware_at,
			.notified = b->cnil_notified_at,
			.open = b->state == FY_BREACH_OPEN,
			.late = late,
			.unexplained = late && !b->explained,
			.hours = hours(fy_deadline_of_breach(b->aware_at), now),
		};
	}
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_breaches(&out, &page,
				&(struct fy_view_manage_breaches){
					.state = filter,
					.next_cursor = fy_breach_number(req, found.next_cursor, found.next_cursor),
					.breaches = rows,
					.breaches_count = found.count,
				});
	return fy_reply_html(req, 200, &out);
}

/* ---- One breach ---- */

enum decision { NONE, NOTIFIED, UNNOTIFIED, PERSONS, CLOSE };

static const char *const act_names[] = {
	[FY_BREACH_RECORDED] = "recorded",       [FY_BREACH_FACTS_SAVED] = "facts",
	[FY_BREACH_ACT_NOTIFIED] = "notified",   [FY_BREACH_ACT_NOT_NOTIFIED] = "not_notified",
	[FY_BREACH_PERSONS_DECIDED] = "persons", [FY_BREACH_ACT_CLOSED] = "closed",
};

/* The newest first; each says whether it moved the moment from which the 72 hours count. */
static fy_async int make_history(struct fy_req *req, uint64_t id, struct fy_view_manage_breach *view)
{
	struct fy_breach_step *steps;
	size_t count;
	int err = fy_breaches_steps(&req->ctx, id, &steps, &count);
	if (err)
		return err;
	struct fy_row_breach_step *rows = fy_new_array(&req->arena, struct fy_row_breach_step, count + 1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct fy_row_breach_step){
			.at = steps[i].at,
			.by = steps[i].by_account_id,
			.act = fy_str(act_names[steps[i].act]),
			.aware = steps[i].aware_at,
			.was = i + 1 < count && steps[i + 1].aware_at != steps[i].aware_at ? steps[i + 1].aware_at : 0,
		};
	view->steps = rows;
	view->steps_count = count;
	return 0;
}

/* `made` is what was sent, and shown again in its form. */
fy_async static int breach_page(struct fy_req *req, const struct fy_breach *b, const struct fy_form *form,
				enum decision made, bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_time now = req->ctx.now, due = fy_deadline_of_breach(b->facts.aware_at);
	bool late = is_late(b->state, b->facts.aware_at, b->cnil_notified_at, now);
	bool decided = b->state == FY_BREACH_NOTIFIED || b->state == FY_BREACH_NOT_NOTIFIED;
	struct fy_view_manage_breach view = {
		.id = b->id,
		.version = b->version,
		.state = fy_str(state_names[b->state]),
		.conflict = conflict,
		.open = b->state == FY_BREACH_OPEN,
		.closed = b->state == FY_BREACH_CLOSED,
		.late = late,
		.hours = hours(due, now),
		.due = due,
		.unexplained = late && b->delay_reasons.len == 0,
		.name = b->facts.title,
		FY_BREACH_FACTS(req, &b->facts),
		.high = b->facts.risk == FY_BREACH_RISK_HIGH,
		.notified = b->cnil_notified_at,
		.reference_saved = b->cnil_reference,
		.reason_saved = b->cnil_reason,
		.delay_saved = b->delay_reasons,
		.informed = b->persons_informed_at,
		.how_saved = b->persons_how,
		.persons_reason_saved = b->persons_reason,
		.closed_at = b->closed_at,
		.may_unnotify = b->facts.risk == FY_BREACH_RISK_UNLIKELY,
		.may_close = decided && (b->persons_informed_at || b->persons_reason.len) &&
			     !(late && b->delay_reasons.len == 0),
		.notified_at = fy_form_moment_text(req, b->cnil_notified_at),
		.reference = b->cnil_reference,
		.delay_reasons = b->delay_reasons,
		.reason = b->cnil_reason,
		.informed_at = fy_form_moment_text(req, b->persons_informed_at),
		.informed_how = b->persons_how,
		.informed_reason = b->persons_reason,
	};
	if (made == NOTIFIED) {
		view.notified_at = fy_param(req, "notified_at");
		view.reference = fy_param(req, "reference");
		view.delay_reasons = fy_param(req, "delay_reasons");
	} else if (made == UNNOTIFIED) {
		view.reason = fy_param(req, "reason");
	} else if (made == PERSONS) {
		view.informed_at = fy_param(req, "informed_at");
		view.informed_how = fy_param(req, "informed_how");
		view.informed_reason = fy_param(req, "informed_reason");
	}
	int err = make_history(req, b->id, &view);
	if (err)
		return err;
	fy_form_page(req, form, &page);
	if (made)
		page.path = fy_breach_path(req, b->id, "");
	else
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_breach(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_breach breach;
	int err = fy_breach_find(req, &breach);
	return err ? err : breach_page(req, &breach, NULL, NONE, false, 200);
}

/* ---- Decisions ---- */

/* Finds the breach and whether it is still the one that the form showed: *ret_stale. */
fy_async static int begin(struct fy_req *req, struct fy_form *form, struct fy_breach *breach, bool *ret_stale)
{
	uint64_t version;
	int err = fy_breach_find(req, breach);
	if (err)
		return err;
	if (fy_param_u64(req, "version", &version))
		return FY_ERR_INVALID;
	*ret_stale = version != breach->version || breach->state == FY_BREACH_CLOSED;
	fy_form_init(form, req);
	return 0;
}

/* After a change: on to the breach, or the page that says that somebody was quicker. */
fy_async static int end(struct fy_req *req, uint64_t id, int err, enum decision made)
{
	struct fy_breach now;
	if (err != FY_ERR_CONFLICT)
		return err ? err : fy_breach_saved(req, id);
	err = fy_breaches_get(&req->ctx, id, &now);
	return err ? err : breach_page(req, &now, NULL, made, true, 409);
}

fy_async static int notified(struct fy_req *req)
{
	struct fy_breach breach;
	struct fy_form form;
	bool stale;
	int err = begin(req, &form, &breach, &stale);
	if (err || stale)
		return err ? err : breach_page(req, &breach, NULL, NOTIFIED, true, 409);
	fy_time at = fy_form_moment(&form, "notified_at");
	struct fy_slice reasons = fy_param(req, "delay_reasons");
	fy_form_need(&form, "notified_at", FY_TEXT_ERROR_MOMENT_FORMAT);
	if (at && at < breach.facts.aware_at - breach.facts.aware_at % FY_MINUTE)
		fy_form_error(&form, "notified_at", FY_TEXT_ERROR_NOTIFIED_BEFORE_AWARE);
	if (at > fy_deadline_of_breach(breach.facts.aware_at) && reasons.len == 0)
		fy_form_error(&form, "delay_reasons", FY_TEXT_ERROR_DELAY_REASONS_MISSING);
	if (form.count)
		return breach_page(req, &breach, &form, NOTIFIED, false, 422);
	struct fy_breach_change change = fy_breach_change_of(req, &breach, breach.version);
	err = fy_breaches_notified(&req->ctx, &change, at, fy_param(req, "reference"), reasons);
	return end(req, breach.id, err, NOTIFIED);
}

fy_async static int unnotified(struct fy_req *req)
{
	struct fy_breach breach;
	struct fy_form form;
	bool stale;
	int err = begin(req, &form, &breach, &stale);
	if (err || stale || breach.state == FY_BREACH_NOTIFIED)
		return err ? err : breach_page(req, &breach, NULL, UNNOTIFIED, true, 409);
	fy_form_need(&form, "reason", FY_TEXT_ERROR_UNNOTIFIED_REASON_MISSING);
	if (breach.facts.risk != FY_BREACH_RISK_UNLIKELY) {
		form.count = 0; /* the field is not there any more */
		fy_form_error(&form, "", FY_TEXT_ERROR_RISK_NOT_UNLIKELY);
	}
	if (form.count)
		return breach_page(req, &breach, &form, UNNOTIFIED, false, 422);
	struct fy_breach_change change = fy_breach_change_of(req, &breach, breach.version);
	err = fy_breaches_not_notified(&req->ctx, &change, fy_param(req, "reason"));
	return end(req, breach.id, err, UNNOTIFIED);
}

fy_async static int persons(struct fy_req *req)
{
	struct fy_breach breach;
	struct fy_form form;
	bool stale;
	int err = begin(req, &form, &breach, &stale);
	if (err || stale)
		return err ? err : breach_page(req, &breach, NULL, PERSONS, true, 409);
	struct fy_slice how = fy_param(req, "informed_how"), reason = fy_param(req, "informed_reason");
	fy_time at = fy_form_moment(&form, "informed_at");
	if (at && how.len == 0)
		fy_form_error(&form, "informed_how", FY_TEXT_ERROR_INFORMED_HOW_MISSING);
	if (fy_param(req, "informed_at").len == 0 && reason.len == 0)
		fy_form_error(&form, "informed_at", FY_TEXT_ERROR_INFORMED_MISSING);
	if (form.count)
		return breach_page(req, &breach, &form, PERSONS, false, 422);
	struct fy_breach_change change = fy_breach_change_of(req, &breach, breach.version);
	err = fy_breaches_persons(&req->ctx, &change, at, how, reason);
	return end(req, breach.id, err, PERSONS);
}

fy_async static int close_it(struct fy_req *req)
{
	struct fy_breach breach;
	struct fy_form form;
	bool stale;
	int err = begin(req, &form, &breach, &stale);
	if (err || stale)
		return err ? err : breach_page(req, &breach, NULL, CLOSE, true, 409);
	if (is_late(breach.state, breach.facts.aware_at, breach.cnil_notified_at, req->ctx.now) &&
	    breach.delay_reasons.len == 0) {
		fy_form_error(&form, "delay_reasons", FY_TEXT_ERROR_DELAY_REASONS_MISSING);
		return breach_page(req, &breach, &form, CLOSE, false, 422);
	}
	struct fy_breach_change change = fy_breach_change_of(req, &breach, breach.version);
	err = fy_breaches_close(&req->ctx, &change);
	return end(req, breach.id, err, CLOSE);
}

static const struct fy_param list_params[] = { FY_QUERY("state", 20), FY_QUERY("cursor", 20) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param notified_params[] = {
	FY_PATH("id", 20),
	FY_FORM("csrf", 64),
	FY_FORM("version", 10),
	FY_FORM("notified_at", FY_MOMENT_CHARS),
	FY_FORM("reference", FY_BREACH_REFERENCE_CHARS),
	FY_FORM("delay_reasons", FY_BREACH_LINES_CHARS, .lines = true),
};
static const struct fy_param unnotified_params[] = {
	FY_PATH("id", 20),
	FY_FORM("csrf", 64),
	FY_FORM("version", 10),
	FY_FORM("reason", FY_BREACH_LINES_CHARS, .lines = true),
};
static const struct fy_param persons_params[] = {
	FY_PATH("id", 20),
	FY_FORM("csrf", 64),
	FY_FORM("version", 10),
	FY_FORM("informed_at", FY_MOMENT_CHARS),
	FY_FORM("informed_how", FY_BREACH_LINES_CHARS, .lines = true),
	FY_FORM("informed_reason", FY_BREACH_LINES_CHARS, .lines = true),
};
static const struct fy_param close_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("version", 10) };

const struct fy_route fy_manage_breaches_routes[] = {
	{ FY_GET, "/manage/breaches", list, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  FY_PARAMS(list_params) },
	{ FY_GET, "/manage/breaches/:id", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  FY_PARAMS(show_params) },
	{ FY_POST, "/manage/breaches/:id/notified", notified, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(notified_params), .body_max = 65536 },
	{ FY_POST, "/manage/breaches/:id/unnotified", unnotified, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES_BREACHES, .csrf = FY_CSRF_FORM, FY_PARAMS(unnotified_params), .body_max = 65536 },
	{ FY_POST, "/manage/breaches/:id/persons", persons, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(persons_params), .body_max = 65536 },
	{ FY_POST, "/manage/breaches/:id/close", close_it, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_BREACHES,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(close_params), .body_max = 4096 },
};
const unsigned fy_manage_breaches_route_count = sizeof fy_manage_breaches_routes / sizeof fy_manage_breaches_routes[0];
