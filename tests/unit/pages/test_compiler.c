/* What the template compiler refuses, and that it accepts what is right.
 * Each test writes a tiny site into a directory of its own and runs the real compiler on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                                        \
	"{% page title=\"a.title\" %}\n{% view %}\ntext word\npersonal who\nsecret key\nbool yes\n" \
	"list item items: text label\n{% endview %}\n"
#define TEXTS "[a]\ntitle = { fr = \"Titre\", en = \"Title\" }\n"

static char dir[] = "/tmp/foyer-pages-XXXXXX";

static void save(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int make_site(void **state)
{
	static const char *const folders[] = { "", "/templates", "/parts", "/static", "/mail" };
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 1; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s%s", dir, folders[i]);
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	save("parts/layout_top.html", "<!doctype html><html><head><title>{% builtin title %}</title></head><body>");
	save("parts/layout_bottom.html", "</body></html>");
	save("countries.toml", "FR = { fr = \"France\", en = \"France\" }\n");
	save("text.toml", TEXTS);
	return 0;
}

static int remove_site(void **state)
{
	static const char *const files[] = { "templates/x.html",
					     "templates/y.html",
					     "parts/layout_top.html",
					     "parts/layout_bottom.html",
					     "parts/p.html",
					     "parts/mail_top.html",
					     "parts/mail_bottom.html",
					     "parts/mail_text.html",
					     "mail/m.mail",
					     "countries.toml",
					     "text.toml",
					     "out.c",
					     "out.h",
					     "templates",
					     "parts",
					     "static",
					     "mail",
					     "" };
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		remove(path);
	}
	return access(dir, F_OK) == 0 ? -1 : 0;
}

/* The compiler's exit status; what it said is in `said`. */
static char said[4096];

