/* Accept fields, Content-Type, and preconditions. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/accept.h"
#include "protocol/datetime.h"
#include "protocol/etag.h"

static void languages_are_weighed(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		enum fy_lang lang;
	} fields[] = {
		{ "", FY_LANG_FR },
		{ "en", FY_LANG_EN },
		{ "fr", FY_LANG_FR },
		{ "en-GB,en;q=0.9,fr;q=0.8", FY_LANG_EN },
		{ "fr-CH, fr;q=0.9, en;q=0.8", FY_LANG_FR },
		{ "de, en;q=0.5", FY_LANG_EN },
		{ "de", FY_LANG_FR },
		{ "en;q=0.5, fr;q=0.6", FY_LANG_FR },
		{ "en, fr", FY_LANG_EN },
		{ "fr, en", FY_LANG_FR },
		{ "en;q=0", FY_LANG_FR },
		{ "fr;q=0, *", FY_LANG_EN },
		{ "*", FY_LANG_FR },
		{ "*;q=0.9, fr;q=0.1", FY_LANG_EN },
		{ "EN-us", FY_LANG_EN },
		{ "eng", FY_LANG_FR },
		{ "en;q=2, fr", FY_LANG_FR },
		{ "en;q=abc", FY_LANG_FR },
		{ ",,en", FY_LANG_EN },
		{ "en;q=0.001", FY_LANG_EN },
		{ "fr;q=0.5,en;q=0.500", FY_LANG_FR },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		if (fy_accept_lang(fy_str(fields[i].field), FY_LANG_FR) != fields[i].lang)
			fail_msg("\"%s\"", fields[i].field);
	assert_int_equal(fy_accept_lang(FY_NONE, FY_LANG_EN), FY_LANG_EN);
}

static void codings_are_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *field, *coding;
		bool allowed;
	} fields[] = {
		{ "gzip, br", "br", true },
		{ "gzip, br", "gzip", true },
		{ "gzip", "br", false },
		{ "gzip;q=0", "gzip", false },
		{ "*", "br", true },
		{ "*;q=0", "identity", false },
		{ "*;q=0, identity", "identity", true },
		{ "gzip", "identity", true },
		{ "identity;q=0", "identity", false },
		{ "", "identity", true },
		{ "", "gzip", false },
		{ "x-gzip", "gzip", true },
		{ "GZIP;Q=0.1", "gzip", true },
		{ "br;q=0, *", "br", false },
		{ "gzip2", "gzip", false },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		if (fy_accept_encoding(fy_str(fields[i].field), fy_str(fields[i].coding)) != fields[i].allowed)
			fail_msg("\"%s\" %s", fields[i].field, fields[i].coding);
	assert_true(fy_accept_encoding(FY_NONE, FY_LIT("identity")));
	assert_false(fy_accept_encoding(FY_NONE, FY_LIT("br")));
}

static void media_are_ranked(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		enum fy_media media;
	} fields[] = {
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", FY_MEDIA_HTML },
		{ "application/json", FY_MEDIA_JSON },
		{ "application/problem+json", FY_MEDIA_JSON },
		{ "application/json;q=0.5, text/html;q=0.4", FY_MEDIA_JSON },
		{ "text/*;q=0.9, application/json;q=0.8", FY_MEDIA_HTML },
		{ "application/json, */*;q=0.1", FY_MEDIA_JSON },
		{ "text/html;q=0, */*", FY_MEDIA_JSON },
		{ "Application/JSON", FY_MEDIA_JSON },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		if (fy_accept_media(fy_str(fields[i].field),
				    fields[i].media == FY_MEDIA_HTML ? FY_MEDIA_JSON : FY_MEDIA_HTML) !=
		    fields[i].media)
			fail_msg("\"%s\"", fields[i].field);
	static const char *const undecided[] = { "", "*/*", "image/png", "text/html, application/json" };
	for (size_t i = 0; i < FY_COUNT(undecided); i++) {
		assert_int_equal(fy_accept_media(fy_str(undecided[i]), FY_MEDIA_JSON), FY_MEDIA_JSON);
		assert_int_equal(fy_accept_media(fy_str(undecided[i]), FY_MEDIA_HTML), FY_MEDIA_HTML);
	}
}

static void a_type_has_the_weight_of_the_range_that_names_it_most_exactly(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		int zip, json;
	} fields[] = {
		{ "application/zip", 1000, 0 },
		{ "application/json", 0, 1000 },
		{ "*/*", 1000, 1000 },
		{ "", 0, 0 },
		{ "application/*;q=0.3, application/zip;q=0.5", 500, 300 },
		{ "application/zip;q=0, */*", 0, 1000 },
		{ "APPLICATION/ZIP;q=0.25, application/zi", 250, 0 },
		{ "applicationx*;q=0.9, application/", 0, 0 },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		if (fy_accept_weight(fy_str(fields[i].field), "application/zip") != fields[i].zip ||
		    fy_accept_weight(fy_str(fields[i].field), "application/json") != fields[i].json)
			fail_msg("\"%s\"", fields[i].field);
}

