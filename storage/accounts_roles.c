/* Roles: who belongs to the staff, and owners who give and take roles (accounts.h). Ending the sessions of who lost one
 * and telling the other owners are left to the caller. Statements: sql/account.def. */
#include "storage/accounts.h"

#include "storage/repo.h"
#include "storage/statements.h"

fy_async int fy_accounts_standing(struct fy_ctx *ctx, uint64_t id, struct fy_account_standing *ret_standing)
{
	struct fy_sql_account_standing_row row;
	int err = fy_sql_account_standing(ctx, &(struct fy_sql_account_standing_params){ .id = id }, &row);
	if (err == 0)
		*ret_standing = (struct fy_account_standing){
			.id = row.id,
			.role = (enum fy_account_role)row.role,
			.state = (enum fy_account_state)row.state,
		};
	return err;
}

fy_async int fy_accounts_list_staff(struct fy_ctx *ctx, struct fy_account_standing **ret_staff, size_t *ret_count)
{
	struct fy_sql_account_list_staff_row *rows;
	size_t count;
	int err = fy_sql_account_list_staff(ctx, &rows, &count);
	if (err)
		return err;
	*ret_staff = fy_new_array(ctx->arena, struct fy_account_standing, count + 1);
	for (size_t i = 0; i < count; i++)
		(*ret_staff)[i] = (struct fy_account_standing){
			.id = rows[i].id,
			.role = (enum fy_account_role)rows[i].role,
			.state = (enum fy_account_state)rows[i].state,
		};
	*ret_count = count;
	return 0;
}

struct change {
	uint64_t by, id;
	enum fy_account_role role, old;
};

/* The locks on all owners put changes in an order: the second of two who demote each other is no owner any more. An owner
 * whose erasure has a date may still act, but is not one who stays. */
static fy_async int lock_owners(struct fy_ctx *ctx, const struct change *c, bool *ret_may, bool *ret_others_stay)
{
	struct fy_sql_account_lock_owners_row *owners;
	size_t count;
	int err = fy_sql_account_lock_owners(ctx, &owners, &count);
	*ret_may = *ret_others_stay = false;
	for (size_t i = 0; i < count && err == 0; i++) {
		*ret_may |= owners[i].id == c->by;
		*ret_others_stay |= owners[i].id != c->id && !owners[i].has_erase_at;
	}
	return err;
}

static fy_async int change_role(struct fy_ctx *ctx, void *arg)
{
	struct change *c = arg;
	struct fy_sql_account_lock_row account;
	struct fy_db_done done;
	bool allowed, others_stay;
	int err = lock_owners(ctx, c, &allowed, &others_stay);
	if (err == 0 && !allowed)
		err = FY_ERR_DENIED;
	if (err)
		return err;
	err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = c->id }, &account);
	if (err)
		return err;
	if (account.state != FY_ACCOUNT_ACTIVE)
		return FY_ERR_NOT_FOUND;
	c->old = (enum fy_account_role)account.role;
	if (c->old == c->role)
		return 0;
	if (c->old == FY_ROLE_OWNER && !others_stay)
		return FY_ERR_CONFLICT;
	err = fy_sql_account_set_role(ctx,
				      &(struct fy_sql_account_set_role_params){
					      .role = (uint8_t)c->role, .id = c->id, .old_role = (uint8_t)c->old },
				      &done);
	if (err == 0 && done.affected != 1)
		err = FY_ERR_CONFLICT;
	if (err)
		return err;
	return fy_sql_access_request_end_of_asker(ctx,
						  &(struct fy_sql_access_request_end_of_asker_params){
							  .ends_at = ctx->now, .asked_by = c->id, .now = ctx->now },
						  NULL);
}

fy_async int fy_accounts_change_role(struct fy_ctx *ctx, uint64_t by, uint64_t id, enum fy_account_role role,
				     enum fy_account_role *ret_old)
{
	struct change c = { .by = by, .id = id, .role = role };
	if (role < FY_ROLE_MEMBER || role > FY_ROLE_DPO)
		return FY_ERR_INVALID;
	int err = fy_repo_join(ctx, change_role, &c);
	if (err == 0)
		*ret_old = c.old;
	return err;
}
