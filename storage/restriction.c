/* See restriction.h. Statements: sql/restriction.def. */
#include "storage/restriction.h"

#include "storage/repo.h"
#include "storage/statements.h"
#include "storage/withheld.h"

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

struct lifting {
	uint64_t account_id;
	bool refused_only;
};

static fy_async int lift(struct fy_ctx *ctx, void *arg)
{
	const struct lifting *l = arg;
	struct fy_db_done done;
	int err = fy_withheld_lock(ctx, l->account_id);
	if (err)
		return err;
	if (l->refused_only)
		err = fy_sql_restriction_lift_refused(
			ctx,
			&(struct fy_sql_restriction_lift_refused_params){
				.now = ctx->now, .account_id = l->account_id, .before = ctx->now },
			&done);
	else
		err = fy_sql_restriction_lift(
			ctx, &(struct fy_sql_restriction_lift_params){ .now = ctx->now, .account_id = l->account_id },
			&done);
	if (err == 0 && done.affected == 0)
		return FY_ERR_NOT_FOUND;
	return err ? err : fy_withheld_store(ctx, l->account_id);
}

fy_async int fy_restriction_lift(struct fy_ctx *ctx, uint64_t account_id)
{
	return fy_repo_join(ctx, lift, &(struct lifting){ .account_id = account_id });
}

fy_async int fy_restriction_lift_refused(struct fy_ctx *ctx, uint64_t account_id)
{
	return fy_repo_join(ctx, lift, &(struct lifting){ .account_id = account_id, .refused_only = true });
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
	uint64_t *ids = fy_new_array(ctx->arena, uint64_t, *ret_count + 1);
	for (size_t i = 0; i < *ret_count; i++)
		ids[i] = rows[i].account_id;
	*ret_ids = ids;
	return 0;
}
