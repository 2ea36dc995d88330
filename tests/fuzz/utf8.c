/* UTF-8: validation agrees with decoding, cleaned text is clean and stays as it is when cleaned again. */
#include "fuzz.h"

#include "protocol/utf8.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice text = exact(arena, input), rest = text, clean, again;
	size_t count = 0;
	int32_t point;
	while ((point = fy_utf8_next(&rest)) >= 0) {
		char bytes[4];
		size_t n = fy_utf8_put(bytes, (uint32_t)point);
		MUST(n > 0);
		fy_buf_put(out, fy_slice(bytes, n));
		count++;
	}
	MUST(fy_utf8_valid(text) == (rest.len == 0));
	MUST(fy_eq(fy_buf_slice(out), fy_upto(text, text.len - rest.len)));
	if (rest.len == 0) {
		MUST(fy_utf8_count(text) == count);
		MUST(fy_utf8_valid(fy_utf8_upto(text, count / 2)) &&
		     fy_utf8_count(fy_utf8_upto(text, count / 2)) == count / 2);
	}
	if (fy_utf8_nfc(arena, text, &clean) == 0) {
		MUST(fy_utf8_valid(clean));
		if (fy_utf8_nfc(arena, clean, &again) == 0)
			MUST(fy_eq(clean, again));
	}
	if (fy_utf8_is_name(text, 100)) {
		MUST(fy_utf8_is_line(text) && fy_utf8_count(text) <= 100);
		for (size_t i = 0; i < text.len; i++)
			MUST(!memchr("@:/<>\\_0123456789%&?=", text.ptr[i], 22) &&
			     (text.ptr[i] != '.' || i + 1 == text.len || text.ptr[i + 1] == ' '));
	}
	if (fy_utf8_clean_line(arena, text, &clean) == 0) {
		MUST(fy_utf8_is_line(clean));
		MUST(fy_utf8_clean_line(arena, clean, &again) == 0 && fy_eq(clean, again));
	}
	if (fy_utf8_clean_multiline(arena, text, &clean) == 0) {
		MUST(fy_utf8_is_multiline(clean) && (clean.len == 0 || !memchr(clean.ptr, '\r', clean.len)));
		MUST(fy_utf8_clean_multiline(arena, clean, &again) == 0 && fy_eq(clean, again));
	}
}

FUZZ_TARGET(run)