static void content_types_are_read(void **state)
{
	(void)state;
	assert_true(fy_media_is(FY_LIT("Application/Json ; charset=utf-8"), FY_LIT("application/json")));
	assert_false(fy_media_is(FY_LIT("application/jsonx"), FY_LIT("application/json")));
	assert_false(fy_media_is(FY_NONE, FY_LIT("application/json")));
	assert_text(fy_media_param(FY_LIT("text/html; Charset=\"utf-8\""), FY_LIT("charset")), "utf-8");
	assert_text(fy_media_param(FY_LIT("multipart/form-data; x=\"a;b\"; boundary=q"), FY_LIT("boundary")), "q");
	assert_null(fy_media_param(FY_LIT("text/html; charset=a b"), FY_LIT("charset")).ptr);
	assert_null(fy_media_param(FY_LIT("text/html; charset=\"a\\\"b\""), FY_LIT("charset")).ptr);
	assert_null(fy_media_param(FY_LIT("text/html"), FY_LIT("charset")).ptr);
}

static const struct fy_http_limits limits = FY_HTTP_LIMITS_DEFAULT;

static enum fy_condition evaluate(const char *method, const char *fields, const char *etag, fy_time modified)
{
	static struct fy_http_head head;
	struct fy_http_fault fault;
	struct fy_slice raw = fy_fmt(&arena, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);
	assert_int_equal(fy_http_head_parse(raw, &limits, &head, &fault), 0);
	return etag ? fy_etag_evaluate(&head, fy_str(etag), modified) : fy_etag_evaluate_missing(&head);
}

static void preconditions_follow_the_rfc(void **state)
{
	(void)state;
	const fy_time m = 784111777 * FY_SECOND + 500000; /* Sun, 06 Nov 1994 08:49:37.5 GMT */
	static const struct {
		const char *method, *fields, *etag;
		int condition;
	} cases[] = {
		{ "GET", "", "\"a\"", 0 },
		{ "GET", "If-None-Match: \"a\"\r\n", "\"a\"", 304 },
		{ "HEAD", "If-None-Match: \"x\", W/\"a\"\r\n", "\"a\"", 304 },
		{ "GET", "If-None-Match: \"x\"\r\nIf-None-Match: \"a\"\r\n", "\"a\"", 304 },
		{ "GET", "If-None-Match: *\r\n", "\"a\"", 304 },
		{ "PUT", "If-None-Match: *\r\n", "\"a\"", 412 },
		{ "PUT", "If-None-Match: *\r\n", NULL, 0 },
		{ "GET", "If-None-Match: \"b\"\r\n", "\"a\"", 0 },
		{ "GET", "If-None-Match: a\r\n", "\"a\"", 0 },
		{ "GET", "If-None-Match: \"x\" \"a\"\r\n", "\"a\"", 0 },
		{ "PATCH", "If-Match: \"a\"\r\n", "\"a\"", 0 },
		{ "PATCH", "If-Match: \"b\", \"c,d\" , \"a\"\r\n", "\"a\"", 0 },
		{ "PATCH", "If-Match: \"b\"\r\n", "\"a\"", 412 },
		{ "PATCH", "If-Match: W/\"a\"\r\n", "W/\"a\"", 412 }, /* weak tags never match strongly */
		{ "PATCH", "If-Match: *\r\n", "\"a\"", 0 },
		{ "PATCH", "If-Match: *\r\n", NULL, 412 },
		{ "PATCH", "If-Match: \"a\r\n", "\"a\"", 412 },
		{ "GET", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\"a\"", 304 },
		{ "GET", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", "\"a\"", 0 },
		{ "POST", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\"a\"", 0 },
		{ "GET", "If-Modified-Since: yesterday\r\n", "\"a\"", 0 },
		{ "GET", "If-None-Match: \"b\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\"a\"", 0 },
		{ "PUT", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", "\"a\"", 412 },
		{ "PUT", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "\"a\"", 0 },
		{ "PUT", "If-Unmodified-Since: nonsense\r\n", "\"a\"", 0 },
		{ "PUT", "If-Match: \"a\"\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n", "\"a\"", 0 },
		{ "GET", "If-Match: \"a\"\r\nIf-None-Match: \"a\"\r\n", "\"a\"", 304 },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		int condition = (int)evaluate(cases[i].method, cases[i].fields, cases[i].etag, m);
		if (condition != cases[i].condition)
			fail_msg("%s %s: %d, not %d", cases[i].method, cases[i].fields, condition, cases[i].condition);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(languages_are_weighed),  FY_TEST(codings_are_asked_for),
		FY_TEST(media_are_ranked),       FY_TEST(a_type_has_the_weight_of_the_range_that_names_it_most_exactly),
		FY_TEST(content_types_are_read), FY_TEST(preconditions_follow_the_rfc),
	};
	return RUN_TESTS(tests);
}
