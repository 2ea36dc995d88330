/* The privacy policy is the data register: every field of it stands on the page with its purposes, basis and period, in
 * both languages; and what changed between versions is told in words. The versions compared are those of
 * tests/unit/storage/given_policy, as the product began with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/config.h"
#include "foyer/require.h"
#include "protocol/html.h"
#include "server/routes/register_view.h"

extern const struct fy_policy_list fy_policy_given;

static const struct fy_config config = {
	.retention_unconfirmed_days = 9,
	.retention_erasure_grace_days = 7,
	.retention_contact_days = 41,
	.log_keep_days = 730,
	.sessions_idle_days = 5,
	.sessions_absolute_days = 1,
	.sessions_manager_minutes = 90,
};

struct shown {
	struct fy_arena arena;
	struct fy_ctx ctx;
	struct fy_page page;
	struct fy_buf html;
};

static struct shown begin(enum fy_lang lang)
{
	static struct fy_arena arena;
	fy_arena_finish(&arena);
	fy_arena_init(&arena, 0);
	struct shown s = { .ctx = { .arena = &arena, .lang = lang, .config = &config },
			   .page = { .lang = lang, .site_name = FY_LIT("Site"), .now = FY_DAY } };
	fy_buf_init(&s.html, &arena, 1 << 20);
	return s;
}

/* Whether `text`, escaped, stands in `in`. */
static bool holds(struct fy_ctx *ctx, struct fy_slice in, struct fy_slice text)
{
	struct fy_buf escaped;
	fy_buf_init(&escaped, ctx->arena, 1 << 16);
	fy_html_text(&escaped, text);
	return memmem(in.ptr, in.len, escaped.ptr, escaped.len) != NULL;
}

static void assert_holds(struct shown *s, struct fy_slice in, struct fy_slice text)
{
	if (!holds(&s->ctx, in, text))
		fail_msg("not found in %s: " FY_FMT "\nin: " FY_FMT, s->ctx.lang ? "English" : "French", FY_ARG(text),
			 FY_ARG(fy_upto(in, 1500)));
}

/* What the page says of fields: each from its <details> to its </details>. */
static struct fy_slice next_list(struct fy_slice *rest)
{
	const char *start = memmem(rest->ptr, rest->len, "<details class=\"promise\">", 25);
	if (start == NULL)
		return FY_NONE;
	struct fy_slice from = fy_from(*rest, (size_t)(start - rest->ptr));
	const char *end = memmem(from.ptr, from.len, "</details>", 10);
	struct fy_slice list = fy_upto(from, (size_t)(end - from.ptr));
	*rest = fy_from(from, list.len);
	return list;
}

/* The words of one of the register's sets, in its order. */
static struct fy_slice joined(struct fy_arena *arena, const struct fy_register_word *words, unsigned count,
			      uint32_t bits, enum fy_lang lang)
{
	struct fy_buf out;
	fy_buf_init(&out, arena, 4096);
	for (unsigned i = 0; i < count; i++) {
		if (!(bits >> i & 1))
			continue;
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		fy_buf_put(&out, words[i].label[lang]);
	}
	return fy_buf_slice(&out);
}

/* One list of the page says all of this field; otherwise the test fails and names it. */
static void assert_told(struct shown *s, const struct fy_register_table *holder, const struct fy_register_field *f)
{
	enum fy_lang lang = s->ctx.lang;
	struct fy_slice rest = fy_buf_slice(&s->html), list;
	struct fy_slice purposes = joined(s->ctx.arena, fy_register_purposes, FY_PURPOSE_COUNT, f->purposes, lang);
	struct fy_slice viewers = joined(s->ctx.arena, fy_register_viewers, FY_VIEWER_COUNT, f->seen_by, lang);
	struct fy_slice persons = joined(s->ctx.arena, fy_register_persons, FY_PERSONS_COUNT, holder->persons, lang);
	while ((list = next_list(&rest)).len) {
		bool told = holds(&s->ctx, list, f->label[lang]) && holds(&s->ctx, list, holder->label[lang]) &&
			    holds(&s->ctx, list, purposes) && holds(&s->ctx, list, persons) &&
			    holds(&s->ctx, list, fy_register_bases[f->basis].label[lang]) &&
			    holds(&s->ctx, list, fy_register_sources[f->provided_by].label[lang]) &&
			    holds(&s->ctx, list, fy_register_thens[f->then].label[lang]) &&
			    (viewers.len == 0 || holds(&s->ctx, list, viewers));
		for (unsigned k = 0; k < f->keep_count && told; k++)
			told = holds(&s->ctx, list, fy_register_triggers[f->keep[k].from].label[lang]);
		if (told)
			return;
	}
	fail_msg("%s.%s is not told in %s", holder->name, f->column, lang ? "English" : "French");
}

