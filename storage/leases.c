/* Job leases (leases.h): one UPDATE that names what it expects decides who holds a lease, and the fence
 * it raised names the holding from then on. Statements: sql/job_lease.def. */
#include "storage/leases.h"

#include "foyer/require.h"
#include "storage/repo.h"
#include "storage/statements.h"

struct taking {
	struct fy_slice name, owner;
	fy_time now, hold, due_by;
	uint64_t fence;
	bool again;
};

#define TRIES 5

/* FY_ERR_NOT_FOUND: the job has no row yet. */
static fy_async int take(struct fy_ctx *ctx, void *arg)
{
	struct taking *t = arg;
	struct fy_db_done done;
	bool even_early = t->due_by == FY_LEASE_EVEN_EARLY;
	int err = fy_sql_lease_take(ctx,
				    &(struct fy_sql_lease_take_params){ .owner = t->owner,
									.leased_until = t->now + t->hold,
									.last_started_at = t->now,
									.name = t->name,
									.now = t->now,
									.even_early = even_early,
									.due_by = even_early ? t->now : t->due_by },
				    &done);
	if (err)
		return err;
	struct fy_sql_lease_get_row row;
	err = fy_sql_lease_get(ctx, &(struct fy_sql_lease_get_params){ .name = t->name }, &row);
	if (err)
		return err;
	if (done.affected != 1) {
		if (row.has_leased_until && row.leased_until > t->now)
			return FY_ERR_BUSY;
		t->again = even_early || !row.has_next_due_at || row.next_due_at <= t->due_by;
		return FY_ERR_EXISTS; /* `again`: it was made or given back between the two statements */
	}
	t->fence = row.fence; /* the row is ours until the commit: nobody raised it since */
	return 0;
}

fy_async int fy_leases_take(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, fy_time hold,
			    fy_time due_by, uint64_t *ret_fence)
{
	FY_REQUIRE(name.len && name.len <= FY_LEASE_NAME_MAX && owner.len && owner.len <= FY_LEASE_OWNER_MAX &&
		   hold > 0);
	struct taking t = { .name = name, .owner = owner, .now = fy_clock(), .hold = hold, .due_by = due_by };
	int err;
	for (unsigned tries = 0; tries < TRIES; tries++) {
		t.again = false;
		err = fy_tx(ctx, take, &t);
		if (err == FY_ERR_NOT_FOUND) {
			err = fy_sql_lease_insert(ctx, &(struct fy_sql_lease_insert_params){ .name = name }, NULL);
			if (err && err != FY_ERR_CONFLICT) /* another may have inserted it at the same time */
				return err;
			t.again = true;
		}
		if (!t.again)
			break;
	}
	if (t.again)
		return FY_ERR_BUSY; /* it changes hands all the time */
	if (err == FY_ERR_CONFLICT)
		return FY_ERR_BUSY; /* lost to another again and again: then that one holds it */
	if (err)
		return err;
	*ret_fence = t.fence;
	return 0;
}

fy_async int fy_leases_renew(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, uint64_t fence,
			     fy_time hold)
{
	struct fy_db_done done;
	int err = fy_sql_lease_renew(
		ctx,
		&(struct fy_sql_lease_renew_params){
			.leased_until = fy_clock() + hold, .name = name, .owner = owner, .fence = fence },
		&done);
	if (err)
		return err;
	return done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}

fy_async int fy_leases_finish(struct fy_ctx *ctx, struct fy_slice name, struct fy_slice owner, uint64_t fence,
			      int result, struct fy_slice detail, fy_time next_due_at)
{
	struct fy_db_done done;
	int err = fy_sql_lease_finish(
		ctx,
		&(struct fy_sql_lease_finish_params){ .last_finished_at = fy_clock(),
						      .last_result = result,
						      .last_detail = fy_repo_cut(detail, FY_LEASE_DETAIL_MAX),
						      .next_due_at = next_due_at,
						      .name = name,
						      .owner = owner,
						      .fence = fence },
		&done);
	if (err)
		return err;
	return done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}

/* The rows of lease_get and lease_list have the same members. */
#define LEASE_OF(row)                                                                                   \
	(struct fy_lease)                                                                               \
	{                                                                                               \
		.name = (row)->name, .owner = (row)->owner, .fence = (row)->fence,                      \
		.leased_until = fy_repo_time((row)->has_leased_until, (row)->leased_until),             \
		.last_started_at = fy_repo_time((row)->has_last_started_at, (row)->last_started_at),    \
		.last_finished_at = fy_repo_time((row)->has_last_finished_at, (row)->last_finished_at), \
		.next_due_at = fy_repo_time((row)->has_next_due_at, (row)->next_due_at),                \
		.last_result = (row)->has_last_result ? (int)(row)->last_result : 0,                    \
		.last_detail = (row)->last_detail,                                                      \
	}

fy_async int fy_leases_get(struct fy_ctx *ctx, struct fy_slice name, struct fy_lease *ret_lease)
{
	struct fy_sql_lease_get_row row;
	int err = fy_sql_lease_get(ctx, &(struct fy_sql_lease_get_params){ .name = name }, &row);
	if (err)
		return err;
	*ret_lease = LEASE_OF(&row);
	return 0;
}

fy_async int fy_leases_list(struct fy_ctx *ctx, struct fy_lease **ret_leases, size_t *ret_count)
{
	struct fy_sql_lease_list_row *rows;
	size_t count;
	int err = fy_sql_lease_list(ctx, &rows, &count);
	if (err)
		return err;
	struct fy_lease *leases = fy_new_array(ctx->arena, struct fy_lease, count);
	for (size_t i = 0; i < count; i++)
		leases[i] = LEASE_OF(&rows[i]);
	*ret_leases = leases;
	*ret_count = count;
	return 0;
}
