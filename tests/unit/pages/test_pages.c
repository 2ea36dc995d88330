/* What every page and mail promises: escaping for the place, forms that carry their token, errors that lead to
 * their fields, both languages, static files that exist. Refusals of the compiler are test_compiler.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "foyer/require.h"
#include "server/pages/letter.h"
#include "server/pages/static.h"
#include "server/pages/write.h"
#include "tests/unit/pages/given_pages.h"

#define HOSTILE "\"><script>alert('1')</script>&"

static struct fy_buf out;

static int fresh(void **state)
{
	(void)state;
	fy_buf_init(&out, NULL, 1 << 20);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	fy_buf_finish(&out);
	return 0;
}

/* What was written so far, as a C string. */
static const char *written(void)
{
	assert_false(out.failed);
	fy_buf_char(&out, '\0');
	out.len--;
	return out.ptr;
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;
	for (const char *at = in; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void assert_holds(const char *what)
{
	if (!strstr(written(), what))
		fail_msg("not found: %s", what);
}

static void assert_lacks(const char *what)
{
	if (strstr(written(), what))
		fail_msg("found: %s", what);
}

static void text_from_outside_cannot_become_markup(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/register");
	fy_page_register(&out, &page, &(struct fy_view_register){ .given_name = { FY_LIT(HOSTILE) } });
	assert_lacks("<script");
	assert_holds("value=\"&#34;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\"");
}

static void text_between_tags_is_escaped(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_EN, FY_PAGE_MEMBER, "/account");
	fy_page_account(&out, &page, &(struct fy_view_account){ .given_name = { FY_LIT("<b>A & B</b>") } });
	assert_holds("Hello &lt;b&gt;A &amp; B&lt;/b&gt;");
}

static void a_textarea_cannot_be_closed_from_inside(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/contact");
	fy_page_contact(&out, &page, &(struct fy_view_contact){ .message = { FY_LIT("\n</textarea><img>") } });
	assert_int_equal(count(written(), "</textarea>"), 1);
	/* HTML drops the first newline of a textarea, so ours stands before the visitor's. */
	assert_holds(">\n\n&lt;/textarea&gt;");
}

static void values_in_addresses_are_percent_encoded(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_EN, FY_PAGE_MANAGER, "/manage/sessions");
	const struct fy_row_session row = { .network = { FY_LIT("a+b&ip=\"é@example.com") } };
	fy_page_manage_sessions(&out, &page,
				&(struct fy_view_manage_sessions){ .sessions = &row, .sessions_count = 1 });
	assert_holds("href=\"/manage/sessions?ip=a%2Bb%26ip%3D%22%C3%A9%40example.com\"");
}

static void an_address_with_another_scheme_is_not_a_link(void **state)
{
	(void)state;
	static const char *const refused[] = { "javascript:alert(1)",
					       "JaVaScRiPt:x",
					       "data:text/html,x",
					       "//evil.example",
					       "/\\evil.example",
					       " /x",
					       "",
					       "vbscript:x",
					       "/a\tb" };
	for (size_t i = 0; i < FY_COUNT(refused); i++) {
		out.len = 0;
		fy_write_url(&out, fy_str(refused[i]));
		assert_string_equal(written(), "#");
	}
	out.len = 0;
	fy_write_url(&out, FY_LIT("/account?a=1&b=2"));
	assert_string_equal(written(), "/account?a=1&amp;b=2");
}