static struct shown policy_page(enum fy_lang lang)
{
	struct shown s = begin(lang);
	const struct fy_policy_version *policy = fy_policy_now();
	struct fy_view_privacy view = { .contact = FY_LIT("a@b.fr") };
	view.promises_count = fy_register_rows(&s.ctx, policy->entries, policy->entry_count, 0, &view.promises);
	view.measures_count = fy_register_measures(&s.ctx, true, &view.measures);
	fy_page_privacy(&s.html, &s.page, &view);
	assert_false(s.html.failed);
	return s;
}

static void every_field_of_the_register_stands_on_the_page(void **state)
{
	(void)state;
	for (int lang = FY_LANG_FR; lang <= FY_LANG_EN; lang++) {
		struct shown s = policy_page((enum fy_lang)lang);
		size_t told = 0;
		for (size_t i = 0; i < fy_register_field_count; i++) {
			const struct fy_register_field *f = &fy_register_fields[i];
			if (f->mark == FY_MARK_PUBLIC)
				continue;
			assert_told(&s, &fy_register_tables[f->table], f);
			told++;
		}
		for (size_t i = 0; i < fy_register_store_field_count; i++, told++)
			assert_told(&s, &fy_register_stores[fy_register_store_fields[i].table],
				    &fy_register_store_fields[i]);
		assert_true(told > 40);
		assert_int_equal(told, fy_policy_now()->entry_count);
	}
}

static void periods_follow_the_settings(void **state)
{
	(void)state;
	static const char *const said[2][6] = {
		{ "2 ans après votre dernière action, ou 7\u00a0jours après votre demande d’effacement, ou 9\u00a0jours après une "
		  "inscription jamais confirmée",
		  "41\u00a0jours après la réponse ou la clôture", "5\u00a0jours après la dernière utilisation",
		  "2 ans après l’écriture de la ligne", "90\u00a0minutes après la connexion",
		  "5 ans après une nouvelle décision" },
		{ "2 years after your last action, or 7\u00a0days after you asked for erasure, or 9\u00a0days after a "
		  "registration that was never confirmed",
		  "41\u00a0days after the enquiry was answered", "5\u00a0days after the session was last used",
		  "2 years after the line was written", "90\u00a0minutes after sign-in",
		  "5 years after you decided anew" },
	};
	for (int lang = FY_LANG_FR; lang <= FY_LANG_EN; lang++) {
		struct shown s = policy_page((enum fy_lang)lang);
		for (size_t i = 0; i < FY_COUNT(said[lang]); i++)
			assert_holds(&s, fy_buf_slice(&s.html), fy_str(said[lang][i]));
	}
}

static void fields_that_say_the_same_are_one_row(void **state)
{
	(void)state;
	struct shown s = begin(FY_LANG_EN);
	const struct fy_policy_version *policy = fy_policy_now();
	const struct fy_row_promise *rows;
	size_t count = fy_register_rows(&s.ctx, policy->entries, policy->entry_count, 0, &rows), names = 0;
	assert_true(count < policy->entry_count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(rows[i].first, i == 0 || !fy_eq(rows[i].category, rows[i - 1].category));
		for (size_t k = i + 1; k < count; k++) /* a category has one heading */
			assert_false(rows[k].first && fy_eq(rows[k].category, rows[i].category));
		names += fy_eq(rows[i].fields, FY_LIT("First name, Last name")) &&
			 fy_eq(rows[i].holder, FY_LIT("Account"));
	}
	assert_int_equal(names, 1);
}

