/* What runs did, in words: the keys that jobs note (job.h) as a person reads them, in French and English, for one or
 * many. A key without a row is shown as it is. Called where runs are listed and reported; leases keep the keys. */
#include "jobs/words.h"

#include <string.h>

#include "foyer/require.h"

#define DETAIL_WORDS_MAX 4096

static const struct {
	const char *key;
	const char *done[2]; /* by enum fy_lang */
} actions[] = {
	{ "compress", { "compressé", "compressed" } },
	{ "delete", { "supprimé", "deleted" } },
	{ "erase", { "effacé", "erased" } },
	{ "give up", { "abandonné", "gave up on" } },
	{ "leave alone", { "laissé en place", "left alone" } },
	{ "leave for the next run", { "laissé pour la prochaine fois", "left for the next run:" } },
	{ "remove", { "retiré", "removed" } },
	{ "rotate", { "archivé", "rotated" } },
	{ "send", { "envoyé", "sent" } },
	{ "try again later", { "à renvoyer plus tard", "to be tried again later:" } },
};

static const struct {
	const char *key; /* also the English plural */
	const char *one[2];
	const char *many_fr;
} objects[] = {
	{ "accounts", { "compte", "account" }, "comptes" },
	{ "announcements of a change of the policy",
	  { "annonce d'un changement de la politique", "announcement of a change of the policy" },
	  "annonces d'un changement de la politique" },
	{ "entered people who could not be told",
	  { "personne inscrite qui n'a pas pu être informée", "entered person who could not be told" },
	  "personnes inscrites qui n'ont pas pu être informées" },
	{ "expired changes of an address",
	  { "changement d'adresse expiré", "expired change of an address" },
	  "changements d'adresse expirés" },
	{ "expired links", { "lien expiré", "expired link" }, "liens expirés" },
	{ "finished mails", { "e-mail terminé", "finished mail" }, "e-mails terminés" },
	{ "first warnings of inactivity",
	  { "premier avertissement d'inactivité", "first warning of inactivity" },
	  "premiers avertissements d'inactivité" },
	{ "invitations to market research",
	  { "invitation à une étude de marché", "invitation to market research" },
	  "invitations à des études de marché" },
	{ "invitations that were stopped",
	  { "invitation arrêtée", "invitation that was stopped" },
	  "invitations arrêtées" },
	{ "last owners", { "dernier administrateur", "last owner" }, "derniers administrateurs" },
	{ "last warnings of inactivity",
	  { "dernier avertissement d'inactivité", "last warning of inactivity" },
	  "derniers avertissements d'inactivité" },
	{ "logs", { "journal", "log" }, "journaux" },
	{ "logs that are still written",
	  { "journal en cours d'écriture", "log that is still written" },
	  "journaux en cours d'écriture" },
	{ "mails", { "e-mail", "mail" }, "e-mails" },
	{ "old consent proofs",
	  { "ancienne preuve de consentement", "old consent proof" },
	  "anciennes preuves de consentement" },
	{ "old contact messages",
	  { "ancien message de contact", "old contact message" },
	  "anciens messages de contact" },
	{ "old logs", { "ancien journal", "old log" }, "anciens journaux" },
	{ "old requests for access",
	  { "ancienne demande d'accès", "old request for access" },
	  "anciennes demandes d'accès" },
	{ "old rows of the access log",
	  { "ancienne ligne du journal des consultations", "old row of the access log" },
	  "anciennes lignes du journal des consultations" },
	{ "old requests about rights",
	  { "ancienne demande relative aux droits", "old request about rights" },
	  "anciennes demandes relatives aux droits" },
	{ "rotated logs", { "journal archivé", "rotated log" }, "journaux archivés" },
	{ "second warnings of inactivity",
	  { "deuxième avertissement d'inactivité", "second warning of inactivity" },
	  "deuxièmes avertissements d'inactivité" },
	{ "unconfirmed registrations",
	  { "inscription non confirmée", "unconfirmed registration" },
	  "inscriptions non confirmées" },
	{ "unreadable accounts", { "compte illisible", "unreadable account" }, "comptes illisibles" },
	{ "unfinished files", { "fichier inachevé", "unfinished file" }, "fichiers inachevés" },
	{ "unused entries of people",
	  { "fiche inutilisée d'une personne inscrite", "unused entry of a person" },
	  "fiches inutilisées de personnes inscrites" },
	{ "versions of the policy that were rewritten",
	  { "version de la politique réécrite après sa publication", "version of the policy that was rewritten" },
	  "versions de la politique réécrites après leur publication" },
	{ "warnings that bounced", { "avertissement non remis", "warning that bounced" }, "avertissements non remis" },
};

static const struct {
	const char *key, *fr;
} sentences[] = {
	{ FY_JOB_NOTHING, "rien à faire" },
	{ FY_JOB_STOPPED, "arrêté à mi-chemin, car le serveur s'arrête" },
};

struct fy_slice fy_job_object_words(enum fy_lang lang, struct fy_slice object, uint64_t count)
{
	bool one = lang == FY_LANG_FR ? count < 2 : count == 1;

	for (size_t i = 0; i < FY_COUNT(objects); i++)
		if (fy_eq(object, fy_str(objects[i].key)))
			return one                  ? fy_str(objects[i].one[lang])
			       : lang == FY_LANG_FR ? fy_str(objects[i].many_fr)
						    : object;
	return object;
}

/* "delete|3|expired links"; false: it is something else. */
static bool put_done(struct fy_buf *out, enum fy_lang lang, struct fy_slice piece)
{
	struct fy_slice object = piece, action = fy_cut(&object, '|'), number = fy_cut(&object, '|');
	uint64_t count = 0;

	if (object.len == 0 || number.len == 0 || number.len > 18)
		return false;
	for (size_t i = 0; i < number.len; i++) {
		if (number.ptr[i] < '0' || number.ptr[i] > '9')
			return false;
		count = count * 10 + (uint64_t)(number.ptr[i] - '0');
	}
	for (size_t i = 0; i < FY_COUNT(actions); i++)
		if (fy_eq(action, fy_str(actions[i].key)))
			action = fy_str(actions[i].done[lang]);
	object = fy_job_object_words(lang, object, count);
	fy_buf_fmt(out, lang == FY_LANG_FR ? FY_FMT "\u00a0: %llu " FY_FMT : FY_FMT " %llu " FY_FMT, FY_ARG(action),
		   (unsigned long long)count, FY_ARG(object));
	return true;
}

static void put_sentence(struct fy_buf *out, enum fy_lang lang, struct fy_slice piece)
{
	for (size_t i = 0; i < FY_COUNT(sentences); i++)
		if (lang == FY_LANG_FR && fy_eq(piece, fy_str(sentences[i].key)))
			piece = fy_str(sentences[i].fr);
	fy_buf_put(out, piece);
}

struct fy_slice fy_job_detail_words(struct fy_arena *arena, enum fy_lang lang, struct fy_slice detail)
{
	struct fy_buf out;

	fy_buf_init(&out, arena, DETAIL_WORDS_MAX);
	while (detail.len) {
		struct fy_slice piece = fy_cut(&detail, ';');
		while (detail.len && detail.ptr[0] == ' ')
			detail = fy_from(detail, 1);
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		if (!put_done(&out, lang, piece))
			put_sentence(&out, lang, piece);
	}
	return fy_buf_slice(&out);
}
