/* See people.h. */
#include "foyer/require.h"
#include "protocol/email_address.h"
#include "protocol/utf8.h"
#include "server/routes/mails.h"
#include "server/routes/people.h"
#include "storage/throttle.h"

/* ---- Fields ---- */

static void take(struct fy_form *form, const char *name, struct fy_personal *field)
{
	if (fy_param_given(form->req, name))
		field->text = fy_param(form->req, name);
}

static void check_name(struct fy_form *form, const char *field, struct fy_personal name, enum fy_text missing)
{
	if (name.text.len == 0)
		fy_form_error(form, field, missing);
	else if (!fy_utf8_is_name(name.text, FY_ACCOUNT_NAME_MAX))
		fy_form_error(form, field, FY_TEXT_ERROR_PERSON_NAME);
}

/* Leaves the address as it is stored. */
static void check_email(struct fy_form *form, const char *field, struct fy_personal *email)
{
	struct fy_slice address;
	if (fy_form_has_error(form, field) || email->text.len == 0)
		return;
	if (fy_email_parse(&form->req->arena, email->text, &address))
		fy_form_error(form, field, FY_TEXT_ERROR_EMAIL_FORMAT);
	else
		email->text = address;
}

static bool take_birth_date(struct fy_form *form, struct fy_provided_fields *fields)
{
	struct fy_slice text = fy_param(form->req, "birth_date");
	if ((fy_param_given(form->req, "birth_date") && fy_parse_iso_date(text, &fields->birth_date)) ||
	    fields->birth_date.year == 0)
		fy_form_error(form, "birth_date", FY_TEXT_ERROR_BIRTH_DATE_FORMAT);
	else if (!fy_provided_birth_date_ok(fields->birth_date, form->req->ctx.now))
		fy_form_error(form, "birth_date", FY_TEXT_ERROR_BIRTH_DATE_RANGE);
	return !fy_form_has_error(form, "birth_date");
}

static void check_adult(struct fy_form *form, struct fy_provided_fields *fields)
{
	check_name(form, "adult_given_name", fields->adult_given_name, FY_TEXT_ERROR_ADULT_GIVEN_NAME_MISSING);
	check_name(form, "adult_family_name", fields->adult_family_name, FY_TEXT_ERROR_ADULT_FAMILY_NAME_MISSING);
	if (fields->adult_email.text.len == 0)
		fy_form_error(form, "adult_email", FY_TEXT_ERROR_ADULT_EMAIL_MISSING);
	check_email(form, "adult_email", &fields->adult_email);
}

void fy_people_take(struct fy_form *form, struct fy_provided_fields *fields)
{
	const struct {
		const char *name;
		struct fy_personal *field;
	} texts[] = {
		{ "given_name", &fields->given_name },
		{ "family_name", &fields->family_name },
		{ "email", &fields->email },
		{ "what_for", &fields->what_for },
		{ "adult_given_name", &fields->adult_given_name },
		{ "adult_family_name", &fields->adult_family_name },
		{ "adult_email", &fields->adult_email },
	};
	for (size_t i = 0; i < FY_COUNT(texts); i++)
		take(form, texts[i].name, texts[i].field);
	check_name(form, "given_name", fields->given_name, FY_TEXT_ERROR_PERSON_GIVEN_NAME_MISSING);
	check_name(form, "family_name", fields->family_name, FY_TEXT_ERROR_PERSON_FAMILY_NAME_MISSING);
	bool dated = take_birth_date(form, fields);
	bool minor = dated && fy_provided_is_minor(fields->birth_date, form->req->ctx.now);
	if (dated && !minor && fields->email.text.len == 0)
		fy_form_error(form, "email", FY_TEXT_ERROR_PERSON_EMAIL_MISSING);
	check_email(form, "email", &fields->email);
	struct fy_slice language = fy_param(form->req, "language");
	if (fy_eq(language, FY_LIT("fr")) || fy_eq(language, FY_LIT("en")))
		fields->lang = fy_eq(language, FY_LIT("en")) ? FY_LANG_EN : FY_LANG_FR;
	else if (fy_param_given(form->req, "language"))
		fy_form_error(form, "language", FY_TEXT_ERROR_LANGUAGE_UNKNOWN);
	if (fields->what_for.text.len == 0)
		fy_form_error(form, "what_for", FY_TEXT_ERROR_WHAT_FOR_MISSING);
	if (minor)
		check_adult(form, fields);
}

struct fy_slice fy_people_birth_date(struct fy_req *req, const struct fy_form *form,
				     const struct fy_provided_fields *fields)
{
	struct fy_buf out;
	if (form && fy_param_given(req, "birth_date"))
		return fy_param(req, "birth_date");
	if (fields->birth_date.year == 0)
		return FY_NONE;
	fy_buf_init(&out, &req->arena, 32);
	fy_put_iso_date(&out, fields->birth_date);
	return fy_buf_slice(&out);
}

struct fy_slice fy_people_birth_day(struct fy_req *req, const struct fy_provided_fields *fields)
{
	struct fy_buf out;
	if (fields->birth_date.year == 0)
		return FY_NONE;
	fy_buf_init(&out, &req->arena, 64);
	fy_put_human_date(&out, fields->birth_date, req->ctx.lang);
	return fy_buf_slice(&out);
}

struct fy_slice fy_people_state(enum fy_provided_state state)
{
	return state == FY_PROVIDED_RESTRICTED   ? FY_LIT("restricted")
	       : state == FY_PROVIDED_TAKEN_OVER ? FY_LIT("taken_over")
						 : FY_LIT("entered");
}

