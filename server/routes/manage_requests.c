/* The board of requests about rights, for who answers them: what is due first stands first, each step is taken from the
 * state that its form showed, and the person is told of each. A request was written to be read by them, so it opens by
 * the role; each opening is first written to the log of reads. The account behind it stays sealed (show_person). What
 * leads where is storage/rights.h's, how long a month is server/domain/deadline.h's; recording what came by letter is
 * record_request.c's. */
#include "foyer/require.h"
#include "server/domain/deadline.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/right_words.h"
#include "server/routes/staff_names.h"
#include "server/routes/tables.h"
#include "storage/access_log.h"
#include "storage/restriction.h"

#define PAGE_SIZE 30

/* ---- The board ---- */

/* The board names nobody: who asks is shown with what they ask, where it is written to the log. */
static struct fy_row_request *make_rows(struct fy_req *req, const struct fy_rights_page *found)
{
	struct fy_row_request *rows = fy_new_array(&req->arena, struct fy_row_request, found->count + 1);
	for (size_t i = 0; i < found->count; i++) {
		const struct fy_rights_request *r = &found->items[i];
		struct fy_right_left left = fy_right_left(r, req->ctx.now);
		rows[i] = (struct fy_row_request){
			.id = r->id,
			.kind = fy_right_kind_words(req->ctx.lang, r->kind),
			.state = fy_right_state_words(req->ctx.lang, r->state),
			.account = r->account_id,
			.received = r->received_at,
			.answer_by = r->answer_by,
			.stopped = left.stopped,
			.ended = left.ended,
			.overdue = left.overdue,
			.urgent = left.urgent,
			.soon = left.soon,
			.days = left.days,
		};
	}
	return rows;
}

fy_async static int list(struct fy_req *req)
{
	struct fy_slice filter = fy_param(req, "state");
	enum fy_rights_state state = fy_right_state(filter);
	struct fy_rights_cursor after;
	struct fy_rights_counts counts;
	struct fy_rights_page found;
	struct fy_page page;
	struct fy_buf out;
	if (filter.len && state == 0)
		return FY_ERR_INVALID;
	int err = fy_right_cursor(req, &after);
	if (err == 0)
		err = fy_rights_count(&req->ctx, &counts);
	if (err == 0)
		err = fy_rights_list(&req->ctx, state, after, PAGE_SIZE, &found);
	if (err)
		return err;
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_requests(&out, &page,
				&(struct fy_view_manage_requests){
					.state = filter,
					.over = state >= FY_RIGHTS_ANSWERED,
					.waiting = counts.in[FY_RIGHTS_IDENTITY_CHECK],
					.next_cursor = fy_right_cursor_text(req, found.next),
					.requests = make_rows(req, &found),
					.requests_count = found.count,
				});
	return fy_reply_html(req, 200, &out);
}

/* ---- One request ---- */

/* What a form may ask for: where it leads, from which state alone (0: from any that the way allows), and the field
 * that must be filled. */
static const struct step {
	const char *name;
	enum fy_rights_state to, from;
	const char *field;
	enum fy_text missing;
	bool is_letter; /* the field goes to the person and stands in the request, not in the history */
} steps[] = {
	{ "take", FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_RECEIVED, NULL, 0, false },
	{ "ask", FY_RIGHTS_IDENTITY_CHECK, 0, "identity", FY_TEXT_ERROR_IDENTITY_MISSING, false },
	{ "prove", FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_IDENTITY_CHECK, "proof", FY_TEXT_ERROR_PROOF_MISSING, false },
	{ "answer", FY_RIGHTS_ANSWERED, 0, "reply", FY_TEXT_ERROR_REPLY_MISSING, true },
	{ "extend", FY_RIGHTS_EXTENDED, 0, "extension", FY_TEXT_ERROR_EXTENSION_MISSING, true },
	{ "refuse", FY_RIGHTS_REFUSED, 0, "refusal", FY_TEXT_ERROR_REFUSAL_MISSING, true },
	{ "withdraw", FY_RIGHTS_WITHDRAWN, 0, "withdrawal", FY_TEXT_ERROR_WITHDRAWAL_MISSING, false },
};

