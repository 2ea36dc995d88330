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

static void show_verify_opted_out(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_verify(out, page, &(struct fy_view_verify){ .token = P("hT9s0Kc2"), .opted_out = true });
}

SHOW(verified)
SHOW(email_confirm, .token = P("hT9s0Kc2"), .email = P("camille.nouvelle@example.com"))
SHOW(email_confirmed, .email = P("camille.nouvelle@example.com"))
SHOW(token_invalid, .purpose = FY_LIT("verify"))
SHOW(login, .email = P("camille@example.com"), .next = FY_LIT("/account"))
SHOW(forgot)
SHOW(forgot_done, .email = P("camille@example.com"), .valid_minutes = 30)
SHOW(reset, .token = P("hT9s0Kc2"))
SHOW(reset_done)
SHOW(account, .given_name = P("Camille"), .family_name = P("Lefèvre"), .email = P("camille@example.com"),
     .member_since = AGO(200 * FY_DAY), .password_changed = AGO(90 * FY_DAY), .signed_in = AGO(3 * FY_DAY),
     .policy_change = AGO(-30 * FY_DAY), .policy_date = FY_LIT("2026-12-01"))
SHOW(account_profile, .given_name = P("Camille"), .family_name = P("Lefèvre"), .phone = P("06 12 34 56 78"),
     .position = P("Professeure de musique"), .skills = P("Anglais, espagnol, piano"),
     .passions = P("Randonnée\nCuisine du monde"), .language = FY_LIT("fr"), .street_address = P("12, rue de Bretagne"),
     .postal_code = P("75003"), .address_level2 = P("Paris"), .country = P("FR"), .version = 7)
SHOW(contact, .name = P("Camille Lefèvre"), .email = P("camille@example.com"), .consent_version = FY_LIT("2026-11"))
SHOW(contact_done, .email = P("camille@example.com"), .reference = FY_LIT("C-1042"))
SHOW(cookies, .visitor_cookie = FY_LIT("__Host-sid"), .manager_cookie = FY_LIT("__Host-manager"),
     .idle_seconds = 14 * 86400, .absolute_seconds = 30 * 86400, .manager_seconds = 1800)
SHOW(legal, .contact = FY_LIT("contact@hostfamiliesinparis.com"))
SHOW(accessibility, .contact = FY_LIT("contact@hostfamiliesinparis.com"))
SHOW(privacy_request, .email = P("camille@example.com"))
SHOW(privacy_request_done, .email = P("camille@example.com"), .valid_minutes = 30)
SHOW(privacy_data, .token = P("hT9s0Kc2"))
SHOW(setup, .token = P("hT9s0Kc2"), .first = true, .nameless = true)
SHOW(account_erase, .email = P("camille@example.com"), .would_be_at = AGO(-7 * FY_DAY), .grace_days = 7)
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
								     .waiting_email = P("camille.nouvelle@example.com"),
								     .waiting_until = AGO(-47 * FY_HOUR),
								     .sessions = sessions,
								     .sessions_count = FY_COUNT(sessions) });
}

static const struct fy_row_held_class classes[] = {
	{ FY_LIT("Compte"), 1, FY_LIT("day"), AGO(-700 * FY_DAY), AGO(-700 * FY_DAY), 0,
	  FY_LIT("2 ans après votre dernière action") },
	{ FY_LIT("Consentement à une finalité facultative"), 3, FY_LIT("span"), AGO(-1500 * FY_DAY),
	  AGO(-1800 * FY_DAY), 1, FY_LIT("5 ans après une nouvelle décision de votre part") },
	{ FY_LIT("Courriel en attente d'envoi"), 1, FY_LIT("open"), 0, 0, 1,
	  FY_LIT("après l'envoi ou l'abandon du courriel") },
};

static const struct fy_row_promise promises[] = {
	{ FY_LIT("identité"), true, FY_LIT("Prénom, Nom"), FY_LIT("Compte"), FY_LIT("les titulaires d’un compte"),
	  FY_LIT("identification, prise de contact et assistance, contractualisation, facturation, études de marché"),
	  FY_LIT("contrat ou mesures précontractuelles (article 6.1.b du RGPD) ; études de marché : consentement "
		 "(article 6.1.a du RGPD)"),
	  FY_LIT("vous-même"),
	  FY_LIT("2 ans après votre dernière action, ou 7 jours après une inscription jamais confirmée"),
	  FY_LIT("suppression"), FY_LIT("vous, les employés (sur autorisation préalable), la comptabilité") },
	{ FY_LIT("identité"), false, FY_LIT("Nom"), FY_LIT("Message du formulaire de contact"),
	  FY_LIT("les personnes qui nous écrivent"), FY_LIT("prise de contact et assistance"),
	  FY_LIT("consentement (article 6.1.a du RGPD)"), FY_LIT("vous-même"),
	  FY_LIT("180 jours après la réponse ou la clôture de la demande"), FY_LIT("suppression"),
	  FY_LIT("les employés qui répondent aux demandes") },
	{ FY_LIT("données techniques"), true,
	  FY_LIT("Empreinte de l’adresse réseau, Empreinte de l’adresse e-mail saisie"),
	  FY_LIT("Compteurs de tentatives"), FY_LIT("les visiteurs du site"),
	  FY_LIT("protection du site et des comptes"), FY_LIT("intérêt légitime (article 6.1.f du RGPD)"),
	  FY_LIT("votre navigateur"), FY_LIT("1 jour après la dernière tentative"), FY_LIT("suppression"), FY_NONE },
};

