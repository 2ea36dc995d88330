/* The client of one worker: connecting again and again, commands with deadlines, pipelines; see redis.h. */
#include "storage/redis.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/redis_link.h"

#define REPLY_DEPTH_MAX 3

/* One command under way. It belongs to hiredis until its callback, so a fiber that gives up leaves it. */
struct redis_op {
	struct fy_redis *redis;
	struct redis_op *next;               /* in the pool */
	struct fy_wait wait;
	struct fy_arena *arena;
	struct fy_redis_reply *reply;        /* the fiber's; touched only while it waits */
	uint64_t sent_ms;
	bool unattended;                     /* nobody waits: fy_redis_send, greetings */
	bool greeting;
};

enum redis_state { REDIS_IDLE, REDIS_CONNECTING, REDIS_UP, REDIS_CLOSED };

struct fy_redis {
	char *socket_path, *host, *user, *password, *tls_ca;
	uint16_t port;
	unsigned db, connect_timeout_ms, command_timeout_ms, outstanding_max, backoff_min_ms, backoff_max_ms;
	struct fy_redis_link *link;
	uv_timer_t timer;                    /* the next attempt, or the end of this one */
	uv_getaddrinfo_t resolve;
	bool resolving;
	enum redis_state state;
	unsigned outstanding, backoff_ms;
	uint64_t last_reply_ms;
	uint64_t connects, commands, flushes;
	struct redis_op *pool;
	char last_error[160];
	bool reported;                       /* this outage stands in the log */
};

static void attempt(struct fy_redis *redis);
static void on_timer_closed(uv_handle_t *handle);

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
	return op;
}

static void op_give(struct redis_op *op)
{
	op->next = op->redis->pool;
	op->redis->pool = op;
}

/* hiredis frees its reply when the callback returns. */
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

static void greeted(struct fy_redis *redis, const redisReply *reply);

static void on_reply(redisAsyncContext *context, void *raw, void *arg)
{
	struct redis_op *op = arg;
	struct fy_redis *redis = op->redis;
	const redisReply *reply = raw;
	(void)context;
	redis->outstanding--;
	redis->last_reply_ms = fy_loop_ms();
	if (op->greeting && reply)
		greeted(redis, reply);
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
	const char *argv[FY_REDIS_ARGS_MAX];
	size_t lengths[FY_REDIS_ARGS_MAX];
	struct fy_redis *redis = op->redis;
	FY_REQUIRE(count > 0 && count <= FY_REDIS_ARGS_MAX);
	for (unsigned i = 0; i < count; i++) {
		argv[i] = args[i].len ? args[i].ptr : "";
		lengths[i] = args[i].len;
	}
	int err = fy_redis_link_send(redis->link, on_reply, op, (int)count, argv, lengths);
	if (err)
		return err;
	redis->outstanding++;
	redis->commands++;
	return 0;
}

/* ---- Connecting ---- */

static void on_timer(uv_timer_t *timer)
{
	struct fy_redis *redis = timer->data;
	if (redis->state == REDIS_CONNECTING) {
		if (redis->link)
			fy_redis_link_break(redis->link, "no answer in time");
		return;
	}
	attempt(redis);
}

static void try_later(struct fy_redis *redis, const char *reason)
{
	snprintf(redis->last_error, sizeof redis->last_error, "%s", reason);
	if (redis->state == REDIS_CLOSED)
		return;
	if (!redis->reported)
		fy_log(NULL, FY_LOG_WARN, "redis.away", FY_KV("reason", reason));
	redis->reported = true;
	redis->state = REDIS_IDLE;
	redis->link = NULL;
	unsigned wait = redis->backoff_ms + randombytes_uniform(redis->backoff_ms / 2 + 1);
	redis->backoff_ms = redis->backoff_ms * 2 < redis->backoff_max_ms ? redis->backoff_ms * 2 : redis->backoff_max_ms;
	uv_timer_start(&redis->timer, on_timer, wait, 0);
}

