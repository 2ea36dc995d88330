/* People whom a member enters (storage/provided.h), as the member's pages, the API and the notice's page share them: the
 * fields with their checks, the words for states, and the notice that goes to the person. */
#pragma once

#include "server/auth/one_time.h"
#include "server/routes/form.h"
#include "storage/accounts.h"
#include "storage/outbox.h"
#include "storage/provided.h"

#define FY_NOTICE_DAYS \
	90 /* that a link works, once it has left; an adult's no longer than until the person is of age */

#define FY_PEOPLE_PARAMS(PARAM)                                                                                       \
	PARAM("given_name", FY_ACCOUNT_NAME_MAX), PARAM("family_name", FY_ACCOUNT_NAME_MAX), PARAM("birth_date", 10), \
		PARAM("email", FY_ACCOUNT_EMAIL_MAX), PARAM("language", 5),                                           \
		PARAM("what_for", FY_PROVIDED_WHAT_FOR_MAX), PARAM("adult_given_name", FY_ACCOUNT_NAME_MAX),          \
		PARAM("adult_family_name", FY_ACCOUNT_NAME_MAX), PARAM("adult_email", FY_ACCOUNT_EMAIL_MAX)

/* The members that the views of these fields share. */
#define FY_PEOPLE_VIEW(f, birth)                                                                                     \
	.given_name = (f).given_name, .family_name = (f).family_name, .email = (f).email, .birth_date = { (birth) }, \
	.language = (f).lang == FY_LANG_EN ? FY_LIT("en") : FY_LIT("fr"), .what_for = (f).what_for,                  \
	.adult_given_name = (f).adult_given_name, .adult_family_name = (f).adult_family_name,                        \
	.adult_email = (f).adult_email

/* Overwrites `fields` with the parameters that were given, and checks the whole: as the repository will, and that names are
 * names. */
void fy_people_take(struct fy_form *form, struct fy_provided_fields *fields);

/* "2004-05-17"; empty where there is none. For a form that is shown again: what was typed. */
struct fy_slice fy_people_birth_date(struct fy_req *req, const struct fy_form *form,
				     const struct fy_provided_fields *fields);
struct fy_slice fy_people_birth_day(struct fy_req *req, const struct fy_provided_fields *fields); /* in words */

/* "entered", "taken_over", "restricted"; "on_its_way", "delivered", "bounced". */
struct fy_slice fy_people_state(enum fy_provided_state state);
struct fy_slice fy_people_notice_state(enum fy_provided_notice_state state);

/* "Claire Dupont": under which name the member acts; "a member of our site" where that has become no name since. Nothing
 * else of the account is shown to who was entered. */
fy_async int fy_people_provider(struct fy_req *req, uint64_t provider_id, enum fy_lang lang,
				struct fy_personal *ret_name);

struct fy_people_notice {
	struct fy_provided_notice notice;
	struct fy_mail_new mail;
	struct fy_one_time link;
};

/* Makes the notice. `form` (NULL: the person asks for a new link) counts it against the member's limit. FY_ERR_LIMITED: that
 * or the recipient's is reached; FY_ERR_INVALID: the member's own name is none. Both with an error of the form. */
fy_async int fy_people_notify(struct fy_req *req, struct fy_form *form, uint64_t provider_id,
			      const struct fy_provided_fields *fields, struct fy_people_notice *ret_notice);

/* Enters the person, or saves the change with another notice where the recipient is another or was not reached; the mail
 * job is woken. Adds an error of the form where it returns FY_ERR_EXISTS, FY_ERR_LIMITED or FY_ERR_INVALID. */
fy_async int fy_people_enter(struct fy_form *form, const struct fy_provided_fields *fields, uint64_t *ret_id);
fy_async int fy_people_save(struct fy_form *form, const struct fy_provided *before, uint32_t version,
			    const struct fy_provided_fields *fields, bool *ret_notified);