static void a_refused_form_leads_to_its_fields(void **state)
{
	(void)state;
	const struct fy_field_error errors[] = {
		{ FY_LIT("email"), FY_TEXT_ERROR_EMAIL_FORMAT, { 0 } },
		{ FY_LIT("password"), FY_TEXT_ERROR_PASSWORD_SHORT, { .n = 12 } },
	};
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/register");
	page.errors = errors;
	page.error_count = FY_COUNT(errors);
	fy_page_register(&out, &page, &(struct fy_view_register){ .email = { FY_LIT("zoe@") } });
	assert_holds("<title>Erreur\xc2\xa0: Créer un compte – Host Families in Paris</title>");
	assert_int_equal(count(written(), "role=\"alert\""), 1);
	assert_holds("<a href=\"#f-email\">");
	assert_holds("<li><a href=\"#f-password\">Choisissez un mot de passe d’au moins 12 caractères</a></li>");
	assert_holds("id=\"f-email\" name=\"email\" type=\"email\" value=\"zoe@\"");
	assert_holds("aria-describedby=\"h-email e-email\" aria-invalid=\"true\"");
	assert_holds("<p class=\"error\" id=\"e-password\">");
	/* Once in the summary, once at the field; and the fields without an error stay calm. */
	assert_int_equal(count(written(), "d’au moins 12 caractères"), 2);
	assert_int_equal(count(written(), "aria-invalid"), 2);

	out.len = 0;
	page.lang = FY_LANG_EN;
	fy_page_register(&out, &page, &(struct fy_view_register){ 0 });
	assert_holds("<title>Error: Create an account");
}

static void an_error_about_the_whole_form_has_no_link(void **state)
{
	(void)state;
	const struct fy_field_error error = { FY_NONE, FY_TEXT_ERROR_CREDENTIALS, { 0 } };
	struct fy_page page = given_page(FY_LANG_EN, FY_PAGE_GUEST, "/login");
	page.errors = &error;
	page.error_count = 1;
	fy_page_login(&out, &page, &(struct fy_view_login){ .email = { FY_LIT("a@example.com") } });
	assert_holds("<li>The e-mail address or the password is not right</li>");
	assert_lacks("aria-invalid");
}

static void every_page_keeps_the_promises_of_the_layout(void **state)
{
	(void)state;
	for (int lang = 0; lang < 2; lang++) {
		for (size_t i = 0; i < given_page_count; i++) {
			struct fy_page page = given_page((enum fy_lang)lang, given_pages[i].role, "/here");
			page.errors = given_pages[i].errors;
			page.error_count = given_pages[i].error_count;
			out.len = 0;
			given_pages[i].write(&out, &page);
			const char *html = written();
			assert_ptr_equal(strstr(html, "<!doctype html>"), html);
			assert_holds(lang ? "<html lang=\"en\">" : "<html lang=\"fr\">");
			assert_int_equal(count(html, "<h1"), 1);
			assert_int_equal(count(html, "<main"), 1);
			/* The form of a mail's link is sent with the link's token in the place of ours. */
			assert_int_equal(count(html, "method=\"post\""),
					 count(html, "name=\"csrf\"") + count(html, "action=\"/withdraw?token="));
			assert_lacks("<script");
			assert_lacks(" style=");
			assert_lacks(" onclick=");
			assert_holds("</html>");
		}
	}
}

static void the_language_switch_keeps_the_page(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/manage/sessions");
	page.query = FY_LIT("person=a%40b.fr&ip=");
	fy_page_legal(&out, &page, &(struct fy_view_legal){ 0 });
	assert_holds(
		"href=\"/manage/sessions?person=a%40b.fr&amp;ip=&amp;lang=en\" lang=\"en\" hreflang=\"en\">English<");
	out.len = 0;
	page.lang = FY_LANG_EN;
	page.query = FY_NONE;
	fy_page_legal(&out, &page, &(struct fy_view_legal){ 0 });
	assert_holds("href=\"/manage/sessions?lang=fr\" lang=\"fr\" hreflang=\"fr\">Français<");
}

