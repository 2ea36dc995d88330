/* Dates: every format both ways, the calendar, and Paris's summer time. */
#include "support.h"

#include <time.h>

#include "foyer/require.h"
#include "protocol/datetime.h"

static fy_time at(int year, int month, int day, int hour, int minute, int second)
{
	struct fy_datetime dt = { { year, month, day }, hour, minute, second };
	return fy_time_from_utc(&dt);
}

static void http_dates_have_three_forms(void **state)
{
	(void)state;
	const fy_time t = 784111777 * FY_SECOND, now = at(2026, 11, 22, 0, 0, 0);
	static const char *const forms[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
					     "Sun Nov  6 08:49:37 1994" };
	fy_time back;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fy_parse_http_date(fy_str(forms[i]), now, &back), 0);
		assert_true(back == t);
	}
	fy_put_imf_date(&out, t);
	assert_text(taken(), forms[0]);
	assert_int_equal(fy_parse_http_date(FY_LIT("Monday, 01-Jan-40 00:00:00 GMT"), now, &back), 0);
	assert_true(back == at(2040, 1, 1, 0, 0, 0));
	assert_int_equal(fy_parse_http_date(FY_LIT("Monday, 01-Jan-77 00:00:00 GMT"), now, &back), 0);
	assert_true(back == at(1977, 1, 1, 0, 0, 0));
	static const char *const bad[] = { "",
					   "Sun, 06 Nov 1994 08:49:37 UTC",
					   "sun, 06 Nov 1994 08:49:37 GMT",
					   "Sun, 6 Nov 1994 08:49:37 GMT",
					   "Sun, 31 Feb 1994 08:49:37 GMT",
					   "Sun, 06 Nov 1994 24:00:00 GMT",
					   "Sun, 06 Nov 1994 08:60:37 GMT",
					   "Sun, 06 Nov 1994 08:49:37 GMT ",
					   "Sun, 06 Nov 1994 08:49:61 GMT",
					   "784111777",
					   "Sun, 06 Nov 0000 08:49:37 GMT",
					   "Sun Nov 6 08:49:37 1994",
					   "Sun, 06 Nov 1994" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_parse_http_date(fy_str(bad[i]), now, &back), FY_ERR_INVALID);
}

static void rfc3339_goes_both_ways(void **state)
{
	(void)state;
	fy_time t;
	fy_put_rfc3339(&out, at(2026, 11, 22, 13, 5, 9) + 25, false);
	assert_text(taken(), "2026-11-22T13:05:09Z");
	fy_put_rfc3339(&out, at(2026, 11, 22, 13, 5, 9) + 25, true);
	assert_text(taken(), "2026-11-22T13:05:09.000025Z");
	static const struct {
		const char *text;
		int64_t micros;
	} good[] = { { "1970-01-01T00:00:00Z", 0 },
		     { "1970-01-01t01:00:00.5+01:00", 500000 },
		     { "1969-12-31 19:00:00.0000019-05:00", 1 },
		     { "1990-12-31T23:59:60Z", 662687999000000 },
		     { "2026-11-22T14:05:00+01:00", 1795352700000000 } };
	for (size_t i = 0; i < FY_COUNT(good); i++) {
		assert_int_equal(fy_parse_rfc3339(fy_str(good[i].text), &t), 0);
		assert_int_equal(t, good[i].micros);
	}
	static const char *const bad[] = { "2026-11-22",
					   "2026-11-22T14:05:00",
					   "2026-11-22T14:05Z",
					   "2026-13-01T00:00:00Z",
					   "2026-02-29T00:00:00Z",
					   "2026-11-22T24:00:00Z",
					   "2026-11-22T14:05:00.Z",
					   "2026-11-22T14:05:00+0100",
					   "2026-11-22T14:05:00Zx",
					   "0000-01-01T00:00:00Z",
					   "2026-11-22T14:05:00+24:00",
					   "26-11-22T14:05:00Z" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_parse_rfc3339(fy_str(bad[i]), &t), FY_ERR_INVALID);
	struct fy_date date;
	assert_int_equal(fy_parse_iso_date(FY_LIT("2024-02-29"), &date), 0);
	assert_int_equal(date.day, 29);
	assert_int_equal(fy_parse_iso_date(FY_LIT("2023-02-29"), &date), FY_ERR_INVALID);
	assert_int_equal(fy_parse_iso_date(FY_LIT("2023-2-9"), &date), FY_ERR_INVALID);
}

