/* Labels: short, never empty, and never text of the field that is not ours. */
#include "fuzz.h"

#include "protocol/user_agent.h"
#include "protocol/utf8.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	char label[FY_UA_LABEL_MAX];
	(void)out;
	size_t n = fy_user_agent_label(exact(arena, input), label);
	MUST(n > 0 && n < sizeof(label) && label[n] == 0 && fy_utf8_is_line(fy_slice(label, n)));
	MUST(!memchr(label, '/', n) && !memchr(label, '<', n));
}

FUZZ_TARGET(run)
