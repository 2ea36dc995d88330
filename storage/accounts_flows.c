/* What happens to an account together with a token or a mail (accounts.h): all of it or nothing.
 * Reading and editing are in accounts.c; hashing, the mails' text and ending sessions are the callers'. */
#include "storage/accounts.h"

#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/policy.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"
#include "storage/withheld.h"

/* A new person with an account: two rows. */
struct newcomer {
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	struct fy_sql_account_insert_params account;
};

static int make_newcomer(struct fy_ctx *ctx, const struct fy_account_new *account, struct newcomer *ret_newcomer)
{
	struct newcomer *n = ret_newcomer;
	uint64_t id = fy_id_new(ctx);
	if (account->email_hash.len != FY_HASH_BYTES || !account->email.text.len)
		return fy_fail(ctx, FY_ERR_INVALID, "an account needs an address and its hash of %d bytes",
			       FY_HASH_BYTES);
	enum fy_account_state state = account->state ? account->state : FY_ACCOUNT_PENDING;
	fy_person_new(ctx, id, &n->person, &n->key);
	n->account = (struct fy_sql_account_insert_params){
		.id = id,
		.email = fy_seal(ctx, &n->person, FY_COLUMN_ACCOUNT_EMAIL, id, account->email.text),
		.email_hash = { account->email_hash },
		.password_hash = { fy_repo_or_null(account->password_hash.text) },
		.given_name = fy_seal(ctx, &n->person, FY_COLUMN_ACCOUNT_GIVEN_NAME, id, account->given_name.text),
		.family_name = fy_seal(ctx, &n->person, FY_COLUMN_ACCOUNT_FAMILY_NAME, id, account->family_name.text),
		.language = (uint8_t)account->language,
		.role = (uint8_t)(account->role ? account->role : FY_ROLE_MEMBER),
		.state = (uint8_t)state,
		.created_at = ctx->now,
		.confirmed_at = ctx->now,
		.has_confirmed_at = state == FY_ACCOUNT_ACTIVE,
		.password_changed_at = ctx->now,
		.has_password_changed_at = account->password_hash.text.len != 0,
		/* The form links to this one, whatever is published for later. */
		.policy_told = { fy_str(fy_policy_in_force(&fy_policy_versions, ctx->now)->date) },
	};
	return 0;
}

/* A duplicate address, a taken number, a rotated master key and a lost deadlock look alike; only the first is "the
 * address is taken". */
static fy_async int taken_or(struct fy_ctx *ctx, struct fy_slice email_hash, int err)
{
	struct fy_account_signin other;
	if (err != FY_ERR_CONFLICT)
		return err;
	return fy_accounts_find_signin(ctx, email_hash, &other) == 0 ? FY_ERR_EXISTS : err;
}

struct creation {
	const struct fy_account_new *account;
	enum fy_token_purpose purpose;
	struct fy_slice token_hash;
	fy_time token_expires_at;
	const struct fy_mail_new *mail;
};

static fy_async int create(struct fy_ctx *ctx, const struct creation *c, uint64_t *ret_id)
{
	struct newcomer newcomer;
	struct fy_sql_token_insert_params token;
	struct fy_sql_outbox_insert_params mail;
	struct fy_db_insert unit[4];
	size_t count = 0;
	int err = make_newcomer(ctx, c->account, &newcomer);
	if (err)
		return err;
	uint64_t id = newcomer.person.id;
	unit[count++] = fy_sql_person_key_insert_insert(&newcomer.key);
	unit[count++] = fy_sql_account_insert_insert(&newcomer.account);
	if (c->token_hash.len) {
		fy_token_row(ctx, id, c->purpose, c->token_hash, c->token_expires_at, &token);
		unit[count++] = fy_sql_token_insert_insert(&token);
	}
	if (c->mail) {
		err = fy_outbox_row(ctx, c->mail, &newcomer.person, &mail);
		if (err)
			return err;
		unit[count++] = fy_sql_outbox_insert_insert(&mail);
	}
	err = fy_db_unit(ctx, unit, count, NULL);
	if (err == 0 && ret_id)
		*ret_id = id;
	return err;
}

fy_async int fy_accounts_create(struct fy_ctx *ctx, const struct fy_account_new *account, enum fy_token_purpose purpose,
				struct fy_slice token_hash, fy_time token_expires_at, const struct fy_mail_new *mail,
				uint64_t *ret_id)
{
	const struct creation c = { account, purpose, token_hash, token_expires_at, mail };
	unsigned tries = 0;
	int err;
	if (token_hash.len && token_hash.len != FY_HASH_BYTES)
		return fy_fail(ctx, FY_ERR_INVALID, "a token hash has %d bytes", FY_HASH_BYTES);
	do {
		err = create(ctx, &c, ret_id);
		if (err)
			err = taken_or(ctx, account->email_hash, err);
	} while (fy_persons_again(ctx, err, &tries));
	return err;
}

