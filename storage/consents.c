/* See consents.h. Statements: sql/consent.def. */
#include "storage/consents.h"

#include "storage/repo_rows.h"
#include "storage/statements.h"

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

fy_async int fy_consents_set(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose, bool given)
{
	struct fy_consent last;
	struct fy_sql_consent_insert_params row;
	int err = fy_consents_get(ctx, account_id, purpose, &last);
	if (err || last.given == given)
		return err;
	fy_consent_row(ctx, account_id, purpose, given, &row);
	return fy_sql_consent_insert(ctx, &row, NULL);
}
