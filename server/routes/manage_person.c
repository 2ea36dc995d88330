/* The file of a person: sealed, until somebody else has agreed that this member of staff may read it for one purpose
 * (storage/grants.h). What is opened is written to the log first, and only then answered. Asking, giving back, and
 * breaking the glass in an emergency are here; deciding is manage_access.c's. */
#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/utf8.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/manage_people.h"
#include "server/routes/tables.h"
#include "storage/tx.h"

#define ASKS_SHOWN 10
#define LABELS_MAX 4096

/* The fields of an account, in the order in which they are shown. */
static const struct shown {
	enum fy_register_column column;
	size_t from;
	enum { TEXT, LANGUAGE, TIME } kind;
} shown[] = {
#define SHOWN(upper, member, kind)                                                   \
	{                                                                            \
		FY_COLUMN_ACCOUNT_##upper, offsetof(struct fy_account, member), kind \
	}
	SHOWN(GIVEN_NAME, profile.given_name, TEXT),
	SHOWN(FAMILY_NAME, profile.family_name, TEXT),
	SHOWN(EMAIL, email, TEXT),
	SHOWN(PHONE, profile.phone, TEXT),
	SHOWN(POSITION, profile.position, TEXT),
	SHOWN(SKILLS, profile.skills, TEXT),
	SHOWN(PASSIONS, profile.passions, TEXT),
	SHOWN(STREET_ADDRESS, profile.street_address, TEXT),
	SHOWN(POSTAL_CODE, profile.postal_code, TEXT),
	SHOWN(ADDRESS_LEVEL2, profile.address_level2, TEXT),
	SHOWN(COUNTRY, profile.country, TEXT),
	SHOWN(LANGUAGE, profile.language, LANGUAGE),
	SHOWN(CREATED_AT, created_at, TIME),
	SHOWN(CONFIRMED_AT, confirmed_at, TIME),
	SHOWN(LAST_ACTIVE_AT, last_active_at, TIME),
#undef SHOWN
};

/* As whom the register knows a role. */
static uint32_t viewer_of(unsigned role)
{
	return role == FY_ROLE_ACCOUNTING ? 1u << FY_VIEWER_ACCOUNTING
	       : role == FY_ROLE_DPO      ? 1u << FY_VIEWER_DPO
					  : 1u << FY_VIEWER_STAFF;
}

static void put_value(const struct shown *s, const struct fy_account *account, struct fy_row_person_field *row)
{
	const void *from = (const char *)account + s->from;
	if (s->kind == TIME)
		memcpy(&row->when, from, sizeof row->when);
	else if (s->kind == TEXT)
		memcpy(&row->value, from, sizeof row->value);
	else
		row->value.text = account->profile.language == FY_LANG_EN ? FY_LIT("English") : FY_LIT("Français");
}

/* The fields as the grant opens them; `account` NULL: sealed. ret_read (of FY_READ_FIELDS_MAX) names the open ones by
 * their columns, ret_refused those that the purpose does not cover by their labels. */
static struct fy_row_person_field *field_rows(struct fy_req *req, const struct fy_account *account,
					      enum fy_register_purpose purpose, struct fy_buf *ret_read,
					      struct fy_buf *ret_refused)
{
	struct fy_row_person_field *rows = fy_new_array(&req->arena, struct fy_row_person_field, FY_COUNT(shown));
	fy_buf_init(ret_read, &req->arena, FY_READ_FIELDS_MAX);
	fy_buf_init(ret_refused, &req->arena, LABELS_MAX);
	for (size_t i = 0; i < FY_COUNT(shown); i++) {
		const struct fy_register_field *field = &fy_register_fields[shown[i].column];
		rows[i].label = field->label[req->ctx.lang];
		rows[i].status = FY_LIT("sealed");
		if (account == NULL)
			continue;
		if (account->person_withholds || !(field->purposes >> purpose & 1) ||
		    fy_account_withheld(account, shown[i].column)) {
			rows[i].status = FY_LIT("withheld");
			fy_buf_fmt(ret_refused, "%s" FY_FMT, ret_refused->len ? ", " : "", FY_ARG(rows[i].label));
		} else if (!(field->seen_by & viewer_of(req->session->role))) {
			rows[i].status = FY_LIT("other_role");
		} else {
			rows[i].status = FY_LIT("open");
			put_value(&shown[i], account, &rows[i]);
			fy_buf_fmt(ret_read, "%saccount.%s", ret_read->len ? " " : "", field->column);
		}
	}
	return rows;
}

