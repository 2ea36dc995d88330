/* See profile.h. */
#include "server/routes/profile.h"

#include "foyer/require.h"

/* Digits with the signs that people write between them; an international prefix. ITU-T E.164 allows 15 digits. */
static bool is_phone(struct fy_slice text)
{
	unsigned digits = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c >= '0' && c <= '9')
			digits++;
		else if (!(c == ' ' || c == '.' || c == '-' || c == '(' || c == ')' || c == '/' ||
			   (c == '+' && i == 0)))
			return false;
	}
	return digits >= 6 && digits <= 15;
}

static bool is_postal_code(struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' ||
		      c == '-'))
			return false;
	}
	return true;
}

static void take(struct fy_form *form, const char *name, struct fy_personal *field)
{
	if (fy_param_given(form->req, name))
		field->text = fy_param(form->req, name);
}

void fy_profile_take(struct fy_form *form, struct fy_profile *profile)
{
	const struct {
		const char *name;
		struct fy_personal *field;
	} fields[] = {
		{ "given_name", &profile->given_name },
		{ "family_name", &profile->family_name },
		{ "phone", &profile->phone },
		{ "position", &profile->position },
		{ "skills", &profile->skills },
		{ "passions", &profile->passions },
		{ "street_address", &profile->street_address },
		{ "postal_code", &profile->postal_code },
		{ "address_level2", &profile->address_level2 },
		{ "country", &profile->country },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++)
		take(form, fields[i].name, fields[i].field);
	struct fy_slice language = fy_param(form->req, "language");
	if (fy_eq(language, FY_LIT("fr")) || fy_eq(language, FY_LIT("en")))
		profile->language = fy_eq(language, FY_LIT("en")) ? FY_LANG_EN : FY_LANG_FR;
	else if (fy_param_given(form->req, "language"))
		fy_form_error(form, "language", FY_TEXT_ERROR_LANGUAGE_UNKNOWN);
	if (profile->given_name.text.len == 0)
		fy_form_error(form, "given_name", FY_TEXT_ERROR_GIVEN_NAME_MISSING);
	if (profile->family_name.text.len == 0)
		fy_form_error(form, "family_name", FY_TEXT_ERROR_FAMILY_NAME_MISSING);
	if (profile->phone.text.len && !is_phone(profile->phone.text))
		fy_form_error(form, "phone", FY_TEXT_ERROR_PHONE_FORMAT);
	if (profile->postal_code.text.len && !is_postal_code(profile->postal_code.text))
		fy_form_error(form, "postal_code", FY_TEXT_ERROR_POSTAL_CODE_FORMAT);
	if (profile->country.text.len && !fy_country_known(profile->country.text))
		fy_form_error(form, "country", FY_TEXT_ERROR_COUNTRY_UNKNOWN);
}
