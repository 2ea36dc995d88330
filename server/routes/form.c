/* See form.h. */
#include "server/routes/form.h"

#include <stdio.h>
#include <time.h>

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/path.h"
#include "protocol/problem.h"
#include "server/auth/one_time.h"
#include "server/auth/password_rules.h"
#include "server/http/visitor.h"

void fy_form_init(struct fy_form *form, struct fy_req *req)
{
	form->req = req;
	form->count = 0;
	for (unsigned i = 0; i < req->route->param_count; i++) {
		const struct fy_param *param = &req->route->params[i];
		if (param->in != FY_IN_FORM && param->in != FY_IN_JSON)
			continue;
		if (req->faults[i] == FY_PARAM_TOO_LONG)
			fy_form_error_n(form, param->name, FY_TEXT_ERROR_TEXT_LONG, param->max);
		else if (req->faults[i] == FY_PARAM_BAD_TEXT)
			fy_form_error(form, param->name, FY_TEXT_ERROR_TEXT_CHARACTERS);
	}
}

bool fy_form_has_error(const struct fy_form *form, const char *field)
{
	for (size_t i = 0; i < form->count; i++)
		if (fy_eq(form->errors[i].field, fy_str(field)))
			return true;
	return false;
}

void fy_form_error_n(struct fy_form *form, const char *field, enum fy_text key, uint64_t n)
{
	if (form->count == FY_FORM_ERRORS_MAX || (*field && fy_form_has_error(form, field)))
		return; /* one error a field is what a person can mend at a time */
	form->errors[form->count++] = (struct fy_field_error){ .field = fy_str(field), .key = key, .args = { .n = n } };
}

void fy_form_error(struct fy_form *form, const char *field, enum fy_text key)
{
	fy_form_error_n(form, field, key, 0);
}

void fy_form_need(struct fy_form *form, const char *field, enum fy_text key)
{
	if (fy_param(form->req, field).len == 0)
		fy_form_error(form, field, key);
}

bool fy_form_email(struct fy_form *form, const char *field, struct fy_slice *ret_address, uint8_t ret_hash[32])
{
	fy_form_need(form, field, FY_TEXT_ERROR_EMAIL_MISSING);
	if (fy_form_has_error(form, field))
		return false;
	if (fy_email_hash(&form->req->ctx, fy_param(form->req, field), ret_address, ret_hash) == 0)
		return true;
	fy_form_error(form, field, FY_TEXT_ERROR_EMAIL_FORMAT);
	return false;
}

bool fy_form_new_password(struct fy_form *form, const char *field, const struct fy_slice *names, size_t name_count,
			  struct fy_secret *ret_password)
{
	struct fy_req *req = form->req;
	struct fy_slice typed = fy_param(req, field), personal[6];
	FY_REQUIRE(name_count <= 5);
	for (size_t i = 0; i < name_count; i++)
		personal[i] = names[i];
	personal[name_count] = req->app->config->site_name;
	if (fy_form_has_error(form, field))
		return false;
	switch (fy_password_check(&req->arena, typed, personal, name_count + 1)) {
	case FY_PASSWORD_GOOD:
		if (fy_password_normalise(&req->arena, typed, ret_password) == 0)
			return true;
		/* fall through */
	case FY_PASSWORD_CHARACTERS:
		fy_form_error(form, field, FY_TEXT_ERROR_PASSWORD_CHARACTERS);
		break;
	case FY_PASSWORD_MISSING:
		fy_form_error(form, field, FY_TEXT_ERROR_PASSWORD_MISSING);
		break;
	case FY_PASSWORD_SHORT:
		fy_form_error_n(form, field, FY_TEXT_ERROR_PASSWORD_SHORT, FY_PASSWORD_MIN);
		break;
	case FY_PASSWORD_LONG:
		fy_form_error_n(form, field, FY_TEXT_ERROR_PASSWORD_LONG, FY_PASSWORD_MAX);
		break;
	case FY_PASSWORD_COMMON:
		fy_form_error(form, field, FY_TEXT_ERROR_PASSWORD_COMMON);
		break;
	case FY_PASSWORD_PERSONAL:
		fy_form_error(form, field, FY_TEXT_ERROR_PASSWORD_PERSONAL);
		break;
	case FY_PASSWORD_WEAK:
		fy_form_error(form, field, FY_TEXT_ERROR_PASSWORD_WEAK);
		break;
	}
	return false;
}

