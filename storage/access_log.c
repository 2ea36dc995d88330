/* The chain of reads (access_log.h): appending, listing and purging. Walking it is access_verify.c's.
 * Statements: sql/access_log.def. */
#include "storage/access_log.h"

#include <sodium.h>

#include "foyer/buf.h"
#include "foyer/log.h"
#include "storage/access_chain.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define PAGE_MAX 200
#define WALK_MAX 1000 /* `max` of access_log_walk */

/* Eight bytes a number, so that no two rows have the same text; the fields come last and need no end. */
void fy_chain_hash(struct fy_ctx *ctx, const uint8_t before[FY_HASH_BYTES],
		   const struct fy_sql_access_log_walk_row *row, uint8_t ret_hash[FY_HASH_BYTES])
{
	const uint64_t numbers[] = {
		row->id,
		(uint64_t)row->read_at,
		row->reader_id,
		row->reader_role,
		row->person_id,
		row->purpose,
		row->has_request_id ? row->request_id : 0,
	};
	struct fy_buf text;
	fy_buf_init(&text, ctx->arena, FY_HASH_BYTES + sizeof numbers + FY_READ_FIELDS_MAX);
	fy_buf_put(&text, fy_slice(before, FY_HASH_BYTES));
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		for (unsigned byte = 0; byte < 8; byte++)
			fy_buf_char(&text, (char)(numbers[i] >> 8 * byte));
	fy_buf_put(&text, row->fields.text);
	fy_keys_hash(ctx->keys, FY_KEY_ACCESS_LOG, fy_buf_slice(&text), ret_hash);
}

static void seal_of(struct fy_ctx *ctx, const struct fy_sql_access_chain_get_row *chain,
		    uint8_t ret_seal[FY_HASH_BYTES])
{
	struct fy_buf text;
	fy_buf_init(&text, ctx->arena, 128);
	fy_buf_put(&text, FY_LIT("ends"));
	for (unsigned byte = 0; byte < 8; byte++)
		fy_buf_char(&text, (char)(chain->start_id >> 8 * byte));
	fy_buf_put(&text, chain->start_hash);
	for (unsigned byte = 0; byte < 8; byte++)
		fy_buf_char(&text, (char)(chain->last_id >> 8 * byte));
	fy_buf_put(&text, chain->last_hash);
	fy_keys_hash(ctx->keys, FY_KEY_ACCESS_LOG, fy_buf_slice(&text), ret_seal);
}

static bool is_zero(struct fy_slice bytes)
{
	static const uint8_t zero[FY_HASH_BYTES];
	return bytes.len == sizeof zero && memcmp(bytes.ptr, zero, sizeof zero) == 0;
}

bool fy_chain_ends_fit(struct fy_ctx *ctx, const struct fy_sql_access_chain_get_row *chain)
{
	uint8_t seal[FY_HASH_BYTES];
	if (chain->start_id == 0 && chain->last_id == 0 && is_zero(chain->start_hash) && is_zero(chain->last_hash) &&
	    is_zero(chain->seal))
		return true;
	seal_of(ctx, chain, seal);
	return sodium_memcmp(seal, chain->seal.ptr, sizeof seal) == 0;
}

/* The seal of the ends as they will be. Ends that did not fit get none that does: reading goes on, and verification
 * keeps saying so. */
static struct fy_slice next_seal(struct fy_ctx *ctx, bool fitted, const struct fy_sql_access_chain_get_row *ends)
{
	uint8_t *seal = fy_alloc(ctx->arena, FY_HASH_BYTES);
	memset(seal, 0, FY_HASH_BYTES);
	if (fitted)
		seal_of(ctx, ends, seal);
	else
		fy_log(ctx, FY_LOG_ERROR, "access_log.ends_changed", FY_KV("last", ends->last_id));
	return fy_slice(seal, FY_HASH_BYTES);
}