static void on_lost(void *arg, const char *reason)
{
	try_later(arg, reason);
}

static void greet(struct fy_redis *redis, const struct fy_slice *args, unsigned count, bool last)
{
	struct redis_op *op = op_take(redis);
	op->unattended = true;
	op->greeting = last;
	if (send_op(op, args, count))
		op_give(op);
}

static void on_connected(void *arg)
{
	struct fy_redis *redis = arg;
	char number[16];
	if (redis->password) {
		struct fy_slice auth[3] = { FY_LIT("AUTH") };
		unsigned count = 1;
		if (redis->user)
			auth[count++] = fy_str(redis->user);
		auth[count++] = fy_str(redis->password);
		greet(redis, auth, count, false);
	}
	if (redis->db) {
		snprintf(number, sizeof number, "%u", redis->db);
		greet(redis, (struct fy_slice[]){ FY_LIT("SELECT"), fy_str(number) }, 2, false);
	}
	/* Answers -NOAUTH, -LOADING and the like where the connection cannot be used yet. */
	greet(redis, (struct fy_slice[]){ FY_LIT("PING") }, 1, true);
}

static void greeted(struct fy_redis *redis, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_STATUS) {
		char reason[160];
		snprintf(reason, sizeof reason, "refused: %.*s", (int)reply->len, reply->str ? reply->str : "");
		snprintf(redis->last_error, sizeof redis->last_error, "%s", reason);
		uv_timer_start(&redis->timer, on_timer, 0, 0);       /* breaks the link outside of its own callback */
		return;
	}
	uv_timer_stop(&redis->timer);
	redis->state = REDIS_UP;
	redis->backoff_ms = redis->backoff_min_ms;
	redis->connects++;
	redis->last_error[0] = '\0';
	if (redis->reported)
		fy_log(NULL, FY_LOG_INFO, "redis.back");
	redis->reported = false;
}

static void open_link(struct fy_redis *redis, const char *ip)
{
	char why[160];
	struct fy_redis_address address = {
		.socket_path = redis->socket_path, .ip = ip, .name = redis->host, .port = redis->port, .tls_ca = redis->tls_ca,
	};
	struct fy_redis_link_events events = { .connected = on_connected, .lost = on_lost, .arg = redis };
	redis->link = fy_redis_link_open(&address, &events, why);
	if (redis->link == NULL)
		try_later(redis, why);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct fy_redis *redis = request->data;
	char ip[64] = "";
	redis->resolving = false;
	if (status == 0)
		uv_ip_name(found->ai_addr, ip, sizeof ip);
	uv_freeaddrinfo(found);
	if (redis->state == REDIS_CLOSED)
		uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
	else if (status)
		try_later(redis, uv_strerror(status));
	else
		open_link(redis, ip);
}

static void attempt(struct fy_redis *redis)
{
	redis->state = REDIS_CONNECTING;
	uv_timer_start(&redis->timer, on_timer, redis->connect_timeout_ms, 0);
	if (redis->socket_path) {
		open_link(redis, NULL);
		return;
	}
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	redis->resolve.data = redis;
	int err = uv_getaddrinfo(fy_loop(), &redis->resolve, on_resolved, redis->host, NULL, &hints);
	if (err)
		try_later(redis, uv_strerror(err));
	else
		redis->resolving = true;
}

static void on_turn_end(void *arg)
{
	struct fy_redis *redis = arg;
	if (redis->link && fy_redis_link_flush(redis->link))
		redis->flushes++;
}

/* ---- The public side ---- */

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
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
	attempt(redis);
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fy_redis *redis = handle->data;
	while (redis->pool) {
		struct redis_op *op = redis->pool;
		redis->pool = op->next;
		free(op);
	}
	free(redis->socket_path);
	free(redis->host);
	free(redis->user);
	if (redis->password)
		sodium_memzero(redis->password, strlen(redis->password));
	free(redis->password);
	free(redis->tls_ca);
	free(redis);
}