static bool two_digits(const char *at, int max, int *ret_number)
{
	if ((unsigned)(at[0] - '0') > 9 || (unsigned)(at[1] - '0') > 9)
		return false;
	*ret_number = (at[0] - '0') * 10 + (at[1] - '0');
	return *ret_number <= max;
}

static bool parse_moment(struct fy_slice text, fy_time *ret_moment)
{
	struct fy_datetime moment = { 0 };
	if (text.len < 16 || (text.ptr[10] != 'T' && text.ptr[10] != ' ') || text.ptr[13] != ':' ||
	    fy_parse_iso_date(fy_upto(text, 10), &moment.date) || !two_digits(text.ptr + 11, 23, &moment.hour) ||
	    !two_digits(text.ptr + 14, 59, &moment.minute))
		return false;
	if (text.len != 16 && (text.len != 19 || text.ptr[16] != ':' || !two_digits(text.ptr + 17, 59, &moment.second)))
		return false;
	*ret_moment = fy_time_from_paris(&moment);
	return *ret_moment > 0;
}

fy_time fy_form_moment(struct fy_form *form, const char *field)
{
	fy_time moment = 0;
	struct fy_slice text = fy_param(form->req, field);
	if (text.len && !parse_moment(text, &moment)) {
		fy_form_error(form, field, FY_TEXT_ERROR_MOMENT_FORMAT);
		return 0;
	}
	if (moment > form->req->ctx.now)
		fy_form_error(form, field, FY_TEXT_ERROR_MOMENT_FUTURE);
	return moment;
}

struct fy_slice fy_form_moment_text(struct fy_req *req, fy_time moment)
{
	struct fy_datetime at = fy_datetime_paris(moment);
	return moment ? fy_fmt(&req->arena, "%04d-%02d-%02dT%02d:%02d", at.date.year, at.date.month, at.date.day,
			       at.hour, at.minute)
		      : FY_NONE;
}

void fy_form_page(struct fy_req *req, const struct fy_form *form, struct fy_page *ret_page)
{
	fy_page_with_form(req, ret_page);
	if (form == NULL)
		return;
	ret_page->errors = form->errors;
	ret_page->error_count = form->count;
}

int fy_form_refuse(const struct fy_form *form)
{
	struct fy_req *req = form->req;
	struct fy_problem_error *errors = fy_new_array(&req->arena, struct fy_problem_error, form->count);
	for (size_t i = 0; i < form->count; i++) {
		struct fy_buf detail;
		fy_buf_init(&detail, &req->arena, 1024);
		fy_text_put(&detail, req->ctx.lang, form->errors[i].key, form->errors[i].args);
		errors[i] = (struct fy_problem_error){ form->errors[i].field, fy_buf_slice(&detail) };
	}
	return fy_reply_problem(req, 422, FY_LIT("Some fields are not valid."), errors, form->count);
}

int fy_redirect_said(struct fy_req *req, const char *path, enum fy_text notice, uint64_t n)
{
	struct fy_slice name = fy_text_name(notice); /* "notice.profile_saved" */
	struct fy_slice rest = name;
	char mark = strchr(path, '?') ? '&' : '?';
	fy_cut(&rest, '.');
	if (n)
		return fy_redirect_to(req, fy_fmt(&req->arena, "%s%csaid=" FY_FMT "&n=%llu", path, mark, FY_ARG(rest),
						  (unsigned long long)n));
	return fy_redirect_to(req, fy_fmt(&req->arena, "%s%csaid=" FY_FMT, path, mark, FY_ARG(rest)));
}

