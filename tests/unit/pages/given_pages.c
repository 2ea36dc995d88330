/* Every page and mail with believable values: the views that routes would fill.
 * Writing files and judging them are left to the callers: the preview and the tests. */
#include "tests/unit/pages/given_pages.h"

#include "foyer/require.h"

#define P(s)              \
	{                 \
		FY_LIT(s) \
	}
#define AGO(t) (GIVEN_NOW - (t))

struct fy_page given_page(enum fy_lang lang, enum fy_page_role role, const char *path)
{
	return (struct fy_page){
		.lang = lang,
		.role = role,
		.site_name = FY_LIT("Host Families in Paris"),
		.site_address = FY_LIT("33, rue des Tournelles, 75003 Paris"),
		.path = fy_str(path),
		.csrf = P("9pJb0mX3mWcQk1xw-9v0l8uT"),
		.who = role == FY_PAGE_GUEST ? (struct fy_personal){ FY_NONE }
					     : (struct fy_personal)P("Camille Lefèvre"),
		.request_id = FY_LIT("4f1c9a2e7b30"),
		.now = GIVEN_NOW,
		.office = role == FY_PAGE_MANAGER ? UINT32_MAX : 0,
		.expires = role == FY_PAGE_MANAGER ? GIVEN_NOW + 30 * FY_MINUTE : 0,
	};
}

/* Pages without a view, and those whose view is one literal. */
#define SHOW(name, ...)                                                             \
	static void show_##name(struct fy_buf *out, const struct fy_page *page)     \
	{                                                                           \
		fy_page_##name(out, page, &(struct fy_view_##name){ __VA_ARGS__ }); \
	}

SHOW(home)
SHOW(register, .given_name = P("Zoë"), .family_name = P("O'Connor"), .email = P("zoe@example"))
SHOW(register_done, .email = P("zoe@example.com"), .valid_hours = 24)
SHOW(verify, .token = P("hT9s0Kc2"))
SHOW(verified)
SHOW(token_invalid, .purpose = FY_LIT("verify"))
SHOW(login, .email = P("camille@example.com"), .next = FY_LIT("/account"))
SHOW(forgot)
SHOW(forgot_done, .email = P("camille@example.com"), .valid_minutes = 30)
SHOW(reset, .token = P("hT9s0Kc2"))
SHOW(reset_done)
SHOW(account, .given_name = P("Camille"), .family_name = P("Lefèvre"), .email = P("camille@example.com"),
     .member_since = AGO(200 * FY_DAY), .password_changed = AGO(90 * FY_DAY), .signed_in = AGO(3 * FY_DAY))
SHOW(account_profile, .given_name = P("Camille"), .family_name = P("Lefèvre"), .phone = P("06 12 34 56 78"),
     .position = P("Professeure de musique"), .skills = P("Anglais, espagnol, piano"),
     .passions = P("Randonnée\nCuisine du monde"), .language = FY_LIT("fr"), .street_address = P("12, rue de Bretagne"),
     .postal_code = P("75003"), .address_level2 = P("Paris"), .country = P("FR"), .version = 7)
SHOW(contact, .name = P("Camille Lefèvre"), .email = P("camille@example.com"), .consent_version = FY_LIT("2026-11"))
SHOW(contact_done, .email = P("camille@example.com"), .reference = FY_LIT("C-1042"))
SHOW(privacy, .contact = FY_LIT("contact@hostfamiliesinparis.com"), .unconfirmed_days = 7, .contact_days = 180,
     .log_days = 180, .session_days = 30)
SHOW(cookies, .visitor_cookie = FY_LIT("__Host-sid"), .manager_cookie = FY_LIT("__Host-manager"),
     .idle_seconds = 14 * 86400, .absolute_seconds = 30 * 86400, .manager_seconds = 1800)
SHOW(legal, .contact = FY_LIT("contact@hostfamiliesinparis.com"))
SHOW(accessibility, .contact = FY_LIT("contact@hostfamiliesinparis.com"))
SHOW(setup, .token = P("hT9s0Kc2"), .first = true, .nameless = true)
SHOW(manage_login)
SHOW(manage_message, .id = 1042, .name = P("Jeanne Moreau"), .email = P("jeanne@example.com"),
     .subject = P("Une chambre près de la Bastille"),
     .message = P("Bonjour,\n\nNotre fille part étudier à Lyon : sa chambre est libre dès janvier.\n"
		  "Pouvez-vous nous rappeler ?\n\nMerci, <Jeanne>"),
     .received = AGO(FY_HOUR), .state = FY_LIT("open"), .consent_version = FY_LIT("2026-11"),
     .reference = FY_LIT("HGKY9TCB5J"))

