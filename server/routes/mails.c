/* See mails.h. */
#include "server/routes/mails.h"

#include "jobs/letters.h"
#include "jobs/mail_letter.h"
#include "jobs/runner.h"
#include "server/pages/letter.h"
#include "server/pages/pages_gen.h"
#include "server/routes/form.h"
#include "server/routes/register_view.h"
#include "server/routes/right_words.h"
#include "storage/email_change.h"

static struct fy_buf begin_in(struct fy_ctx *ctx)
{
	struct fy_buf fields;
	fy_buf_init(&fields, ctx->arena, FY_MAIL_FIELDS_MAX);
	fy_buf_reserve(&fields, 1024);
	return fields;
}

struct fy_buf fy_mails_begin(struct fy_req *req)
{
	return begin_in(&req->ctx);
}

static int finish_in(struct fy_ctx *ctx, const struct fy_buf *fields, const char *name, enum fy_lang lang,
		     struct fy_slice to, struct fy_mail_new *ret_mail)
{
	if (fields->failed)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "the values of mail %s are too long", name);
	*ret_mail = (struct fy_mail_new){ .template_name = fy_str(name),
					  .lang = lang,
					  .consent = fy_letter_consent(fy_str(name)),
					  .to_address = { to },
					  .fields = { fy_buf_slice(fields) } };
	return 0;
}

int fy_mails_finish(struct fy_req *req, const struct fy_buf *fields, const char *name, enum fy_lang lang,
		    struct fy_slice to, struct fy_mail_new *ret_mail)
{
	return finish_in(&req->ctx, fields, name, lang, to, ret_mail);
}

int fy_mails_confirm(struct fy_req *req, struct fy_slice to, struct fy_slice link, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_confirm_address(
		&fields, &(struct fy_mailview_confirm_address){ .link = { link }, .valid_hours = FY_CONFIRM_HOURS });
	return fy_mails_finish(req, &fields, "confirm_address", req->ctx.lang, to, ret_mail);
}