/* What was refused although a grant is open is said on the page, and recorded for the operator. */
static void note_refusal(struct fy_req *req, uint64_t person, enum fy_register_purpose purpose, const char *why)
{
	fy_log(&req->ctx, FY_LOG_WARN, "access.purpose_refused", FY_KV("account", person),
	       FY_KV("by", req->session->account_id), FY_KV("purpose", fy_purpose_key(purpose)),
	       FY_KV("why", fy_str(why)));
}

/* Opens what the grant covers and writes that to the log. FY_ERR_DENIED: the grant has just ended. */
fy_async static int open_file(struct fy_req *req, const struct fy_grant_open *grant, struct fy_view_manage_person *view)
{
	struct fy_account account;
	struct fy_buf read, refused;
	int err = fy_accounts_get(&req->ctx, view->account, grant->purpose, &account);
	if (err)
		return err;
	struct fy_row_person_field *rows = field_rows(req, &account, grant->purpose, &read, &refused);
	FY_REQUIRE(!read.failed && !refused.failed);
	if (read.len) /* an accountant's grant for contact opens nothing */
		err = fy_grants_read(&req->ctx, &(struct fy_read){
							.reader_id = req->session->account_id,
							.reader_role = (enum fy_account_role)req->session->role,
							.person_id = view->account,
							.purpose = grant->purpose,
							.fields = fy_buf_slice(&read),
							.request_id = grant->id,
						});
	if (err)
		return err;
	view->fields = rows;
	view->is_open = read.len != 0;
	view->purpose = fy_purpose_label(req->ctx.lang, grant->purpose);
	view->ends = grant->ends_at;
	view->refused = fy_buf_slice(&refused);
	view->person_refuses = account.person_withholds;
	if (refused.len)
		note_refusal(req, view->account, grant->purpose,
			     account.person_withholds ? "the person withholds it" : "not collected for it");
	return 0;
}

/* The open grants as rows, and which of them the page is for: the one that `purpose` names, or the longest. A purpose that
 * is named and has no grant is refused in words. */
fy_async static int find_grants(struct fy_req *req, struct fy_view_manage_person *view, struct fy_grant_open *ret_grant)
{
	struct fy_grant_open *grants;
	enum fy_register_purpose asked = 0;
	bool named = req->head.method == FY_GET && fy_purpose_find(fy_param(req, "purpose"), &asked) == 0;
	size_t count, current = 0, found = 0;
	int err = fy_grants_open(&req->ctx, req->session->account_id, view->account, &grants, &count);
	if (err)
		return err;
	for (size_t i = count; named && i-- > 0;)
		if (grants[i].purpose == asked) {
			current = i;
			found++;
		}
	if (named && found == 0) {
		view->refused_purpose = fy_purpose_label(req->ctx.lang, asked);
		note_refusal(req, view->account, asked, "no grant for it");
	}
	struct fy_row_person_grant *rows = fy_new_array(&req->arena, struct fy_row_person_grant, count + 1);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct fy_row_person_grant){
			.id = grants[i].id,
			.purpose = fy_purpose_label(req->ctx.lang, grants[i].purpose),
			.key = fy_purpose_key(grants[i].purpose),
			.ends = grants[i].ends_at,
			.current = i == current,
		};
	view->grants = rows;
	view->grants_count = count;
	*ret_grant = count ? grants[current] : (struct fy_grant_open){ 0 };
	return 0;
}

fy_async static int fill_data(struct fy_req *req, struct fy_view_manage_person *view)
{
	struct fy_grant_open grant;
	struct fy_buf none;
	int err = find_grants(req, view, &grant);
	if (err == 0 && grant.id && view->refused_purpose.len == 0)
		err = open_file(req, &grant, view);
	if (err == FY_ERR_DENIED) {
		view->grants_count = 0;
		err = 0;
	}
	if (err == 0 && view->fields == NULL)
		view->fields = field_rows(req, NULL, 0, &none, &none);
	view->fields_count = FY_COUNT(shown);
	return err;
}

