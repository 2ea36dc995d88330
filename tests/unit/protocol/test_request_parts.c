/* What a request brings besides its framing: paths, forms, cookies. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/cookie.h"
#include "protocol/path.h"
#include "protocol/urlform.h"

static void paths_mean_one_thing(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int err;
	} paths[] = {
		{ "/", 0 },
		{ "/a/b", 0 },
		{ "/a/", 0 },
		{ "/caf%C3%A9", 0 },
		{ "/a%20b", 0 },
		{ "/...", 0 },
		{ "/.a", 0 },
		{ "/.well-known/x", 0 },
		{ "/a;b=c", 0 },
		{ "", FY_ERR_INVALID },
		{ "a", FY_ERR_INVALID },
		{ "*", FY_ERR_INVALID },
		{ "/a%2Fb", FY_ERR_INVALID },
		{ "/a%5cb", FY_ERR_INVALID },
		{ "/a\\b", FY_ERR_INVALID },
		{ "/%00", FY_ERR_INVALID },
		{ "/%0a", FY_ERR_INVALID },
		{ "/%zz", FY_ERR_INVALID },
		{ "/%4", FY_ERR_INVALID },
		{ "/%C3", FY_ERR_INVALID },
		{ "/%c0%ae%c0%ae", FY_ERR_INVALID },
		{ "/%ED%A0%80", FY_ERR_INVALID },
		{ "/a b", FY_ERR_INVALID },
		{ "/%7f", FY_ERR_INVALID },
		{ "/%C3/%A9", FY_ERR_INVALID },
		{ "//", FY_ERR_NOT_FOUND },
		{ "//a", FY_ERR_NOT_FOUND },
		{ "/a//b", FY_ERR_NOT_FOUND },
		{ "/.", FY_ERR_NOT_FOUND },
		{ "/a/../b", FY_ERR_NOT_FOUND },
		{ "/a/..", FY_ERR_NOT_FOUND },
		{ "/%2e%2E/x", FY_ERR_NOT_FOUND },
		{ "/.%2e", FY_ERR_NOT_FOUND },
		{ "/../%00", FY_ERR_INVALID },
	};
	for (size_t i = 0; i < FY_COUNT(paths); i++)
		if (fy_path_check(fy_str(paths[i].path)) != paths[i].err)
			fail_msg("%s", paths[i].path);
}

static void redirects_stay_on_this_site(void **state)
{
	(void)state;
	static const char *const local[] = { "/", "/account?tab=1&x=%2F", "/a/b" };
	for (size_t i = 0; i < FY_COUNT(local); i++)
		assert_true(fy_path_is_local(fy_str(local[i])));
	static const char *const foreign[] = { "",
					       "//evil.example",
					       "/\\evil.example",
					       "https://evil.example",
					       "evil",
					       "/a/../b",
					       "/a\r\nX: y",
					       "/a?b=\r\n",
					       "/a?b c",
					       "/%0d%0aX",
					       "/a#b",
					       "javascript:x",
					       "\\/x",
					       "/\t/evil.example" };
	for (size_t i = 0; i < FY_COUNT(foreign); i++)
		assert_false(fy_path_is_local(fy_str(foreign[i])));
	fy_buf_char(&out, '/');
	while (out.len < 1024)
		fy_buf_char(&out, 'a');
	assert_true(fy_path_is_local(fy_buf_slice(&out)));
	fy_buf_char(&out, 'a');
	assert_false(fy_path_is_local(fy_buf_slice(&out)));
}

static void forms_become_pairs(void **state)
{
	(void)state;
	struct fy_pairs pairs;
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT("a=1&b=x+y%26z&&a=2&c&=d&e=f=g&"), 10, &pairs), 0);
	assert_int_equal(pairs.count, 6);
	assert_text(pairs.items[1].name, "b");
	assert_text(pairs.items[1].value, "x y&z");
	assert_text(pairs.items[2].value, "2");
	assert_text(pairs.items[3].name, "c");
	assert_text(pairs.items[3].value, "");
	assert_text(pairs.items[4].name, "");
	assert_text(pairs.items[5].value, "f=g");
	assert_text(fy_pairs_find(&pairs, FY_LIT("a"))->value, "1");
	assert_int_equal(fy_pairs_count(&pairs, FY_LIT("a")), 2);
	assert_null(fy_pairs_find(&pairs, FY_LIT("z")));
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT(""), 10, &pairs), 0);
	assert_int_equal(pairs.count, 0);
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT("&&&"), 2, &pairs), 0);
	assert_int_equal(pairs.count, 0);
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT("a&b&c"), 3, &pairs), 0);
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT("a&b&c"), 2, &pairs), FY_ERR_TOO_LARGE);
	static const char *const bad[] = { "a=%",   "a=%4",   "a=%4g",       "a=%00",    "%00",
					   "a=%C3", "a=\xc3", "a=%ED%A0%80", "a=%C0%80", "%zz=a" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_urlform_parse(&arena, fy_str(bad[i]), 5, &pairs), FY_ERR_INVALID);
	assert_int_equal(fy_urlform_parse(&arena, FY_LIT("a=\0"), 5, &pairs), FY_ERR_INVALID);
}

static void encoding_and_decoding_are_inverse(void **state)
{
	(void)state;
	struct fy_slice text, plain = FY_LIT("plain");
	fy_url_encode(&out, FY_LIT("a b/ü~_-.?&=+%"));
	assert_text(taken(), "a%20b%2F%C3%BC~_-.%3F%26%3D%2B%25");
	assert_int_equal(fy_url_decode(&arena, FY_LIT("a+b%2B"), true, &text), 0);
	assert_text(text, "a b+");
	assert_int_equal(fy_url_decode(&arena, FY_LIT("a+b"), false, &text), 0);
	assert_text(text, "a+b");
	assert_int_equal(fy_url_decode(&arena, plain, true, &text), 0);
	assert_ptr_equal(text.ptr, plain.ptr);
	fy_buf_put(&out, FY_LIT("/x?"));
	fy_urlform_put(&out, FY_LIT("a"), FY_LIT("1 2"));
	fy_urlform_put(&out, FY_LIT("b"), FY_LIT("&"));
	assert_text(taken(), "/x?a=1%202&b=%26");
}

static void cookies_are_found_by_exact_name(void **state)
{
	(void)state;
	static const char *const fields[][2] = {
		{ "sid=abc", "abc" },
		{ "a=b; sid=abc; sid=xyz", "abc" },
		{ "xsid=1; sid=2", "2" },
		{ "sidx=1;sid=2", "2" },
		{ "  sid=a==  ;b", "a==" },
		{ "sid=\"q\"", "q" },
		{ "sid=", "" },
		{ "SID=1; sid=2", "2" },
		{ ";;; sid=1", "1" },
		{ "a=\"sid=1\"; sid=2", "2" },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++) {
		struct fy_slice field = fy_str(fields[i][0]), value;
		assert_true(fy_cookie_next(&field, FY_LIT("sid"), &value));
		assert_non_null(value.ptr);
		assert_text(value, fields[i][1]);
	}
	static const char *const none[] = { "",         "sid",     "xsid=1", "sid =1",  "sid=a b",
					    "sid=\x80", "sid=a,b", "sid=\"", "a=sid=1", "sid=\\" };
	for (size_t i = 0; i < FY_COUNT(none); i++) {
		struct fy_slice field = fy_str(none[i]), value = FY_NONE;
		fy_cookie_next(&field, FY_LIT("sid"), &value);
		assert_null(value.ptr);
	}
	struct fy_slice two = FY_LIT("sid=a; x=y; sid=b c; sid=d"), value;
	assert_true(fy_cookie_next(&two, FY_LIT("sid"), &value));
	assert_text(value, "a");
	assert_true(fy_cookie_next(&two, FY_LIT("sid"), &value)); /* one that is no cookie's value is there, too */
	assert_null(value.ptr);
	assert_true(fy_cookie_next(&two, FY_LIT("sid"), &value));
	assert_text(value, "d");
	assert_false(fy_cookie_next(&two, FY_LIT("sid"), &value));
}

