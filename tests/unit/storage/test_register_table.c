/* The register's generated tables: what later code reads out of them is what register.toml says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "storage/register.h"
#include "storage/rights.h"

static void a_column_is_found_by_its_table_and_name(void **state)
{
	(void)state;
	const struct fy_register_field *f = fy_register_find(FY_LIT("account"), FY_LIT("email"));
	assert_non_null(f);
	assert_int_equal(f->mark, FY_MARK_PERSONAL);
	assert_true(fy_eq(f->label[FY_LANG_FR], FY_LIT("Adresse e-mail")));
	assert_true(f->purposes & 1u << FY_PURPOSE_AUTHENTICATION);
	assert_false(f->purposes & 1u << FY_PURPOSE_SERVICE_IMPROVEMENT);
	assert_true(f->seen_by & 1u << FY_VIEWER_SELF);
	assert_int_equal(fy_register_find(FY_LIT("account"), FY_LIT("password_hash"))->mark, FY_MARK_SECRET);
	assert_int_equal(fy_register_find(FY_LIT("account"), FY_LIT("password_hash"))->seen_by, 0);
	assert_int_equal(fy_register_find(FY_LIT("account"), FY_LIT("id"))->mark, FY_MARK_PUBLIC);
	assert_null(fy_register_find(FY_LIT("account"), FY_LIT("token_hash")));
	assert_null(fy_register_find(FY_LIT("nothing"), FY_LIT("id")));
}

static void how_long_follows_the_setting_where_there_is_one(void **state)
{
	(void)state;
	const struct fy_config config = { .retention_unconfirmed_days = 9, .retention_contact_days = 41 };
	const struct fy_register_field *f = fy_register_find(FY_LIT("account"), FY_LIT("phone"));
	assert_int_equal(f->keep_count, 3);
	assert_int_equal(f->keep[0].from, FY_TRIGGER_LAST_ACTIVITY);
	assert_int_equal(fy_register_keep_seconds(&f->keep[0], &config), 730 * 86400);
	assert_int_equal(f->keep[1].from, FY_TRIGGER_UNCONFIRMED_REGISTRATION);
	assert_int_equal(fy_register_keep_seconds(&f->keep[1], &config), 9 * 86400);
	f = fy_register_find(FY_LIT("contact_message"), FY_LIT("message"));
	assert_true(fy_rights_kept(&config) == 1826 * FY_DAY);
	assert_int_equal(fy_register_keep_seconds(&f->keep[0], &config), 41 * 86400);
}

static void a_store_counts_in_the_unit_of_its_setting(void **state)
{
	(void)state;
	const struct fy_config config = { .sessions_manager_minutes = 30, .log_keep_days = 100 };
	unsigned seen = 0;
	for (size_t i = 0; i < fy_register_store_field_count; i++) {
		const struct fy_register_field *f = &fy_register_store_fields[i];
		const char *store = fy_register_stores[f->table].name;
		assert_in_range(f->table, 0, fy_register_store_count - 1);
		assert_int_equal(f->mark, FY_MARK_PERSONAL);
		assert_true(f->label[FY_LANG_FR].len && f->label[FY_LANG_EN].len && f->purposes && f->keep_count);
		assert_true(fy_register_stores[f->table].persons != 0);
		if (strcmp(store, "manager_session") == 0)
			assert_int_equal(fy_register_keep_seconds(&f->keep[0], &config), 1800);
		else if (strcmp(store, "web_log") == 0)
			assert_int_equal(fy_register_keep_seconds(&f->keep[0], &config), 100 * 86400);
		else if (strcmp(store, "sent_form") == 0)
			assert_int_equal(fy_register_keep_seconds(&f->keep[0], &config), 600);
		else
			continue;
		seen++;
	}
	assert_int_equal(seen, 14);
}

static void every_personal_and_secret_field_says_all_that_was_promised(void **state)
{
	(void)state;
	size_t personal = 0;
	for (size_t i = 0; i < fy_register_field_count; i++) {
		const struct fy_register_field *f = &fy_register_fields[i];
		assert_in_range(f->table, 0, fy_register_table_count - 1);
		if (f->mark == FY_MARK_PUBLIC)
			continue;
		personal++;
		assert_non_null(fy_register_tables[f->table].person);
		assert_true(fy_register_tables[f->table].persons != 0);
		assert_true(f->label[FY_LANG_FR].len && f->label[FY_LANG_EN].len && f->purposes && f->keep_count);
		assert_true(fy_register_categories[f->category].key && fy_register_bases[f->basis].key &&
			    fy_register_sources[f->provided_by].key && fy_register_thens[f->then].key);
	}
	assert_true(personal > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_column_is_found_by_its_table_and_name),
		cmocka_unit_test(how_long_follows_the_setting_where_there_is_one),
		cmocka_unit_test(a_store_counts_in_the_unit_of_its_setting),
		cmocka_unit_test(every_personal_and_secret_field_says_all_that_was_promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