static int compile(const char *body)
{
	char page[4096], c[256], h[256];
	int ends[2], status;

	snprintf(page, sizeof(page), "%s%s", HEAD, body);
	save("templates/x.html", page);
	snprintf(c, sizeof(c), "%s/out.c", dir);
	snprintf(h, sizeof(h), "%s/out.h", dir);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		execl(PYTHON, PYTHON, "-B", COMPILER, dir, "--out-c", c, "--out-h", h, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	size_t len = 0;
	ssize_t got;
	while (len < sizeof(said) - 1 && (got = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_refused(const char *body, const char *because)
{
	if (compile(body) != 1)
		fail_msg("accepted: %s", body);
	if (!strstr(said, because))
		fail_msg("%s\nwas refused with: %s\nnot with: %s", body, said, because);
}

static void what_is_right_compiles(void **state)
{
	(void)state;
	assert_int_equal(
		compile("<p title=\"{{ word }}\"{% if yes %} hidden{% endif %}>{{ who }}</p>"
			"{% for i in items %}<a href=\"/x/{{ i.label }}\">{{ i.label }}</a>{% else %}–{% endfor %}"
			"<input name=\"key\" value=\"{{ key }}\">"),
		0);
	assert_string_equal(said, "");
}

static void a_fragment_is_the_only_road_for_markup(void **state)
{
	(void)state;
	char path[256], header[4096];
	save("templates/y.html", "{% fragment %}\n{% view %}\nhtml inner\n{% endview %}\n<b>{{ inner }}</b>\n");
	assert_int_equal(compile("x"), 0);
	snprintf(path, sizeof(path), "%s/out.h", dir);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	header[fread(header, 1, sizeof(header) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(header, "struct fy_html fy_fragment_y(struct fy_buf *out"));
	save("templates/y.html",
	     "{% fragment %}\n{% view %}\nhtml inner\n{% endview %}\n<b title=\"{{ inner }}\">x</b>\n");
	assert_int_equal(compile("x"), 1);
	assert_non_null(strstr(said, "markup may stand in text only"));
}

static void inline_script_and_style_are_refused(void **state)
{
	(void)state;
	assert_refused("<script>let a = \"{{ word }}\"</script>", "<script> is not allowed");
	assert_refused("<style>p { color: red }</style>", "<style> is not allowed");
	assert_refused("<p style=\"color: {{ word }}\">x</p>", "attribute style= is not allowed");
	assert_refused("<p onclick=\"go()\">x</p>", "event handler onclick= is not allowed");
	assert_refused("<a href=\"javascript:{{ word }}\">x</a>", "href= may not hold");
	assert_refused("<iframe src=\"/\"></iframe>", "<iframe> is not allowed");
}

static void a_value_where_nothing_can_escape_it_is_refused(void **state)
{
	(void)state;
	assert_refused("<p title={{ word }}>x</p>", "a value may not stand in an unquoted attribute value");
	assert_refused("<p title=word>x</p>", "must stand in double quotes");
	assert_refused("<p title='{{ word }}'>x</p>", "must stand in double quotes");
	assert_refused("<p {{ word }}=\"x\">x</p>", "a value may not stand in a tag's inside");
	assert_refused("<{{ word }}>", "a value may not stand in a tag's name");
	assert_refused("<!-- {{ word }} -->", "HTML comments reach the visitor");
}

static void a_secret_is_not_shown_and_a_switch_is_not_text(void **state)
{
	(void)state;
	assert_refused("<p>{{ key }}</p>", "a secret may stand in an attribute only");
	assert_refused("<p>{{ yes }}</p>", "a bool cannot be shown");
	assert_refused("<p>{{ nobody }}</p>", "there is no 'nobody' here");
}

static void broken_structure_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_refused("<p>x</div>", "</div> closes <p>");
	assert_refused("<p>x", "ends in text (inside html > body > p");
	assert_refused("{% if yes %}<p>{% endif %}x</p>", "the branches end in different places");
	assert_refused("{% for i in items %}<p>{% endfor %}", "the loop's body ends elsewhere");
	assert_refused("<p{% if yes %} hidden{% endif %}dir=\"ltr\">x</p>", "a space must stand before the attribute");
	assert_refused("\n\n{% nonsense %}", "x.html:11: unknown tag 'nonsense'");
	assert_refused("{% if yes %}x", "expected {% endif %}");
}

static void a_sentence_in_one_language_only_is_refused(void **state)
{
	(void)state;
	save("text.toml", "[a]\ntitle = { fr = \"Titre\" }\n");
	assert_refused("x", "a.title has no en");
	save("text.toml", "[a]\ntitle = { fr = \"Titre\", en = \"\" }\n");
	assert_refused("x", "a.title has no en");
	save("text.toml", TEXTS "x = { fr = \"{n} chats\", en = \"cats\" }\n");
	assert_refused("{% t \"a.x\" n=3 %}", "other placeholders in French than in English");
}

static void unknown_unused_and_incomplete_sentences_are_refused(void **state)
{
	(void)state;
	assert_refused("{% t \"a.absent\" %}", "there is no text 'a.absent'");
	save("text.toml", TEXTS "idle = { fr = \"Rien\", en = \"Nothing\" }\n");
	assert_refused("x", "a.idle is used by no template");
	save("text.toml", TEXTS "hello = { fr = \"Bonjour {name}\", en = \"Hello {name}\" }\n");
	assert_refused("{% t \"a.hello\" %}", "a.hello needs name=");
	save("text.toml", TEXTS "link = { fr = \"[ici](/x)\", en = \"[here](/x)\" }\n");
	assert_refused("<p title=\"{% t \"a.link\" %}\">x</p>", "may stand in text only");
}

static void parts_and_static_files_must_exist_and_fit(void **state)
{
	(void)state;
	assert_refused("{% include \"absent\" %}", "there is no part");
	assert_refused("<img alt=\"\" src=\"{% asset \"absent.svg\" %}\">", "there is no static file");
	save("parts/p.html", "{% params name %}\n<p>{{ name }}</p>\n");
	assert_refused("{% include \"p\" %}", "part p needs name=");
	assert_refused("{% include \"p\" name=word other=word %}", "part p takes no other");
}

#define MAIL_TEXTS TEXTS "subject = { fr = \"Sujet\", en = \"Subject\" }\nstop = { fr = \"Stop\", en = \"Stop it\" }\n"
#define MAIL(options, fields, body) \
	"{% mail " options " %}\n{% view %}\n" fields "\n{% endview %}\n{% subject \"a.subject\" %}\n" body "\n"
#define LINK "{% link \"a.stop\" url=withdraw_link %}"

static void assert_mail_refused(const char *mail, const char *because)
{
	save("mail/m.mail", mail);
	assert_refused("x", because);
}

static void a_mail_that_rests_on_a_consent_links_to_its_withdrawal(void **state)
{
	(void)state;
	save("text.toml", MAIL_TEXTS);
	save("parts/mail_top.html", "<!doctype html><html><body>");
	save("parts/mail_bottom.html", "</body></html>");
	save("parts/mail_text.html", "-- ");
	save("mail/m.mail", MAIL("consent=\"market_research\"", "secret withdraw_link", LINK));
	assert_int_equal(compile("x"), 0);
	assert_string_equal(said, "");
	save("mail/m.mail", MAIL("", "url withdraw_link", LINK)); /* without a consent it is a link as any */
	assert_int_equal(compile("x"), 0);
	assert_mail_refused(MAIL("consent=\"market_research\"", "url link", "{% link \"a.stop\" url=link %}"),
			    "m.mail:1: a mail that rests on a consent is given: secret withdraw_link");
	assert_mail_refused(MAIL("consent=\"market_research\"", "secret withdraw_link", "{% p \"a.stop\" %}"),
			    "links to withdraw_link, always");
	assert_mail_refused(
		MAIL("consent=\"market_research\"", "secret withdraw_link\nu64 n", "{% if n %}" LINK "{% endif %}"),
		"links to withdraw_link, always");
	assert_mail_refused(MAIL("consant=\"market_research\"", "secret withdraw_link", LINK),
			    "a mail has no option consant");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_site, remove_site)
	const struct CMUnitTest tests[] = {
		TEST(what_is_right_compiles),
		TEST(a_fragment_is_the_only_road_for_markup),
		TEST(inline_script_and_style_are_refused),
		TEST(a_value_where_nothing_can_escape_it_is_refused),
		TEST(a_secret_is_not_shown_and_a_switch_is_not_text),
		TEST(broken_structure_is_refused_with_its_line),
		TEST(a_sentence_in_one_language_only_is_refused),
		TEST(unknown_unused_and_incomplete_sentences_are_refused),
		TEST(parts_and_static_files_must_exist_and_fit),
		TEST(a_mail_that_rests_on_a_consent_links_to_its_withdrawal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
