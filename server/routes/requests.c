/* The member's requests about rights (GDPR Articles 15 to 22): making one, following it, withdrawing it. A session is
 * proof enough of who asks, so the month begins at once. The staff's side is manage_requests.c. */
#include "server/auth/one_time.h"
#include "server/domain/deadline.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/right_words.h"
#include "server/routes/tables.h"
#include "storage/accounts.h"
#include "storage/once.h"

#define PAGE_SIZE 20

fy_async static int list_page(struct fy_req *req, const struct fy_form *form, struct fy_rights_cursor after, int status)
{
	struct fy_rights_page found;
	struct fy_page page;
	struct fy_buf out;
	enum fy_lang lang = req->ctx.lang;
	char *once = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	fy_session_make_token(once);
	int err = fy_rights_list_person(&req->ctx, req->session->account_id, after, PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_own_request *rows = fy_new_array(&req->arena, struct fy_row_own_request, found.count + 1);
	for (size_t i = 0; i < found.count; i++)
		rows[i] = (struct fy_row_own_request){
			.id = found.items[i].id,
			.kind = fy_right_kind_words(lang, found.items[i].kind),
			.state = fy_right_state_words(lang, found.items[i].state),
			.received = found.items[i].received_at,
			.answer_by = found.items[i].answer_by,
			.ended = found.items[i].ended_at,
			.stopped = found.items[i].clock_stopped_at != 0,
		};
	struct fy_view_account_requests view = {
		.requests = rows,
		.requests_count = found.count,
		.next_cursor = fy_right_cursor_text(req, found.next),
		.once = fy_str(once),
	};
	fy_form_page(req, form, &page);
	if (form) {
		view.kind = fy_param(req, "kind");
		view.wish.text = fy_param(req, "wish");
	} else {
		fy_page_said(req, &page);
	}
	fy_page_buf(req, &out);
	fy_page_account_requests(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int list(struct fy_req *req)
{
	struct fy_rights_cursor after;
	int err = fy_right_cursor(req, &after);
	return err ? err : list_page(req, NULL, after, 200);
}

/* Another person's request does not exist. */
fy_async static int find_own(struct fy_req *req, struct fy_rights_request *ret_request)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_rights_get(&req->ctx, id, FY_PURPOSE_RIGHTS, ret_request);
	return err == 0 && ret_request->account_id != req->session->account_id ? FY_ERR_NOT_FOUND : err;
}

static int request_page(struct fy_req *req, const struct fy_rights_request *r, bool conflict, int status)
{
	struct fy_page page;
	struct fy_buf out;
	fy_page_with_form(req, &page);
	if (conflict)
		page.path = fy_fmt(&req->arena, "/account/requests/%llu", (unsigned long long)r->id);
	else
		fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_account_request(&out, &page,
				&(struct fy_view_account_request){
					.id = r->id,
					.kind = fy_right_kind_words(req->ctx.lang, r->kind),
					.state = fy_right_state_words(req->ctx.lang, r->state),
					.open = r->ended_at == 0,
					.stopped = r->clock_stopped_at != 0,
					.conflict = conflict,
					.received = r->received_at,
					.answer_by = r->answer_by,
					.ended = r->ended_at,
					.wish = r->wish,
					.extension = r->extension_reason,
					.reply = r->reply,
					.refusal = r->refusal_reason,
				});
	return fy_reply_html(req, status, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_rights_request request;
	int err = find_own(req, &request);
	return err ? err : request_page(req, &request, false, 200);
}

fy_async static int store(struct fy_req *req, const struct fy_account *account, enum fy_rights_kind kind)
{
	struct fy_mail_new receipt;
	uint64_t id;
	struct fy_rights_new request = {
		.account_id = account->id,
		.kind = kind,
		.lang = account->profile.language,
		.wish = { fy_param(req, "wish") },
		.received_at = req->ctx.now,
		.due_at = fy_deadline_after_months(req->ctx.now, FY_DEADLINE_MONTHS),
	};
	int err = fy_mails_right(req, FY_RIGHTS_RECEIVED,
				 &(struct fy_mails_right){ .lang = request.lang,
							   .to = account->email.text,
							   .name = account->profile.given_name,
							   .kind = kind,
							   .received = request.received_at,
							   .due = request.due_at,
							   .has_account = true },
				 &receipt);
	if (err == 0)
		err = fy_rights_add(&req->ctx, &request, &receipt, &id);
	if (err == 0)
		fy_mails_kick(req);
	return err;
}

static int made(struct fy_req *req, enum fy_rights_kind kind)
{
	return fy_redirect_said(
		req, "/account/requests",
		fy_rights_restricts(kind) ? FY_TEXT_NOTICE_REQUEST_MADE_RESTRICTED : FY_TEXT_NOTICE_REQUEST_MADE, 0);
}

fy_async static int submit(struct fy_req *req)
{
	struct fy_account account;
	struct fy_form form;
	struct fy_once once;
	struct fy_slice answer;
	enum fy_rights_kind kind = fy_right_kind(fy_param(req, "kind"));
	fy_form_init(&form, req);
	if (kind == 0)
		fy_form_error(&form, "kind", FY_TEXT_ERROR_RIGHT_MISSING);
	fy_form_need(&form, "wish", FY_TEXT_ERROR_WISH_MISSING);
	if (form.count)
		return list_page(req, &form, (struct fy_rights_cursor){ 0 }, 422);
	int err = fy_accounts_get(&req->ctx, req->session->account_id, FY_PURPOSE_RIGHTS, &account);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_UNAUTHENTICATED : err;
	err = fy_once_begin(&req->ctx,
			    fy_fmt(&req->arena, FY_FMT "\n" FY_FMT "\n%u\n" FY_FMT, FY_ARG(req->token),
				   FY_ARG(fy_param(req, "once")), (unsigned)kind, FY_ARG(fy_param(req, "wish"))),
			    &once, &answer);
	if (err)
		return err == FY_ERR_EXISTS ? made(req, kind) : err;
	err = store(req, &account, kind);
	if (err)
		fy_once_failed(&req->ctx, &once);
	else
		fy_once_done(&req->ctx, &once, FY_LIT("made"));
	return err ? err : made(req, kind);
}

fy_async static int withdraw(struct fy_req *req)
{
	struct fy_rights_request request;
	uint64_t me = req->session->account_id;
	int err = find_own(req, &request);
	if (err)
		return err;
	err = request.ended_at ? FY_ERR_CONFLICT
			       : fy_rights_move(&req->ctx,
						&(struct fy_rights_change){ .id = request.id,
									    .account_id = me,
									    .from = request.state,
									    .to = FY_RIGHTS_WITHDRAWN,
									    .by_account_id = me },
						NULL);
	if (err == FY_ERR_CONFLICT) {
		err = fy_rights_get(&req->ctx, request.id, FY_PURPOSE_RIGHTS, &request);
		return err ? err : request_page(req, &request, true, 409);
	}
	if (err)
		return err;
	char *path =
		fy_cstr(&req->arena, fy_fmt(&req->arena, "/account/requests/%llu", (unsigned long long)request.id));
	return fy_redirect_said(req, path, FY_TEXT_NOTICE_REQUEST_WITHDRAWN, 0);
}

static const struct fy_param list_params[] = { FY_QUERY("cursor", FY_RIGHT_CURSOR_CHARS), FY_SAID };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param submit_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("kind", 20),
	FY_FORM("wish", FY_RIGHTS_WISH_CHARS, .lines = true),
	FY_FORM("once", FY_TOKEN_CHARS),
};
static const struct fy_param withdraw_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64) };

const struct fy_route fy_requests_routes[] = {
	{ FY_GET, "/account/requests", list, .access = FY_ACCESS_MEMBER, FY_PARAMS(list_params) },
	{ FY_POST, "/account/requests", submit, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL,
	  FY_PARAMS(submit_params), .body_max = 65536 },
	{ FY_GET, "/account/requests/:id", show, .access = FY_ACCESS_MEMBER, FY_PARAMS(show_params) },
	{ FY_POST, "/account/requests/:id/withdraw", withdraw, .access = FY_ACCESS_MEMBER, .csrf = FY_CSRF_FORM,
	  .rate = FY_RATE_WRITE, FY_PARAMS(withdraw_params), .body_max = 4096 },
};
const unsigned fy_requests_route_count = sizeof fy_requests_routes / sizeof fy_requests_routes[0];
