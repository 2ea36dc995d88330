/* Listing sessions and ending many of them; see sessions.h. Ids come from the two indexes; what the indexes name
 * but Redis does not have any more (it expired) is taken out of them on the way. */
#include <stdio.h>
#include <stdlib.h>

#include "foyer/require.h"
#include "protocol/netaddr.h"
#include "storage/redis.h"
#include "storage/sessions_record.h"

#define BATCH 48                         /* ids read at a time: FY_REDIS_ARGS_MAX with room for the command */

static bool is_id(struct fy_slice text)
{
	if (text.len != FY_SESSION_ID_CHARS)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
			return false;
	return true;
}

/* Index entries of a session that is over; `account_id` 0: unknown, the person's index mends itself later. */
static void forget(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice id)
{
	char person[FY_SESSION_KEY_MAX];
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("ZREM"), FY_LIT(FY_SESSION_ALL_KEY), id }, 3);
	if (account_id == 0)
		return;
	fy_session_person_key(account_id, person);
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("ZREM"), fy_str(person), id }, 3);
}

/* Reads the sessions with these ids. `ret_live[i]` says whether number i is still there. */
fy_async static int read_batch(struct fy_ctx *ctx, const struct fy_slice *ids, size_t count, uint64_t account_id,
			       struct fy_session *ret_sessions, bool *ret_live)
{
	struct fy_slice args[BATCH + 1] = { FY_LIT("MGET") };
	struct fy_redis_reply reply;
	for (size_t i = 0; i < count; i++)
		args[i + 1] = fy_fmt(ctx->arena, "sess:" FY_FMT, FY_ARG(ids[i]));
	int err = fy_redis_command(ctx, args, (unsigned)count + 1, &reply);
	if (err)
		return err;
	if (reply.type != FY_REDIS_ARRAY || reply.count != count)
		return FY_ERR_PROTOCOL;
	for (size_t i = 0; i < count; i++) {
		char *id = fy_cstr(ctx->arena, ids[i]);
		ret_live[i] = reply.items[i].type == FY_REDIS_TEXT &&
			      fy_session_decode(reply.items[i].text, id, &ret_sessions[i]) == 0 &&
			      ctx->now < ret_sessions[i].ends_at;
		if (!ret_live[i])
			forget(ctx, account_id, ids[i]);
	}
	return 0;
}

/* Where a walk stands: after `skip` ids of the second `score`. */
struct place {
	int64_t score;
	unsigned skip;
	bool begun;
};

static int read_cursor(struct fy_arena *arena, struct fy_slice cursor, struct place *ret_place)
{
	*ret_place = (struct place){ 0 };
	if (cursor.len == 0)
		return 0;
	if (cursor.len > 40)
		return FY_ERR_INVALID;
	char *text = fy_cstr(arena, cursor), *end;
	ret_place->score = strtoll(text, &end, 10);
	if (end == text || *end != '.')
		return FY_ERR_INVALID;
	char *skip = end + 1;
	ret_place->skip = (unsigned)strtoul(skip, &end, 10);
	if (end == skip || *end || ret_place->score < 0 || ret_place->skip > 1000000)
		return FY_ERR_INVALID;
	ret_place->begun = true;
	return 0;
}

/* The next ids of an index, most recently used first, with their scores; moves *place past them. */
fy_async static int next_ids(struct fy_ctx *ctx, struct fy_slice index, struct place *place, struct fy_slice *ret_ids,
			     int64_t *ret_scores, size_t *ret_count)
{
	struct fy_redis_reply reply;
	struct fy_slice top = place->begun ? fy_fmt(ctx->arena, "%lld", (long long)place->score) : FY_LIT("+inf");
	struct fy_slice args[] = { FY_LIT("ZREVRANGEBYSCORE"), index, top, FY_LIT("-inf"), FY_LIT("WITHSCORES"),
				   FY_LIT("LIMIT"), fy_fmt(ctx->arena, "%u", place->skip), fy_fmt(ctx->arena, "%d", BATCH) };
	int err = fy_redis_command(ctx, args, FY_COUNT(args), &reply);
	if (err)
		return err;
	size_t count = 0;
	for (size_t i = 0; reply.type == FY_REDIS_ARRAY && i + 1 < reply.count; i += 2) {
		if (!is_id(reply.items[i].text))
			continue;
		ret_ids[count] = reply.items[i].text;
		ret_scores[count++] = strtoll(fy_cstr(ctx->arena, reply.items[i + 1].text), NULL, 10);
	}
	*ret_count = count;
	return 0;
}

static void advance(struct place *place, int64_t score)
{
	if (place->begun && place->score == score) {
		place->skip++;
		return;
	}
	*place = (struct place){ .score = score, .skip = 1, .begun = true };
}

static bool passes(const struct fy_session_filter *filter, const struct fy_session *session)
{
	struct fy_addr address;
	memcpy(address.b, session->address, sizeof address.b);
	return (filter->account_id == 0 || session->account_id == filter->account_id) &&
	       (filter->network == NULL || fy_cidr_match(filter->network, &address));
}

static struct fy_slice index_of(struct fy_ctx *ctx, const struct fy_session_filter *filter)
{
	if (filter->account_id == 0)
		return FY_LIT(FY_SESSION_ALL_KEY);
	char *key = fy_alloc(ctx->arena, FY_SESSION_KEY_MAX);
	fy_session_person_key(filter->account_id, key);
	return fy_str(key);
}

/* A dead entry that a walk found is removed while the walk stands in the same second, which would shift the rest
 * of that second; so it is not counted as passed. */
