/* JSON in: never deeper than allowed, texts are valid, and a fault carries nothing of the document. */
#include "fuzz.h"

#include "protocol/json_in.h"
#include "protocol/utf8.h"

static void visit(const struct fy_json_value *value, unsigned left)
{
	struct fy_slice key, text;
	const struct fy_json_value *member;
	size_t at = 0, count = 0;
	int64_t number;
	bool truth;
	MUST(fy_json_type(value) != 0);
	if (fy_json_as_str(value, &text) == 0)
		MUST(fy_utf8_valid(text) && (text.len == 0 || !memchr(text.ptr, 0, text.len)));
	fy_json_as_int(value, &number);
	fy_json_as_bool(value, &truth);
	while (fy_json_each(value, &at, &key, &member)) {
		MUST(left > 0 && fy_json_member(value, key.ptr) == member);
		visit(member, left - 1);
		count++;
	}
	MUST(fy_json_type(value) != FY_JSON_OBJECT || count == fy_json_size(value));
	for (size_t i = 0; fy_json_type(value) == FY_JSON_ARRAY && i < fy_json_size(value); i++) {
		MUST(left > 0);
		visit(fy_json_item(value, i), left - 1);
	}
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	const struct fy_json_value *root;
	struct fy_json_fault fault = { 0 };
	(void)out;
	if (fy_json_parse(arena, exact(arena, input), 8, &root, &fault) == 0)
		visit(root, 8);
	else
		MUST(fault.text[0] && memchr(fault.text, 0, sizeof(fault.text)) && !strstr(fault.text, "near"));
}

FUZZ_TARGET(run)
