/* What generated pages call, beside protocol/html.h, to write one value.
 * Which one a template's value needs is decided by markup.py at build time. No other code should need these;
 * tests call them directly. */
#pragma once

#include "protocol/html.h"
#include "server/pages/pages.h"

/* A whole address in href, src or action; one that fy_html_url_safe refuses is written as "#". */
void fy_write_url(struct fy_buf *out, struct fy_slice url);

/* One component of a path or query: all but RFC 3986's unreserved characters is percent-encoded. */
void fy_write_component(struct fy_buf *out, struct fy_slice text);

/* For mails in plain text: control characters become spaces, so that no value can add a header or a line. */
void fy_write_plain(struct fy_buf *out, struct fy_slice text);

/* The same with its lines kept, and an empty one behind: a letter inside a mail. */
void fy_write_lines(struct fy_buf *out, struct fy_slice text);

/* In Paris time, as the agency works there: "23 novembre 2026", "23 novembre 2026 à 14:05"; ISO in UTC for
 * <time datetime>. 0 is written as a dash. */
void fy_write_date(struct fy_buf *out, enum fy_lang lang, fy_time t);
void fy_write_time(struct fy_buf *out, enum fy_lang lang, fy_time t);
void fy_write_iso(struct fy_buf *out, enum fy_lang lang, fy_time t);

/* "45 secondes", "2 minutes", "3 heures", "30 jours": the largest unit that loses nothing that matters, rounded up. */
void fy_write_duration(struct fy_buf *out, enum fy_lang lang, uint64_t seconds);

struct fy_sentence {
	struct fy_slice name;
	struct fy_slice in[2]; /* by enum fy_lang */
};
extern const struct fy_sentence fy_sentences[];
extern const unsigned fy_sentence_count;

/* A run-time sentence with its arguments, escaped as text. */
void fy_write_sentence(struct fy_buf *out, enum fy_lang lang, unsigned key, struct fy_text_args args);

bool fy_page_refuses(const struct fy_page *page, const char *field, size_t len);
void fy_write_error(struct fy_buf *out, const struct fy_page *page, struct fy_slice field);

/* The list items of the error summary, each a link to its field "#f-NAME". */
void fy_write_error_links(struct fy_buf *out, const struct fy_page *page);

/* This page's address in the other language. */
void fy_write_other_language(struct fy_buf *out, const struct fy_page *page);

struct fy_country {
	char code[3];
	struct fy_slice name;
};
extern const struct fy_country fy_countries[2][256]; /* by enum fy_lang, in alphabetical order of the names */
extern const size_t fy_country_count;
void fy_write_country_options(struct fy_buf *out, enum fy_lang lang, struct fy_slice chosen);