struct token_flow {
	enum fy_token_purpose purpose;
	struct fy_slice token_hash;
	struct fy_secret password_hash;
	const struct fy_account_new *account;
	fy_announcement_letter letter;
	bool market_research;
	uint64_t id;
};

/* Decisions from before the mailbox was proven, which earlier versions took with the registration, may be anybody's. */
static fy_async int drop_consents(struct fy_ctx *ctx, uint64_t id)
{
	struct fy_db_done done;
	int err = fy_withheld_lock(ctx, id);
	if (err == 0)
		err = fy_sql_consent_delete_of_account(
			ctx, &(struct fy_sql_consent_delete_of_account_params){ .account_id = id }, &done);
	return err || done.affected == 0 ? err : fy_withheld_store(ctx, id);
}

/* The mailbox is proven: what was pending becomes active, and anything else stays as it is. */
static fy_async int activate(struct fy_ctx *ctx, uint64_t id, fy_announcement_letter letter)
{
	struct fy_db_done done;
	int err = fy_sql_account_activate(ctx,
					  &(struct fy_sql_account_activate_params){ .active = FY_ACCOUNT_ACTIVE,
										    .confirmed_at = ctx->now,
										    .id = id,
										    .pending = FY_ACCOUNT_PENDING },
					  &done);
	if (err || done.affected == 0)
		return err;
	err = drop_consents(ctx, id);
	return err ? err : fy_announcements_catch_up(ctx, id, letter);
}

static fy_async int confirm(struct fy_ctx *ctx, void *arg)
{
	struct token_flow *f = arg;
	struct fy_token token;
	int err = fy_tokens_use(ctx, FY_TOKEN_CONFIRM_EMAIL, f->token_hash, &token);
	if (err == 0)
		err = activate(ctx, token.account_id, f->letter);
	if (err == 0 && f->market_research)
		err = fy_consents_set(ctx, token.account_id, FY_CONSENT_MARKET_RESEARCH, true);
	if (err == 0)
		f->id = token.account_id;
	return err;
}

fy_async int fy_accounts_confirm(struct fy_ctx *ctx, struct fy_slice token_hash, bool market_research,
				 fy_announcement_letter letter, uint64_t *ret_id)
{
	struct token_flow f = { .token_hash = token_hash, .market_research = market_research, .letter = letter };
	int err = fy_repo_join(ctx, confirm, &f);
	if (err)
		return err;
	*ret_id = f.id;
	return 0;
}

/* Sets a password and makes other links that would set one useless. */
static fy_async int store_password(struct fy_ctx *ctx, uint64_t id, struct fy_secret password_hash)
{
	struct fy_db_done done;
	int err = fy_sql_account_set_password(
		ctx,
		&(struct fy_sql_account_set_password_params){ .password_hash = password_hash,
							      .password_changed_at = ctx->now,
							      .id = id,
							      .closed = FY_ACCOUNT_CLOSED },
		&done);
	if (err)
		return err;
	if (done.affected != 1)
		return FY_ERR_NOT_FOUND;
	/* What was asked with the old password, by whoever knew it. */
	err = fy_sql_email_change_delete(ctx, &(struct fy_sql_email_change_delete_params){ .account_id = id }, NULL);
	static const enum fy_token_purpose ends[] = { FY_TOKEN_RESET_PASSWORD, FY_TOKEN_SET_UP };
	for (size_t i = 0; i < 2 && !err; i++)
		err = fy_sql_token_replace(ctx,
					   &(struct fy_sql_token_replace_params){ .used_at = ctx->now,
										  .account_id = id,
										  .has_account_id = true,
										  .purpose = (uint8_t)ends[i] },
					   NULL);
	return err;
}

static fy_async int reset_password(struct fy_ctx *ctx, void *arg)
{
	struct token_flow *f = arg;
	struct fy_token token;
	int err = fy_tokens_use(ctx, f->purpose, f->token_hash, &token);
	if (err)
		return err;
	struct fy_sql_account_lock_row account;
	err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = token.account_id }, &account);
	if (err)
		return err;
	if (account.state == FY_ACCOUNT_CLOSED)
		return FY_ERR_DENIED;
	err = activate(ctx, token.account_id, f->letter);
	if (err)
		return err;
	f->id = token.account_id;
	return store_password(ctx, token.account_id, f->password_hash);
}

static fy_async int set_up(struct fy_ctx *ctx, void *arg)
{
	struct token_flow *f = arg;
	const struct fy_account_new *a = f->account;
	struct fy_person person;
	int err = reset_password(ctx, f);
	if (err == 0)
		err = fy_persons_get(ctx, f->id, &person);
	if (err)
		return err;
	struct fy_sql_account_set_names_params names = {
		.given_name = fy_seal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, f->id, a->given_name.text),
		.family_name = fy_seal(ctx, &person, FY_COLUMN_ACCOUNT_FAMILY_NAME, f->id, a->family_name.text),
		.id = f->id,
	};
	return fy_sql_account_set_names(ctx, &names, NULL);
}