static void static_files_named_by_pages_exist_and_unpack(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/");
	fy_page_home(&out, &page, &(struct fy_view_home){ 0 });
	size_t found = 0;
	for (const char *at = written(); (at = strstr(at, "\"/static/")); found++) {
		size_t len = strcspn(++at, "\"");
		assert_non_null(fy_static_find(fy_slice(at, len)));
		at += len;
	}
	assert_true(found >= 3);
	assert_null(fy_static_find(FY_LIT("/static/site.css")));

	for (size_t i = 0; i < fy_static_file_count; i++) {
		const struct fy_static_file *f = &fy_static_files[i];
		assert_true(f->etag.len > 10 && f->etag.ptr[0] == '"' && f->etag.ptr[f->etag.len - 1] == '"');
		if (!f->gzip.len)
			continue;
		unsigned char *raw = malloc(f->raw.len);
		z_stream z = { .next_in = (unsigned char *)f->gzip.ptr,
			       .avail_in = (unsigned)f->gzip.len,
			       .next_out = raw,
			       .avail_out = (unsigned)f->raw.len };
		assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.total_out, f->raw.len);
		assert_memory_equal(raw, f->raw.ptr, f->raw.len);
		inflateEnd(&z);
		free(raw);
		assert_true(f->gzip.len < f->raw.len);
		assert_false(fy_eq(f->etag, f->etag_gzip));
	}
}

static void sentences_know_singular_plural_and_escape_their_values(void **state)
{
	(void)state;
	const struct {
		enum fy_lang lang;
		uint64_t n;
		const char *expected;
	} cases[] = {
		{ FY_LANG_FR, 0, "0 session est fermée." },     { FY_LANG_FR, 1, "1 session est fermée." },
		{ FY_LANG_FR, 2, "2 sessions sont fermées." },  { FY_LANG_EN, 0, "0 sessions have been ended." },
		{ FY_LANG_EN, 1, "1 session has been ended." },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		out.len = 0;
		fy_text_put(&out, cases[i].lang, FY_TEXT_NOTICE_SESSIONS_ENDED,
			    (struct fy_text_args){ .n = cases[i].n });
		assert_string_equal(written(), cases[i].expected);
	}
	out.len = 0;
	fy_write_sentence(&out, FY_LANG_EN, FY_TEXT_NOTICE_JOB_DONE, (struct fy_text_args){ .s = FY_LIT("<b>") });
	assert_string_equal(written(), "Job &lt;b&gt; is done.");
	assert_true(fy_eq(fy_text_name(FY_TEXT_ERROR_PASSWORD_SHORT), FY_LIT("error.password_short")));
	for (unsigned key = 1; key < FY_TEXT_COUNT; key++) {
		assert_true(fy_text(FY_LANG_FR, key).len > 0);
		assert_true(fy_text(FY_LANG_EN, key).len > 0);
	}
}

/* Packs and writes, as the way through the outbox does. */
static struct fy_letter_text letter_of(const char *name, const struct fy_buf *fields, const struct fy_letterhead *head,
				       int expected)
{
	struct fy_letter_text letter;
	fy_buf_init(&letter.subject, NULL, 4096);
	fy_buf_init(&letter.text, NULL, 8192);
	fy_buf_init(&letter.html, NULL, 16384);
	assert_int_equal(fy_letter_compose(fy_str(name), fy_buf_slice(fields), head, &letter), expected);
	return letter;
}

static void forget_letter(struct fy_letter_text *letter)
{
	fy_buf_finish(&letter->subject);
	fy_buf_finish(&letter->text);
	fy_buf_finish(&letter->html);
}

