/* Writes an RFC 9457 problem document.
 * Leaves its words, translated, to the table of errors. Called by server/http for API clients. */
#include "protocol/problem.h"

#include "protocol/json_writer.h"

void fy_problem_write(struct fy_buf *buf, const struct fy_problem *problem)
{
	struct fy_json json;
	fy_json_init(&json, buf);
	fy_json_object(&json);
	fy_json_put_str(&json, "type", problem->type.len ? problem->type : FY_LIT("about:blank"));
	fy_json_put_str(&json, "title", problem->title);
	fy_json_put_int(&json, "status", problem->status);
	if (problem->detail.len)
		fy_json_put_str(&json, "detail", problem->detail);
	fy_json_put_str(&json, "request_id", problem->request_id);
	fy_json_put_array(&json, "errors");
	for (size_t i = 0; i < problem->error_count; i++) {
		fy_json_object(&json);
		fy_json_put_str(&json, "pointer", problem->errors[i].pointer);
		fy_json_put_str(&json, "detail", problem->errors[i].detail);
		fy_json_end(&json);
	}
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
}

void fy_problem_pointer(struct fy_buf *buf, struct fy_slice member)
{
	fy_buf_char(buf, '/');
	for (size_t i = 0; i < member.len; i++) {
		if (member.ptr[i] == '~')
			fy_buf_put(buf, FY_LIT("~0"));
		else if (member.ptr[i] == '/')
			fy_buf_put(buf, FY_LIT("~1"));
		else
			fy_buf_char(buf, member.ptr[i]);
	}
}
