/* The mails about access to personal data (mails.h): to the person, and to those of the staff who must know. They are
 * added in the transaction of what they tell, so that neither happens alone. */
#include "server/pages/pages_gen.h"
#include "server/routes/access_words.h"
#include "server/routes/form.h"
#include "server/routes/mails.h"

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

/* To everybody of these roles (bits as in route.h), and to `also` (0: nobody) where that is none of them. */
fy_async static int send_to_roles(const struct staff_mail *mail, unsigned roles, uint64_t also, pack_fn pack)
{
	struct fy_account_standing *staff;
	size_t count;
	int err = fy_accounts_list_staff(&mail->req->ctx, &staff, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		if (staff[i].state != FY_ACCOUNT_ACTIVE || !(roles >> staff[i].role & 1))
			continue;
		err = send_to(mail, staff[i].id, pack);
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

fy_async int fy_mails_glass_broken(struct fy_req *req, const struct fy_grant_new *grant)
{
	const struct staff_mail mail = { .req = req, .grant = grant };
	return send_to_roles(&mail, FY_ROLES(OWNER) | FY_ROLES(DPO), 0, pack_glass);
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
	/* Who was an owner until now is told, too. */
	return send_to_roles(&mail, FY_ROLES(OWNER), old_role == FY_ROLE_OWNER ? account : 0, pack_role);
}
