/* README.txt of the ZIP, in both languages. */
#include "foyer/config.h"
#include "server/export/write.h"

static const char french[] =
	"Vos données\n"
	"===========\n\n"
	"Ce dossier contient tout ce que nous conservons à votre sujet.\n\n"
	"  data.fr.html   à ouvrir dans un navigateur, même sans réseau\n"
	"  data.en.html   le même document en anglais\n"
	"  data.json      les mêmes données pour un programme, par exemple celui d'un autre service\n\n"
	"Dans data.json, « records » est la liste de ce que nous conservons : votre compte, vos décisions, vos sessions\n"
	"ouvertes, vos messages, les courriels en attente. Chaque « value » s'accompagne de sa source, des raisons (purposes),\n"
	"du fondement légal (basis), de ce qui met fin à sa conservation (end) et de ceux qui la voient (seen_by). Les mots\n"
	"du dictionnaire sont traduits sous « words ». Les dates sont en temps universel (RFC 3339).\n\n"
	"Une question, une erreur ? Écrivez à ";

static const char english[] =
	"Your data\n"
	"=========\n\n"
	"This folder holds all that we keep about you.\n\n"
	"  data.en.html   to be opened in a browser, without a network, too\n"
	"  data.fr.html   the same document in French\n"
	"  data.json      the same data for a program, that of another service for instance\n\n"
	"In data.json, \"records\" is the list of what we keep: your account, your decisions, your open sessions, your\n"
	"messages, e-mails that wait. With each \"value\" stand its source, the reasons (purposes), the legal basis, what ends\n"
	"its keeping (end) and who sees it (seen_by). The words are translated under \"words\". Times are universal (RFC 3339).\n\n"
	"A question, a mistake? Write to ";

void fy_export_readme(struct fy_export_stream *stream)
{
	struct fy_slice contact = stream->export->config->site_contact;
	struct fy_buf *out = &stream->buf;
	fy_buf_put(out, FY_LIT(french));
	fy_buf_put(out, contact);
	fy_buf_put(out, FY_LIT(".\n\n\n"));
	fy_buf_put(out, FY_LIT(english));
	fy_buf_put(out, contact);
	fy_buf_put(out, FY_LIT(".\n"));
}
