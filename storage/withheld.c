/* See withheld.h. Statements: sql/person_key.def. */
#include "storage/withheld.h"

#include "foyer/require.h"
#include "storage/persons.h"
#include "storage/restriction.h"
#include "storage/statements.h"
#include "storage/tx.h"

enum fy_register_purpose fy_withheld_purpose(enum fy_consent_purpose consent)
{
	FY_REQUIRE(consent == FY_CONSENT_MARKET_RESEARCH); /* there is one */
	return FY_PURPOSE_MARKET_RESEARCH;
}

fy_async int fy_withheld_lock(struct fy_ctx *ctx, uint64_t person_id)
{
	struct fy_sql_person_key_lock_row row;
	FY_REQUIRE(fy_tx_active(ctx));
	return fy_sql_person_key_lock(ctx, &(struct fy_sql_person_key_lock_params){ .person_id = person_id }, &row);
}

/* Persons of other kinds have no messages by that number. */
static fy_async int message_is_restricted(struct fy_ctx *ctx, uint64_t person_id, bool *ret_restricted)
{
	struct fy_sql_restriction_of_message_row row;
	int err = fy_sql_restriction_of_message(ctx, &(struct fy_sql_restriction_of_message_params){ .id = person_id },
						&row);
	*ret_restricted = err == 0 && row.in_force;
	return err;
}

static fy_async int work_out(struct fy_ctx *ctx, uint64_t person_id, uint32_t *ret_withheld)
{
	struct fy_consent research;
	struct fy_restriction restriction;
	bool as_message;
	int err = fy_consents_get(ctx, person_id, FY_CONSENT_MARKET_RESEARCH, &research);
	if (err == 0)
		err = fy_restriction_get(ctx, person_id, &restriction);
	if (err == 0)
		err = message_is_restricted(ctx, person_id, &as_message);
	if (err)
		return err;
	*ret_withheld = FY_PURPOSES_BY_CONSENT;
	if (research.given)
		*ret_withheld &= ~(1u << fy_withheld_purpose(research.purpose));
	if (restriction.in_force || as_message)
		*ret_withheld |= ~(uint32_t)(FY_PURPOSES_DESPITE_RESTRICTION);
	return 0;
}

fy_async int fy_withheld_store(struct fy_ctx *ctx, uint64_t person_id)
{
	struct fy_sql_person_key_lock_row row;
	struct fy_sql_person_key_insert_params next;
	struct fy_person person;
	uint32_t withheld;
	FY_REQUIRE(fy_tx_active(ctx));
	int err = fy_sql_person_key_lock(ctx, &(struct fy_sql_person_key_lock_params){ .person_id = person_id }, &row);
	if (err == 0)
		err = fy_person_open(ctx, person_id, row.master_key_id, row.wrapped, &person);
	if (err)
		return err;
	err = work_out(ctx, person_id, &withheld);
	if (err || withheld == person.withheld)
		return err;
	fy_person_withhold(ctx, &person, withheld, &next);
	return fy_sql_person_key_rewrap(
		ctx,
		&(struct fy_sql_person_key_rewrap_params){ .master_key_id = next.master_key_id,
							   .wrapped = next.wrapped,
							   .person_id = person_id,
							   .old_master_key_id = row.master_key_id },
		NULL);
}
