/* See tell.h. */
#include "jobs/tell.h"

#include "foyer/config.h"
#include "foyer/log.h"
#include "storage/outbox.h"

#define SLICE 500 /* accounts that are looked at, at a time */

/* One way through the accounts from the cursor on. `use` gets those of a slice who are concerned, and the last id of the
 * slice, or 0 at the end. */
struct walk {
	struct fy_job_run *run;
	const struct fy_tell_kind *kind;
	void *item;
	uint64_t from; /* the cursor when it began */
	fy_async int (*use)(struct walk *walk, struct fy_ctx *ctx, const void *people, size_t count, uint64_t last);
	uint64_t count; /* concerned; or how many more may be told */
	bool enough;    /* set by `use`: the rest is the next run's */
};

static fy_async int go(struct walk *walk)
{
	struct fy_job_run *run = walk->run;
	uint64_t after = walk->from, last;
	int err;
	do {
		struct fy_arena arena; /* of a slice: there may be many */
		struct fy_ctx ctx = *run->ctx;
		void *people;
		size_t count;
		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		err = walk->kind->people(&ctx, walk->item, after, SLICE, &people, &count, &last);
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

static fy_async int count_people(struct walk *walk, struct fy_ctx *ctx, const void *people, size_t count, uint64_t last)
{
	(void)ctx;
	(void)people;
	(void)last;
	walk->count += count;
	return 0;
}

static fy_async int tell_one(struct walk *walk, struct fy_ctx *ctx, const void *person)
{
	struct fy_job_run *run = walk->run;
	uint64_t id;
	memcpy(&id, person, sizeof id);
	int err = run->dry_run ? 0 : walk->kind->tell(ctx, walk->item, person);
	if (err == FY_ERR_NOT_FOUND || err == FY_ERR_DENIED)
		return 0;
	if (err == FY_ERR_UNREADABLE) {
		fy_log(ctx, FY_LOG_ERROR, "account.unreadable", FY_KV("detail", ctx->fault));
		fy_job_note_id(run, "leave alone", "unreadable accounts", id);
		return 0;
	}
	if (err)
		return err;
	fy_job_note_id(run, "send", walk->kind->object, id);
	walk->count--;
	return run->dry_run ? 0 : fy_job_may_go_on(run);
}

static fy_async int tell_people(struct walk *walk, struct fy_ctx *ctx, const void *people, size_t count, uint64_t last)
{
	int err = 0;
	for (size_t i = 0; i < count && err == 0 && !walk->enough; i++) {
		walk->enough = walk->count == 0;
		if (!walk->enough)
			err = tell_one(walk, ctx, (const char *)people + i * walk->kind->person_size);
	}
	if (err == 0 && last && !walk->enough && !walk->run->dry_run)
		err = walk->kind->pass(ctx, walk->item, last);
	return err;
}

fy_async int fy_tell_room(struct fy_ctx *ctx, uint64_t *ret_left)
{
	uint64_t most = (uint64_t)ctx->config->mail_announcements_per_run, waiting;
	int err = fy_outbox_count_due(ctx, &waiting);
	if (err == 0)
		*ret_left = most > waiting ? most - waiting : 0;
	return err;
}

static fy_async int count_once(struct walk *walk, struct fy_telling *telling)
{
	int err = telling->counted ? 0 : go(walk);
	if (err || telling->counted)
		return err;
	telling->persons = walk->count;
	return walk->run->dry_run ? 0 : walk->kind->count(walk->run->ctx, walk->item);
}

fy_async int fy_tell(struct fy_job_run *run, const struct fy_tell_kind *kind, void *item, struct fy_telling *telling,
		     uint64_t *left)
{
	struct walk counting = { .run = run, .kind = kind, .item = item, .from = telling->cursor, .use = count_people };
	struct walk telling_all = counting;
	uint64_t told = telling->told;
	telling_all.use = tell_people;
	telling_all.count = *left;
	int err = count_once(&counting, telling);
	if (err)
		return err;
	fy_job_note(run, "send", kind->object, 0, FY_NONE);
	err = go(&telling_all);
	told += *left - telling_all.count;
	*left = telling_all.count;
	if (err)
		return err;
	if (telling_all.enough) {
		fy_job_note(run, "leave for the next run", "accounts",
			    telling->persons > told ? telling->persons - told : 1, FY_NONE);
		return 0;
	}
	telling->ended = true;
	return run->dry_run ? 0 : kind->end(run->ctx, item);
}