static void show_account_privacy(struct fy_buf *out, const struct fy_page *page)
{
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
		  P("Un étudiant attend devant la porte"), FY_LIT("Prénom, Nom, Adresse e-mail, Téléphone"), true,
		  false },
		{ AGO(2 * FY_DAY), FY_LIT("équipe"), FY_LIT("exercice de vos droits"), P(""), FY_LIT("Votre demande"),
		  false, true },
		{ AGO(40 * FY_DAY), FY_LIT("comptabilité"), FY_LIT("facturation"), P(""), FY_LIT("Nom, Adresse"), false,
		  false },
	};
	fy_page_account_privacy(out, page,
				&(struct fy_view_account_privacy){ .classes = classes,
								   .classes_count = FY_COUNT(classes),
								   .held = promises,
								   .held_count = FY_COUNT(promises),
								   .asks = asks,
								   .asks_count = FY_COUNT(asks),
								   .looks = looks,
								   .looks_count = FY_COUNT(looks),
								   .looks_older = FY_LIT("17"),
								   .entered = 12,
								   .market_research = true,
								   .market_research_at = AGO(FY_DAY),
								   .restricted_since = AGO(2 * FY_DAY),
								   .lift_at = AGO(-5 * FY_DAY),
								   .email = P("camille@example.com"),
								   .ask_password = true });
}

static const struct fy_row_proof proofs[] = {
	{ FY_LIT("purge"), true, true, AGO(20 * FY_MINUTE), AGO(20 * FY_MINUTE), 0, 0, 0 },
	{ FY_LIT("logs"), true, false, AGO(3 * FY_DAY), AGO(3 * FY_DAY), 1, 180, AGO(183 * FY_DAY) },
	{ FY_LIT("logs"), true, false, 0, 0, 2, 180, 0 },
	{ FY_LIT("logs"), false, false, 0, 0, 3, 1, 0 },
	{ FY_LIT("clock"), true, true, 0, 0, 0, 0, 0 },
};

static const struct fy_row_measure measures[] = {
	{ FY_LIT("Les mots de passe sont hachés avec Argon2id.") },
	{ FY_LIT("Les tentatives de connexion sont comptées et ralenties.") },
};

static void show_privacy(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_privacy(out, page,
			&(struct fy_view_privacy){ .contact = FY_LIT("contact@hostfamiliesinparis.com"),
						   .dpo_name = FY_LIT("Jeanne Moreau"),
						   .dpo_contact = FY_LIT("dpo@hostfamiliesinparis.com"),
						   .version = AGO(20 * FY_DAY),
						   .coming = AGO(-20 * FY_DAY),
						   .coming_date = FY_LIT("2026-11-13"),
						   .promises = promises,
						   .promises_count = FY_COUNT(promises),
						   .mail_files = true,
						   .measures = measures,
						   .measures_count = FY_COUNT(measures),
						   .proofs = proofs,
						   .proofs_count = FY_COUNT(proofs) });
}

#define FINGERPRINT FY_LIT("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")

static void show_policy_versions(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_policy_version versions[] = {
		{ .date = FY_LIT("2026-11-13"),
		  .day = AGO(10 * FY_DAY),
		  .effective = AGO(-20 * FY_DAY),
		  .fingerprint = FINGERPRINT,
		  .major = true,
		  .coming = true },
		{ .date = FY_LIT("2026-11-03"), .day = AGO(20 * FY_DAY), .fingerprint = FINGERPRINT, .now = true },
		{ .date = FY_LIT("2026-05-07"), .day = AGO(200 * FY_DAY), .fingerprint = FINGERPRINT, .first = true },
	};
	fy_page_policy_versions(
		out, page,
		&(struct fy_view_policy_versions){ .versions = versions, .versions_count = FY_COUNT(versions) });
}

static void show_policy_version(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_policy_version(out, page,
			       &(struct fy_view_policy_version){ .date = FY_LIT("2026-11-03"),
								 .day = AGO(20 * FY_DAY),
								 .fingerprint = FINGERPRINT,
								 .promises = promises,
								 .promises_count = FY_COUNT(promises) });
}

static void show_policy_changes(struct fy_buf *out, const struct fy_page *page)
{
	static const enum fy_text kinds[] = {
		FY_TEXT_CHANGE_FIELD_ADDED,   FY_TEXT_CHANGE_FIELD_REMOVED,   FY_TEXT_CHANGE_PURPOSE_ADDED,
		FY_TEXT_CHANGE_VIEWER_ADDED,  FY_TEXT_CHANGE_VIEWER_REMOVED,  FY_TEXT_CHANGE_PERSONS_ADDED,
		FY_TEXT_CHANGE_BASIS,         FY_TEXT_CHANGE_PROVIDED_BY,     FY_TEXT_CHANGE_THEN,
		FY_TEXT_CHANGE_PERIOD,        FY_TEXT_CHANGE_LABEL,           FY_TEXT_CHANGE_WORD,
		FY_TEXT_CHANGE_PURPOSE_BASIS, FY_TEXT_CHANGE_PURPOSE_REMOVED, FY_TEXT_CHANGE_CATEGORY,
	};
	static char spaces[FY_COUNT(kinds)][400];
	struct fy_row_change changes[FY_COUNT(kinds)];
	for (size_t i = 0; i < FY_COUNT(kinds); i++) {
		struct fy_buf words = { .ptr = spaces[i], .cap = sizeof spaces[i], .max = sizeof spaces[i] };
		fy_text_put(&words, page->lang, kinds[i],
			    (struct fy_text_args){ .s = FY_LIT("Prénom, Nom, Adresse <e-mail> (Compte)"),
						   .from = FY_LIT("2 ans après votre dernière action"),
						   .to = FY_LIT("3 ans après votre dernière action") });
		changes[i] = (struct fy_row_change){ .major = i % 2 == 0, .words = fy_buf_slice(&words) };
	}
	fy_page_policy_changes(out, page,
			       &(struct fy_view_policy_changes){ .date = FY_LIT("2026-11-03"),
								 .day = AGO(20 * FY_DAY),
								 .before = AGO(90 * FY_DAY),
								 .effective = AGO(-20 * FY_DAY),
								 .major = true,
								 .changes = changes,
								 .changes_count = FY_COUNT(changes) });
}

