/* JSON out: any sequence of calls that is not misuse gives a document that the reader accepts. */
#include "fuzz.h"

#include "protocol/json_in.h"
#include "protocol/json_writer.h"
#include "protocol/utf8.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_json json;
	const struct fy_json_value *root, *text;
	struct fy_slice got;
	size_t depth = 1, serial = 0;
	bool object[FY_JSON_DEPTH_MAX + 1] = { false, false };
	fy_json_init(&json, out);
	fy_json_array(&json);
	struct fy_slice first = part(arena, &input);
	fy_json_str(&json, first);
	for (size_t i = 0; i < input.len; i++) {
		unsigned op = (unsigned char)input.ptr[i] % 8;
		if (op == 0 && depth > 1) {
			fy_json_end(&json);
			depth--;
			continue;
		}
		if (object[depth]) {
			char key[16];
			snprintf(key, sizeof(key), "k%zu", serial++);
			fy_json_key(&json, key);
		}
		if (op <= 2 && depth < FY_JSON_DEPTH_MAX) {
			object[++depth] = op == 1;
			(op == 1 ? fy_json_object : fy_json_array)(&json);
		} else if (op == 3) {
			fy_json_int(&json, INT64_MIN + (int64_t)i);
		} else if (op == 4) {
			fy_json_bool(&json, i % 2);
		} else if (op == 5) {
			fy_json_null(&json);
		} else {
			fy_json_str(&json, fy_from(input, i));
		}
		if (out->len > 1 << 18)
			break;
	}
	while (depth-- > 0)
		fy_json_end(&json);
	fy_json_finish(&json);
	MUST(!out->failed && fy_utf8_valid(fy_buf_slice(out)));
	MUST(!memchr(out->ptr, '<', out->len) && !memchr(out->ptr, '\n', out->len));
	if (memmem(out->ptr, out->len, "\\u0000", 6))
		return; /* the reader refuses NUL on purpose */
	MUST(fy_json_parse(arena, fy_buf_slice(out), FY_JSON_DEPTH_MAX, &root, NULL) == 0);
	MUST((text = fy_json_item(root, 0)) && fy_json_as_str(text, &got) == 0);
	if (fy_utf8_valid(first))
		MUST(fy_eq(got, first));
}

FUZZ_TARGET(run)
