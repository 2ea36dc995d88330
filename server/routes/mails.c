/* See mails.h. */
#include "server/routes/mails.h"

#include "jobs/runner.h"
#include "server/pages/pages_gen.h"
#include "server/routes/form.h"

struct letter {
	struct fy_letterhead head;
	struct fy_buf subject, text, html;
};

static void begin(struct fy_req *req, enum fy_lang lang, struct letter *letter)
{
	letter->head = (struct fy_letterhead){
		.lang = lang,
		.site_name = req->app->config->site_name,
		.home_url = req->app->config->server_base_url,
		.now = req->ctx.now,
	};
	fy_buf_init(&letter->subject, &req->arena, FY_MAIL_SUBJECT_MAX);
	fy_buf_init(&letter->text, &req->arena, FY_MAIL_BODY_MAX);
	fy_buf_init(&letter->html, &req->arena, FY_MAIL_BODY_MAX);
	fy_buf_reserve(&letter->text, 2048);
	fy_buf_reserve(&letter->html, 4096);
}

static int finish(struct fy_req *req, const struct letter *letter, const char *name, struct fy_slice to,
		  struct fy_mail_new *ret_mail)
{
	if (letter->subject.failed || letter->text.failed || letter->html.failed)
		return fy_fail(&req->ctx, FY_ERR_INTERNAL, "mail %s outgrew its buffer", name);
	*ret_mail = (struct fy_mail_new){
		.template_name = fy_str(name),
		.lang = letter->head.lang,
		.to_address = { to },
		.subject = { fy_buf_slice(&letter->subject) },
		.body_text = { fy_buf_slice(&letter->text) },
		.body_html = { fy_buf_slice(&letter->html) },
	};
	return 0;
}

int fy_mails_confirm(struct fy_req *req, struct fy_slice to, struct fy_slice link, struct fy_mail_new *ret_mail)
{
	struct letter letter;
	begin(req, req->ctx.lang, &letter);
	fy_mail_confirm_address(&letter.subject, &letter.text, &letter.html, &letter.head,
				&(struct fy_mailview_confirm_address){ .link = { link }, .valid_hours = FY_CONFIRM_HOURS });
	return finish(req, &letter, "confirm_address", to, ret_mail);
}

int fy_mails_address_known(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			   struct fy_mail_new *ret_mail)
{
	struct letter letter;
	begin(req, lang, &letter);
	fy_mail_address_known(&letter.subject, &letter.text, &letter.html, &letter.head,
			      &(struct fy_mailview_address_known){ .given_name = given_name,
								   .login_link = fy_link(req, "/login", NULL),
								   .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return finish(req, &letter, "address_known", to, ret_mail);
}

int fy_mails_reset(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
		   struct fy_slice link, struct fy_mail_new *ret_mail)
{
	struct letter letter;
	begin(req, lang, &letter);
	fy_mail_reset_password(&letter.subject, &letter.text, &letter.html, &letter.head,
			       &(struct fy_mailview_reset_password){ .given_name = given_name, .link = { link },
								     .valid_minutes = FY_RESET_MINUTES });
	return finish(req, &letter, "reset_password", to, ret_mail);
}

int fy_mails_password_changed(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			      struct fy_mail_new *ret_mail)
{
	struct letter letter;
	begin(req, lang, &letter);
	fy_mail_password_changed(&letter.subject, &letter.text, &letter.html, &letter.head,
				 &(struct fy_mailview_password_changed){ .given_name = given_name, .when = req->ctx.now,
									 .forgot_link = fy_link(req, "/password/forgot", NULL) });
	return finish(req, &letter, "password_changed", to, ret_mail);
}

int fy_mails_contact_receipt(struct fy_req *req, struct fy_slice to, struct fy_slice reference, struct fy_mail_new *ret_mail)
{
	struct letter letter;
	begin(req, req->ctx.lang, &letter);
	fy_mail_contact_receipt(&letter.subject, &letter.text, &letter.html, &letter.head,
				&(struct fy_mailview_contact_receipt){ .reference = reference, .received = req->ctx.now });
	return finish(req, &letter, "contact_receipt", to, ret_mail);
}

void fy_mails_kick(struct fy_req *req)
{
	if (req->app->jobs)
		fy_jobs_kick(req->app->jobs, "mail");
}
