/* Log lines: printable ASCII on one line, with exactly six quotes and the fields in their places. */
#include "fuzz.h"

#include "protocol/clf.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_clf entry = { .client = part(arena, &input),
				.user = part(arena, &input),
				.method = part(arena, &input),
				.target = part(arena, &input),
				.referer = part(arena, &input),
				.user_agent = part(arena, &input),
				.status = 200,
				.bytes = input.len,
				.at = (fy_time)input.len * FY_DAY };
	size_t quotes = 0, spaces = 0;
	fy_clf_write(out, &entry);
	MUST(!out->failed && out->len < 16384);
	for (size_t i = 0; i < out->len; i++) {
		MUST(out->ptr[i] >= 0x20 && out->ptr[i] < 0x7f);
		quotes += out->ptr[i] == '"';
		spaces += out->ptr[i] == ' ' && quotes == 0;
	}
	MUST(quotes == 6 && spaces == 5 && out->ptr[out->len - 1] == '"');
}

FUZZ_TARGET(run)
