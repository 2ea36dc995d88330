/* See holds.h. Statements: sql/hold.def. */
#include "storage/holds.h"

#include "foyer/log.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define PAGE_MAX 100

struct placing {
	uint64_t account_id, by, id;
	struct fy_personal reason;
	fy_time review_at;
};

/* The account's row is held, so that no erasure comes between. */
static fy_async int place(struct fy_ctx *ctx, void *arg)
{
	struct placing *p = arg;
	struct fy_sql_account_lock_row account;
	struct fy_sql_hold_of_account_row *held;
	struct fy_person person;
	size_t count;
	int err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = p->account_id }, &account);
	if (err == 0)
		err = fy_persons_get(ctx, p->account_id, &person);
	if (err == 0)
		err = fy_sql_hold_of_account(
			ctx, &(struct fy_sql_hold_of_account_params){ .account_id = p->account_id }, &held, &count);
	if (err || count)
		return err ? err : FY_ERR_EXISTS;
	p->id = fy_id_new(ctx);
	return fy_sql_hold_insert(
		ctx,
		&(struct fy_sql_hold_insert_params){
			.id = p->id,
			.account_id = p->account_id,
			.reason = fy_seal(ctx, &person, FY_COLUMN_LEGAL_HOLD_REASON, p->id, p->reason.text),
			.placed_by = p->by,
			.placed_at = ctx->now,
			.review_at = p->review_at },
		NULL);
}

fy_async int fy_holds_place(struct fy_ctx *ctx, uint64_t account_id, struct fy_personal reason, fy_time review_at,
			    uint64_t by, uint64_t *ret_id)
{
	struct placing p = { .account_id = account_id, .by = by, .reason = reason, .review_at = review_at };
	if (reason.text.len == 0 || review_at <= ctx->now)
		return FY_ERR_INVALID;
	if (reason.text.len > (size_t)4 * FY_HOLD_REASON_CHARS)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "the reason is too long");
	int err = fy_repo_join(ctx, place, &p);
	if (err == 0)
		*ret_id = p.id;
	return err;
}

fy_async int fy_holds_review(struct fy_ctx *ctx, uint64_t id, fy_time review_at)
{
	struct fy_db_done done;
	if (review_at <= ctx->now)
		return FY_ERR_INVALID;
	int err =
		fy_sql_hold_review(ctx, &(struct fy_sql_hold_review_params){ .review_at = review_at, .id = id }, &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

fy_async int fy_holds_lift(struct fy_ctx *ctx, uint64_t id, uint64_t by)
{
	struct fy_db_done done;
	int err = fy_sql_hold_lift(
		ctx, &(struct fy_sql_hold_lift_params){ .lifted_at = ctx->now, .lifted_by = by, .id = id }, &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

/* The rows of both reads have the same members. */
_Static_assert(sizeof(struct fy_sql_hold_of_account_row) == sizeof(struct fy_sql_hold_get_row), "rows of holds");

static int open_hold(struct fy_ctx *ctx, const void *from, enum fy_register_purpose purpose, struct fy_hold *ret_hold)
{
	struct fy_sql_hold_get_row row;
	struct fy_person person;
	memcpy(&row, from, sizeof row);
	struct fy_hold hold = {
		.id = row.id,
		.account_id = row.account_id,
		.placed_by = row.placed_by,
		.placed_at = row.placed_at,
		.review_at = row.review_at,
		.lifted_at = fy_repo_time(row.has_lifted_at, row.lifted_at),
	};
	int err = fy_person_open(ctx, row.account_id, row.master_key_id, row.wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_LEGAL_HOLD_REASON, row.id, purpose, row.reason,
					 &hold.reason);
	if (err == FY_ERR_UNREADABLE) { /* it holds all the same */
		fy_log(ctx, FY_LOG_ERROR, "hold.unreadable", FY_KV("detail", ctx->fault));
		err = 0;
	}
	if (err == 0)
		*ret_hold = hold;
	return err;
}

fy_async int fy_holds_of(struct fy_ctx *ctx, uint64_t account_id, enum fy_register_purpose purpose,
			 struct fy_hold *ret_hold)
{
	struct fy_sql_hold_of_account_row *row;
	size_t count;
	int err = fy_sql_hold_of_account(ctx, &(struct fy_sql_hold_of_account_params){ .account_id = account_id }, &row,
					 &count);
	*ret_hold = (struct fy_hold){ 0 };
	return err || count == 0 ? err : open_hold(ctx, row, purpose, ret_hold);
}

fy_async int fy_holds_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose, struct fy_hold *ret_hold)
{
	struct fy_sql_hold_get_row *row;
	size_t count;
	int err = fy_sql_hold_get(ctx, &(struct fy_sql_hold_get_params){ .id = id }, &row, &count);
	if (err || count == 0)
		return err ? err : FY_ERR_NOT_FOUND;
	return open_hold(ctx, row, purpose, ret_hold);
}

fy_async int fy_holds_list(struct fy_ctx *ctx, bool lifted, uint64_t after, unsigned limit, struct fy_hold **ret_holds,
			   size_t *ret_count, uint64_t *ret_next)
{
	struct fy_sql_hold_list_row *rows;
	size_t count;
	limit = limit == 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
	int err = fy_sql_hold_list(
		ctx, &(struct fy_sql_hold_list_params){ .lifted = lifted, .after_id = after, .limit = limit + 1 },
		&rows, &count);
	if (err)
		return err;
	struct fy_hold *holds = fy_new_array(ctx->arena, struct fy_hold, limit + 1);
	size_t shown = count < limit ? count : limit;
	for (size_t i = 0; i < shown; i++)
		holds[i] = (struct fy_hold){
			.id = rows[i].id,
			.account_id = rows[i].account_id,
			.placed_by = rows[i].placed_by,
			.placed_at = rows[i].placed_at,
			.review_at = rows[i].review_at,
			.lifted_at = fy_repo_time(rows[i].has_lifted_at, rows[i].lifted_at),
		};
	*ret_holds = holds;
	*ret_count = shown;
	*ret_next = count > limit ? holds[limit - 1].id : 0;
	return 0;
}
