/* From an outbox row to the bytes of a message, the same bytes each time.
 * The row is storage/outbox.h's, the words are the author's, the format is protocol/mail_message.h's. */
#pragma once

#include "foyer/buf.h"
#include "foyer/ctx.h"

/* A message is at most two bodies in quoted-printable (three bytes for one), and its head. */
#define FY_LETTER_SUBJECT_MAX 998 /* a line of RFC 5322 2.1.1 */
#define FY_LETTER_BODY_MAX 65536
#define FY_LETTER_MAX (6 * FY_LETTER_BODY_MAX + 65536)

struct fy_letter {
	uint64_t id; /* of the row; with created_at it makes Message-ID and file name */
	fy_time created_at;
	enum fy_lang lang;
	struct fy_slice sender; /* mail.from: "Name <address>" or an address */
	struct fy_personal to;
	struct fy_personal subject;
	struct fy_secret text, html; /* html may be empty */
	/* To withdraw the consent that it rests on; empty: it rests on none. Of https it is announced to mail programs as
	 * a link that one click may follow (RFC 8058 3.1, which wants that scheme); otherwise it stands in the text alone. */
	struct fy_secret withdraw_link;
};

struct fy_letter_written {
	struct fy_slice from; /* the envelope's addresses, checked */
	struct fy_personal to;
	struct fy_secret message;
};

/* Puts a row's mail into words: sets subject, text, html and withdraw_link of `letter`, in the context's arena. Not 0: no template of
 * this process fits; it is tried again, as another version's may. The job knows no pages, so the process that runs it
 * names the author at its start. */
struct fy_outbox_mail;
typedef int (*fy_mail_author)(struct fy_ctx *ctx, const struct fy_outbox_mail *mail, struct fy_letter *letter);
void fy_mail_set_author(fy_mail_author author);

/* All in `arena`. FY_ERR_INVALID or FY_ERR_TOO_LARGE: this mail can never be sent; *ret_why says which part, in a
 * constant without a value. FY_ERR_CONFIG: mail.from is no sender. */
int fy_letter_write(struct fy_arena *arena, const struct fy_letter *letter, struct fy_letter_written *ret_written,
		    const char **ret_why);

/* "20261123T091502.123456Z-000000000042": sorts by age, and is the same each time, so a mail that is written twice
 * is one file. */
struct fy_slice fy_letter_name(struct fy_arena *arena, const struct fy_letter *letter);
