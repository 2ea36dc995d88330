/* Paths: an accepted one decodes to text without dot segments, empty segments, or other slashes. */
#include "fuzz.h"

#include "protocol/path.h"
#include "protocol/urlform.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice text = exact(arena, input), decoded;
	(void)out;
	if (fy_path_is_local(text)) {
		MUST(text.ptr[0] == '/' && (text.len == 1 || (text.ptr[1] != '/' && text.ptr[1] != '\\')));
		MUST(!memchr(text.ptr, '\r', text.len) && !memchr(text.ptr, '\n', text.len));
	}
	if (fy_path_check(text))
		return;
	MUST(fy_url_decode(arena, text, false, &decoded) == 0);
	size_t slashes = 0, decoded_slashes = 0;
	for (size_t i = 0; i < text.len; i++)
		slashes += text.ptr[i] == '/';
	for (size_t i = 0; i < decoded.len; i++) {
		decoded_slashes += decoded.ptr[i] == '/';
		MUST(decoded.ptr[i] != '\\' && (unsigned char)decoded.ptr[i] >= 0x20);
	}
	MUST(slashes == decoded_slashes && decoded.ptr[0] == '/');
	struct fy_slice rest = fy_from(decoded, 1);
	while (rest.ptr) {
		struct fy_slice segment = fy_cut(&rest, '/');
		MUST(!fy_eq(segment, FY_LIT(".")) && !fy_eq(segment, FY_LIT("..")) &&
		     (segment.len || rest.ptr == NULL));
	}
}

FUZZ_TARGET(run)