/* Who asks: by the letter, or by the account. */
struct person {
	struct fy_personal name, greeting, email;
	enum fy_lang lang;
	bool gone; /* the account was deleted: nobody can be written to */
};

/* For a mail to them. */
fy_async static int find_person(struct fy_req *req, const struct fy_rights_request *r, struct person *ret_person)
{
	struct fy_account account;
	*ret_person = (struct person){ .name = r->name, .greeting = r->name, .email = r->email, .lang = r->lang };
	if (r->email.text.len)
		return 0;
	int err = fy_accounts_get(&req->ctx, r->account_id, FY_PURPOSE_RIGHTS, &account);
	ret_person->gone = err == FY_ERR_NOT_FOUND;
	if (err)
		return ret_person->gone ? 0 : err;
	ret_person->name.text = fy_fmt(&req->arena, FY_FMT " " FY_FMT, FY_ARG(account.profile.given_name.text),
				       FY_ARG(account.profile.family_name.text));
	ret_person->greeting = account.profile.given_name;
	ret_person->email = account.email;
	ret_person->lang = account.profile.language;
	return 0;
}

/* Who asks, as the page shows it: the name in a letter with the letter; of an account, what a grant opens, and to the DPO
 * name and address, as people may turn to them about their rights (GDPR Article 38(4)). ret_by_role: the latter. */
fy_async static int show_person(struct fy_req *req, const struct fy_rights_request *r,
				const struct fy_account_name *name, struct person *ret_person, bool *ret_by_role)
{
	struct fy_account_standing standing;
	*ret_person = (struct person){ .name = r->name, .email = r->email };
	*ret_by_role = false;
	if (r->email.text.len)
		return 0;
	int err = fy_accounts_standing(&req->ctx, r->account_id, &standing);
	if (err == FY_ERR_NOT_FOUND) {
		ret_person->gone = true;
		return 0;
	}
	if (err == 0 && req->session->role == FY_ROLE_DPO) {
		*ret_by_role = true;
		return find_person(req, r, ret_person);
	}
	ret_person->name = fy_staff_name(&req->arena, name);
	ret_person->email = name->email;
	return err;
}

/* The history, and in ret_asker the name behind the request: asked for at once, so that one look is one row. */
fy_async static int make_history(struct fy_req *req, const struct fy_rights_request *r,
				 struct fy_row_request_step **ret_rows, size_t *ret_count,
				 struct fy_account_name *ret_asker)
{
	struct fy_rights_step *taken;
	struct fy_account_name *names;
	size_t count;
	int err = fy_rights_steps(&req->ctx, r->id, FY_PURPOSE_LEGAL_DUTIES, &taken, &count);
	if (err)
		return err;
	uint64_t *ids = fy_new_array(&req->arena, uint64_t, count + 1);
	struct fy_row_request_step *rows = fy_new_array(&req->arena, struct fy_row_request_step, count + 1);
	for (size_t i = 0; i < count; i++)
		ids[i] = taken[i].by_account_id;
	ids[count] = r->account_id;
	err = fy_staff_names(&req->ctx, req->session, ids, count + 1, &names);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		rows[i] = (struct fy_row_request_step){ .at = taken[i].at,
							.state = fy_right_state_words(req->ctx.lang, taken[i].to),
							.note = taken[i].note,
							.by = fy_staff_name(&req->arena, &names[i]) };
		if (rows[i].by.text.len == 0)
			rows[i].by.text = fy_fmt(&req->arena, "#%llu", (unsigned long long)ids[i]);
	}
	*ret_rows = rows;
	*ret_count = count;
	*ret_asker = names[count];
	return 0;
}

/* What the page is about to show goes into the log, under the number that the person knows: the account's, or that of a
 * letter's file. */
