/* JSON in both directions, problem documents, and access-log lines. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/clf.h"
#include "protocol/json_in.h"
#include "protocol/json_writer.h"
#include "protocol/problem.h"

static void documents_are_well_formed(void **state)
{
	(void)state;
	struct fy_json json;
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_str(&json, "s", FY_LIT("a\"b\\c\n\x01</script>&é\u2028\xff"));
	fy_json_put_int(&json, "i", INT64_MIN);
	fy_json_put_uint(&json, "u", UINT64_MAX);
	fy_json_put_bool(&json, "t", true);
	fy_json_put_null(&json, "n");
	fy_json_put_array(&json, "a");
	fy_json_int(&json, -1);
	fy_json_array(&json);
	fy_json_end(&json);
	fy_json_object(&json);
	fy_json_end(&json);
	fy_json_raw(&json, FY_LIT("{\"x\":1}"));
	fy_json_end(&json);
	fy_json_put_object(&json, "o");
	fy_json_put_bool(&json, "f", false);
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	assert_text(
		taken(),
		"{\"s\":\"a\\\"b\\\\c\\n\\u0001\\u003c/script\\u003e\\u0026é\\u2028\\ufffd\",\"i\":-9223372036854775808,"
		"\"u\":18446744073709551615,\"t\":true,\"n\":null,\"a\":[-1,[],{},{\"x\":1}],\"o\":{\"f\":false}}");
	fy_json_init(&json, &out);
	fy_json_str(&json, FY_LIT(""));
	fy_json_finish(&json);
	assert_text(taken(), "\"\"");
}

static void a_full_buffer_shows(void **state)
{
	(void)state;
	struct fy_buf small;
	struct fy_json json;
	fy_buf_init(&small, &arena, 8);
	fy_json_init(&json, &small);
	fy_json_str(&json, FY_LIT("0123456789"));
	assert_true(small.failed);
}

static void bodies_are_read(void **state)
{
	(void)state;
	const struct fy_json_value *root, *value;
	struct fy_slice text;
	int64_t number = 0;
	bool truth = false;
	assert_int_equal(
		fy_json_parse(&arena,
			      FY_LIT("{\"s\":\"é\\n\",\"i\":-5,\"b\":true,\"n\":null,\"r\":1.5,\"a\":[1,2],\"o\":{}}"),
			      2, &root, NULL),
		0);
	assert_int_equal(fy_json_type(root), FY_JSON_OBJECT);
	assert_int_equal(fy_json_get_str(root, "s", &text), 0);
	assert_text(text, "é\n");
	assert_int_equal(fy_json_get_int(root, "i", &number), 0);
	assert_int_equal(number, -5);
	assert_int_equal(fy_json_get_bool(root, "b", &truth), 0);
	assert_true(truth);
	assert_int_equal(fy_json_get_str(root, "x", &text), FY_ERR_NOT_FOUND);
	assert_int_equal(fy_json_get_str(root, "i", &text), FY_ERR_INVALID);
	assert_int_equal(fy_json_get_int(root, "r", &number), FY_ERR_INVALID);
	assert_int_equal(fy_json_get_bool(root, "n", &truth), FY_ERR_INVALID);
	value = fy_json_member(root, "a");
	assert_int_equal(fy_json_size(value), 2);
	assert_int_equal(fy_json_as_int(fy_json_item(value, 1), &number), 0);
	assert_int_equal(number, 2);
	assert_null(fy_json_item(value, 2));
	assert_null(fy_json_member(value, "x"));
	static const char *const keys[] = { "s", "i", "b", "n", "r", "a", "o" };
	size_t at = 0;
	for (size_t i = 0; i < FY_COUNT(keys); i++) {
		assert_true(fy_json_each(root, &at, &text, &value));
		assert_text(text, keys[i]);
	}
	assert_false(fy_json_each(root, &at, &text, &value));
	assert_false(fy_json_each(root, &at, &text, &value));
}

static void bad_bodies_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "{",
					   "{}x",
					   "{} {}",
					   "{\"a\":1,\"a\":2}",
					   "\"\\u0000\"",
					   "{\"\\u0000\":1}",
					   "\"\xff\"",
					   "[[[1]]]",
					   "{\"a\":[[]]}",
					   "{'a':1}",
					   "[1,]",
					   "99999999999999999999",
					   "1e999",
					   "nul",
					   "\"\\ud800\"",
					   "[01]",
					   "NaN" };
	const struct fy_json_value *root;
	struct fy_json_fault fault;
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (fy_json_parse(&arena, fy_str(bad[i]), 2, &root, &fault) != FY_ERR_INVALID || fault.text[0] == 0)
			fail_msg("%s", bad[i]);
	assert_int_equal(fy_json_parse(&arena, FY_LIT("{\"email\": zoe@example.org}"), 2, &root, &fault),
			 FY_ERR_INVALID);
	assert_null(strstr(fault.text, "zoe"));
	assert_int_equal(fault.line, 1);
	assert_int_equal(fy_json_parse(&arena, FY_LIT("[[\"]]]\"]]"), 2, &root, NULL), 0);
	/* Far deeper than a stack would hold. */
	for (int i = 0; i < 100000; i++)
		fy_buf_char(&out, '[');
	assert_int_equal(fy_json_parse(&arena, fy_buf_slice(&out), 64, &root, NULL), FY_ERR_INVALID);
}

