/* Accounts that may be told of something, and a run of the job that tells them: for the tests of the jobs that write to
 * many people. */
#pragma once

#include "storage/accounts.h"
#include "tests/unit/jobs/harness.h"

struct people {
	unsigned count;
	bool phone, agree; /* a phone number is held; they agreed to market research */
	enum fy_account_role role;
	enum fy_account_state state; /* 0: active */
	uint64_t ids[8];             /* of the first ones */
};

struct people given_people(struct people people);

struct outcome {
	int result;
	char detail[300];
};
struct outcome run_named(const char *job, bool dry);
