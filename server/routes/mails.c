/* See mails.h. */
#include "server/routes/mails.h"

#include "jobs/mail_letter.h"
#include "jobs/runner.h"
#include "server/pages/letter.h"
#include "server/pages/pages_gen.h"
#include "server/routes/form.h"

struct fy_buf fy_mails_begin(struct fy_req *req)
{
	struct fy_buf fields;
	fy_buf_init(&fields, &req->arena, FY_MAIL_FIELDS_MAX);
	fy_buf_reserve(&fields, 1024);
	return fields;
}

int fy_mails_finish(struct fy_req *req, const struct fy_buf *fields, const char *name, enum fy_lang lang,
		    struct fy_slice to, struct fy_mail_new *ret_mail)
{
	if (fields->failed)
		return fy_fail(&req->ctx, FY_ERR_TOO_LARGE, "the values of mail %s are too long", name);
	*ret_mail = (struct fy_mail_new){
		.template_name = fy_str(name), .lang = lang, .to_address = { to }, .fields = { fy_buf_slice(fields) }
	};
	return 0;
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

int fy_mails_contact_receipt(struct fy_req *req, struct fy_slice to, struct fy_slice reference,
			     struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(req);
	fy_mail_contact_receipt(
		&fields, &(struct fy_mailview_contact_receipt){ .reference = reference, .received = req->ctx.now });
	return fy_mails_finish(req, &fields, "contact_receipt", req->ctx.lang, to, ret_mail);
}

void fy_mails_kick(struct fy_req *req)
{
	if (req->app->jobs)
		fy_jobs_kick(req->app->jobs, "mail");
}

/* ---- At delivery ---- */

static int compose(struct fy_ctx *ctx, const struct fy_outbox_mail *mail, struct fy_letter *letter)
{
	struct fy_letter_text out;
	const struct fy_letterhead head = {
		.lang = mail->lang,
		.site_name = ctx->config->site_name,
		.site_address = ctx->config->site_address,
		.home_url = ctx->config->server_base_url,
	};
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
	return 0;
}

void fy_mails_author(void)
{
	fy_mail_set_author(compose);
}
