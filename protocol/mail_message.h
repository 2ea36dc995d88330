/* Builds one RFC 5322 message: headers, and a text part with an optional HTML alternative (MIME).
 * Leaves sending to jobs and the texts to pages. Whatever stands in the fields, the result has the headers
 * asked for and no other: line breaks in any header value are refused, everything else is encoded. */
#pragma once

#include "foyer/buf.h"
#include "foyer/clock.h"
#include "foyer/slice.h"

struct fy_mailbox {
	struct fy_slice name;    /* display name, UTF-8; may be empty */
	struct fy_slice address; /* as fy_email_parse gives it */
};

struct fy_mail {
	struct fy_mailbox from, to, reply_to;    /* reply_to.address len 0: none */
	struct fy_slice subject;                 /* UTF-8, one line */
	struct fy_slice text, html;              /* UTF-8, LF or CRLF; html len 0: text only */
	struct fy_slice message_id;              /* "left@domain" without <>; unique, by the caller */
	struct fy_slice in_reply_to, references; /* ids without <>, references separated by spaces; may be empty */
	struct fy_slice language;                /* "fr" or "en": Content-Language; may be empty */
	struct fy_slice list_unsubscribe;        /* https URL for RFC 8058; may be empty */
	fy_time date;
	bool auto_generated; /* Auto-Submitted: auto-generated (RFC 3834) */
	bool auto_replied;   /* Auto-Submitted: auto-replied */
};

/* Appends the message with CRLF line ends, lines of at most 78 bytes where folding allows and 998 always.
 * FY_ERR_INVALID when a field has control characters or an address is none; FY_ERR_TOO_LARGE when the buffer
 * is full; *ret_bad (may be NULL) names the field, static storage. */
int fy_mail_write(struct fy_buf *buf, const struct fy_mail *mail, const char **ret_bad);
