/* Walking the access log from its start to its end (access_log.h), slice by slice, while the server goes on: reads are
 * appended, and the purge takes rows from under the walk. Called by `foyer access-log verify`. */
#include <sodium.h>

#include "storage/access_chain.h"

#define SLICE 1000 /* `max` of access_log_walk */

struct walk {
	struct fy_chain_report report;
	uint64_t id; /* of the last row that fits, with its hash */
	uint8_t hash[FY_HASH_BYTES];
};

/* True: the walk ends here. */
static bool fault(struct walk *w, enum fy_chain_fault what, uint64_t id)
{
	w->report.fault = what;
	w->report.id = id;
	return true;
}

/* The row after the last one is missing: taken by the purge meanwhile, which leaves its hash, or by somebody else. */
static fy_async int look_again(struct fy_ctx *ctx, struct walk *w, bool *ret_ended)
{
	struct fy_sql_access_chain_get_row chain;
	int err = fy_sql_access_chain_get(ctx, &chain);
	if (err)
		return err;
	*ret_ended = false;
	if (chain.start_id > w->id) {
		w->id = chain.start_id;
		memcpy(w->hash, chain.start_hash.ptr, sizeof w->hash);
	} else {
		*ret_ended = fault(w, FY_CHAIN_MISSING, w->id + 1);
	}
	return 0;
}

/* The walk found no further row: does the chain end here? */
static fy_async int at_the_end(struct fy_ctx *ctx, struct walk *w, bool *ret_ended)
{
	struct fy_sql_access_chain_get_row chain;
	struct fy_sql_access_log_walk_row *rows;
	size_t count;
	int err = fy_sql_access_chain_get(ctx, &chain);
	if (err)
		return err;
	*ret_ended = true;
	if (chain.last_id < w->id)
		fault(w, FY_CHAIN_ADDED, chain.last_id + 1);
	else if (chain.last_id == w->id && memcmp(chain.last_hash.ptr, w->hash, sizeof w->hash) != 0)
		fault(w, FY_CHAIN_CHANGED, w->id);
	else if (chain.last_id == w->id && !fy_chain_ends_fit(ctx, &chain))
		fault(w, FY_CHAIN_ENDS, w->id);
	if (chain.last_id <= w->id)
		return 0;
	/* The chain goes on: rows came while this was asked, or are gone. */
	err = fy_sql_access_log_walk(ctx, &(struct fy_sql_access_log_walk_params){ .after_id = w->id, .limit = 1 },
				     &rows, &count);
	if (err)
		return err;
	if (count) {
		*ret_ended = false;
		return 0;
	}
	return look_again(ctx, w, ret_ended);
}

static fy_async int check_slice(struct fy_ctx *ctx, struct walk *w, bool *ret_ended)
{
	struct fy_sql_access_log_walk_row *rows;
	uint8_t hash[FY_HASH_BYTES];
	size_t count;
	int err = fy_sql_access_log_walk(
		ctx, &(struct fy_sql_access_log_walk_params){ .after_id = w->id, .limit = SLICE }, &rows, &count);
	if (err)
		return err;
	if (count == 0)
		return at_the_end(ctx, w, ret_ended);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].id != w->id + 1)
			return look_again(ctx, w, ret_ended);
		fy_chain_hash(ctx, w->hash, &rows[i], hash);
		if (sodium_memcmp(hash, rows[i].hash.ptr, sizeof hash) != 0) {
			*ret_ended = fault(w, FY_CHAIN_CHANGED, rows[i].id);
			return 0;
		}
		w->id = rows[i].id;
		memcpy(w->hash, hash, sizeof w->hash);
		w->report.checked++;
	}
	return 0;
}

/* Each slice has memory of its own: a log of years is no reason to hold it. */
static fy_async int next_slice(struct fy_ctx *outer, struct walk *w, bool *ret_ended)
{
	struct fy_arena arena;
	struct fy_ctx ctx = *outer;
	fy_arena_init(&arena, 0);
	ctx.arena = &arena;
	int err = check_slice(&ctx, w, ret_ended);
	if (err && ctx.fault)
		fy_fail(outer, err, "%s", ctx.fault);
	fy_arena_finish(&arena);
	return err;
}

fy_async int fy_access_log_verify(struct fy_ctx *ctx, void (*show)(const struct fy_chain_report *report, void *arg),
				  void *arg, struct fy_chain_report *ret_report)
{
	struct fy_sql_access_chain_get_row chain;
	struct fy_sql_access_log_first_row first;
	struct walk w = { .id = 0 };
	bool ended = false;
	int err = fy_sql_access_chain_get(ctx, &chain);
	if (err == FY_ERR_NOT_FOUND)
		return fy_fail(ctx, FY_ERR_SCHEMA, "the row with the ends of the access log is gone");
	if (err)
		return err;
	w.id = chain.start_id;
	memcpy(w.hash, chain.start_hash.ptr, sizeof w.hash);
	w.report.total = chain.last_id - chain.start_id;
	w.report.first_id = chain.start_id + 1;
	err = fy_sql_access_log_first(ctx, &first);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	if (err == 0 && first.id <= chain.start_id)
		ended = fault(&w, FY_CHAIN_ADDED, first.id);
	err = 0;
	while (err == 0 && !ended) {
		err = next_slice(ctx, &w, &ended);
		if (err == 0 && show)
			show(&w.report, arg);
	}
	if (err)
		return err;
	w.report.last_id = w.id;
	memcpy(w.report.hash, w.hash, sizeof w.report.hash);
	*ret_report = w.report;
	return 0;
}
