/* Accounts and profiles (accounts.h): reading, editing, and what sign-in needs.
 * The flows that join a token, an account and a mail in one transaction are in accounts_flows.c.
 * Statements: sql/account.def. */
#include "storage/accounts.h"

#include "foyer/arena.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/erasure.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

static int signin_of(struct fy_ctx *ctx, const struct fy_sql_account_signin_by_id_row *row,
		     struct fy_account_signin *ret_account)
{
	struct fy_person person;
	struct fy_account_signin account = {
		.id = row->id,
		.state = (enum fy_account_state)row->state,
		.role = (enum fy_account_role)row->role,
		.language = (enum fy_lang)row->language,
		.version = row->version,
		.password_hash = row->password_hash,
	};
	int err = fy_person_open(ctx, row->id, row->master_key_id, row->wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, row->id, FY_PURPOSE_AUTHENTICATION,
					 row->email, &account.email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, row->id, FY_PURPOSE_RIGHTS,
					 row->given_name, &account.given_name);
	if (err == 0)
		*ret_account = account;
	return err;
}

fy_async int fy_accounts_find_signin(struct fy_ctx *ctx, struct fy_slice email_hash,
				     struct fy_account_signin *ret_account)
{
	struct fy_sql_account_signin_by_email_row row;
	struct fy_sql_account_signin_by_id_row same;
	int err = fy_sql_account_signin_by_email(
		ctx, &(struct fy_sql_account_signin_by_email_params){ .email_hash = { email_hash } }, &row);
	if (err)
		return err;
	_Static_assert(sizeof same == sizeof row, "the rows of both statements have the same members");
	memcpy(&same, &row, sizeof same);
	return signin_of(ctx, &same, ret_account);
}

fy_async int fy_accounts_get_signin(struct fy_ctx *ctx, uint64_t id, struct fy_account_signin *ret_account)
{
	struct fy_sql_account_signin_by_id_row row;
	int err = fy_sql_account_signin_by_id(ctx, &(struct fy_sql_account_signin_by_id_params){ .id = id }, &row);
	return err ? err : signin_of(ctx, &row, ret_account);
}

fy_async int fy_accounts_find_id(struct fy_ctx *ctx, struct fy_slice email_hash, uint64_t *ret_id)
{
	struct fy_sql_account_id_by_email_row row;
	int err = fy_sql_account_id_by_email(
		ctx, &(struct fy_sql_account_id_by_email_params){ .email_hash = { email_hash } }, &row);
	if (err == 0)
		*ret_id = row.id;
	return err;
}

/* Where each sealed field of an account comes from and goes to. */
static const struct sealed_field {
	enum fy_register_column column;
	size_t from, to; /* in the row, in the account */
} sealed_fields[] = {
#define FIELD(upper, member, target)                                                        \
	{                                                                                   \
		FY_COLUMN_ACCOUNT_##upper, offsetof(struct fy_sql_account_get_row, member), \
			offsetof(struct fy_account, target)                                 \
	}
	FIELD(EMAIL, email, email),
	FIELD(GIVEN_NAME, given_name, profile.given_name),
	FIELD(FAMILY_NAME, family_name, profile.family_name),
	FIELD(PHONE, phone, profile.phone),
	FIELD(POSITION, position, profile.position),
	FIELD(SKILLS, skills, profile.skills),
	FIELD(PASSIONS, passions, profile.passions),
	FIELD(STREET_ADDRESS, street_address, profile.street_address),
	FIELD(POSTAL_CODE, postal_code, profile.postal_code),
	FIELD(ADDRESS_LEVEL2, address_level2, profile.address_level2),
	FIELD(COUNTRY, country, profile.country),
#undef FIELD
};

static int open_fields(struct fy_ctx *ctx, const struct fy_person *person, const struct fy_sql_account_get_row *row,
		       enum fy_register_purpose purpose, struct fy_account *account)
{
	for (size_t i = 0; i < FY_COUNT(sealed_fields); i++) {
		const struct sealed_field *f = &sealed_fields[i];
		struct fy_sealed sealed;
		struct fy_personal *to = (void *)((char *)account + f->to);
		bool asked = purpose == FY_PURPOSE_RIGHTS || fy_register_fields[f->column].purposes >> purpose & 1;
		memcpy(&sealed, (const char *)row + f->from, sizeof sealed);
		int err = asked ? fy_unseal_personal(ctx, person, f->column, row->id, purpose, sealed, to)
				: FY_ERR_DENIED;
		if (err == FY_ERR_DENIED)
			account->withheld |= 1u << (f->column - FY_COLUMN_ACCOUNT_ID);
		else if (err)
			return err;
	}
	return 0;
}

