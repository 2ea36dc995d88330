/* The oldest line that an access log still holds, and so the oldest network address that is kept.
 * Read from the files themselves, not from what a rotation believes. Blocking: called on the thread pool. */
#pragma once

#include "foyer/clock.h"

/* Of access.log and its rotated files in `dir`; 0: there is no line. A file whose first line is not ours counts as of
 * the day in its name. Returns 0 or -errno. */
int fy_oldest_line(const char *dir, fy_time *ret_at);
