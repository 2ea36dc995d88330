/* One-time tokens (tokens.h): one conditional UPDATE decides who uses a token.
 * What follows from a use (an active account, a new password) is in accounts.c and shares its
 * transaction. Statements: sql/one_time_token.def. */
#include "storage/tokens.h"

#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

/* As long as the outbox tries to deliver a mail (outbox.c): until then the token names the mail's person. */
#define MAIL_WAITS (3 * FY_DAY)

struct creation {
	uint64_t account_id;
	enum fy_token_purpose purpose;
	struct fy_slice hash;
	fy_time expires_at;
	const struct fy_mail_new *mail;
};

void fy_token_row(struct fy_ctx *ctx, uint64_t account_id, enum fy_token_purpose purpose, struct fy_slice hash,
		  fy_time expires_at, struct fy_sql_token_insert_params *ret_row)
{
	*ret_row = (struct fy_sql_token_insert_params){
		.account_id = account_id,
		.has_account_id = account_id != 0,
		.purpose = (uint8_t)purpose,
		.token_hash = { hash },
		.created_at = ctx->now,
		.expires_at = expires_at,
	};
}

/* Under READ COMMITTED two creations at the same time do not see each other's token, and both stay good:
 * neither was earlier, and both mails go to the same address. */
static fy_async int create(struct fy_ctx *ctx, void *arg)
{
	const struct creation *c = arg;
	int err = fy_sql_token_replace(ctx,
				       &(struct fy_sql_token_replace_params){ .used_at = ctx->now,
									      .account_id = c->account_id,
									      .has_account_id = c->account_id != 0,
									      .purpose = (uint8_t)c->purpose },
				       NULL);
	if (err)
		return err;
	struct fy_sql_token_insert_params row;
	fy_token_row(ctx, c->account_id, c->purpose, c->hash, c->expires_at, &row);
	err = fy_sql_token_insert(ctx, &row, NULL);
	if (err || !c->mail)
		return err;
	struct fy_mail_new mail = *c->mail;
	if (c->account_id)
		mail.person_id = c->account_id;
	return fy_outbox_add(ctx, &mail);
}

fy_async int fy_tokens_create(struct fy_ctx *ctx, uint64_t account_id, enum fy_token_purpose purpose,
			      struct fy_slice hash, fy_time expires_at, const struct fy_mail_new *mail)
{
	if (hash.len != FY_HASH_BYTES)
		return fy_fail(ctx, FY_ERR_INVALID, "a token hash has %d bytes", FY_HASH_BYTES);
	struct creation c = { account_id, purpose, hash, expires_at, mail };
	return fy_repo_join(ctx, create, &c);
}

static fy_async int create_for_address(struct fy_ctx *ctx, const struct fy_sql_token_insert_params *common,
				       const struct fy_mail_new *mail)
{
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	struct fy_sql_outbox_insert_params mail_row;
	struct fy_sql_token_insert_params token = *common;
	fy_person_new(ctx, fy_id_new(ctx), &person, &key);
	token.person_id = person.id;
	token.has_person_id = true;
	int err = fy_outbox_row(ctx, mail, &person, &mail_row);
	if (err)
		return err;
	mail_row.ends_person = true;
	const struct fy_db_insert unit[] = { fy_sql_person_key_insert_insert(&key), fy_sql_token_insert_insert(&token),
					     fy_sql_outbox_insert_insert(&mail_row) };
	return fy_db_unit(ctx, unit, 3, NULL);
}

fy_async int fy_tokens_create_for_address(struct fy_ctx *ctx, struct fy_slice email_hash, enum fy_token_purpose purpose,
					  struct fy_slice hash, fy_time expires_at, const struct fy_mail_new *mail)
{
	struct fy_sql_token_insert_params row;
	unsigned tries = 0;
	int err;
	if (hash.len != FY_HASH_BYTES || email_hash.len != FY_HASH_BYTES)
		return fy_fail(ctx, FY_ERR_INVALID, "a hash has %d bytes", FY_HASH_BYTES);
	fy_token_row(ctx, 0, purpose, hash, expires_at, &row);
	row.email_hash.text = email_hash;
	do
		err = create_for_address(ctx, &row, mail);
	while (fy_persons_again(ctx, err, &tries));
	return err;
}

fy_async int fy_tokens_find(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice hash,
			    struct fy_token *ret_token)
{
	if (hash.len != FY_HASH_BYTES)
		return FY_ERR_NOT_FOUND;
	struct fy_sql_token_get_row row;
	int err = fy_sql_token_get(
		ctx, &(struct fy_sql_token_get_params){ .token_hash = { hash }, .purpose = (uint8_t)purpose }, &row);
	if (err)
		return err;
	if (row.has_used_at || row.expires_at <= ctx->now)
		return FY_ERR_EXPIRED;
	*ret_token = (struct fy_token){ .id = row.id,
					.account_id = row.has_account_id ? row.account_id : 0,
					.email_hash = row.email_hash.text,
					.expires_at = row.expires_at };
	return 0;
}

fy_async int fy_tokens_use(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice hash,
			   struct fy_token *ret_token)
{
	struct fy_token token;
	int err = fy_tokens_find(ctx, purpose, hash, &token);
	if (err)
		return err;
	struct fy_db_done done;
	err = fy_sql_token_use(
		ctx,
		&(struct fy_sql_token_use_params){
			.used_at = ctx->now, .token_hash = { hash }, .purpose = (uint8_t)purpose, .now = ctx->now },
		&done);
	if (err)
		return err;
	if (done.affected != 1)
		return FY_ERR_EXPIRED; /* another was faster between the look and the use */
	*ret_token = token;
	return 0;
}

fy_async int fy_tokens_count_expired(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_token_count_expired_row row;
	int err = fy_sql_token_count_expired(ctx,
					     &(struct fy_sql_token_count_expired_params){
						     .before = before, .before_of_person = before - MAIL_WAITS },
					     &row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.tokens;
	return 0;
}

fy_async int fy_tokens_list_expired(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				    size_t *ret_count)
{
	struct fy_sql_token_list_expired_row *rows;
	int err = fy_sql_token_list_expired(
		ctx,
		&(struct fy_sql_token_list_expired_params){
			.before = before, .before_of_person = before - MAIL_WAITS, .limit = limit },
		&rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_tokens_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct fy_db_done done;
	int err =
		fy_sql_token_purge(ctx,
				   &(struct fy_sql_token_purge_params){
					   .before = before, .before_of_person = before - MAIL_WAITS, .limit = limit },
				   &done);
	if (err == 0)
		*ret_deleted = done.affected;
	return err;
}
