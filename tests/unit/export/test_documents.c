/* An export as people and programs get it: whole however large, escaped, and a few at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <zip.h>

#include "foyer/config.h"
#include "foyer/require.h"
#include "server/export/export.h"

#define NOON ((fy_time)1795428000 * FY_SECOND)
#define MESSAGES 5000
#define TEXT 5000
#define COLUMN(name) (&fy_register_fields[FY_COLUMN_CONTACT_MESSAGE_##name])
#define HOSTILE "</td><script>alert('1')</script>\"&"

static const struct fy_config config = {
	.site_name = { "Host Families in Paris", 22 },
	.site_address = { "Paris", 5 },
	.site_contact = { "contact@example.org", 19 },
	.retention_contact_days = 180,
};

/* `count` messages of the same words. */
static struct fy_export given_export(size_t count, struct fy_slice text)
{
	struct fy_export export = { .made_at = NOON, .config = &config, .record_count = count };
	fy_arena_init(&export.arena, 0);
	struct fy_export_record *records = fy_new_array(&export.arena, struct fy_export_record, count + 1);
	struct fy_contact_message *messages = fy_new_array(&export.arena, struct fy_contact_message, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct fy_export_value *values = fy_new_array(&export.arena, struct fy_export_value, 2);
		values[0] = (struct fy_export_value){ .field = COLUMN(MESSAGE),
						      .type = FY_EXPORT_TEXT,
						      .text = { text },
						      .ends_at = NOON + 180 * FY_DAY };
		values[1] =
			(struct fy_export_value){ .field = COLUMN(CONSENTED_AT), .type = FY_EXPORT_TIME, .time = NOON };
		messages[i] = (struct fy_contact_message){ .reference = fy_fmt(&export.arena, "REF-%zu", i),
							   .state = FY_CONTACT_OPEN,
							   .created_at = NOON };
		records[i] = (struct fy_export_record){ .next = i + 1 < count ? &records[i + 1] : NULL,
							.kind = FY_EXPORT_MESSAGE,
							.row = { .holder = &fy_register_tables[COLUMN(ID)->table],
								 .since = { { [FY_TRIGGER_MESSAGE_WRITTEN] = NOON } } },
							.message = &messages[i],
							.values = values,
							.value_count = 2 };
	}
	export.records = count ? records : NULL;
	return export;
}

/* The whole document on the heap, with a NUL. */
static char *written(const struct fy_export *export, enum fy_export_document document, size_t *ret_largest)
{
	struct fy_export_stream stream;
	struct fy_slice piece;
	struct fy_buf all;
	fy_buf_init(&all, NULL, (size_t)1 << 30);
	fy_export_begin(&stream, export, document);
	for (*ret_largest = 0; fy_export_next(&stream, &piece);) {
		fy_buf_put(&all, piece);
		if (piece.len > *ret_largest)
			*ret_largest = piece.len;
	}
	fy_export_end(&stream);
	fy_buf_char(&all, '\0');
	assert_false(all.failed);
	return all.ptr;
}

static size_t count_of(const char *in, const char *what)
{
	size_t n = 0;
	for (const char *at = in; (at = strstr(at, what)); at += strlen(what))
		n++;
	return n;
}

static void text_of_the_person_stays_text(void **state)
{
	(void)state;
	struct fy_export export = given_export(1, FY_LIT(HOSTILE));
	size_t largest;
	for (unsigned d = FY_EXPORT_JSON; d <= FY_EXPORT_HTML_EN; d++) {
		char *text = written(&export, (enum fy_export_document)d, &largest);
		assert_null(strstr(text, "<script"));
		assert_non_null(strstr(text, d == FY_EXPORT_JSON ? "\\u003cscript" : "&lt;script&gt;"));
		free(text);
	}
	fy_export_finish(&export);
}

static void each_value_says_where_it_is_from_why_it_is_kept_and_until_when(void **state)
{
	(void)state;
	struct fy_export export = given_export(1, FY_LIT("A room?"));
	static const char *const said[][5] = {
		[FY_EXPORT_JSON] = { "\"source\":\"person\"", "\"purposes\":[\"contact\"]", "\"basis\":\"consent\"",
				     "\"at\":\"2027-05-22T10:00:00Z\"", "180\u00a0jours après" },
		[FY_EXPORT_HTML_FR] = { "vous-même", "prise de contact", "article 6.1.a", "22 mai 2027",
					"180\u00a0jours après" },
		[FY_EXPORT_HTML_EN] = { "yourself", "contact and support", "Article 6(1)(a)", "22 May 2027",
					"180\u00a0days after" },
	};
	size_t largest;
	for (unsigned d = 0; d < FY_COUNT(said); d++) {
		char *text = written(&export, (enum fy_export_document)d, &largest);
		for (size_t i = 0; i < 5; i++)
			if (!strstr(text, said[d][i]))
				fail_msg("document %u lacks %s", d, said[d][i]);
		free(text);
	}
	fy_export_finish(&export);
}

