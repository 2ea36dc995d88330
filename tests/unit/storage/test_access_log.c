/* The log of reads: a chain without gaps however many append at once, whose verification names the first row that was
 * changed, deleted or added, and that a purge shortens without breaking it. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/access_log.h"

static int append_at(struct worker *w, fy_time now)
{
	const struct fy_read read = { .reader_id = 100 + w->index,
				      .reader_role = FY_ROLE_STAFF,
				      .person_id = 7,
				      .purpose = FY_PURPOSE_BILLING,
				      .fields = FY_LIT("account.given_name account.email"),
				      .request_id = 9 };
	w->ctx.now = now;
	return fy_access_log_append(&w->ctx, &read);
}

static void append_one(struct worker *w)
{
	CHECK_CODE(append_at(w, NOON), 0);
}

/* Rows 1 to `*arg`, an hour apart. */
static void append_many(struct worker *w)
{
	for (int i = 0; i < *(const int *)w->arg; i++)
		CHECK_CODE(append_at(w, NOON + i * FY_HOUR), 0);
}

static struct fy_chain_report report;

static void verify(struct worker *w)
{
	CHECK_CODE(fy_access_log_verify(&w->ctx, NULL, NULL, &report), 0);
}

static void expect(enum fy_chain_fault fault, uint64_t id)
{
	run_all(1, verify, NULL);
	assert_int_equal(report.fault, fault);
	if (fault)
		assert_int_equal(report.id, id);
}

static void an_empty_log_fits(void **state)
{
	(void)state;
	expect(FY_CHAIN_FITS, 0);
	assert_int_equal(report.checked, 0);
}

static void rows_that_are_appended_at_once_make_one_chain_without_a_gap(void **state)
{
	(void)state;
	run_all(48, append_one, NULL);
	assert_int_equal(number("SELECT COUNT(DISTINCT reader_id) FROM access_log"), 48);
	assert_int_equal(number("SELECT MIN(id) FROM access_log"), 1);
	assert_int_equal(number("SELECT MAX(id) FROM access_log"), 48);
	expect(FY_CHAIN_FITS, 0);
	assert_int_equal(report.checked, 48);
	assert_int_equal(report.last_id, 48);
}

static void given(int rows)
{
	run_all(1, append_many, &rows);
}

static void a_changed_row_is_named_whatever_was_changed(void **state)
{
	(void)state;
	static const char *const changes[] = {
		"reader_id = 1",  "reader_role = 2",        "person_id = 8",
		"purpose = 2",    "fields = 'x'",           "request_id = NULL",
		"request_id = 8", "hash = REPEAT('a', 32)", "read_at = read_at + INTERVAL 1 MICROSECOND"
	};
	given(6);
	change("DROP TABLE IF EXISTS access_log_kept; CREATE TABLE access_log_kept AS SELECT * FROM access_log");
	for (size_t i = 0; i < FY_COUNT(changes); i++) {
		char sql[200];
		snprintf(sql, sizeof sql, "UPDATE access_log SET %s WHERE id = 4", changes[i]);
		change(sql);
		expect(FY_CHAIN_CHANGED, 4);
		change("REPLACE INTO access_log SELECT * FROM access_log_kept");
		expect(FY_CHAIN_FITS, 0);
	}
	change("UPDATE access_chain SET last_hash = REPEAT('a', 32)");
	expect(FY_CHAIN_CHANGED, 6);
	change("DROP TABLE access_log_kept");
}

static void a_deleted_row_is_named_also_at_the_ends(void **state)
{
	(void)state;
	given(6);
	change("DELETE FROM access_log WHERE id = 6");
	expect(FY_CHAIN_MISSING, 6);
	change("DELETE FROM access_log WHERE id = 3");
	expect(FY_CHAIN_MISSING, 3);
	change("DELETE FROM access_log WHERE id = 1");
	expect(FY_CHAIN_MISSING, 1);
	change("DELETE FROM access_log");
	expect(FY_CHAIN_MISSING, 1);
}

/* Both ends are put where rows still are, with the hashes that stand in these. */
static void ends_that_were_put_back_are_named_and_stay_so(void **state)
{
	(void)state;
	int more = 1;
	given(6);
	expect(FY_CHAIN_FITS, 0);
	change("DELETE FROM access_log WHERE id = 6; "
	       "UPDATE access_chain SET last_id = 5, last_hash = (SELECT hash FROM access_log WHERE id = 5)");
	expect(FY_CHAIN_ENDS, 5);
	run_all(1, append_many, &more);
	expect(FY_CHAIN_ENDS, 6);
	empty_tables(state);
	given(6);
	change("UPDATE access_chain SET start_id = 2, start_hash = (SELECT hash FROM access_log WHERE id = 2); "
	       "DELETE FROM access_log WHERE id <= 2");
	expect(FY_CHAIN_ENDS, 6);
}

