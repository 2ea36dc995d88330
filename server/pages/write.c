/* Writes values into pages: escaping, sentences with arguments, errors at their fields.
 * Escaping and dates themselves are protocol/'s; choosing which is right for a place is the template compiler's.
 * Called by the generated pages only. */
#include "server/pages/write.h"

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/html.h"
#include "server/pages/pages_gen.h"

#define YEAR_S ((uint64_t)365 * 86400)

void fy_write_url(struct fy_buf *out, struct fy_slice url)
{
	fy_html_attr(out, fy_html_url_safe(url) ? url : FY_LIT("#"));
}

void fy_write_component(struct fy_buf *out, struct fy_slice text)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = (unsigned)(c | 0x20) - 'a' < 26 || (unsigned)c - '0' < 10 || c == '-' || c == '.' ||
			     c == '_' || c == '~';
		if (plain)
			fy_buf_char(out, (char)c);
		else
			fy_buf_put(out, fy_slice((char[]){ '%', hex[c >> 4], hex[c & 15] }, 3));
	}
}

void fy_write_plain(struct fy_buf *out, struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		fy_buf_char(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
}

void fy_write_lines(struct fy_buf *out, struct fy_slice text)
{
	while (text.len) {
		fy_write_plain(out, fy_cut(&text, '\n'));
		fy_buf_char(out, '\n');
	}
	fy_buf_char(out, '\n');
}

/* Times */

static bool put_never(struct fy_buf *out, fy_time t)
{
	if (t > 0)
		return false;
	fy_buf_put(out, FY_LIT("–"));
	return true;
}

void fy_write_date(struct fy_buf *out, enum fy_lang lang, fy_time t)
{
	if (!put_never(out, t))
		fy_put_human_date(out, fy_paris_date(t), lang);
}

void fy_write_time(struct fy_buf *out, enum fy_lang lang, fy_time t)
{
	if (!put_never(out, t))
		fy_put_human_time(out, t, lang);
}

void fy_write_iso(struct fy_buf *out, enum fy_lang lang, fy_time t)
{
	(void)lang;
	fy_put_rfc3339(out, t, false);
}

void fy_write_duration(struct fy_buf *out, enum fy_lang lang, uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		const char *one[2], *many[2];
	} units[] = {
		{ 86400, { "jour", "day" }, { "jours", "days" } },
		{ 3600, { "heure", "hour" }, { "heures", "hours" } },
		{ 60, { "minute", "minute" }, { "minutes", "minutes" } },
		{ 1, { "seconde", "second" }, { "secondes", "seconds" } },
	};
	size_t i = 0;
	bool en = lang == FY_LANG_EN;

	/* From two of a unit on, or exactly one: "90 secondes" says more than "2 minutes". */
	while (i < FY_COUNT(units) - 1 && seconds < 2 * units[i].seconds && seconds != units[i].seconds)
		i++;
	uint64_t n = seconds / units[i].seconds + (seconds % units[i].seconds != 0);
	fy_buf_u64(out, n);
	fy_buf_put(out, FY_LIT("\xc2\xa0"));
	fy_buf_put(out, fy_str(n == 1 || (n == 0 && !en) ? units[i].one[en] : units[i].many[en]));
}

void fy_write_period(struct fy_buf *out, enum fy_lang lang, uint64_t seconds)
{
	uint64_t years = seconds / YEAR_S;
	if (years && seconds % YEAR_S <= (years / 4 + 1) * 86400)
		fy_text_put(out, lang, FY_TEXT_RECORD_YEARS, (struct fy_text_args){ .n = years });
	else
		fy_write_duration(out, lang, seconds);
}

/* Sentences */

struct fy_slice fy_text(enum fy_lang lang, unsigned key)
{
	FY_REQUIRE(key < FY_TEXT_COUNT);
	return fy_sentences[key].in[lang == FY_LANG_EN];
}

struct fy_slice fy_text_name(unsigned key)
{
	FY_REQUIRE(key < FY_TEXT_COUNT);
	return fy_sentences[key].name;
}

