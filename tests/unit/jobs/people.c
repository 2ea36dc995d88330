/* See people.h. */
#include "tests/unit/jobs/people.h"

#include <string.h>

#include "foyer/require.h"
#include "storage/consents.h"

static void add_people(struct task *t)
{
	static uint64_t serial;
	struct people *p = t->arg;
	for (unsigned i = 0; i < p->count; i++) {
		uint8_t *hash = fy_zalloc(t->ctx.arena, 32);
		uint64_t id;
		serial++;
		memcpy(hash, &serial, sizeof serial);
		struct fy_account_new account = { .email = { FY_LIT("x@example.org") },
						  .email_hash = fy_slice(hash, 32),
						  .given_name = { FY_LIT("X") },
						  .family_name = { FY_LIT("Y") },
						  .language = FY_LANG_EN,
						  .role = p->role,
						  .state = p->state ? p->state : FY_ACCOUNT_ACTIVE };
		struct fy_profile profile = { .given_name = account.given_name,
					      .family_name = account.family_name,
					      .language = account.language,
					      .phone = { p->phone ? FY_LIT("+33 1 23 45 67 89") : FY_NONE } };
		CHECK_CODE(fy_accounts_create(&t->ctx, &account, 0, FY_NONE, 0, NULL, &id), 0);
		if (p->agree)
			CHECK_CODE(fy_consents_set(&t->ctx, id, FY_CONSENT_MARKET_RESEARCH, true), 0);
		CHECK_CODE(fy_accounts_update_profile(&t->ctx, id, 1, &profile, NULL), 0);
		if (i < FY_COUNT(p->ids))
			p->ids[i] = id;
	}
}

struct people given_people(struct people people)
{
	run_tasks(1, add_people, &people);
	return people;
}

struct run {
	const char *job;
	bool dry;
	struct outcome outcome;
};

static void run_job(struct task *t)
{
	struct run *run = t->arg;
	struct fy_job_report report;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, run->job, run->dry, &report), 0);
	run->outcome.result = report.result;
	snprintf(run->outcome.detail, sizeof run->outcome.detail, FY_FMT, FY_ARG(report.detail));
}

struct outcome run_named(const char *job, bool dry)
{
	struct run run = { .job = job, .dry = dry };
	run_tasks(1, run_job, &run);
	return run.outcome;
}
