/* How far telling people of something by mail has come: accounts in ascending order, each mail in one transaction with
 * the step to its account. Part of what is told of (announcements.h, studies.h); the way is jobs/tell.h's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fy_telling {
	bool counted, ended;
	uint64_t persons; /* how many have to be told, once counted */
	uint64_t told;
	uint64_t cursor; /* accounts up to this id are done */
};
