/* HTML: no tag, no quote and no bare ampersand gets through; unescaped again it is the text without controls. */
#include "fuzz.h"

#include "protocol/html.h"

static const struct {
	struct fy_slice entity;
	char c;
} entities[] = { { FY_LIT("&amp;"), '&' },
		 { FY_LIT("&lt;"), '<' },
		 { FY_LIT("&gt;"), '>' },
		 { FY_LIT("&#34;"), '"' },
		 { FY_LIT("&#39;"), '\'' } };

static void check(struct fy_slice html, struct fy_slice text, bool attr)
{
	size_t at = 0;
	while (html.len) {
		char c = html.ptr[0];
		size_t n = 1;
		MUST(c != '<' && c != '>' && (!attr || (c != '"' && c != '\'')));
		for (size_t i = 0; c == '&' && i < sizeof(entities) / sizeof(entities[0]); i++)
			if (fy_starts(html, entities[i].entity)) {
				n = entities[i].entity.len;
				c = entities[i].c;
				break;
			}
		MUST(html.ptr[0] != '&' || n > 1);
		while (at < text.len &&
		       (((unsigned char)text.ptr[at] < 0x20 && !strchr("\t\n\r", text.ptr[at] ? text.ptr[at] : 1)) ||
			text.ptr[at] == 0x7f))
			at++;
		MUST(at < text.len && text.ptr[at] == c);
		at++;
		html = fy_from(html, n);
	}
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice text = exact(arena, input);
	fy_html_text(out, text);
	check(fy_buf_slice(out), text, false);
	out->len = 0;
	fy_html_attr(out, text);
	check(fy_buf_slice(out), text, true);
	if (fy_html_url_safe(text))
		MUST(text.len && (text.ptr[0] == '/' || strchr("hHmMtT", text.ptr[0])));
	out->len = 0;
	fy_html_paragraphs(out, text);
	size_t open = 0, close = 0;
	for (size_t i = 0; i + 3 < out->len; i++) {
		open += memcmp(out->ptr + i, "<p>", 3) == 0;
		close += memcmp(out->ptr + i, "</p>", 4) == 0;
	}
	MUST(open == close && !out->failed);
}

FUZZ_TARGET(run)
