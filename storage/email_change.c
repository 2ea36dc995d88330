/* See email_change.h. Statements: sql/email_change.def. */
#include "storage/email_change.h"

#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/email_hash.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/register.h"
#include "storage/repo.h"
#include "storage/statements.h"

fy_time fy_email_change_valid(const struct fy_ctx *ctx)
{
	const struct fy_register_field *email = &fy_register_fields[FY_COLUMN_EMAIL_CHANGE_EMAIL];
	return fy_register_keep_seconds(&email->keep[0], ctx->config) * FY_SECOND;
}

/* ---- Asking ---- */

/* Holds the account until the transaction ends. FY_ERR_NOT_FOUND: it is not active. */
static fy_async int lock_active(struct fy_ctx *ctx, uint64_t id)
{
	struct fy_sql_account_lock_row account;
	int err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = id }, &account);
	return err == 0 && account.state != FY_ACCOUNT_ACTIVE ? FY_ERR_NOT_FOUND : err;
}

static fy_async int ask(struct fy_ctx *ctx, void *arg)
{
	const struct fy_email_change_new *c = arg;
	uint64_t id = c->account_id;
	struct fy_person person;
	int err = lock_active(ctx, id);
	if (err == 0)
		err = fy_persons_get(ctx, id, &person);
	if (err == 0)
		err = fy_sql_email_change_delete(ctx, &(struct fy_sql_email_change_delete_params){ .account_id = id },
						 NULL);
	if (err)
		return err;
	const struct fy_sql_email_change_insert_params row = {
		.account_id = id,
		.email = fy_seal(ctx, &person, FY_COLUMN_EMAIL_CHANGE_EMAIL, id, c->email.text),
		.token_hash = { c->token_hash },
		.asked_at = ctx->now,
		.expires_at = ctx->now + fy_email_change_valid(ctx),
	};
	err = fy_sql_email_change_insert(ctx, &row, NULL);
	for (size_t i = 0; i < 2 && err == 0; i++)
		err = c->mails[i] ? fy_outbox_add(ctx, c->mails[i]) : 0;
	return err;
}

fy_async int fy_email_change_ask(struct fy_ctx *ctx, const struct fy_email_change_new *change)
{
	struct fy_email_change_new copy = *change;
	if (change->token_hash.len != FY_HASH_BYTES)
		return fy_fail(ctx, FY_ERR_INVALID, "a token hash has %d bytes", FY_HASH_BYTES);
	return fy_repo_join(ctx, ask, &copy);
}

