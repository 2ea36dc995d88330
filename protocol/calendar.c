/* Calendar arithmetic, UTC and Europe/Paris (declared in datetime.h).
 * Leaves texts to datetime.c. Pure numbers: no time zone files, no locale, no global state, any thread. */
#include "protocol/datetime.h"

bool fy_date_is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int fy_date_month_days(int year, int month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	if (month < 1 || month > 12)
		return 0;
	return days[month - 1] + (month == 2 && fy_date_is_leap(year));
}

bool fy_date_valid(struct fy_date d)
{
	return d.year >= 1 && d.year <= 9999 && d.day >= 1 && d.day <= fy_date_month_days(d.year, d.month);
}

/* Days before the first of March of `year`, counted from 1 March of year 0: then leap days come last. */
int64_t fy_date_days(struct fy_date d)
{
	int64_t year = d.month > 2 ? d.year : d.year - 1;
	int64_t month = d.month > 2 ? d.month - 3 : d.month + 9;
	return year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + d.day - 1 - 719468;
}

#define DAY_FIRST ((int64_t)-719162) /* 0001-01-01 */
#define DAY_LAST ((int64_t)2932896)  /* 9999-12-31 */

static int64_t clamp(int64_t days)
{
	return days < DAY_FIRST ? DAY_FIRST : days > DAY_LAST ? DAY_LAST : days;
}

struct fy_date fy_date_from_days(int64_t days)
{
	days = clamp(days) + 719468; /* since 0000-03-01 */
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	struct fy_date d;
	d.day = (int)(of_year - (153 * month + 2) / 5 + 1);
	d.month = (int)(month < 10 ? month + 3 : month - 9);
	d.year = (int)(year + era * 400 + (d.month <= 2));
	return d;
}

int fy_date_weekday(struct fy_date d)
{
	int64_t days = (fy_date_days(d) + 4) % 7; /* 1970-01-01 was a Thursday */
	return (int)(days < 0 ? days + 7 : days);
}

int fy_date_compare(struct fy_date a, struct fy_date b)
{
	if (a.year != b.year)
		return a.year < b.year ? -1 : 1;
	if (a.month != b.month)
		return a.month < b.month ? -1 : 1;
	return a.day < b.day ? -1 : a.day > b.day;
}

struct fy_date fy_date_add_months(struct fy_date d, int months)
{
	int64_t count = (int64_t)d.year * 12 + d.month - 1 + months;
	if (count < 12)
		return (struct fy_date){ 1, 1, 1 };
	if (count >= 10000 * 12)
		return (struct fy_date){ 9999, 12, 31 };
	struct fy_date sum = { (int)(count / 12), (int)(count % 12) + 1, d.day };
	int last = fy_date_month_days(sum.year, sum.month);
	if (sum.day > last)
		sum.day = last;
	return sum;
}

struct fy_date fy_date_add_days(struct fy_date d, int64_t days)
{
	/* Clamped first, so that no sum overflows. */
	if (days > DAY_LAST - DAY_FIRST)
		days = DAY_LAST - DAY_FIRST;
	if (days < DAY_FIRST - DAY_LAST)
		days = DAY_FIRST - DAY_LAST;
	return fy_date_from_days(fy_date_days(d) + days);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

struct fy_datetime fy_datetime_utc(fy_time t)
{
	fy_time first = DAY_FIRST * FY_DAY, last = (DAY_LAST + 1) * FY_DAY - 1;
	if (t < first)
		t = first;
	if (t > last)
		t = last;
	int64_t day = floor_div(t, FY_DAY), of_day = t - day * FY_DAY;
	struct fy_datetime dt = { .date = fy_date_from_days(day) };
	dt.micro = (int)(of_day % FY_SECOND);
	dt.second = (int)(of_day / FY_SECOND % 60);
	dt.minute = (int)(of_day / FY_MINUTE % 60);
	dt.hour = (int)(of_day / FY_HOUR);
	dt.weekday = fy_date_weekday(dt.date);
	return dt;
}

fy_time fy_time_from_utc(const struct fy_datetime *dt)
{
	int second = dt->second > 59 ? 59 : dt->second;
	return fy_date_days(dt->date) * FY_DAY + dt->hour * FY_HOUR + dt->minute * FY_MINUTE + second * FY_SECOND +
	       dt->micro;
}

/* 01:00 UTC on the last Sunday of the month. */
static fy_time turn(int year, int month)
{
	struct fy_date last = { year, month, 31 };
	return (fy_date_days(last) - fy_date_weekday(last)) * FY_DAY + FY_HOUR;
}

int fy_paris_offset_s(fy_time t)
{
	int year = fy_datetime_utc(t).date.year;
	return t >= turn(year, 3) && t < turn(year, 10) ? 7200 : 3600;
}

struct fy_datetime fy_datetime_paris(fy_time t)
{
	/* Clamped so that the sum neither overflows nor leaves the calendar. */
	fy_time last = (DAY_LAST + 1) * FY_DAY - 3 * FY_HOUR;
	if (t > last)
		t = last;
	if (t < DAY_FIRST * FY_DAY)
		t = DAY_FIRST * FY_DAY;
	return fy_datetime_utc(t + fy_paris_offset_s(t) * FY_SECOND);
}

fy_time fy_time_from_paris(const struct fy_datetime *dt)
{
	fy_time local = fy_time_from_utc(dt);
	/* Try summer first: it gives the first of two equal local times, and is right all summer. In the hour that
	 * spring leaves out neither fits, and winter's offset moves it one hour later. */
	fy_time summer = local - 2 * FY_HOUR;
	return fy_paris_offset_s(summer) == 7200 ? summer : local - FY_HOUR;
}

struct fy_date fy_paris_date(fy_time t)
{
	return fy_datetime_paris(t).date;
}

fy_time fy_paris_day_start(struct fy_date date)
{
	struct fy_datetime dt = { .date = date };
	return fy_time_from_paris(&dt);
}

fy_time fy_time_add_months(fy_time t, int months)
{
	struct fy_datetime dt = fy_datetime_paris(t);
	dt.date = fy_date_add_months(dt.date, months);
	return fy_time_from_paris(&dt);
}
