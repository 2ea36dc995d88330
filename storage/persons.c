/* See persons.h. Statements: sql/person_key.def. */
#include "storage/persons.h"

#include <sodium.h>

#include "foyer/require.h"
#include "storage/keys.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define EPOCH_MS INT64_C(1767225600000) /* 2026-01-01 */
#define RANDOM_BITS 12
#define TRIES 3

uint64_t fy_id_new(const struct fy_ctx *ctx)
{
	static uint64_t last;
	int64_t ms = ctx->now / (FY_SECOND / 1000) - EPOCH_MS;
	uint64_t id = (uint64_t)(ms > 0 ? ms : 0) << RANDOM_BITS | randombytes_random() >> (32 - RANDOM_BITS);
	if (id <= last && last - id < (UINT64_C(1) << (RANDOM_BITS + 10))) /* within a second: the same burst */
		id = last + 1;
	last = id;
	return id;
}

static void wrap(struct fy_ctx *ctx, const struct fy_person *person, struct fy_sql_person_key_insert_params *ret_row)
{
	uint8_t *wrapped = fy_alloc(ctx->arena, FY_WRAPPED_BYTES);
	uint64_t master;
	fy_keys_wrap(ctx->keys, person->id, person->key, person->withheld, wrapped, &master);
	*ret_row = (struct fy_sql_person_key_insert_params){
		.person_id = person->id,
		.master_key_id = master,
		.wrapped = { fy_slice(wrapped, FY_WRAPPED_BYTES) },
		.created_at = ctx->now,
	};
}

void fy_person_new(struct fy_ctx *ctx, uint64_t id, struct fy_person *ret_person,
		   struct fy_sql_person_key_insert_params *ret_row)
{
	uint8_t *key = (uint8_t *)fy_alloc_secret(ctx->arena, FY_PERSON_KEY_BYTES);
	randombytes_buf(key, FY_PERSON_KEY_BYTES);
	*ret_person = (struct fy_person){ .id = id, .key = key, .withheld = FY_PURPOSES_BY_CONSENT };
	wrap(ctx, ret_person, ret_row);
}

void fy_person_withhold(struct fy_ctx *ctx, struct fy_person *person, uint32_t withheld,
			struct fy_sql_person_key_insert_params *row)
{
	person->withheld = withheld;
	wrap(ctx, person, row);
}

bool fy_persons_again(struct fy_ctx *ctx, int err, unsigned *tries)
{
	if (err != FY_ERR_CONFLICT || ++*tries >= TRIES)
		return false;
	fy_keys_reload(ctx->keys);
	return true;
}

int fy_person_open(struct fy_ctx *ctx, uint64_t id, uint64_t master, struct fy_secret wrapped,
		   struct fy_person *ret_person)
{
	uint8_t *key = (uint8_t *)fy_alloc_secret(ctx->arena, FY_PERSON_KEY_BYTES);
	if (wrapped.text.len == 0)
		return fy_fail(ctx, FY_ERR_UNREADABLE, "person %llu has no key", (unsigned long long)id);
	uint32_t withheld;
	int err = fy_keys_unwrap(ctx->keys, master, id, wrapped.text, key, &withheld);
	if (err == FY_ERR_NOT_FOUND)
		return fy_fail(ctx, FY_ERR_UNREADABLE, "the key of person %llu needs master key %016llx, not ours",
			       (unsigned long long)id, (unsigned long long)master);
	if (err)
		return fy_fail(ctx, err, "the key of person %llu was changed", (unsigned long long)id);
	*ret_person = (struct fy_person){ .id = id, .key = key, .withheld = withheld };
	return 0;
}

fy_async int fy_persons_get(struct fy_ctx *ctx, uint64_t id, struct fy_person *ret_person)
{
	struct fy_sql_person_key_get_row row;
	int err = fy_sql_person_key_get(ctx, id, &row);
	return err ? err : fy_person_open(ctx, id, row.master_key_id, row.wrapped, ret_person);
}

/* First with noise over it, as the place of a deleted row is not wiped. */
fy_async int fy_persons_destroy(struct fy_ctx *ctx, uint64_t id)
{
	uint8_t *noise = fy_alloc(ctx->arena, FY_WRAPPED_BYTES);
	randombytes_buf(noise, FY_WRAPPED_BYTES);
	int err =
		fy_sql_person_key_overwrite(ctx,
					    &(struct fy_sql_person_key_overwrite_params){
						    .wrapped = { fy_slice(noise, FY_WRAPPED_BYTES) }, .person_id = id },
					    NULL);
	return err ? err
		   : fy_sql_person_key_delete(ctx, &(struct fy_sql_person_key_delete_params){ .person_id = id }, NULL);
}

struct purge {
	const struct fy_persons_heap *heap;
	fy_time before;
	const uint64_t *ids;
	size_t count;
	uint64_t deleted;
};

static fy_async int purge(struct fy_ctx *ctx, void *arg)
{
	struct purge *p = arg;
	p->deleted = 0;
	for (size_t i = 0; i < p->count; i++) {
		bool taken = false;
		int err = p->heap->take(ctx, p->ids[i], p->before, &taken);
		if (err == 0 && taken)
			err = fy_persons_destroy(ctx, p->ids[i]);
		if (err)
			return err;
		p->deleted += taken;
	}
	return 0;
}

fy_async int fy_persons_purge(struct fy_ctx *ctx, const struct fy_persons_heap *heap, fy_time before, unsigned limit,
			      uint64_t *ret_deleted)
{
	struct purge p = { .heap = heap, .before = before };
	uint64_t *ids;
	int err = heap->list(ctx, before, limit, &ids, &p.count);
	p.ids = ids;
	if (err == 0 && p.count)
		err = fy_repo_join(ctx, purge, &p);
	if (err == 0)
		*ret_deleted = p.deleted;
	return err;
}
