/* Invitations to market research (storage/studies.h): the list, one that is written or edited, its two letters as they will
 * be read, and the orders to send it and to stop. Who is invited is decided by the persons and carried out by jobs/studies.c;
 * here nobody's name or address is seen, only how many agree. */
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/runner.h"
#include "protocol/http_chars.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/tables.h"
#include "storage/once.h"
#include "storage/studies.h"

#define PAGE_SIZE 30
#define WRITERS (FY_ROLES(OWNER) | FY_ROLES(STAFF))
#define READERS (WRITERS | FY_ROLES(AUDITOR) | FY_ROLES(DPO))

static const char *const state_names[FY_STUDY_STATES_END] = { [FY_STUDY_DRAFT] = "draft",
							      [FY_STUDY_SENDING] = "sending",
							      [FY_STUDY_ENDED] = "ended",
							      [FY_STUDY_STOPPED] = "stopped" };

static struct fy_slice state_name(enum fy_study_state state)
{
	FY_REQUIRE(state > 0 && state < FY_STUDY_STATES_END);
	return fy_str(state_names[state]);
}

static bool may_write(const struct fy_req *req)
{
	return WRITERS >> req->session->role & 1;
}

static struct fy_slice path_of(struct fy_req *req, uint64_t id)
{
	return fy_fmt(&req->arena, "/manage/studies/%llu", (unsigned long long)id);
}

static int said(struct fy_req *req, uint64_t id, enum fy_text notice)
{
	return fy_redirect_said(req, fy_cstr(&req->arena, path_of(req, id)), notice, 0);
}

fy_async static int find(struct fy_req *req, struct fy_study *ret_study)
{
	uint64_t id;
	return fy_param_u64(req, "id", &id) ? FY_ERR_NOT_FOUND : fy_studies_get(&req->ctx, id, ret_study);
}

/* ---- The list ---- */

fy_async static int list(struct fy_req *req)
{
	struct fy_study_page found;
	struct fy_page page;
	struct fy_buf out;
	uint64_t cursor = 0, agreed;
	int err = fy_param(req, "cursor").len ? fy_param_u64(req, "cursor", &cursor) : 0;
	if (err == 0)
		err = fy_studies_list(&req->ctx, cursor, PAGE_SIZE, &found);
	if (err == 0)
		err = fy_studies_agreed(&req->ctx, &agreed);
	if (err)
		return err;
	struct fy_row_study *rows = fy_new_array(&req->arena, struct fy_row_study, found.count + 1);
	for (size_t i = 0; i < found.count; i++) {
		const struct fy_study_line *s = &found.items[i];
		rows[i] = (struct fy_row_study){ .id = s->id,
						 .title = s->title[req->ctx.lang],
						 .state = state_name(s->state),
						 .sent = s->sent_at,
						 .told = s->told };
	}
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_studies(&out, &page,
			       &(struct fy_view_manage_studies){
				       .agreed = agreed,
				       .may_write = may_write(req),
				       .next_cursor = found.next_cursor ? fy_fmt(&req->arena, "%llu",
										 (unsigned long long)found.next_cursor)
									: FY_NONE,
				       .studies = rows,
				       .studies_count = found.count,
			       });
	return fy_reply_html(req, 200, &out);
}

/* ---- One invitation, as it will be read ---- */

