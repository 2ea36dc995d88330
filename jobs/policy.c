/* The policy job: tells the persons concerned of a version of the policy that this installation has not had before, by
 * one mail each. Who is concerned and what is kept of it is storage/announcements.h's, the words are the author's
 * (letters.h).
 *
 * A run adds no more mails than would let `mail.announcements_per_run` of them wait, so that a thousand announcements do
 * not stand before the mail of somebody who has just registered. Versions are told one after the other, oldest first. */
#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/job.h"
#include "jobs/letters.h"
#include "storage/outbox.h"

#define SLICE 500 /* accounts that are looked at, at a time */

/* One way through the accounts from the cursor on. `use` gets those of a slice who are concerned, and the last id of the
 * slice, or 0 at the end. */
struct walk {
	struct fy_job_run *run;
	struct fy_announcement *item;
	fy_async int (*use)(struct walk *walk, struct fy_ctx *ctx, const struct fy_announcement_person *people,
			    size_t count, uint64_t last);
	uint64_t count; /* concerned; or how many more may be told */
	bool enough;    /* set by `use`: the rest is the next run's */
};

static fy_async int go(struct walk *walk)
{
	struct fy_job_run *run = walk->run;
	uint64_t after = walk->item->cursor, last;
	int err;
	do {
		struct fy_arena arena; /* of a slice: there may be many */
		struct fy_ctx ctx = *run->ctx;
		struct fy_announcement_person *people;
		size_t count;
		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		err = fy_announcements_people(&ctx, walk->item, after, SLICE, &people, &count, &last);
		if (err == 0)
			err = walk->use(walk, &ctx, people, count, last);
		if (err && ctx.fault)
			fy_fail(run->ctx, err, "%s", ctx.fault);
		fy_arena_finish(&arena);
		if (err == 0)
			err = fy_job_continue(run);
		after = last;
	} while (err == 0 && last && !walk->enough);
	return err;
}

static fy_async int count_people(struct walk *walk, struct fy_ctx *ctx, const struct fy_announcement_person *people,
				 size_t count, uint64_t last)
{
	(void)ctx;
	(void)people;
	(void)last;
	walk->count += count;
	return 0;
}

static fy_async int tell_one(struct walk *walk, struct fy_ctx *ctx, const struct fy_announcement_person *person)
{
	struct fy_job_run *run = walk->run;
	int err = run->dry_run ? 0 : fy_announcements_tell(ctx, walk->item, person, fy_jobs_letters()->policy);
	if (err == FY_ERR_NOT_FOUND) /* gone, or told, meanwhile */
		return 0;
	if (err == FY_ERR_UNREADABLE) {
		fy_log(ctx, FY_LOG_ERROR, "account.unreadable", FY_KV("detail", ctx->fault));
		fy_job_note_id(run, "leave alone", "unreadable accounts", person->id);
		return 0;
	}
	if (err)
		return err;
	fy_job_note_id(run, "send", "announcements of a change of the policy", person->id);
	walk->count--;
	return run->dry_run ? 0 : fy_job_may_go_on(run);
}

static fy_async int tell_people(struct walk *walk, struct fy_ctx *ctx, const struct fy_announcement_person *people,
				size_t count, uint64_t last)
{
	int err = 0;
	for (size_t i = 0; i < count && err == 0 && !walk->enough; i++) {
		walk->enough = walk->count == 0;
		if (!walk->enough)
			err = tell_one(walk, ctx, &people[i]);
	}
	if (err == 0 && last && !walk->enough && !walk->run->dry_run)
		err = fy_announcements_pass(ctx, walk->item, last);
	return err;
}

/* Afterwards item->ended says whether all are told. */
static fy_async int announce(struct fy_job_run *run, struct fy_announcement *item, uint64_t *left)
{
	struct walk counting = { .run = run, .item = item, .use = count_people };
	struct walk telling = { .run = run, .item = item, .use = tell_people, .count = *left };
	uint64_t told = item->told;
	int err = item->counted ? 0 : go(&counting);
	if (err == 0 && !item->counted) {
		item->persons = counting.count;
		err = run->dry_run ? 0 : fy_announcements_count(run->ctx, item);
	}
	if (err)
		return err;
	fy_job_note(run, "send", "announcements of a change of the policy", 0, FY_NONE);
	err = go(&telling);
	told += *left - telling.count;
	*left = telling.count;
	if (err)
		return err;
	if (telling.enough) {
		fy_job_note(run, "leave for the next run", "accounts", item->persons > told ? item->persons - told : 1,
			    FY_NONE);
		return 0;
	}
	item->ended = true;
	if (run->dry_run)
		return 0;
	fy_log(run->ctx, FY_LOG_INFO, "policy.announced", FY_KV("version", item->version->date),
	       FY_KV("persons", told));
	return fy_announcements_end(run->ctx, item);
}

/* How many mails may be added, so that no more than the setting says wait. */
static fy_async int room(struct fy_ctx *ctx, uint64_t *ret_left)
{
	uint64_t most = (uint64_t)ctx->config->mail_announcements_per_run, waiting;
	int err = fy_outbox_count_due(ctx, &waiting);
	if (err == 0)
		*ret_left = most > waiting ? most - waiting : 0;
	return err;
}

fy_async int fy_policy_run(struct fy_job_run *run)
{
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
		if (err || items[i].ended)
			continue;
		if (!asked)
			err = room(run->ctx, &left);
		asked = true;
		if (err == 0)
			err = announce(run, &items[i], &left);
		if (!items[i].ended)
			break;
	}
	return err;
}