static fy_async int lock_chain(struct fy_ctx *ctx, struct fy_sql_access_chain_get_row *ret_chain)
{
	struct fy_sql_access_chain_lock_row row;
	_Static_assert(sizeof row == sizeof *ret_chain, "the rows have the same members");
	int err = fy_sql_access_chain_lock(ctx, &row);
	if (err == 0)
		memcpy(ret_chain, &row, sizeof row);
	return err == FY_ERR_NOT_FOUND
		       ? fy_fail(ctx, FY_ERR_INTERNAL, "the row with the ends of the access log is gone")
		       : err;
}

/* The lock on the chain's row puts appends in an order; the UPDATE names the end it expects, for a cluster whose nodes
 * do not see each other's locks. */
static fy_async int append(struct fy_ctx *ctx, void *arg)
{
	const struct fy_read *read = arg;
	struct fy_sql_access_chain_get_row chain;
	struct fy_db_done done;
	uint8_t hash[FY_HASH_BYTES];
	int err = lock_chain(ctx, &chain);
	if (err)
		return err;
	const struct fy_sql_access_log_walk_row row = {
		.id = chain.last_id + 1,
		.read_at = ctx->now,
		.reader_id = read->reader_id,
		.reader_role = (uint8_t)read->reader_role,
		.person_id = read->person_id,
		.purpose = (uint8_t)read->purpose,
		.fields = { read->fields },
		.request_id = read->request_id,
		.has_request_id = read->request_id != 0,
	};
	fy_chain_hash(ctx, (const uint8_t *)chain.last_hash.ptr, &row, hash);
	err = fy_sql_access_log_insert(ctx,
				       &(struct fy_sql_access_log_insert_params){
					       .id = row.id,
					       .read_at = row.read_at,
					       .reader_id = row.reader_id,
					       .reader_role = row.reader_role,
					       .person_id = row.person_id,
					       .purpose = row.purpose,
					       .fields = row.fields,
					       .request_id = row.request_id,
					       .has_request_id = row.has_request_id,
					       .hash = fy_slice(hash, sizeof hash),
				       },
				       NULL);
	struct fy_sql_access_chain_get_row ends = chain;
	ends.last_id = row.id;
	ends.last_hash = fy_slice(hash, sizeof hash);
	if (err == 0)
		err = fy_sql_access_chain_extend(ctx,
						 &(struct fy_sql_access_chain_extend_params){
							 .id = row.id,
							 .hash = ends.last_hash,
							 .seal = next_seal(ctx, fy_chain_ends_fit(ctx, &chain), &ends),
							 .last_id = chain.last_id },
						 &done);
	if (err == 0 && done.affected != 1)
		err = fy_fail(ctx, FY_ERR_CONFLICT, "the end of the access log has moved");
	return err;
}

fy_async int fy_access_log_append(struct fy_ctx *ctx, const struct fy_read *read)
{
	struct fy_read copy = *read;
	if (read->fields.len == 0 || read->fields.len > FY_READ_FIELDS_MAX)
		return fy_fail(ctx, FY_ERR_INVALID, "a read names its fields, in at most %d bytes", FY_READ_FIELDS_MAX);
	return fy_repo_join(ctx, append, &copy);
}

static unsigned page_limit(unsigned limit)
{
	return limit == 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
}

/* Cuts the row that was read beyond the limit: it only tells that there is a next page. */
static void end_page(struct fy_read_page *page, unsigned limit)
{
	page->next_cursor = 0;
	if (page->count > limit) {
		page->count = limit;
		page->next_cursor = page->items[limit - 1].id;
	}
}