static void a_value_in_a_mail_cannot_add_a_line_or_markup(void **state)
{
	(void)state;
	struct fy_buf fields;
	struct fy_letterhead head = { .lang = FY_LANG_EN,
				      .site_name = FY_LIT("Site\r\nBcc: x"),
				      .home_url = FY_LIT("/") };
	fy_buf_init(&fields, NULL, 4096);
	fy_mail_reset_password(
		&fields, &(struct fy_mailview_reset_password){ .given_name = { FY_LIT("Eve\n\n<img>;link=3:abc;") },
							       .link = { FY_LIT("https://example.org/?a=1&b=2") } });
	struct fy_letter_text letter = letter_of("reset_password", &fields, &head, 0);
	const struct fy_buf *text = &letter.text, *html = &letter.html;
	assert_null(memchr(letter.subject.ptr, '\n', letter.subject.len));
	assert_null(memchr(letter.subject.ptr, '\r', letter.subject.len));
	assert_non_null(memmem(text->ptr, text->len, "Hello Eve  <img>;link=3:abc;,\n", 30));
	assert_non_null(memmem(text->ptr, text->len, "\nhttps://example.org/?a=1&b=2\n", 30));
	assert_null(memmem(html->ptr, html->len, "<img", 4));
	assert_non_null(memmem(html->ptr, html->len, "href=\"https://example.org/?a=1&amp;b=2\"", 39));
	assert_null(memmem(html->ptr, html->len, "src=", 4));
	forget_letter(&letter);
	fy_buf_finish(&fields);
}

static void a_letter_inside_a_mail_keeps_its_lines_and_nothing_else(void **state)
{
	(void)state;
	struct fy_buf fields;
	struct fy_letterhead head = { .lang = FY_LANG_FR, .home_url = FY_LIT("/") };
	fy_buf_init(&fields, NULL, 4096);
	fy_mail_right_answer(&fields, &(struct fy_mailview_right_answer){
					      .letter = { FY_LIT("Bonjour,\n\n<b>un</b>\x07;letter=1:x;\ndeux") } });
	struct fy_letter_text letter = letter_of("right_answer", &fields, &head, 0);
	const struct fy_buf *text = &letter.text, *html = &letter.html;
	assert_non_null(memmem(text->ptr, text->len, "\n\nBonjour,\n\n<b>un</b> ;letter=1:x;\ndeux\n\n", 41));
	assert_non_null(memmem(html->ptr, html->len, "<p>Bonjour,</p>\n<p>&lt;b&gt;un&lt;/b&gt;", 37));
	assert_non_null(memmem(html->ptr, html->len, "<br>\ndeux</p>", 13));
	assert_null(memmem(html->ptr, html->len, "<b>", 3));
	forget_letter(&letter);
	fy_buf_finish(&fields);
}

static void each_letter_is_written_in_both_languages(void **state)
{
	(void)state;
	struct fy_buf fields;
	fy_buf_init(&fields, NULL, 4096);
	assert_int_equal(given_mail_count, fy_letter_template_count);
	for (size_t i = 0; i < given_mail_count; i++) {
		struct fy_letter_text letter[2];
		fields.len = 0;
		given_mails[i].pack(&fields);
		for (int lang = 0; lang < 2; lang++) {
			struct fy_letterhead head = { .lang = lang ? FY_LANG_EN : FY_LANG_FR,
						      .site_name = FY_LIT("Familles d'accueil"),
						      .home_url = FY_LIT("https://example.org/") };
			letter[lang] = letter_of(given_mails[i].name, &fields, &head, 0);
			const struct fy_buf *text = &letter[lang].text;
			assert_in_range(letter[lang].subject.len, 10, 150);
			assert_non_null(memmem(text->ptr, text->len, "https://example.org/", 20));
			assert_non_null(memmem(letter[lang].html.ptr, letter[lang].html.len, "</html>", 7));
		}
		assert_false(fy_eq(fy_buf_slice(&letter[0].text), fy_buf_slice(&letter[1].text)));
		forget_letter(&letter[0]);
		forget_letter(&letter[1]);
	}
	fy_buf_finish(&fields);
}

