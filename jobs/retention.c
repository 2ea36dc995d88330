/* The retention job: erases the accounts whose date has come, and warns those that nobody uses (rules 1.7, 1.8); erases
 * persons entered by a member who could not be told of it (rules 1.3), or whose record nobody uses.
 * What warnings and erasure do in the database is inactive.h's, erasure.h's and provided.h's; their words are the author's
 * (letters.h). Everything else that has its time is the purge's.
 *
 * It believes the clock only while it runs on as it should: after a jump it holds everything for a day, so that a wrong
 * clock erases nobody. A run that was asked for another time (--at) is not held. */
#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/job.h"
#include "jobs/letters.h"
#include "storage/facts.h"
#include "storage/holds.h"
#include "storage/inactive.h"
#include "storage/proofs.h"
#include "storage/provided.h"
#include "storage/register.h"
#include "storage/restriction.h"
#include "storage/sessions.h"

#define SLICE 100
#define JUMP_BACK FY_HOUR
#define JUMP_AHEAD (3 * FY_DAY) /* a server may have been off for a weekend */
#define HOLD FY_DAY
#define CLOCK FY_LIT("retention_clock")
#define HELD FY_LIT("retention_held_until")

static const struct fy_job_letters *letters;

void fy_jobs_set_letters(const struct fy_job_letters *new_letters)
{
	letters = new_letters;
}

const struct fy_job_letters *fy_jobs_letters(void)
{
	FY_REQUIRE(letters != NULL);
	return letters;
}

fy_async int fy_jobs_erase(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice *ret_receipt)
{
	int err = fy_erasure_close(ctx, account_id);
	if (err == 0) /* before the account goes: after it, nothing would come back for them */
		err = fy_sessions_end_person(ctx, account_id, NULL, NULL);
	if (err == 0)
		err = fy_provided_end_all(ctx, account_id, &fy_jobs_letters()->provided);
	if (err == 0)
		err = fy_erasure_finish(ctx, account_id, fy_jobs_letters()->erased, ret_receipt);
	if (err == 0)
		fy_log(ctx, FY_LOG_INFO, "account.erased", FY_KV("account", account_id));
	return err;
}

/* FY_ERR_DENIED, with a sentence: the clock has jumped, and nothing is decided by it yet. */
static fy_async int check_clock(struct fy_job_run *run)
{
	struct fy_ctx *ctx = run->ctx;
	fy_time now = fy_clock(), last, held;
	if (now - ctx->now > FY_MINUTE || ctx->now - now > FY_MINUTE)
		return 0; /* somebody chose another time */
	int err = fy_fact_get_time(ctx, CLOCK, &last);
	if (err == 0)
		err = fy_fact_get_time(ctx, HELD, &held);
	if (err)
		return err;
	bool jumped = last && (now < last - JUMP_BACK || now > last + JUMP_AHEAD);
	if (jumped)
		held = now + HOLD;
	if (!run->dry_run) {
		err = jumped ? fy_fact_set_time(ctx, HELD, held) : 0;
		if (err == 0) /* last, or the jump would be forgotten where this is cut off */
			err = fy_fact_set_time(ctx, CLOCK, now);
		if (err)
			return err;
	}
	if (now >= held || held > now + HOLD) /* the latter: the clock was put back since */
		return 0;
	return fy_fail(ctx, FY_ERR_DENIED, "the clock has jumped, so nobody is warned or erased for a day after that");
}

/* What stops the whole run, rather than one account. */
static bool is_general(int err)
{
	return err == FY_ERR_DB_DOWN || err == FY_ERR_REDIS_DOWN || err == FY_ERR_TIMEOUT || err == FY_ERR_BUSY ||
	       err == FY_ERR_CANCELLED || err == FY_ERR_EXPIRED;
}

/* One that cannot be dealt with is named and tried again by the next run; it does not keep the others, but the run has
 * failed. */
static bool set_aside(struct fy_job_run *run, const char *object, uint64_t id, int *err)
{
	if (*err == 0 || is_general(*err))
		return false;
	fy_log(run->ctx, FY_LOG_ERROR, "retention.failed", FY_KV("what", object), FY_KV("id", id),
	       FY_KV("error", fy_strerror(*err)), FY_KV("detail", run->ctx->fault ? run->ctx->fault : ""));
	fy_job_note_id(run, "leave for the next run", object, id);
	run->failed = *err;
	*err = 0;
	return true;
}