static void nothing_is_a_document_too(void **state)
{
	(void)state;
	struct fy_export export = given_export(0, FY_NONE);
	size_t largest;
	char *json = written(&export, FY_EXPORT_JSON, &largest), *page = written(&export, FY_EXPORT_HTML_EN, &largest);
	assert_non_null(strstr(json, "\"records\":[]}\n"));
	assert_non_null(strstr(page, "We keep nothing about you"));
	free(json);
	free(page);
	fy_export_finish(&export);
}

/* ---- The ZIP, in fibers on a loop of their own ---- */

struct attempt {
	const struct fy_export *export;
	struct fy_arena arena;
	struct fy_slice zip;
	int err;
	bool ended;
};

static fy_async void make_zip(void *arg)
{
	struct attempt *a = arg;
	struct fy_ctx ctx = { .arena = &a->arena, .deadline_ms = fy_loop_ms() + 60000, .config = &config };
	a->err = fy_export_zip(&ctx, a->export, &a->zip);
	a->ended = true;
}

static void run_attempts(struct attempt *attempts, size_t count)
{
	size_t ended;
	for (size_t i = 0; i < count; i++) {
		fy_arena_init(&attempts[i].arena, 0);
		assert_int_equal(fy_fiber_start(make_zip, &attempts[i]), 0);
	}
	do {
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		ended = 0;
		for (size_t i = 0; i < count; i++)
			ended += attempts[i].ended;
	} while (ended < count);
}

/* One file of the ZIP, with a NUL. */
static char *unpacked(struct fy_slice bytes, const char *name)
{
	zip_error_t error;
	zip_stat_t stat;
	zip_error_init(&error);
	zip_source_t *source = zip_source_buffer_create(bytes.ptr, bytes.len, 0, &error);
	zip_t *zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
	assert_non_null(zip);
	assert_int_equal(zip_get_num_entries(zip, 0), FY_EXPORT_DOCUMENTS);
	assert_int_equal(zip_stat(zip, name, 0, &stat), 0);
	char *text = calloc(1, stat.size + 1);
	zip_file_t *file = zip_fopen(zip, name, 0);
	assert_non_null(file);
	assert_int_equal(zip_fread(file, text, stat.size), stat.size);
	zip_fclose(file);
	zip_discard(zip);
	return text;
}

static void five_thousand_messages_of_full_length_fit_and_are_never_held_as_one_text(void **state)
{
	(void)state;
	char *text = malloc(TEXT);
	memset(text, 'm', TEXT);
	struct fy_export export = given_export(MESSAGES, fy_slice(text, TEXT));
	struct attempt attempt = { .export = &export };
	size_t largest;
	run_attempts(&attempt, 1);
	assert_int_equal(attempt.err, 0);
	assert_true(attempt.zip.len < (size_t)8 << 20);
	for (unsigned d = FY_EXPORT_JSON; d <= FY_EXPORT_HTML_EN; d++) {
		static const char *const names[] = { "data.json", "data.fr.html", "data.en.html" };
		char *whole = written(&export, (enum fy_export_document)d, &largest);
		char *file = unpacked(attempt.zip, names[d]);
		assert_string_equal(file, whole);
		assert_int_equal(count_of(file, "REF-"), MESSAGES);
		assert_true(largest < (size_t)64 << 10);
		free(whole);
		free(file);
	}
	fy_arena_finish(&attempt.arena);
	fy_export_finish(&export);
	free(text);
}

static void a_process_makes_two_at_a_time(void **state)
{
	(void)state;
	struct fy_export export = given_export(3, FY_LIT("x"));
	struct attempt attempts[3] = { { .export = &export }, { .export = &export }, { .export = &export } };
	run_attempts(attempts, 3);
	unsigned made = 0, busy = 0;
	for (size_t i = 0; i < 3; i++) {
		made += attempts[i].err == 0 && attempts[i].zip.len > 0;
		busy += attempts[i].err == FY_ERR_BUSY;
		fy_arena_finish(&attempts[i].arena);
	}
	assert_int_equal(made, 2);
	assert_int_equal(busy, 1);
	fy_export_finish(&export);
}

static int start(void **state)
{
	(void)state;
	return fy_sched_init(uv_default_loop(), 8);
}

static int stop(void **state)
{
	(void)state;
	fy_sched_finish();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	fy_arena_trim();
	return uv_loop_close(uv_default_loop());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_the_person_stays_text),
		cmocka_unit_test(each_value_says_where_it_is_from_why_it_is_kept_and_until_when),
		cmocka_unit_test(nothing_is_a_document_too),
		cmocka_unit_test(five_thousand_messages_of_full_length_fit_and_are_never_held_as_one_text),
		cmocka_unit_test(a_process_makes_two_at_a_time),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