static void show_account_security(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_own_session sessions[] = {
		{ FY_LIT("8d1f"), FY_LIT("Firefox 145, Windows"), P("203.0.113.24"), AGO(2 * FY_DAY), AGO(FY_MINUTE),
		  true },
		{ FY_LIT("77ab"), FY_LIT("Safari, iPhone"), P("2001:db8:85a3::8a2e"), AGO(20 * FY_DAY),
		  AGO(5 * FY_HOUR), false },
	};
	fy_page_account_security(out, page,
				 &(struct fy_view_account_security){ .email = P("camille@example.com"),
								     .password_changed = AGO(90 * FY_DAY),
								     .sessions = sessions,
								     .sessions_count = FY_COUNT(sessions) });
}

static void show_account_privacy(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_held held[] = {
		{ FY_LIT("Identité"), FY_LIT("Prénom, nom, adresse e-mail"), FY_LIT("Vous identifier et vous joindre"),
		  FY_LIT("Tant que le compte existe") },
		{ FY_LIT("Profil"), FY_LIT("Téléphone, fonction, compétences, adresse"), FY_LIT("Préparer un accueil"),
		  FY_LIT("Tant que le compte existe") },
	};
	const struct fy_row_access_ask asks[] = {
		{ 3, FY_LIT("équipe"), FY_LIT("facturation"), P("Facture d'octobre contestée <par courriel>"), 60,
		  AGO(FY_HOUR), FY_LIT("waiting"), 0, false },
		{ 2, FY_LIT("propriétaire"), FY_LIT("prise de contact et assistance"),
		  P("Un étudiant attend devant la porte"), 30, AGO(FY_DAY), FY_LIT("approved"),
		  GIVEN_NOW + 20 * FY_MINUTE, true },
		{ 1, FY_LIT("comptabilité"), FY_LIT("facturation"), P(""), 60, AGO(9 * FY_DAY), FY_LIT("lapsed"), 0,
		  false },
	};
	const struct fy_row_access_look looks[] = {
		{ AGO(FY_DAY), FY_LIT("propriétaire"), FY_LIT("prise de contact et assistance"),
		  P("Un étudiant attend devant la porte"), FY_LIT("Prénom, Nom, Adresse e-mail, Téléphone"), true },
		{ AGO(40 * FY_DAY), FY_LIT("comptabilité"), FY_LIT("facturation"), P(""), FY_LIT("Nom, Adresse"),
		  false },
	};
	fy_page_account_privacy(out, page,
				&(struct fy_view_account_privacy){ .held = held,
								   .held_count = FY_COUNT(held),
								   .asks = asks,
								   .asks_count = FY_COUNT(asks),
								   .looks = looks,
								   .looks_count = FY_COUNT(looks),
								   .looks_older = FY_LIT("17"),
								   .market_research = true,
								   .market_research_at = AGO(FY_DAY) });
}

static void show_manage_sessions(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_session sessions[] = {
		{ FY_LIT("9c21e07a"), P("Camille Lefèvre"), P("camille@example.com"), FY_LIT("manager"),
		  FY_LIT("Firefox 145, Windows"), P("203.0.113.24"), AGO(12 * FY_MINUTE), AGO(FY_MINUTE), true, 1 },
		{ FY_LIT("77ab01de"), P(""), P(""), FY_LIT("visitor"), FY_LIT("Safari, iPhone"),
		  P("2001:db8:85a3::8a2e:370:7334"), AGO(20 * FY_DAY), AGO(5 * FY_HOUR), false, 2 },
		{ FY_LIT("0b5d77c4"), P(""), P(""), FY_LIT("visitor"), FY_LIT("Chrome 142, Linux"), P("198.51.100.7"),
		  AGO(FY_DAY), AGO(2 * FY_HOUR), false, 3 },
	};
	fy_page_manage_sessions(out, page,
				&(struct fy_view_manage_sessions){ .ip = P("203.0.113.0/24"),
								   .query = FY_LIT("ip=203.0.113.0%2F24"),
								   .total = 1284,
								   .shown = 3,
								   .next_cursor = FY_LIT("0b5d77c4"),
								   .sessions = sessions,
								   .sessions_count = FY_COUNT(sessions) });
}

