/* See erasure.h. Statements: sql/erasure.def. */
#include "storage/erasure.h"

#include <sodium.h>

#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/inactive.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/provided.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

#define SLICE 100

struct asking {
	uint64_t id;
	enum fy_erasure_ground ground;
	fy_time erase_at;
};

fy_async int fy_erasure_is_last_owner(struct fy_ctx *ctx, uint64_t account_id, bool *ret_last)
{
	struct fy_sql_erasure_lock_owners_row *owners;
	size_t count;
	int err = fy_sql_erasure_lock_owners(
		ctx, &(struct fy_sql_erasure_lock_owners_params){ .owner = FY_ROLE_OWNER, .closed = FY_ACCOUNT_CLOSED },
		&owners, &count);
	*ret_last = err == 0 && count == 1 && owners[0].id == account_id;
	return err;
}

static fy_async int ask(struct fy_ctx *ctx, void *arg)
{
	const struct asking *a = arg;
	struct fy_sql_account_lock_row account;
	struct fy_db_done done;
	bool last;
	int err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = a->id }, &account);
	if (err == 0 && account.state != FY_ACCOUNT_ACTIVE)
		err = FY_ERR_NOT_FOUND;
	if (err == 0)
		err = fy_erasure_is_last_owner(ctx, a->id, &last);
	if (err == 0 && last)
		err = FY_ERR_DENIED;
	if (err)
		return err;
	err = fy_sql_erasure_ask(ctx,
				 &(struct fy_sql_erasure_ask_params){ .erase_at = a->erase_at,
								      .erase_asked_at = ctx->now,
								      .erase_ground = (uint8_t)a->ground,
								      .id = a->id,
								      .active = FY_ACCOUNT_ACTIVE },
				 &done);
	return err || done.affected ? err : FY_ERR_EXISTS;
}

fy_async int fy_erasure_ask(struct fy_ctx *ctx, uint64_t account_id, enum fy_erasure_ground ground, fy_time erase_at)
{
	struct asking a = { account_id, ground, erase_at };
	return fy_repo_join(ctx, ask, &a);
}

