/* Requests for access and what becomes of them (grants.h). Each change of state is one UPDATE that names the state it
 * expects and who may; why it did not happen is found out afterwards. Lists are in grants_list.c.
 * Statements: sql/access_request.def. */
#include "storage/grants.h"

#include "protocol/utf8.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

struct asking {
	const struct fy_grant_new *grant;
	bool break_glass;
	uint64_t id;
};

static bool may_ask(enum fy_account_role role)
{
	return role != FY_ROLE_MEMBER && role != FY_ROLE_AUDITOR;
}

/* The lock on the asker's row puts two requests of one asker in an order, and a request and the loss of the role. */
static fy_async int check_asker(struct fy_ctx *ctx, const struct asking *a, uint8_t *ret_role)
{
	struct fy_sql_account_lock_row asker, person;
	int err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = a->grant->asked_by }, &asker);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	if (err || asker.state != FY_ACCOUNT_ACTIVE || !may_ask((enum fy_account_role)asker.role) ||
	    (a->break_glass && asker.role != FY_ROLE_OWNER))
		return FY_ERR_DENIED;
	*ret_role = asker.role;
	return fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = a->grant->person_id }, &person);
}

static fy_async int ask(struct fy_ctx *ctx, void *arg)
{
	struct asking *a = arg;
	const struct fy_grant_new *g = a->grant;
	struct fy_sql_access_request_waiting_row same = { 0 };
	struct fy_person person;
	uint8_t role = 0;
	int err = check_asker(ctx, a, &role);
	if (err == 0 && !a->break_glass)
		err = fy_sql_access_request_waiting(
			ctx,
			&(struct fy_sql_access_request_waiting_params){ .person_id = g->person_id,
									.asked_by = g->asked_by,
									.purpose = (uint8_t)g->purpose,
									.asked_after = ctx->now - FY_GRANT_WAIT },
			&same);
	if (err == 0 && same.waiting)
		err = FY_ERR_EXISTS;
	if (err == 0)
		err = fy_persons_get(ctx, g->person_id, &person);
	if (err)
		return err;
	a->id = fy_id_new(ctx);
	return fy_sql_access_request_insert(
		ctx,
		&(struct fy_sql_access_request_insert_params){
			.id = a->id,
			.person_id = g->person_id,
			.purpose = (uint8_t)g->purpose,
			.reason = fy_seal(ctx, &person, FY_COLUMN_ACCESS_REQUEST_REASON, a->id, g->reason.text),
			.minutes = (uint16_t)g->minutes,
			.asked_by = g->asked_by,
			.asker_role = role,
			.asked_at = ctx->now,
			.state = a->break_glass ? FY_GRANT_APPROVED : FY_GRANT_WAITING,
			.decided_by = g->asked_by,
			.has_decided_by = a->break_glass,
			.decided_at = ctx->now,
			.has_decided_at = a->break_glass,
			.ends_at = ctx->now + g->minutes * FY_MINUTE,
			.has_ends_at = a->break_glass,
			.break_glass = a->break_glass,
		},
		NULL);
}

static fy_async int add(struct fy_ctx *ctx, const struct fy_grant_new *grant, bool break_glass, uint64_t *ret_id)
{
	struct asking a = { .grant = grant, .break_glass = break_glass };
	size_t reason = fy_utf8_count(grant->reason.text);
	if (!fy_grant_purpose(grant->purpose) || grant->person_id == grant->asked_by || reason < FY_GRANT_REASON_MIN ||
	    reason > FY_GRANT_REASON_MAX || grant->minutes == 0 || grant->minutes > FY_GRANT_MINUTES_MAX)
		return FY_ERR_INVALID;
	int err = fy_repo_join(ctx, ask, &a);
	if (err == 0)
		*ret_id = a.id;
	return err;
}

fy_async int fy_grants_ask(struct fy_ctx *ctx, const struct fy_grant_new *grant, uint64_t *ret_id)
{
	return add(ctx, grant, false, ret_id);
}

fy_async int fy_grants_break_glass(struct fy_ctx *ctx, const struct fy_grant_new *grant, uint64_t *ret_id)
{
	return add(ctx, grant, true, ret_id);
}

/* Why an UPDATE found no row: it is over, or it is not for who tried. */
static fy_async int why_not(struct fy_ctx *ctx, uint64_t id, bool review)
{
	struct fy_sql_access_request_state_row row;
	int err = fy_sql_access_request_state(ctx, &(struct fy_sql_access_request_state_params){ .id = id }, &row);
	if (err)
		return err;
	bool pending = review ? row.break_glass && !row.has_reviewed_at
			      : row.state == FY_GRANT_WAITING && row.asked_at > ctx->now - FY_GRANT_WAIT;
	return pending ? FY_ERR_DENIED : FY_ERR_CONFLICT;
}