static void put_sentence(struct fy_buf *out, enum fy_lang lang, unsigned key, struct fy_text_args args,
			 void (*write)(struct fy_buf *out, struct fy_slice text))
{
	struct fy_slice rest = fy_text(lang, key), plural = rest;

	/* "one || many": French counts 0 as singular. */
	for (size_t i = 0; i + 4 <= rest.len; i++) {
		if (memcmp(rest.ptr + i, " || ", 4) != 0)
			continue;
		plural = fy_from(rest, i + 4);
		rest = (lang == FY_LANG_EN ? args.n == 1 : args.n < 2) ? fy_upto(rest, i) : plural;
		break;
	}
	while (rest.len) {
		struct fy_slice before = fy_cut(&rest, '{');
		write(out, before);
		struct fy_slice name = fy_cut(&rest, '}');
		if (fy_eq(name, FY_LIT("n")))
			fy_buf_u64(out, args.n);
		else if (fy_eq(name, FY_LIT("s")))
			write(out, args.s);
		else if (fy_eq(name, FY_LIT("from")))
			write(out, args.from);
		else if (fy_eq(name, FY_LIT("to")))
			write(out, args.to);
	}
}

void fy_text_put(struct fy_buf *out, enum fy_lang lang, unsigned key, struct fy_text_args args)
{
	put_sentence(out, lang, key, args, fy_write_plain);
}

void fy_write_sentence(struct fy_buf *out, enum fy_lang lang, unsigned key, struct fy_text_args args)
{
	put_sentence(out, lang, key, args, fy_html_text);
}

/* Errors at their fields */

static const struct fy_field_error *find_error(const struct fy_page *page, struct fy_slice field)
{
	for (size_t i = 0; i < page->error_count; i++)
		if (fy_eq(page->errors[i].field, field))
			return &page->errors[i];
	return NULL;
}

bool fy_page_refuses(const struct fy_page *page, const char *field, size_t len)
{
	return page->error_count && find_error(page, fy_slice(field, len));
}

void fy_write_error(struct fy_buf *out, const struct fy_page *page, struct fy_slice field)
{
	const struct fy_field_error *error = find_error(page, field);
	if (error)
		fy_write_sentence(out, page->lang, error->key, error->args);
}

void fy_write_error_links(struct fy_buf *out, const struct fy_page *page)
{
	for (size_t i = 0; i < page->error_count; i++) {
		const struct fy_field_error *error = &page->errors[i];
		fy_buf_put(out, FY_LIT("<li>"));
		if (error->field.len) {
			fy_buf_put(out, FY_LIT("<a href=\"#f-"));
			fy_write_component(out, error->field);
			fy_buf_put(out, FY_LIT("\">"));
		}
		fy_write_sentence(out, page->lang, error->key, error->args);
		fy_buf_put(out, error->field.len ? FY_LIT("</a></li>\n") : FY_LIT("</li>\n"));
	}
}

void fy_write_other_language(struct fy_buf *out, const struct fy_page *page)
{
	fy_write_url(out, page->path.len ? page->path : FY_LIT("/"));
	fy_buf_char(out, '?');
	if (page->query.len) {
		fy_html_attr(out, page->query);
		fy_buf_put(out, FY_LIT("&amp;"));
	}
	fy_buf_put(out, page->lang == FY_LANG_EN ? FY_LIT("lang=fr") : FY_LIT("lang=en"));
}

/* Countries */

struct fy_slice fy_country_name(enum fy_lang lang, struct fy_slice code)
{
	const struct fy_country *list = fy_countries[lang == FY_LANG_EN];
	for (size_t i = 0; i < fy_country_count; i++)
		if (code.len == 2 && memcmp(list[i].code, code.ptr, 2) == 0)
			return list[i].name;
	return FY_NONE;
}

bool fy_country_known(struct fy_slice code)
{
	return fy_country_name(FY_LANG_FR, code).len != 0;
}

void fy_write_country_options(struct fy_buf *out, enum fy_lang lang, struct fy_slice chosen)
{
	const struct fy_country *list = fy_countries[lang == FY_LANG_EN];
	for (size_t i = 0; i < fy_country_count; i++) {
		fy_buf_put(out, FY_LIT("<option value=\""));
		fy_buf_put(out, fy_slice(list[i].code, 2));
		if (chosen.len == 2 && memcmp(list[i].code, chosen.ptr, 2) == 0)
			fy_buf_put(out, FY_LIT("\" selected>"));
		else
			fy_buf_put(out, FY_LIT("\">"));
		fy_html_text(out, list[i].name);
		fy_buf_put(out, FY_LIT("</option>\n"));
	}
}
