/* Heads: cuts between reads change no verdict, llhttp agrees with all that is accepted, and slices stay inside. */
#include "fuzz.h"

#include "protocol/http_chars.h"
#include "protocol/http_head.h"
#include "protocol/http_llhttp.h"

static const struct fy_http_limits limits = { .target_max = 300, .head_max = 2000, .headers_max = 20 };

static void inside(struct fy_slice whole, struct fy_slice part)
{
	MUST(part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_head(struct fy_slice raw, const struct fy_http_head *head)
{
	struct fy_llhttp_verdict verdict;
	MUST(fy_llhttp_judge(raw, true, &verdict) == 0);
	MUST(verdict.chunked == head->chunked && verdict.has_length == head->has_length);
	MUST(!(head->chunked && head->has_length));
	inside(raw, head->target);
	inside(raw, head->host);
	inside(raw, head->query);
	MUST(head->path.len && (head->path.ptr[0] == '/' || head->path.ptr[0] == '*'));
	MUST(head->minor == 0 || head->host.len);
	MUST(head->header_count <= limits.headers_max && head->target.len <= limits.target_max);
	for (size_t i = 0; i < head->header_count; i++) {
		struct fy_slice name = head->headers[i].name, value = head->headers[i].value;
		inside(raw, name);
		inside(raw, value);
		MUST(fy_http_is_token(name));
		for (size_t k = 0; k < value.len; k++)
			MUST(((unsigned char)value.ptr[k] >= 0x20 && value.ptr[k] != 0x7f) || value.ptr[k] == '\t');
		MUST(fy_http_find(head, name).ptr);
	}
}

static int verdict(struct fy_slice raw, ssize_t n, struct fy_http_fault *fault)
{
	struct fy_http_head head;
	MUST(n <= (ssize_t)raw.len);
	if (n < 0 || (n > 0 && fy_http_head_parse(fy_upto(raw, (size_t)n), &limits, &head, fault))) {
		MUST(fault->status >= 400 && fault->status <= 505 && fault->reason);
		return fault->status;
	}
	if (n > 0)
		check_head(fy_upto(raw, (size_t)n), &head);
	return n > 0 ? 0 : -1;
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_http_fault fault = { 0 }, cut_fault = { 0 };
	size_t from = 0, step = input.len ? (unsigned char)input.ptr[0] % 37u + 1 : 1;
	struct fy_slice raw = exact(arena, fy_from(input, 1));
	(void)out;
	int whole = verdict(raw, fy_http_head_find(raw, &limits, &from, &fault), &fault);
	ssize_t n = 0;
	from = 0;
	for (size_t len = step; n == 0; len += step) {
		if (len > raw.len)
			len = raw.len;
		n = fy_http_head_find(exact(arena, fy_upto(raw, len)), &limits, &from, &cut_fault);
		if (len == raw.len)
			break;
	}
	int cut = verdict(raw, n, &cut_fault);
	/* A slow client may be refused earlier, for an earlier line; never served differently. */
	MUST((whole == 0) == (cut == 0));
	MUST((whole > 0) == (cut > 0));
}

FUZZ_TARGET(run)
