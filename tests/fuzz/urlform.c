/* Forms: what was parsed is valid text, and written and parsed again it is the same. */
#include "fuzz.h"

#include "protocol/urlform.h"
#include "protocol/utf8.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_pairs pairs, again;
	struct fy_slice decoded, text = exact(arena, input);
	if (fy_url_decode(arena, text, false, &decoded) == 0)
		MUST(fy_utf8_valid(decoded) && (decoded.len == 0 || !memchr(decoded.ptr, 0, decoded.len)));
	fy_url_encode(out, text);
	if (fy_utf8_valid(text) && (text.len == 0 || !memchr(text.ptr, 0, text.len))) {
		MUST(fy_url_decode(arena, fy_buf_slice(out), true, &decoded) == 0);
		MUST(fy_eq(decoded, text));
	}
	out->len = 0;
	if (fy_urlform_parse(arena, text, 50, &pairs))
		return;
	MUST(pairs.count <= 50);
	for (size_t i = 0; i < pairs.count; i++) {
		MUST(fy_utf8_valid(pairs.items[i].name) && fy_utf8_valid(pairs.items[i].value));
		MUST(fy_pairs_find(&pairs, pairs.items[i].name) && fy_pairs_count(&pairs, pairs.items[i].name));
		fy_urlform_put(out, pairs.items[i].name, pairs.items[i].value);
	}
	MUST(fy_urlform_parse(arena, fy_buf_slice(out), 50, &again) == 0 && again.count == pairs.count);
	for (size_t i = 0; i < pairs.count; i++)
		MUST(fy_eq(pairs.items[i].name, again.items[i].name) &&
		     fy_eq(pairs.items[i].value, again.items[i].value));
}

FUZZ_TARGET(run)
