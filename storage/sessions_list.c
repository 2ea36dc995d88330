/* Listing sessions and ending many of them; see sessions.h. Ids come from the two indexes; what the indexes name
 * but Redis does not have any more (it expired) is taken out of them on the way. */
#include <stdlib.h>
#include <string.h>

#include "foyer/require.h"
#include "protocol/netaddr.h"
#include "storage/redis.h"
#include "storage/sessions_record.h"

#define BATCH 48 /* ids read at a time */
#define TIDY 8   /* ids looked at when a session is opened */
#define ROUNDS_MAX 4

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

/* An entry of an index, and the session it names. Lives in the walk's memory. */
struct entry {
	struct fy_slice id;
	int64_t score;
	bool live;
	struct fy_session session;
};

/* A walk through an index, most recently used first, in batches that each have memory of their own: an index may be
 * far longer than a request's arena. It stands after (score, id), whatever is removed or added meanwhile. */
struct walk {
	struct fy_ctx *outer;
	struct fy_ctx ctx; /* the outer one, on the batch's memory */
	struct fy_arena arena;
	struct fy_slice index;
	uint64_t account_id; /* whose index it is; 0: everybody's */
	int64_t score;
	char id[FY_SESSION_ID_CHARS];
	bool begun, ended;
	struct entry *entries;
	size_t count;
};

static void walk_begin(struct walk *walk, struct fy_ctx *ctx, uint64_t account_id)
{
	*walk = (struct walk){
		.outer = ctx, .ctx = *ctx, .account_id = account_id, .index = FY_LIT(FY_SESSION_ALL_KEY)
	};
	fy_arena_init(&walk->arena, 0);
	walk->ctx.arena = &walk->arena;
	if (account_id) {
		char *key = fy_alloc(ctx->arena, FY_SESSION_KEY_MAX);
		fy_session_person_key(account_id, key);
		walk->index = fy_str(key);
	}
}

/* Frees the batch; what an error had to say moves to the outer context. Returns `err`. */
static int walk_end(struct walk *walk, int err)
{
	if (walk->ctx.fault && walk->ctx.fault != walk->outer->fault)
		walk->outer->fault = fy_cstr(walk->outer->arena, fy_str(walk->ctx.fault));
	fy_arena_finish(&walk->arena);
	return err;
}

static void walk_to(struct walk *walk, const struct entry *entry)
{
	walk->score = entry->score;
	memcpy(walk->id, entry->id.ptr, sizeof walk->id);
	walk->begun = true;
}

/* Reads the sessions of the entries, each with a command of its own, as their keys may lie on several servers. What
 * is not there any more leaves the index. */
fy_async static int read_entries(struct fy_ctx *ctx, uint64_t account_id, struct entry *entries, size_t count)
{
	struct fy_redis_call *calls = fy_new_array(ctx->arena, struct fy_redis_call, count + 1);
	for (size_t i = 0; i < count; i++) {
		struct fy_slice *args = fy_new_array(ctx->arena, struct fy_slice, 2);
		args[0] = FY_LIT("GET");
		args[1] = fy_fmt(ctx->arena, "sess:" FY_FMT, FY_ARG(entries[i].id));
		calls[i] = (struct fy_redis_call){ .args = args, .count = 2 };
	}
	int err = fy_redis_pipeline(ctx, calls, (unsigned)count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct entry *e = &entries[i];
		e->live = calls[i].reply.type == FY_REDIS_TEXT &&
			  fy_session_decode(calls[i].reply.text, fy_cstr(ctx->arena, e->id), &e->session) == 0 &&
			  ctx->now < e->session.ends_at;
		if (!e->live)
			forget(ctx, account_id, e->id);
	}
	return 0;
}

/* The entries of a reply WITHSCORES that stand after the walk's place. */
static size_t take_entries(struct walk *walk, const struct fy_redis_reply *reply)
{
	size_t count = 0;
	walk->entries = fy_new_array(&walk->arena, struct entry, BATCH);
	for (size_t i = 0; i + 1 < reply->count && count < BATCH; i += 2) {
		struct entry e = { .id = reply->items[i].text,
				   .score = strtoll(fy_cstr(&walk->arena, reply->items[i + 1].text), NULL, 10) };
		if (!is_id(e.id))
			forget(&walk->ctx, walk->account_id, e.id);
		else if (!walk->begun || e.score < walk->score || memcmp(e.id.ptr, walk->id, sizeof walk->id) < 0)
			walk->entries[count++] = e;
	}
	return count;
}

/* The next batch; none left: count is 0. The one before is gone. */
fy_async static int walk_next(struct walk *walk)
{
	fy_arena_finish(&walk->arena);
	walk->count = 0;
	walk->ctx.fault = walk->outer->fault;
	/* Those of the place's own score come again from the first on; many can only be of one bulk import. */
	for (unsigned skip = 0; walk->count == 0 && !walk->ended; skip += BATCH) {
		struct fy_redis_reply reply;
		struct fy_slice top =
			walk->begun ? fy_fmt(&walk->arena, "%lld", (long long)walk->score) : FY_LIT("+inf");
		struct fy_slice args[] = { FY_LIT("ZREVRANGEBYSCORE"),
					   walk->index,
					   top,
					   FY_LIT("-inf"),
					   FY_LIT("WITHSCORES"),
					   FY_LIT("LIMIT"),
					   fy_fmt(&walk->arena, "%u", skip),
					   fy_fmt(&walk->arena, "%d", BATCH) };
		int err = fy_redis_command(&walk->ctx, args, FY_COUNT(args), &reply);
		if (err)
			return err;
		if (reply.type != FY_REDIS_ARRAY)
			return FY_ERR_PROTOCOL;
		walk->ended = reply.count < 2 * BATCH;
		walk->count = take_entries(walk, &reply);
	}
	return read_entries(&walk->ctx, walk->account_id, walk->entries, walk->count);
}

