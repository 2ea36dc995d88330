/* The contact form. The visitor consents with the box; which wording was ticked is stored with the message. */
#include <sodium.h>

#include "server/auth/one_time.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/tables.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/once.h"
#include "storage/throttle.h"

#define NAME_MAX_CHARS 200
#define SUBJECT_MAX_CHARS 200
#define MESSAGE_MAX_CHARS 5000
#define REFERENCE_CHARS 10

static int contact_page(struct fy_req *req, const struct fy_form *form, int status)
{
	struct fy_page page;
	struct fy_buf out;
	char *once = fy_alloc(&req->arena, FY_TOKEN_CHARS + 1);
	fy_session_make_token(once);
	struct fy_view_contact view = { .consent_version = FY_LIT(FY_CONSENT_TEXT_VERSION), .once = fy_str(once) };
	fy_form_page(req, form, &page);
	if (form) {
		view.name.text = fy_param(req, "name");
		view.email.text = fy_param(req, "email");
		view.subject.text = fy_param(req, "subject");
		view.message.text = fy_param(req, "message");
		view.consent = fy_param_on(req, "consent") && !fy_form_has_error(form, "consent");
	}
	fy_page_buf(req, &out);
	fy_page_contact(&out, &page, &view);
	return fy_reply_html(req, status, &out);
}

fy_async static int contact_show(struct fy_req *req)
{
	return contact_page(req, NULL, 200);
}

/* Without letters and digits that look alike, as people read it out on the phone. 48 bits of chance. */
static struct fy_slice make_reference(struct fy_arena *arena)
{
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
	char *text = fy_alloc(arena, REFERENCE_CHARS);
	uint8_t chance[REFERENCE_CHARS];
	randombytes_buf(chance, sizeof chance);
	for (int i = 0; i < REFERENCE_CHARS; i++)
		text[i] = letters[chance[i] % (sizeof letters - 1)];
	return fy_slice(text, REFERENCE_CHARS);
}

static int sent(struct fy_req *req, struct fy_slice reference)
{
	return fy_redirect_to(req, fy_fmt(&req->arena, "/contact/done?reference=" FY_FMT, FY_ARG(reference)));
}

/* The message is kept in any case; the receipt is not sent to somebody who has had many. */
fy_async static int store(struct fy_req *req, const struct fy_contact_new *message, struct fy_slice email_hash)
{
	struct fy_mail_new receipt;
	bool may_write = fy_throttle_mail(&req->ctx, FY_MAIL_NOTICE, email_hash);
	int err = fy_mails_contact_receipt(req, message->email.text, message->reference, &receipt);
	if (err == 0)
		err = fy_contact_add(&req->ctx, message, &receipt, may_write, NULL);
	if (err)
		return err;
	if (may_write)
		fy_mails_kick(req);
	return sent(req, message->reference);
}

/* The same words from the same page of the same visitor: a double click, or a reload of the answer. */
fy_async static int store_once(struct fy_req *req, const struct fy_contact_new *message, struct fy_slice email_hash)
{
	struct fy_once once;
	struct fy_slice reference;
	int err = fy_once_begin(&req->ctx,
				fy_fmt(&req->arena, FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT,
				       FY_ARG(req->token), FY_ARG(fy_param(req, "once")), FY_ARG(message->name.text),
				       FY_ARG(message->email.text), FY_ARG(message->subject.text),
				       FY_ARG(message->message.text)),
				&once, &reference);
	if (err)
		return err == FY_ERR_EXISTS ? sent(req, reference) : err;
	err = store(req, message, email_hash);
	if (err)
		fy_once_failed(&req->ctx, &once);
	else
		fy_once_done(&req->ctx, &once, message->reference);
	return err;
}

fy_async static int contact_submit(struct fy_req *req)
{
	struct fy_form form;
	struct fy_slice address;
	uint8_t hash[FY_HASH_BYTES];
	fy_form_init(&form, req);
	fy_form_need(&form, "name", FY_TEXT_ERROR_NAME_MISSING);
	fy_form_email(&form, "email", &address, hash);
	fy_form_need(&form, "subject", FY_TEXT_ERROR_SUBJECT_MISSING);
	fy_form_need(&form, "message", FY_TEXT_ERROR_MESSAGE_MISSING);
	if (!fy_param_on(req, "consent"))
		fy_form_error(&form, "consent", FY_TEXT_ERROR_CONSENT_MISSING);
	else if (fy_param_given(req, "consent_version") &&
		 !fy_eq(fy_param(req, "consent_version"), FY_LIT(FY_CONSENT_TEXT_VERSION)))
		fy_form_error(&form, "consent", FY_TEXT_ERROR_CONSENT_VERSION);
	if (form.count)
		return contact_page(req, &form, 422);
	struct fy_contact_new message = {
		.reference = make_reference(&req->arena),
		.name = { fy_param(req, "name") },
		.email = { address },
		.subject = { fy_param(req, "subject") },
		.message = { fy_param(req, "message") },
		.consent_text_version = FY_LIT(FY_CONSENT_TEXT_VERSION),
		.lang = req->ctx.lang,
	};
	struct fy_slice email_hash = fy_slice(hash, sizeof hash);
	return fy_param(req, "once").len ? store_once(req, &message, email_hash) : store(req, &message, email_hash);
}

fy_async static int contact_done(struct fy_req *req)
{
	struct fy_page page;
	struct fy_buf out;
	struct fy_slice reference = fy_param(req, "reference");
	for (size_t i = 0; i < reference.len; i++) /* only what could be one is shown */
		if (!((reference.ptr[i] >= 'A' && reference.ptr[i] <= 'Z') ||
		      (reference.ptr[i] >= '2' && reference.ptr[i] <= '9')))
			reference = FY_NONE;
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_contact_done(&out, &page, &(struct fy_view_contact_done){ .reference = reference });
	return fy_reply_html(req, 200, &out);
}

static const struct fy_param submit_params[] = {
	FY_FORM("csrf", 64),
	FY_FORM("name", NAME_MAX_CHARS),
	FY_FORM("email", 254),
	FY_FORM("subject", SUBJECT_MAX_CHARS),
	FY_FORM("message", MESSAGE_MAX_CHARS, .lines = true),
	FY_FORM("consent", 10),
	FY_FORM("consent_version", 20),
	FY_FORM("once", FY_TOKEN_CHARS),
};
static const struct fy_param done_params[] = { FY_QUERY("reference", REFERENCE_CHARS) };

const struct fy_route fy_contact_routes[] = {
	{ FY_GET, "/contact", contact_show, .access = FY_ACCESS_ANYONE },
	{ FY_POST, "/contact", contact_submit, .access = FY_ACCESS_ANYONE, .csrf = FY_CSRF_FORM, .rate = FY_RATE_MAIL,
	  FY_PARAMS(submit_params), .body_max = 65536 },
	{ FY_GET, "/contact/done", contact_done, .access = FY_ACCESS_ANYONE, FY_PARAMS(done_params) },
};
const unsigned fy_contact_route_count = sizeof fy_contact_routes / sizeof fy_contact_routes[0];
