/* Commands, pipelines and their deadlines on the one connection of a worker; see redis.h.
 * Getting that connection is redis_connect.c's, bytes and events are redis_link.c's. Called by sessions, the
 * throttle and whoever else keeps something short-lived. */
#include "storage/redis.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foyer/require.h"
#include "storage/redis_internal.h"

#define REPLY_DEPTH_MAX 3

/* ---- Operations ---- */

static struct redis_op *op_take(struct fy_redis *redis)
{
	struct redis_op *op = redis->pool;
	if (op)
		redis->pool = op->next;
	else
		op = malloc(sizeof *op);
	FY_REQUIRE(op != NULL);
	*op = (struct redis_op){ .redis = redis, .sent_ms = fy_loop_ms() };
	redis->out++;
	return op;
}

static void op_give(struct redis_op *op)
{
	struct fy_redis *redis = op->redis;
	op->next = redis->pool;
	redis->pool = op;
	redis->out--;
	fy_redis_settle(redis);
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static void forget_password(char *password)
{
	if (password)
		sodium_memzero(password, strlen(password));
	free(password);
}

/* A fiber that was woken by the closing still has its operation to give back. */
void fy_redis_settle(struct fy_redis *redis)
{
	if (!redis->timer_closed || redis->out)
		return;
	while (redis->pool) {
		struct redis_op *op = redis->pool;
		redis->pool = op->next;
		free(op);
	}
	free(redis->socket_path);
	free(redis->host);
	free(redis->user);
	forget_password(redis->password);
	free(redis->tls_ca);
	free(redis);
}

/* The reply's own memory is the link's and used again after the callback. */
static void copy_reply(struct fy_arena *arena, const redisReply *from, struct fy_redis_reply *to, int depth)
{
	*to = (struct fy_redis_reply){ .type = FY_REDIS_NIL };
	switch (from->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		to->type = FY_REDIS_TEXT;
		to->text = fy_copy(arena, fy_slice(from->str, (size_t)from->len));
		break;
	case REDIS_REPLY_ERROR:
		to->type = FY_REDIS_ERROR;
		to->text = fy_copy(arena, fy_slice(from->str, (size_t)from->len));
		break;
	case REDIS_REPLY_INTEGER:
		to->type = FY_REDIS_INTEGER;
		to->integer = from->integer;
		break;
	case REDIS_REPLY_ARRAY:
		to->type = FY_REDIS_ARRAY;
		to->count = depth < REPLY_DEPTH_MAX ? from->elements : 0;
		to->items = fy_new_array(arena, struct fy_redis_reply, to->count ? to->count : 1);
		for (size_t i = 0; i < to->count; i++)
			copy_reply(arena, from->element[i], &to->items[i], depth + 1);
		break;
	default:
		break;
	}
}

static void on_reply(redisAsyncContext *context, void *raw, void *arg)
{
	struct redis_op *op = arg;
	struct fy_redis *redis = op->redis;
	const redisReply *reply = raw;
	(void)context;
	FY_REQUIRE(redis->oldest == op);
	redis->oldest = op->next;
	redis->outstanding--;
	redis->last_reply_ms = fy_loop_ms();
	if (op->greeting)
		fy_redis_greeted(redis, op, reply);
	if (op->unattended || op->wait.state == FY_WAIT_ABANDONED) {
		op_give(op);
		return;
	}
	if (reply)
		copy_reply(op->arena, reply, op->reply, 0);
	fy_wait_done(&op->wait, reply ? 0 : FY_ERR_REDIS_DOWN);
	/* The waiting fiber gives the operation back. */
}

static int send_op(struct redis_op *op, const struct fy_slice *args, unsigned count)
{
	struct fy_redis *redis = op->redis;
	FY_REQUIRE(count > 0 && count <= FY_REDIS_ARGS_MAX);
	int err = redis->link ? fy_redis_link_send(redis->link, on_reply, op, args, count) : FY_ERR_REDIS_DOWN;
	if (err)
		return err;
	op->next = NULL;
	if (redis->oldest)
		redis->newest->next = op;
	else
		redis->oldest = op;
	redis->newest = op;
	redis->outstanding++;
	redis->commands++;
	return 0;
}

void fy_redis_send_unattended(struct fy_redis *redis, const struct fy_slice *args, unsigned count, bool greeting,
			      bool last)
{
	struct redis_op *op = op_take(redis);
	op->unattended = true;
	op->greeting = greeting;
	op->last_greeting = last;
	if (send_op(op, args, count))
		op_give(op);
}

/* ---- Life ---- */

static void on_turn_end(void *arg)
{
	struct fy_redis *redis = arg;
	if (redis->link && fy_redis_link_flush(redis->link))
		redis->flushes++;
}

void fy_redis_leave_turns(struct fy_redis *redis)
{
	fy_sched_off_turn_end(on_turn_end, redis);
}

int fy_redis_create(const struct fy_redis_options *options, struct fy_redis **ret_redis)
{
	if (options->tls_ca && !fy_redis_link_has_tls())
		return FY_ERR_UNSUPPORTED;
	if (options->socket_path == NULL && options->host == NULL)
		return FY_ERR_INVALID;
	struct fy_redis *redis = calloc(1, sizeof *redis);
	FY_REQUIRE(redis != NULL);
	redis->socket_path = copy(options->socket_path);
	redis->host = copy(options->host);
	redis->user = copy(options->user);
	redis->tls_ca = copy(options->tls_ca);
	if (options->password.text.len)
		redis->password = strndup(options->password.text.ptr, options->password.text.len);
	redis->port = options->port ? options->port : 6379;
	redis->db = options->db;
	redis->connect_timeout_ms = options->connect_timeout_ms ? options->connect_timeout_ms : 3000;
	redis->command_timeout_ms = options->command_timeout_ms ? options->command_timeout_ms : 2000;
	redis->outstanding_max = options->outstanding_max ? options->outstanding_max : 16384;
	redis->backoff_min_ms = options->backoff_min_ms ? options->backoff_min_ms : 50;
	redis->backoff_max_ms = options->backoff_max_ms ? options->backoff_max_ms : 2000;
	redis->backoff_ms = redis->backoff_min_ms;
	snprintf(redis->last_error, sizeof redis->last_error, "not connected yet");
	uv_timer_init(fy_loop(), &redis->timer);
	redis->timer.data = redis;
	fy_sched_on_turn_end(on_turn_end, redis);
	*ret_redis = redis;
	fy_redis_attempt(redis);
	return 0;
}

/* The oldest command waits beyond the limit, and nothing came in all that time. Replies come in order, so one slow
 * command delays those behind it; but as long as some reply arrives within the limit, Redis is at work. */
static bool is_silent(const struct fy_redis *redis)
{
	if (redis->state != REDIS_UP || redis->oldest == NULL)
		return false;
	uint64_t since = redis->oldest->sent_ms > redis->last_reply_ms ? redis->oldest->sent_ms : redis->last_reply_ms;
	return fy_loop_ms() >= since + redis->command_timeout_ms;
}

static void give_up_when_silent(struct fy_redis *redis)
{
	if (is_silent(redis) && redis->link)
		fy_redis_link_break(redis->link, "no reply in time");
}

void fy_redis_status(const struct fy_redis *redis, struct fy_redis_status *ret_status)
{
	*ret_status = (struct fy_redis_status){
		.up = redis->state == REDIS_UP && !is_silent(redis),
		.outstanding = redis->outstanding,
		.connects = redis->connects,
		.commands = redis->commands,
		.flushes = redis->flushes,
	};
	memcpy(ret_status->last_error, is_silent(redis) ? "no reply in time" : redis->last_error,
	       is_silent(redis) ? sizeof "no reply in time" : sizeof ret_status->last_error);
}

/* ---- Commands ---- */

static int begin(struct fy_ctx *ctx, const struct fy_slice *args, unsigned count, struct fy_redis_reply *reply,
		 struct redis_op **ret_op)
{
	struct fy_redis *redis = ctx->redis;
	give_up_when_silent(redis);
	if (redis->state != REDIS_UP)
		return fy_fail(ctx, FY_ERR_REDIS_DOWN, "Redis is away: %s", redis->last_error);
	if (redis->outstanding >= redis->outstanding_max)
		return fy_fail(ctx, FY_ERR_BUSY, "%u commands wait for Redis", redis->outstanding);
	if (ctx->deadline_ms <= fy_loop_ms())
		return fy_fail(ctx, FY_ERR_TIMEOUT, "no time was left to ask Redis");
	struct redis_op *op = op_take(redis);
	op->arena = ctx->arena;
	op->reply = reply;
	int err = send_op(op, args, count);
	if (err) {
		op_give(op);
		return fy_fail(ctx, err, "the connection to Redis broke");
	}
	*ret_op = op;
	return 0;
}

/* Redis says why it cannot serve at the moment: that is an outage, as if it were away, and none of our faults. READONLY:
 * another host is in charge now, so look it up again. */
static int judge_error(struct fy_ctx *ctx, struct fy_slice text)
{
	static const char *const outages[] = { "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS",
					       "BUSY ",    "MISCONF", "OOM",        "TRYAGAIN" };
	int err = FY_ERR_INTERNAL;
	fy_fail(ctx, err, "Redis: %.*s", (int)text.len, text.ptr);
	for (size_t i = 0; i < FY_COUNT(outages); i++)
		if (fy_starts(text, fy_str(outages[i])))
			err = FY_ERR_REDIS_DOWN;
	if (fy_starts(text, FY_LIT("READONLY")) && ctx->redis->link && ctx->redis->state == REDIS_UP)
		fy_redis_link_break(ctx->redis->link, "it became a replica");
	return err;
}

fy_async static int finish(struct fy_ctx *ctx, struct redis_op *op)
{
	struct fy_redis *redis = op->redis;
	struct fy_redis_reply *reply = op->reply;
	uint64_t limit = op->sent_ms + redis->command_timeout_ms;
	int err = fy_wait(&op->wait, ctx->deadline_ms < limit ? ctx->deadline_ms : limit);
	if (err == FY_ERR_TIMEOUT) { /* op is hiredis' now */
		give_up_when_silent(redis);
		return fy_fail(ctx, FY_ERR_TIMEOUT, "Redis did not answer in time");
	}
	op_give(op); /* `redis` may be gone with it, when it was closed */
	if (err)
		return fy_fail(ctx, err, "the connection to Redis broke");
	return reply->type == FY_REDIS_ERROR ? judge_error(ctx, reply->text) : 0;
}

fy_async int fy_redis_command(struct fy_ctx *ctx, const struct fy_slice *args, unsigned count,
			      struct fy_redis_reply *ret_reply)
{
	struct redis_op *op;
	int err = begin(ctx, args, count, ret_reply, &op);
	return err ? err : finish(ctx, op);
}

fy_async int fy_redis_pipeline(struct fy_ctx *ctx, struct fy_redis_call *calls, unsigned count)
{
	struct redis_op **ops = fy_new_array(ctx->arena, struct redis_op *, count ? count : 1);
	int first = 0;
	for (unsigned i = 0; i < count && first == 0; i++)
		first = begin(ctx, calls[i].args, calls[i].count, &calls[i].reply, &ops[i]);
	for (unsigned i = 0; i < count; i++) {
		int err = ops[i] ? finish(ctx, ops[i]) : 0;
		if (err && first == 0)
			first = err;
	}
	return first;
}

void fy_redis_send(struct fy_redis *redis, const struct fy_slice *args, unsigned count)
{
	if (redis->state == REDIS_UP && redis->outstanding < redis->outstanding_max)
		fy_redis_send_unattended(redis, args, count, false, false);
}

fy_async int fy_redis_wait_ready(struct fy_ctx *ctx)
{
	while (ctx->redis->state != REDIS_UP)
		if (fy_sleep(ctx, 5))
			return fy_fail(ctx, FY_ERR_REDIS_DOWN, "Redis is away: %s", ctx->redis->last_error);
	return 0;
}
