/* The encodings of mail: encoded words (RFC 2047), quoted strings and folding (RFC 5322), quoted-printable.
 * Leaves which headers a message has to mail_message.c, its only caller beside tests. */
#pragma once

#include <stdbool.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

/* Line length that folding aims at, CRLF not counted (RFC 5322 2.1.1: 78; with encoded words 76). */
#define FY_MAIL_LINE 76

/* Appends valid one-line UTF-8 as unstructured text: as it is where it is ASCII, folded at spaces, else as
 * encoded words. `column` is how far the line has come; returns the new column. */
size_t fy_mail_put_text(struct fy_buf *buf, struct fy_slice text, size_t column);

/* A display name as a phrase: atoms, a quoted string, or encoded words. */
size_t fy_mail_put_phrase(struct fy_buf *buf, struct fy_slice name, size_t column);

/* Quoted-printable (RFC 2045 6.7) with CRLF at each line end of `text` (LF or CRLF), and at its end. The two
 * bytes "=_" never occur in the result, so a boundary with them is safe. */
void fy_mail_put_quoted_printable(struct fy_buf *buf, struct fy_slice text);
