/* HTML escaping by context.
 * Leaves markup to templates; nothing here lets a visitor's text become any. Called for each value on a page,
 * so clean runs are copied whole. */
#include "protocol/html.h"

#include "protocol/path.h"

enum { PLAIN = 0, AMP, LT, GT, QUOT, APOS, DROP };

/* What a byte becomes in an attribute; between tags the two quotes are plain. */
static const uint8_t action[256] = {
	[0x00 ... 0x08] = DROP, [0x0b] = DROP, [0x0c] = DROP, [0x0e ... 0x1f] = DROP,
	[0x7f] = DROP,          ['&'] = AMP,   ['<'] = LT,    ['>'] = GT,
	['"'] = QUOT,           ['\''] = APOS,
};

static const struct fy_slice replacement[] = {
	[AMP] = FY_LIT("&amp;"),  [LT] = FY_LIT("&lt;"),    [GT] = FY_LIT("&gt;"),
	[QUOT] = FY_LIT("&#34;"), [APOS] = FY_LIT("&#39;"), [DROP] = FY_LIT(""),
};

static void escape(struct fy_buf *buf, struct fy_slice text, bool quotes)
{
	size_t from = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t what = action[(unsigned char)text.ptr[i]];
		if (what == PLAIN || (!quotes && (what == QUOT || what == APOS)))
			continue;
		fy_buf_put(buf, fy_slice(text.ptr + from, i - from));
		fy_buf_put(buf, replacement[what]);
		from = i + 1;
	}
	fy_buf_put(buf, fy_from(text, from));
}

void fy_html_text(struct fy_buf *buf, struct fy_slice text)
{
	escape(buf, text, false);
}

void fy_html_attr(struct fy_buf *buf, struct fy_slice text)
{
	escape(buf, text, true);
}

bool fy_html_url_safe(struct fy_slice url)
{
	static const struct fy_slice schemes[] = { FY_LIT("http://"), FY_LIT("https://"), FY_LIT("mailto:"),
						   FY_LIT("tel:") };
	if (fy_path_is_local(url))
		return true;
	bool known = false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		known |= url.len > schemes[i].len && fy_eq_nocase(fy_upto(url, schemes[i].len), schemes[i]);
	/* Browsers strip tabs and line feeds inside URLs: none may stand there. */
	for (size_t i = 0; known && i < url.len; i++)
		known = (unsigned char)url.ptr[i] > 0x20 && url.ptr[i] != 0x7f;
	return known;
}

void fy_html_paragraphs(struct fy_buf *buf, struct fy_slice text)
{
	bool open = false;
	while (text.ptr) {
		struct fy_slice line = fy_cut(&text, '\n');
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (fy_trim(line).len == 0) {
			if (open)
				fy_buf_put(buf, FY_LIT("</p>\n"));
			open = false;
			continue;
		}
		fy_buf_put(buf, open ? FY_LIT("<br>\n") : FY_LIT("<p>"));
		open = true;
		fy_html_text(buf, line);
	}
	if (open)
		fy_buf_put(buf, FY_LIT("</p>\n"));
}