static void a_row_that_was_put_in_is_named(void **state)
{
	(void)state;
	given(4);
	/* After the end: a copy of a row with another number has not the hash of that number. */
	change("INSERT INTO access_log SELECT 5, read_at, reader_id, reader_role, person_id, purpose, fields, request_id, "
	       "hash FROM access_log WHERE id = 4");
	expect(FY_CHAIN_CHANGED, 5);
	change("DELETE FROM access_log WHERE id = 5");
	expect(FY_CHAIN_FITS, 0);
	/* In the middle: those behind it move up. */
	change("UPDATE access_log SET id = id + 1 WHERE id > 2 ORDER BY id DESC; INSERT INTO access_log SELECT 3, read_at, "
	       "reader_id, reader_role, person_id, purpose, fields, request_id, hash FROM access_log WHERE id = 2");
	expect(FY_CHAIN_CHANGED, 3);
}

static void purge_before(struct worker *w)
{
	uint64_t count, deleted, *ids;
	size_t listed;
	fy_time before = *(const fy_time *)w->arg;
	CHECK_CODE(fy_access_log_count_old(&w->ctx, before, &count), 0);
	CHECK_CODE(fy_access_log_list_old(&w->ctx, before, 1000, &ids, &listed), 0);
	CHECK(count == listed && (count == 0 || ids[count - 1] == ids[0] + count - 1));
	CHECK_CODE(fy_access_log_purge(&w->ctx, before, 2, &deleted), 0);
	CHECK(deleted == (count < 2 ? count : 2));
	CHECK_CODE(fy_access_log_purge(&w->ctx, before, 1000, &deleted), 0);
	CHECK(count < 2 || deleted == count - 2);
	CHECK_CODE(fy_access_log_purge(&w->ctx, before, 1000, &deleted), 0);
	CHECK(deleted == 0);
}

static void a_purge_takes_the_oldest_and_the_rest_still_fits(void **state)
{
	(void)state;
	fy_time before = NOON + 5 * FY_HOUR;
	given(8);
	run_all(1, purge_before, &before);
	assert_int_equal(number("SELECT MIN(id) FROM access_log"), 6);
	expect(FY_CHAIN_FITS, 0);
	assert_int_equal(report.checked, 3);
	change("INSERT INTO access_log SELECT 2, read_at, reader_id, reader_role, person_id, purpose, fields, request_id, "
	       "hash FROM access_log WHERE id = 6");
	expect(FY_CHAIN_ADDED, 2);
	change("DELETE FROM access_log WHERE id = 2");
	before = NOON + FY_DAY;
	run_all(1, purge_before, &before);
	assert_int_equal(number("SELECT COUNT(*) FROM access_log"), 0);
	expect(FY_CHAIN_FITS, 0);
	given(2);
	assert_int_equal(number("SELECT MIN(id) FROM access_log"), 9);
	expect(FY_CHAIN_FITS, 0);
	change("UPDATE access_chain SET start_hash = REPEAT('a', 32)");
	expect(FY_CHAIN_CHANGED, 9);
}

/* One purges, one verifies again and again, the others append. */
static void all_at_once(struct worker *w)
{
	uint64_t deleted;
	struct fy_chain_report seen;
	for (int i = 0; i < 10; i++) {
		if (w->index == 0) {
			CHECK_CODE(fy_access_log_purge(&w->ctx, NOON + FY_MINUTE, 7, &deleted), 0);
		} else if (w->index <= 2) {
			CHECK_CODE(fy_access_log_verify(&w->ctx, NULL, NULL, &seen), 0);
			CHECK(seen.fault == FY_CHAIN_FITS);
		} else {
			CHECK_CODE(append_at(w, NOON), 0);
		}
	}
}

static void the_walk_fits_while_rows_come_and_go(void **state)
{
	(void)state;
	given(30);
	run_all(8, all_at_once, NULL);
	expect(FY_CHAIN_FITS, 0);
}

static void append_without_end(struct worker *w)
{
	CHECK_CODE(append_at(w, NOON), FY_ERR_INTERNAL);
	CHECK_CODE(fy_access_log_verify(&w->ctx, NULL, NULL, &report), FY_ERR_SCHEMA);
}

static void nothing_is_appended_to_a_chain_whose_ends_are_gone(void **state)
{
	(void)state;
	change("DELETE FROM access_chain");
	run_all(1, append_without_end, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM access_log"), 0);
	change("INSERT INTO access_chain VALUES (1, 0, REPEAT(CHAR(0), 32), 0, REPEAT(CHAR(0), 32), REPEAT(CHAR(0), 32))");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_log_fits),
		TEST(rows_that_are_appended_at_once_make_one_chain_without_a_gap),
		TEST(a_changed_row_is_named_whatever_was_changed),
		TEST(a_deleted_row_is_named_also_at_the_ends),
		TEST(ends_that_were_put_back_are_named_and_stay_so),
		TEST(a_row_that_was_put_in_is_named),
		TEST(a_purge_takes_the_oldest_and_the_rest_still_fits),
		TEST(the_walk_fits_while_rows_come_and_go),
		TEST(nothing_is_appended_to_a_chain_whose_ends_are_gone),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
