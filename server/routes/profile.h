/* The fields of a profile, from a form or from JSON; the pages and the API share them. */
#pragma once

#include "server/routes/form.h"
#include "storage/accounts.h"

#define FY_PROFILE_PARAMS(PARAM)                                                                                \
	PARAM("given_name", FY_ACCOUNT_NAME_MAX), PARAM("family_name", FY_ACCOUNT_NAME_MAX),                    \
		PARAM("phone", FY_ACCOUNT_PHONE_MAX), PARAM("position", FY_ACCOUNT_POSITION_MAX),               \
		PARAM("skills", FY_ACCOUNT_PROSE_MAX, .lines = true),                                           \
		PARAM("passions", FY_ACCOUNT_PROSE_MAX, .lines = true), PARAM("language", 5),                   \
		PARAM("street_address", FY_ACCOUNT_STREET_MAX, .lines = true),                                  \
		PARAM("postal_code", FY_ACCOUNT_POSTAL_CODE_MAX), PARAM("address_level2", FY_ACCOUNT_CITY_MAX), \
		PARAM("country", FY_ACCOUNT_COUNTRY_MAX)

/* Overwrites `profile` with the parameters that were given, and checks the whole. */
void fy_profile_take(struct fy_form *form, struct fy_profile *profile);
