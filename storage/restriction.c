/* See restriction.h. Statements: sql/restriction.def. */
#include "storage/restriction.h"

#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"
#include "storage/withheld.h"

#define SLICE 500

fy_async int fy_restriction_get(struct fy_ctx *ctx, uint64_t account_id, struct fy_restriction *ret_restriction)
{
	struct fy_sql_restriction_get_row row;
	int err =
		fy_sql_restriction_get(ctx, &(struct fy_sql_restriction_get_params){ .account_id = account_id }, &row);
	if (err == 0)
		*ret_restriction = (struct fy_restriction){
			.in_force = row.in_force != 0,
			.since = fy_repo_time(row.has_since, row.since),
			.lift_at = row.to_be_lifted == row.in_force ? fy_repo_time(row.has_lift_at, row.lift_at) : 0,
		};
	return err;
}

/* A message that cannot be opened is left as it is: nobody can read it either. */
static fy_async int apply_to_messages(struct fy_ctx *ctx, struct fy_personal email_hash)
{
	struct fy_sql_restriction_messages_row *rows;
	uint64_t after = 0;
	size_t count = 0;
	int err;
	do {
		err = fy_sql_restriction_messages(ctx,
						  &(struct fy_sql_restriction_messages_params){
							  .email_hash = email_hash, .after = after, .limit = SLICE },
						  &rows, &count);
		for (size_t i = 0; i < count && err == 0; i++) {
			after = rows[i].id;
			err = fy_withheld_store(ctx, after);
			if (err == FY_ERR_NOT_FOUND || err == FY_ERR_UNREADABLE)
				err = 0;
		}
	} while (err == 0 && count == SLICE);
	return err;
}

fy_async int fy_restriction_apply(struct fy_ctx *ctx, uint64_t request_id)
{
	struct fy_sql_restriction_whom_row whom;
	int err = fy_sql_restriction_whom(ctx, &(struct fy_sql_restriction_whom_params){ .id = request_id }, &whom);
	if (err == 0 && whom.has_account_id)
		err = fy_withheld_store(ctx, whom.account_id);
	return err || whom.email_hash.text.len == 0 ? err : apply_to_messages(ctx, whom.email_hash);
}

static fy_async int lift(struct fy_ctx *ctx, void *arg)
{
	uint64_t account_id = *(const uint64_t *)arg;
	struct fy_sql_restriction_address_row address;
	struct fy_db_done done;
	int err = fy_withheld_lock(ctx, account_id);
	if (err == 0)
		err = fy_sql_restriction_lift(ctx,
					      &(struct fy_sql_restriction_lift_params){ .now = ctx->now,
											.account_id = account_id,
											.same_account_id = account_id },
					      &done);
	if (err == 0 && done.affected == 0)
		return FY_ERR_NOT_FOUND;
	if (err == 0)
		err = fy_withheld_store(ctx, account_id);
	if (err == 0)
		err = fy_sql_restriction_address(
			ctx, &(struct fy_sql_restriction_address_params){ .account_id = account_id }, &address);
	return err || address.email_hash.text.len == 0 ? err : apply_to_messages(ctx, address.email_hash);
}

fy_async int fy_restriction_lift(struct fy_ctx *ctx, uint64_t account_id)
{
	return fy_repo_join(ctx, lift, &account_id);
}

static fy_async int lift_refused(struct fy_ctx *ctx, void *arg)
{
	uint64_t id = *(const uint64_t *)arg;
	struct fy_sql_restriction_whom_row whom;
	struct fy_db_done done;
	int err = fy_sql_restriction_whom(ctx, &(struct fy_sql_restriction_whom_params){ .id = id }, &whom);
	if (err == 0 && whom.has_account_id)
		err = fy_withheld_lock(ctx, whom.account_id);
	if (err == 0)
		err = fy_sql_restriction_lift_refused(ctx,
						      &(struct fy_sql_restriction_lift_refused_params){
							      .now = ctx->now, .id = id, .before = ctx->now },
						      &done);
	if (err == 0 && done.affected == 0)
		return FY_ERR_NOT_FOUND;
	return err ? err : fy_restriction_apply(ctx, id);
}

fy_async int fy_restriction_lift_refused(struct fy_ctx *ctx, uint64_t request_id)
{
	return fy_repo_join(ctx, lift_refused, &request_id);
}

fy_async int fy_restriction_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit, uint64_t **ret_ids,
				     size_t *ret_count)
{
	struct fy_sql_restriction_list_due_row *rows;
	int err = fy_sql_restriction_list_due(
		ctx, &(struct fy_sql_restriction_list_due_params){ .before = ctx->now, .after = after, .limit = limit },
		&rows, ret_count);
	if (err)
		return err;
	*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return 0;
}
