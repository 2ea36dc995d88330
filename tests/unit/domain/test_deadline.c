/* The month to answer, its extension and the 72 hours, on dates that any calendar confirms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "foyer/require.h"
#include "server/domain/deadline.h"

static fy_time paris(int year, int month, int day, int hour, int minute)
{
	return fy_time_from_paris(&(struct fy_datetime){ { year, month, day }, hour, minute });
}

static void easter_is_where_the_calendar_has_it(void **state)
{
	static const struct fy_date easters[] = {
		{ 1818, 3, 22 }, { 1943, 4, 25 }, { 1954, 4, 18 }, { 1961, 4, 2 },  { 1981, 4, 19 }, { 2000, 4, 23 },
		{ 2008, 3, 23 }, { 2019, 4, 21 }, { 2024, 3, 31 }, { 2025, 4, 20 }, { 2026, 4, 5 },  { 2027, 3, 28 },
		{ 2028, 4, 16 }, { 2030, 4, 21 }, { 2038, 4, 25 }, { 2049, 4, 18 }, { 2076, 4, 19 }, { 2285, 3, 22 },
	};
	(void)state;
	for (size_t i = 0; i < FY_COUNT(easters); i++)
		assert_int_equal(fy_date_compare(fy_deadline_easter(easters[i].year), easters[i]), 0);
}

static void the_holidays_of_a_year_are_these_eleven(void **state)
{
	static const struct fy_date of_2026[] = {
		{ 2026, 1, 1 },  { 2026, 4, 6 },  { 2026, 5, 1 },  { 2026, 5, 8 },   { 2026, 5, 14 },  { 2026, 5, 25 },
		{ 2026, 7, 14 }, { 2026, 8, 15 }, { 2026, 11, 1 }, { 2026, 11, 11 }, { 2026, 12, 25 },
	};
	size_t found = 0;
	(void)state;
	for (int64_t day = fy_date_days((struct fy_date){ 2026, 1, 1 });
	     day < fy_date_days((struct fy_date){ 2027, 1, 1 }); day++) {
		if (!fy_deadline_is_holiday(fy_date_from_days(day)))
			continue;
		assert_in_range(found, 0, FY_COUNT(of_2026) - 1);
		assert_int_equal(fy_date_days(of_2026[found++]), day);
	}
	assert_int_equal(found, FY_COUNT(of_2026));
	/* In 2008 Ascension and 1 May were one day. */
	assert_true(fy_deadline_is_holiday((struct fy_date){ 2008, 5, 1 }));
	/* Good Friday and 26 December are holidays in Alsace and Moselle only. */
	assert_true(fy_deadline_is_working_day((struct fy_date){ 2026, 4, 3 }));
	assert_true(fy_deadline_is_working_day((struct fy_date){ 2025, 12, 26 }));
	assert_false(fy_deadline_is_working_day((struct fy_date){ 2026, 11, 21 }));
	assert_false(fy_deadline_is_working_day((struct fy_date){ 2026, 11, 22 }));
}

static void a_month_ends_with_the_day_of_its_number_or_the_next_working_day(void **state)
{
	static const struct {
		struct fy_date from;
		int months;
		struct fy_date last;
	} cases[] = {
		{ { 2026, 11, 23 }, 1, { 2026, 12, 23 } }, /* a Wednesday */
		{ { 2026, 11, 22 }, 1, { 2026, 12, 22 } }, /* received on a Sunday: the day of receipt does not matter */
		{ { 2027, 1, 31 }, 1, { 2027, 3, 1 } },    /* 28 February 2027 is a Sunday */
		{ { 2025, 1, 31 }, 1, { 2025, 2, 28 } },   /* a Friday */
		{ { 2024, 1, 31 }, 1, { 2024, 2, 29 } },   /* a leap year, a Thursday */
		{ { 2024, 1, 30 }, 1, { 2024, 2, 29 } },   /* cut to the last day likewise */
		{ { 2028, 1, 29 }, 1, { 2028, 2, 29 } },
		{ { 2028, 2, 29 }, 1, { 2028, 3, 29 } },
		{ { 2026, 6, 14 }, 1, { 2026, 7, 15 } }, /* 14 July, a Tuesday */
		{ { 2027, 4, 1 }, 1, { 2027, 5, 3 } },   /* 1 May on a Saturday: Monday the 3rd */
		{ { 2026, 4, 1 }, 1, { 2026, 5, 4 } },   /* 1 May on a Friday: over the weekend */
		{ { 2026, 3, 4 }, 1, { 2026, 4, 7 } },   /* a Saturday before Easter: Tuesday */
		{ { 2026, 4, 14 }, 1, { 2026, 5, 15 } }, /* Ascension */
		{ { 2026, 4, 23 }, 1, { 2026, 5, 26 } }, /* a Saturday before Whit Monday: Tuesday */
		{ { 2026, 7, 15 }, 1, { 2026, 8, 17 } }, /* 15 August on a Saturday */
		{ { 2026, 10, 11 }, 1, { 2026, 11, 12 } },
		{ { 2026, 11, 25 }, 1, { 2026, 12, 28 } }, /* 25 December on a Friday */
		{ { 2026, 12, 1 }, 1, { 2027, 1, 4 } },    /* 1 January on a Friday, in the next year */
		{ { 2026, 12, 31 }, 1, { 2027, 2, 1 } },   /* 31 January on a Sunday */
		{ { 2026, 11, 30 }, 3, { 2027, 3, 1 } },   /* three months: no 30 February, and the 28th is a Sunday */
		{ { 2023, 11, 30 }, 3, { 2024, 2, 29 } },
		{ { 2026, 11, 23 }, 3, { 2027, 2, 23 } },
	};
	(void)state;
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		struct fy_date from = cases[i].from, last = cases[i].last;
		fy_time next = fy_paris_day_start(fy_date_add_days(last, 1));
		/* The hour of receipt changes nothing. */
		assert_int_equal(fy_deadline_after_months(fy_paris_day_start(from), cases[i].months), next - 1);
		assert_int_equal(
			fy_deadline_after_months(fy_paris_day_start(fy_date_add_days(from, 1)) - 1, cases[i].months),
			next - 1);
	}
}

