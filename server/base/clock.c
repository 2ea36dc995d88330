/* The wall clock, and the shift by which tests and `jobs run --at` move it. */
#include "foyer/clock.h"

#include <time.h>

static fy_time shift;

fy_time fy_clock(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (fy_time)ts.tv_sec * FY_SECOND + ts.tv_nsec / 1000 + shift;
}

void fy_clock_shift(fy_time by)
{
	shift += by;
}
