/* HTML escaping by context, into a buffer.
 * Leaves templates to the page compiler, its main caller. The input is UTF-8 text; NUL and other control
 * characters that HTML forbids are dropped. */
#pragma once

#include <stdbool.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

/* Between tags: & < > are escaped. */
void fy_html_text(struct fy_buf *buf, struct fy_slice text);

/* Inside a double- or single-quoted attribute: & < > " ' are escaped. */
void fy_html_attr(struct fy_buf *buf, struct fy_slice text);

/* An href or src that comes from data: true for a path on this site, http:, https:, mailto: and tel:. A template
 * writes "#" where it is false. Escape it with fy_html_attr as well. */
bool fy_html_url_safe(struct fy_slice url);

/* Paragraphs of plain text: blank lines part <p>, single line feeds become <br>; escaped. */
void fy_html_paragraphs(struct fy_buf *buf, struct fy_slice text);