fy_async int fy_sessions_list(struct fy_ctx *ctx, const struct fy_session_filter *filter, struct fy_slice cursor,
			      unsigned limit, struct fy_session_page *ret_page)
{
	struct place place;
	struct fy_session_page page = { .items = fy_new_array(ctx->arena, struct fy_session, limit) };
	int err = read_cursor(ctx->arena, cursor, &place);
	for (bool more = true; err == 0 && more;) {
		struct fy_slice ids[BATCH];
		int64_t scores[BATCH];
		bool live[BATCH];
		size_t count;
		struct fy_session *found = fy_new_array(ctx->arena, struct fy_session, BATCH);
		err = next_ids(ctx, index_of(ctx, filter), &place, ids, scores, &count);
		if (err || count == 0)
			break;
		err = read_batch(ctx, ids, count, filter->account_id, found, live);
		more = count == BATCH;
		for (size_t i = 0; err == 0 && i < count; i++) {
			if (live[i] && passes(filter, &found[i])) {
				if (page.count == limit) {
					page.next_cursor = fy_fmt(ctx->arena, "%lld.%u", (long long)place.score, place.skip);
					more = false;
					break;
				}
				page.items[page.count++] = found[i];
			}
			if (live[i])
				advance(&place, scores[i]);
			else if (!place.begun || place.score != scores[i])
				place = (struct place){ .score = scores[i], .begun = true };
		}
	}
	if (err)
		return err;
	*ret_page = page;
	return 0;
}

fy_async static int count_index(struct fy_ctx *ctx, struct fy_slice index, uint64_t *ret_count)
{
	struct fy_redis_reply reply;
	int err = fy_redis_command(ctx, (struct fy_slice[]){ FY_LIT("ZCARD"), index }, 2, &reply);
	if (err)
		return err;
	*ret_count = reply.type == FY_REDIS_INTEGER && reply.integer > 0 ? (uint64_t)reply.integer : 0;
	return 0;
}

fy_async int fy_sessions_count(struct fy_ctx *ctx, uint64_t *ret_count)
{
	return count_index(ctx, FY_LIT(FY_SESSION_ALL_KEY), ret_count);
}

fy_async int fy_sessions_count_person(struct fy_ctx *ctx, uint64_t account_id, uint64_t *ret_count)
{
	char key[FY_SESSION_KEY_MAX];
	fy_session_person_key(account_id, key);
	return count_index(ctx, fy_str(key), ret_count);
}

/* ---- Endings ---- */

fy_async int fy_sessions_end(struct fy_ctx *ctx, struct fy_slice id, unsigned *ret_count)
{
	struct fy_redis_reply reply;
	struct fy_session session = { 0 };
	if (ret_count)
		*ret_count = 0;
	if (!is_id(id))
		return 0;
	struct fy_slice key = fy_fmt(ctx->arena, "sess:" FY_FMT, FY_ARG(id));
	int err = fy_redis_command(ctx, (struct fy_slice[]){ FY_LIT("GETDEL"), key }, 2, &reply);
	if (err)
		return err;
	if (reply.type == FY_REDIS_TEXT && ret_count)
		*ret_count = 1;
	if (reply.type == FY_REDIS_TEXT)
		fy_session_decode(reply.text, fy_cstr(ctx->arena, id), &session);
	forget(ctx, session.account_id, id);
	return 0;
}

/* Ends what passes the filter, walking from the newest until the index has no more. Each pass starts anew at the
 * top, because endings shift the index; what stays is stepped over. */
fy_async static int end_filtered(struct fy_ctx *ctx, const struct fy_session_filter *filter, const char *except,
				 unsigned *ret_count)
{
	struct place place = { 0 };
	unsigned ended = 0;
	for (;;) {
		struct fy_slice ids[BATCH];
		int64_t scores[BATCH];
		bool live[BATCH];
		size_t count;
		struct fy_session *found = fy_new_array(ctx->arena, struct fy_session, BATCH);
		int err = next_ids(ctx, index_of(ctx, filter), &place, ids, scores, &count);
		if (err == 0 && count)
			err = read_batch(ctx, ids, count, filter->account_id, found, live);
		if (err)
			return err;
		for (size_t i = 0; i < count; i++) {
			bool ends = live[i] && passes(filter, &found[i]) && !(except && fy_eq(ids[i], fy_str(except)));
			unsigned gone = 0;
			if (ends) {
				err = fy_sessions_end(ctx, ids[i], &gone);
				if (err)
					return err;
				ended += gone;
			}
			if (live[i] && !ends)
				advance(&place, scores[i]);
			else if (!place.begun || place.score != scores[i])
				place = (struct place){ .score = scores[i], .begun = true };
		}
		if (count < BATCH)
			break;
	}
	if (ret_count)
		*ret_count = ended;
	return 0;
}

fy_async int fy_sessions_end_person(struct fy_ctx *ctx, uint64_t account_id, const char *except, unsigned *ret_count)
{
	FY_REQUIRE(account_id != 0);
	struct fy_session_filter filter = { .account_id = account_id };
	return end_filtered(ctx, &filter, except, ret_count);
}

fy_async int fy_sessions_end_network(struct fy_ctx *ctx, const struct fy_cidr *network, const char *except,
				     unsigned *ret_count)
{
	struct fy_session_filter filter = { .network = network };
	return end_filtered(ctx, &filter, except, ret_count);
}

fy_async int fy_sessions_end_all(struct fy_ctx *ctx, unsigned *ret_count)
{
	struct fy_session_filter filter = { 0 };
	return end_filtered(ctx, &filter, NULL, ret_count);
}
