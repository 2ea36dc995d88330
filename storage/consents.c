/* See consents.h. Statements: sql/consent.def. */
#include "storage/consents.h"

#include "storage/repo_rows.h"
#include "storage/statements.h"

#define LIST_MAX 1000 /* `max` of consent_list; a decision takes a visit to the page */

fy_async int fy_consents_get(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose,
			     struct fy_consent *ret_consent)
{
	struct fy_sql_consent_last_row row;
	int err = fy_sql_consent_last(
		ctx, &(struct fy_sql_consent_last_params){ .account_id = account_id, .purpose = (uint8_t)purpose },
		&row);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_consent = (struct fy_consent){ .purpose = purpose };
	if (err == 0)
		*ret_consent = (struct fy_consent){ .purpose = purpose,
						    .given = row.given,
						    .decided_at = row.decided_at,
						    .text_version = row.text_version };
	return 0;
}

fy_async int fy_consents_list(struct fy_ctx *ctx, uint64_t account_id, struct fy_consent **ret_consents,
			      size_t *ret_count)
{
	struct fy_sql_consent_list_row *rows;
	int err = fy_sql_consent_list(
		ctx, &(struct fy_sql_consent_list_params){ .account_id = account_id, .limit = LIST_MAX }, &rows,
		ret_count);
	if (err)
		return err;
	*ret_consents = fy_new_array(ctx->arena, struct fy_consent, *ret_count + 1);
	for (size_t i = 0; i < *ret_count; i++)
		(*ret_consents)[i] = (struct fy_consent){ .purpose = (enum fy_consent_purpose)rows[i].purpose,
							  .given = rows[i].given,
							  .decided_at = rows[i].decided_at,
							  .text_version = rows[i].text_version };
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