fy_async static int study_page(struct fy_req *req, const struct fy_study *s, bool conflict, int status)
{
	const struct fy_telling *t = &s->telling;
	struct fy_page page;
	struct fy_buf out;
	struct fy_view_manage_study view = {
		.id = s->id,
		.version = s->version,
		.name = s->text.title[req->ctx.lang],
		.state = state_name(s->state),
		.draft = s->state == FY_STUDY_DRAFT,
		.sending = s->state == FY_STUDY_SENDING,
		.may_write = may_write(req),
		.conflict = conflict,
		.created = s->created_at,
		.created_by = s->created_by,
		.sent = s->sent_at,
		.sent_by = s->sent_by,
		.ended = s->ended_at,
		.stopped_by = s->stopped_by,
		.told = t->told,
		.persons = t->persons > t->told ? t->persons : t->told, /* who agreed meanwhile is told, too */
		.counted = t->counted,
	};
	int err = fy_studies_agreed(&req->ctx, &view.agreed);
	if (err == 0)
		err = fy_mails_study_preview(&req->ctx, &s->text, FY_LANG_FR, &view.subject_fr, &view.letter_fr);
	if (err == 0)
		err = fy_mails_study_preview(&req->ctx, &s->text, FY_LANG_EN, &view.subject_en, &view.letter_en);
	if (err)
		return err;
	fy_page_with_form(req, &page);
	page.path = path_of(req, s->id);
	if (!conflict)
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_study(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_study study;
	int err = find(req, &study);
	return err ? err : study_page(req, &study, false, 200);
}

/* ---- Writing ---- */

/* `id` 0: a new one. */
static int form_page(struct fy_req *req, uint64_t id, uint64_t version, const struct fy_study_text *text,
		     const struct fy_form *form, bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	char *once = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	fy_session_make_token(once);
	fy_form_page(req, form, &page);
	fy_page_buf(req, &out);
	fy_page_manage_study_form(&out, &page,
				  &(struct fy_view_manage_study_form){ .id = id,
								       .version = version,
								       .once = fy_str(once),
								       .conflict = conflict,
								       .title_fr = text->title[FY_LANG_FR],
								       .text_fr = text->text[FY_LANG_FR],
								       .title_en = text->title[FY_LANG_EN],
								       .text_en = text->text[FY_LANG_EN],
								       .link = text->link });
	return fy_reply_html(req, status, &out);
}

static bool is_link(struct fy_slice link)
{
	struct fy_slice rest = fy_from(link, fy_starts(link, FY_LIT("https://")) ? 8 : link.len);
	return rest.len && rest.ptr[0] != '/' && fy_span(rest, FY_C_PATH | FY_C_QUERY) == rest.len;
}

static void take(struct fy_form *form, struct fy_study_text *text)
{
	struct fy_req *req = form->req;
	*text = (struct fy_study_text){
		.title = { [FY_LANG_FR] = fy_param(req, "title_fr"), [FY_LANG_EN] = fy_param(req, "title_en") },
		.text = { [FY_LANG_FR] = fy_param(req, "text_fr"), [FY_LANG_EN] = fy_param(req, "text_en") },
		.link = fy_param(req, "link"),
	};
	fy_form_need(form, "title_fr", FY_TEXT_ERROR_STUDY_TITLE_FR_MISSING);
	fy_form_need(form, "text_fr", FY_TEXT_ERROR_STUDY_TEXT_FR_MISSING);
	fy_form_need(form, "title_en", FY_TEXT_ERROR_STUDY_TITLE_EN_MISSING);
	fy_form_need(form, "text_en", FY_TEXT_ERROR_STUDY_TEXT_EN_MISSING);
	if (text->link.len && !fy_form_has_error(form, "link") && !is_link(text->link))
		fy_form_error(form, "link", FY_TEXT_ERROR_STUDY_LINK_FORMAT);
}

fy_async static int show_new(struct fy_req *req)
{
	return form_page(req, 0, 0, &(struct fy_study_text){ 0 }, NULL, false, 200);
}

fy_async static int submit_new(struct fy_req *req)
{
	struct fy_study_text text;
	struct fy_form form;
	struct fy_once once;
	struct fy_slice path;
	uint64_t id;
	fy_form_init(&form, req);
	take(&form, &text);
	if (form.count)
		return form_page(req, 0, 0, &text, &form, false, 422);
	int err = fy_once_begin(&req->ctx,
				fy_fmt(&req->arena, FY_FMT "\n" FY_FMT "\n" FY_FMT, FY_ARG(req->token),
				       FY_ARG(fy_param(req, "once")), FY_ARG(text.text[FY_LANG_FR])),
				&once, &path);
	if (err)
		return err == FY_ERR_EXISTS ? fy_redirect_to(req, path) : err;
	err = fy_studies_add(&req->ctx, &text, req->session->account_id, &id);
	if (err) {
		fy_once_failed(&req->ctx, &once);
		return err;
	}
	fy_once_done(&req->ctx, &once, path_of(req, id));
	fy_log(&req->ctx, FY_LOG_INFO, "study.written", FY_KV("study", id), FY_KV("by", req->session->account_id));
	return said(req, id, FY_TEXT_NOTICE_STUDY_SAVED);
}

fy_async static int show_edit(struct fy_req *req)
{
	struct fy_study study;
	int err = find(req, &study);
	if (err)
		return err;
	if (study.state != FY_STUDY_DRAFT)
		return fy_redirect_to(req, path_of(req, study.id));
	return form_page(req, study.id, study.version, &study.text, NULL, false, 200);
}

/* What another window saved meanwhile is not overwritten: what was typed stays, with the fresh version to send. */
fy_async static int submit_edit(struct fy_req *req)
{
	struct fy_study_text text;
	struct fy_study study;
	struct fy_form form;
	uint64_t version;
	int err = find(req, &study);
	if (err)
		return err;
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	fy_form_init(&form, req);
	take(&form, &text);
	if (form.count)
		return form_page(req, study.id, version, &text, &form, false, 422);
	err = fy_studies_save(&req->ctx, study.id, (uint32_t)version, &text);
	if (err == 0) {
		fy_log(&req->ctx, FY_LOG_INFO, "study.edited", FY_KV("study", study.id),
		       FY_KV("by", req->session->account_id));
		return said(req, study.id, FY_TEXT_NOTICE_STUDY_SAVED);
	}
	if (err == FY_ERR_CONFLICT)
		err = fy_studies_get(&req->ctx, study.id, &study);
	if (err)
		return err;
	return study.state == FY_STUDY_DRAFT ? form_page(req, study.id, study.version, &text, &form, true, 409)
					     : study_page(req, &study, true, 409);
}

/* ---- Orders ---- */

/* After an order: on to the invitation, or the page that says that it was no longer so. */
fy_async static int end(struct fy_req *req, uint64_t id, int err, const char *event, enum fy_text notice)
{
	struct fy_study now;
	if (err == 0) {
		fy_log(&req->ctx, FY_LOG_INFO, event, FY_KV("study", id), FY_KV("by", req->session->account_id));
		return said(req, id, notice);
	}
	if (err == FY_ERR_CONFLICT)
		err = fy_studies_get(&req->ctx, id, &now);
	return err ? err : study_page(req, &now, true, 409);
}

fy_async static int send_it(struct fy_req *req)
{
	uint64_t id, version;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	if (fy_param_u64(req, "version", &version) || version > UINT32_MAX)
		return FY_ERR_INVALID;
	int err = fy_studies_send(&req->ctx, id, (uint32_t)version, req->session->account_id);
	if (err == 0 && req->app->jobs)
		fy_jobs_kick(req->app->jobs, "studies");
	return end(req, id, err, "study.sent", FY_TEXT_NOTICE_STUDY_SENT);
}

fy_async static int stop(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_studies_stop(&req->ctx, id, req->session->account_id);
	return end(req, id, err, "study.stopped", FY_TEXT_NOTICE_STUDY_STOPPED);
}

#define TEXTS                                                                                                      \
	FY_FORM("csrf", 64), FY_FORM("title_fr", FY_STUDY_TITLE_CHARS),                                            \
		FY_FORM("text_fr", FY_STUDY_TEXT_CHARS, .lines = true), FY_FORM("title_en", FY_STUDY_TITLE_CHARS), \
		FY_FORM("text_en", FY_STUDY_TEXT_CHARS, .lines = true), FY_FORM("link", FY_STUDY_LINK_CHARS)
static const struct fy_param list_params[] = { FY_QUERY("cursor", 20) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param id_params[] = { FY_PATH("id", 20) };
static const struct fy_param new_params[] = { TEXTS, FY_FORM("once", FY_TOKEN_CHARS) };
static const struct fy_param edit_params[] = { FY_PATH("id", 20), TEXTS, FY_FORM("version", 10) };
static const struct fy_param send_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("version", 10) };
static const struct fy_param stop_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64) };