static fy_async int erase_due(struct fy_job_run *run, uint64_t *left)
{
	uint64_t after = 0, *ids;
	size_t count;
	fy_job_note(run, "erase", "accounts", 0, FY_NONE);
	do {
		int err = fy_erasure_list_due(run->ctx, after, SLICE, &ids, &count);
		for (size_t i = 0; i < count && err == 0 && *left; i++) {
			after = ids[i];
			struct fy_hold hold = { 0 };
			if (err == 0)
				err = fy_holds_of(run->ctx, ids[i], FY_PURPOSE_LEGAL_DUTIES, &hold);
			if (err == 0 && hold.id) {
				fy_job_note_id(run, "leave alone", "accounts under a legal hold", ids[i]);
				continue;
			}
			if (err == 0 && !run->dry_run)
				err = fy_jobs_erase(run->ctx, ids[i], NULL);
			if (err == FY_ERR_NOT_FOUND) { /* taken back in the meantime */
				err = 0;
				continue;
			}
			if (set_aside(run, "accounts", ids[i], &err))
				continue;
			if (err == 0) {
				fy_job_note_id(run, "erase", "accounts", ids[i]);
				--*left;
			}
			if (err == 0 && !run->dry_run)
				err = fy_job_may_go_on(run);
		}
		if (err == 0)
			err = fy_job_continue(run);
		if (err)
			return err;
	} while (count == SLICE && *left);
	return 0;
}

/* As accounts: one that cannot be erased does not keep the others. */
static fy_async int erase_provided(struct fy_job_run *run, uint64_t *left)
{
	static const char *const objects[] = { [FY_PROVIDED_UNINFORMED] = "entered people who could not be told",
					       [FY_PROVIDED_UNUSED] = "unused entries of people" };
	struct fy_provided_due *items;
	uint64_t after = 0;
	size_t count;
	do {
		int err = fy_provided_list_due(run->ctx, after, SLICE, &items, &count);
		for (size_t i = 0; i < count && err == 0 && *left; i++) {
			after = items[i].id;
			if (!run->dry_run)
				err = fy_provided_end(run->ctx, 0, after, items[i].why, &fy_jobs_letters()->provided,
						      NULL);
			if (err == FY_ERR_NOT_FOUND) { /* told, changed or gone in the meantime */
				err = 0;
			} else if (!set_aside(run, objects[items[i].why], after, &err) && err == 0) {
				fy_job_note_id(run, "erase", objects[items[i].why], after);
				--*left;
			}
			if (err == 0 && !run->dry_run)
				err = fy_job_may_go_on(run);
		}
		if (err == 0)
			err = fy_job_continue(run);
		if (err)
			return err;
	} while (count == SLICE && *left);
	return 0;
}

/* Restrictions that were refused, once the person had time to answer (GDPR Article 18(3)). */
static fy_async int lift_refused(struct fy_job_run *run)
{
	uint64_t after = 0, *ids;
	size_t count;
	do {
		int err = fy_restriction_list_due(run->ctx, after, SLICE, &ids, &count);
		for (size_t i = 0; i < count && err == 0; i++) {
			after = ids[i];
			if (!run->dry_run)
				err = fy_restriction_lift_refused(run->ctx, ids[i]);
			if (err == FY_ERR_NOT_FOUND) { /* lifted or erased meanwhile */
				err = 0;
				continue;
			}
			if (!set_aside(run, "restrictions that were refused", ids[i], &err) && err == 0)
				fy_job_note_id(run, "end", "restrictions that were refused", ids[i]);
		}
		if (err == 0)
			err = fy_job_continue(run);
		if (err)
			return err;
	} while (count == SLICE);
	return 0;
}

/* Also in a dry run, which has not lifted what it would lift. */
static bool still_restricted(const struct fy_ctx *ctx, const struct fy_restriction *restriction)
{
	return restriction->in_force && (restriction->lift_at == 0 || restriction->lift_at > ctx->now);
}

