/* Bodies: counted and chunked, whole and cut anywhere, and all the ways in which a chunk can be wrong. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/http_body.h"

static struct fy_http_fault fault;

#define BODY_MAX 1000

/* Feeds `raw` in pieces of `step` bytes. The status of the refusal, 0 when done, -1 when more is needed; the content
 * is in `out`, and *ret_used tells how much was taken. */
static int feed(const struct fy_http_head *head, struct fy_slice raw, size_t step, size_t *ret_used)
{
	struct fy_http_body body;
	*ret_used = 0;
	out.len = 0;
	if (fy_http_body_init(&body, head, BODY_MAX, &fault))
		return fault.status;
	while (!body.done && *ret_used < raw.len) {
		size_t used;
		if (fy_http_body_feed(&body, fy_upto(fy_from(raw, *ret_used), step), &out, &used, &fault))
			return fault.status;
		assert_true(used > 0);
		*ret_used += used;
	}
	return body.done ? 0 : -1;
}

static int chunked(const char *raw, size_t *ret_used)
{
	static const struct fy_http_head head = { .chunked = true };
	int whole = feed(&head, fy_str(raw), SIZE_MAX, ret_used);
	struct fy_slice content = whole == 0 ? taken() : FY_NONE;
	size_t used_whole = *ret_used;
	for (size_t step = 1; step <= 3; step++) {
		assert_int_equal(feed(&head, fy_str(raw), step, ret_used), whole);
		if (whole == 0) {
			assert_int_equal(*ret_used, used_whole);
			assert_true(fy_eq(content, fy_buf_slice(&out)));
		}
	}
	return whole;
}

static void a_counted_body_ends_at_its_length(void **state)
{
	(void)state;
	struct fy_http_head head = { .has_length = true, .content_length = 5 };
	size_t used;
	assert_int_equal(feed(&head, FY_LIT("helloGET /"), SIZE_MAX, &used), 0);
	assert_int_equal(used, 5);
	assert_text(taken(), "hello");
	assert_int_equal(feed(&head, FY_LIT("hello"), 1, &used), 0);
	assert_text(taken(), "hello");
	assert_int_equal(feed(&head, FY_LIT("hell"), SIZE_MAX, &used), -1);
	head.content_length = 0;
	assert_int_equal(feed(&head, FY_LIT("x"), SIZE_MAX, &used), 0);
	assert_int_equal(used, 0);
	head.content_length = BODY_MAX + 1;
	assert_int_equal(feed(&head, FY_LIT("x"), SIZE_MAX, &used), 413);
}

static void chunks_are_joined(void **state)
{
	(void)state;
	size_t used;
	assert_int_equal(chunked("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET", &used), 0);
	assert_text(fy_buf_slice(&out), "hello world");
	assert_int_equal(used, strlen("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"));
	assert_int_equal(chunked("0\r\n\r\n", &used), 0);
	assert_int_equal(out.len, 0);
	assert_int_equal(chunked("00A\r\n0123456789\r\n000\r\n\r\n", &used), 0);
	assert_text(fy_buf_slice(&out), "0123456789");
	assert_int_equal(chunked("1;a\r\nx\r\n0;a=b;c=\"q \\\" ;\\\\\";d\r\n\r\n", &used), 0);
	assert_int_equal(chunked("1\r\nx\r\n0\r\nA: b\r\nEmpty:\r\nCaf: \xc3\xa9\r\n\r\n", &used), 0);
	assert_text(fy_buf_slice(&out), "x");
	assert_int_equal(chunked("2\r\n\r\n\r\n0\r\n\r\n", &used), 0);
	assert_text(fy_buf_slice(&out), "\r\n");
	assert_int_equal(chunked("5\r\nhel", &used), -1);
	assert_int_equal(chunked("0\r\n", &used), -1);
}