fy_async int fy_access_log_list(struct fy_ctx *ctx, uint64_t cursor, unsigned limit, struct fy_read_page *ret_page)
{
	struct fy_sql_access_log_list_row *rows;
	struct fy_read_page page;
	limit = page_limit(limit);
	int err = fy_sql_access_log_list(ctx,
					 &(struct fy_sql_access_log_list_params){
						 .before_id = cursor ? cursor : UINT64_MAX, .limit = limit + 1 },
					 &rows, &page.count);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_read_entry, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		page.items[i] = (struct fy_read_entry){
			.id = rows[i].id,
			.read_at = rows[i].read_at,
			.read = { .reader_id = rows[i].reader_id,
				  .reader_role = (enum fy_account_role)rows[i].reader_role,
				  .person_id = rows[i].person_id,
				  .purpose = (enum fy_register_purpose)rows[i].purpose,
				  .fields = rows[i].fields.text,
				  .request_id = rows[i].has_request_id ? rows[i].request_id : 0 },
		};
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

fy_async int fy_access_log_list_person(struct fy_ctx *ctx, uint64_t person_id, uint64_t cursor, unsigned limit,
				       struct fy_read_page *ret_page)
{
	struct fy_sql_access_log_list_person_row *rows;
	struct fy_read_page page;
	struct fy_person person;
	limit = page_limit(limit);
	int err = fy_sql_access_log_list_person(
		ctx,
		&(struct fy_sql_access_log_list_person_params){ .account_id = person_id,
								.writes_as = person_id,
								.asks_as = person_id,
								.reasons_of = person_id,
								.before_id = cursor ? cursor : UINT64_MAX,
								.limit = limit + 1 },
		&rows, &page.count);
	if (err == 0 && page.count)
		err = fy_persons_get(ctx, person_id, &person);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_read_entry, page.count + 1);
	for (size_t i = 0; i < page.count; i++) {
		struct fy_read_entry *e = &page.items[i];
		*e = (struct fy_read_entry){
			.id = rows[i].id,
			.read_at = rows[i].read_at,
			.read = { .reader_role = (enum fy_account_role)rows[i].reader_role,
				  .person_id = person_id,
				  .purpose = (enum fy_register_purpose)rows[i].purpose,
				  .fields = rows[i].fields.text,
				  .request_id = rows[i].has_request_id ? rows[i].request_id : 0 },
			.break_glass = rows[i].has_break_glass && rows[i].break_glass,
		};
		if (rows[i].reason.bytes.len == 0)
			continue;
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCESS_REQUEST_REASON, e->read.request_id,
					 FY_PURPOSE_RIGHTS, rows[i].reason, &e->reason);
		if (err) /* a damaged reason does not hide that somebody looked */
			fy_log(ctx, FY_LOG_ERROR, "access.unreadable", FY_KV("detail", ctx->fault));
	}
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

fy_async int fy_access_log_list_of(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice email_hash, uint64_t cursor,
				   unsigned limit, struct fy_read_page *ret_page)
{
	struct fy_sql_access_log_list_of_row *rows;
	struct fy_read_page page;
	limit = page_limit(limit);
	int err = fy_sql_access_log_list_of(
		ctx,
		&(struct fy_sql_access_log_list_of_params){ .account_id = account_id,
							    .of_messages = { email_hash },
							    .of_requests = { email_hash },
							    .before_id = cursor ? cursor : UINT64_MAX,
							    .limit = limit + 1 },
		&rows, &page.count);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_read_entry, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		page.items[i] = (struct fy_read_entry){
			.id = rows[i].id,
			.read_at = rows[i].read_at,
			.read = { .reader_role = (enum fy_account_role)rows[i].reader_role,
				  .person_id = rows[i].person_id,
				  .purpose = (enum fy_register_purpose)rows[i].purpose,
				  .fields = rows[i].fields.text,
				  .request_id = rows[i].has_request_id ? rows[i].request_id : 0 },
			.break_glass = rows[i].has_break_glass && rows[i].break_glass,
		};
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

/* ---- The purge ---- */

/* The number of the first row that stays; rows are about in the order of their time, and it goes by their order. */
static fy_async int first_to_stay(struct fy_ctx *ctx, uint64_t start_id, uint64_t last_id, fy_time before,
				  uint64_t *ret_id)
{
	struct fy_sql_access_log_recent_row row;
	int err = fy_sql_access_log_recent(
		ctx, &(struct fy_sql_access_log_recent_params){ .id = start_id, .from = before }, &row);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_id = err ? last_id + 1 : row.id;
	return 0;
}

fy_async int fy_access_log_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_access_chain_get_row chain;
	struct fy_sql_access_log_count_row row;
	uint64_t stays;
	int err = fy_sql_access_chain_get(ctx, &chain);
	if (err == 0)
		err = first_to_stay(ctx, chain.start_id, chain.last_id, before, &stays);
	if (err == 0)
		err = fy_sql_access_log_count(
			ctx, &(struct fy_sql_access_log_count_params){ .after_id = chain.start_id, .before_id = stays },
			&row);
	if (err == 0)
		*ret_count = (uint64_t)row.entries;
	return err;
}