static void a_letter_that_rests_on_a_consent_hands_out_the_link_to_withdraw_it(void **state)
{
	(void)state;
	static const char link[] = "https://example.org/withdraw?token=AAA-_b";
	struct fy_letterhead head = { .lang = FY_LANG_EN, .home_url = FY_LIT("/") };
	struct fy_mailview_study_invitation view = { .title = FY_LIT("T"),
						     .body = FY_LIT("x"),
						     .withdraw_link = { fy_str(link) } };
	struct fy_buf fields;
	fy_buf_init(&fields, NULL, 4096);
	fy_mail_study_invitation(&fields, &view);
	struct fy_letter_text letter = letter_of("study_invitation", &fields, &head, 0);
	assert_true(fy_eq(letter.withdraw_link.text, fy_str(link)));
	assert_non_null(memmem(letter.text.ptr, letter.text.len, link, strlen(link)));
	assert_non_null(memmem(letter.html.ptr, letter.html.len, link, strlen(link)));
	forget_letter(&letter);
	fields.len = 0;
	view.withdraw_link.text = FY_NONE;
	fy_mail_study_invitation(&fields, &view);
	letter = letter_of("study_invitation", &fields, &head, FY_ERR_INVALID);
	forget_letter(&letter);
	assert_int_equal(fy_letter_consent(FY_LIT("study_invitation")), FY_CONSENT_MARKET_RESEARCH);
	assert_int_equal(fy_letter_consent(FY_LIT("policy_change")), 0);
	assert_int_equal(fy_letter_consent(FY_LIT("no_such_letter")), 0);
	fields.len = 0;
	fy_mail_confirm_address(&fields, &(struct fy_mailview_confirm_address){ .link = { fy_str(link) } });
	letter = letter_of("confirm_address", &fields, &head, 0);
	assert_int_equal(letter.withdraw_link.text.len, 0);
	forget_letter(&letter);
	fy_buf_finish(&fields);
}

static void fields_of_another_letter_are_refused(void **state)
{
	(void)state;
	static const char *const damaged[] = {
		"",
		"link=3:abc",
		"link=3:abc;",
		"link=9999999:abc;valid_hours=2:48;",
		"link=-1:;valid_hours=2:48;",
		"link=3:abc;valid_hours=0:;",
		"link=3:abc;valid_hours=2:4x;",
		"link=3:abc;valid_hours=2:48;more=1:x;",
		"valid_hours=2:48;link=3:abc;",
		"link=4:abc;valid_hours=2:48;",
	};
	struct fy_letterhead head = { .lang = FY_LANG_FR };
	struct fy_buf fields;
	struct fy_letter_text letter;
	fy_buf_init(&fields, NULL, 4096);
	for (size_t i = 0; i < FY_COUNT(damaged); i++) {
		fields.len = 0;
		fy_buf_put(&fields, fy_str(damaged[i]));
		letter = letter_of("confirm_address", &fields, &head, FY_ERR_INVALID);
		forget_letter(&letter);
	}
	fields.len = 0;
	fy_mail_confirm_address(&fields,
				&(struct fy_mailview_confirm_address){ .link = { FY_LIT("abc") }, .valid_hours = 48 });
	assert_int_equal(fields.len, strlen("link=3:abc;valid_hours=2:48;"));
	letter = letter_of("confirm_address", &fields, &head, 0);
	forget_letter(&letter);
	letter = letter_of("reset_password", &fields, &head, FY_ERR_INVALID);
	forget_letter(&letter);
	letter = letter_of("no_such_letter", &fields, &head, FY_ERR_NOT_FOUND);
	forget_letter(&letter);
	fy_buf_finish(&fields);
}

static void each_status_has_its_page(void **state)
{
	(void)state;
	struct fy_page page = given_page(FY_LANG_EN, FY_PAGE_GUEST, "/x");
	const struct {
		unsigned status;
		uint64_t wait;
		const char *holds;
	} cases[] = {
		{ 404, 0, "<h1>This page does not exist</h1>" },
		{ 429, 90, "You can try again in 90\xc2\xa0seconds." },
		{ 503, 120, "You can try again in 2\xc2\xa0minutes." },
		{ 418, 0, "<h1>We did not understand" },
		{ 502, 0, "<h1>The site ran into an error</h1>" },
		{ 500, 0, "<code>4f1c9a2e7b30</code>" },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		out.len = 0;
		fy_page_error(&out, &page, cases[i].status, cases[i].wait);
		assert_holds(cases[i].holds);
	}
	out.len = 0;
	fy_page_error(&out, &page, 503, 0);
	assert_lacks("You can try again in");
}