static void set_cookie_cannot_be_broken(void **state)
{
	(void)state;
	struct fy_cookie cookie = {
		.name = FY_LIT("__Host-sid"), .value = FY_LIT("abc"), .max_age_s = -1, .secure = true
	};
	assert_int_equal(fy_cookie_write(&out, &cookie), 0);
	assert_text(taken(), "__Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
	cookie = (struct fy_cookie){ .name = FY_LIT("sid"),
				     .value = FY_LIT(""),
				     .max_age_s = 0,
				     .path = FY_LIT("/manage"),
				     .script_readable = true,
				     .same_site = FY_SAMESITE_STRICT };
	assert_int_equal(fy_cookie_write(&out, &cookie), 0);
	assert_text(taken(), "sid=; Path=/manage; Max-Age=0; SameSite=Strict");
	const struct fy_cookie bad[] = {
		{ .name = FY_LIT(""), .value = FY_LIT("a") },
		{ .name = FY_LIT("a b"), .value = FY_LIT("a") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a;b") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a\r\nX: y") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a b") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a"), .path = FY_LIT("/;x") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a"), .path = FY_LIT("x") },
		{ .name = FY_LIT("__Host-a"), .value = FY_LIT("a") },
		{ .name = FY_LIT("__host-a"), .value = FY_LIT("a"), .secure = true, .path = FY_LIT("/x") },
		{ .name = FY_LIT("__Secure-a"), .value = FY_LIT("a") },
		{ .name = FY_LIT("a"), .value = FY_LIT("a"), .same_site = FY_SAMESITE_NONE },
	};
	for (size_t i = 0; i < FY_COUNT(bad); i++) {
		assert_int_equal(fy_cookie_write(&out, &bad[i]), FY_ERR_INVALID);
		assert_int_equal(out.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(paths_mean_one_thing),
		FY_TEST(redirects_stay_on_this_site),
		FY_TEST(forms_become_pairs),
		FY_TEST(encoding_and_decoding_are_inverse),
		FY_TEST(cookies_are_found_by_exact_name),
		FY_TEST(set_cookie_cannot_be_broken),
	};
	return RUN_TESTS(tests);
}
