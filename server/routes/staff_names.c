/* See staff_names.h. */
#include "server/routes/staff_names.h"

#include "foyer/buf.h"
#include "storage/grants.h"

struct fy_personal fy_staff_name(struct fy_arena *arena, const struct fy_account_name *name)
{
	struct fy_slice given = name->given_name.text, family = name->family_name.text;
	return (struct fy_personal){ fy_fmt(arena, FY_FMT "%s" FY_FMT, FY_ARG(given),
					    given.len && family.len ? " " : "", FY_ARG(family)) };
}

static const struct fy_grant_open *find_grant(const struct fy_grant_open *grants, size_t count, uint64_t person)
{
	for (size_t i = 0; i < count; i++)
		if (grants[i].person_id == person)
			return &grants[i];
	return NULL;
}

/* Written to the log before anybody sees it; a grant that has just ended opens nothing. */
fy_async static int open_inside(struct fy_ctx *ctx, const struct fy_session *viewer, const struct fy_grant_open *grant,
				struct fy_account_name *ret_name)
{
	struct fy_account_name *name;
	int err = fy_accounts_names(ctx, &grant->person_id, 1, grant->purpose, &name);
	if (err || name->email.text.len == 0)
		return err;
	err = fy_grants_read(ctx, &(struct fy_read){
					  .reader_id = viewer->account_id,
					  .reader_role = (enum fy_account_role)viewer->role,
					  .person_id = grant->person_id,
					  .purpose = grant->purpose,
					  .fields = FY_LIT("account.given_name account.family_name account.email"),
					  .request_id = grant->id,
				  });
	if (err == 0)
		*ret_name = *name;
	return err == FY_ERR_DENIED ? 0 : err;
}

fy_async int fy_staff_names(struct fy_ctx *ctx, const struct fy_session *viewer, const uint64_t *ids, size_t count,
			    struct fy_account_name **ret_names)
{
	struct fy_account_name *names = fy_new_array(ctx->arena, struct fy_account_name, count + 1), *own;
	struct fy_grant_open *grants;
	size_t grant_count;
	int err = fy_grants_open(ctx, viewer->account_id, 0, &grants, &grant_count);
	if (err == 0)
		err = fy_accounts_names(ctx, &viewer->account_id, 1, FY_PURPOSE_RIGHTS, &own);
	for (size_t i = 0; i < count && err == 0; i++) {
		const struct fy_grant_open *grant = find_grant(grants, grant_count, ids[i]);
		size_t before = 0;
		while (before < i && ids[before] != ids[i])
			before++;
		if (before < i)
			names[i] = names[before];
		else if (ids[i] == viewer->account_id)
			names[i] = *own;
		else if (grant)
			err = open_inside(ctx, viewer, grant, &names[i]);
	}
	if (err == 0)
		*ret_names = names;
	return err;
}
