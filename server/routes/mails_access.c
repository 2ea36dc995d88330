/* The mails about access to personal data (mails.h): to the person, and to those of the staff who must know. They are
 * added in the transaction of what they tell, so that neither happens alone. */
#include "server/auth/one_time.h"
#include "server/pages/pages_gen.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"
#include "server/routes/manage_people.h"
#include "storage/throttle.h"

struct staff_mail {
	struct fy_req *req;
	const struct fy_grant_new *grant;
	uint64_t account;
	enum fy_account_role old_role, new_role;
};

typedef int (*pack_fn)(const struct staff_mail *mail, const struct fy_account_signin *to, struct fy_mail_new *ret_mail);

fy_async static int send_to(const struct staff_mail *mail, uint64_t account, pack_fn pack)
{
	struct fy_ctx *ctx = &mail->req->ctx;
	struct fy_account_signin to;
	struct fy_mail_new letter;
	int err = fy_accounts_get_signin(ctx, account, &to);
	if (err == 0)
		err = pack(mail, &to, &letter);
	if (err)
		return err;
	letter.person_id = account;
	return fy_outbox_add(ctx, &letter);
}

/* To everybody of these roles (bits as in route.h), and to `also` (0: nobody) where that is none of them. ret_written: the
 * roles of those who were there. */
fy_async static int send_to_roles(const struct staff_mail *mail, unsigned roles, uint64_t also, pack_fn pack,
				  unsigned *ret_written)
{
	struct fy_account_standing *staff;
	size_t count;
	int err = fy_accounts_list_staff(&mail->req->ctx, &staff, &count);
	*ret_written = 0;
	for (size_t i = 0; i < count && err == 0; i++) {
		if (staff[i].state != FY_ACCOUNT_ACTIVE || !(roles >> staff[i].role & 1))
			continue;
		err = send_to(mail, staff[i].id, pack);
		*ret_written |= 1u << staff[i].role;
		if (staff[i].id == also)
			also = 0;
	}
	return err || also == 0 ? err : send_to(mail, also, pack);
}

static int pack_asked(const struct staff_mail *mail, const struct fy_account_signin *to, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(mail->req);
	fy_mail_access_asked(&fields, &(struct fy_mailview_access_asked){
					      .given_name = to->given_name,
					      .role = fy_role_label(to->language, mail->old_role),
					      .purpose = fy_purpose_label(to->language, mail->grant->purpose),
					      .minutes = mail->grant->minutes,
					      .link = fy_link(mail->req, "/account/privacy", NULL) });
	return fy_mails_finish(mail->req, &fields, "access_asked", to->language, to->email.text, ret_mail);
}

fy_async int fy_mails_access_asked(struct fy_req *req, const struct fy_grant_new *grant, enum fy_account_role role)
{
	const struct staff_mail mail = { .req = req, .grant = grant, .old_role = role };
	return send_to(&mail, grant->person_id, pack_asked);
}

static int pack_waiting(const struct staff_mail *mail, const struct fy_account_signin *to, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(mail->req);
	fy_mail_access_waiting(
		&fields, &(struct fy_mailview_access_waiting){
				 .given_name = to->given_name,
				 .role = fy_role_label(to->language, (enum fy_account_role)mail->req->session->role),
				 .by = mail->grant->asked_by,
				 .account = mail->grant->person_id,
				 .purpose = fy_purpose_label(to->language, mail->grant->purpose),
				 .minutes = mail->grant->minutes,
				 .link = fy_link(mail->req, "/manage/access-requests", NULL) });
	return fy_mails_finish(mail->req, &fields, "access_waiting", to->language, to->email.text, ret_mail);
}

