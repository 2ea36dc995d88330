/* UTF-8 decoding, validation and counting.
 * Leaves which characters a field may have, and composition, to utf8_text.c. Called on all text from outside. */
#include "protocol/utf8.h"

/* The length of the valid sequence at the start of p[0..n), its value in *ret_point; 0 when invalid. */
static size_t sequence(const unsigned char *p, size_t n, uint32_t *ret_point)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_point = p[0];
		return 1;
	}
	size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t point = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return len;
}

/* ASCII runs go eight bytes at a time. */
static size_t ascii_run(const unsigned char *p, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		uint64_t word;
		memcpy(&word, p + i, 8);
		if (word & 0x8080808080808080u)
			break;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

bool fy_utf8_valid(struct fy_slice text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;
	size_t n = text.len;
	uint32_t point;
	while (n) {
		size_t len = ascii_run(p, n);
		if (len == 0)
			len = sequence(p, n, &point);
		if (len == 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

size_t fy_utf8_count(struct fy_slice text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

int32_t fy_utf8_next(struct fy_slice *text)
{
	uint32_t point;
	size_t len = sequence((const unsigned char *)text->ptr, text->len, &point);
	if (len == 0)
		return -1;
	*text = fy_from(*text, len);
	return (int32_t)point;
}

size_t fy_utf8_put(char out[4], uint32_t point)
{
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)((0xf00u >> len & 0xff) | point);
	return len;
}

struct fy_slice fy_utf8_upto(struct fy_slice text, size_t max)
{
	for (size_t i = 0; i < text.len; i++)
		if (((unsigned char)text.ptr[i] & 0xc0) != 0x80 && max-- == 0)
			return fy_upto(text, i);
	return text;
}