const struct fy_route fy_manage_studies_routes[] = {
	{ FY_GET, "/manage/studies", list, .access = FY_ACCESS_MANAGER, .roles = READERS, FY_PARAMS(list_params) },
	{ FY_GET, "/manage/studies/new", show_new, .access = FY_ACCESS_MANAGER, .roles = WRITERS },
	{ FY_POST, "/manage/studies/new", submit_new, .access = FY_ACCESS_MANAGER, .roles = WRITERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(new_params), .body_max = 131072 },
	{ FY_GET, "/manage/studies/:id", show, .access = FY_ACCESS_MANAGER, .roles = READERS, FY_PARAMS(show_params) },
	{ FY_GET, "/manage/studies/:id/edit", show_edit, .access = FY_ACCESS_MANAGER, .roles = WRITERS,
	  FY_PARAMS(id_params) },
	{ FY_POST, "/manage/studies/:id/edit", submit_edit, .access = FY_ACCESS_MANAGER, .roles = WRITERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(edit_params), .body_max = 131072 },
	{ FY_POST, "/manage/studies/:id/send", send_it, .access = FY_ACCESS_MANAGER, .roles = WRITERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(send_params), .body_max = 4096 },
	{ FY_POST, "/manage/studies/:id/stop", stop, .access = FY_ACCESS_MANAGER, .roles = WRITERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(stop_params), .body_max = 4096 },
};
const unsigned fy_manage_studies_route_count = sizeof fy_manage_studies_routes / sizeof fy_manage_studies_routes[0];