int fy_mails_address_known(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			   struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_address_known(
		&fields, &(struct fy_mailview_address_known){ .given_name = given_name,
							      .login_link = fy_link(req, "/login", NULL),
							      .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return fy_mails_finish(req, &fields, "address_known", lang, to, ret_mail);
}

int fy_mails_reset(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
		   struct fy_slice link, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_reset_password(&fields, &(struct fy_mailview_reset_password){ .given_name = given_name,
									      .link = { link },
									      .valid_minutes = FY_RESET_MINUTES });
	return fy_mails_finish(req, &fields, "reset_password", lang, to, ret_mail);
}

int fy_mails_password_changed(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			      struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_password_changed(&fields, &(struct fy_mailview_password_changed){
						  .given_name = given_name,
						  .when = req->ctx.now,
						  .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return fy_mails_finish(req, &fields, "password_changed", lang, to, ret_mail);
}

static uint64_t change_hours(const struct fy_req *req)
{
	return (uint64_t)(fy_email_change_valid(&req->ctx) / FY_HOUR);
}

int fy_mails_email_confirm(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_slice link,
			   struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_email_confirm(
		&fields, &(struct fy_mailview_email_confirm){ .link = { link }, .valid_hours = change_hours(req) });
	return fy_mails_finish(req, &fields, "email_confirm", lang, to, ret_mail);
}

int fy_mails_email_asked(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_email_asked(&fields,
			    &(struct fy_mailview_email_asked){ .given_name = account->given_name,
							       .when = req->ctx.now,
							       .valid_hours = change_hours(req),
							       .account_link = fy_link(req, "/account/security", NULL),
							       .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return fy_mails_finish(req, &fields, "email_asked", account->language, account->email.text, ret_mail);
}

int fy_mails_email_changed(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_email_changed(&fields,
			      &(struct fy_mailview_email_changed){ .given_name = account->given_name,
								   .when = req->ctx.now,
								   .contact = req->app->config->site_contact });
	return fy_mails_finish(req, &fields, "email_changed", account->language, account->email.text, ret_mail);
}

int fy_mails_email_wanted(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_email_wanted(
		&fields, &(struct fy_mailview_email_wanted){ .given_name = account->given_name,
							     .login_link = fy_link(req, "/login", NULL),
							     .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return fy_mails_finish(req, &fields, "email_wanted", account->language, account->email.text, ret_mail);
}

int fy_mails_contact_receipt(struct fy_req *req, struct fy_slice to, struct fy_slice reference,
			     struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_contact_receipt(
		&fields, &(struct fy_mailview_contact_receipt){ .reference = reference, .received = req->ctx.now });
	return fy_mails_finish(req, &fields, "contact_receipt", req->ctx.lang, to, ret_mail);
}

int fy_mails_export_link(struct fy_req *req, struct fy_slice to, struct fy_slice link, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_export_link(&fields,
			    &(struct fy_mailview_export_link){ .link = { link }, .valid_minutes = FY_EXPORT_MINUTES });
	return fy_mails_finish(req, &fields, "export_link", req->ctx.lang, to, ret_mail);
}

int fy_mails_export_nothing(struct fy_req *req, struct fy_slice to, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_export_nothing(&fields,
			       &(struct fy_mailview_export_nothing){ .privacy_link = fy_link(req, "/privacy", NULL) });
	return fy_mails_finish(req, &fields, "export_nothing", req->ctx.lang, to, ret_mail);
}

int fy_mails_erasure_asked(struct fy_req *req, const struct fy_account_signin *account, fy_time erase_at,
			   struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_erasure_asked(
		&fields, &(struct fy_mailview_erasure_asked){ .given_name = account->given_name,
							      .erase_at = erase_at,
							      .account_link = fy_link(req, "/account/erase", NULL) });
	return fy_mails_finish(req, &fields, "erasure_asked", account->language, account->email.text, ret_mail);
}

int fy_mails_right(struct fy_req *req, enum fy_rights_state to_state, const struct fy_mails_right *what,
		   struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	struct fy_slice kind = fy_right_kind_words(what->lang, what->kind), contact = req->app->config->site_contact;
	const char *name;
#define COMMON .name = what->name, .kind = kind, .received = what->received, .contact = contact
	switch (to_state) {
	case FY_RIGHTS_RECEIVED: {
		struct fy_mailview_right_receipt view = { COMMON, .due = what->due };
		if (what->has_account)
			view.link = fy_link(req, "/account/requests", NULL);
		fy_mail_right_receipt(&fields, &view);
		name = "right_receipt";
		break;
	}
	case FY_RIGHTS_IDENTITY_CHECK:
		fy_mail_right_ask(&fields, &(struct fy_mailview_right_ask){ COMMON, .letter = what->letter });
		name = "right_ask";
		break;
	case FY_RIGHTS_IN_PROGRESS:
		fy_mail_right_proven(&fields, &(struct fy_mailview_right_proven){ COMMON, .due = what->due });
		name = "right_proven";
		break;
	case FY_RIGHTS_EXTENDED:
		fy_mail_right_extended(&fields, &(struct fy_mailview_right_extended){ COMMON, .due = what->due,
										      .letter = what->letter });
		name = "right_extended";
		break;
	case FY_RIGHTS_ANSWERED:
		fy_mail_right_answer(&fields, &(struct fy_mailview_right_answer){ COMMON, .letter = what->letter });
		name = "right_answer";
		break;
	case FY_RIGHTS_REFUSED:
		fy_mail_right_refused(&fields, &(struct fy_mailview_right_refused){ COMMON, .letter = what->letter,
										    .lift = what->lift });
		name = "right_refused";
		break;
	default:
		return FY_ERR_INVALID;
	}
#undef COMMON
	return fy_mails_finish(req, &fields, name, what->lang, what->to, ret_mail);
}

/* Who reads a mail about a person, and about whom it is where that is somebody else. */
static struct fy_personal reader_of(const struct fy_provided_fields *f, fy_time now, struct fy_personal *ret_about,
				    struct fy_arena *arena)
{
	*ret_about = (struct fy_personal){ FY_NONE };
	if (fy_provided_recipient(f, now).text.ptr == f->email.text.ptr)
		return f->given_name;
	ret_about->text = fy_fmt(arena, FY_FMT " " FY_FMT, FY_ARG(f->given_name.text), FY_ARG(f->family_name.text));
	return f->adult_given_name;
}

int fy_mails_provided_notice(struct fy_req *req, const struct fy_provided_fields *f, struct fy_personal provider,
			     struct fy_slice link, unsigned valid_days, struct fy_mail_new *ret_mail)
{
	const struct fy_policy_entry *said = fy_policy_entry_of(FY_LIT("provided_person.given_name"), req->ctx.now);
	struct fy_ctx theirs = req->ctx;
	struct fy_buf fields = fy_mails_begin(req);
	struct fy_mailview_provided_notice view = {
		.provider = provider,
		.link = { link },
		.purposes = said->purposes[f->lang],
		.basis = said->basis[f->lang],
		.contact = req->app->config->site_contact,
		.dpo = req->app->config->site_dpo_contact,
		.days = valid_days,
	};
	theirs.lang = f->lang;
	view.kept = fy_register_periods(&theirs, said->periods, said->period_count);
	view.name = reader_of(f, req->ctx.now, &view.person, &req->arena);
	fy_mail_provided_notice(&fields, &view);
	return fy_mails_finish(req, &fields, "provided_notice", f->lang, fy_provided_recipient(f, req->ctx.now).text,
			       ret_mail);
}

void fy_mails_kick(struct fy_req *req)
{
	if (req->app->jobs)
		fy_jobs_kick(req->app->jobs, "mail");
}

/* ---- Of jobs ---- */

static int write_erased(struct fy_ctx *ctx, const struct fy_erasure_farewell *f, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = begin_in(ctx);
	fy_mail_erasure_done(&fields, &(struct fy_mailview_erasure_done){ .given_name = f->given_name,
									  .when = f->erased_at,
									  .receipt = f->receipt });
	return finish_in(ctx, &fields, "erasure_done", f->lang, f->email.text, ret_mail);
}

static int write_inactive(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email,
			  struct fy_personal given_name, fy_time erase_at, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = begin_in(ctx);
	fy_mail_inactive(&fields,
			 &(struct fy_mailview_inactive){ .given_name = given_name,
							 .erase_at = erase_at,
							 .login_link = fy_fmt(ctx->arena, FY_FMT "/login",
									      FY_ARG(ctx->config->server_base_url)) });
	return finish_in(ctx, &fields, "inactive", lang, email.text, ret_mail);
}

static int write_provided_erased(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = begin_in(ctx);
	struct fy_mailview_provided_erased view = { .when = gone->erased_at, .receipt = gone->receipt };
	view.why = gone->why == FY_PROVIDED_BY_PERSON       ? FY_LIT("person")
		   : gone->why == FY_PROVIDED_BY_PROVIDER   ? FY_LIT("provider")
		   : gone->why == FY_PROVIDED_WITH_PROVIDER ? FY_LIT("with_provider")
							    : FY_LIT("unused");
	view.name = reader_of(&gone->person, gone->erased_at, &view.person, ctx->arena);
	fy_mail_provided_erased(&fields, &view);
	return finish_in(ctx, &fields, "provided_erased", gone->person.lang,
			 fy_provided_recipient(&gone->person, gone->erased_at).text, ret_mail);
}

static int write_provided_gone(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = begin_in(ctx);
	const struct fy_provided_fields *f = &gone->person;
	fy_mail_provided_gone(
		&fields,
		&(struct fy_mailview_provided_gone){
			.name = gone->provider.given_name,
			.person = { fy_fmt(ctx->arena, FY_FMT " " FY_FMT, FY_ARG(f->given_name.text),
					   FY_ARG(f->family_name.text)) },
			.why = gone->why == FY_PROVIDED_UNINFORMED ? FY_LIT("uninformed") : FY_LIT("person"),
			.since = gone->entered_at,
			.when = gone->erased_at,
			.link = fy_fmt(ctx->arena, FY_FMT "/account/people", FY_ARG(ctx->config->server_base_url)) });
	return finish_in(ctx, &fields, "provided_gone", gone->provider.lang, gone->provider.email.text, ret_mail);
}

const struct fy_provided_letters fy_mails_provided = { write_provided_erased, write_provided_gone };

#define CHANGES_MAX 12000 /* bytes; what does not fit can be read on the page */

/* A line for each change that concerns the person. *ret_left: how many did not fit; *ret_kept: a purpose is new, and only
 * to fields whose values keep those that they were given for. */
static struct fy_slice changes_for(struct fy_ctx *ctx, const struct fy_policy_version *version,
				   const struct fy_announcement_person *person, uint64_t *ret_left, uint64_t *ret_kept)
{
	struct fy_ctx theirs = *ctx;
	struct fy_buf out;
	bool new_purpose = false, sealed = true;
	uint64_t left = 0;
	theirs.lang = person->lang;
	const struct fy_row_change *rows = fy_register_changes(&theirs, version);
	fy_buf_init(&out, ctx->arena, CHANGES_MAX + 1);
	for (size_t i = 0; i < version->change_count; i++) {
		const struct fy_policy_change *change = &version->changes[i];
		if (!person->concerned[i])
			continue;
		if (fy_eq(fy_str(change->kind), FY_LIT("purpose_added"))) {
			new_purpose = true;
			sealed &= change->sealed;
		}
		if (left || out.len + rows[i].words.len + 8 > CHANGES_MAX)
			left++;
		else
			fy_buf_fmt(&out, "%s– " FY_FMT, out.len ? "\n" : "", FY_ARG(rows[i].words));
	}
	*ret_left = left;
	*ret_kept = new_purpose && sealed;
	return fy_buf_slice(&out);
}

int fy_mails_policy_change(struct fy_ctx *ctx, const struct fy_policy_version *version,
			   const struct fy_announcement_person *person, struct fy_personal email,
			   struct fy_personal given_name, struct fy_mail_new *ret_mail)
{
	struct fy_slice site = ctx->config->server_base_url;
	struct fy_mailview_policy_change view = {
		.given_name = given_name,
		.effective = fy_policy_effective(version),
		.link = fy_fmt(ctx->arena, FY_FMT "/privacy/versions/%s/changes", FY_ARG(site), version->date),
		.object_link = fy_fmt(ctx->arena, FY_FMT "/account/requests", FY_ARG(site)),
		.withdraw_link = fy_fmt(ctx->arena, FY_FMT "/account/privacy", FY_ARG(site)),
		.erase_link = fy_fmt(ctx->arena, FY_FMT "/account/erase", FY_ARG(site)),
		.contact = ctx->config->site_contact,
	};
	struct fy_buf fields = begin_in(ctx);
	view.changes = changes_for(ctx, version, person, &view.left, &view.kept);
	fy_mail_policy_change(&fields, &view);
	return finish_in(ctx, &fields, "policy_change", person->lang, email.text, ret_mail);
}

int fy_mails_study(struct fy_ctx *ctx, const struct fy_study_text *text, const struct fy_study_recipient *to,
		   struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = begin_in(ctx);
	fy_mail_study_invitation(&fields,
				 &(struct fy_mailview_study_invitation){
					 .given_name = to->given_name,
					 .title = text->title[to->lang],
					 .body = text->text[to->lang],
					 .link = text->link,
					 .agreed = to->agreed_at,
					 .withdraw_link = { fy_fmt(ctx->arena, FY_FMT "/withdraw?token=" FY_FMT,
								   FY_ARG(ctx->config->server_base_url),
								   FY_ARG(to->withdrawal.text)) } });
	return finish_in(ctx, &fields, "study_invitation", to->lang, to->email.text, ret_mail);
}

/* ---- At delivery ---- */

/* A mail whose template rests on another consent than the mail was opened for is not written: the withdrawal of that one
 * would not have stopped it. */
static int compose(struct fy_ctx *ctx, const struct fy_outbox_mail *mail, struct fy_letter *letter)
{
	struct fy_letter_text out;
	const struct fy_letterhead head = {
		.lang = mail->lang,
		.site_name = ctx->config->site_name,
		.site_address = ctx->config->site_address,
		.home_url = ctx->config->server_base_url,
	};
	if (fy_letter_consent(mail->template_name) != mail->consent)
		return FY_ERR_INVALID;
	fy_buf_init(&out.subject, ctx->arena, FY_LETTER_SUBJECT_MAX);
	fy_buf_init(&out.text, ctx->arena, FY_LETTER_BODY_MAX);
	fy_buf_init(&out.html, ctx->arena, FY_LETTER_BODY_MAX);
	fy_buf_reserve(&out.text, 4096);
	fy_buf_reserve(&out.html, 8192); /* growing would leave copies of links behind */
	int err = fy_letter_compose(mail->template_name, mail->fields.text, &head, &out);
	if (err)
		return err;
	letter->subject = (struct fy_personal){ fy_buf_slice(&out.subject) };
	letter->text = (struct fy_secret){ fy_buf_slice(&out.text) };
	letter->html = (struct fy_secret){ fy_buf_slice(&out.html) };
	letter->withdraw_link = out.withdraw_link;
	return 0;
}

int fy_mails_study_preview(struct fy_ctx *ctx, const struct fy_study_text *text, enum fy_lang lang,
			   struct fy_slice *ret_subject, struct fy_slice *ret_text)
{
	const struct fy_study_recipient to = { .lang = lang,
					       .email = { FY_LIT("camille@example.org") },
					       .given_name = { FY_LIT("Camille") },
					       .agreed_at = ctx->now,
					       .withdrawal = { FY_LIT("…") } };
	struct fy_letter letter = { .lang = lang };
	struct fy_mail_new mail;
	int err = fy_mails_study(ctx, text, &to, &mail);
	if (err == 0)
		err = compose(ctx,
			      &(struct fy_outbox_mail){ .template_name = mail.template_name,
							.lang = lang,
							.consent = mail.consent,
							.fields = mail.fields },
			      &letter);
	if (err)
		return err;
	*ret_subject = letter.subject.text;
	*ret_text = letter.text.text;
	return 0;
}

void fy_mails_author(void)
{
	static const struct fy_job_letters letters = { .erased = write_erased,
						       .inactive = write_inactive,
						       .provided = { write_provided_erased, write_provided_gone },
						       .policy = fy_mails_policy_change,
						       .study = fy_mails_study };
	fy_mail_set_author(compose);
	fy_jobs_set_letters(&letters);
}
