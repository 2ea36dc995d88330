/* Problems: always one well-formed object with the request id. */
#include "fuzz.h"

#include "protocol/json_in.h"
#include "protocol/problem.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	const struct fy_json_value *root;
	int64_t status;
	struct fy_problem_error error = { part(arena, &input), part(arena, &input) };
	struct fy_problem problem = { .type = part(arena, &input),
				      .title = part(arena, &input),
				      .detail = part(arena, &input),
				      .request_id = part(arena, &input),
				      .status = 400,
				      .errors = &error,
				      .error_count = input.len > 0 };
	fy_problem_write(out, &problem);
	MUST(!out->failed);
	if (memmem(out->ptr, out->len, "\\u0000", 6))
		return;
	MUST(fy_json_parse(arena, fy_buf_slice(out), 4, &root, NULL) == 0);
	MUST(fy_json_get_int(root, "status", &status) == 0 && status == 400);
	MUST(fy_json_size(fy_json_member(root, "errors")) == problem.error_count);
	out->len = 0;
	fy_problem_pointer(out, error.pointer);
	for (size_t i = 1; i < out->len; i++)
		MUST(out->ptr[i] != '/');
}

FUZZ_TARGET(run)
