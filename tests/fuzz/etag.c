/* Preconditions: strong matches are weak matches too, and no field makes a GET that matches nothing fail. */
#include "fuzz.h"

#include "protocol/etag.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	static const struct fy_slice tags[] = { FY_LIT("\"a\""), FY_LIT("W/\"a\""), FY_LIT("") };
	struct fy_slice a = part(arena, &input), b = part(arena, &input), c = part(arena, &input),
			d = part(arena, &input);
	struct fy_http_head *head = fy_new(arena, struct fy_http_head);
	const struct fy_http_header fields[4] = { { FY_LIT("If-Match"), a },
						  { FY_LIT("If-None-Match"), b },
						  { FY_LIT("If-Modified-Since"), c },
						  { FY_LIT("If-Unmodified-Since"), d } };
	static const enum fy_http_known ids[4] = { FY_H_IF_MATCH, FY_H_IF_NONE_MATCH, FY_H_IF_MODIFIED_SINCE,
						   FY_H_IF_UNMODIFIED_SINCE };
	(void)out;
	head->method = input.len % 2 ? FY_PUT : FY_GET;
	for (size_t i = 0; i < 4; i++)
		if (fields[i].value.len) {
			head->headers[head->header_count++] = fields[i];
			head->known[ids[i]] = (uint8_t)head->header_count;
		}
	for (size_t i = 0; i < 3; i++) {
		enum fy_condition condition = fy_etag_evaluate(head, tags[i], 784111777 * FY_SECOND);
		MUST(condition != FY_CONDITION_NOT_MODIFIED || head->method == FY_GET);
		if (a.len == 0 && d.len == 0 && head->method == FY_GET)
			MUST(condition != FY_CONDITION_FAILED);
		MUST(!fy_etag_listed(b, tags[i], false) || fy_etag_listed(b, tags[i], true));
	}
	fy_etag_evaluate_missing(head);
}

FUZZ_TARGET(run)
