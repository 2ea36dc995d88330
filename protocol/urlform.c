/* Percent-encoding, and name=value pairs of queries and forms.
 * Leaves declared names and their limits to the routes. Called for each request that has a query or a form:
 * text that needs no decoding is pointed at, never copied. */
#include "protocol/urlform.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"
#include "protocol/utf8.h"

int fy_url_decode(struct fy_arena *arena, struct fy_slice text, bool plus, struct fy_slice *ret_text)
{
	bool plain = true;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '%' || text.ptr[i] == '\0' || (plus && text.ptr[i] == '+')) {
			plain = false;
			break;
		}
	if (plain) {
		if (!fy_utf8_valid(text))
			return FY_ERR_INVALID;
		*ret_text = text;
		return 0;
	}
	char *out = fy_alloc(arena, text.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%') {
			if (text.len - i < 3 || !fy_char_is(text.ptr[i + 1], FY_C_HEX) ||
			    !fy_char_is(text.ptr[i + 2], FY_C_HEX))
				return FY_ERR_INVALID;
			c = (char)(fy_hex_digit(text.ptr[i + 1]) << 4 | fy_hex_digit(text.ptr[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return FY_ERR_INVALID;
		out[n++] = c;
	}
	out[n] = 0;
	if (!fy_utf8_valid(fy_slice(out, n)))
		return FY_ERR_INVALID;
	*ret_text = fy_slice(out, n);
	return 0;
}

/* How many pieces between '&' there are, at most; the table of pairs is taken from the arena once. */
static size_t count_pieces(struct fy_slice text, size_t stop)
{
	size_t count = text.len > 0;
	const char *at = text.ptr, *end = text.ptr + text.len;
	while (count <= stop && at < end && (at = memchr(at, '&', (size_t)(end - at)))) {
		count++;
		at++;
	}
	return count;
}

int fy_urlform_parse(struct fy_arena *arena, struct fy_slice text, size_t count_max, struct fy_pairs *ret_pairs)
{
	struct fy_pairs pairs = { 0 };
	if (text.len == 0) {
		*ret_pairs = pairs;
		return 0;
	}
	/* Empty pieces do not count against the limit, but a table of nothing but them is not built either. */
	size_t room = count_pieces(text, count_max);
	if (room > count_max)
		room = count_max;
	if (room)
		pairs.items = fy_alloc(arena, room * sizeof(*pairs.items));
	while (text.ptr) {
		struct fy_slice value = fy_cut(&text, '&');
		if (value.len == 0)
			continue;
		if (pairs.count == room)
			return FY_ERR_TOO_LARGE;
		struct fy_pair *pair = &pairs.items[pairs.count];
		struct fy_slice name = fy_cut(&value, '=');
		if (value.ptr == NULL)
			value = fy_upto(name, 0);
		int err = fy_url_decode(arena, name, true, &pair->name);
		if (!err)
			err = fy_url_decode(arena, value, true, &pair->value);
		if (err)
			return err;
		pairs.count++;
	}
	*ret_pairs = pairs;
	return 0;
}

const struct fy_pair *fy_pairs_find(const struct fy_pairs *pairs, struct fy_slice name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (fy_eq(pairs->items[i].name, name))
			return &pairs->items[i];
	return NULL;
}

size_t fy_pairs_count(const struct fy_pairs *pairs, struct fy_slice name)
{
	size_t count = 0;
	for (size_t i = 0; i < pairs->count; i++)
		count += fy_eq(pairs->items[i].name, name);
	return count;
}

void fy_url_encode(struct fy_buf *buf, struct fy_slice text)
{
	static const char digits[] = "0123456789ABCDEF";
	while (text.len) {
		size_t n = fy_span(text, FY_C_UNRESERVED);
		fy_buf_put(buf, fy_upto(text, n));
		text = fy_from(text, n);
		if (text.len == 0)
			break;
		unsigned char c = (unsigned char)text.ptr[0];
		const char hex[3] = { '%', digits[c >> 4], digits[c & 15] };
		fy_buf_put(buf, fy_slice(hex, sizeof(hex)));
		text = fy_from(text, 1);
	}
}

void fy_urlform_put(struct fy_buf *buf, struct fy_slice name, struct fy_slice value)
{
	if (buf->len && buf->ptr[buf->len - 1] != '?')
		fy_buf_char(buf, '&');
	fy_url_encode(buf, name);
	fy_buf_char(buf, '=');
	fy_url_encode(buf, value);
}