static void show_policy_first(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_policy_changes(
		out, page, &(struct fy_view_policy_changes){ .date = FY_LIT("2026-05-07"), .day = AGO(200 * FY_DAY) });
}

static void show_manage_privacy(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_sheet sheets[] = {
		{ FY_LIT("Gestion des comptes"), FY_LIT("identification, prise de contact et assistance, facturation"),
		  FY_LIT("les titulaires d’un compte"),
		  FY_LIT("identité – Prénom, Nom (Compte)\ncoordonnées – Adresse <e-mail> (Compte)"),
		  FY_LIT("vous, les employés (sur autorisation préalable)"),
		  FY_LIT("Prénom, Nom (Compte) – 2 ans après votre dernière action; suppression"),
		  FY_LIT("contrat ou mesures précontractuelles (article 6.1.b du RGPD)"), FY_LIT("vous-même") },
		{ FY_LIT("Protection du site et des comptes"), FY_LIT("protection du site et des comptes"),
		  FY_LIT("les visiteurs du site"), FY_LIT("données techniques – Adresse réseau (Journal des accès)"),
		  FY_NONE, FY_LIT("Adresse réseau (Journal des accès) – 180 jours après l’écriture; suppression"),
		  FY_LIT("intérêt légitime (article 6.1.f du RGPD)"), FY_LIT("votre navigateur") },
	};
	const struct fy_row_policy_news news[] = {
		{ .date = FY_LIT("2026-11-13"),
		  .day = AGO(10 * FY_DAY),
		  .effective = AGO(-20 * FY_DAY),
		  .counted = true,
		  .told = 412,
		  .persons = 1284 },
		{ .date = FY_LIT("2026-11-03"),
		  .day = AGO(20 * FY_DAY),
		  .counted = true,
		  .told = 1,
		  .persons = 1,
		  .ended = AGO(19 * FY_DAY),
		  .rewritten = true },
		{ .date = FY_LIT("2026-05-07"), .day = AGO(200 * FY_DAY), .silent = true },
	};
	fy_page_manage_privacy(out, page,
			       &(struct fy_view_manage_privacy){ .contact = FY_LIT("contact@hostfamiliesinparis.com"),
								 .date = FY_LIT("2026-11-03"),
								 .version = AGO(20 * FY_DAY),
								 .fingerprint = FINGERPRINT,
								 .sheets = sheets,
								 .sheets_count = FY_COUNT(sheets),
								 .measures = measures,
								 .measures_count = FY_COUNT(measures),
								 .proofs = proofs,
								 .proofs_count = FY_COUNT(proofs),
								 .news_known = true,
								 .news = news,
								 .news_count = FY_COUNT(news) });
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
		{ 1042, FY_LIT("HGKY9TCB5J"), AGO(FY_HOUR), FY_LIT("open") },
		{ 1041, FY_LIT("M3QX7TD2PA"), AGO(FY_DAY), FY_LIT("answered") },
		{ 1040, FY_LIT("ZK4B9W8N6C"), AGO(9 * FY_DAY), FY_LIT("closed") },
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

static void show_account_requests(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_own_request requests[] = {
		{ 14, FY_LIT("Effacement"), FY_LIT("Identité à confirmer"), AGO(3 * FY_DAY), GIVEN_NOW + 27 * FY_DAY, 0,
		  true },
		{ 12, FY_LIT("Accès aux données"), FY_LIT("En cours"), AGO(9 * FY_DAY), GIVEN_NOW + 21 * FY_DAY, 0,
		  false },
		{ 3, FY_LIT("Opposition"), FY_LIT("Répondue"), AGO(90 * FY_DAY), AGO(60 * FY_DAY), AGO(70 * FY_DAY),
		  false },
	};
	fy_page_account_requests(out, page,
				 &(struct fy_view_account_requests){ .requests = requests,
								     .requests_count = FY_COUNT(requests),
								     .next_cursor = FY_LIT("3-0"),
								     .kind = FY_LIT("erasure"),
								     .wish = P("Mes anciens messages"),
								     .once = FY_LIT("x") });
}

static void show_manage_requests(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_request requests[] = {
		{ 9, FY_LIT("Accès aux données"), FY_LIT("En cours"), 487120394812673, AGO(40 * FY_DAY),
		  AGO(9 * FY_DAY), false, false, true, true, true, 9 },
		{ 11, FY_LIT("Rectification"), FY_LIT("Reçue"), 0, AGO(30 * FY_DAY), GIVEN_NOW, false, false, false,
		  true, true, 0 },
		{ 12, FY_LIT("Portabilité"), FY_LIT("Délai prolongé"), 487120394812990, AGO(22 * FY_DAY),
		  GIVEN_NOW + 8 * FY_DAY, false, false, false, false, true, 8 },
		{ 13, FY_LIT("Effacement"), FY_LIT("Reçue"), 487120394812991, AGO(FY_DAY), GIVEN_NOW + 29 * FY_DAY,
		  false, false, false, false, false, 29 },
	};
	fy_page_manage_requests(out, page,
				&(struct fy_view_manage_requests){ .waiting = 2,
								   .next_cursor = FY_LIT("13-1"),
								   .requests = requests,
								   .requests_count = FY_COUNT(requests) });
}

static void show_manage_requests_none(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_requests(out, page,
				&(struct fy_view_manage_requests){ .state = FY_LIT("refused"), .over = true });
}

static const struct fy_row_request_step request_steps[] = {
	{ AGO(9 * FY_DAY), FY_LIT("Reçue"), P("Camille Lefèvre"), P("") },
	{ AGO(7 * FY_DAY), FY_LIT("Identité à confirmer"), P("Inès Moreau"), P("Appelez-nous au 01 23 45 67 89.") },
	{ AGO(6 * FY_DAY), FY_LIT("En cours"), P("#3"), P("Rappelée au numéro du dossier") },
};

SHOW(account_request, .id = 12, .kind = FY_LIT("Accès aux données"), .state = FY_LIT("Délai prolongé"), .open = true,
     .received = AGO(9 * FY_DAY), .answer_by = GIVEN_NOW + 80 * FY_DAY,
     .wish = P("Tout ce que vous avez.\n\nDepuis 2019."), .extension = P("Les archives sont sur papier."))
SHOW(manage_request, .id = 12, .account = 4, .kind = FY_LIT("Accès aux données"), .state = FY_LIT("in_progress"),
     .state_words = FY_LIT("En cours"), .name = P("Camille Lefèvre"), .email = P("camille@example.com"),
     .received = AGO(9 * FY_DAY), .first_month = GIVEN_NOW + 4 * FY_DAY, .answer_by = GIVEN_NOW + 4 * FY_DAY,
     .urgent = true, .soon = true, .days = 4, .wish = P("Tout ce que vous avez."), .steps = request_steps,
     .steps_count = FY_COUNT(request_steps), .may_answer = true, .may_extend = true,
     .would_extend_to = GIVEN_NOW + 65 * FY_DAY)
SHOW(manage_request_new, .kind = FY_LIT("access"), .received_on = FY_LIT("2026-11-20"), .language = FY_LIT("en"))

static void show_request_conflict(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_request(out, page,
			       &(struct fy_view_manage_request){ .id = 12,
								 .recorded = true,
								 .kind = FY_LIT("Opposition"),
								 .state = FY_LIT("received"),
								 .state_words = FY_LIT("Reçue"),
								 .conflict = true,
								 .typed = P("Ce que j'avais écrit"),
								 .received = AGO(40 * FY_DAY),
								 .overdue = true,
								 .days = 10,
								 .may_take = true,
								 .may_ask = true,
								 .may_prove = true,
								 .may_extend = true,
								 .too_late = true });
}

#define BREACH_FACTS                                                                                                \
	.discovered = AGO(2 * FY_DAY), .aware = AGO(2 * FY_DAY - FY_HOUR), .from = AGO(4 * FY_DAY),                 \
	.confidentiality = true, .availability = true, .nature = FY_LIT("Un ordinateur a été volé.\n\nAu bureau."), \
	.persons_categories = FY_LIT("Familles"), .persons = FY_LIT("120"),                                         \
	.consequences = FY_LIT("Courriels frauduleux"), .risk = FY_LIT("3")

static void show_manage_holds(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_hold holds[] = {
		{ 1, 115517030400549, AGO(100 * FY_DAY), AGO(FY_DAY), 0, true },
		{ 2, 7, AGO(FY_DAY), AGO(-90 * FY_DAY), 0, false },
	};
	fy_page_manage_holds(out, page,
			     &(struct fy_view_manage_holds){ .next_cursor = FY_LIT("2"),
							     .holds = holds,
							     .holds_count = FY_COUNT(holds),
							     .email = { FY_LIT("zoé@example.org") },
							     .reason = { FY_LIT("Séjour impayé") },
							     .review_on = FY_LIT("2027-02-30") });
}

static void show_message_withheld(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_message(
		out, page, &(struct fy_view_manage_message){ .id = 1042, .withheld = true, .state = FY_LIT("open") });
}

static void show_manage_holds_lifted(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_hold hold = { 1, 7, AGO(9 * FY_DAY), AGO(FY_DAY), AGO(0), false };
	fy_page_manage_holds(out, page,
			     &(struct fy_view_manage_holds){ .lifted = true, .holds = &hold, .holds_count = 1 });
}

static void show_manage_hold(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_hold(out, page,
			    &(struct fy_view_manage_hold){ .id = 1,
							   .account = 115517030400549,
							   .placed_by = 3,
							   .reason = { FY_LIT("Séjour impayé,\ndossier 12/2026") },
							   .placed = AGO(100 * FY_DAY),
							   .review = AGO(FY_DAY),
							   .due = true,
							   .review_on = FY_LIT("2027-02-21") });
}

static void show_manage_hold_lifted(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_hold(
		out, page,
		&(struct fy_view_manage_hold){
			.id = 1, .account = 7, .placed_by = 3, .placed = AGO(9 * FY_DAY), .lifted = AGO(FY_DAY) });
}

static void show_manage_breaches(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_breach breaches[] = {
		{ 4, FY_LIT("Ordinateur volé"), FY_LIT("open"), AGO(2 * FY_DAY), 0, true, false, false, 24 },
		{ 3, FY_LIT("Dernière heure"), FY_LIT("open"), AGO(72 * FY_HOUR - FY_MINUTE), 0, true, false, false,
		  0 },
		{ 2, FY_LIT("Courriel à la mauvaise adresse"), FY_LIT("open"), AGO(5 * FY_DAY), 0, true, true, true,
		  49 },
		{ 1, FY_LIT("Panne"), FY_LIT("closed"), AGO(50 * FY_DAY), AGO(49 * FY_DAY), false, false, false, 0 },
	};
	fy_page_manage_breaches(out, page,
				&(struct fy_view_manage_breaches){ .next_cursor = FY_LIT("1"),
								   .breaches = breaches,
								   .breaches_count = FY_COUNT(breaches) });
}

static const struct fy_row_breach_step breach_steps[] = {
	{ AGO(FY_HOUR), 487120394812990, FY_LIT("facts"), AGO(20 * FY_HOUR), AGO(90 * FY_HOUR) },
	{ AGO(3 * FY_HOUR), 487120394812990, FY_LIT("recorded"), AGO(90 * FY_HOUR), 0 },
};
SHOW(manage_breach, .steps = breach_steps, .steps_count = FY_COUNT(breach_steps), .id = 4, .version = 2,
     .state = FY_LIT("open"), .open = true, .hours = 24, .due = GIVEN_NOW + FY_DAY, .name = FY_LIT("Ordinateur volé"),
     BREACH_FACTS, .high = true)
SHOW(manage_breach_form, .name = FY_LIT("Ordinateur volé"), .discovered_at = FY_LIT("2026-11-23T14:05"),
     .confidentiality = true, .risk = FY_LIT("2"), .conflict = true)
SHOW(manage_breach_letter, .id = 4, .language = FY_LIT("en"), .nature = FY_LIT("A laptop was stolen."))
SHOW(breach_letter, .id = 4, .language = FY_LIT("fr"), .complete = true, .nature = FY_LIT("Un ordinateur a été volé."),
     .consequences = FY_LIT("Courriels frauduleux."), .measures = FY_LIT("Disque chiffré."),
     .advice = FY_LIT("Changez de mot de passe."), .contact = FY_LIT("contact@hostfamiliesinparis.com"))
SHOW(breach_notification, .id = 4, .contact = FY_LIT("contact@hostfamiliesinparis.com"), BREACH_FACTS, .partial = true)

SHOW(manage_study_form, .title_fr = FY_LIT("Votre accueil idéal"), .text_fr = FY_LIT("Dix questions.\n\nMerci."),
     .title_en = FY_LIT("Your ideal welcome"), .text_en = FY_LIT("Ten questions."),
     .link = FY_LIT("https://enquete.example.org/accueil?x=1&y=2"))
SHOW(manage_study, .id = 3, .version = 1, .name = FY_LIT("Votre accueil <idéal>"), .state = FY_LIT("draft"),
     .draft = true, .may_write = true, .created = AGO(FY_DAY), .created_by = 12, .agreed = 240,
     .subject_fr = FY_LIT("Host Families in Paris vous invite à une étude : Votre accueil idéal"),
     .letter_fr = FY_LIT("Bonjour Camille,\n\nDix questions."),
     .subject_en = FY_LIT("Host Families in Paris invites you to take part in research: Your ideal welcome"),
     .letter_en = FY_LIT("Hello Camille,\n\nTen questions."))

static void show_study_sending(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_study(out, page,
			     &(struct fy_view_manage_study){ .id = 3,
							     .name = FY_LIT("Votre accueil idéal"),
							     .state = FY_LIT("sending"),
							     .sending = true,
							     .may_write = true,
							     .created = AGO(FY_DAY),
							     .created_by = 12,
							     .sent = AGO(FY_HOUR),
							     .sent_by = 13,
							     .told = 60,
							     .persons = 240,
							     .counted = true,
							     .subject_fr = FY_LIT("Une étude"),
							     .letter_fr = FY_LIT("Bonjour Camille,"),
							     .subject_en = FY_LIT("Some research"),
							     .letter_en = FY_LIT("Hello Camille,") });
}

static void show_manage_studies(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_study studies[] = {
		{ .id = 4, .title = FY_LIT("Petit-déjeuner <inclus> ?"), .state = FY_LIT("draft") },
		{ .id = 3,
		  .title = FY_LIT("Votre accueil idéal"),
		  .state = FY_LIT("sending"),
		  .sent = AGO(FY_HOUR),
		  .told = 60 },
		{ .id = 2, .title = FY_LIT("La rentrée"), .state = FY_LIT("stopped"), .sent = AGO(9 * FY_DAY) },
		{ .id = 1, .title = FY_LIT("L'été"), .state = FY_LIT("ended"), .sent = AGO(90 * FY_DAY), .told = 1 },
	};
	fy_page_manage_studies(out, page,
			       &(struct fy_view_manage_studies){ .agreed = 240,
								 .may_write = true,
								 .next_cursor = FY_LIT("1"),
								 .studies = studies,
								 .studies_count = FY_COUNT(studies) });
}

SHOW(withdraw, .token = { FY_LIT("AAAAAAAAAAwBq1_-bQ") })
SHOW(withdrawn)

static void show_breach_closed(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_manage_breach(out, page,
			      &(struct fy_view_manage_breach){ .id = 1,
							       .state = FY_LIT("closed"),
							       .closed = true,
							       .name = FY_LIT("Panne"),
							       BREACH_FACTS,
							       .notified = AGO(FY_DAY),
							       .delay_saved = FY_LIT("Congés"),
							       .persons_reason_saved = FY_LIT("Aucun risque"),
							       .closed_at = AGO(FY_HOUR) });
}

static void show_letter_incomplete(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_breach_letter(
		out, page,
		&(struct fy_view_breach_letter){
			.id = 4, .language = FY_LIT("en"), .lacks_advice = true, .lacks_measures = true });
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
				      .refused = FY_LIT("Téléphone"),
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
							       .refused_purpose = FY_LIT("facturation"),
							       .refused = FY_LIT("Prénom, Nom"),
							       .person_refuses = true,
							       .purpose = FY_LIT("identification"),
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
		{ 1042, AGO(FY_MINUTE), 487120394812990, FY_LIT("équipe"), 487120394812673, false, false,
		  FY_LIT("facturation"), FY_LIT("Prénom, Nom, Adresse e-mail, Adresse, Code postal, Ville, Pays") },
		{ 1041, AGO(FY_DAY), 487120394812990, FY_LIT("délégué à la protection des données"), 487120394812673,
		  true, false, FY_LIT("prise de contact et assistance"),
		  FY_LIT("Nom, Adresse e-mail, Objet, Message") },
		{ 1040, AGO(FY_DAY), 487120394812990, FY_LIT("équipe"), 17, false, true,
		  FY_LIT("exercice de vos droits"), FY_LIT("Nom, Adresse e-mail, Votre demande") },
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

static void show_token_export(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_token_invalid(out, page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("export") });
}

static void show_token_withdraw(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_token_invalid(out, page, &(struct fy_view_token_invalid){ .purpose = FY_LIT("withdraw") });
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

#define PERSON                                                                                       \
	.given_name = P("Mei-Ling"), .family_name = P("Wang de la Rochefoucauld"),                   \
	.email = P("mei-ling.wang.de.la.rochefoucauld@etudiants.universite.example.org"),            \
	.birth_date = P("2010-05-17"), .language = FY_LIT("en"), .what_for = P("Séjour en février"), \
	.adult_given_name = P("Lan"), .adult_family_name = P("Wang"), .adult_email = P("lan.wang@example.org")
SHOW(account_person_new, PERSON)
SHOW(account_person, PERSON, .id = 12, .version = 1, .state = FY_LIT("entered"), .notice = FY_LIT("bounced"),
     .editable = true, .removable = true, .since = AGO(3 * FY_DAY), .inform_by = AGO(-27 * FY_DAY),
     .heading = P("Mei-Ling Wang de la Rochefoucauld"))
SHOW(notice, PERSON, .token = P("hT9s0Kc2"), .provider = P("Claire Dupont"), .minor = true, .since = AGO(3 * FY_DAY),
     .birth_day = FY_LIT("17 mai 2010"), .person = P("Mei-Ling Wang"), .classes = classes, .classes_count = 1,
     .held = promises, .held_count = FY_COUNT(promises), .contact = FY_LIT("contact@hostfamiliesinparis.com"),
     .dpo_contact = FY_LIT("dpo@hostfamiliesinparis.com"), .link_until = AGO(-87 * FY_DAY))
SHOW(notice_erased, .receipt = P("foyer erasure receipt 1\nserial: 12\nhash: 00\n"))
SHOW(notice_old, .token = P("hT9s0Kc2"))
SHOW(notice_sent)

static void show_account_people(struct fy_buf *out, const struct fy_page *page)
{
	const struct fy_row_entered people[] = {
		{ 14, P("Mei-Ling"), P("Wang de la Rochefoucauld-Montbel"), false, FY_LIT("entered"),
		  FY_LIT("on_its_way"), AGO(FY_HOUR) },
		{ 13, P("Ahmed"), P("Benali"), false, FY_LIT("taken_over"), FY_LIT("delivered"), AGO(9 * FY_DAY) },
		{ 12, P("Zoé"), P("O'Connor"), false, FY_LIT("restricted"), FY_LIT("delivered"), AGO(20 * FY_DAY) },
		{ 11, { FY_NONE }, { FY_NONE }, true, FY_LIT("entered"), FY_LIT("bounced"), AGO(20 * FY_DAY) },
	};
	fy_page_account_people(out, page,
			       &(struct fy_view_account_people){ .people = people,
								 .people_count = FY_COUNT(people),
								 .next_cursor = FY_LIT("11") });
}

static void show_people_none(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_account_people(out, page, &(struct fy_view_account_people){ 0 });
}

static void show_person_taken_over(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_account_person(
		out, page,
		&(struct fy_view_account_person){ PERSON, .id = 12, .state = FY_LIT("taken_over"),
						  .notice = FY_LIT("delivered"), .removable = true, .conflict = true,
						  .since = AGO(9 * FY_DAY), .noticed = AGO(9 * FY_DAY),
						  .birth_day = FY_LIT("17 mai 2010"), .heading = P("Mei-Ling Wang") });
}

static void show_person_restricted(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_account_person(out, page,
			       &(struct fy_view_account_person){ .id = 12,
								 .state = FY_LIT("restricted"),
								 .notice = FY_LIT("delivered"),
								 .since = AGO(9 * FY_DAY),
								 .noticed = AGO(9 * FY_DAY),
								 .heading = P("Mei-Ling Wang") });
}

static void show_notice_restricted(struct fy_buf *out, const struct fy_page *page)
{
	fy_page_notice(out, page,
		       &(struct fy_view_notice){ PERSON, .token = P("hT9s0Kc2"), .provider = P("Claire Dupont"),
						 .restricted = true, .typed = true, .since = AGO(3 * FY_DAY),
						 .person = P("Mei-Ling Wang"), .classes = classes, .classes_count = 1,
						 .held = promises, .held_count = FY_COUNT(promises),
						 .contact = FY_LIT("contact@hostfamiliesinparis.com"),
						 .link_until = AGO(-87 * FY_DAY) });
}

static const struct fy_field_error person_errors[] = {
	{ { NULL, 0 }, FY_TEXT_ERROR_PERSON_KNOWN, { 0 } },
	{ { "given_name", 10 }, FY_TEXT_ERROR_PERSON_NAME, { 0 } },
	{ { "birth_date", 10 }, FY_TEXT_ERROR_BIRTH_DATE_RANGE, { 0 } },
	{ { "language", 8 }, FY_TEXT_ERROR_LANGUAGE_UNKNOWN, { 0 } },
	{ { "adult_email", 11 }, FY_TEXT_ERROR_ADULT_EMAIL_MISSING, { 0 } },
};
static const struct fy_field_error confirm_errors[] = {
	{ { "confirm", 7 }, FY_TEXT_ERROR_ERASE_CONFIRM_MISSING, { 0 } },
};
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
static const struct fy_field_error request_errors[] = {
	{ { "kind", 4 }, FY_TEXT_ERROR_RIGHT_MISSING, { 0 } },
	{ { "wish", 4 }, FY_TEXT_ERROR_WISH_MISSING, { 0 } },
};
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
	GUEST(verify_opted_out),
	GUEST(verified),
	GUEST(email_confirm),
	GUEST(email_confirmed),
	GUEST(token_invalid),
	{ "token_reset", FY_PAGE_GUEST, show_token_reset },
	{ "token_export", FY_PAGE_GUEST, show_token_export },
	{ "token_withdraw", FY_PAGE_GUEST, show_token_withdraw },
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
	MEMBER(account_erase),
	MEMBER(account_privacy),
	MEMBER(account_requests),
	{ "requests_refused", FY_PAGE_MEMBER, show_account_requests, ERRORS(request_errors) },
	MEMBER(account_request),
	MEMBER(account_people),
	MEMBER(people_none),
	MEMBER(account_person_new),
	{ "person_refused", FY_PAGE_MEMBER, show_account_person_new, ERRORS(person_errors) },
	MEMBER(account_person),
	MEMBER(person_taken_over),
	MEMBER(person_restricted),
	GUEST(notice),
	GUEST(notice_restricted),
	{ "notice_unconfirmed", FY_PAGE_GUEST, show_notice, ERRORS(confirm_errors) },
	GUEST(notice_erased),
	GUEST(notice_old),
	GUEST(notice_sent),
	GUEST(withdraw),
	GUEST(withdrawn),
	GUEST(contact),
	{ "contact_refused", FY_PAGE_GUEST, show_contact, ERRORS(contact_errors) },
	GUEST(contact_done),
	GUEST(privacy),
	GUEST(privacy_request),
	GUEST(privacy_request_done),
	GUEST(privacy_data),
	GUEST(policy_versions),
	GUEST(policy_version),
	GUEST(policy_changes),
	GUEST(policy_first),
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
	MANAGER(message_withheld),
	MANAGER(manage_requests),
	MANAGER(manage_requests_none),
	MANAGER(manage_request),
	MANAGER(request_conflict),
	MANAGER(manage_request_new),
	MANAGER(manage_holds),
	MANAGER(manage_holds_lifted),
	MANAGER(manage_hold),
	MANAGER(manage_hold_lifted),
	MANAGER(manage_studies),
	MANAGER(manage_study),
	MANAGER(study_sending),
	MANAGER(manage_study_form),
	MANAGER(manage_breaches),
	MANAGER(manage_breach),
	MANAGER(breach_closed),
	MANAGER(manage_breach_form),
	MANAGER(manage_breach_letter),
	MANAGER(breach_letter),
	MANAGER(letter_incomplete),
	MANAGER(breach_notification),
	MANAGER(manage_people),
	MANAGER(manage_person),
	MANAGER(manage_person_sealed),
	{ "person_refused", FY_PAGE_MANAGER, show_manage_person_sealed, ERRORS(ask_errors) },
	MANAGER(manage_access),
	MANAGER(manage_access_empty),
	MANAGER(manage_access_log),
	MANAGER(manage_jobs),
	MANAGER(manage_privacy),
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
MAIL(erasure_asked, .given_name = P("Camille"), .erase_at = AGO(-7 * FY_DAY),
     .account_link = FY_LIT("https://www.hostfamiliesinparis.com/account/erase"))
MAIL(erasure_done, .given_name = P("Camille"), .when = AGO(FY_HOUR),
     .receipt = FY_LIT("foyer erasure receipt 1\nserial: 12\nhash: 00\n"))
MAIL(inactive, .given_name = P("Camille"), .erase_at = AGO(-60 * FY_DAY),
     .login_link = FY_LIT("https://www.hostfamiliesinparis.com/login"))
#define SITE "https://www.hostfamiliesinparis.com"
MAIL(study_invitation, .given_name = P("Camille"), .title = FY_LIT("Votre accueil <idéal>"),
     .body = FY_LIT("Dix questions.\n\nMerci."), .link = FY_LIT("https://enquete.example.org/accueil"),
     .agreed = AGO(30 * FY_DAY),
     .withdraw_link = { FY_LIT("https://www.hostfamiliesinparis.com/withdraw?token=AAAA_-b") })
MAIL(policy_change, .given_name = P("Camille"), .effective = AGO(-30 * FY_DAY),
     .changes =
	     FY_LIT("– Téléphone (Compte)\u00a0: nouvelle finalité, facturation.\n– <Session>\u00a0: la durée change."),
     .left = 2, .kept = 1, .link = FY_LIT(SITE "/privacy/versions/2026-12-01/changes"),
     .object_link = FY_LIT(SITE "/account/requests"), .withdraw_link = FY_LIT(SITE "/account/privacy"),
     .erase_link = FY_LIT(SITE "/account/erase"), .contact = FY_LIT("contact@hostfamiliesinparis.com"))
MAIL(confirm_address, .link = P(LINK), .valid_hours = 24)
MAIL(address_known, .given_name = P("Camille"), .login_link = FY_LIT("https://www.hostfamiliesinparis.com/login"),
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(reset_password, .given_name = P("Camille <script>"), .link = P(LINK), .valid_minutes = 30)
MAIL(password_changed, .given_name = P("Camille"), .when = GIVEN_NOW,
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(email_confirm, .link = P(LINK), .valid_hours = 48)
MAIL(email_asked, .given_name = P("Camille <script>"), .when = GIVEN_NOW, .valid_hours = 48,
     .account_link = FY_LIT("https://www.hostfamiliesinparis.com/account/security"),
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(email_changed, .given_name = P("Camille"), .when = GIVEN_NOW, .contact = FY_LIT("bonjour@example.com"))
MAIL(email_wanted, .given_name = P("Camille"), .login_link = FY_LIT("https://www.hostfamiliesinparis.com/login"),
     .forgot_link = FY_LIT("https://www.hostfamiliesinparis.com/password/forgot"))
MAIL(contact_receipt, .reference = FY_LIT("C-1042"), .received = GIVEN_NOW)
MAIL(export_link, .link = P(LINK), .valid_minutes = 30)
MAIL(export_nothing, .privacy_link = FY_LIT("https://www.hostfamiliesinparis.com/privacy"))
#define RIGHT                                                                                   \
	.name = P("Camille"), .kind = FY_LIT("Accès aux données"), .received = AGO(9 * FY_DAY), \
	.contact = FY_LIT("contact@hostfamiliesinparis.com")
MAIL(right_receipt, RIGHT, .due = GIVEN_NOW, .link = FY_LIT("https://www.hostfamiliesinparis.com/account/requests"))
MAIL(right_ask, RIGHT, .letter = P("Rappelez-nous."))
MAIL(right_proven, RIGHT, .due = GIVEN_NOW)
MAIL(right_extended, RIGHT, .due = GIVEN_NOW, .letter = P("Les archives sont sur papier."))
MAIL(right_answer, RIGHT, .letter = P("Voici tout.\n\n<Merci>"))
MAIL(right_refused, RIGHT, .letter = P("Nous n'avons rien."))

MAIL(access_asked, .given_name = P("Camille"), .role = FY_LIT("équipe"), .purpose = FY_LIT("facturation"),
     .minutes = 60, .link = FY_LIT("https://www.hostfamiliesinparis.com/account/privacy"))
MAIL(access_waiting, .given_name = P("Inès"), .role = FY_LIT("équipe"), .by = 487120394812990,
     .account = 487120394812673, .purpose = FY_LIT("facturation"), .minutes = 60,
     .link = FY_LIT("https://www.hostfamiliesinparis.com/manage/access-requests"))
MAIL(role_changed, .given_name = P("Inès"), .account = 487120394812673, .by = 487120394812990,
     .old_role = FY_LIT("membre"), .new_role = FY_LIT("équipe"), .when = GIVEN_NOW,
     .link = FY_LIT("https://www.hostfamiliesinparis.com/manage/people"))
MAIL(glass_broken, .given_name = P("Inès"), .account = 487120394812673, .by = 487120394812990,
     .purpose = FY_LIT("facturation"), .minutes = 60, .when = GIVEN_NOW,
     .link = FY_LIT("https://www.hostfamiliesinparis.com/manage/access-requests"))
MAIL(provided_notice, .name = P("Lan"), .person = P("Mei-Ling Wang"), .provider = P("Claire Dupont"), .link = P(LINK),
     .purposes = FY_LIT("identification, contractualisation"), .basis = FY_LIT("intérêt légitime"),
     .kept = FY_LIT("2 ans après la dernière modification"), .contact = FY_LIT("contact@hostfamiliesinparis.com"),
     .dpo = FY_LIT("dpo@hostfamiliesinparis.com"), .days = 90)
MAIL(provided_erased, .name = P("Lan"), .person = P("Mei-Ling Wang"), .why = FY_LIT("with_provider"), .when = GIVEN_NOW,
     .receipt = FY_LIT("foyer erasure receipt 1\nserial: 12\nhash: 00\n"))
MAIL(provided_gone, .name = P("Claire"), .person = P("Mei-Ling Wang"), .why = FY_LIT("uninformed"),
     .since = AGO(30 * FY_DAY), .when = GIVEN_NOW, .link = FY_LIT("https://www.hostfamiliesinparis.com/account/people"))

#define LETTER(name)               \
	{                          \
#name, pack_##name \
	}
const struct given_mail given_mails[] = {
	LETTER(confirm_address), LETTER(address_known), LETTER(reset_password),   LETTER(password_changed),
	LETTER(contact_receipt), LETTER(erasure_asked), LETTER(erasure_done),     LETTER(inactive),
	LETTER(right_receipt),   LETTER(right_ask),     LETTER(right_proven),     LETTER(right_extended),
	LETTER(right_answer),    LETTER(right_refused), LETTER(access_asked),     LETTER(access_waiting),
	LETTER(role_changed),    LETTER(glass_broken),  LETTER(provided_notice),  LETTER(provided_erased),
	LETTER(provided_gone),   LETTER(policy_change), LETTER(study_invitation), LETTER(export_link),
	LETTER(export_nothing),  LETTER(email_confirm), LETTER(email_asked),      LETTER(email_changed),
	LETTER(email_wanted),
};
const size_t given_mail_count = FY_COUNT(given_mails);
