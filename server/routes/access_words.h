/* Roles, purposes and fields as the words that pages, mails and the API use for access to personal data. */
#pragma once

#include "storage/grants.h"

struct fy_slice fy_role_label(enum fy_lang lang, enum fy_account_role role); /* "propriétaire" */
struct fy_slice fy_role_key(enum fy_account_role role);                      /* "owner" */
int fy_role_find(struct fy_slice key, enum fy_account_role *ret_role);       /* FY_ERR_INVALID */

struct fy_slice fy_purpose_label(enum fy_lang lang, enum fy_register_purpose purpose);
struct fy_slice fy_purpose_key(enum fy_register_purpose purpose);
/* One for which access may be asked, by its key in the register; FY_ERR_INVALID. */
int fy_purpose_find(struct fy_slice key, enum fy_register_purpose *ret_purpose);

struct fy_slice fy_grant_state_key(enum fy_grant_state state); /* "waiting", … */

/* "Prénom, Nom" for "account.given_name account.family_name"; in the arena. */
struct fy_slice fy_fields_label(struct fy_arena *arena, enum fy_lang lang, struct fy_slice fields);