fy_async static int log_read(struct fy_req *req, const struct fy_rights_request *r, bool notes, bool account)
{
	const struct {
		bool shown;
		const char *name;
	} fields[] = {
		{ r->name.text.len != 0, "rights_request.name" },
		{ r->email.text.len != 0, "rights_request.email" },
		{ true, "rights_request.wish" },
		{ r->extension_reason.text.len != 0, "rights_request.extension_reason" },
		{ r->reply.text.len != 0, "rights_request.reply" },
		{ r->refusal_reason.text.len != 0, "rights_request.refusal_reason" },
		{ notes, "rights_step.note" },
		{ account, "account.given_name account.family_name account.email" },
	};
	struct fy_buf names;
	fy_buf_init(&names, &req->arena, FY_READ_FIELDS_MAX);
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		if (fields[i].shown)
			fy_buf_fmt(&names, "%s%s", names.len ? " " : "", fields[i].name);
	return fy_access_log_append(&req->ctx, &(struct fy_read){
						       .reader_id = req->session->account_id,
						       .reader_role = (enum fy_account_role)req->session->role,
						       .person_id = r->account_id ? r->account_id : r->id,
						       .purpose = FY_PURPOSE_RIGHTS,
						       .fields = fy_buf_slice(&names),
					       });
}

static fy_time extension_end(const struct fy_rights_request *r)
{
	return fy_deadline_after_months(r->counts_from, FY_DEADLINE_EXTENDED_MONTHS);
}

/* A form that was refused shows its text in its field; what has no form any more is shown as text. */
static void show_typed(struct fy_req *req, const struct step *step, bool has_form, struct fy_view_manage_request *view)
{
	const struct {
		const char *field;
		struct fy_personal *to;
	} fields[] = { { "identity", &view->identity }, { "proof", &view->proof },
		       { "reply", &view->reply },       { "extension", &view->extension },
		       { "refusal", &view->refusal },   { "withdrawal", &view->withdrawal } };
	for (size_t i = 0; step->field && i < FY_COUNT(fields); i++)
		if (strcmp(fields[i].field, step->field) == 0)
			(has_form ? fields[i].to : &view->typed)->text = fy_param(req, step->field);
}

/* Nobody decides about the own request, and a sign-in proves who asks (rules 1.2). */
static bool may_go(const struct fy_req *req, const struct fy_rights_request *r, enum fy_rights_state to)
{
	bool own = r->account_id == req->session->account_id;
	bool proven = r->account_id && !r->recorded_by;
	return !own && !(proven && to == FY_RIGHTS_IDENTITY_CHECK) && fy_rights_may_go(r->state, to);
}

