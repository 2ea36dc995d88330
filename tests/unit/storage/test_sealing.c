/* Data of versions before sealing: sealed at a start, wherever an earlier start was cut off, and only once. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/contact.h"
#include "storage/sealing.h"

#define OLD_ACCOUNTS                                                                                                        \
	"INSERT INTO account (id, email, email_hash, given_name, family_name, phone, language, role, state, created_at) "   \
	"SELECT seq, CONCAT('person', seq, '@example.org'), UNHEX(SHA2(seq, 256)), 'Zoé', 'Old', IF(seq % 2, '', '+33'), " \
	"0, 1, 2, '2026-01-01' FROM seq_1_to_120"
#define OLD_MESSAGES                                                                                                              \
	"INSERT INTO contact_message (id, reference, name, email, subject, message, consent_text_version, consented_at, "         \
	"lang, state, created_at) SELECT seq, seq, 'Zoé', CONCAT('p', seq, '@example.org'), 's', 'm', '1', '2026-01-01', 0, 1, " \
	"'2026-01-01' FROM seq_1_to_60"
#define PLAIN                                                                                                 \
	"SELECT (SELECT COUNT(*) FROM account WHERE INSTR(email, 'example') OR INSTR(given_name, 'Zoé')) + " \
	"(SELECT COUNT(*) FROM contact_message WHERE INSTR(email, 'example') OR INSTR(name, 'Zoé'))"

static int empty(void **state)
{
	change("DELETE FROM instance");
	return empty_tables(state);
}

struct outcome {
	int err;
	uint64_t rows;
};

static void seal(struct worker *w)
{
	struct outcome *o = w->arg;
	o->err = fy_seal_existing(&w->ctx, &o->rows);
}

static void read_all(struct worker *w)
{
	struct fy_contact_page page;
	for (uint64_t id = 1; id <= 120; id++) {
		struct fy_account a;
		CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
		CHECK(fy_eq(a.email.text, fy_fmt(&w->arena, "person%d@example.org", (int)id)));
		CHECK(fy_eq(a.profile.given_name.text, FY_LIT("Zoé")));
		CHECK(a.profile.phone.text.len == (id % 2 ? 0 : 3));
	}
	CHECK_CODE(fy_contact_list(&w->ctx, 0, 0, 100, &page), 0);
	CHECK(page.count == 60);
	for (size_t i = 0; i < 60; i++) {
		struct fy_contact_message m;
		CHECK_CODE(fy_contact_get(&w->ctx, page.items[i].id, FY_PURPOSE_CONTACT, &m), 0);
		CHECK(m.id > 120);
	}
}

static void plain_rows_are_sealed_wherever_the_last_start_was_cut_off(void **state)
{
	(void)state;
	struct outcome o = { 0 };
	change(OLD_ACCOUNTS);
	change(OLD_MESSAGES);
	change("CREATE TRIGGER cut_off BEFORE UPDATE ON account FOR EACH ROW IF NEW.id = 75 THEN SIGNAL SQLSTATE "
	       "'45000'; END IF");
	run_all(1, seal, &o);
	change("DROP TRIGGER cut_off");
	assert_int_not_equal(o.err, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE INSTR(email, 'example')"), 70);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 50); /* no key without its row */
	run_all(1, seal, &o);
	assert_int_equal(o.err, 0);
	assert_int_equal(o.rows, 70 + 60);
	assert_int_equal(number(PLAIN), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 180);
	run_all(1, read_all, NULL);
}

static void a_row_that_came_late_is_sealed_by_the_next_start_and_then_it_is_over(void **state)
{
	(void)state;
	struct outcome o = { 0 };
	change(OLD_MESSAGES);
	run_all(1, seal, &o);
	assert_int_equal(o.rows, 60);
	change(OLD_ACCOUNTS);
	run_all(1, seal, &o);
	assert_int_equal(o.rows, 120);
	assert_int_equal(number("SELECT COUNT(*) FROM instance WHERE name = 'sealed'"), 0);
	run_all(1, seal, &o);
	assert_int_equal(o.rows, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM instance WHERE name = 'sealed'"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_rows_are_sealed_wherever_the_last_start_was_cut_off, empty),
		cmocka_unit_test_setup(a_row_that_came_late_is_sealed_by_the_next_start_and_then_it_is_over, empty),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
