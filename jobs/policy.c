/* The policy job: tells the persons concerned of a version of the policy that this installation has not had before, by
 * one mail each. Who is concerned and what is kept of it is storage/announcements.h's, the words are the author's
 * (letters.h), the way is tell.h's. Versions are told one after the other, oldest first. */
#include "foyer/log.h"
#include "jobs/letters.h"
#include "jobs/tell.h"

static fy_async int people(struct fy_ctx *ctx, void *item, uint64_t after, unsigned limit, void **ret_people,
			   size_t *ret_count, uint64_t *ret_last)
{
	struct fy_announcement_person *found;
	int err = fy_announcements_people(ctx, item, after, limit, &found, ret_count, ret_last);
	if (err == 0)
		*ret_people = found;
	return err;
}

static fy_async int tell(struct fy_ctx *ctx, void *item, const void *person)
{
	return fy_announcements_tell(ctx, item, person, fy_jobs_letters()->policy);
}

static fy_async int count_them(struct fy_ctx *ctx, void *item)
{
	return fy_announcements_count(ctx, item);
}

static fy_async int pass(struct fy_ctx *ctx, void *item, uint64_t id)
{
	return fy_announcements_pass(ctx, item, id);
}

static fy_async int end(struct fy_ctx *ctx, void *arg)
{
	const struct fy_announcement *item = arg;
	fy_log(ctx, FY_LOG_INFO, "policy.announced", FY_KV("version", item->version->date),
	       FY_KV("persons", item->telling.told));
	return fy_announcements_end(ctx, item);
}

fy_async int fy_policy_run(struct fy_job_run *run)
{
	static const struct fy_tell_kind announcement = {
		.object = "announcements of a change of the policy",
		.person_size = sizeof(struct fy_announcement_person),
		.people = people,
		.tell = tell,
		.count = count_them,
		.pass = pass,
		.end = end,
	};
	struct fy_announcement *items;
	uint64_t left = 0;
	size_t count;
	bool asked = false;
	int err = fy_announcements_list(run->ctx, &items, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		if (items[i].rewritten)
			fy_job_note(run, "leave alone", "versions of the policy that were rewritten", 1,
				    fy_str(items[i].version->date));
		if (!items[i].noted && !run->dry_run)
			err = fy_announcements_note(run->ctx, &items[i]);
		if (err || items[i].telling.ended)
			continue;
		if (!asked)
			err = fy_tell_room(run->ctx, &left);
		asked = true;
		if (err == 0)
			err = fy_tell(run, &announcement, &items[i], &items[i].telling, &left);
		if (!items[i].telling.ended)
			break;
	}
	return err;
}
