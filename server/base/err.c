/* Words for error codes, the error detail of a context, and the two kinds of broken promise.
 * Everyone calls this; it decides nothing. */
#include "foyer/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "foyer/ctx.h"
#include "foyer/log.h"
#include "foyer/require.h"

const char *fy_strerror(int err)
{
	switch (err) {
#define FY_ERR_CASE(name, code, text) \
	case code:                    \
		return text;
		FY_ERRORS(FY_ERR_CASE)
#undef FY_ERR_CASE
	case 0:
		return "no error";
	default:
		return uv_strerror(err);
	}
}

int fy_fail(struct fy_ctx *ctx, int err, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	FY_REQUIRE(len >= 0);
	char *text = fy_alloc(ctx->arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	ctx->fault = text;
	return err;
}

void fy_require_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "foyer: %s:%d: this must hold: %s\n", file, line, condition);
	abort();
}

bool fy_check_failed(const char *condition, const char *file, int line)
{
	fy_log(NULL, FY_LOG_ERROR, "program.check_failed", FY_KV("condition", condition), FY_KV("file", file),
	       FY_KV("line", line));
	return true;
}
