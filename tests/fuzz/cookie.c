/* Cookies: a found value is made of cookie characters; a written cookie is one field and is found again. */
#include "fuzz.h"

#include "protocol/cookie.h"
#include "protocol/http_chars.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice name = part(arena, &input), value = part(arena, &input), path = part(arena, &input);
	struct fy_slice field = exact(arena, input), found;
	while (fy_cookie_next(&field, name, &found))
		MUST(fy_span(found, FY_C_COOKIE) == found.len);
	struct fy_cookie cookie = { .name = name,
				    .value = value,
				    .path = path,
				    .max_age_s = (int64_t)path.len - 1,
				    .secure = value.len % 2,
				    .script_readable = name.len % 2,
				    .same_site = path.len % 3 };
	if (fy_cookie_write(out, &cookie)) {
		MUST(out->len == 0);
		return;
	}
	struct fy_slice text = fy_buf_slice(out);
	for (size_t i = 0; i < text.len; i++)
		MUST(text.ptr[i] >= 0x20 && text.ptr[i] < 0x7f);
	struct fy_slice rest = text, sent = fy_cut(&rest, ';');
	size_t attributes = 0;
	while (rest.ptr) {
		fy_cut(&rest, ';');
		attributes++;
	}
	MUST(attributes == 2u + (cookie.max_age_s >= 0) + cookie.secure + !cookie.script_readable);
	MUST(fy_cookie_next(&sent, name, &found) && found.ptr && fy_eq(found, value));
}

FUZZ_TARGET(run)