static void show_manage_contact(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_contact messages[] = {
		{ 1042, P("Jeanne Moreau"), P("jeanne@example.com"), P("Une chambre près de la Bastille"), AGO(FY_HOUR),
		  FY_LIT("open") },
		{ 1041, P("École du Marais"), P("accueil@ecole.example"), P("Douze étudiants en mars"), AGO(FY_DAY),
		  FY_LIT("answered") },
		{ 1040, P("Paul"), P("paul@example.org"), P("Merci"), AGO(9 * FY_DAY), FY_LIT("closed") },
	};
	fy_page_manage_contact(out, page,
			       &(struct fy_view_manage_contact){ .total = 3,
								 .next_cursor = FY_LIT("1040"),
								 .messages = messages,
								 .messages_count = FY_COUNT(messages) });
}

static void show_manage_contact_empty(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_contact(out, page, &(struct fy_view_manage_contact){ .state = FY_LIT("answered") });
}

static void show_manage_jobs(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_job jobs[] = {
		{ FY_LIT("purge"), FY_LIT("Efface ce dont le délai est passé"), 3600, false,
		  FY_LIT("supprimé\u00a0: 12 liens expirés, supprimé\u00a0: 1 inscription non confirmée"),
		  AGO(40 * FY_MINUTE), GIVEN_NOW + 20 * FY_MINUTE, false },
		{ FY_LIT("log-rotate"), FY_LIT("Archive les journaux"), 86400, true, FY_LIT("disque plein"),
		  AGO(10 * FY_HOUR), GIVEN_NOW + 14 * FY_HOUR, false },
		{ FY_LIT("mail"), FY_NONE, 60, false, FY_NONE, 0, 0, true },
	};
	fy_page_manage_jobs(out, page, &(struct fy_view_manage_jobs){ .jobs = jobs, .jobs_count = FY_COUNT(jobs) });
}

static void show_manage_people(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_staff staff[] = {
		{ 487120394812673, FY_LIT("propriétaire"), false, true },
		{ 487120394812990, FY_LIT("délégué à la protection des données"), true, false },
	};
	fy_page_manage_people(out, page,
			      &(struct fy_view_manage_people){
				      .who = P("camille@"), .staff = staff, .staff_count = FY_COUNT(staff) });
}

static const struct fy_row_choice purposes[] = {
	{ FY_LIT("identification"), FY_LIT("identification"), false },
	{ FY_LIT("billing"), FY_LIT("facturation"), true },
};
static const struct fy_row_role_choice role_choices[] = {
	{ FY_LIT("member"), FY_LIT("membre"), true },
	{ FY_LIT("dpo"), FY_LIT("délégué à la protection des données"), false },
};
static const struct fy_row_person_ask person_asks[] = {
	{ FY_LIT("facturation"), P("Facture d'octobre contestée"), AGO(FY_HOUR), FY_LIT("approved"),
	  GIVEN_NOW + 20 * FY_MINUTE, true },
	{ FY_LIT("identification"), P("Vérifier l'inscription"), AGO(3 * FY_DAY), FY_LIT("refused"), 0, false },
};

