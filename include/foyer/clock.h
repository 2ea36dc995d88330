/* Wall-clock time as microseconds since 1970, UTC.
 * Code takes the time from its context (ctx->now), so that tests and `jobs run --at` can move it; only
 * the places that make a context read the clock. Formats are in protocol/datetime.h. */
#pragma once

#include <stdint.h>

typedef int64_t fy_time;

#define FY_SECOND ((fy_time)1000000)
#define FY_MINUTE (60 * FY_SECOND)
#define FY_HOUR (60 * FY_MINUTE)
#define FY_DAY (24 * FY_HOUR)

/* The real clock, moved by fy_clock_shift. */
fy_time fy_clock(void);

/* Moves what fy_clock returns, for this process. */
void fy_clock_shift(fy_time by);

static inline int64_t fy_unix(fy_time t)
{
	return t / FY_SECOND;
}
