/* llhttp's verdict on one request head, in its strict mode.
 * Leaves to http_head.c what llhttp leaves to its users, and what its versions judge differently: 8.1 (Debian
 * 12, built with LLHTTP_STRICT_MODE) and 9 (Debian 13, where strict is the only mode) disagree on bare LF,
 * spaces in chunk headers and unknown methods. All of that has been refused before a head comes here, so
 * both give the same answers; a head that llhttp then refuses or frames otherwise is refused as well. */
#include "protocol/http_llhttp.h"

#include <llhttp.h>

#include "foyer/err.h"

struct judge {
	struct fy_llhttp_verdict *verdict;
	int heads;
};

static int on_headers_complete(llhttp_t *parser)
{
	struct judge *judge = parser->data;
	judge->heads++;
	judge->verdict->chunked = (parser->flags & F_CHUNKED) != 0;
	judge->verdict->has_length = (parser->flags & F_CONTENT_LENGTH) != 0;
	judge->verdict->content_length = judge->verdict->has_length ? parser->content_length : 0;
	judge->verdict->major = parser->http_major;
	judge->verdict->minor = parser->http_minor;
	judge->verdict->method = llhttp_method_name((llhttp_method_t)parser->method);
	parser->upgrade = 0; /* Upgrade may be ignored (RFC 9110 7.8), and is */
	return 0;
}

/* 8.1 does not take a tab for white space after a Content-Length, 9 does, as RFC 9110 5.6.3 wants. A tab means
 * the same as a space wherever it is allowed, so llhttp is given spaces. */
static llhttp_errno_t execute(llhttp_t *parser, struct fy_slice head)
{
	llhttp_errno_t err = HPE_OK;
	while (head.ptr && err == HPE_OK) {
		struct fy_slice part = fy_cut(&head, '\t');
		err = llhttp_execute(parser, part.ptr, part.len);
		if (err == HPE_OK && head.ptr)
			err = llhttp_execute(parser, " ", 1);
	}
	return err;
}

int fy_llhttp_judge(struct fy_slice head, bool any_minor, struct fy_llhttp_verdict *verdict)
{
	static const llhttp_settings_t settings = { .on_headers_complete = on_headers_complete };
	struct judge judge = { verdict, 0 };
	llhttp_t parser;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &judge;
	if (any_minor)
		parser.lenient_flags |= LENIENT_VERSION; /* 8.1 has the flag but not its setter */
	llhttp_errno_t errno_ = execute(&parser, head);
	if (errno_ != HPE_OK) {
		const char *reason = llhttp_get_error_reason(&parser);
		verdict->error = reason ? reason : llhttp_errno_name(errno_);
		return FY_ERR_PROTOCOL;
	}
	if (judge.heads != 1) {
		verdict->error = "not exactly one head";
		return FY_ERR_PROTOCOL;
	}
	verdict->error = NULL;
	return 0;
}