fy_async int fy_accounts_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			     struct fy_account *ret_account)
{
	struct fy_sql_account_get_row row;
	struct fy_person person;
	int err = fy_sql_account_get(ctx, id, &row);
	if (err == 0)
		err = fy_person_open(ctx, row.id, row.master_key_id, row.wrapped, &person);
	if (err)
		return err;
	struct fy_account account = {
		.id = row.id,
		.version = row.version,
		.state = (enum fy_account_state)row.state,
		.role = (enum fy_account_role)row.role,
		.created_at = row.created_at,
		.confirmed_at = fy_repo_time(row.has_confirmed_at, row.confirmed_at),
		.last_active_at = fy_repo_time(row.has_last_active_at, row.last_active_at),
		.password_changed_at = fy_repo_time(row.has_password_changed_at, row.password_changed_at),
		.erase_at = fy_repo_time(row.has_erase_at, row.erase_at),
		.erase_asked_at = fy_repo_time(row.has_erase_asked_at, row.erase_asked_at),
		.erase_ground = row.has_erase_ground ? (enum fy_erasure_ground)row.erase_ground : 0,
		.policy_told = row.policy_told,
		.profile.language = (enum fy_lang)row.language,
	};
	account.person_withholds = person.withheld >> purpose & 1;
	err = open_fields(ctx, &person, &row, purpose, &account);
	if (err == 0)
		*ret_account = account;
	return err;
}

fy_async int fy_accounts_overview(struct fy_ctx *ctx, uint64_t id, struct fy_account_overview *ret_overview)
{
	struct fy_sql_account_overview_row row;
	struct fy_person person;
	int err = fy_sql_account_overview(ctx, id, &row);
	if (err == 0)
		err = fy_person_open(ctx, row.id, row.master_key_id, row.wrapped, &person);
	if (err)
		return err;
	struct fy_account_overview o = {
		.created_at = row.created_at,
		.password_changed_at = fy_repo_time(row.has_password_changed_at, row.password_changed_at),
		.erase_at = fy_repo_time(row.has_erase_at, row.erase_at),
		.restricted = (person.withheld & ~(uint32_t)(FY_PURPOSES_BY_CONSENT)) != 0,
	};
	const struct {
		enum fy_register_column column;
		struct fy_sealed sealed;
		struct fy_personal *to;
	} fields[] = {
		{ FY_COLUMN_ACCOUNT_EMAIL, row.email, &o.email },
		{ FY_COLUMN_ACCOUNT_GIVEN_NAME, row.given_name, &o.given_name },
		{ FY_COLUMN_ACCOUNT_FAMILY_NAME, row.family_name, &o.family_name },
		{ FY_COLUMN_ACCOUNT_PHONE, row.phone, &o.phone },
		{ FY_COLUMN_ACCOUNT_ADDRESS_LEVEL2, row.address_level2, &o.address_level2 },
	};
	for (size_t i = 0; i < FY_COUNT(fields) && err == 0; i++)
		err = fy_unseal_personal(ctx, &person, fields[i].column, id, FY_PURPOSE_RIGHTS, fields[i].sealed,
					 fields[i].to);
	if (err == 0)
		*ret_overview = o;
	return err;
}

static int name_of(struct fy_ctx *ctx, const struct fy_sql_account_name_row *row, enum fy_register_purpose purpose,
		   struct fy_account_name *ret_name)
{
	struct fy_person person;
	int err = fy_person_open(ctx, row->id, row->master_key_id, row->wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, row->id, purpose, row->email,
					 &ret_name->email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, row->id, purpose, row->given_name,
					 &ret_name->given_name);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_FAMILY_NAME, row->id, purpose,
					 row->family_name, &ret_name->family_name);
	bool withheld = err == FY_ERR_DENIED && person.withheld >> purpose & 1;
	return withheld ? 0 : err;
}

fy_async int fy_accounts_names(struct fy_ctx *ctx, const uint64_t *ids, size_t count, enum fy_register_purpose purpose,
			       struct fy_account_name **ret_names)
{
	struct fy_account_name *names = fy_new_array(ctx->arena, struct fy_account_name, count + 1);
	struct fy_sql_account_name_row *rows = fy_new_array(ctx->arena, struct fy_sql_account_name_row, count + 1);
	uint64_t *distinct = fy_new_array(ctx->arena, uint64_t, count + 1);
	size_t *row_of = fy_new_array(ctx->arena, size_t, count + 1);
	bool *found = fy_new_array(ctx->arena, bool, count + 1);
	size_t known = 0;
	for (size_t i = 0; i < count; i++) {
		for (row_of[i] = 0; row_of[i] < known && distinct[row_of[i]] != ids[i];)
			row_of[i]++;
		if (row_of[i] == known)
			distinct[known++] = ids[i];
	}
	int err = fy_sql_account_name_each(ctx, distinct, known, rows, found);
	if (err)
		return err;
	struct fy_account_name *opened = fy_new_array(ctx->arena, struct fy_account_name, known + 1);
	for (size_t i = 0; i < known; i++) {
		err = found[i] ? name_of(ctx, &rows[i], purpose, &opened[i]) : 0;
		if (err == FY_ERR_UNREADABLE) { /* one damaged account does not hide the others */
			fy_log(ctx, FY_LOG_ERROR, "account.unreadable", FY_KV("detail", ctx->fault));
			opened[i] = (struct fy_account_name){ 0 };
		} else if (err) {
			return err;
		}
	}
	for (size_t i = 0; i < count; i++)
		names[i] = opened[row_of[i]];
	*ret_names = names;
	return 0;
}