/* Why an account that nobody uses stays all the same; NULL: it does not. */
static fy_async int left_alone(struct fy_ctx *ctx, const struct fy_inactive *item, const char **ret_why)
{
	struct fy_restriction restriction;
	struct fy_hold hold = { 0 };
	bool last_owner = false;
	int err = item->owner ? fy_erasure_is_last_owner(ctx, item->id, &last_owner) : 0;
	if (err == 0)
		err = fy_restriction_get(ctx, item->id, &restriction);
	if (err == 0)
		err = fy_holds_of(ctx, item->id, FY_PURPOSE_LEGAL_DUTIES, &hold);
	if (err)
		return err;
	*ret_why = last_owner                            ? "last owners"
		   : hold.id                             ? "accounts under a legal hold"
		   : still_restricted(ctx, &restriction) ? "restricted accounts"
							 : NULL;
	return 0;
}

static fy_async int warn_one(struct fy_job_run *run, const struct fy_inactive *item, uint64_t *left)
{
	static const char *const objects[FY_NOTICE_STEPS] = { "first warnings of inactivity",
							      "second warnings of inactivity",
							      "last warnings of inactivity" };
	const char *why;
	int err = left_alone(run->ctx, item, &why);
	if (err == 0 && why) {
		fy_job_note_id(run, "leave alone", why, item->id);
		return 0;
	}
	if (err == 0 && !run->dry_run)
		err = fy_inactive_warn(run->ctx, item, fy_jobs_letters()->inactive);
	if (err == FY_ERR_NOT_FOUND || err == FY_ERR_EXISTS || err == FY_ERR_DENIED)
		return 0; /* somebody signed in, or asked for erasure, meanwhile */
	if (set_aside(run, objects[item->notices], item->id, &err))
		return 0;
	if (err == 0) {
		fy_job_note_id(run, "send", objects[item->notices], item->id);
		--*left;
	}
	return err;
}

static fy_async int warn_inactive(struct fy_job_run *run, uint64_t *left)
{
	const struct fy_register_field *field = &fy_register_fields[FY_COLUMN_ACCOUNT_EMAIL];
	uint64_t after = 0, last;
	int64_t keep_days = 0;
	for (unsigned i = 0; i < field->keep_count; i++)
		if (field->keep[i].from == FY_TRIGGER_LAST_ACTIVITY)
			keep_days = fy_register_keep_seconds(&field->keep[i], run->ctx->config) * FY_SECOND / FY_DAY;
	FY_REQUIRE(keep_days > 0);
	do {
		struct fy_inactive *items;
		size_t count;
		int err = fy_inactive_list_due(run->ctx, keep_days, after, SLICE, &items, &count, &last);
		for (size_t i = 0; i < count && err == 0 && *left; i++) {
			err = warn_one(run, &items[i], left);
			if (err == 0 && !run->dry_run)
				err = fy_job_may_go_on(run);
		}
		if (err == 0)
			err = fy_job_continue(run);
		if (err)
			return err;
		after = last;
	} while (last && *left);
	return 0;
}

fy_async int fy_retention_run(struct fy_job_run *run)
{
	uint64_t left = (uint64_t)run->ctx->config->retention_erasures_per_run, bounced = 0;
	int err = check_clock(run);
	if (err == 0)
		err = run->dry_run ? fy_inactive_count_bounced(run->ctx, &bounced)
				   : fy_inactive_settle(run->ctx, &bounced);
	if (err == 0 && !run->dry_run)
		err = fy_provided_settle(run->ctx);
	if (err == 0 && bounced)
		fy_job_note(run, "try again later", "warnings that bounced", bounced, FY_NONE);
	if (err == 0)
		err = lift_refused(run);
	if (err == 0) /* before the accounts, with which they would go unseen by a dry run */
		err = erase_provided(run, &left);
	if (err == 0)
		err = erase_due(run, &left);
	if (err == 0)
		err = warn_inactive(run, &left);
	if (err == 0 && left == 0)
		fy_job_note(run, "leave for the next run", "accounts", 0, FY_NONE);
	if (err == 0)
		err = run->failed;
	if (err == 0 && !run->dry_run)
		err = fy_proofs_note(run->ctx, FY_PROOF_RETENTION, FY_NONE, 0, 0);
	return err;
}