fy_async int fy_accounts_set_up(struct fy_ctx *ctx, struct fy_slice token_hash, const struct fy_account_new *account,
				fy_announcement_letter letter, uint64_t *ret_id)
{
	struct token_flow f = { .purpose = FY_TOKEN_SET_UP,
				.token_hash = token_hash,
				.password_hash = account->password_hash,
				.letter = letter,
				.account = account };
	int err = fy_repo_join(ctx, set_up, &f);
	if (err)
		return err;
	*ret_id = f.id;
	return 0;
}

fy_async int fy_accounts_reset_password(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice token_hash,
					struct fy_secret password_hash, fy_announcement_letter letter, uint64_t *ret_id)
{
	struct token_flow f = {
		.purpose = purpose, .token_hash = token_hash, .password_hash = password_hash, .letter = letter
	};
	int err = fy_repo_join(ctx, reset_password, &f);
	if (err)
		return err;
	*ret_id = f.id;
	return 0;
}

static fy_async int set_password(struct fy_ctx *ctx, void *arg)
{
	const struct token_flow *f = arg;
	return store_password(ctx, f->id, f->password_hash);
}

fy_async int fy_accounts_set_password(struct fy_ctx *ctx, uint64_t id, struct fy_secret password_hash)
{
	struct token_flow f = { .id = id, .password_hash = password_hash };
	return fy_repo_join(ctx, set_password, &f);
}

static fy_async int set_up_owner(struct fy_ctx *ctx, void *arg)
{
	struct token_flow *f = arg;
	struct fy_token token;
	uint64_t owners;
	int err = fy_tokens_use(ctx, FY_TOKEN_SET_UP, f->token_hash, &token);
	if (err)
		return err;
	if (token.account_id)
		return FY_ERR_NOT_FOUND; /* a link for somebody's own account does not make an owner */
	err = fy_accounts_count_owners(ctx, &owners);
	if (err)
		return err;
	if (owners)
		return FY_ERR_DENIED;
	struct fy_account_new account = *f->account;
	struct newcomer newcomer;
	account.role = FY_ROLE_OWNER;
	account.state = FY_ACCOUNT_ACTIVE;
	err = make_newcomer(ctx, &account, &newcomer);
	if (err == 0)
		err = fy_sql_person_key_insert(ctx, &newcomer.key, NULL);
	if (err == 0)
		err = fy_sql_account_insert(ctx, &newcomer.account, NULL);
	if (err == 0)
		err = fy_announcements_catch_up(ctx, newcomer.person.id, f->letter);
	f->id = newcomer.person.id;
	return err;
}

fy_async int fy_accounts_set_up_owner(struct fy_ctx *ctx, struct fy_slice token_hash,
				      const struct fy_account_new *account, fy_announcement_letter letter,
				      uint64_t *ret_id)
{
	struct token_flow f = { .token_hash = token_hash, .account = account, .letter = letter };
	unsigned tries = 0;
	int err;
	do {
		err = fy_repo_join(ctx, set_up_owner, &f);
		if (err)
			err = taken_or(ctx, account->email_hash, err);
	} while (fy_persons_again(ctx, err, &tries));
	if (err == 0)
		*ret_id = f.id;
	return err;
}

struct deletion {
	uint64_t id;
	fy_time before;
	bool deleted;
};

/* The tokens go with the account, by their foreign key. */
static fy_async int delete_unconfirmed(struct fy_ctx *ctx, void *arg)
{
	struct deletion *d = arg;
	struct fy_db_done done;
	int err = fy_sql_account_delete_state(
		ctx,
		&(struct fy_sql_account_delete_state_params){
			.id = d->id, .state = FY_ACCOUNT_PENDING, .created_before = d->before },
		&done);
	if (err)
		return err;
	d->deleted = done.affected == 1;
	if (!d->deleted)
		return 0;
	err = fy_sql_outbox_delete_of_person(ctx, &(struct fy_sql_outbox_delete_of_person_params){ .person_id = d->id },
					     NULL);
	if (err == 0)
		err = fy_sql_consent_delete_of_account(
			ctx, &(struct fy_sql_consent_delete_of_account_params){ .account_id = d->id }, NULL);
	return err ? err : fy_persons_destroy(ctx, d->id);
}

fy_async int fy_accounts_delete_unconfirmed(struct fy_ctx *ctx, uint64_t id, fy_time before, bool *ret_deleted)
{
	struct deletion d = { .id = id, .before = before };
	int err = fy_repo_join(ctx, delete_unconfirmed, &d);
	if (err)
		return err;
	*ret_deleted = d.deleted;
	return 0;
}
