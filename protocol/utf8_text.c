/* Which characters a field may hold, and their one canonical form (NFC, by libutf8proc).
 * Leaves decoding to utf8.c and lengths to the data register. Called on form fields before they are stored. */
#include <utf8proc.h>

#include "foyer/err.h"
#include "protocol/utf8.h"

/* Characters that are refused everywhere: controls, line separators, and format characters that hide or turn
 * round text (Unicode TR 36 2.10; "Trojan source"). ZWNJ and ZWJ stay: Persian and emoji need them. */
static bool is_unwelcome(int32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return true;
	if (c < 0xad)
		return false;
	return c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b || (c >= 0x200e && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c >= 0xfff9 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

/* In a single line, as a name: also letters without a shape (the Hangul fillers, the empty Braille cell), and
 * characters that mean nothing yet or something else on each machine. Emoji that are newer than the library are
 * among them. */
static bool is_unwelcome_in_line(int32_t c)
{
	if (is_unwelcome(c))
		return true;
	if (c < 0x115f)
		return c >= 0xad && utf8proc_category(c) == UTF8PROC_CATEGORY_CN;
	if (c == 0x115f || c == 0x1160 || c == 0x2800 || c == 0x3164 || c == 0xffa0)
		return true;
	utf8proc_category_t category = utf8proc_category(c);
	return category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO;
}

/* Joiners and marks show nothing without a character that they belong to. */
static bool is_visible(int32_t c)
{
	if (c < 0x300)
		return c > ' ';
	utf8proc_category_t category = utf8proc_category(c);
	return category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_ME &&
	       category != UTF8PROC_CATEGORY_CF && category != UTF8PROC_CATEGORY_ZS;
}

static bool allowed(struct fy_slice text, bool multiline)
{
	while (text.len) {
		int32_t c = fy_utf8_next(&text);
		if (c < 0)
			return false;
		if (multiline && (c == '\n' || c == '\t' || c == '\r'))
			continue;
		if (multiline ? is_unwelcome(c) : is_unwelcome_in_line(c))
			return false;
	}
	return true;
}

bool fy_utf8_is_line(struct fy_slice text)
{
	return allowed(text, false);
}

bool fy_utf8_is_multiline(struct fy_slice text)
{
	return allowed(text, true);
}

static bool is_letter(int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);
	return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

static bool is_mark(int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);
	return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC;
}

bool fy_utf8_is_name(struct fy_slice text, size_t max)
{
	bool letters = false;
	size_t count = 0;
	while (text.len) {
		int32_t c = fy_utf8_next(&text);
		if (c < 0 || ++count > max || is_unwelcome_in_line(c))
			return false;
		if (is_letter(c))
			letters = true;
		else if (c == '.' ? !letters || (text.len && text.ptr[0] != ' ')
				  : !(c == ' ' || c == '-' || c == '\'' || c == 0xb7 || c == 0x2019 || c == 0x2010 ||
				      is_mark(c)))
			return false;
	}
	return letters;
}

static bool is_ascii(struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return false;
	return true;
}

/* Unicode's Stream-Safe Text Format (UAX 15, 13) allows 30 combining marks in a row; ordering longer runs costs
 * the square of their length, and no language writes them. Also the validation. */
#define MARKS_MAX 30

static bool is_stream_safe(struct fy_slice text)
{
	int marks = 0;
	while (text.len) {
		int32_t c = fy_utf8_next(&text);
		if (c < 0)
			return false;
		marks = utf8proc_get_property(c)->combining_class ? marks + 1 : 0;
		if (marks > MARKS_MAX)
			return false;
	}
	return true;
}

int fy_utf8_nfc(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text)
{
	if (is_ascii(text)) {
		*ret_text = text;
		return 0;
	}
	if (text.len > INT32_MAX / 16 || !is_stream_safe(text))
		return FY_ERR_INVALID;
	/* Decomposes into one array and composes in it. Its size is a character a byte at the most, and as much
	 * again for what decomposes further; the library tells when that is not enough. */
	size_t room = text.len * 2 + 4;
	utf8proc_int32_t *points = fy_alloc(arena, room * sizeof(*points) + 1);
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, points,
						(utf8proc_ssize_t)room, options);
	if (n < 0 || (size_t)n > room)
		return n < 0 ? FY_ERR_INVALID : FY_ERR_TOO_LARGE;
	n = utf8proc_normalize_utf32(points, n, options);
	if (n < 0)
		return FY_ERR_INVALID;
	char *out = fy_alloc(arena, (size_t)n * 4 + 1);
	size_t len = 0;
	for (utf8proc_ssize_t i = 0; i < n; i++)
		len += fy_utf8_put(out + len, (uint32_t)points[i]);
	out[len] = 0;
	*ret_text = fy_eq(text, fy_slice(out, len)) ? text : fy_slice(out, len);
	return 0;
}

/* White space of any kind that people cannot see the difference of. */
static bool is_space(int32_t c)
{
	return c == ' ' || c == '\t' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

int fy_utf8_clean_line(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text)
{
	struct fy_slice composed;
	if (!fy_utf8_valid(text))
		return FY_ERR_INVALID;
	int err = fy_utf8_nfc(arena, text, &composed);
	if (err)
		return err;
	char *out = fy_alloc(arena, composed.len + 1);
	size_t n = 0;
	bool space = false, visible = false;
	while (composed.len) {
		const char *from = composed.ptr;
		int32_t c = fy_utf8_next(&composed);
		if (is_space(c)) {
			space = n > 0;
			continue;
		}
		if (is_unwelcome_in_line(c))
			return FY_ERR_INVALID;
		visible |= is_visible(c);
		if (space)
			out[n++] = ' ';
		space = false;
		memcpy(out + n, from, (size_t)(composed.ptr - from));
		n += (size_t)(composed.ptr - from);
	}
	if (n && !visible)
		return FY_ERR_INVALID;
	out[n] = 0;
	*ret_text = fy_slice(out, n);
	return 0;
}

int fy_utf8_clean_multiline(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text)
{
	struct fy_slice composed;
	if (!allowed(text, true))
		return FY_ERR_INVALID;
	int err = fy_utf8_nfc(arena, text, &composed);
	if (err)
		return err;
	char *out = fy_alloc(arena, composed.len + 1);
	size_t n = 0, solid = 0; /* solid: the length up to the last byte that is no white space */
	for (size_t i = 0; i < composed.len; i++) {
		char c = composed.ptr[i];
		if (c == '\r') {
			if (i + 1 < composed.len && composed.ptr[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if (c == '\n') {
			while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
				n--;
			if (n > 0) /* no empty lines at the beginning */
				out[n++] = '\n';
			continue;
		}
		if (n == 0 && (c == ' ' || c == '\t'))
			continue;
		out[n++] = c;
		if (c != ' ' && c != '\t')
			solid = n;
	}
	out[solid] = 0;
	*ret_text = fy_slice(out, solid);
	return 0;
}
