/* Weighs Accept, Accept-Language and Accept-Encoding (RFC 9110 12.4.2, 12.5), and reads Content-Type.
 * Leaves what to do with the outcome to routes. Malformed elements are skipped: these fields are wishes. */
#include "protocol/accept.h"

#include "protocol/http_chars.h"
#include "protocol/http_head.h"

/* A list of thousands of elements is no wish. */
#define ELEMENTS_MAX 64

struct element {
	struct fy_slice name; /* before the first ';' */
	int q;                /* thousandths */
};

/* qvalue = "0" [ "." 0*3DIGIT ] / "1" [ "." 0*3"0" ]; -1 when it is none. */
static int read_q(struct fy_slice text)
{
	if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
	    (text.len > 1 && text.ptr[1] != '.'))
		return -1;
	int q = (text.ptr[0] - '0') * 1000, unit = 100;
	for (size_t i = 2; i < text.len; i++, unit /= 10) {
		if ((unsigned)(text.ptr[i] - '0') > 9)
			return -1;
		q += (text.ptr[i] - '0') * unit;
	}
	return q > 1000 ? -1 : q;
}

static bool next_element(struct fy_slice *list, int *left, struct element *ret_element)
{
	while (list->ptr && (*left)-- > 0) {
		struct fy_slice rest = fy_cut(list, ',');
		struct element element = { .name = fy_trim(fy_cut(&rest, ';')), .q = 1000 };
		while (rest.ptr && element.q >= 0) {
			struct fy_slice param = fy_trim(fy_cut(&rest, ';'));
			if (fy_eq_nocase(fy_upto(param, 2), FY_LIT("q=")))
				element.q = read_q(fy_from(param, 2));
		}
		if (element.name.len == 0 || element.q < 0)
			continue;
		*ret_element = element;
		return true;
	}
	return false;
}

/* Whether a language range covers `tag` ("fr", "fr-CA" and "*" cover "fr"). Only two languages are offered, so
 * a regional range asks for its language. */
static bool range_is(struct fy_slice range, struct fy_slice tag)
{
	return fy_eq_nocase(fy_upto(range, 2), tag) && (range.len == 2 || range.ptr[2] == '-');
}

enum fy_lang fy_accept_lang(struct fy_slice field, enum fy_lang fallback)
{
	int q[2] = { -1, -1 }, star = -1, left = ELEMENTS_MAX, rank[2] = { 0, 0 }, seen = 0;
	struct element element;
	while (next_element(&field, &left, &element)) {
		int lang = range_is(element.name, FY_LIT("fr"))   ? FY_LANG_FR
			   : range_is(element.name, FY_LIT("en")) ? FY_LANG_EN
								  : -1;
		seen++;
		if (lang >= 0 && element.q > q[lang]) {
			q[lang] = element.q;
			rank[lang] = seen;
		} else if (fy_eq(element.name, FY_LIT("*"))) {
			star = element.q;
		}
	}
	/* A language that nobody named gets the weight of "*"; one that is q=0 is unwanted. */
	if (q[0] < 0 && q[1] < 0)
		return fallback;
	for (int i = 0; i < 2; i++)
		if (q[i] < 0)
			q[i] = star < 0 ? 0 : star;
	if (q[FY_LANG_FR] != q[FY_LANG_EN])
		return q[FY_LANG_FR] > q[FY_LANG_EN] ? FY_LANG_FR : FY_LANG_EN;
	if (rank[0] && rank[1] && q[0] > 0)
		return rank[FY_LANG_FR] < rank[FY_LANG_EN] ? FY_LANG_FR : FY_LANG_EN;
	return fallback;
}

bool fy_accept_encoding(struct fy_slice field, struct fy_slice coding)
{
	bool identity = fy_eq_nocase(coding, FY_LIT("identity"));
	int q = -1, star = -1, left = ELEMENTS_MAX;
	struct element element;
	while (next_element(&field, &left, &element)) {
		if (fy_eq_nocase(element.name, coding) ||
		    (fy_eq_nocase(coding, FY_LIT("gzip")) && fy_eq_nocase(element.name, FY_LIT("x-gzip"))))
			q = element.q;
		else if (fy_eq(element.name, FY_LIT("*")))
			star = element.q;
	}
	if (q < 0)
		q = star >= 0 ? star : identity ? 1 : 0;
	return q > 0;
}

/* How exactly a media range names a type: 0 not at all, 1 any, 2 by its first half, 3 fully. */
static int exactness(struct fy_slice range, struct fy_slice type)
{
	struct fy_slice half = type;
	fy_cut(&half, '/');
	half = fy_upto(type, type.len - half.len);
	if (fy_eq_nocase(range, type))
		return 3;
	if (range.len == half.len + 1 && range.ptr[half.len] == '*' && fy_eq_nocase(fy_upto(range, half.len), half))
		return 2;
	return fy_eq(range, FY_LIT("*/*")) ? 1 : 0;
}

/* By the range that names the type, or `also`, most exactly. */
static int weight_of(struct fy_slice field, const char *type, const char *also)
{
	int weight = 0, best = 0, left = ELEMENTS_MAX;
	struct element element;
	while (next_element(&field, &left, &element)) {
		int exact = fy_eq_nocase(element.name, fy_str(also)) ? 3 : exactness(element.name, fy_str(type));
		if (exact > best || (exact && exact == best && element.q > weight)) {
			best = exact;
			weight = element.q;
		}
	}
	return weight;
}

int fy_accept_weight(struct fy_slice field, const char *type)
{
	return weight_of(field, type, type);
}

enum fy_media fy_accept_media(struct fy_slice field, enum fy_media fallback)
{
	int html = weight_of(field, "text/html", "application/xhtml+xml");
	int json = weight_of(field, "application/json", "application/problem+json");
	return html == json ? fallback : html > json ? FY_MEDIA_HTML : FY_MEDIA_JSON;
}

bool fy_media_is(struct fy_slice content_type, struct fy_slice type)
{
	return fy_eq_nocase(fy_trim(fy_cut(&content_type, ';')), type);
}

/* The next ';' outside of quotes. */
static struct fy_slice cut_param(struct fy_slice *rest)
{
	bool quoted = false;
	for (size_t i = 0; i < rest->len; i++) {
		char c = rest->ptr[i];
		if (c == '\\' && quoted)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ';' && !quoted) {
			struct fy_slice param = fy_upto(*rest, i);
			*rest = fy_from(*rest, i + 1);
			return param;
		}
	}
	struct fy_slice param = *rest;
	*rest = FY_NONE;
	return param;
}

struct fy_slice fy_media_param(struct fy_slice content_type, struct fy_slice name)
{
	cut_param(&content_type);
	while (content_type.ptr) {
		struct fy_slice value = fy_trim(cut_param(&content_type));
		struct fy_slice key = fy_cut(&value, '=');
		if (!fy_eq_nocase(key, name) || value.len == 0)
			continue;
		if (value.ptr[0] != '"')
			return fy_http_is_token(value) ? value : FY_NONE;
		if (value.len < 2 || value.ptr[value.len - 1] != '"' || memchr(value.ptr, '\\', value.len) ||
		    memchr(value.ptr + 1, '"', value.len - 2))
			return FY_NONE;
		return fy_slice(value.ptr + 1, value.len - 2);
	}
	return FY_NONE;
}