/* "SCORE.ID" of the last session on the page before. */
static int read_cursor(struct walk *walk, struct fy_slice cursor)
{
	if (cursor.len == 0)
		return 0;
	struct fy_slice id = cursor, score = fy_cut(&id, '.');
	if (score.len == 0 || score.len > 18 || !is_id(id))
		return FY_ERR_INVALID;
	for (size_t i = 0; i < score.len; i++) {
		if (score.ptr[i] < '0' || score.ptr[i] > '9')
			return FY_ERR_INVALID;
		walk->score = walk->score * 10 + (score.ptr[i] - '0');
	}
	memcpy(walk->id, id.ptr, sizeof walk->id);
	walk->begun = true;
	return 0;
}

static bool passes(const struct fy_session_filter *filter, const struct fy_session *session)
{
	struct fy_addr address;
	memcpy(address.b, session->address, sizeof address.b);
	return (filter->account_id == 0 || session->account_id == filter->account_id) &&
	       (filter->network == NULL || fy_cidr_match(filter->network, &address));
}

fy_async int fy_sessions_list(struct fy_ctx *ctx, const struct fy_session_filter *filter, struct fy_slice cursor,
			      unsigned limit, struct fy_session_page *ret_page)
{
	struct walk walk;
	struct fy_session_page page = { .items = fy_new_array(ctx->arena, struct fy_session, limit ? limit : 1) };
	walk_begin(&walk, ctx, filter->account_id);
	int err = read_cursor(&walk, cursor);
	while (err == 0 && page.next_cursor.len == 0) {
		err = walk_next(&walk);
		if (err || walk.count == 0)
			break;
		for (size_t i = 0; i < walk.count && page.next_cursor.len == 0; i++) {
			const struct entry *e = &walk.entries[i];
			bool wanted = e->live && passes(filter, &e->session);
			if (wanted && page.count == limit) {
				page.next_cursor = fy_fmt(ctx->arena, "%lld.%.*s", (long long)walk.score,
							  FY_SESSION_ID_CHARS, walk.id);
				break;
			}
			if (wanted)
				page.items[page.count++] = e->session;
			walk_to(&walk, e);
		}
	}
	err = walk_end(&walk, err);
	if (err == 0)
		*ret_page = page;
	return err;
}

fy_async int fy_sessions_tidy(struct fy_ctx *ctx)
{
	struct fy_redis_reply reply;
	struct fy_slice args[] = { FY_LIT("ZRANGE"), FY_LIT(FY_SESSION_ALL_KEY), FY_LIT("0"),
				   fy_fmt(ctx->arena, "%d", TIDY - 1) };
	int err = fy_redis_command(ctx, args, FY_COUNT(args), &reply);
	if (err)
		return err;
	struct entry *entries = fy_new_array(ctx->arena, struct entry, TIDY);
	size_t count = 0;
	for (size_t i = 0; i < reply.count && i < TIDY; i++)
		if (is_id(reply.items[i].text))
			entries[count++].id = reply.items[i].text;
	return read_entries(ctx, 0, entries, count);
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

/* Ends what passes in one batch. */
fy_async static int end_batch(struct walk *walk, const struct fy_session_filter *filter, const char *except,
			      unsigned *ended)
{
	struct fy_redis_call *calls = fy_new_array(&walk->arena, struct fy_redis_call, BATCH);
	const struct entry **chosen = fy_new_array(&walk->arena, const struct entry *, BATCH);
	unsigned count = 0;
	for (size_t i = 0; i < walk->count; i++) {
		const struct entry *e = &walk->entries[i];
		walk_to(walk, e);
		if (!e->live || !passes(filter, &e->session) || (except && fy_eq(e->id, fy_str(except))))
			continue;
		struct fy_slice *args = fy_new_array(&walk->arena, struct fy_slice, 2);
		args[0] = FY_LIT("DEL");
		args[1] = fy_fmt(&walk->arena, "sess:" FY_FMT, FY_ARG(e->id));
		calls[count] = (struct fy_redis_call){ .args = args, .count = 2 };
		chosen[count++] = e;
	}
	int err = fy_redis_pipeline(&walk->ctx, calls, count);
	for (unsigned i = 0; i < count; i++) {
		if (calls[i].reply.type != FY_REDIS_INTEGER)
			continue;
		*ended += calls[i].reply.integer > 0;
		forget(&walk->ctx, chosen[i]->session.account_id, chosen[i]->id);
	}
	return err;
}

/* A session that is used while the walk is on its way goes to the top and so past it: walked again until nothing is
 * found. It does that once a minute at the most, so few rounds are enough. */
fy_async static int end_filtered(struct fy_ctx *ctx, const struct fy_session_filter *filter, const char *except,
				 unsigned *ret_count)
{
	unsigned total = 0;
	int err = 0;
	for (int round = 0; err == 0 && round < ROUNDS_MAX; round++) {
		struct walk walk;
		unsigned ended = 0;
		walk_begin(&walk, ctx, filter->account_id);
		do {
			err = walk_next(&walk);
			if (err == 0 && walk.count)
				err = end_batch(&walk, filter, except, &ended);
		} while (err == 0 && walk.count);
		err = walk_end(&walk, err);
		total += ended;
		if (ended == 0)
			break;
	}
	if (err == 0 && ret_count)
		*ret_count = total;
	return err;
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