fy_async static int fill_asks(struct fy_req *req, struct fy_view_manage_person *view)
{
	struct fy_grant_page page;
	int err = fy_grants_list_person(&req->ctx, view->account, req->session->account_id, 0, ASKS_SHOWN, &page);
	if (err)
		return err;
	struct fy_row_person_ask *rows = fy_new_array(&req->arena, struct fy_row_person_ask, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		rows[i] = (struct fy_row_person_ask){
			.purpose = fy_purpose_label(req->ctx.lang, page.items[i].purpose),
			.reason = page.items[i].reason,
			.asked = page.items[i].asked_at,
			.state = fy_grant_state_key(page.items[i].state),
			.ends = page.items[i].ends_at,
			.emergency = page.items[i].break_glass,
		};
	view->asks = rows;
	view->asks_count = page.count;
	return 0;
}

static void fill_choices(struct fy_req *req, const struct fy_account_standing *person,
			 struct fy_view_manage_person *view)
{
	enum fy_lang lang = req->ctx.lang;
	struct fy_row_choice *purposes = fy_new_array(&req->arena, struct fy_row_choice, FY_PURPOSE_COUNT);
	struct fy_row_role_choice *roles = fy_new_array(&req->arena, struct fy_row_role_choice, FY_ROLE_DPO);
	for (unsigned p = 0; p < FY_PURPOSE_COUNT; p++) {
		struct fy_slice key = fy_purpose_key((enum fy_register_purpose)p);
		if (fy_grant_purpose((enum fy_register_purpose)p))
			purposes[view->purposes_count++] = (struct fy_row_choice){
				.key = key,
				.label = fy_purpose_label(lang, (enum fy_register_purpose)p),
				.chosen = fy_eq(key, fy_param(req, "purpose")),
			};
	}
	view->purposes = purposes;
	view->roles = roles;
	if (req->session->role != FY_ROLE_OWNER || person->state != FY_ACCOUNT_ACTIVE)
		return;
	for (unsigned role = FY_ROLE_MEMBER; role <= FY_ROLE_DPO; role++)
		roles[view->roles_count++] = (struct fy_row_role_choice){
			.key = fy_role_key((enum fy_account_role)role),
			.label = fy_role_label(lang, (enum fy_account_role)role),
			.chosen = role == person->role,
		};
}

fy_async static int person_page(struct fy_req *req, uint64_t id, const struct fy_form *form, int status)
{
	static const char *const states[] = {
		[FY_ACCOUNT_PENDING] = "pending", [FY_ACCOUNT_ACTIVE] = "active", [FY_ACCOUNT_CLOSED] = "closed"
	};
	struct fy_account_standing person;
	struct fy_page page;
	struct fy_buf out;
	int err = fy_accounts_standing(&req->ctx, id, &person);
	if (err)
		return err;
	struct fy_view_manage_person view = {
		.account = id,
		.role = fy_role_label(req->ctx.lang, person.role),
		.state = fy_str(states[person.state]),
		.own = id == req->session->account_id,
		.may_sessions = req->session->role == FY_ROLE_OWNER,
		.reason = { form ? fy_param(req, "reason") : FY_NONE },
		.minutes = form ? fy_param(req, "minutes") : fy_fmt(&req->arena, "%d", FY_GRANT_MINUTES),
		.may_break = req->session->role == FY_ROLE_OWNER,
	};
	fill_choices(req, &person, &view);
	if (!view.own)
		err = fill_asks(req, &view);
	if (err == 0 && !view.own)
		err = fill_data(req, &view);
	if (err)
		return err;
	fy_form_page(req, form, &page);
	if (form == NULL)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_person(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	return person_page(req, id, NULL, 200);
}

/* ---- Asking ---- */

struct asking {
	struct fy_req *req;
	struct fy_grant_new grant;
	bool break_glass;
	uint64_t *deciders;
	size_t decider_count;
	uint64_t id;
};

fy_async static int ask_and_tell(struct fy_ctx *ctx, void *arg)
{
	struct asking *a = arg;
	if (a->break_glass) {
		int err = fy_grants_break_glass(ctx, &a->grant, &a->id);
		return err ? err : fy_mails_glass_broken(a->req, &a->grant);
	}
	int err = fy_grants_ask(ctx, &a->grant, &a->id);
	if (err == 0)
		err = fy_mails_access_asked(a->req, &a->grant, (enum fy_account_role)a->req->session->role);
	return err ? err : fy_mails_access_waiting(a->req, &a->grant, a->deciders, a->decider_count);
}

static void read_form(struct fy_form *form, struct fy_grant_new *grant)
{
	struct fy_req *req = form->req;
	uint64_t minutes;
	grant->reason.text = fy_param(req, "reason");
	if (fy_purpose_find(fy_param(req, "purpose"), &grant->purpose))
		fy_form_error(form, "purpose", FY_TEXT_ERROR_PURPOSE_MISSING);
	if (fy_utf8_count(grant->reason.text) < FY_GRANT_REASON_MIN)
		fy_form_error_n(form, "reason", FY_TEXT_ERROR_REASON_SHORT, FY_GRANT_REASON_MIN);
	if (fy_param_u64(req, "minutes", &minutes) || minutes == 0 || minutes > FY_GRANT_MINUTES_MAX)
		fy_form_error_n(form, "minutes", FY_TEXT_ERROR_MINUTES_RANGE, FY_GRANT_MINUTES_MAX);
	else
		grant->minutes = (unsigned)minutes;
}

fy_async static int submit(struct fy_req *req, bool break_glass)
{
	struct asking a = { .req = req, .grant.asked_by = req->session->account_id, .break_glass = break_glass };
	struct fy_form form;
	if (fy_param_u64(req, "id", &a.grant.person_id))
		return FY_ERR_NOT_FOUND;
	fy_form_init(&form, req);
	read_form(&form, &a.grant);
	int err = 0;
	if (form.count == 0 && !break_glass) /* asks Redis, which no transaction waits for */
		err = fy_mails_deciders(req, &a.grant, &a.deciders, &a.decider_count);
	if (err == 0 && form.count == 0)
		err = fy_tx(&req->ctx, ask_and_tell, &a);
	if (err == FY_ERR_EXISTS)
		fy_form_error(&form, "purpose", FY_TEXT_ERROR_REQUEST_WAITING);
	else if (err)
		return err;
	if (form.count)
		return person_page(req, a.grant.person_id, &form, 422);
	fy_mails_kick(req);
	fy_log(&req->ctx, break_glass ? FY_LOG_WARN : FY_LOG_INFO, break_glass ? "access.glass_broken" : "access.asked",
	       FY_KV("request", a.id), FY_KV("account", a.grant.person_id), FY_KV("by", a.grant.asked_by),
	       FY_KV("purpose", fy_purpose_key(a.grant.purpose)));
	return fy_redirect_to_person(req, a.grant.person_id,
				     break_glass ? FY_TEXT_NOTICE_ACCESS_OPENED : FY_TEXT_NOTICE_ACCESS_ASKED);
}

fy_async static int ask(struct fy_req *req)
{
	return submit(req, false);
}

fy_async static int break_the_glass(struct fy_req *req)
{
	return submit(req, true);
}

fy_async static int give_back(struct fy_req *req)
{
	uint64_t id, grant;
	if (fy_param_u64(req, "id", &id) || fy_param_u64(req, "grant", &grant))
		return FY_ERR_NOT_FOUND;
	int err = fy_grants_give_back(&req->ctx, grant, req->session->account_id);
	if (err && err != FY_ERR_NOT_FOUND) /* it has ended by itself: what was asked is so */
		return err;
	return fy_redirect_to_person(req, id, FY_TEXT_NOTICE_ACCESS_RETURNED);
}

static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_QUERY("purpose", 40), FY_SAID };
static const struct fy_param ask_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("purpose", 40),
					      FY_FORM("reason", FY_GRANT_REASON_MAX, .lines = true),
					      FY_FORM("minutes", 4) };
static const struct fy_param back_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("grant", 20) };

const struct fy_route fy_manage_person_routes[] = {
	{ FY_GET, "/manage/people/:id", show, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS,
	  FY_PARAMS(show_params) },
	{ FY_POST, "/manage/people/:id/ask", ask, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS,
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL, FY_PARAMS(ask_params), .body_max = 8192 },
	{ FY_POST, "/manage/people/:id/open", break_the_glass, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES(OWNER),
	  .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL, FY_PARAMS(ask_params), .body_max = 8192 },
	{ FY_POST, "/manage/people/:id/give-back", give_back, .access = FY_ACCESS_MANAGER, .roles = FY_ROLES_ASKERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(back_params), .body_max = 4096 },
};
const unsigned fy_manage_person_route_count = sizeof fy_manage_person_routes / sizeof fy_manage_person_routes[0];