/* What may be said this way, on which page, and in which colour; anything else in the query is not shown. */
static const struct {
	enum fy_text key;
	enum fy_notice_tone tone;
	const char *path; /* of the route */
} sayable[] = {
	{ FY_TEXT_NOTICE_ACCESS_APPROVED, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_ACCESS_APPROVED, FY_NOTICE_DONE, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_ASKED, FY_NOTICE_DONE, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_ACCESS_ENDED, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_ACCESS_ENDED, FY_NOTICE_DONE, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_ENDED_BEFORE, FY_NOTICE_INFO, "/account/privacy" },
	{ FY_TEXT_NOTICE_ACCESS_ENDED_BEFORE, FY_NOTICE_INFO, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_NOT_YOURS, FY_NOTICE_WARNING, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_OPENED, FY_NOTICE_WARNING, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_ACCESS_OVER, FY_NOTICE_INFO, "/account/privacy" },
	{ FY_TEXT_NOTICE_ACCESS_OVER, FY_NOTICE_INFO, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_PERSON_REFUSED, FY_NOTICE_WARNING, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_REFUSED, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_ACCESS_REFUSED, FY_NOTICE_DONE, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_ACCESS_RETURNED, FY_NOTICE_DONE, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_ACCESS_REVIEWED, FY_NOTICE_DONE, "/manage/access-requests" },
	{ FY_TEXT_NOTICE_BREACH_SAVED, FY_NOTICE_DONE, "/manage/breaches/:id" },
	{ FY_TEXT_NOTICE_CONSENT_GIVEN, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_CONSENT_WITHDRAWN, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_DATA_ALLOWED, FY_NOTICE_DONE, "/notice" },
	{ FY_TEXT_NOTICE_DATA_CORRECTED, FY_NOTICE_DONE, "/notice" },
	{ FY_TEXT_NOTICE_DATA_RESTRICTED, FY_NOTICE_DONE, "/notice" },
	{ FY_TEXT_NOTICE_EMAIL_ASKED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_EMAIL_CANCELLED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_EMAIL_CHANGED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_JOB_DONE, FY_NOTICE_DONE, "/manage/jobs" },
	{ FY_TEXT_NOTICE_HOLD_LIFTED, FY_NOTICE_DONE, "/manage/holds/:id" },
	{ FY_TEXT_NOTICE_HOLD_PLACED, FY_NOTICE_DONE, "/manage/holds/:id" },
	{ FY_TEXT_NOTICE_HOLD_REVIEWED, FY_NOTICE_DONE, "/manage/holds/:id" },
	{ FY_TEXT_NOTICE_JOB_FAILED, FY_NOTICE_WARNING, "/manage/jobs" },
	{ FY_TEXT_NOTICE_JOB_RUNNING, FY_NOTICE_INFO, "/manage/jobs" },
	{ FY_TEXT_NOTICE_LAST_OWNER, FY_NOTICE_WARNING, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_LETTER_SAVED, FY_NOTICE_DONE, "/manage/breaches/:id/letter/:language" },
	{ FY_TEXT_NOTICE_MESSAGE_UPDATED, FY_NOTICE_DONE, "/manage/contact/:id" },
	{ FY_TEXT_NOTICE_OTHERS_ENDED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_OWN_SESSION_ENDED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_OWN_SESSION_KEPT, FY_NOTICE_INFO, "/account/security" },
	{ FY_TEXT_NOTICE_OWN_SESSION_KEPT, FY_NOTICE_INFO, "/manage/sessions" },
	{ FY_TEXT_NOTICE_PASSWORD_CHANGED, FY_NOTICE_DONE, "/account/security" },
	{ FY_TEXT_NOTICE_PERSON_ENTERED, FY_NOTICE_DONE, "/account/people" },
	{ FY_TEXT_NOTICE_PERSON_NOTIFIED, FY_NOTICE_DONE, "/account/people/:id" },
	{ FY_TEXT_NOTICE_PERSON_REMOVED, FY_NOTICE_DONE, "/account/people" },
	{ FY_TEXT_NOTICE_PERSON_SAVED, FY_NOTICE_DONE, "/account/people/:id" },
	{ FY_TEXT_NOTICE_PROFILE_SAVED, FY_NOTICE_DONE, "/account/profile" },
	{ FY_TEXT_NOTICE_ROLE_CHANGED, FY_NOTICE_DONE, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_ROLE_SAME, FY_NOTICE_INFO, "/manage/people/:id" },
	{ FY_TEXT_NOTICE_REQUEST_MADE, FY_NOTICE_DONE, "/account/requests" },
	{ FY_TEXT_NOTICE_REQUEST_MADE_RESTRICTED, FY_NOTICE_DONE, "/account/requests" },
	{ FY_TEXT_NOTICE_REQUEST_MOVED, FY_NOTICE_DONE, "/manage/requests/:id" },
	{ FY_TEXT_NOTICE_REQUEST_RECORDED, FY_NOTICE_DONE, "/manage/requests/:id" },
	{ FY_TEXT_NOTICE_REQUEST_UNSENT, FY_NOTICE_WARNING, "/manage/requests/:id" },
	{ FY_TEXT_NOTICE_REQUEST_WITHDRAWN, FY_NOTICE_DONE, "/account/requests/:id" },
	{ FY_TEXT_NOTICE_RESTRICTION_ENDED, FY_NOTICE_DONE, "/account/privacy" },
	{ FY_TEXT_NOTICE_RESTRICTION_NONE, FY_NOTICE_INFO, "/account/privacy" },
	{ FY_TEXT_NOTICE_SESSION_GONE, FY_NOTICE_INFO, "/account/security" },
	{ FY_TEXT_NOTICE_SESSION_GONE, FY_NOTICE_INFO, "/manage/sessions" },
	{ FY_TEXT_NOTICE_SESSIONS_ENDED, FY_NOTICE_DONE, "/manage/sessions" },
	{ FY_TEXT_NOTICE_SETUP_DONE, FY_NOTICE_DONE, "/manage/login" },
	{ FY_TEXT_NOTICE_SIGNED_OUT, FY_NOTICE_DONE, "/login" },
	{ FY_TEXT_NOTICE_SIGNED_OUT, FY_NOTICE_DONE, "/manage/login" },
	{ FY_TEXT_NOTICE_STUDY_SAVED, FY_NOTICE_DONE, "/manage/studies/:id" },
	{ FY_TEXT_NOTICE_STUDY_SENT, FY_NOTICE_DONE, "/manage/studies/:id" },
	{ FY_TEXT_NOTICE_STUDY_STOPPED, FY_NOTICE_DONE, "/manage/studies/:id" },
};