fy_async int fy_erasure_cancel(struct fy_ctx *ctx, uint64_t account_id)
{
	struct fy_db_done done;
	int err = fy_sql_erasure_cancel(
		ctx, &(struct fy_sql_erasure_cancel_params){ .id = account_id, .active = FY_ACCOUNT_ACTIVE }, &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

fy_async int fy_erasure_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit, uint64_t **ret_ids,
				 size_t *ret_count)
{
	struct fy_sql_erasure_list_due_row *rows;
	int err = fy_sql_erasure_list_due(
		ctx,
		&(struct fy_sql_erasure_list_due_params){ .erase_at = ctx->now,
							  .sent = FY_MAIL_SENT,
							  .late = ctx->now - 7 * FY_DAY,
							  .failed = FY_MAIL_FAILED,
							  .bounces = FY_NOTICE_BOUNCES - 1,
							  .lift_at = ctx->now,
							  .after_id = after,
							  .limit = limit < 1000 ? limit : 1000 },
		&rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_erasure_close(struct fy_ctx *ctx, uint64_t account_id)
{
	struct fy_db_done done;
	int err = fy_sql_erasure_close(ctx,
				       &(struct fy_sql_erasure_close_params){
					       .closed = FY_ACCOUNT_CLOSED, .id = account_id, .erase_at = ctx->now },
				       &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

/* ---- the end ---- */

struct finishing {
	uint64_t id;
	fy_erasure_letter letter;
	struct fy_slice receipt;
};

/* What was written with the address, each with a person and a key of its own, and mails that wait for it. Files of
 * requests stay, without their mails. */
static fy_async int delete_of_address(struct fy_ctx *ctx, uint64_t id, struct fy_personal hash)
{
	int err = fy_sql_erasure_delete_mails(
		ctx,
		&(struct fy_sql_erasure_delete_mails_params){
			.of_messages = hash, .of_links = hash, .of_requests = hash, .account_id = id },
		NULL);
	if (err == 0)
		err = fy_sql_erasure_delete_keys(
			ctx, &(struct fy_sql_erasure_delete_keys_params){ .of_messages = hash, .of_links = hash },
			NULL);
	if (err == 0)
		err = fy_sql_erasure_delete_messages(
			ctx, &(struct fy_sql_erasure_delete_messages_params){ .email_hash = hash }, NULL);
	if (err == 0)
		err = fy_sql_erasure_delete_links(
			ctx, &(struct fy_sql_erasure_delete_links_params){ .email_hash = hash }, NULL);
	return err;
}

/* All rows that belong to the person, but what the ledger, the proofs of consent and the files of requests keep. An
 * address that was never confirmed may be somebody else's, whose messages are not the account's to erase. */
static fy_async int delete_rows(struct fy_ctx *ctx, uint64_t id)
{
	struct fy_sql_erasure_address_row *address;
	size_t confirmed;
	int err =
		fy_sql_erasure_address(ctx, &(struct fy_sql_erasure_address_params){ .id = id }, &address, &confirmed);
	if (err == 0 && confirmed)
		err = delete_of_address(ctx, id, address[0].email_hash);
	if (err == 0)
		err = fy_sql_outbox_delete_of_person(
			ctx, &(struct fy_sql_outbox_delete_of_person_params){ .person_id = id }, NULL);
	if (err == 0)
		err = fy_sql_erasure_delete_account(ctx, &(struct fy_sql_erasure_delete_account_params){ .id = id },
						    NULL);
	return err ? err : fy_persons_destroy(ctx, id);
}

fy_async int fy_erasure_note(struct fy_ctx *ctx, uint64_t person_id, enum fy_erasure_ground ground, fy_time asked_at,
			     struct fy_slice *ret_receipt)
{
	struct fy_sql_erasure_last_row *last;
	size_t count;
	uint8_t hash[FY_HASH_BYTES];
	int err = fy_sql_erasure_last(ctx, &last, &count);
	if (err)
		return err;
	struct fy_receipt receipt = {
		.site = ctx->config->site_name,
		.serial = count ? last[0].serial + 1 : 1,
		.ground = ground,
		.asked_at = asked_at,
		.erased_at = ctx->now,
	};
	randombytes_buf(receipt.reference, sizeof receipt.reference);
	if (count)
		memcpy(receipt.previous, last[0].hash.ptr, sizeof receipt.previous);
	*ret_receipt = fy_receipt_write(ctx->arena, ctx->keys, &receipt, hash);
	return fy_sql_erasure_insert(ctx,
				     &(struct fy_sql_erasure_insert_params){
					     .serial = receipt.serial,
					     .person_id = person_id,
					     .reference = fy_slice(receipt.reference, sizeof receipt.reference),
					     .ground = (uint8_t)receipt.ground,
					     .asked_at = receipt.asked_at,
					     .erased_at = receipt.erased_at,
					     .hash = fy_slice(hash, sizeof hash) },
				     NULL);
}

/* Address and name, while they can still be read. False: they cannot. */
static fy_async bool read_farewell(struct fy_ctx *ctx, const struct fy_sql_erasure_lock_row *account,
				   struct fy_erasure_farewell *ret_farewell)
{
	struct fy_person person;
	int err = fy_persons_get(ctx, account->id, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, account->id, FY_PURPOSE_RIGHTS,
					 account->email, &ret_farewell->email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, account->id, FY_PURPOSE_RIGHTS,
					 account->given_name, &ret_farewell->given_name);
	if (err)
		fy_log(ctx, FY_LOG_ERROR, "erasure.without_receipt", FY_KV("account", account->id),
		       FY_KV("detail", ctx->fault ? ctx->fault : fy_strerror(err)));
	return err == 0;
}

fy_async int fy_erasure_send(struct fy_ctx *ctx, const struct fy_mail_new *mail)
{
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	struct fy_sql_outbox_insert_params row;
	fy_person_new(ctx, fy_id_new(ctx), &person, &key);
	int err = fy_outbox_row(ctx, mail, &person, &row);
	row.ends_person = true;
	if (err == 0)
		err = fy_sql_person_key_insert(ctx, &key, NULL);
	return err ? err : fy_sql_outbox_insert(ctx, &row, NULL);
}

static fy_async int finish(struct fy_ctx *ctx, void *arg)
{
	struct finishing *f = arg;
	struct fy_sql_erasure_lock_row account;
	struct fy_mail_new mail;
	struct fy_erasure_farewell farewell = { .erased_at = ctx->now };
	int err = fy_sql_erasure_lock(ctx, &(struct fy_sql_erasure_lock_params){ .id = f->id }, &account);
	if (err)
		return err;
	if (account.state != FY_ACCOUNT_CLOSED)
		return FY_ERR_NOT_FOUND;
	if (account.held) /* since it was closed */
		return fy_fail(ctx, FY_ERR_DENIED, "a legal hold is on this account");
	farewell.lang = (enum fy_lang)account.language;
	bool told = f->letter && read_farewell(ctx, &account, &farewell);
	err = fy_erasure_note(ctx, f->id, (enum fy_erasure_ground)account.erase_ground, account.erase_asked_at,
			      &f->receipt);
	farewell.receipt = f->receipt;
	if (err == 0)
		err = delete_rows(ctx, f->id);
	if (err == 0 && told)
		err = f->letter(ctx, &farewell, &mail);
	return err || !told ? err : fy_erasure_send(ctx, &mail);
}

fy_async int fy_erasure_finish(struct fy_ctx *ctx, uint64_t account_id, fy_erasure_letter letter,
			       struct fy_slice *ret_receipt)
{
	struct finishing f = { .id = account_id, .letter = letter };
	unsigned tries = 0;
	int err;
	do /* another erasure may have taken the serial, or a rotation the master key */
		err = fy_repo_join(ctx, finish, &f);
	while (fy_persons_again(ctx, err, &tries));
	if (err == 0 && ret_receipt)
		*ret_receipt = f.receipt;
	return err;
}

/* An account of the dump may hold persons that it had not entered yet when the ledger's copy was made. */
static fy_async int erase_again(struct fy_ctx *ctx, void *arg)
{
	uint64_t id = *(uint64_t *)arg;
	struct fy_sql_provided_of_provider_row *entered;
	size_t count;
	do {
		int err = fy_sql_provided_of_provider(
			ctx, &(struct fy_sql_provided_of_provider_params){ .provider_id = id, .limit = SLICE },
			&entered, &count);
		for (size_t i = 0; i < count && err == 0; i++)
			err = fy_provided_delete(ctx, entered[i].id);
		if (err)
			return err;
	} while (count == SLICE);
	int err = fy_provided_delete(ctx, id);
	return err ? err : delete_rows(ctx, id);
}

fy_async int fy_erasure_replay(struct fy_ctx *ctx, uint64_t *ret_erased)
{
	struct fy_sql_erasure_restored_row *rows;
	uint64_t after = 0;
	size_t count;
	*ret_erased = 0;
	do {
		int err = fy_sql_erasure_restored(
			ctx, &(struct fy_sql_erasure_restored_params){ .after = after, .limit = SLICE }, &rows, &count);
		for (size_t i = 0; i < count && err == 0; i++) {
			after = rows[i].person_id;
			err = fy_tx(ctx, erase_again, &after);
			++*ret_erased;
		}
		if (err)
			return err;
	} while (count == SLICE);
	if (*ret_erased)
		fy_log(ctx, FY_LOG_WARN, "erasure.replayed", FY_KV("persons", *ret_erased));
	return 0;
}
