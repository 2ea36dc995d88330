/* See access_words.h. */
#include "server/routes/access_words.h"

#include "foyer/buf.h"
#include "foyer/require.h"
#include "server/pages/pages_gen.h"

#define FIELDS_MAX 4096

static const struct {
	const char *key;
	enum fy_text label;
} roles[] = {
	[FY_ROLE_MEMBER] = { "member", FY_TEXT_ROLE_MEMBER },
	[FY_ROLE_OWNER] = { "owner", FY_TEXT_ROLE_OWNER },
	[FY_ROLE_STAFF] = { "staff", FY_TEXT_ROLE_STAFF },
	[FY_ROLE_ACCOUNTING] = { "accounting", FY_TEXT_ROLE_ACCOUNTING },
	[FY_ROLE_AUDITOR] = { "auditor", FY_TEXT_ROLE_AUDITOR },
	[FY_ROLE_DPO] = { "dpo", FY_TEXT_ROLE_DPO },
};

/* A role that a later version stored has no word here. */
static unsigned known(enum fy_account_role role)
{
	return role > 0 && (size_t)role < FY_COUNT(roles) ? role : FY_ROLE_MEMBER;
}

struct fy_slice fy_role_label(enum fy_lang lang, enum fy_account_role role)
{
	return fy_text(lang, roles[known(role)].label);
}

struct fy_slice fy_role_key(enum fy_account_role role)
{
	return fy_str(roles[known(role)].key);
}

int fy_role_find(struct fy_slice key, enum fy_account_role *ret_role)
{
	for (unsigned i = FY_ROLE_MEMBER; i < FY_COUNT(roles); i++)
		if (fy_eq(key, fy_str(roles[i].key))) {
			*ret_role = (enum fy_account_role)i;
			return 0;
		}
	return FY_ERR_INVALID;
}

struct fy_slice fy_purpose_label(enum fy_lang lang, enum fy_register_purpose purpose)
{
	return (unsigned)purpose < FY_PURPOSE_COUNT ? fy_register_purposes[purpose].label[lang] : FY_NONE;
}

struct fy_slice fy_purpose_key(enum fy_register_purpose purpose)
{
	return (unsigned)purpose < FY_PURPOSE_COUNT ? fy_str(fy_register_purposes[purpose].key) : FY_NONE;
}

int fy_purpose_find(struct fy_slice key, enum fy_register_purpose *ret_purpose)
{
	for (unsigned p = 0; p < FY_PURPOSE_COUNT; p++)
		if (fy_grant_purpose((enum fy_register_purpose)p) && fy_eq(key, fy_str(fy_register_purposes[p].key))) {
			*ret_purpose = (enum fy_register_purpose)p;
			return 0;
		}
	return FY_ERR_INVALID;
}

struct fy_slice fy_grant_state_key(enum fy_grant_state state)
{
	static const char *const keys[] = { [FY_GRANT_WAITING] = "waiting",
					    [FY_GRANT_APPROVED] = "approved",
					    [FY_GRANT_REFUSED] = "refused",
					    [FY_GRANT_LAPSED] = "lapsed",
					    [FY_GRANT_ENDED] = "ended" };
	return fy_str(keys[state]);
}

struct fy_slice fy_fields_label(struct fy_arena *arena, enum fy_lang lang, struct fy_slice fields)
{
	struct fy_buf out;
	fy_buf_init(&out, arena, FIELDS_MAX);
	while (fields.ptr) {
		struct fy_slice column = fy_cut(&fields, ' '), name = column, table = fy_cut(&name, '.');
		const struct fy_register_field *field = fy_register_find(table, name);
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		fy_buf_put(&out, field ? field->label[lang] : column);
	}
	return fy_buf_slice(&out);
}
