/* Who holds a lease or a claim: a name that a process of the same machine can test for life, so that what a killed
 * worker held is taken up at once and not when it would have lapsed. Pure but for reads of /proc, which do not
 * block. */
#pragma once

#include <stdbool.h>

#include "foyer/slice.h"
#include "storage/leases.h"

/* Writes "host:pid:started:space" of this process, where `started` is in clock ticks since the boot (proc(5), stat,
 * field 22) and `space` stands for this boot and this PID namespace. */
void fy_worker_name(char ret_name[FY_LEASE_OWNER_MAX + 1]);

/* True only where it is certain: the name is of this boot and this PID namespace, and no such process lives. */
bool fy_worker_gone(struct fy_slice name);
