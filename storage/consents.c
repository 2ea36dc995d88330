/* See consents.h. Statements: sql/consent.def. */
#include "storage/consents.h"

#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"
#include "storage/withheld.h"

fy_async int fy_consents_get(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose,
			     struct fy_consent *ret_consent)
{
	struct fy_sql_consent_last_row row;
	int err = fy_sql_consent_last(
		ctx, &(struct fy_sql_consent_last_params){ .account_id = account_id, .purpose = (uint8_t)purpose },
		&row);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_consent = (struct fy_consent){ 0 };
	if (err == 0)
		*ret_consent = (struct fy_consent){ .given = row.given,
						    .decided_at = row.decided_at,
						    .text_version = row.text_version };
	return 0;
}

void fy_consent_row(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose, bool given,
		    struct fy_sql_consent_insert_params *ret_row)
{
	*ret_row = (struct fy_sql_consent_insert_params){
		.account_id = account_id,
		.purpose = (uint8_t)purpose,
		.text_version = FY_LIT(FY_CONSENT_TEXT_VERSION),
		.given = given,
		.decided_at = ctx->now,
	};
}

struct decision {
	uint64_t account_id;
	enum fy_consent_purpose purpose;
	bool given;
};

static fy_async int decide(struct fy_ctx *ctx, void *arg)
{
	const struct decision *d = arg;
	struct fy_consent last;
	struct fy_sql_consent_insert_params row;
	int err = fy_withheld_lock(ctx, d->account_id);
	if (err == 0)
		err = fy_consents_get(ctx, d->account_id, d->purpose, &last);
	if (err || last.given == d->given)
		return err;
	fy_consent_row(ctx, d->account_id, d->purpose, d->given, &row);
	err = fy_sql_consent_insert(ctx, &row, NULL);
	return err ? err : fy_withheld_store(ctx, d->account_id);
}

fy_async int fy_consents_set(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose, bool given)
{
	return fy_repo_join(ctx, decide,
			    &(struct decision){ .account_id = account_id, .purpose = purpose, .given = given });
}

fy_async int fy_consents_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_consent_count_old_row row;
	int err = fy_sql_consent_count_old(
		ctx, &(struct fy_sql_consent_count_old_params){ .replaced_before = before, .erased_before = before },
		&row);
	if (err == 0)
		*ret_count = (uint64_t)row.decisions;
	return err;
}

fy_async int fy_consents_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				  size_t *ret_count)
{
	struct fy_sql_consent_list_old_row *rows;
	int err = fy_sql_consent_list_old(ctx,
					  &(struct fy_sql_consent_list_old_params){
						  .replaced_before = before, .erased_before = before, .limit = limit },
					  &rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_consents_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	uint64_t *ids;
	size_t count;
	int err = fy_consents_list_old(ctx, before, limit, &ids, &count);
	for (size_t i = 0; i < count && err == 0; i++)
		err = fy_sql_consent_delete(ctx, &(struct fy_sql_consent_delete_params){ .id = ids[i] }, NULL);
	if (err == 0)
		*ret_deleted = count;
	return err;
}