fy_async int fy_access_log_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				    size_t *ret_count)
{
	struct fy_sql_access_chain_get_row chain;
	struct fy_sql_access_log_walk_row *rows;
	uint64_t stays;
	size_t count, old = 0;
	int err = fy_sql_access_chain_get(ctx, &chain);
	if (err == 0)
		err = first_to_stay(ctx, chain.start_id, chain.last_id, before, &stays);
	if (err == 0)
		err = fy_sql_access_log_walk(
			ctx,
			&(struct fy_sql_access_log_walk_params){ .after_id = chain.start_id,
								 .limit = limit < WALK_MAX ? limit : WALK_MAX },
			&rows, &count);
	if (err)
		return err;
	while (old < count && rows[old].id < stays)
		old++;
	*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, old);
	*ret_count = old;
	return 0;
}

struct purge {
	fy_time before;
	unsigned limit;
	uint64_t deleted;
};

static fy_async int purge(struct fy_ctx *ctx, void *arg)
{
	struct purge *p = arg;
	struct fy_sql_access_chain_get_row chain;
	struct fy_sql_access_log_walk_row *rows;
	struct fy_db_done done;
	uint64_t stays;
	size_t count, old = 0;
	p->deleted = 0;
	int err = lock_chain(ctx, &chain);
	if (err == 0)
		err = first_to_stay(ctx, chain.start_id, chain.last_id, p->before, &stays);
	if (err == 0)
		err = fy_sql_access_log_walk(
			ctx, &(struct fy_sql_access_log_walk_params){ .after_id = chain.start_id, .limit = p->limit },
			&rows, &count);
	if (err)
		return err;
	while (old < count && rows[old].id < stays)
		old++;
	if (old == 0)
		return 0;
	const struct fy_sql_access_log_walk_row *last = &rows[old - 1];
	err = fy_sql_access_log_delete(ctx, &(struct fy_sql_access_log_delete_params){ .up_to_id = last->id }, &done);
	p->deleted = done.affected;
	struct fy_sql_access_chain_get_row ends = chain;
	ends.start_id = last->id;
	ends.start_hash = last->hash;
	if (err == 0)
		err = fy_sql_access_chain_shorten(ctx,
						  &(struct fy_sql_access_chain_shorten_params){
							  .id = last->id,
							  .hash = last->hash,
							  .seal = next_seal(ctx, fy_chain_ends_fit(ctx, &chain), &ends),
							  .start_id = chain.start_id },
						  &done);
	if (err == 0 && done.affected != 1)
		err = fy_fail(ctx, FY_ERR_CONFLICT, "the start of the access log has moved");
	return err;
}

fy_async int fy_access_log_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct purge p = { .before = before, .limit = limit < WALK_MAX ? limit : WALK_MAX };
	int err = fy_repo_join(ctx, purge, &p);
	if (err == 0)
		*ret_deleted = p.deleted;
	return err;
}