static void days_are_those_of_paris(void **state)
{
	struct fy_datetime utc = { { 2026, 12, 1 }, 23, 30, 0 };
	(void)state;
	/* 23:30 in London on 1 December is 2 December in Paris; 2 January 2027 is a Saturday. */
	assert_int_equal(fy_deadline_after_months(fy_time_from_utc(&utc), 1), paris(2027, 1, 5, 0, 0) - 1);
	/* Over the change to summer time: the last hour is the last hour of that day. */
	assert_int_equal(fy_deadline_after_months(paris(2026, 3, 9, 12, 0), 1), paris(2026, 4, 10, 0, 0) - 1);
}

static void days_left_count_calendar_days(void **state)
{
	fy_time due = fy_deadline_after_months(paris(2026, 11, 23, 9, 0), 1);
	(void)state;
	assert_int_equal(fy_deadline_days_left(due, paris(2026, 11, 23, 9, 0)), 30);
	assert_int_equal(fy_deadline_days_left(due, paris(2026, 12, 22, 23, 59)), 1);
	assert_int_equal(fy_deadline_days_left(due, paris(2026, 12, 23, 0, 0)), 0);
	assert_int_equal(fy_deadline_days_left(due, paris(2026, 12, 23, 23, 59)), 0);
	assert_int_equal(fy_deadline_days_left(due, paris(2026, 12, 24, 0, 0)), -1);
}

static void a_clock_that_stood_ends_as_much_later(void **state)
{
	fy_time received = paris(2026, 11, 23, 9, 0), asked = paris(2026, 11, 25, 10, 0);
	(void)state;
	fy_time from = fy_deadline_resume(received, asked, asked + 10 * FY_DAY);
	assert_int_equal(from, received + 10 * FY_DAY);
	assert_int_equal(fy_deadline_after_months(from, 1), paris(2027, 1, 5, 0, 0) - 1); /* 3 January is a Sunday */
	assert_int_equal(fy_deadline_resume(received, asked, asked), received);
	assert_int_equal(fy_deadline_resume(received, asked, asked - FY_HOUR),
			 received); /* a clock that was set back */
}

static void seventy_two_hours_are_hours(void **state)
{
	fy_time aware = paris(2026, 12, 24, 18, 0); /* over Christmas and a weekend */
	fy_time due = fy_deadline_of_breach(aware);
	(void)state;
	assert_int_equal(due, paris(2026, 12, 27, 18, 0));
	assert_int_equal(fy_deadline_hours_left(due, aware), 72);
	assert_int_equal(fy_deadline_hours_left(due, aware + 1), 71);
	assert_int_equal(fy_deadline_hours_left(due, due - FY_MINUTE), 0);
	assert_int_equal(fy_deadline_hours_left(due, due + FY_HOUR), -1);
	/* Hours, not hours of the clock on the wall: the night of the change has 25. */
	assert_int_equal(fy_deadline_of_breach(paris(2026, 10, 24, 12, 0)), paris(2026, 10, 27, 11, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(easter_is_where_the_calendar_has_it),
		cmocka_unit_test(the_holidays_of_a_year_are_these_eleven),
		cmocka_unit_test(a_month_ends_with_the_day_of_its_number_or_the_next_working_day),
		cmocka_unit_test(days_are_those_of_paris),
		cmocka_unit_test(days_left_count_calendar_days),
		cmocka_unit_test(a_clock_that_stood_ends_as_much_later),
		cmocka_unit_test(seventy_two_hours_are_hours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