fy_async int fy_accounts_update_profile(struct fy_ctx *ctx, uint64_t id, uint32_t version,
					const struct fy_profile *profile, uint32_t *ret_version)
{
	struct fy_db_done done;
	struct fy_person person;
	int err = fy_persons_get(ctx, id, &person);
	if (err)
		return err;
#define SEALED(upper, member) fy_seal(ctx, &person, FY_COLUMN_ACCOUNT_##upper, id, profile->member.text)
	struct fy_sql_account_update_profile_params changes = {
		.given_name = SEALED(GIVEN_NAME, given_name),
		.family_name = SEALED(FAMILY_NAME, family_name),
		.phone = SEALED(PHONE, phone),
		.position = SEALED(POSITION, position),
		.skills = SEALED(SKILLS, skills),
		.passions = SEALED(PASSIONS, passions),
		.street_address = SEALED(STREET_ADDRESS, street_address),
		.postal_code = SEALED(POSTAL_CODE, postal_code),
		.address_level2 = SEALED(ADDRESS_LEVEL2, address_level2),
		.country = SEALED(COUNTRY, country),
		.language = (uint8_t)profile->language,
		.id = id,
		.version = version,
		.closed = FY_ACCOUNT_CLOSED,
	};
#undef SEALED
	err = fy_sql_account_update_profile(ctx, &changes, &done);
	if (err)
		return err;
	if (done.affected == 1) {
		if (ret_version)
			*ret_version = version + 1;
		return 0;
	}
	struct fy_sql_account_state_row now;
	err = fy_sql_account_state(ctx, &(struct fy_sql_account_state_params){ .id = id }, &now);
	if (err)
		return err;
	return now.state == FY_ACCOUNT_CLOSED ? FY_ERR_NOT_FOUND : FY_ERR_CONFLICT;
}

fy_async int fy_accounts_rehash(struct fy_ctx *ctx, uint64_t id, struct fy_secret old_hash, struct fy_secret new_hash)
{
	return fy_sql_account_rehash(
		ctx,
		&(struct fy_sql_account_rehash_params){ .password_hash = new_hash, .id = id, .old_hash = old_hash },
		NULL);
}

fy_async int fy_accounts_touch(struct fy_ctx *ctx, uint64_t id)
{
	return fy_sql_account_touch(ctx,
				    &(struct fy_sql_account_touch_params){ .last_active_at = ctx->now,
									   .inactive = FY_ERASURE_INACTIVE,
									   .inactive_asked = FY_ERASURE_INACTIVE,
									   .inactive_ground = FY_ERASURE_INACTIVE,
									   .id = id,
									   .stale_before = ctx->now - FY_DAY },
				    NULL);
}

fy_async int fy_accounts_count_owners(struct fy_ctx *ctx, uint64_t *ret_count)
{
	struct fy_sql_account_count_role_row row;
	int err = fy_sql_account_count_role(
		ctx, &(struct fy_sql_account_count_role_params){ .role = FY_ROLE_OWNER, .closed = FY_ACCOUNT_CLOSED },
		&row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.accounts;
	return 0;
}

fy_async int fy_accounts_count_unconfirmed(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_account_count_state_row row;
	int err = fy_sql_account_count_state(
		ctx,
		&(struct fy_sql_account_count_state_params){ .state = FY_ACCOUNT_PENDING, .created_before = before },
		&row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.accounts;
	return 0;
}

fy_async int fy_accounts_list_unconfirmed(struct fy_ctx *ctx, fy_time before, uint64_t after, unsigned limit,
					  uint64_t **ret_ids, size_t *ret_count)
{
	struct fy_sql_account_list_state_row *rows;
	size_t count;
	int err = fy_sql_account_list_state(
		ctx,
		&(struct fy_sql_account_list_state_params){ .state = FY_ACCOUNT_PENDING,
							    .created_before = before,
							    .after_id = after,
							    .limit = limit < 1000 ? limit : 1000 },
		&rows, &count);
	if (err)
		return err;
	*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, count);
	*ret_count = count;
	return 0;
}

fy_async int fy_accounts_contest(struct fy_ctx *ctx, uint64_t id)
{
	return fy_sql_account_contest(ctx, &(struct fy_sql_account_contest_params){ .id = id }, NULL);
}
