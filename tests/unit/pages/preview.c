/* Writes every page and mail with sample data into a directory, to be looked at and checked with axe.
 *
 *     pages_preview DIR        DIR/fr/home.html, DIR/en/home.html …, DIR/static/…
 *
 * Serving them is left to any file server; addresses are those of the real site. Run by hand. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/pages/static.h"
#include "tests/unit/pages/given_pages.h"

static int save(const char *dir, const char *sub, const char *name, const char *ext, struct fy_slice bytes)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return -1;
	snprintf(path, sizeof(path), "%s/%s/%s%s", dir, sub, name, ext);
	FILE *f = fopen(path, "wb");
	if (!f)
		return -1;
	bool whole = fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len;
	return fclose(f) == 0 && whole ? 0 : -1;
}

static int save_language(const char *dir, enum fy_lang lang)
{
	const char *sub = lang == FY_LANG_EN ? "en" : "fr";
	int err = 0;

	for (size_t i = 0; i < given_page_count && err == 0; i++) {
		const struct given_page *g = &given_pages[i];
		struct fy_page page = given_page(lang, g->role, "/preview");
		struct fy_buf out;
		page.errors = g->errors;
		page.error_count = g->error_count;
		page.notice = g->notice;
		page.notice_tone = g->tone;
		page.notice_args = g->notice_args;
		fy_buf_init(&out, NULL, 1 << 20);
		g->write(&out, &page);
		err = save(dir, sub, g->name, ".html", fy_buf_slice(&out));
		fy_buf_finish(&out);
	}
	for (size_t i = 0; i < given_mail_count && err == 0; i++) {
		struct fy_letterhead head = { .lang = lang,
					      .site_name = FY_LIT("Host Families in Paris"),
					      .home_url = FY_LIT("https://www.hostfamiliesinparis.com/") };
		struct fy_letter_text letter;
		struct fy_buf fields;
		char name[64];
		fy_buf_init(&fields, NULL, 1 << 12);
		fy_buf_init(&letter.subject, NULL, 1 << 16);
		fy_buf_init(&letter.text, NULL, 1 << 16);
		fy_buf_init(&letter.html, NULL, 1 << 16);
		given_mails[i].pack(&fields);
		err = fy_letter_compose(fy_str(given_mails[i].name), fy_buf_slice(&fields), &head, &letter);
		printf("%s %s: %.*s\n%.*s\n", sub, given_mails[i].name, (int)letter.subject.len, letter.subject.ptr,
		       (int)letter.text.len, letter.text.ptr);
		snprintf(name, sizeof(name), "mail_%s", given_mails[i].name);
		if (err == 0)
			err = save(dir, sub, name, ".html", fy_buf_slice(&letter.html));
		fy_buf_finish(&fields);
		fy_buf_finish(&letter.subject);
		fy_buf_finish(&letter.text);
		fy_buf_finish(&letter.html);
	}
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: pages_preview DIR\n");
		return 2;
	}
	int err = mkdir(argv[1], 0755) != 0 && errno != EEXIST ? -1 : 0;
	if (err == 0)
		err = save_language(argv[1], FY_LANG_FR);
	if (err == 0)
		err = save_language(argv[1], FY_LANG_EN);
	for (size_t i = 0; i < fy_static_file_count && err == 0; i++)
		err = save(argv[1], "static", fy_static_files[i].path.ptr + strlen("/static/"), "",
			   fy_static_files[i].raw);
	if (err) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
