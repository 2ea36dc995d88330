/* See key_rotation.h. Statements: sql/person_key.def. */
#include "storage/key_rotation.h"

#include <sodium.h>

#include "foyer/log.h"
#include "storage/keys.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define SLICE 200
#define ROUNDS_MAX 20 /* a server that goes on wrapping with the old key learns of the new one at its next conflict */

struct slice {
	uint64_t old, next, after;
	size_t count;
	struct fy_key_rotation *state;
};

static fy_async int rewrap(struct fy_ctx *ctx, const struct slice *s, const struct fy_sql_person_key_list_row *row)
{
	uint8_t key[FY_PERSON_KEY_BYTES], wrapped[FY_WRAPPED_BYTES];
	uint64_t master;
	uint32_t withheld;
	int err = fy_keys_unwrap(ctx->keys, s->old, row->person_id, row->wrapped.text, key, &withheld);
	if (err) {
		s->state->damaged++;
		fy_log(ctx, FY_LOG_ERROR, "keys.damaged", FY_KV("person", row->person_id),
		       FY_KV("error", err == FY_ERR_NOT_FOUND ? "its master key is not held" : fy_strerror(err)));
		return 0;
	}
	fy_keys_wrap(ctx->keys, row->person_id, key, withheld, wrapped, &master);
	sodium_memzero(key, sizeof key);
	if (master != s->next)
		return fy_fail(ctx, FY_ERR_CONFIG, "the next master key was replaced while the rotation ran");
	s->state->done++;
	return fy_sql_person_key_rewrap(
		ctx,
		&(struct fy_sql_person_key_rewrap_params){ .master_key_id = s->next,
							   .wrapped = { fy_slice(wrapped, sizeof wrapped) },
							   .person_id = row->person_id,
							   .old_master_key_id = s->old },
		NULL);
}

static fy_async int rewrap_slice(struct fy_ctx *ctx, void *arg)
{
	struct slice *s = arg;
	struct fy_sql_person_key_list_row *rows;
	int err = fy_sql_person_key_list(
		ctx,
		&(struct fy_sql_person_key_list_params){ .master_key_id = s->old, .after = s->after, .limit = SLICE },
		&rows, &s->count);
	for (size_t i = 0; i < s->count && err == 0; i++)
		err = rewrap(ctx, s, &rows[i]);
	if (err == 0 && s->count)
		s->after = rows[s->count - 1].person_id;
	return err;
}

static fy_async int rewrap_all(struct fy_ctx *outer, struct slice *s,
			       void (*progress)(const struct fy_key_rotation *state, void *arg), void *arg)
{
	s->after = 0;
	s->state->damaged = 0;
	do {
		struct fy_arena arena;
		struct fy_ctx ctx = *outer;
		struct fy_key_rotation before = *s->state;
		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		int err = fy_tx(&ctx, rewrap_slice, s);
		if (err) {
			*s->state = before;
			fy_fail(outer, err, "%s", ctx.fault ? ctx.fault : fy_strerror(err));
		}
		fy_arena_finish(&arena);
		if (err)
			return err;
		if (progress)
			progress(s->state, arg);
	} while (s->count);
	return 0;
}

/* Until no person needs the old master key, those that were made meanwhile included; then it is taken out. */
static fy_async int retire(struct fy_ctx *ctx, struct slice *s,
			   void (*progress)(const struct fy_key_rotation *state, void *arg), void *arg)
{
	for (unsigned round = 0;; round++) {
		int err = rewrap_all(ctx, s, progress, arg);
		if (err)
			return err;
		if (s->state->damaged)
			return fy_fail(ctx, FY_ERR_UNREADABLE, "%llu keys do not open, so the old master key stays",
				       (unsigned long long)s->state->damaged);
		err = fy_sql_master_key_delete(ctx, &(struct fy_sql_master_key_delete_params){ .id = s->old }, NULL);
		if (err != FY_ERR_CONFLICT || round == ROUNDS_MAX)
			return err;
	}
}

fy_async int fy_key_rotation_run(struct fy_ctx *ctx, const char *path,
				 void (*progress)(const struct fy_key_rotation *state, void *arg), void *arg,
				 struct fy_key_rotation *ret_state)
{
	struct fy_sql_master_key_list_row *known;
	size_t count;
	uint64_t held[2];
	char why[256];
	*ret_state = (struct fy_key_rotation){ 0 };
	if (fy_keys_masters(ctx->keys, held) != 2)
		return fy_fail(ctx, FY_ERR_CONFIG, "there is no next master key beside %s", path);
	int err = fy_sql_master_key_insert(
		ctx, &(struct fy_sql_master_key_insert_params){ .id = held[1], .created_at = ctx->now }, NULL);
	if (err == 0)
		err = fy_sql_master_key_list(ctx, &known, &count);
	for (size_t i = 0; err == 0 && i < count; i++) {
		struct fy_sql_person_key_count_row row;
		err = fy_sql_person_key_count(
			ctx, &(struct fy_sql_person_key_count_params){ .master_key_id = known[i].id }, &row);
		if (err == 0 && known[i].id != held[1])
			ret_state->total += (uint64_t)row.persons;
	}
	for (size_t i = 0; err == 0 && i < count; i++) {
		struct slice s = { .old = known[i].id, .next = held[1], .state = ret_state };
		if (s.old != s.next)
			err = retire(ctx, &s, progress, arg);
	}
	if (err == 0) {
		err = fy_keys_adopt_next(path, held[1], why);
		if (err)
			fy_fail(ctx, err, "%s", why);
	}
	return err;
}

fy_async int fy_key_rotation_prove(struct fy_ctx *ctx, struct fy_key_rotation_proof *ret_proof)
{
	struct fy_sql_master_key_list_row *known;
	size_t count;
	int err = fy_sql_master_key_list(ctx, &known, &count);
	*ret_proof = (struct fy_key_rotation_proof){ 0 };
	for (size_t i = 0; err == 0 && i < count; i++) {
		fy_time at = known[i].created_at;
		if (i == 0 || at < ret_proof->in_use_since)
			ret_proof->in_use_since = at;
		if (count > 1 && at > ret_proof->began_at)
			ret_proof->began_at = at;
	}
	return err;
}