static void problems_have_their_members(void **state)
{
	(void)state;
	const struct fy_problem_error errors[] = { { FY_LIT("/email"), FY_LIT("not an address") },
						   { FY_LIT(""), FY_LIT("x") } };
	struct fy_problem problem = { .type = FY_LIT("https://foyer.example/problems/form"),
				      .title = FY_LIT("Not valid"),
				      .detail = FY_LIT("2 fields"),
				      .request_id = FY_LIT("r1"),
				      .status = 422,
				      .errors = errors,
				      .error_count = 2 };
	fy_problem_write(&out, &problem);
	assert_text(
		taken(),
		"{\"type\":\"https://foyer.example/problems/form\",\"title\":\"Not valid\",\"status\":422,\"detail\":\"2 fields\","
		"\"request_id\":\"r1\",\"errors\":[{\"pointer\":\"/email\",\"detail\":\"not an address\"},"
		"{\"pointer\":\"\",\"detail\":\"x\"}]}");
	problem = (struct fy_problem){ .title = FY_LIT("Gone"), .request_id = FY_LIT("r2"), .status = 404 };
	fy_problem_write(&out, &problem);
	assert_text(taken(),
		    "{\"type\":\"about:blank\",\"title\":\"Gone\",\"status\":404,\"request_id\":\"r2\",\"errors\":[]}");
	fy_problem_pointer(&out, FY_LIT("a"));
	fy_problem_pointer(&out, FY_LIT("b/c~d"));
	assert_text(taken(), "/a/b~1c~0d");
}

static void log_lines_cannot_be_forged(void **state)
{
	(void)state;
	struct fy_clf entry = { .client = FY_LIT("192.0.2.1"),
				.user = FY_LIT("42"),
				.at = 1795352700 * FY_SECOND,
				.method = FY_LIT("GET"),
				.target = FY_LIT("/a?b=c"),
				.minor = 1,
				.status = 200,
				.bytes = 1234,
				.referer = FY_LIT("https://x.org/"),
				.user_agent = FY_LIT("Mozilla/5.0 (X11; Linux)") };
	fy_clf_write(&out, &entry);
	assert_text(taken(),
		    "192.0.2.1 - 42 [22/Nov/2026:14:05:00 +0100] \"GET /a?b=c HTTP/1.1\" 200 1234 \"https://x.org/\" "
		    "\"Mozilla/5.0 (X11; Linux)\"");
	entry = (struct fy_clf){ .status = 400, .at = 1795352700 * FY_SECOND };
	fy_clf_write(&out, &entry);
	assert_text(taken(), "- - - [22/Nov/2026:14:05:00 +0100] \"-\" 400 0 \"-\" \"-\"");
	entry = (struct fy_clf){ .client = FY_LIT("::1"),
				 .method = FY_LIT("GET"),
				 .target = FY_LIT("/a b\"\n"),
				 .status = 404,
				 .at = 1795352700 * FY_SECOND,
				 .user_agent = FY_LIT("x\" 200 \"\\\r\n\xc3\xa9\x7f") };
	fy_clf_write(&out, &entry);
	assert_text(taken(), "::1 - - [22/Nov/2026:14:05:00 +0100] \"GET /a\\x20b\\x22\\x0a HTTP/1.0\" 404 0 \"-\" "
			     "\"x\\x22 200 \\x22\\x5c\\x0d\\x0a\\xc3\\xa9\\x7f\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(documents_are_well_formed),
		FY_TEST(a_full_buffer_shows),
		FY_TEST(bodies_are_read),
		FY_TEST(bad_bodies_are_refused),
		FY_TEST(problems_have_their_members),
		FY_TEST(log_lines_cannot_be_forged),
	};
	return RUN_TESTS(tests);
}