static void a_page_may_be_about_some_persons_only(void **state)
{
	(void)state;
	struct shown s = begin(FY_LANG_EN);
	const struct fy_policy_version *policy = fy_policy_now();
	const struct fy_row_promise *rows;
	size_t count =
		fy_register_rows(&s.ctx, policy->entries, policy->entry_count, 1u << FY_PERSONS_CORRESPONDENTS, &rows);
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++) {
		assert_holds(&s, rows[i].persons, FY_LIT("people who write to us"));
		assert_false(holds(&s.ctx, rows[i].holder, FY_LIT("Account")));
	}
}

static struct fy_register_row row_of(uint16_t column, enum fy_register_trigger trigger, fy_time from)
{
	struct fy_register_row row = { .holder = &fy_register_tables[fy_register_fields[column].table] };
	row.since.from[trigger] = from;
	return row;
}

static void each_class_says_when_it_goes_and_why(void **state)
{
	(void)state;
	struct shown s = begin(FY_LANG_EN);
	const fy_time day = 20000 * FY_DAY;
	const struct fy_row_held_class *rows;
	struct fy_register_row held[] = {
		row_of(FY_COLUMN_CONTACT_MESSAGE_ID, FY_TRIGGER_MESSAGE_WRITTEN, day),
		row_of(FY_COLUMN_ACCOUNT_ID, FY_TRIGGER_LAST_ACTIVITY, day),
		row_of(FY_COLUMN_CONTACT_MESSAGE_ID, FY_TRIGGER_MESSAGE_CLOSED, day - 3 * FY_DAY),
		row_of(FY_COLUMN_CONSENT_ID, FY_TRIGGER_CONSENT_REPLACED, FY_NOT_BEGUN),
		row_of(FY_COLUMN_CONSENT_ID, FY_TRIGGER_CONSENT_REPLACED, day),
		row_of(FY_COLUMN_OUTBOX_ID, FY_TRIGGER_MAIL_ENDED, FY_NOT_BEGUN),
	};
	held[1].since.from[FY_TRIGGER_ERASURE_ASKED] = day + FY_DAY; /* seven days from there, which is sooner */
	assert_int_equal(fy_register_classes(&s.ctx, held, FY_COUNT(held), &rows), 4);

	assert_true(fy_eq(rows[0].goes, FY_LIT("span")));
	assert_int_equal(rows[0].count, 2);
	assert_true(rows[0].first_ends == day + 38 * FY_DAY && rows[0].last_ends == day + 41 * FY_DAY);
	assert_true(fy_eq(rows[0].why, FY_LIT("41\u00a0days after the enquiry was answered or closed, or 41\u00a0days "
					      "after an enquiry that stayed unanswered was received")));
	assert_true(fy_eq(rows[1].goes, FY_LIT("day")));
	assert_true(rows[1].first_ends == day + 8 * FY_DAY && rows[1].last_ends == day + 8 * FY_DAY);
	assert_true(fy_eq(rows[1].why,
			  FY_LIT("2 years after your last action, or 7\u00a0days after you asked for erasure")));
	assert_true(fy_eq(rows[2].goes, FY_LIT("day")));
	assert_true(rows[2].count == 2 && rows[2].endless == 1 && rows[2].first_ends == day + 1826 * FY_DAY);
	assert_true(fy_eq(rows[3].goes, FY_LIT("open")));
	assert_int_equal(rows[3].endless, 1);
	assert_int_equal(fy_register_classes(&s.ctx, held, 0, &rows), 0);
}

static struct shown changes_page(enum fy_lang lang, size_t index)
{
	struct shown s = begin(lang);
	const struct fy_policy_version *version = &fy_policy_given.items[index];
	fy_page_policy_changes(&s.html, &s.page,
			       &(struct fy_view_policy_changes){ .date = fy_str(version->date),
								 .day = 2 * FY_DAY,
								 .before = index ? FY_DAY : 0,
								 .major = version->major,
								 .changes = fy_register_changes(&s.ctx, version),
								 .changes_count = version->change_count });
	return s;
}