fy_async int fy_grants_decide(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_decider as, bool approve)
{
	struct fy_db_done done;
	uint64_t person = as == FY_DECIDES_PERSON ? by : 0, staff = as == FY_DECIDES_STAFF ? by : 0;
	fy_time asked_after = ctx->now - FY_GRANT_WAIT, refused_after = ctx->now - FY_GRANT_REFUSAL_HOLDS;
	struct fy_sql_access_request_refused_by_person_row earlier = { 0 };
	int err = approve ? fy_sql_access_request_approve(
				    ctx,
				    &(struct fy_sql_access_request_approve_params){ .decided_by = by,
										    .decided_at = ctx->now,
										    .from = ctx->now,
										    .id = id,
										    .asked_after = asked_after,
										    .not_by = by,
										    .person_id = person,
										    .staff_id = staff,
										    .refused_after = refused_after },
				    &done)
			  : fy_sql_access_request_refuse(
				    ctx,
				    &(struct fy_sql_access_request_refuse_params){ .decided_by = by,
										   .decided_at = ctx->now,
										   .id = id,
										   .asked_after = asked_after,
										   .not_by = by,
										   .person_id = person,
										   .staff_id = staff },
				    &done);
	if (err || done.affected)
		return err;
	if (approve && as == FY_DECIDES_STAFF)
		err = fy_sql_access_request_refused_by_person(ctx,
							      &(struct fy_sql_access_request_refused_by_person_params){
								      .id = id, .refused_after = refused_after },
							      &earlier);
	if (err == 0)
		err = why_not(ctx, id, false);
	return err == FY_ERR_DENIED && earlier.refused ? FY_ERR_EXISTS : err;
}

fy_async int fy_grants_end(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_decider as)
{
	struct fy_db_done done;
	int err = fy_sql_access_request_end(
		ctx,
		&(struct fy_sql_access_request_end_params){ .ends_at = ctx->now,
							    .id = id,
							    .now = ctx->now,
							    .person_id = as == FY_DECIDES_PERSON ? by : 0,
							    .staff_id = as == FY_DECIDES_STAFF ? by : 0 },
		&done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

fy_async int fy_grants_give_back(struct fy_ctx *ctx, uint64_t id, uint64_t by)
{
	struct fy_db_done done;
	int err = fy_sql_access_request_give_back(
		ctx,
		&(struct fy_sql_access_request_give_back_params){
			.ends_at = ctx->now, .id = id, .asked_by = by, .now = ctx->now },
		&done);
	if (err || done.affected)
		return err;
	return FY_ERR_NOT_FOUND;
}

fy_async int fy_grants_review(struct fy_ctx *ctx, uint64_t id, uint64_t by, enum fy_grant_verdict verdict)
{
	struct fy_db_done done;
	int err =
		fy_sql_access_request_review(ctx,
					     &(struct fy_sql_access_request_review_params){ .verdict = (uint8_t)verdict,
											    .reviewed_by = by,
											    .reviewed_at = ctx->now,
											    .id = id,
											    .not_by = by,
											    .staff_id = by },
					     &done);
	if (err || done.affected)
		return err;
	return why_not(ctx, id, true);
}

static fy_async int read_inside(struct fy_ctx *ctx, void *arg)
{
	const struct fy_read *read = arg;
	struct fy_sql_access_request_is_open_row row;
	int err = fy_sql_access_request_is_open(
		ctx,
		&(struct fy_sql_access_request_is_open_params){ .id = read->request_id,
								.asked_by = read->reader_id,
								.person_id = read->person_id,
								.purpose = (uint8_t)read->purpose,
								.now = ctx->now },
		&row);
	if (err)
		return err == FY_ERR_NOT_FOUND ? FY_ERR_DENIED : err;
	return fy_access_log_append(ctx, read);
}

fy_async int fy_grants_read(struct fy_ctx *ctx, const struct fy_read *read)
{
	struct fy_read copy = *read;
	return fy_repo_join(ctx, read_inside, &copy);
}

fy_async int fy_grants_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_access_request_count_old_row row;
	int err = fy_sql_access_request_count_old(
		ctx, &(struct fy_sql_access_request_count_old_params){ .before = before, .ended_before = before },
		&row);
	if (err == 0)
		*ret_count = (uint64_t)row.requests;
	return err;
}

fy_async int fy_grants_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count)
{
	struct fy_sql_access_request_list_old_row *rows;
	int err = fy_sql_access_request_list_old(ctx,
						 &(struct fy_sql_access_request_list_old_params){
							 .before = before, .ended_before = before, .limit = limit },
						 &rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_grants_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct fy_db_done done;
	int err = fy_sql_access_request_purge(ctx,
					      &(struct fy_sql_access_request_purge_params){
						      .before = before, .ended_before = before, .limit = limit },
					      &done);
	if (err == 0)
		*ret_deleted = done.affected;
	return err;
}