/* Counts beside other notices: those a stranger can cause, and would keep this one away. */
fy_async int fy_mails_deciders(struct fy_req *req, const struct fy_grant_new *grant, uint64_t **ret_ids,
			       size_t *ret_count)
{
	struct fy_account_standing *staff;
	size_t count;
	int err = fy_accounts_list_staff(&req->ctx, &staff, &count);
	if (err)
		return err;
	*ret_ids = fy_new_array(&req->arena, uint64_t, count + 1);
	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t id = staff[i].id;
		if (staff[i].state != FY_ACCOUNT_ACTIVE || !(FY_ROLES_ASKERS >> staff[i].role & 1) ||
		    id == grant->asked_by || id == grant->person_id)
			continue;
		struct fy_slice bucket = fy_fmt(&req->arena, "decider %llu", (unsigned long long)id);
		if (fy_throttle_mail(&req->ctx, FY_MAIL_NOTICE, bucket))
			(*ret_ids)[(*ret_count)++] = id;
	}
	return 0;
}

fy_async int fy_mails_access_waiting(struct fy_req *req, const struct fy_grant_new *grant, const uint64_t *deciders,
				     size_t count)
{
	const struct staff_mail mail = { .req = req, .grant = grant };
	int err = 0;
	for (size_t i = 0; i < count && err == 0; i++) {
		err = send_to(&mail, deciders[i], pack_waiting);
		if (err == FY_ERR_NOT_FOUND) /* erased meanwhile */
			err = 0;
	}
	return err;
}

static int pack_glass(const struct staff_mail *mail, const struct fy_account_signin *to, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(mail->req);
	fy_mail_glass_broken(&fields, &(struct fy_mailview_glass_broken){
					      .given_name = to->given_name,
					      .account = mail->grant->person_id,
					      .by = mail->grant->asked_by,
					      .purpose = fy_purpose_label(to->language, mail->grant->purpose),
					      .minutes = mail->grant->minutes,
					      .when = mail->req->ctx.now,
					      .link = fy_link(mail->req, "/manage/access-requests", NULL) });
	return fy_mails_finish(mail->req, &fields, "glass_broken", to->language, to->email.text, ret_mail);
}

/* An officer without an account. The mail is sealed under who caused it, as its reader is no person here. */
fy_async static int send_to_dpo_contact(const struct staff_mail *mail)
{
	const struct fy_config *config = mail->req->app->config;
	uint8_t hash[FY_HASH_BYTES];
	struct fy_mail_new letter;
	struct fy_account_signin officer = {
		.language = mail->req->ctx.lang,
		.email = { config->site_dpo_contact },
		.given_name = { config->site_dpo_name },
	};
	if (fy_email_hash(&mail->req->ctx, config->site_dpo_contact, NULL, hash))
		return 0;
	int err = pack_glass(mail, &officer, &letter);
	letter.person_id = mail->grant->asked_by;
	return err ? err : fy_outbox_add(&mail->req->ctx, &letter);
}

fy_async int fy_mails_glass_broken(struct fy_req *req, const struct fy_grant_new *grant)
{
	const struct staff_mail mail = { .req = req, .grant = grant };
	unsigned written;
	int err = send_to_roles(&mail, FY_ROLES(OWNER) | FY_ROLES(DPO), 0, pack_glass, &written);
	return err || written & FY_ROLES(DPO) ? err : send_to_dpo_contact(&mail);
}

static int pack_role(const struct staff_mail *mail, const struct fy_account_signin *to, struct fy_mail_new *ret_mail)
{
	struct fy_buf fields = fy_mails_begin(mail->req);
	fy_mail_role_changed(
		&fields, &(struct fy_mailview_role_changed){ .given_name = to->given_name,
							     .account = mail->account,
							     .by = mail->req->session->account_id,
							     .old_role = fy_role_label(to->language, mail->old_role),
							     .new_role = fy_role_label(to->language, mail->new_role),
							     .when = mail->req->ctx.now,
							     .link = fy_link(mail->req, "/manage/people", NULL) });
	return fy_mails_finish(mail->req, &fields, "role_changed", to->language, to->email.text, ret_mail);
}

fy_async int fy_mails_role_changed(struct fy_req *req, uint64_t account, enum fy_account_role old_role,
				   enum fy_account_role new_role)
{
	const struct staff_mail mail = { .req = req, .account = account, .old_role = old_role, .new_role = new_role };
	unsigned written;
	/* Who was an owner until now is told, too. */
	return send_to_roles(&mail, FY_ROLES(OWNER), old_role == FY_ROLE_OWNER ? account : 0, pack_role, &written);
}
