/* base64, base64url and hexadecimal, strict in both directions.
 * Leaves secrets to libsodium's constant-time versions: these tables are not constant-time. */
#include "protocol/basexx.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(char *out, const unsigned char *data, size_t len, const char *alphabet, bool pad)
{
	char *at = out;
	size_t i = 0;
	for (; i + 3 <= len; i += 3) {
		uint32_t word = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
		*at++ = alphabet[word >> 18];
		*at++ = alphabet[word >> 12 & 63];
		*at++ = alphabet[word >> 6 & 63];
		*at++ = alphabet[word & 63];
	}
	if (i < len) {
		bool two = len - i == 2;
		uint32_t word = (uint32_t)data[i] << 16 | (two ? (uint32_t)data[i + 1] << 8 : 0);
		*at++ = alphabet[word >> 18];
		*at++ = alphabet[word >> 12 & 63];
		if (two)
			*at++ = alphabet[word >> 6 & 63];
		else if (pad)
			*at++ = '=';
		if (pad)
			*at++ = '=';
	}
	return (size_t)(at - out);
}

size_t fy_base64url_encode(char *out, const void *data, size_t len)
{
	return encode(out, data, len, url_alphabet, false);
}

size_t fy_base64_encode(char *out, const void *data, size_t len)
{
	return encode(out, data, len, std_alphabet, true);
}

void fy_put_base64url(struct fy_buf *buf, struct fy_slice data)
{
	char *out = data.len ? fy_buf_reserve(buf, FY_BASE64URL_LEN(data.len)) : NULL;
	if (out)
		buf->len += fy_base64url_encode(out, data.ptr, data.len);
}

void fy_put_base64(struct fy_buf *buf, struct fy_slice data)
{
	char *out = data.len ? fy_buf_reserve(buf, FY_BASE64_LEN(data.len)) : NULL;
	if (out)
		buf->len += fy_base64_encode(out, data.ptr, data.len);
}

static int value_of(char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

static int decode(struct fy_slice text, unsigned char *out, size_t max, size_t *ret_len, const char *alphabet)
{
	size_t n = text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0), at = 0;
	uint32_t bits = 0;
	int have = 0;
	if (text.len % 4 == 1)
		return FY_ERR_INVALID;
	if (n > max)
		return FY_ERR_TOO_LARGE;
	for (size_t i = 0; i < text.len; i++) {
		int value = value_of(text.ptr[i], alphabet);
		if (value < 0)
			return FY_ERR_INVALID;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[at++] = (unsigned char)(bits >> have);
			bits &= (1u << have) - 1;
		}
	}
	if (bits)
		return FY_ERR_INVALID; /* leftover bits: a second spelling of the same bytes */
	*ret_len = at;
	return 0;
}

int fy_base64url_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len)
{
	return decode(text, out, max, ret_len, url_alphabet);
}

int fy_base64_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len)
{
	if (text.len % 4)
		return FY_ERR_INVALID;
	for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
		text.len--;
	return decode(text, out, max, ret_len, std_alphabet);
}

void fy_hex_encode(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
}

int fy_hex_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len)
{
	unsigned char *p = out;
	if (text.len % 2)
		return FY_ERR_INVALID;
	if (text.len / 2 > max)
		return FY_ERR_TOO_LARGE;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = fy_hex_digit(text.ptr[i]), low = fy_hex_digit(text.ptr[i + 1]);
		if (high < 0 || low < 0)
			return FY_ERR_INVALID;
		p[i / 2] = (unsigned char)(high << 4 | low);
	}
	*ret_len = text.len / 2;
	return 0;
}