fy_async int fy_email_change_cancel(struct fy_ctx *ctx, uint64_t account_id)
{
	struct fy_db_done done;
	int err = fy_sql_email_change_delete(
		ctx, &(struct fy_sql_email_change_delete_params){ .account_id = account_id }, &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

/* ---- Reading ---- */

static int open_row(struct fy_ctx *ctx, const struct fy_sql_email_change_get_row *row, enum fy_register_purpose purpose,
		    struct fy_email_change *ret_change)
{
	struct fy_person person;
	struct fy_email_change change = { .account_id = row->account_id,
					  .asked_at = row->asked_at,
					  .expires_at = row->expires_at };
	int err = fy_person_open(ctx, row->account_id, row->master_key_id, row->wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_EMAIL_CHANGE_EMAIL, row->account_id, purpose,
					 row->email, &change.email);
	if (err == 0)
		*ret_change = change;
	return err;
}

fy_async int fy_email_change_get(struct fy_ctx *ctx, uint64_t account_id, struct fy_email_change *ret_change)
{
	struct fy_sql_email_change_get_row row;
	int err = fy_sql_email_change_get(ctx, &(struct fy_sql_email_change_get_params){ .account_id = account_id },
					  &row);
	return err ? err : open_row(ctx, &row, FY_PURPOSE_RIGHTS, ret_change);
}

fy_async int fy_email_change_find(struct fy_ctx *ctx, struct fy_slice token_hash, struct fy_email_change *ret_change)
{
	struct fy_sql_email_change_find_row row;
	struct fy_sql_email_change_get_row same;
	if (token_hash.len != FY_HASH_BYTES)
		return FY_ERR_NOT_FOUND;
	int err = fy_sql_email_change_find(
		ctx, &(struct fy_sql_email_change_find_params){ .token_hash = { token_hash } }, &row);
	if (err)
		return err;
	_Static_assert(sizeof same == sizeof row, "the rows of both statements have the same members");
	memcpy(&same, &row, sizeof same);
	return row.expires_at > ctx->now ? open_row(ctx, &same, FY_PURPOSE_AUTHENTICATION, ret_change)
					 : FY_ERR_NOT_FOUND;
}

/* ---- Confirming ---- */

struct confirmation {
	struct fy_slice token_hash;
	const struct fy_mail_new *farewell;
};

/* Who holds the mailbox follows this link, and never followed the one of a registration. */
static fy_async int make_room(struct fy_ctx *ctx, struct fy_slice email_hash)
{
	uint64_t other;
	bool deleted;
	int err = fy_accounts_find_id(ctx, email_hash, &other);
	if (err)
		return err == FY_ERR_NOT_FOUND ? 0 : err;
	err = fy_accounts_delete_unconfirmed(ctx, other, ctx->now + 1, &deleted);
	return err || deleted ? err : FY_ERR_EXISTS;
}

static fy_async int replace(struct fy_ctx *ctx, uint64_t id, struct fy_personal email, struct fy_slice new_hash)
{
	struct fy_person person;
	struct fy_db_done done;
	int err = fy_persons_get(ctx, id, &person);
	if (err)
		return err;
	const struct fy_sql_email_change_replace_params account = {
		.email = fy_seal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, id, email.text),
		.email_hash = { new_hash },
		.id = id,
	};
	err = fy_sql_email_change_replace(ctx, &account, &done);
	if (err == FY_ERR_CONFLICT)
		return FY_ERR_EXISTS; /* the only unique key: somebody registered between the look and this */
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

static fy_async int take_along(struct fy_ctx *ctx, struct fy_personal old_hash, struct fy_personal new_hash)
{
	int err = fy_sql_email_change_messages(
		ctx, &(struct fy_sql_email_change_messages_params){ .new_hash = new_hash, .old_hash = old_hash }, NULL);
	return err ? err
		   : fy_sql_email_change_requests(ctx,
						  &(struct fy_sql_email_change_requests_params){ .new_hash = new_hash,
												 .old_hash = old_hash },
						  NULL);
}

static fy_async int end_links(struct fy_ctx *ctx, uint64_t id)
{
	static const enum fy_token_purpose mailed[] = { FY_TOKEN_CONFIRM_EMAIL, FY_TOKEN_RESET_PASSWORD,
							FY_TOKEN_SET_UP };
	int err = 0;
	for (size_t i = 0; i < FY_COUNT(mailed) && err == 0; i++)
		err = fy_sql_token_replace(ctx,
					   &(struct fy_sql_token_replace_params){ .used_at = ctx->now,
										  .account_id = id,
										  .has_account_id = true,
										  .purpose = (uint8_t)mailed[i] },
					   NULL);
	return err;
}

static fy_async int confirm(struct fy_ctx *ctx, void *arg)
{
	const struct confirmation *c = arg;
	struct fy_email_change change;
	struct fy_sql_email_change_old_hash_row old;
	struct fy_db_done done;
	uint8_t room[FY_HASH_BYTES];
	struct fy_slice hash = fy_slice(room, sizeof room);
	int err = fy_email_change_find(ctx, c->token_hash, &change);
	if (err == 0)
		err = lock_active(ctx, change.account_id);
	if (err == 0)
		err = fy_sql_email_change_use(ctx,
					      &(struct fy_sql_email_change_use_params){ .account_id = change.account_id,
											.token_hash = { c->token_hash },
											.now = ctx->now },
					      &done);
	if (err == 0 && done.affected == 0)
		err = FY_ERR_NOT_FOUND; /* another was faster between the look and the use */
	if (err == 0)
		err = fy_sql_email_change_old_hash(
			ctx, &(struct fy_sql_email_change_old_hash_params){ .id = change.account_id }, &old);
	if (err == 0)
		err = fy_email_hash(ctx, change.email.text, NULL, room);
	if (err == 0)
		err = make_room(ctx, hash);
	if (err == 0)
		err = replace(ctx, change.account_id, change.email, hash);
	if (err == 0)
		err = take_along(ctx, old.email_hash, (struct fy_personal){ hash });
	if (err == 0)
		err = end_links(ctx, change.account_id);
	return err || !c->farewell ? err : fy_outbox_add(ctx, c->farewell);
}

fy_async int fy_email_change_confirm(struct fy_ctx *ctx, struct fy_slice token_hash, const struct fy_mail_new *farewell)
{
	struct confirmation c = { token_hash, farewell };
	return fy_repo_join(ctx, confirm, &c);
}

/* ---- The purge ---- */

fy_async int fy_email_change_count_expired(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_email_change_count_expired_row row;
	int err = fy_sql_email_change_count_expired(
		ctx, &(struct fy_sql_email_change_count_expired_params){ .before = before }, &row);
	if (err == 0)
		*ret_count = (uint64_t)row.changes;
	return err;
}

fy_async int fy_email_change_list_expired(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
					  size_t *ret_count)
{
	struct fy_sql_email_change_list_expired_row *rows;
	int err = fy_sql_email_change_list_expired(
		ctx, &(struct fy_sql_email_change_list_expired_params){ .before = before, .limit = limit }, &rows,
		ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_email_change_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct fy_db_done done;
	int err = fy_sql_email_change_purge(
		ctx, &(struct fy_sql_email_change_purge_params){ .before = before, .limit = limit }, &done);
	if (err == 0)
		*ret_deleted = done.affected;
	return err;
}
