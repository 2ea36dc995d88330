/* Rows that one repository makes for another, so that both travel in one coalesced unit.
 * Only for the .c files of the repositories. The rows point into what they were made from. */
#pragma once

#include "storage/consents.h"
#include "storage/tokens.h"

struct fy_mail_new;
struct fy_person;
struct fy_sql_consent_insert_params;
struct fy_sql_token_insert_params;
struct fy_sql_outbox_insert_params;

/* tokens.c. `hash` has FY_HASH_BYTES; account 0: none. */
void fy_token_row(struct fy_ctx *ctx, uint64_t account_id, enum fy_token_purpose purpose, struct fy_slice hash,
		  fy_time expires_at, struct fy_sql_token_insert_params *ret_row);

/* outbox.c. Sealed under the key of `person`, whoever the mail says. FY_ERR_TOO_LARGE, FY_ERR_INVALID (no address, no
 * template). */
int fy_outbox_row(struct fy_ctx *ctx, const struct fy_mail_new *mail, const struct fy_person *person,
		  struct fy_sql_outbox_insert_params *ret_row);

/* consents.c */
void fy_consent_row(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose, bool given,
		    struct fy_sql_consent_insert_params *ret_row);