static void show_manage_person(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_person_field fields[] = {
		{ FY_LIT("Prénom"), P("Camille <b>"), 0, FY_LIT("open") },
		{ FY_LIT("Ville"), P(""), 0, FY_LIT("open") },
		{ FY_LIT("Date d'inscription"), P(""), AGO(200 * FY_DAY), FY_LIT("open") },
		{ FY_LIT("Téléphone"), P(""), 0, FY_LIT("withheld") },
		{ FY_LIT("Compétences"), P(""), 0, FY_LIT("other_role") },
	};
	const struct fy_row_person_grant grants[] = {
		{ 12, FY_LIT("facturation"), FY_LIT("billing"), GIVEN_NOW + 20 * FY_MINUTE, true },
		{ 13, FY_LIT("identification"), FY_LIT("identification"), GIVEN_NOW + 50 * FY_MINUTE, false },
	};
	fy_page_manage_person(out, page,
			      &(struct fy_view_manage_person){
				      .account = 487120394812673,
				      .role = FY_LIT("membre"),
				      .state = FY_LIT("active"),
				      .is_open = true,
				      .purpose = FY_LIT("facturation"),
				      .ends = GIVEN_NOW + 20 * FY_MINUTE,
				      .may_sessions = true,
				      .fields = fields,
				      .fields_count = FY_COUNT(fields),
				      .grants = grants,
				      .grants_count = FY_COUNT(grants),
				      .asks = person_asks,
				      .asks_count = FY_COUNT(person_asks),
				      .purposes = purposes,
				      .purposes_count = FY_COUNT(purposes),
				      .minutes = FY_LIT("60"),
				      .may_break = true,
				      .roles = role_choices,
				      .roles_count = FY_COUNT(role_choices),
			      });
}

static void show_manage_person_sealed(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_person_field fields[] = {
		{ FY_LIT("Prénom"), P(""), 0, FY_LIT("sealed") },
		{ FY_LIT("Nom"), P(""), 0, FY_LIT("sealed") },
	};
	fy_page_manage_person(out, page,
			      &(struct fy_view_manage_person){ .account = 487120394812673,
							       .role = FY_LIT("membre"),
							       .state = FY_LIT("pending"),
							       .fields = fields,
							       .fields_count = FY_COUNT(fields),
							       .purposes = purposes,
							       .purposes_count = FY_COUNT(purposes),
							       .reason = P("Bref"),
							       .minutes = FY_LIT("900") });
}

static void show_manage_access(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_access_row requests[] = {
		{ .id = 5,
		  .account = 487120394812673,
		  .asker = 487120394812990,
		  .role = FY_LIT("équipe"),
		  .purpose = FY_LIT("facturation"),
		  .reason = P("Facture d'octobre <contestée>"),
		  .minutes = 60,
		  .asked = AGO(FY_HOUR),
		  .state = FY_LIT("waiting"),
		  .may_decide = true },
		{ .id = 4,
		  .account = 487120394812673,
		  .asker = 487120394812990,
		  .role = FY_LIT("propriétaire"),
		  .purpose = FY_LIT("prise de contact et assistance"),
		  .reason = P("Un étudiant attend"),
		  .minutes = 30,
		  .asked = AGO(4 * FY_DAY),
		  .state = FY_LIT("ended"),
		  .ends = AGO(4 * FY_DAY),
		  .emergency = true,
		  .decider = 487120394812990,
		  .decided = AGO(4 * FY_DAY),
		  .review = FY_LIT("overdue"),
		  .may_review = true },
		{ .id = 3,
		  .account = 487120394812673,
		  .asker = 487120394812990,
		  .role = FY_LIT("propriétaire"),
		  .purpose = FY_LIT("identification"),
		  .unreadable = true,
		  .minutes = 1,
		  .asked = AGO(FY_HOUR),
		  .state = FY_LIT("approved"),
		  .ends = GIVEN_NOW + FY_MINUTE,
		  .emergency = true,
		  .review = FY_LIT("due"),
		  .hours = 71,
		  .own = true },
		{ .id = 2,
		  .account = 487120394812673,
		  .asker = 487120394812990,
		  .role = FY_LIT("comptabilité"),
		  .purpose = FY_LIT("facturation"),
		  .reason = P("Clôture"),
		  .minutes = 60,
		  .asked = AGO(9 * FY_DAY),
		  .state = FY_LIT("refused"),
		  .decided = AGO(9 * FY_DAY),
		  .review = FY_LIT("unjustified"),
		  .reviewer = 487120394812673,
		  .reviewed = AGO(8 * FY_DAY) },
	};
	fy_page_manage_access(out, page,
			      &(struct fy_view_manage_access){ .all = true,
							       .next_cursor = FY_LIT("2"),
							       .requests = requests,
							       .requests_count = FY_COUNT(requests) });
}

static void show_manage_access_empty(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_access(out, page, &(struct fy_view_manage_access){ .all = false });
}