struct fy_slice fy_people_notice_state(enum fy_provided_notice_state state)
{
	return state == FY_NOTICE_DELIVERED ? FY_LIT("delivered")
	       : state == FY_NOTICE_BOUNCED ? FY_LIT("bounced")
					    : FY_LIT("on_its_way");
}

/* ---- The notice ---- */

/* For the rights of who was entered, to whom the source is named (GDPR Articles 14(2)(f) and 18(2)), so also of a member who
 * restricted the use of the own data. FY_ERR_INVALID: it is no name. */
static fy_async int name_of(struct fy_req *req, uint64_t provider_id, struct fy_personal *ret_name)
{
	struct fy_account_name *name;
	int err = fy_accounts_names(&req->ctx, &provider_id, 1, FY_PURPOSE_RIGHTS, &name);
	if (err)
		return err;
	ret_name->text =
		fy_fmt(&req->arena, FY_FMT " " FY_FMT, FY_ARG(name->given_name.text), FY_ARG(name->family_name.text));
	return fy_utf8_is_name(ret_name->text, 2 * FY_ACCOUNT_NAME_MAX + 1) ? 0 : FY_ERR_INVALID;
}

fy_async int fy_people_provider(struct fy_req *req, uint64_t provider_id, enum fy_lang lang,
				struct fy_personal *ret_name)
{
	struct fy_buf words;
	int err = name_of(req, provider_id, ret_name);
	if (err != FY_ERR_INVALID)
		return err;
	fy_buf_init(&words, &req->arena, 256);
	fy_text_put(&words, lang, FY_TEXT_RECORD_A_MEMBER, (struct fy_text_args){ 0 });
	ret_name->text = fy_buf_slice(&words);
	return 0;
}

static fy_async int check_limits(struct fy_req *req, struct fy_form *form, uint64_t provider_id,
				 struct fy_personal recipient)
{
	uint8_t hash[FY_HASH_BYTES];
	unsigned wait_s;
	if (fy_email_hash(&req->ctx, recipient.text, NULL, hash))
		return FY_ERR_INVALID;
	if (form &&
	    fy_throttle_entering(&req->ctx, provider_id, (unsigned)req->app->config->limits_people_per_day, &wait_s)) {
		fy_form_error(form, "", FY_TEXT_ERROR_PEOPLE_LIMIT);
		req->retry_after_s = wait_s;
		return FY_ERR_LIMITED;
	}
	if (!fy_throttle_mail(&req->ctx, FY_MAIL_ENTERED, fy_slice(hash, sizeof hash))) {
		if (form)
			fy_form_error(form, "", FY_TEXT_ERROR_RECIPIENT_LIMIT);
		return FY_ERR_LIMITED;
	}
	return 0;
}

fy_async int fy_people_notify(struct fy_req *req, struct fy_form *form, uint64_t provider_id,
			      const struct fy_provided_fields *fields, struct fy_people_notice *ret_notice)
{
	struct fy_people_notice *n = ret_notice;
	struct fy_personal provider;
	int err = form ? name_of(req, provider_id, &provider)
		       : fy_people_provider(req, provider_id, fields->lang, &provider);
	if (err == FY_ERR_INVALID)
		fy_form_error(form, "", FY_TEXT_ERROR_PROVIDER_NAME);
	if (err)
		return err;
	err = check_limits(req, form, provider_id, fy_provided_recipient(fields, req->ctx.now));
	if (err)
		return err;
	fy_one_time_make(req->ctx.keys, &n->link);
	fy_time now = req->ctx.now, expires_at = now + FY_NOTICE_DAYS * FY_DAY;
	fy_time of_age = fy_provided_of_age(fields->birth_date);
	if (now < of_age && of_age < expires_at) /* the adult's link ends where the person decides alone */
		expires_at = of_age;
	unsigned days = (unsigned)((expires_at - now + FY_DAY - 1) / FY_DAY);
	n->notice = (struct fy_provided_notice){ .hash = fy_slice(n->link.hash, sizeof n->link.hash),
						 .expires_at = expires_at,
						 .mail = &n->mail };
	return fy_mails_provided_notice(req, fields, provider, fy_link(req, "/notice", n->link.token), days, &n->mail);
}

static int said(struct fy_form *form, int err)
{
	if (err == FY_ERR_EXISTS)
		fy_form_error(form, "", FY_TEXT_ERROR_PERSON_KNOWN);
	return err;
}

fy_async int fy_people_enter(struct fy_form *form, const struct fy_provided_fields *fields, uint64_t *ret_id)
{
	struct fy_req *req = form->req;
	struct fy_people_notice notice;
	int err = fy_people_notify(req, form, req->session->account_id, fields, &notice);
	if (err == 0)
		err = fy_provided_add(&req->ctx, req->session->account_id, fields, &notice.notice, ret_id);
	if (err == 0)
		fy_mails_kick(req);
	return said(form, err);
}

fy_async int fy_people_save(struct fy_form *form, const struct fy_provided *before, uint32_t version,
			    const struct fy_provided_fields *fields, bool *ret_notified)
{
	struct fy_req *req = form->req;
	struct fy_people_notice notice;
	fy_time now = req->ctx.now;
	int err = 0;
	*ret_notified = before->notice == FY_NOTICE_BOUNCED || !fy_eq(fy_provided_recipient(fields, now).text,
								      fy_provided_recipient(&before->fields, now).text);
	if (*ret_notified)
		err = fy_people_notify(req, form, before->provider_id, fields, &notice);
	if (err == 0)
		err = fy_provided_update(&req->ctx, before->provider_id, before->id, version, fields,
					 *ret_notified ? &notice.notice : NULL);
	if (err == 0 && *ret_notified)
		fy_mails_kick(req);
	return said(form, err);
}
