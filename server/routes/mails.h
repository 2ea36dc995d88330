/* The mails that routes send. Each call packs a template's values into `ret_mail`, in the request's arena; storing
 * it is the caller's, in the transaction of what caused it. After the commit fy_mails_kick makes the mail job look
 * at once. */
#pragma once

#include "server/http/request.h"
#include "storage/accounts.h"
#include "storage/outbox.h"
#include "storage/provided.h"
#include "storage/rights.h"
#include "storage/studies.h"

int fy_mails_confirm(struct fy_req *req, struct fy_slice to, struct fy_slice link, struct fy_mail_new *ret_mail);
int fy_mails_address_known(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			   struct fy_mail_new *ret_mail);
int fy_mails_reset(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
		   struct fy_slice link, struct fy_mail_new *ret_mail);
int fy_mails_password_changed(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_personal given_name,
			      struct fy_mail_new *ret_mail);
/* Of a change of the address: the link, to the new one; to the old one that it was asked for, and done; to somebody who
 * has it already. `account` as it was before. */
int fy_mails_email_confirm(struct fy_req *req, enum fy_lang lang, struct fy_slice to, struct fy_slice link,
			   struct fy_mail_new *ret_mail);
int fy_mails_email_asked(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail);
int fy_mails_email_changed(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail);
int fy_mails_email_wanted(struct fy_req *req, const struct fy_account_signin *account, struct fy_mail_new *ret_mail);
int fy_mails_contact_receipt(struct fy_req *req, struct fy_slice to, struct fy_slice reference,
			     struct fy_mail_new *ret_mail);
int fy_mails_erasure_asked(struct fy_req *req, const struct fy_account_signin *account, fy_time erase_at,
			   struct fy_mail_new *ret_mail);

/* What is told to a person about a request (storage/rights.h); `to_state` chooses the letter, and WITHDRAWN has none. */
struct fy_mails_right {
	enum fy_lang lang;
	struct fy_slice to;
	struct fy_personal name;
	enum fy_rights_kind kind;
	fy_time received, due;
	fy_time lift;              /* of a refusal: when the restriction ends; 0: there was none */
	struct fy_personal letter; /* what the staff wrote; not of a receipt */
	bool has_account;          /* to see the request in */
};
int fy_mails_right(struct fy_req *req, enum fy_rights_state to_state, const struct fy_mails_right *what,
		   struct fy_mail_new *ret_mail);
/* To who asked what is held about an address: the link to it, or that nothing is. */
int fy_mails_export_link(struct fy_req *req, struct fy_slice to, struct fy_slice link, struct fy_mail_new *ret_mail);
int fy_mails_export_nothing(struct fy_req *req, struct fy_slice to, struct fy_mail_new *ret_mail);

/* Who of the staff may decide on a request, but those it is between and those who got too many of these mails. */
struct fy_grant_new;
fy_async int fy_mails_deciders(struct fy_req *req, const struct fy_grant_new *grant, uint64_t **ret_ids,
			       size_t *ret_count);

/* About access to personal data. In the running transaction, which the mails join: */
fy_async int fy_mails_access_waiting(struct fy_req *req, const struct fy_grant_new *grant, const uint64_t *deciders,
				     size_t count);
fy_async int fy_mails_access_asked(struct fy_req *req, const struct fy_grant_new *grant, enum fy_account_role role);
/* To owners and DPO; where no account has that role, to site.dpo_contact if it is an e-mail address. */
fy_async int fy_mails_glass_broken(struct fy_req *req, const struct fy_grant_new *grant);
fy_async int fy_mails_role_changed(struct fy_req *req, uint64_t account, enum fy_account_role old_role,
				   enum fy_account_role new_role); /* owners */

/* The notice of GDPR Article 14 to a person whom `provider` entered, or to the adult responsible for a minor. */
int fy_mails_provided_notice(struct fy_req *req, const struct fy_provided_fields *fields, struct fy_personal provider,
			     struct fy_slice link, unsigned valid_days, struct fy_mail_new *ret_mail);
extern const struct fy_provided_letters fy_mails_provided; /* of the end of such a record */

/* An invitation to market research, as the job and the preview write it. */
int fy_mails_study(struct fy_ctx *ctx, const struct fy_study_text *text, const struct fy_study_recipient *to,
		   struct fy_mail_new *ret_mail);

/* What an invitation will say, with a name and a link that are nobody's. */
int fy_mails_study_preview(struct fy_ctx *ctx, const struct fy_study_text *text, enum fy_lang lang,
			   struct fy_slice *ret_subject, struct fy_slice *ret_text);

/* Of a version of the policy that concerns the person: an fy_announcement_letter. */
int fy_mails_policy_change(struct fy_ctx *ctx, const struct fy_policy_version *version,
			   const struct fy_announcement_person *person, struct fy_personal email,
			   struct fy_personal given_name, struct fy_mail_new *ret_mail);

void fy_mails_kick(struct fy_req *req);

/* For what packs mails elsewhere: room for the values, and the mail made of them. FY_ERR_TOO_LARGE. */
struct fy_buf fy_mails_begin(struct fy_req *req);
int fy_mails_finish(struct fy_req *req, const struct fy_buf *fields, const char *name, enum fy_lang lang,
		    struct fy_slice to, struct fy_mail_new *ret_mail);

/* Makes this process one that can run the jobs that write and deliver mails: names the templates as their author. At its
 * start. */
void fy_mails_author(void);

#define FY_CONFIRM_HOURS 48
#define FY_RESET_MINUTES 30
#define FY_EXPORT_MINUTES 30
