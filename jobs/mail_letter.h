/* From an outbox row to the bytes of a message, the same bytes each time.
 * The row is storage/outbox.h's, the format protocol/mail_message.h's; both call their struct fy_mail, so mail.c, which
 * knows the one, hands its parts to this file, which knows the other. */
#pragma once

#include "foyer/buf.h"
#include "foyer/ctx.h"

/* A message is at most two bodies of FY_MAIL_BODY_MAX in quoted-printable (three bytes for one), and its head. */
#define FY_LETTER_MAX (6 * 65536 + 65536)

struct fy_letter {
	uint64_t id;                 /* of the row; with created_at it makes Message-ID and file name */
	fy_time created_at;
	enum fy_lang lang;
	struct fy_slice sender;      /* mail.from: "Name <address>" or an address */
	struct fy_personal to;
	struct fy_personal subject;
	struct fy_secret text, html; /* html may be empty */
};

struct fy_letter_written {
	struct fy_slice from;        /* the envelope's addresses, checked */
	struct fy_personal to;
	struct fy_secret message;
};

/* All in `arena`. FY_ERR_INVALID or FY_ERR_TOO_LARGE: this mail can never be sent; *ret_why says which part, in a
 * constant without a value. FY_ERR_CONFIG: mail.from is no sender. */
int fy_letter_write(struct fy_arena *arena, const struct fy_letter *letter, struct fy_letter_written *ret_written,
		    const char **ret_why);

/* "20261123T091502.123456Z-000000000042": sorts by age, and is the same each time, so a mail that is written twice
 * is one file. */
struct fy_slice fy_letter_name(struct fy_arena *arena, const struct fy_letter *letter);
