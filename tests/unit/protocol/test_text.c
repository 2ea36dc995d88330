/* Texts: UTF-8, base64 and hexadecimal, HTML, and labels of devices. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/basexx.h"
#include "protocol/csv.h"
#include "protocol/html.h"
#include "protocol/user_agent.h"
#include "protocol/utf8.h"

static void utf8_is_strict(void **state)
{
	(void)state;
	static const char *const good[] = {
		"", "abc", "é", "€", "😀", "\x7f", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "12345678é90"
	};
	for (size_t i = 0; i < FY_COUNT(good); i++)
		assert_true(fy_utf8_valid(fy_str(good[i])));
	static const char *const bad[] = { "\x80",
					   "\xc3",
					   "\xc0\xaf",
					   "\xc1\xbf",
					   "\xe0\x80\xaf",
					   "\xed\xa0\x80",
					   "\xf0\x80\x80\xaf",
					   "\xf4\x90\x80\x80",
					   "\xf8\x88\x80\x80\x80",
					   "\xff",
					   "abc\xe2\x82",
					   "\xc3(",
					   "12345678\xe2(\xa1" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_false(fy_utf8_valid(fy_str(bad[i])));
	assert_int_equal(fy_utf8_count(FY_LIT("aé€😀")), 4);
	assert_text(fy_utf8_upto(FY_LIT("aé€😀"), 3), "aé€");
	assert_text(fy_utf8_upto(FY_LIT("ab"), 3), "ab");
	assert_text(fy_utf8_upto(FY_LIT("ab"), 0), "");
	struct fy_slice text = FY_LIT("€!");
	assert_int_equal(fy_utf8_next(&text), 0x20ac);
	assert_int_equal(fy_utf8_next(&text), '!');
	assert_int_equal(fy_utf8_next(&text), -1);
	char bytes[4];
	assert_int_equal(fy_utf8_put(bytes, 0x1f600), 4);
	assert_memory_equal(bytes, "😀", 4);
	assert_int_equal(fy_utf8_put(bytes, 0xd800), 0);
	assert_int_equal(fy_utf8_put(bytes, 0x110000), 0);
}

static void fields_refuse_what_cannot_be_seen(void **state)
{
	(void)state;
	struct fy_slice text;
	assert_true(fy_utf8_is_line(FY_LIT("Zoé Müller-李 👩‍🚀")));
	static const char *const bad[] = { "a\nb",   "a\tb",   "\x01",   "\x7f", "\xc2\x85", "a\u202e\x62",
					   "\u200b", "\u2028", "\ufeff", "\xff", "\u2066",   "\ufffe" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_false(fy_utf8_is_line(fy_str(bad[i])));
	static const char *const blank[] = { "\u115f",     "a\u1160",    "\u3164", "\uffa0",  "\u2800",    "\ue000",
					     "\U000f0000", "\U0010fffd", "\u0378", "a\u05ff", "\U0001fbff" };
	for (size_t i = 0; i < FY_COUNT(blank); i++) {
		assert_false(fy_utf8_is_line(fy_str(blank[i])));
		assert_int_equal(fy_utf8_clean_line(&arena, fy_str(blank[i]), &text), FY_ERR_INVALID);
		assert_true(fy_utf8_is_multiline(fy_str(blank[i])));
	}
	static const char *const unseen[] = { "\u200d", "\u200c \u200c", "\ufe0f", "\u0301" };
	for (size_t i = 0; i < FY_COUNT(unseen); i++)
		assert_int_equal(fy_utf8_clean_line(&arena, fy_str(unseen[i]), &text), FY_ERR_INVALID);
	static const char *const names[] = { "\ud64d\uae38\ub3d9",
					     "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
					     "Nguy\u1ec5n",
					     "\u0b95\u0bae\u0bcd",
					     "\U0001f469\u200d\U0001f680",
					     "X\u0302",
					     "\U00020bb7" };
	for (size_t i = 0; i < FY_COUNT(names); i++)
		assert_int_equal(fy_utf8_clean_line(&arena, fy_str(names[i]), &text), 0);
	assert_true(fy_utf8_is_multiline(FY_LIT("a\r\n\tb\n")));
	assert_false(fy_utf8_is_multiline(FY_LIT("a\x0b")));
}

static void fields_are_cleaned(void **state)
{
	(void)state;
	struct fy_slice text;
	assert_int_equal(fy_utf8_clean_line(&arena, FY_LIT("  Zoe\u0301 \u00a0\t L. "), &text), 0);
	assert_text(text, "Zo\u00e9 L.");
	assert_int_equal(fy_utf8_clean_line(&arena, FY_LIT("   "), &text), 0);
	assert_text(text, "");
	assert_int_equal(fy_utf8_clean_line(&arena, FY_LIT("a\nb"), &text), FY_ERR_INVALID);
	assert_int_equal(fy_utf8_clean_line(&arena, FY_LIT("a\xff"), &text), FY_ERR_INVALID);
	assert_int_equal(fy_utf8_clean_multiline(&arena, FY_LIT("\r\n  a \t\r\n\r\nb\rc  \n\n"), &text), 0);
	assert_text(text, "a\n\nb\nc");
	assert_int_equal(fy_utf8_clean_multiline(&arena, FY_LIT("a\x02"), &text), FY_ERR_INVALID);
	assert_int_equal(fy_utf8_nfc(&arena, FY_LIT("e\u0301\u1100\u1161"), &text), 0);
	assert_text(text, "\u00e9\uac00");
	struct fy_slice same = FY_LIT("d\u00e9j\u00e0");
	assert_int_equal(fy_utf8_nfc(&arena, same, &text), 0);
	assert_ptr_equal(text.ptr, same.ptr);
	for (int i = 0; i < 31; i++)
		fy_buf_put(&out, FY_LIT("\u0301"));
	assert_int_equal(fy_utf8_nfc(&arena, fy_buf_slice(&out), &text), FY_ERR_INVALID);
	assert_int_equal(fy_utf8_nfc(&arena, fy_from(fy_buf_slice(&out), 2), &text), 0);
}

static void names_of_persons_have_nothing_of_a_link(void **state)
{
	(void)state;
	static const char *const names[] = { "Zoé",
					     "O'Connor",
					     "O’Connor",
					     "Anne-Marie de La Tour",
					     "J. R. R. Tolkien",
					     "Martin L. King Jr.",
					     "李小龙",
					     "محمد",
					     "Gal·la",
					     "Nguyễn",
					     "दीपिका" };
	static const char *const bad[] = { "",           "-",        ".",    "evil.com", "www.evil.com", "http://x",
					   "a@b",        "Win 1000", "a/b",  "a\\b",     "x:y",          "<b>",
					   "a_b",        "Eve\n",    "x..y", ". x",      "a;b",          "№5",
					   "\u202eevil", "\xff",     "a,b",  "(x)",      "a\u3002com",   "a\uff0ecom" };
	for (size_t i = 0; i < FY_COUNT(names); i++)
		assert_true(fy_utf8_is_name(fy_str(names[i]), 30));
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_false(fy_utf8_is_name(fy_str(bad[i]), 30));
	assert_true(fy_utf8_is_name(FY_LIT("ééé"), 3));
	assert_false(fy_utf8_is_name(FY_LIT("ééé"), 2));
}

/* RFC 4648 10 */
static void base64_follows_the_rfc(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "", "" },
						{ "f", "Zg==" },
						{ "fo", "Zm8=" },
						{ "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" },
						{ "fooba", "Zm9vYmE=" },
						{ "foobar", "Zm9vYmFy" } };
	char back[16];
	size_t len;
	for (size_t i = 0; i < FY_COUNT(pairs); i++) {
		fy_put_base64(&out, fy_str(pairs[i][0]));
		assert_text(taken(), pairs[i][1]);
		assert_int_equal(fy_base64_decode(fy_str(pairs[i][1]), back, sizeof(back), &len), 0);
		assert_text(fy_slice(back, len), pairs[i][0]);
	}
	fy_put_base64url(&out, FY_LIT("\xfb\xff\xfe"));
	assert_text(taken(), "-__-");
	static const char *const bad[] = { "Zg",    "Zg=",    "Zh==", "Zm9=", "Z===", "Zg==Zg==",
					   "Zg ==", "Zm9v\n", "Zm9_", "====", "=" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_base64_decode(fy_str(bad[i]), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_base64url_decode(FY_LIT("Zg=="), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_base64url_decode(FY_LIT("Zh"), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_base64url_decode(FY_LIT("Z"), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_base64url_decode(FY_LIT("Zm9v"), back, 2, &len), FY_ERR_TOO_LARGE);
	char hex[8];
	fy_hex_encode(hex, "\x00\xaf\x10\xff", 4);
	assert_text(fy_slice(hex, 8), "00af10ff");
	assert_int_equal(fy_hex_decode(FY_LIT("00AF10ff"), back, sizeof(back), &len), 0);
	assert_memory_equal(back, "\x00\xaf\x10\xff", 4);
	assert_int_equal(fy_hex_decode(FY_LIT("0"), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_hex_decode(FY_LIT("0g"), back, sizeof(back), &len), FY_ERR_INVALID);
	assert_int_equal(fy_hex_decode(FY_LIT("0000"), back, 1, &len), FY_ERR_TOO_LARGE);
}

static void cells_are_quoted_and_never_formulas(void **state)
{
	(void)state;
	const struct fy_slice plain[] = { FY_LIT("a"), FY_LIT("say \"x\"; y"), FY_LIT("two\nlines"), FY_LIT("é"),
					  FY_NONE,     FY_LIT("1-2") };
	const struct fy_slice formulas[] = { FY_LIT("=1+2"),    FY_LIT("+33 1"), FY_LIT("-1"),
					     FY_LIT("@SUM(A)"), FY_LIT("\t=1"),  FY_LIT("\r=1") };
	fy_csv_row(&out, plain, 6);
	assert_text(taken(), "\"a\";\"say \"\"x\"\"; y\";\"two\nlines\";\"é\";\"\";\"1-2\"\r\n");
	fy_csv_row(&out, formulas, 6);
	assert_text(taken(), "\"'=1+2\";\"'+33 1\";\"'-1\";\"'@SUM(A)\";\"'\t=1\";\"'\r=1\"\r\n");
}

static void html_is_escaped_by_context(void **state)
{
	(void)state;
	fy_html_text(&out, FY_LIT("a < b && \"c\" > 'd'\x01"));
	assert_text(taken(), "a &lt; b &amp;&amp; \"c\" &gt; 'd'");
	fy_html_attr(&out, FY_LIT("\"onx='1'&<é>"));
	assert_text(taken(), "&#34;onx=&#39;1&#39;&amp;&lt;é&gt;");
	fy_html_text(&out, FY_LIT(""));
	assert_text(taken(), "");
	fy_html_paragraphs(&out, FY_LIT("a\nb <\r\n\n\nc"));
	assert_text(taken(), "<p>a<br>\nb &lt;</p>\n<p>c</p>\n");
	static const char *const safe[] = { "/", "/a?b=c", "https://x.org/", "HTTP://x", "mailto:a@b.c", "tel:+33" };
	for (size_t i = 0; i < FY_COUNT(safe); i++)
		assert_true(fy_html_url_safe(fy_str(safe[i])));
	static const char *const unsafe[] = { "",
					      "javascript:alert(1)",
					      "//evil.example",
					      "/\\evil.example",
					      " https://x",
					      "data:x",
					      "java\tscript:x",
					      "https://a\nb",
					      "x",
					      "vbscript:x",
					      "https:" };
	for (size_t i = 0; i < FY_COUNT(unsafe); i++)
		assert_false(fy_html_url_safe(fy_str(unsafe[i])));
}

static void devices_get_a_label(void **state)
{
	(void)state;
	static const char *const agents[][2] = {
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
		  "Firefox · Windows" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
		  "Mobile/15E148 Safari/604.1",
		  "Safari · iPhone" },
		{ "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) CriOS/126.0 Mobile Safari/604.1",
		  "Chrome · iPad" },
		{ "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0",
		  "Edge · Windows" },
		{ "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121 "
		  "Mobile Safari/537.36",
		  "Samsung Internet · Android" },
		{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
		  "Safari · Mac" },
		{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
		  "Chrome · Linux" },
		{ "curl/8.5.0", "curl" },
		{ "Mozilla/5.0 (Windows)", "Windows" },
		{ "<script>", "?" },
		{ "", "?" },
	};
	char label[FY_UA_LABEL_MAX];
	for (size_t i = 0; i < FY_COUNT(agents); i++) {
		size_t n = fy_user_agent_label(fy_str(agents[i][0]), label);
		assert_text(fy_slice(label, n), agents[i][1]);
	}
	assert_text(fy_slice(label, fy_user_agent_label(FY_NONE, label)), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(utf8_is_strict),
		FY_TEST(fields_refuse_what_cannot_be_seen),
		FY_TEST(fields_are_cleaned),
		FY_TEST(names_of_persons_have_nothing_of_a_link),
		FY_TEST(base64_follows_the_rfc),
		FY_TEST(html_is_escaped_by_context),
		FY_TEST(cells_are_quoted_and_never_formulas),
		FY_TEST(devices_get_a_label),
	};
	return RUN_TESTS(tests);
}