/* `form` and `step` NULL: nothing was sent. `conflict`: somebody else was quicker, and `r` is how it is now. */
fy_async static int request_page(struct fy_req *req, const struct fy_rights_request *r, const struct fy_form *form,
				 const struct step *step, bool conflict, int status)
{
	struct person person;
	struct fy_account_name asker;
	struct fy_row_request_step *history;
	struct fy_page page;
	struct fy_buf out;
	size_t count;
	enum fy_lang lang = req->ctx.lang;
	struct fy_right_left left = fy_right_left(r, req->ctx.now);
	bool by_role, notes = false;
	int err = make_history(req, r, &history, &count, &asker);
	if (err == 0)
		err = show_person(req, r, &asker, &person, &by_role);
	for (size_t i = 0; err == 0 && i < count; i++)
		notes |= history[i].note.text.len != 0;
	if (err == 0)
		err = log_read(req, r, notes, by_role);
	if (err)
		return err;
	struct fy_view_manage_request view = {
		.id = r->id,
		.account = r->account_id,
		.gone = person.gone,
		.recorded = r->recorded_by != 0,
		.kind = fy_right_kind_words(lang, r->kind),
		.state = fy_right_state_name(r->state),
		.state_words = fy_right_state_words(lang, r->state),
		.conflict = conflict,
		.name = person.name,
		.email = person.email,
		.received = r->received_at,
		.first_month = r->due_at,
		.answer_by = r->answer_by,
		.extended_until = r->extended_until,
		.stopped_at = r->clock_stopped_at,
		.ended_at = r->ended_at,
		.stopped = left.stopped,
		.ended = left.ended,
		.overdue = left.overdue,
		.urgent = left.urgent,
		.soon = left.soon,
		.days = left.days,
		.wish = r->wish,
		.extension_reason = r->extension_reason,
		.reply_sent = r->reply,
		.refusal_sent = r->refusal_reason,
		.steps = history,
		.steps_count = count,
		.own = r->account_id == req->session->account_id,
		.may_take = r->state == FY_RIGHTS_RECEIVED && may_go(req, r, FY_RIGHTS_IN_PROGRESS),
		.may_ask = may_go(req, r, FY_RIGHTS_IDENTITY_CHECK),
		.may_prove = r->state == FY_RIGHTS_IDENTITY_CHECK && may_go(req, r, FY_RIGHTS_IN_PROGRESS),
		.may_answer = may_go(req, r, FY_RIGHTS_ANSWERED),
		.may_extend = may_go(req, r, FY_RIGHTS_EXTENDED),
		.too_late = req->ctx.now > r->due_at,
		.would_extend_to = extension_end(r),
	};
	fy_form_page(req, form, &page);
	if (step) {
		show_typed(req, step, !conflict && !(step->to == FY_RIGHTS_EXTENDED && view.too_late), &view);
		page.path = fy_fmt(&req->arena, "/manage/requests/%llu", (unsigned long long)r->id);
	} else {
		fy_page_said(req, &page);
	}
	fy_page_buf(req, &out);
	fy_page_manage_request(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_rights_request request;
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_rights_get(&req->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &request);
	return err ? err : request_page(req, &request, NULL, NULL, false, 200);
}

/* ---- A step ---- */

fy_async static int conflict_page(struct fy_req *req, uint64_t id, const struct step *step)
{
	struct fy_rights_request now;
	int err = fy_rights_get(&req->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &now);
	return err ? err : request_page(req, &now, NULL, step, true, 409);
}

/* Fills what the step changes beside the state. */
static void fill(struct fy_req *req, const struct step *step, const struct fy_rights_request *r,
		 struct fy_rights_change *change)
{
	struct fy_personal typed = { step->field ? fy_param(req, step->field) : FY_NONE };
	*(step->is_letter ? &change->text : &change->note) = typed;
	if (step->to == FY_RIGHTS_EXTENDED)
		change->answer_by = extension_end(r);
	if (step->to == FY_RIGHTS_REFUSED && r->restricting)
		change->lift_at = req->ctx.now + FY_RESTRICTION_NOTICE;
	if (r->state != FY_RIGHTS_IDENTITY_CHECK || step->to != FY_RIGHTS_IN_PROGRESS)
		return;
	change->counts_from = fy_deadline_resume(r->counts_from, r->clock_stopped_at, req->ctx.now);
	change->answer_by = fy_deadline_after_months(change->counts_from, FY_DEADLINE_MONTHS);
}

/* The person is told of every step but the one that nobody waits for, and of an end that was asked for. */
fy_async static int make_mail(struct fy_req *req, const struct step *step, const struct fy_rights_request *r,
			      const struct fy_rights_change *change, struct fy_mail_new *mail, bool *ret_tells,
			      bool *ret_gone)
{
	struct person person;
	*ret_tells = *ret_gone = false;
	if (step->field == NULL || step->to == FY_RIGHTS_WITHDRAWN)
		return 0;
	int err = find_person(req, r, &person);
	if (err)
		return err;
	*ret_gone = person.gone;
	*ret_tells = !person.gone;
	if (person.gone)
		return 0;
	return fy_mails_right(req, step->to,
			      &(struct fy_mails_right){ .lang = person.lang,
							.to = person.email.text,
							.name = person.greeting,
							.kind = r->kind,
							.received = r->received_at,
							.due = change->answer_by,
							.lift = change->lift_at,
							.letter = step->is_letter ? change->text : change->note },
			      mail);
}

fy_async static int take_step(struct fy_req *req, const struct step *step, const struct fy_rights_request *r)
{
	struct fy_rights_change change = { .id = r->id,
					   .account_id = r->account_id,
					   .from = r->state,
					   .to = step->to,
					   .by_account_id = req->session->account_id };
	struct fy_mail_new mail;
	bool tells, gone;
	fill(req, step, r, &change);
	int err = make_mail(req, step, r, &change, &mail, &tells, &gone);
	if (err == 0)
		err = fy_rights_move(&req->ctx, &change, tells ? &mail : NULL);
	if (err == FY_ERR_CONFLICT)
		return conflict_page(req, r->id, step);
	if (err)
		return err;
	if (tells)
		fy_mails_kick(req);
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/requests/%llu", (unsigned long long)r->id));
	return fy_redirect_said(req, path, gone ? FY_TEXT_NOTICE_REQUEST_UNSENT : FY_TEXT_NOTICE_REQUEST_MOVED, 0);
}

static const struct step *find_step(struct fy_slice name)
{
	for (size_t i = 0; i < FY_COUNT(steps); i++)
		if (fy_eq(name, fy_str(steps[i].name)))
			return &steps[i];
	return NULL;
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_rights_request request;
	struct fy_form form;
	uint64_t id;
	const struct step *step = find_step(fy_param(req, "step"));
	enum fy_rights_state seen = fy_right_state(fy_param(req, "state"));
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	if (step == NULL || !fy_rights_may_go(seen, step->to) || (step->from && step->from != seen))
		return FY_ERR_INVALID; /* no form of ours offers that */
	int err = fy_rights_get(&req->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &request);
	if (err)
		return err;
	if (!may_go(req, &request, step->to) && fy_rights_may_go(request.state, step->to))
		return FY_ERR_DENIED;
	if (request.state != seen)
		return request_page(req, &request, NULL, step, true, 409);
	fy_form_init(&form, req);
	if (step->field)
		fy_form_need(&form, step->field, step->missing);
	if (step->to == FY_RIGHTS_EXTENDED && req->ctx.now > request.due_at) {
		form.count = 0;
		fy_form_error(&form, "", FY_TEXT_ERROR_EXTENSION_LATE);
	}
	return form.count ? request_page(req, &request, &form, step, false, 422) : take_step(req, step, &request);
}

static const struct fy_param list_params[] = { FY_QUERY("state", 20), FY_QUERY("cursor", FY_RIGHT_CURSOR_CHARS) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param step_params[] = {
	FY_PATH("id", 20),
	FY_FORM("csrf", 64),
	FY_FORM("state", 20),
	FY_FORM("step", 20),
	FY_FORM("identity", FY_RIGHTS_NOTE_CHARS, .lines = true),
	FY_FORM("proof", FY_RIGHTS_NOTE_CHARS, .lines = true),
	FY_FORM("reply", FY_RIGHTS_REPLY_CHARS, .lines = true),
	FY_FORM("extension", FY_RIGHTS_NOTE_CHARS, .lines = true),
	FY_FORM("refusal", FY_RIGHTS_REPLY_CHARS, .lines = true),
	FY_FORM("withdrawal", FY_RIGHTS_NOTE_CHARS, .lines = true),
};

const struct fy_route fy_manage_requests_routes[] = {
	{ FY_GET, "/manage/requests", list, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_RIGHTS,
	  FY_PARAMS(list_params) },
	{ FY_GET, "/manage/requests/:id", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_RIGHTS,
	  FY_PARAMS(show_params) },
	{ FY_POST, "/manage/requests/:id/step", submit, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_RIGHTS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(step_params), .body_max = 65536 },
};
const unsigned fy_manage_requests_route_count = sizeof fy_manage_requests_routes / sizeof fy_manage_requests_routes[0];