void fy_redis_destroy(struct fy_redis *redis)
{
	if (redis == NULL)
		return;
	redis->state = REDIS_CLOSED;
	fy_sched_off_turn_end(on_turn_end, redis);
	if (redis->link)
		fy_redis_link_break(redis->link, "closed");
	redis->link = NULL;
	uv_timer_stop(&redis->timer);
	if (redis->resolving)                    /* on_resolved closes the rest */
		uv_cancel((uv_req_t *)&redis->resolve);
	else
		uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
}

void fy_redis_status(const struct fy_redis *redis, struct fy_redis_status *ret_status)
{
	*ret_status = (struct fy_redis_status){
		.up = redis->state == REDIS_UP,
		.outstanding = redis->outstanding,
		.connects = redis->connects,
		.commands = redis->commands,
		.flushes = redis->flushes,
	};
	memcpy(ret_status->last_error, redis->last_error, sizeof ret_status->last_error);
}

/* Nothing at all came back since this command left: the connection is dead, not just this command slow. */
static void judge_silence(struct fy_redis *redis, uint64_t sent_ms)
{
	if (redis->state == REDIS_UP && redis->last_reply_ms < sent_ms && redis->link)
		fy_redis_link_break(redis->link, "no reply in time");
}

static int begin(struct fy_ctx *ctx, const struct fy_slice *args, unsigned count, struct fy_redis_reply *reply,
		 struct redis_op **ret_op)
{
	struct fy_redis *redis = ctx->redis;
	if (redis->state != REDIS_UP)
		return fy_fail(ctx, FY_ERR_REDIS_DOWN, "Redis is away: %s", redis->last_error);
	if (redis->outstanding >= redis->outstanding_max)
		return FY_ERR_BUSY;
	struct redis_op *op = op_take(redis);
	op->arena = ctx->arena;
	op->reply = reply;
	int err = send_op(op, args, count);
	if (err) {
		op_give(op);
		return err;
	}
	*ret_op = op;
	return 0;
}

fy_async static int finish(struct fy_ctx *ctx, struct redis_op *op)
{
	struct fy_redis *redis = op->redis;
	uint64_t sent_ms = op->sent_ms, limit = sent_ms + redis->command_timeout_ms;
	struct fy_redis_reply *reply = op->reply;
	int err = fy_wait(&op->wait, ctx->deadline_ms < limit ? ctx->deadline_ms : limit);
	if (err == FY_ERR_TIMEOUT) {             /* op is hiredis' now */
		judge_silence(redis, sent_ms);
		return fy_fail(ctx, FY_ERR_TIMEOUT, "Redis did not answer in time");
	}
	op_give(op);
	if (err)
		return fy_fail(ctx, err, "the connection to Redis broke");
	if (reply->type == FY_REDIS_ERROR)
		return fy_fail(ctx, FY_ERR_INTERNAL, "Redis: %.*s", (int)reply->text.len, reply->text.ptr);
	return 0;
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
	for (unsigned i = 0; i < count; i++) {
		int err = begin(ctx, calls[i].args, calls[i].count, &calls[i].reply, &ops[i]);
		if (err && first == 0)
			first = err;
	}
	for (unsigned i = 0; i < count; i++) {
		int err = ops[i] ? finish(ctx, ops[i]) : 0;
		if (err && first == 0)
			first = err;
	}
	return first;
}

void fy_redis_send(struct fy_redis *redis, const struct fy_slice *args, unsigned count)
{
	if (redis->state != REDIS_UP || redis->outstanding >= redis->outstanding_max)
		return;
	struct redis_op *op = op_take(redis);
	op->unattended = true;
	if (send_op(op, args, count))
		op_give(op);
}

fy_async int fy_redis_wait_ready(struct fy_ctx *ctx)
{
	while (ctx->redis->state != REDIS_UP)
		if (fy_sleep(ctx, 5))
			return fy_fail(ctx, FY_ERR_REDIS_DOWN, "Redis is away: %s", ctx->redis->last_error);
	return 0;
}
