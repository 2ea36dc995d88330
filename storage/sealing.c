/* See sealing.h. Statements: sql/account.def, sql/contact_message.def. */
#include "storage/sealing.h"

#include "foyer/log.h"
#include "storage/email_hash.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"
#include "storage/withheld.h"

#define SLICE 50
#define DONE FY_LIT("sealed")

/* What sealed values begin with, and nothing else does. */
static const struct fy_sealed seal_byte = { { "\xF9", 1 } };

static fy_async int new_person(struct fy_ctx *ctx, uint64_t id, struct fy_person *ret_person)
{
	struct fy_sql_person_key_insert_params key;
	fy_person_new(ctx, id, ret_person, &key);
	return fy_sql_person_key_insert(ctx, &key, NULL);
}

struct slice {
	uint64_t after; /* where it begins: a body may run again (tx.h) */
	uint64_t last;
	size_t count;
};

static fy_async int seal_accounts(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_account_list_unsealed_row *rows;
	int err = fy_sql_account_list_unsealed(ctx,
					       &(struct fy_sql_account_list_unsealed_params){
						       .after_id = s->after, .seal = seal_byte, .limit = SLICE },
					       &rows, &s->count);
	for (size_t i = 0; i < s->count && err == 0; i++) {
		const struct fy_sql_account_list_unsealed_row *r = &rows[i];
		struct fy_person person;
		err = new_person(ctx, r->id, &person);
		if (err)
			break;
#define SEALED(upper, member) fy_seal(ctx, &person, FY_COLUMN_ACCOUNT_##upper, r->id, r->member.bytes)
		struct fy_sql_account_seal_params sealed = {
			.email = SEALED(EMAIL, email),
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
			.id = r->id,
		};
#undef SEALED
		err = fy_sql_account_seal(ctx, &sealed, NULL);
		if (err == 0)
			err = fy_withheld_store(ctx, r->id);
		s->last = r->id;
	}
	return err;
}

/* An address that is none, from before forms checked them, has no hash: nobody can ask by it. */
static struct fy_slice hash_or_null(struct fy_ctx *ctx, struct fy_slice address, uint8_t room[FY_HASH_BYTES])
{
	return fy_email_hash(ctx, address, NULL, room) ? FY_NONE : fy_slice(room, FY_HASH_BYTES);
}

/* A message gets a new number with its person: the old ones are numbers of accounts, too. */
static fy_async int seal_messages(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_contact_list_unsealed_row *rows;
	int err = fy_sql_contact_list_unsealed(
		ctx, &(struct fy_sql_contact_list_unsealed_params){ .seal = seal_byte, .limit = SLICE }, &rows,
		&s->count);
	for (size_t i = 0; i < s->count && err == 0; i++) {
		const struct fy_sql_contact_list_unsealed_row *r = &rows[i];
		struct fy_person person;
		uint8_t hash[FY_HASH_BYTES];
		uint64_t id = fy_id_new(ctx);
		err = new_person(ctx, id, &person);
		if (err)
			break;
#define SEALED(upper, member) fy_seal(ctx, &person, FY_COLUMN_CONTACT_MESSAGE_##upper, id, r->member.bytes)
		struct fy_sql_contact_seal_params sealed = {
			.new_id = id,
			.name = SEALED(NAME, name),
			.email = SEALED(EMAIL, email),
			.email_hash = { hash_or_null(ctx, r->email.bytes, hash) },
			.subject = SEALED(SUBJECT, subject),
			.message = SEALED(MESSAGE, message),
			.id = r->id,
		};
#undef SEALED
		err = fy_sql_contact_seal(ctx, &sealed, NULL);
	}
	return err;
}

/* The hash of what was sealed before rows were found by their address; without one where the address cannot be read.
 * Nothing but the person's own right is served. */
static int hash_sealed(struct fy_ctx *ctx, enum fy_register_column column, uint64_t id, uint64_t master,
		       struct fy_secret wrapped, struct fy_sealed sealed, uint8_t room[FY_HASH_BYTES],
		       struct fy_slice *ret_hash)
{
	struct fy_person person;
	struct fy_slice address;
	int err = fy_person_open(ctx, id, master, wrapped, &person);
	if (err == 0)
		err = fy_unseal(ctx, &person, column, id, FY_PURPOSE_RIGHTS, sealed, &address);
	*ret_hash = err ? FY_NONE : hash_or_null(ctx, address, room);
	return err == FY_ERR_UNREADABLE ? 0 : err; /* the back office shows such a row as what it is */
}

