/* Dates and times as text, both ways, and calendar arithmetic in the proleptic Gregorian calendar.
 * Leaves reading the clock to foyer/clock.h. Europe/Paris follows the rule of directive 2000/84/EC (last
 * Sundays of March and October, 01:00 UTC) for every year: no time zone files, no global state. */
#pragma once

#include <stdbool.h>

#include "foyer/arena.h"
#include "foyer/buf.h"
#include "foyer/clock.h"
#include "foyer/ctx.h"
#include "foyer/slice.h"

/* Years 1 to 9999; a second of 60 (leap) is read as 59 of the same minute. */
struct fy_date {
	int year, month, day; /* month and day from 1 */
};

struct fy_datetime {
	struct fy_date date;
	int hour, minute, second, micro;
	int weekday; /* 0 = Sunday; ignored on input */
};

bool fy_date_valid(struct fy_date date);
bool fy_date_is_leap(int year);
int fy_date_month_days(int year, int month);
int fy_date_weekday(struct fy_date date);  /* 0 = Sunday */
int64_t fy_date_days(struct fy_date date); /* since 1970-01-01; may be negative */
struct fy_date fy_date_from_days(int64_t days);
int fy_date_compare(struct fy_date a, struct fy_date b); /* < 0, 0, > 0 */

/* Months (or 12 x years) later or earlier; the day is cut to the month's last (31 January + 1 = 28 or 29
 * February). The result is clamped to the years 1 to 9999. */
struct fy_date fy_date_add_months(struct fy_date date, int months);
struct fy_date fy_date_add_days(struct fy_date date, int64_t days);

struct fy_datetime fy_datetime_utc(fy_time t);
struct fy_datetime fy_datetime_paris(fy_time t);
fy_time fy_time_from_utc(const struct fy_datetime *dt);
/* A local time that does not exist (spring) moves one hour later; one that exists twice is the first. */
fy_time fy_time_from_paris(const struct fy_datetime *dt);
int fy_paris_offset_s(fy_time t); /* 3600 or 7200 */
struct fy_date fy_paris_date(fy_time t);
fy_time fy_paris_day_start(struct fy_date date);   /* 00:00 in Paris */
fy_time fy_time_add_months(fy_time t, int months); /* keeps the local time of day in Paris */

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), 29 bytes. */
void fy_put_imf_date(struct fy_buf *buf, fy_time t);
/* All three forms that recipients must accept; a two-digit year is taken within 50 years of `now`. */
int fy_parse_http_date(struct fy_slice text, fy_time now, fy_time *ret_time);

/* "2026-11-22T13:05:00Z" (RFC 3339); with microseconds only where `micros`. */
void fy_put_rfc3339(struct fy_buf *buf, fy_time t, bool micros);
int fy_parse_rfc3339(struct fy_slice text, fy_time *ret_time);
/* "2026-11-22", both ways. */
void fy_put_iso_date(struct fy_buf *buf, struct fy_date date);
int fy_parse_iso_date(struct fy_slice text, struct fy_date *ret_date);

/* "22/Nov/2026:14:05:00 +0100" as Common Log Format has it, in Paris time; read with any offset. */
void fy_put_clf_date(struct fy_buf *buf, fy_time t);
int fy_parse_clf_date(struct fy_slice text, fy_time *ret_time);
/* "Sun, 22 Nov 2026 14:05:00 +0100" (RFC 5322 3.3), in Paris time. */
void fy_put_mail_date(struct fy_buf *buf, fy_time t);

/* For people, in Paris time: "22 novembre 2026", "1er mai 2026" / "22 November 2026"; with the time
 * "22 novembre 2026 à 14:05" / "22 November 2026, 14:05". */
void fy_put_human_date(struct fy_buf *buf, struct fy_date date, enum fy_lang lang);
void fy_put_human_time(struct fy_buf *buf, fy_time t, enum fy_lang lang);