void fy_page_said(struct fy_req *req, struct fy_page *page)
{
	struct fy_slice said = fy_param(req, "said");
	if (said.len == 0)
		return;
	for (size_t i = 0; i < FY_COUNT(sayable); i++) {
		struct fy_slice name = fy_text_name(sayable[i].key);
		fy_cut(&name, '.');
		if (!fy_eq(name, said) || strcmp(sayable[i].path, req->route->path) != 0)
			continue;
		page->notice = sayable[i].key;
		page->notice_tone = sayable[i].tone;
		fy_param_u64(req, "n", &page->notice_args.n);
	}
}

bool fy_next_page(const struct fy_req *req, struct fy_slice next)
{
	struct fy_route_match match;
	bool office = req->which == FY_COOKIE_MANAGER;
	if (!fy_path_is_local(next))
		return false;
	struct fy_slice path = fy_cut(&next, '?');
	path = fy_cut(&path, '#');
	fy_router_match(FY_GET, path, &match);
	if (match.route == NULL || match.route->api)
		return false;
	return match.route->access == FY_ACCESS_MANAGER ? office : match.route->access <= FY_ACCESS_MEMBER && !office;
}

fy_async void fy_settle(struct fy_req *req, unsigned step_ms)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	uint64_t ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec - req->started_ns;
	uint64_t step_ns = (uint64_t)step_ms * 1000000u;
	fy_sleep(&req->ctx, (step_ns - ns % step_ns) / 1000000u + 1);
}

struct fy_slice fy_link(struct fy_req *req, const char *path, const char *token)
{
	return fy_fmt(&req->arena, FY_FMT "%s%s%s", FY_ARG(req->app->config->server_base_url), path,
		      token ? "?token=" : "", token ? token : "");
}