/* The C library has the real tables of time zones; ours is a rule. They agree where the rule is law. */
static void paris_agrees_with_the_c_library(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Paris", 1);
	tzset();
	time_t probe = 1782000000; /* June 2026 */
	struct tm tm;
	localtime_r(&probe, &tm);
	if (tm.tm_gmtoff != 7200) {
		print_message("no time zone files here: skipped\n");
		skip();
	}
	for (int64_t t = 946684800; t < 2145916800; t += 5431) { /* 2000 to 2037 */
		time_t c = (time_t)t;
		struct fy_datetime dt = fy_datetime_paris(t * FY_SECOND);
		localtime_r(&c, &tm);
		if (dt.date.year != tm.tm_year + 1900 || dt.date.month != tm.tm_mon + 1 || dt.date.day != tm.tm_mday ||
		    dt.hour != tm.tm_hour || dt.minute != tm.tm_min || dt.weekday != tm.tm_wday ||
		    fy_paris_offset_s(t * FY_SECOND) != tm.tm_gmtoff)
			fail_msg("at %lld", (long long)t);
	}
}

static void summer_time_turns_at_one_utc(void **state)
{
	(void)state;
	assert_int_equal(fy_paris_offset_s(at(2026, 3, 29, 0, 59, 59)), 3600);
	assert_int_equal(fy_paris_offset_s(at(2026, 3, 29, 1, 0, 0)), 7200);
	assert_int_equal(fy_paris_offset_s(at(2026, 10, 25, 0, 59, 59)), 7200);
	assert_int_equal(fy_paris_offset_s(at(2026, 10, 25, 1, 0, 0)), 3600);
	struct fy_datetime gap = { { 2026, 3, 29 }, 2, 30 }, twice = { { 2026, 10, 25 }, 2, 30 };
	assert_true(fy_time_from_paris(&gap) == at(2026, 3, 29, 1, 30, 0));    /* 03:30, one hour later */
	assert_true(fy_time_from_paris(&twice) == at(2026, 10, 25, 0, 30, 0)); /* the first of the two */
	assert_true(fy_paris_day_start((struct fy_date){ 2026, 7, 1 }) == at(2026, 6, 30, 22, 0, 0));
	assert_int_equal(fy_paris_date(at(2026, 12, 31, 23, 30, 0)).year, 2027);
	/* A month later at the same time of day, across the turn. */
	assert_true(fy_time_add_months(at(2026, 3, 1, 9, 0, 0), 1) == at(2026, 4, 1, 8, 0, 0));
}

static void the_calendar_is_gregorian(void **state)
{
	(void)state;
	assert_true(fy_date_is_leap(2000) && fy_date_is_leap(2024) && !fy_date_is_leap(1900) && !fy_date_is_leap(2023));
	assert_int_equal(fy_date_days((struct fy_date){ 1970, 1, 1 }), 0);
	assert_int_equal(fy_date_days((struct fy_date){ 1, 1, 1 }), -719162);
	assert_int_equal(fy_date_days((struct fy_date){ 9999, 12, 31 }), 2932896);
	assert_int_equal(fy_date_weekday((struct fy_date){ 2026, 11, 22 }), 0);
	struct fy_date date = { 1, 1, 1 };
	for (int64_t day = -719162; day <= 2932896; day++) {
		struct fy_date back = fy_date_from_days(day);
		if (fy_date_compare(back, date) || fy_date_days(date) != day)
			fail_msg("day %lld", (long long)day);
		if (++date.day > fy_date_month_days(date.year, date.month)) {
			date.day = 1;
			if (++date.month > 12) {
				date.month = 1;
				date.year++;
			}
		}
	}
	struct fy_date end = { 2024, 1, 31 };
	assert_int_equal(fy_date_compare(fy_date_add_months(end, 1), (struct fy_date){ 2024, 2, 29 }), 0);
	assert_int_equal(fy_date_compare(fy_date_add_months(end, -2), (struct fy_date){ 2023, 11, 30 }), 0);
	assert_int_equal(fy_date_compare(fy_date_add_months((struct fy_date){ 2024, 2, 29 }, 12),
					 (struct fy_date){ 2025, 2, 28 }),
			 0);
	assert_int_equal(fy_date_add_months(end, INT32_MAX).year, 9999);
	assert_int_equal(fy_date_add_months(end, INT32_MIN).year, 1);
	assert_int_equal(fy_date_add_days(end, INT64_MAX).year, 9999);
	assert_int_equal(fy_date_compare(fy_date_add_days(end, 30), (struct fy_date){ 2024, 3, 1 }), 0);
	assert_true(fy_date_compare(end, (struct fy_date){ 2024, 2, 1 }) < 0);
	assert_false(fy_date_valid((struct fy_date){ 2024, 2, 30 }));
	assert_false(fy_date_valid((struct fy_date){ 0, 1, 1 }));
	assert_false(fy_date_valid((struct fy_date){ 2024, 13, 1 }));
}

