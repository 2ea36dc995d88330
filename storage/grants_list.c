/* Reading requests for access, and which grants are open (grants.h). */
#include "foyer/log.h"
#include "storage/grants.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define PAGE_MAX 100

static enum fy_grant_state state_of(const struct fy_sql_access_request_get_row *row, fy_time now)
{
	if (row->state == FY_GRANT_WAITING && row->asked_at <= now - FY_GRANT_WAIT)
		return FY_GRANT_LAPSED;
	if (row->state == FY_GRANT_APPROVED && row->ends_at <= now)
		return FY_GRANT_ENDED;
	return (enum fy_grant_state)row->state;
}

static int open_row(struct fy_ctx *ctx, const struct fy_sql_access_request_get_row *row,
		    enum fy_register_purpose purpose, struct fy_grant *ret_grant)
{
	struct fy_person person;
	struct fy_grant g = {
		.id = row->id,
		.person_id = row->person_id,
		.asked_by = row->asked_by,
		.asker_role = (enum fy_account_role)row->asker_role,
		.purpose = (enum fy_register_purpose)row->purpose,
		.minutes = row->minutes,
		.state = state_of(row, ctx->now),
		.asked_at = row->asked_at,
		.decided_at = fy_repo_time(row->has_decided_at, row->decided_at),
		.ends_at = fy_repo_time(row->has_ends_at, row->ends_at),
		.decided_by = row->has_decided_by ? row->decided_by : 0,
		.break_glass = row->break_glass,
		.verdict = row->has_verdict ? (enum fy_grant_verdict)row->verdict : 0,
		.reviewed_by = row->has_reviewed_by ? row->reviewed_by : 0,
		.reviewed_at = fy_repo_time(row->has_reviewed_at, row->reviewed_at),
	};
	int err = fy_person_open(ctx, row->person_id, row->master_key_id, row->wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCESS_REQUEST_REASON, row->id, purpose, row->reason,
					 &g.reason);
	if (err == FY_ERR_UNREADABLE) { /* one damaged request does not hide the others */
		fy_log(ctx, FY_LOG_ERROR, "access.unreadable", FY_KV("detail", ctx->fault));
		g.unreadable = true;
		err = 0;
	}
	if (err == 0)
		*ret_grant = g;
	return err;
}

fy_async int fy_grants_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			   struct fy_grant *ret_grant)
{
	struct fy_sql_access_request_get_row row;
	int err = fy_sql_access_request_get(ctx, &(struct fy_sql_access_request_get_params){ .id = id }, &row);
	return err ? err : open_row(ctx, &row, purpose, ret_grant);
}

/* The rows of all lists have the members of access_request_get's. */
#define SAME_ROW(list)                                                                                     \
	_Static_assert(sizeof(struct fy_sql_##list##_row) == sizeof(struct fy_sql_access_request_get_row), \
		       "the rows have the same members")
SAME_ROW(access_request_list);
SAME_ROW(access_request_list_due);
SAME_ROW(access_request_list_person);

static int make_page(struct fy_ctx *ctx, const void *rows, size_t count, unsigned limit,
		     enum fy_register_purpose purpose, struct fy_grant_page *ret_page)
{
	struct fy_grant_page page = { .count = count > limit ? limit : count };
	page.items = fy_new_array(ctx->arena, struct fy_grant, page.count + 1);
	for (size_t i = 0; i < page.count; i++) {
		struct fy_sql_access_request_get_row row;
		memcpy(&row, (const char *)rows + i * sizeof row, sizeof row);
		int err = open_row(ctx, &row, purpose, &page.items[i]);
		if (err)
			return err;
	}
	if (count > limit)
		page.next_cursor = page.items[limit - 1].id;
	*ret_page = page;
	return 0;
}

static unsigned page_limit(unsigned limit)
{
	return limit == 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
}

fy_async int fy_grants_list(struct fy_ctx *ctx, bool due, uint64_t cursor, unsigned limit,
			    struct fy_grant_page *ret_page)
{
	struct fy_sql_access_request_list_row *all = NULL;
	struct fy_sql_access_request_list_due_row *waiting = NULL;
	uint64_t before = cursor ? cursor : UINT64_MAX;
	size_t count;
	limit = page_limit(limit);
	int err = due ? fy_sql_access_request_list_due(ctx,
						       &(struct fy_sql_access_request_list_due_params){
							       .before_id = before,
							       .asked_after = ctx->now - FY_GRANT_WAIT,
							       .limit = limit + 1 },
						       &waiting, &count)
		      : fy_sql_access_request_list(
				ctx,
				&(struct fy_sql_access_request_list_params){ .before_id = before, .limit = limit + 1 },
				&all, &count);
	const void *rows = due ? (const void *)waiting : (const void *)all;
	return err ? err : make_page(ctx, rows, count, limit, FY_PURPOSE_LEGAL_DUTIES, ret_page);
}

fy_async int fy_grants_list_person(struct fy_ctx *ctx, uint64_t person, uint64_t asker, uint64_t cursor, unsigned limit,
				   struct fy_grant_page *ret_page)
{
	struct fy_sql_access_request_list_person_row *rows;
	size_t count;
	limit = page_limit(limit);
	int err = fy_sql_access_request_list_person(
		ctx,
		&(struct fy_sql_access_request_list_person_params){ .before_id = cursor ? cursor : UINT64_MAX,
								    .person_id = person,
								    .asker = asker,
								    .any_asker = asker == 0,
								    .limit = limit + 1 },
		&rows, &count);
	enum fy_register_purpose purpose = asker ? FY_PURPOSE_LEGAL_DUTIES : FY_PURPOSE_RIGHTS;
	return err ? err : make_page(ctx, rows, count, limit, purpose, ret_page);
}

fy_async int fy_grants_open(struct fy_ctx *ctx, uint64_t reader, uint64_t person, struct fy_grant_open **ret_grants,
			    size_t *ret_count)
{
	struct fy_sql_access_request_open_row *rows;
	size_t count;
	int err = fy_sql_access_request_open(
		ctx,
		&(struct fy_sql_access_request_open_params){
			.asked_by = reader, .person_id = person, .of_all = person == 0, .now = ctx->now },
		&rows, &count);
	if (err)
		return err;
	*ret_grants = fy_new_array(ctx->arena, struct fy_grant_open, count + 1);
	for (size_t i = 0; i < count; i++)
		(*ret_grants)[i] = (struct fy_grant_open){ .id = rows[i].id,
							   .person_id = rows[i].person_id,
							   .purpose = (enum fy_register_purpose)rows[i].purpose,
							   .ends_at = rows[i].ends_at };
	*ret_count = count;
	return 0;
}