static void show_manage_access_log(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_read reads[] = {
		{ 1042, AGO(FY_MINUTE), 487120394812990, FY_LIT("équipe"), 487120394812673, false,
		  FY_LIT("facturation"), FY_LIT("Prénom, Nom, Adresse e-mail, Adresse, Code postal, Ville, Pays") },
		{ 1041, AGO(FY_DAY), 487120394812990, FY_LIT("délégué à la protection des données"), 487120394812673,
		  true, FY_LIT("prise de contact et assistance"), FY_LIT("Nom, Adresse e-mail, Objet, Message") },
	};
	fy_page_manage_access_log(out, page,
				  &(struct fy_view_manage_access_log){ .next_cursor = FY_LIT("1041"),
								       .reads = reads,
								       .reads_count = FY_COUNT(reads) });
}

static void show_token_reset(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_token_invalid(out, page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("reset") });
}

static void show_conflict(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_account_profile(out, page,
				&(struct fy_view_account_profile){
					.given_name = P("Camille"), .conflict = true, .language = FY_LIT("en") });
}

#define SHOW_ERROR(status)                                                                  \
	static void show_##status(struct fy_buf *out, const struct fy_page *page)           \
	{                                                                                   \
		fy_page_error(out, page, status, status == 429 || status == 503 ? 120 : 0); \
	}
SHOW_ERROR(400)
SHOW_ERROR(401)
SHOW_ERROR(403)
SHOW_ERROR(404)
SHOW_ERROR(405)
SHOW_ERROR(409)
SHOW_ERROR(413)
SHOW_ERROR(429)
SHOW_ERROR(500)
SHOW_ERROR(503)

static const struct fy_field_error register_errors[] = {
	{ { "given_name", 10 }, FY_TEXT_ERROR_GIVEN_NAME_MISSING, { 0 } },
	{ { "email", 5 }, FY_TEXT_ERROR_EMAIL_FORMAT, { 0 } },
	{ { "password", 8 }, FY_TEXT_ERROR_PASSWORD_SHORT, { .n = 12 } },
};
static const struct fy_field_error contact_errors[] = {
	{ { "message", 7 }, FY_TEXT_ERROR_MESSAGE_MISSING, { 0 } },
	{ { "consent", 7 }, FY_TEXT_ERROR_CONSENT_MISSING, { 0 } },
};
static const struct fy_field_error ask_errors[] = {
	{ { "purpose", 7 }, FY_TEXT_ERROR_PURPOSE_MISSING, { 0 } },
	{ { "reason", 6 }, FY_TEXT_ERROR_REASON_SHORT, { .n = 10 } },
	{ { "minutes", 7 }, FY_TEXT_ERROR_MINUTES_RANGE, { .n = 480 } },
};
static const struct fy_field_error login_errors[] = { { { NULL, 0 }, FY_TEXT_ERROR_CREDENTIALS, { 0 } } };
static const struct fy_field_error profile_errors[] = {
	{ { "phone", 5 }, FY_TEXT_ERROR_PHONE_FORMAT, { 0 } },
	{ { "country", 7 }, FY_TEXT_ERROR_COUNTRY_UNKNOWN, { 0 } },
	{ { "skills", 6 }, FY_TEXT_ERROR_TEXT_LONG, { .n = 1000 } },
};

#define GUEST(name)                               \
	{                                         \
#name, FY_PAGE_GUEST, show_##name \
	}
#define MEMBER(name)                               \
	{                                          \
#name, FY_PAGE_MEMBER, show_##name \
	}
#define MANAGER(name)                               \
	{                                           \
#name, FY_PAGE_MANAGER, show_##name \
	}
#define ERRORS(list) .errors = list, .error_count = FY_COUNT(list)

