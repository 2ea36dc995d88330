/* Until when the law lets us answer: the month of GDPR Article 12(3), its extension, and the 72 hours of Article 33.
 * Periods in months are counted by Regulation 1182/71: the day of receipt does not count, the period ends with the
 * last hour of the day of the same number (or the month's last day), and a Saturday, Sunday or public holiday at its
 * end moves it to the next working day (Article 3(1), (2)(c) and (4)). Days are those of Europe/Paris, holidays those
 * of Paris. Pure; called by the routes of requests and breaches. */
#pragma once

#include "protocol/datetime.h"

#define FY_DEADLINE_MONTHS 1          /* Article 12(3), first sentence */
#define FY_DEADLINE_EXTENDED_MONTHS 3 /* the first month and the two further ones of the second sentence */
#define FY_DEADLINE_BREACH (72 * FY_HOUR)

/* The Gregorian Easter Sunday. */
struct fy_date fy_deadline_easter(int year);
/* A public holiday of the French Labour Code (L3133-1). */
bool fy_deadline_is_holiday(struct fy_date date);
bool fy_deadline_is_working_day(struct fy_date date); /* Monday to Friday and no holiday */

/* The last microsecond of the last day of a period of `months` that an event at `from` begins: at that time the answer
 * is in time, one microsecond later it is late. */
fy_time fy_deadline_after_months(fy_time from, int months);

/* From when the month counts once a clock that stood since `stopped_at` runs again: as much later as it stood. */
fy_time fy_deadline_resume(fy_time counts_from, fy_time stopped_at, fy_time now);

/* The 72 hours from becoming aware. Regulation 1182/71 would let them begin with the next full hour and forbids no
 * Sunday in them: the stricter reading is the safe one. */
fy_time fy_deadline_of_breach(fy_time aware_at);

/* Paris days from today to the day of `due`: 0 today, negative once it is over. */
int64_t fy_deadline_days_left(fy_time due, fy_time now);
/* Full hours, towards zero: 0 in the last one, negative from an hour after the end. */
int64_t fy_deadline_hours_left(fy_time due, fy_time now);
