/* The member's pages of the people they enter: list, enter, change until the person speaks for themselves, remove. What
 * the person does is notice.c. */
#include "server/routes/people.h"

#include "server/routes/mails.h"
#include "server/routes/tables.h"

#define PATH "/account/people"
#define PAGE_SIZE 50

fy_async static int list(struct fy_req *req)
{
	struct fy_provided_page found;
	struct fy_page page;
	struct fy_buf out;
	uint64_t cursor = 0;
	if (fy_param(req, "cursor").len && fy_param_u64(req, "cursor", &cursor))
		return fy_refuse(req, FY_ERR_INVALID, "cursor", "This is not a cursor of this list.");
	int err = fy_provided_list(&req->ctx, req->session->account_id, cursor, PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_entered *rows = fy_new_array(&req->arena, struct fy_row_entered, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_provided *p = &found.items[i];
		rows[i] = (struct fy_row_entered){
			.id = p->id,
			.given_name = p->fields.given_name,
			.family_name = p->fields.family_name,
			.unreadable = p->fields.given_name.text.len == 0,
			.state = fy_people_state(p->state),
			.notice = fy_people_notice_state(p->notice),
			.since = p->created_at,
		};
	}
	fy_page_with_form(req, &page);
	fy_page_said(req, &page);
	fy_page_buf(req, &out);
	struct fy_view_account_people view = { .people = rows, .people_count = found.count };
	if (found.next_cursor)
		view.next_cursor = fy_fmt(&req->arena, "%llu", (unsigned long long)found.next_cursor);
	fy_page_account_people(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

/* ---- Entering ---- */

static int new_page(struct fy_req *req, const struct fy_form *form, const struct fy_provided_fields *f, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_account_person_new(
		&out, &page,
		&(struct fy_view_account_person_new){ FY_PEOPLE_VIEW(*f, fy_people_birth_date(req, form, f)) });
	return fy_reply_html(req, status, &out);
}

fy_async static int new_show(struct fy_req *req)
{
	return new_page(req, NULL, &(struct fy_provided_fields){ .lang = req->ctx.lang }, 200);
}

/* How a page answers what fy_people_enter and fy_people_save say with an error of the form; 0: not so. */
static int status_of(int err)
{
	return err == FY_ERR_EXISTS ? 409 : err == FY_ERR_LIMITED ? 429 : err == FY_ERR_INVALID ? 422 : 0;
}

fy_async static int new_submit(struct fy_req *req)
{
	struct fy_provided_fields fields = { .lang = req->ctx.lang };
	struct fy_form form;
	uint64_t id;
	fy_form_init(&form, req);
	fy_people_take(&form, &fields);
	if (form.count)
		return new_page(req, &form, &fields, 422);
	int err = fy_people_enter(&form, &fields, &id);
	if (err && form.count && status_of(err))
		return new_page(req, &form, &fields, status_of(err));
	return err ? err : fy_redirect_said(req, PATH, FY_TEXT_NOTICE_PERSON_ENTERED, 0);
}

/* ---- One of them ---- */

fy_async static int find(struct fy_req *req, struct fy_provided *ret_person)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	return fy_provided_get(&req->ctx, req->session->account_id, id, ret_person);
}

static char *path_of(struct fy_req *req, uint64_t id)
{
	return fy_cstr(&req->arena, fy_fmt(&req->arena, PATH "/%llu", (unsigned long long)id));
}

/* `f`: what the form shows. */
static int person_page(struct fy_req *req, const struct fy_form *form, const struct fy_provided *p,
		       const struct fy_provided_fields *f, uint64_t version, bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_form_page(req, form, &page);
	page.path = fy_str(path_of(req, p->id));
	if (form == NULL && !conflict)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_account_person(
		&out, &page,
		&(struct fy_view_account_person){
			.id = p->id,
			.version = version,
			.state = fy_people_state(p->state),
			.notice = fy_people_notice_state(p->notice),
			.editable = p->state == FY_PROVIDED_ENTERED,
			.removable = p->state != FY_PROVIDED_RESTRICTED,
			.conflict = conflict,
			.since = p->created_at,
			.noticed = p->notice == FY_NOTICE_DELIVERED ? p->noticed_at : 0,
			.inform_by = p->inform_by,
			.heading = { fy_fmt(&req->arena, FY_FMT " " FY_FMT, FY_ARG(p->fields.given_name.text),
					    FY_ARG(p->fields.family_name.text)) },
			.birth_day = fy_people_birth_day(req, f),
			FY_PEOPLE_VIEW(*f, fy_people_birth_date(req, form, f)),
		});
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_provided p;
	int err = find(req, &p);
	return err ? err : person_page(req, NULL, &p, &p.fields, p.version, false, 200);
}

fy_async static int changed(struct fy_req *req)
{
	struct fy_provided p;
	int err = find(req, &p);
	return err ? err : person_page(req, NULL, &p, &p.fields, p.version, true, 409);
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_provided p;
	struct fy_form form;
	uint64_t version;
	bool notified;
	int err = find(req, &p);
	if (err)
		return err;
	if (p.state != FY_PROVIDED_ENTERED)
		return changed(req);
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	struct fy_provided_fields fields = p.fields;
	fy_form_init(&form, req);
	fy_people_take(&form, &fields);
	if (form.count)
		return person_page(req, &form, &p, &fields, version, false, 422);
	err = fy_people_save(&form, &p, (uint32_t)version, &fields, &notified);
	if (err == FY_ERR_CONFLICT || err == FY_ERR_DENIED)
		return changed(req);
	if (err && form.count && status_of(err))
		return person_page(req, &form, &p, &fields, version, false, status_of(err));
	if (err)
		return err;
	return fy_redirect_said(req, path_of(req, p.id),
				notified ? FY_TEXT_NOTICE_PERSON_NOTIFIED : FY_TEXT_NOTICE_PERSON_SAVED, 0);
}

fy_async static int remove_one(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_provided_end(&req->ctx, req->session->account_id, id, FY_PROVIDED_BY_PROVIDER, &fy_mails_provided,
				  NULL);
	if (err == FY_ERR_DENIED)
		return changed(req);
	if (err)
		return err;
	fy_mails_kick(req);
	return fy_redirect_said(req, PATH, FY_TEXT_NOTICE_PERSON_REMOVED, 0);
}

static const struct fy_param list_params[] = { FY_QUERY("cursor", 20), FY_SAID };
static const struct fy_param new_params[] = { FY_FORM("csrf", 64), FY_PEOPLE_PARAMS(FY_FORM) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param submit_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("version", 10),
						 FY_PEOPLE_PARAMS(FY_FORM) };
static const struct fy_param remove_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64) };

const struct fy_route fy_people_routes[] = {
	{ FY_GET, PATH, list, .access = FY_ACCESS_MEMBER, FY_PARAMS(list_params) },
	{ FY_GET, PATH "/new", new_show, .access = FY_ACCESS_MEMBER },
	{ FY_POST, PATH "/new", new_submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(new_params), .body_max = 16384 },
	{ FY_GET, PATH "/:id", show, .access = FY_ACCESS_MEMBER, FY_PARAMS(show_params) },
	{ FY_POST, PATH "/:id", submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_WRITE,
	  FY_PARAMS(submit_params), .body_max = 16384 },
	{ FY_POST, PATH "/:id/remove", remove_one, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(remove_params), .body_max = 4096 },
};
const unsigned fy_people_route_count = sizeof fy_people_routes / sizeof fy_people_routes[0];
