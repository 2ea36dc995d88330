/* The studies job: sends the invitations to market research that the team has released, one mail to each person who agreed
 * to be asked. Whom and what is kept of it is storage/studies.h's, the words are the author's (letters.h), the way is
 * tell.h's. One after the other, oldest first. */
#include "foyer/log.h"
#include "jobs/letters.h"
#include "jobs/tell.h"

static fy_async int people(struct fy_ctx *ctx, void *item, uint64_t after, unsigned limit, void **ret_people,
			   size_t *ret_count, uint64_t *ret_last)
{
	struct fy_study_person *found;
	(void)item;
	int err = fy_studies_people(ctx, after, limit, &found, ret_count, ret_last);
	if (err == 0)
		*ret_people = found;
	return err;
}

static fy_async int tell(struct fy_ctx *ctx, void *item, const void *person)
{
	return fy_studies_tell(ctx, item, person, fy_jobs_letters()->study);
}

static fy_async int count_them(struct fy_ctx *ctx, void *item)
{
	return fy_studies_count(ctx, item);
}

static fy_async int pass(struct fy_ctx *ctx, void *item, uint64_t id)
{
	return fy_studies_pass(ctx, item, id);
}

static fy_async int end(struct fy_ctx *ctx, void *item)
{
	const struct fy_study *study = item;
	int err = fy_studies_end(ctx, study);
	if (err == 0)
		fy_log(ctx, FY_LOG_INFO, "study.ended", FY_KV("study", study->id),
		       FY_KV("persons", study->telling.told));
	return err;
}

static const struct fy_tell_kind invitation = {
	.object = "invitations to market research",
	.person_size = sizeof(struct fy_study_person),
	.people = people,
	.tell = tell,
	.count = count_them,
	.pass = pass,
	.end = end,
};

/* Somebody stopped it meanwhile: the cursor does not move any more. Where another run has the lease, the question whether
 * to go on says so. */
static fy_async int unless_stopped(struct fy_job_run *run, struct fy_study *study, int err)
{
	struct fy_study now;
	if (err != FY_ERR_EXPIRED || fy_job_may_go_on(run))
		return err;
	int again = fy_studies_get(run->ctx, study->id, &now);
	if (again || now.state == FY_STUDY_SENDING)
		return again ? again : err;
	fy_job_note_id(run, "leave alone", "invitations that were stopped", study->id);
	study->telling.ended = true;
	return 0;
}

fy_async int fy_studies_run(struct fy_job_run *run)
{
	struct fy_study *studies;
	uint64_t left = 0;
	size_t count;
	int err = fy_studies_under_way(run->ctx, &studies, &count);
	if (err == 0 && count)
		err = fy_tell_room(run->ctx, &left);
	for (size_t i = 0; i < count && err == 0; i++) {
		err = fy_tell(run, &invitation, &studies[i], &studies[i].telling, &left);
		err = unless_stopped(run, &studies[i], err);
		if (!studies[i].telling.ended)
			break;
	}
	return err;
}