static void people_and_logs_read_paris_time(void **state)
{
	(void)state;
	const fy_time t = at(2026, 11, 22, 13, 5, 0);
	fy_put_human_time(&out, t, FY_LANG_FR);
	assert_text(taken(), "22 novembre 2026 à 14:05");
	fy_put_human_time(&out, t, FY_LANG_EN);
	assert_text(taken(), "22 November 2026, 14:05");
	fy_put_human_date(&out, (struct fy_date){ 2026, 5, 1 }, FY_LANG_FR);
	assert_text(taken(), "1er mai 2026");
	fy_put_human_date(&out, (struct fy_date){ 2026, 8, 1 }, FY_LANG_EN);
	assert_text(taken(), "1 August 2026");
	fy_put_clf_date(&out, t);
	assert_text(taken(), "22/Nov/2026:14:05:00 +0100");
	fy_put_clf_date(&out, at(2026, 7, 1, 0, 0, 0));
	assert_text(taken(), "01/Jul/2026:02:00:00 +0200");
	fy_put_mail_date(&out, t);
	assert_text(taken(), "Sun, 22 Nov 2026 14:05:00 +0100");
	fy_put_iso_date(&out, (struct fy_date){ 2026, 5, 1 });
	assert_text(taken(), "2026-05-01");
}

static void dates_of_logs_are_read_with_their_offset(void **state)
{
	(void)state;
	static const char *const wrong[] = { "",
					     "22/Nov/2026:14:05:00",
					     "22/Nov/2026:14:05:00 0100",
					     "22/Nov/2026:14:05:00 +01",
					     "22/Nov/2026:14:05:00 +0100 ",
					     "31/Nov/2026:14:05:00 +0100",
					     "22/nov/2026:14:05:00 +0100",
					     "22/Nov/2026:24:05:00 +0100",
					     "22/Nov/2026:14:05:00 +2400",
					     "2026-11-22T14:05:00Z" };
	fy_time t = 0;
	assert_int_equal(fy_parse_clf_date(FY_LIT("22/Nov/2026:14:05:00 +0100"), &t), 0);
	assert_true(t == at(2026, 11, 22, 13, 5, 0));
	assert_int_equal(fy_parse_clf_date(FY_LIT("01/Jan/2027:00:30:00 -0530"), &t), 0);
	assert_true(t == at(2027, 1, 1, 6, 0, 0));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(fy_parse_clf_date(fy_str(wrong[i]), &t), FY_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(http_dates_have_three_forms),
		FY_TEST(rfc3339_goes_both_ways),
		FY_TEST(paris_agrees_with_the_c_library),
		FY_TEST(summer_time_turns_at_one_utc),
		FY_TEST(the_calendar_is_gregorian),
		FY_TEST(people_and_logs_read_paris_time),
		FY_TEST(dates_of_logs_are_read_with_their_offset),
	};
	return RUN_TESTS(tests);
}