static void bad_chunks_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\r\n",
		"x\r\n",
		"-1\r\n",
		"+1\r\n",
		"0x1\r\n",
		" 1\r\n",
		"1 \r\nx",
		"1\t\r\nx",
		"1\nx",
		"1\r\r\nx",
		"1;\r\n",
		"1;;a\r\n",
		"1;a=\r\n",
		"1;a=\"b\r\n",
		"1;a=\"b\"c\r\n",
		"1; a\r\n",
		"1 ;a\r\n",
		"1;a =b\r\n",
		"1;a=b\nx",
		"1;a\r;b\r\n",
		"1;\xc3\r\n",
		"1_0\r\n",
		"1.0\r\n",
		"1,\r\n",
		"8000000000000000\r\n",
		"FFFFFFFFFFFFFFFF\r\n",
		"10000000000000000\r\n",
		"00000000000000001\r\n",
		"1\r\nxy",
		"1\r\nx\n",
		"1\r\nx\rX",
		"1\r\nx0\r\n\r\n",
		"3\r\nfoo\r\n\r\n",
		"0\r\n\n",
		"0\r\n\rX",
		"0\r\n A: b\r\n\r\n",
		"0\r\nA b\r\n\r\n",
		"0\r\nA : b\r\n\r\n",
		"0\r\n: b\r\n\r\n",
		"0\r\nA\r\n\r\n",
		"0\r\nA: b\n\r\n",
		"0\r\nA: \x01\r\n\r\n",
		"0\r\nA: b\r\n c\r\n\r\n",
		"0;\x01\r\n\r\n",
		"0;a=\"\x7f\"\r\n",
	};
	size_t used;
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (chunked(bad[i], &used) != 400)
			fail_msg("\"%s\" was not refused", bad[i]);
}

static void chunked_bodies_have_limits(void **state)
{
	(void)state;
	static const struct fy_http_head head = { .chunked = true };
	struct fy_buf raw;
	size_t used;
	fy_buf_init(&raw, &arena, 1 << 20);
	assert_int_equal(chunked("3e9\r\n", &used), 413); /* 1001, before any content */
	assert_int_equal(chunked("3e8\r\n", &used), -1);
	assert_int_equal(chunked("7FFFFFFFFFFFFFFF\r\n", &used), 413);
	for (int i = 0; i < BODY_MAX; i++)
		fy_buf_put(&raw, FY_LIT("1\r\nx\r\n"));
	size_t full = raw.len;
	fy_buf_put(&raw, FY_LIT("0\r\n\r\n"));
	assert_int_equal(feed(&head, fy_buf_slice(&raw), SIZE_MAX, &used), 0);
	raw.len = full;
	fy_buf_put(&raw, FY_LIT("1\r\nx\r\n"));
	assert_int_equal(feed(&head, fy_buf_slice(&raw), SIZE_MAX, &used), 413);

	raw.len = 0;
	fy_buf_put(&raw, FY_LIT("1;"));
	for (int i = 0; i <= FY_CHUNK_EXT_MAX; i++)
		fy_buf_char(&raw, 'a');
	assert_int_equal(feed(&head, fy_buf_slice(&raw), SIZE_MAX, &used), 400);
	raw.len = 0;
	for (int i = 0; i <= FY_CHUNK_EXT_TOTAL_MAX / 100 + 1; i++) {
		fy_buf_put(&raw, FY_LIT("1;"));
		for (int k = 0; k < 100; k++)
			fy_buf_char(&raw, 'a');
		fy_buf_put(&raw, FY_LIT("\r\nx\r\n"));
	}
	assert_int_equal(feed(&head, fy_buf_slice(&raw), SIZE_MAX, &used), 400);
	raw.len = 0;
	fy_buf_put(&raw, FY_LIT("0\r\n"));
	for (int i = 0; i <= FY_TRAILER_MAX / 6; i++)
		fy_buf_put(&raw, FY_LIT("a: b\r\n"));
	assert_int_equal(feed(&head, fy_buf_slice(&raw), SIZE_MAX, &used), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(a_counted_body_ends_at_its_length),
		FY_TEST(chunks_are_joined),
		FY_TEST(bad_chunks_are_refused),
		FY_TEST(chunked_bodies_have_limits),
	};
	return RUN_TESTS(tests);
}
