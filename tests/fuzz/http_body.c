/* Bodies: cuts change nothing, limits hold, and whatever is accepted as chunked llhttp reads the same. */
#include "fuzz.h"

#include <llhttp.h>

#include "protocol/http_body.h"

#define BODY_MAX 4096

static int feed(const struct fy_http_head *head, struct fy_arena *arena, struct fy_slice raw, size_t step,
		struct fy_buf *out, size_t *ret_used)
{
	struct fy_http_fault fault = { 0 };
	struct fy_http_body body;
	out->len = 0;
	*ret_used = 0;
	int err = fy_http_body_init(&body, head, BODY_MAX, &fault);
	while (!err && !body.done && *ret_used < raw.len) {
		size_t used;
		err = fy_http_body_feed(&body, exact(arena, fy_upto(fy_from(raw, *ret_used), step)), out, &used,
					&fault);
		if (!err)
			*ret_used += used;
	}
	MUST(out->len <= BODY_MAX);
	if (err)
		MUST(fault.status >= 400 && fault.status < 500 && fault.reason);
	return err ? fault.status : body.done ? 0 : -1;
}

struct oracle {
	struct fy_buf content;
	bool complete;
};

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct oracle *oracle = parser->data;
	fy_buf_put(&oracle->content, fy_slice(at, len));
	return 0;
}

static int on_complete(llhttp_t *parser)
{
	struct oracle *oracle = parser->data;
	oracle->complete = true;
	return 0;
}

/* llhttp 8.1 knows extension values only in part: a second one, or a quoted one, is an error to it. */
static void ask_llhttp(struct fy_arena *arena, struct fy_slice taken, struct fy_slice content)
{
	static const llhttp_settings_t settings = { .on_body = on_body, .on_message_complete = on_complete };
	static const char head[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct oracle oracle = { .complete = false };
	llhttp_t parser;
	if (LLHTTP_VERSION_MAJOR < 9 && memchr(taken.ptr, '=', taken.len))
		return;
	fy_buf_init(&oracle.content, arena, 1 << 20);
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &oracle;
	MUST(llhttp_execute(&parser, head, sizeof(head) - 1) == HPE_OK);
	if (llhttp_execute(&parser, taken.ptr, taken.len) != HPE_OK) {
		fprintf(stderr, "llhttp: %s\n", llhttp_get_error_reason(&parser));
		abort();
	}
	MUST(oracle.complete && fy_eq(content, fy_buf_slice(&oracle.content)));
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_http_head head = { .chunked = true };
	size_t step = 1, used, cut_used;
	if (input.len) {
		step = (unsigned char)input.ptr[0] % 31u + 1;
		if ((unsigned char)input.ptr[0] >= 0xf0)
			head = (struct fy_http_head){ .has_length = true,
						      .content_length = (unsigned char)input.ptr[0] - 0xf0u };
	}
	struct fy_slice raw = exact(arena, fy_from(input, 1));
	int whole = feed(&head, arena, raw, SIZE_MAX, out, &used);
	struct fy_slice content = fy_copy(arena, fy_buf_slice(out));
	int cut = feed(&head, arena, raw, step, out, &cut_used);
	MUST(whole == cut);
	if (whole)
		return;
	MUST(used == cut_used && fy_eq(content, fy_buf_slice(out)));
	if (head.chunked)
		ask_llhttp(arena, fy_upto(raw, used), content);
	else
		MUST(used == head.content_length && content.len == used);
}

FUZZ_TARGET(run)
