/* Writes well-formed JSON (RFC 8259) into a buffer.
 * Leaves content to callers; the commas, quotes and brackets are kept here by a small stack of bits. */
#include "protocol/json_writer.h"

#include "foyer/require.h"
#include "protocol/utf8.h"

void fy_json_init(struct fy_json *json, struct fy_buf *buf)
{
	*json = (struct fy_json){ .buf = buf };
}

static bool in_object(const struct fy_json *json)
{
	return json->depth && (json->objects >> (json->depth - 1) & 1);
}

/* Before each value: the comma of an array, or the end of a document that has one value only. */
static void value(struct fy_json *json)
{
	FY_REQUIRE(!json->finished);
	if (json->depth == 0) {
		json->finished = true;
		return;
	}
	if (in_object(json)) {
		FY_REQUIRE(json->keyed);
		json->keyed = false;
	} else if (json->comma) {
		fy_buf_char(json->buf, ',');
	}
	json->comma = true;
}

static void open(struct fy_json *json, bool object)
{
	value(json);
	FY_REQUIRE(json->depth < FY_JSON_DEPTH_MAX);
	json->objects &= ~((uint32_t)1 << json->depth);
	json->objects |= (uint32_t)object << json->depth;
	json->depth++;
	json->comma = false;
	json->finished = false;
	fy_buf_char(json->buf, object ? '{' : '[');
}

void fy_json_object(struct fy_json *json)
{
	open(json, true);
}

void fy_json_array(struct fy_json *json)
{
	open(json, false);
}

void fy_json_end(struct fy_json *json)
{
	FY_REQUIRE(json->depth > 0 && !json->keyed);
	fy_buf_char(json->buf, in_object(json) ? '}' : ']');
	json->depth--;
	json->comma = true;
	json->finished = json->depth == 0;
}

/* Bytes that go through as they are; the rest is looked at. */
static const bool plain[256] = {
	[' '] = true, ['!'] = true,         ['#' ... '%'] = true, ['\'' ... ';'] = true,
	['='] = true, ['?' ... '['] = true, [']' ... '~'] = true,
};

static void put_unicode(struct fy_buf *buf, unsigned unit)
{
	static const char digits[] = "0123456789abcdef";
	const char text[6] = {
		'\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]
	};
	fy_buf_put(buf, fy_slice(text, sizeof(text)));
}

static void put_special(struct fy_buf *buf, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = c ? strchr(from, c) : NULL;
	if (at) {
		const char text[2] = { '\\', to[at - from] };
		fy_buf_put(buf, fy_slice(text, sizeof(text)));
	} else {
		put_unicode(buf, (unsigned char)c);
	}
}

void fy_json_put_escaped(struct fy_buf *buf, struct fy_slice text)
{
	while (text.len) {
		size_t n = 0;
		while (n < text.len && plain[(unsigned char)text.ptr[n]])
			n++;
		if (n) {
			fy_buf_put(buf, fy_upto(text, n));
			text = fy_from(text, n);
			continue;
		}
		if ((unsigned char)text.ptr[0] < 0x80) {
			put_special(buf, text.ptr[0]);
			text = fy_from(text, 1);
			continue;
		}
		struct fy_slice rest = text;
		int32_t point = fy_utf8_next(&rest);
		if (point < 0) {
			put_unicode(buf, 0xfffd);
			text = fy_from(text, 1);
		} else if (point == 0x2028 || point == 0x2029) {
			put_unicode(buf, (unsigned)point);
			text = rest;
		} else {
			fy_buf_put(buf, fy_upto(text, text.len - rest.len));
			text = rest;
		}
	}
}

static void put_quoted(struct fy_buf *buf, struct fy_slice text)
{
	fy_buf_char(buf, '"');
	fy_json_put_escaped(buf, text);
	fy_buf_char(buf, '"');
}

void fy_json_key_slice(struct fy_json *json, struct fy_slice key)
{
	FY_REQUIRE(in_object(json) && !json->keyed);
	if (json->comma)
		fy_buf_char(json->buf, ',');
	put_quoted(json->buf, key);
	fy_buf_char(json->buf, ':');
	json->keyed = true;
}

void fy_json_key(struct fy_json *json, const char *key)
{
	fy_json_key_slice(json, fy_str(key));
}

void fy_json_str(struct fy_json *json, struct fy_slice text)
{
	value(json);
	put_quoted(json->buf, text);
}

void fy_json_int(struct fy_json *json, int64_t number)
{
	value(json);
	if (number < 0)
		fy_buf_char(json->buf, '-');
	fy_buf_u64(json->buf, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void fy_json_uint(struct fy_json *json, uint64_t number)
{
	value(json);
	fy_buf_u64(json->buf, number);
}

void fy_json_bool(struct fy_json *json, bool truth)
{
	value(json);
	fy_buf_put(json->buf, truth ? FY_LIT("true") : FY_LIT("false"));
}

void fy_json_null(struct fy_json *json)
{
	value(json);
	fy_buf_put(json->buf, FY_LIT("null"));
}

void fy_json_raw(struct fy_json *json, struct fy_slice text)
{
	value(json);
	fy_buf_put(json->buf, text);
}

void fy_json_put_str(struct fy_json *json, const char *key, struct fy_slice text)
{
	fy_json_key(json, key);
	fy_json_str(json, text);
}

void fy_json_put_int(struct fy_json *json, const char *key, int64_t number)
{
	fy_json_key(json, key);
	fy_json_int(json, number);
}

void fy_json_put_uint(struct fy_json *json, const char *key, uint64_t number)
{
	fy_json_key(json, key);
	fy_json_uint(json, number);
}

void fy_json_put_bool(struct fy_json *json, const char *key, bool truth)
{
	fy_json_key(json, key);
	fy_json_bool(json, truth);
}

void fy_json_put_null(struct fy_json *json, const char *key)
{
	fy_json_key(json, key);
	fy_json_null(json);
}

void fy_json_put_object(struct fy_json *json, const char *key)
{
	fy_json_key(json, key);
	fy_json_object(json);
}

void fy_json_put_array(struct fy_json *json, const char *key)
{
	fy_json_key(json, key);
	fy_json_array(json);
}

void fy_json_finish(struct fy_json *json)
{
	FY_REQUIRE(json->finished && json->depth == 0);
}