static void durations_are_rounded_up_and_agree_in_number(void **state)
{
	(void)state;
	const struct {
		uint64_t s;
		const char *fr, *en;
	} cases[] = {
		{ 0, "0 seconde", "0 seconds" },   { 1, "1 seconde", "1 second" },
		{ 60, "1 minute", "1 minute" },    { 61, "61 secondes", "61 seconds" },
		{ 121, "3 minutes", "3 minutes" }, { 3600, "1 heure", "1 hour" },
		{ 86400, "1 jour", "1 day" },      { 14 * 86400, "14 jours", "14 days" },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		for (int lang = 0; lang < 2; lang++) {
			char expected[40], *space;
			out.len = 0;
			fy_write_duration(&out, (enum fy_lang)lang, cases[i].s);
			const char *want = lang ? cases[i].en : cases[i].fr;
			space = strchr(want, ' ');
			snprintf(expected, sizeof(expected), "%.*s\xc2\xa0%s", (int)(space - want), want, space + 1);
			assert_string_equal(written(), expected);
		}
	}
}

static void countries_are_known_named_and_chosen(void **state)
{
	(void)state;
	assert_true(fy_country_known(FY_LIT("FR")));
	assert_false(fy_country_known(FY_LIT("fr")));
	assert_false(fy_country_known(FY_LIT("XX")));
	assert_false(fy_country_known(FY_LIT("FRA")));
	assert_false(fy_country_known(FY_NONE));
	assert_true(fy_eq(fy_country_name(FY_LANG_FR, FY_LIT("DE")), FY_LIT("Allemagne")));
	fy_write_country_options(&out, FY_LANG_FR, FY_LIT("DE"));
	assert_int_equal(count(written(), "selected"), 1);
	assert_int_equal(count(written(), "<option"), fy_country_count);
	assert_holds("<option value=\"DE\" selected>Allemagne</option>");
	/* Accents do not count: Égypte stands between E-d and E-m, not after Z. */
	assert_true(strstr(written(), "Égypte") < strstr(written(), "Espagne"));
}

static void a_page_that_does_not_fit_says_so(void **state)
{
	(void)state;
	struct fy_buf small;
	struct fy_page page = given_page(FY_LANG_FR, FY_PAGE_GUEST, "/");
	fy_buf_init(&small, NULL, 500);
	fy_page_home(&small, &page, &(struct fy_view_home){ 0 });
	assert_true(small.failed);
	assert_true(small.len <= 500);
	fy_buf_finish(&small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, finish)
	const struct CMUnitTest tests[] = {
		TEST(text_from_outside_cannot_become_markup),
		TEST(text_between_tags_is_escaped),
		TEST(a_textarea_cannot_be_closed_from_inside),
		TEST(values_in_addresses_are_percent_encoded),
		TEST(an_address_with_another_scheme_is_not_a_link),
		TEST(a_refused_form_leads_to_its_fields),
		TEST(an_error_about_the_whole_form_has_no_link),
		TEST(every_page_keeps_the_promises_of_the_layout),
		TEST(the_language_switch_keeps_the_page),
		TEST(static_files_named_by_pages_exist_and_unpack),
		TEST(sentences_know_singular_plural_and_escape_their_values),
		TEST(a_value_in_a_mail_cannot_add_a_line_or_markup),
		TEST(a_letter_inside_a_mail_keeps_its_lines_and_nothing_else),
		TEST(each_letter_is_written_in_both_languages),
		TEST(a_letter_that_rests_on_a_consent_hands_out_the_link_to_withdraw_it),
		TEST(fields_of_another_letter_are_refused),
		TEST(each_status_has_its_page),
		TEST(durations_are_rounded_up_and_agree_in_number),
		TEST(countries_are_known_named_and_chosen),
		TEST(a_page_that_does_not_fit_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