static fy_async int hash_messages(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_contact_list_unhashed_row *rows;
	int err = fy_sql_contact_list_unhashed(
		ctx, &(struct fy_sql_contact_list_unhashed_params){ .after_id = s->after, .limit = SLICE }, &rows,
		&s->count);
	for (size_t i = 0; err == 0 && i < s->count; i++) {
		uint8_t room[FY_HASH_BYTES];
		struct fy_sql_contact_set_hash_params row = { .id = rows[i].id };
		s->last = row.id;
		err = hash_sealed(ctx, FY_COLUMN_CONTACT_MESSAGE_EMAIL, row.id, rows[i].master_key_id, rows[i].wrapped,
				  rows[i].email, room, &row.email_hash.text);
		if (err == 0 && row.email_hash.text.len)
			err = fy_sql_contact_set_hash(ctx, &row, NULL);
	}
	return err;
}

static fy_async int hash_requests(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_rights_list_unhashed_row *rows;
	int err = fy_sql_rights_list_unhashed(
		ctx, &(struct fy_sql_rights_list_unhashed_params){ .after_id = s->after, .limit = SLICE }, &rows,
		&s->count);
	for (size_t i = 0; err == 0 && i < s->count; i++) {
		uint8_t room[FY_HASH_BYTES];
		struct fy_sql_rights_set_hash_params row = { .id = rows[i].id };
		s->last = row.id;
		err = hash_sealed(ctx, FY_COLUMN_RIGHTS_REQUEST_EMAIL, row.id, rows[i].master_key_id, rows[i].wrapped,
				  rows[i].email, room, &row.email_hash.text);
		if (err == 0 && row.email_hash.text.len)
			err = fy_sql_rights_set_hash(ctx, &row, NULL);
	}
	return err;
}

static fy_async int hash_entered(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_provided_list_unhashed_row *rows;
	int err = fy_sql_provided_list_unhashed(
		ctx, &(struct fy_sql_provided_list_unhashed_params){ .after_id = s->after, .limit = SLICE }, &rows,
		&s->count);
	for (size_t i = 0; err == 0 && i < s->count; i++) {
		uint8_t own[FY_HASH_BYTES], of_adult[FY_HASH_BYTES];
		struct fy_sql_provided_set_hashes_params row = { .id = rows[i].id };
		s->last = row.id;
		err = hash_sealed(ctx, FY_COLUMN_PROVIDED_PERSON_EMAIL, row.id, rows[i].master_key_id, rows[i].wrapped,
				  rows[i].email, own, &row.address_hash.text);
		if (err == 0)
			err = hash_sealed(ctx, FY_COLUMN_PROVIDED_PERSON_ADULT_EMAIL, row.id, rows[i].master_key_id,
					  rows[i].wrapped, rows[i].adult_email, of_adult, &row.adult_hash.text);
		if (err == 0 && (row.address_hash.text.len || row.adult_hash.text.len))
			err = fy_sql_provided_set_hashes(ctx, &row, NULL);
	}
	return err;
}

static fy_async int all_slices(struct fy_ctx *outer, fy_async int (*step)(struct fy_ctx *ctx, void *arg),
			       uint64_t *rows)
{
	uint64_t after = 0;
	for (;;) {
		struct fy_arena arena;
		struct fy_ctx ctx = *outer;
		struct slice slice = { .after = after };
		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		int err = fy_tx(&ctx, step, &slice);
		if (err)
			fy_fail(outer, err, "%s", ctx.fault ? ctx.fault : fy_strerror(err));
		fy_arena_finish(&arena);
		if (err || slice.count == 0)
			return err;
		after = slice.last;
		*rows += slice.count;
	}
}

fy_async int fy_hash_existing(struct fy_ctx *ctx)
{
	uint64_t rows = 0;
	int err = all_slices(ctx, hash_messages, &rows);
	if (err == 0)
		err = all_slices(ctx, hash_requests, &rows);
	return err ? err : all_slices(ctx, hash_entered, &rows);
}

fy_async int fy_seal_existing(struct fy_ctx *ctx, uint64_t *ret_rows)
{
	struct fy_sql_instance_get_row done;
	uint64_t rows = 0;
	*ret_rows = 0;
	int err = fy_sql_instance_get(ctx, &(struct fy_sql_instance_get_params){ .name = DONE }, &done);
	if (err != FY_ERR_NOT_FOUND)
		return err;
	err = all_slices(ctx, seal_accounts, &rows);
	if (err == 0)
		err = all_slices(ctx, seal_messages, &rows);
	if (err == 0 && rows)
		fy_log(ctx, FY_LOG_INFO, "storage.sealed", FY_KV("rows", rows));
	else if (err == 0) /* a server of the earlier version may have added rows while the first pass ran */
		err = fy_sql_instance_set(
			ctx, &(struct fy_sql_instance_set_params){ .name = DONE, .value = FY_LIT("1") }, NULL);
	*ret_rows = rows;
	return err;
}