static void what_changed_is_told_in_words(void **state)
{
	(void)state;
	static const char *const said[2][6] = {
		{ "C’est un changement important",
		  "Nous conservons aussi\u00a0: Adresse <réseau> (Session). Raison\u00a0: prise de contact.",
		  "Surnom (Animal)\u00a0: nouvelle finalité, études de marché.",
		  "Surnom (Animal)\u00a0: peuvent désormais être vus aussi par les employés.",
		  "Puce, Surnom (Animal)\u00a0: la durée passe de «\u00a01 an après votre dernière action\u00a0» à «\u00a0"
		  "2 ans après votre dernière action\u00a0».",
		  "important" },
		{ "This is a major change", "We also keep: Network <address> (Session). Reason: contact.",
		  "Nickname (Pet): new purpose, market research.", "Nickname (Pet): may now also be seen by employees.",
		  "Chip, Nickname (Pet): the period changes from “1 year after your last action” to “2 years after your "
		  "last action”.",
		  "major" },
	};
	assert_int_equal(fy_policy_given.count, 3);
	assert_true(fy_policy_given.items[1].major);
	for (int lang = FY_LANG_FR; lang <= FY_LANG_EN; lang++) {
		struct shown s = changes_page((enum fy_lang)lang, 1);
		for (size_t i = 0; i < FY_COUNT(said[lang]); i++)
			assert_holds(&s, fy_buf_slice(&s.html), fy_str(said[lang][i]));
	}
}

static void a_change_of_words_and_shorter_periods_are_minor(void **state)
{
	(void)state;
	static const char *const said[] = {
		"This is a minor change",
		"We no longer keep: Chip (Pet).",
		"“Nickname” is now called “Pet name”: Pet name (Pet).",
		"Network <address>, Device (Session): the period changes from “5\u00a0days after sign-in” to "
		"“30\u00a0minutes after sign-in”.",
	};
	assert_false(fy_policy_given.items[2].major);
	struct shown s = changes_page(FY_LANG_EN, 2);
	for (size_t i = 0; i < FY_COUNT(said); i++)
		assert_holds(&s, fy_buf_slice(&s.html), fy_str(said[i]));
	assert_false(holds(&s.ctx, fy_buf_slice(&s.html), FY_LIT("major")));
}

static void the_first_version_has_nothing_to_compare(void **state)
{
	(void)state;
	assert_int_equal(fy_policy_given.items[0].change_count, 0);
	struct shown s = changes_page(FY_LANG_EN, 0);
	assert_holds(&s, fy_buf_slice(&s.html), FY_LIT("is the first: there is nothing to compare."));
}

static void a_version_is_shown_as_it_was(void **state)
{
	(void)state;
	struct shown s = begin(FY_LANG_EN);
	const struct fy_row_promise *rows;
	const struct fy_policy_version *first = fy_policy_find(&fy_policy_given, FY_LIT("2026-01-15"));
	assert_non_null(first);
	assert_null(fy_policy_find(&fy_policy_given, FY_LIT("2026-01-16")));
	size_t count = fy_register_rows(&s.ctx, first->entries, first->entry_count, 0, &rows);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_true(fy_eq(rows[i].purposes, FY_LIT("contact")));
		assert_true(fy_eq(rows[i].basis, FY_LIT("contract")));
	}
	const struct fy_policy_version *now = &fy_policy_given.items[2];
	count = fy_register_rows(&s.ctx, now->entries, now->entry_count, 0, &rows);
	assert_int_equal(count, 2);
	assert_true(fy_eq(rows[0].fields, FY_LIT("Pet name")));
	assert_true(fy_eq(rows[0].basis, FY_LIT("contract; market research: consent")));
}

static void a_period_whose_setting_is_gone_names_it(void **state)
{
	(void)state;
	struct shown s = begin(FY_LANG_EN);
	const struct fy_policy_period period = { .keep = { .setting = "retention.old_days" },
						 .from = { FY_LIT("après"), FY_LIT("after that") } };
	assert_true(fy_eq(fy_register_periods(&s.ctx, &period, 1), FY_LIT("retention.old_days after that")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_the_register_stands_on_the_page),
		cmocka_unit_test(periods_follow_the_settings),
		cmocka_unit_test(fields_that_say_the_same_are_one_row),
		cmocka_unit_test(a_page_may_be_about_some_persons_only),
		cmocka_unit_test(each_class_says_when_it_goes_and_why),
		cmocka_unit_test(what_changed_is_told_in_words),
		cmocka_unit_test(a_change_of_words_and_shorter_periods_are_minor),
		cmocka_unit_test(the_first_version_has_nothing_to_compare),
		cmocka_unit_test(a_version_is_shown_as_it_was),
		cmocka_unit_test(a_period_whose_setting_is_gone_names_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