const struct given_page given_pages[] = {
	GUEST(home),
	{ "home_member", FY_PAGE_MEMBER, show_home },
	GUEST(register),
	{ "register_refused", FY_PAGE_GUEST, show_register, ERRORS(register_errors) },
	GUEST(register_done),
	GUEST(verify),
	GUEST(verified),
	GUEST(token_invalid),
	{ "token_reset", FY_PAGE_GUEST, show_token_reset },
	GUEST(login),
	{ "login_refused", FY_PAGE_GUEST, show_login, ERRORS(login_errors) },
	{ "login_ended", FY_PAGE_GUEST, show_login, .notice = FY_TEXT_NOTICE_SESSION_ENDED, .tone = FY_NOTICE_INFO },
	GUEST(forgot),
	GUEST(forgot_done),
	GUEST(reset),
	GUEST(reset_done),
	MEMBER(account),
	MEMBER(account_profile),
	{ "profile_saved", FY_PAGE_MEMBER, show_account_profile, .notice = FY_TEXT_NOTICE_PROFILE_SAVED },
	{ "profile_conflict", FY_PAGE_MEMBER, show_conflict },
	{ "profile_refused", FY_PAGE_MEMBER, show_account_profile, ERRORS(profile_errors) },
	MEMBER(account_security),
	MEMBER(account_privacy),
	GUEST(contact),
	{ "contact_refused", FY_PAGE_GUEST, show_contact, ERRORS(contact_errors) },
	GUEST(contact_done),
	GUEST(privacy),
	GUEST(cookies),
	GUEST(legal),
	GUEST(accessibility),
	GUEST(setup),
	GUEST(manage_login),
	MANAGER(manage_sessions),
	{ "sessions_ended", FY_PAGE_MANAGER, show_manage_sessions, .notice = FY_TEXT_NOTICE_SESSIONS_ENDED,
	  .notice_args = { .n = 3 } },
	MANAGER(manage_contact),
	MANAGER(manage_contact_empty),
	MANAGER(manage_message),
	MANAGER(manage_people),
	MANAGER(manage_person),
	MANAGER(manage_person_sealed),
	{ "person_refused", FY_PAGE_MANAGER, show_manage_person_sealed, ERRORS(ask_errors) },
	MANAGER(manage_access),
	MANAGER(manage_access_empty),
	MANAGER(manage_access_log),
	MANAGER(manage_jobs),
	{ "job_failed", FY_PAGE_MANAGER, show_manage_jobs, .notice = FY_TEXT_NOTICE_JOB_FAILED,
	  .tone = FY_NOTICE_WARNING, .notice_args = { .s = { "purge", 5 } } },
	GUEST(400),
	GUEST(401),
	GUEST(403),
	GUEST(404),
	GUEST(405),
	GUEST(409),
	GUEST(413),
	GUEST(429),
	GUEST(500),
	GUEST(503),
};
const size_t given_page_count = FY_COUNT(given_pages);

#define MAIL(name, ...)                                                              \
	static void pack_##name(struct fy_buf *fields)                               \
	{                                                                            \
		fy_mail_##name(fields, &(struct fy_mailview_##name){ __VA_ARGS__ }); \
	}

#define LINK "https://www.hostfamiliesinparis.com/verify?token=hT9s0Kc2&x=1"
MAIL(confirm_address, .link = P(LINK), .valid_hours = 24)
MAIL(address_known, .given_name = P("Camille"), .login_link = FY_LIT("https://www.hostfamiliesinparis.com/login"),
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(reset_password, .given_name = P("Camille <script>"), .link = P(LINK), .valid_minutes = 30)
MAIL(password_changed, .given_name = P("Camille"), .when = GIVEN_NOW,
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(contact_receipt, .reference = FY_LIT("C-1042"), .received = GIVEN_NOW)

MAIL(access_asked, .given_name = P("Camille"), .role = FY_LIT("équipe"), .purpose = FY_LIT("facturation"),
     .minutes = 60, .link = FY_LIT("https://www.hostfamiliesinparis.com/account/privacy"))
MAIL(role_changed, .given_name = P("Inès"), .account = 487120394812673, .by = 487120394812990,
     .old_role = FY_LIT("membre"), .new_role = FY_LIT("équipe"), .when = GIVEN_NOW,
     .link = FY_LIT("https://www.hostfamiliesinparis.com/manage/people"))
MAIL(glass_broken, .given_name = P("Inès"), .account = 487120394812673, .by = 487120394812990,
     .purpose = FY_LIT("facturation"), .minutes = 60, .when = GIVEN_NOW,
     .link = FY_LIT("https://www.hostfamiliesinparis.com/manage/access-requests"))

#define LETTER(name)               \
	{                          \
#name, pack_##name \
	}
const struct given_mail given_mails[] = {
	LETTER(confirm_address), LETTER(address_known), LETTER(reset_password), LETTER(password_changed),
	LETTER(contact_receipt), LETTER(access_asked),  LETTER(role_changed),   LETTER(glass_broken),
};
const size_t given_mail_count = FY_COUNT(given_mails);
