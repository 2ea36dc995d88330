/* base64 and hexadecimal: what is encoded decodes to itself, and what decodes has one spelling. */
#include "fuzz.h"

#include "protocol/basexx.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice data = exact(arena, input);
	unsigned char *back = fy_alloc(arena, data.len + 1);
	size_t len = 0;
	fy_put_base64url(out, data);
	MUST(fy_base64url_decode(fy_buf_slice(out), back, data.len, &len) == 0 && fy_eq(fy_slice(back, len), data));
	out->len = 0;
	fy_put_base64(out, data);
	MUST(fy_base64_decode(fy_buf_slice(out), back, data.len, &len) == 0 && fy_eq(fy_slice(back, len), data));
	char *hex = fy_alloc(arena, data.len * 2 + 1);
	fy_hex_encode(hex, data.ptr, data.len);
	MUST(fy_hex_decode(fy_slice(hex, data.len * 2), back, data.len, &len) == 0 && fy_eq(fy_slice(back, len), data));
	out->len = 0;
	if (fy_base64url_decode(data, back, data.len, &len) == 0) {
		fy_put_base64url(out, fy_slice(back, len));
		MUST(fy_eq(fy_buf_slice(out), data));
	}
	out->len = 0;
	if (fy_base64_decode(data, back, data.len, &len) == 0) {
		fy_put_base64(out, fy_slice(back, len));
		MUST(fy_eq(fy_buf_slice(out), data));
	}
	if (fy_hex_decode(data, back, data.len, &len) == 0)
		MUST(len == data.len / 2);
	if (data.len > 8)
		MUST(fy_base64url_decode(data, back, 1, &len) != 0);
}

FUZZ_TARGET(run)
