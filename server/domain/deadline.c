/* See deadline.h. */
#include "server/domain/deadline.h"

#include "foyer/require.h"

/* By the anonymous rule of 1876 (also Meeus, Astronomical Algorithms, chapter 8): good for every Gregorian year. */
struct fy_date fy_deadline_easter(int year)
{
	int golden = year % 19, century = year / 100, rest = year % 100;
	int epact = (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
	int sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
	int late = (golden + 11 * epact + 22 * sunday) / 451;
	int day = epact + sunday - 7 * late + 114;
	return (struct fy_date){ year, day / 31, day % 31 + 1 };
}

bool fy_deadline_is_holiday(struct fy_date date)
{
	static const struct {
		int month, day;
	} fixed[] = { { 1, 1 }, { 5, 1 }, { 5, 8 }, { 7, 14 }, { 8, 15 }, { 11, 1 }, { 11, 11 }, { 12, 25 } };
	static const int64_t after_easter[] = { 1, 39, 50 }; /* Easter Monday, Ascension, Whit Monday */
	int64_t days = fy_date_days(date) - fy_date_days(fy_deadline_easter(date.year));

	for (size_t i = 0; i < FY_COUNT(fixed); i++)
		if (fixed[i].month == date.month && fixed[i].day == date.day)
			return true;
	for (size_t i = 0; i < FY_COUNT(after_easter); i++)
		if (days == after_easter[i])
			return true;
	return false;
}

bool fy_deadline_is_working_day(struct fy_date date)
{
	int weekday = fy_date_weekday(date);
	return weekday != 0 && weekday != 6 && !fy_deadline_is_holiday(date);
}

fy_time fy_deadline_after_months(fy_time from, int months)
{
	struct fy_date last = fy_date_add_months(fy_paris_date(from), months);

	while (!fy_deadline_is_working_day(last))
		last = fy_date_add_days(last, 1);
	return fy_paris_day_start(fy_date_add_days(last, 1)) - 1;
}

fy_time fy_deadline_resume(fy_time counts_from, fy_time stopped_at, fy_time now)
{
	return now > stopped_at ? counts_from + (now - stopped_at) : counts_from;
}

fy_time fy_deadline_of_breach(fy_time aware_at)
{
	return aware_at + FY_DEADLINE_BREACH;
}

int64_t fy_deadline_days_left(fy_time due, fy_time now)
{
	return fy_date_days(fy_paris_date(due)) - fy_date_days(fy_paris_date(now));
}

int64_t fy_deadline_hours_left(fy_time due, fy_time now)
{
	return (due - now) / FY_HOUR;
}
