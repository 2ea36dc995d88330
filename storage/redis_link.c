/* The event adapter between hiredis and libuv; see redis_link.h.
 * hiredis' own libuv adapter asks for writability after each command, which costs a turn of the loop and an
 * epoll_ctl; here a queued command only marks the link, and the turn's end writes. Replies are built in memory
 * of the link that is used again, instead of a malloc for each part: only one exists at a time. */
#include "storage/redis_link.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef FOYER_HIREDIS_SSL
#include <hiredis/hiredis_ssl.h>
#endif

#include "foyer/fiber.h"
#include "foyer/require.h"

#define SCRATCH_SIZE 4096  /* a session, or a page of ids; larger replies take chunks from malloc */
#define COMMAND_KEEP 16384 /* a larger buffer is given back after use */

struct scratch_chunk {
	struct scratch_chunk *next;
	_Alignas(16) char bytes[];
};

struct fy_redis_link {
	uv_poll_t poll;
	redisAsyncContext *redis; /* NULL once hiredis has let go */
	struct fy_redis_link_events events;
	char reason[160];
	int wanted; /* uv events that are armed */
	bool open, dirty, flushing, polling;
	char *command; /* where commands are put together */
	size_t command_size;
	struct scratch_chunk *chunks;
	size_t scratch_used;
	_Alignas(16) char scratch[SCRATCH_SIZE];
#ifdef FOYER_HIREDIS_SSL
	redisSSLContext *tls;
#endif
};

/* ---- Replies ---- */

/* What the reader makes. It starts as hiredis' own, because hiredis looks at the type. */
struct reply_object {
	redisReply reply;
	struct fy_redis_link *link;
};

static void *scratch_take(struct fy_redis_link *link, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (size <= SCRATCH_SIZE - link->scratch_used) {
		void *at = link->scratch + link->scratch_used;
		link->scratch_used += size;
		return at;
	}
	struct scratch_chunk *chunk = malloc(sizeof *chunk + size);
	if (chunk == NULL)
		return NULL; /* hiredis then breaks the connection: out of memory */
	chunk->next = link->chunks;
	link->chunks = chunk;
	return chunk->bytes;
}

static void scratch_reset(struct fy_redis_link *link)
{
	while (link->chunks) {
		struct scratch_chunk *chunk = link->chunks;
		link->chunks = chunk->next;
		free(chunk);
	}
	link->scratch_used = 0;
}

static struct reply_object *make(const redisReadTask *task)
{
	struct reply_object *object = scratch_take(task->privdata, sizeof *object);
	if (object == NULL)
		return NULL;
	*object = (struct reply_object){ .reply.type = task->type, .link = task->privdata };
	if (task->parent) {
		redisReply *parent = task->parent->obj;
		parent->element[task->idx] = &object->reply;
	}
	return object;
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
	struct reply_object *object = make(task);
	char *copy = object ? scratch_take(task->privdata, len + 1) : NULL;
	if (copy == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	object->reply.str = copy;
	object->reply.len = len;
	return object;
}

/* The count is an int before 1.0 and never above 2^32 - 1 after; memory is taken as the peer states it, which
 * is our own Redis. Elements that did not come are NULL only while the reader is at it. */
static void *make_array_of(const redisReadTask *task, size_t count)
{
	struct reply_object *object = make(task);
	if (object == NULL || count > SIZE_MAX / sizeof *object->reply.element)
		return NULL;
	object->reply.element = scratch_take(task->privdata, (count ? count : 1) * sizeof *object->reply.element);
	if (object->reply.element == NULL)
		return NULL;
	memset(object->reply.element, 0, count * sizeof *object->reply.element);
	object->reply.elements = count;
	return object;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t count)
{
	return make_array_of(task, count);
}
#else
static void *make_array(const redisReadTask *task, int count)
{
	return make_array_of(task, (size_t)count);
}
#endif

static void *make_integer(const redisReadTask *task, long long number)
{
	struct reply_object *object = make(task);
	if (object)
		object->reply.integer = number;
	return object;
}

static void *make_nil(const redisReadTask *task)
{
	struct reply_object *object = make(task);
	if (object)
		object->reply.type = REDIS_REPLY_NIL; /* the task says what it might have been */
	return object;
}

/* hiredis frees a reply by its root alone. */
static void free_reply(void *reply)
{
	if (reply)
		scratch_reset(((struct reply_object *)reply)->link);
}

/* The types that 1.0 added (double, boolean) exist only in RESP3, which is not asked for. */
static redisReplyObjectFunctions reply_functions = {
	.createString = make_string,
	.createArray = make_array,
	.createInteger = make_integer,
	.createNil = make_nil,
	.freeObject = free_reply,
};

/* ---- Events ---- */

static void on_event(uv_poll_t *poll, int status, int events);

static void rearm(struct fy_redis_link *link, int wanted)
{
	if (wanted == link->wanted || !link->polling)
		return;
	link->wanted = wanted;
	if (wanted)
		uv_poll_start(&link->poll, wanted, on_event);
	else
		uv_poll_stop(&link->poll);
}

static void add_read(void *data)
{
	struct fy_redis_link *link = data;
	rearm(link, link->wanted | UV_READABLE);
}

static void del_read(void *data)
{
	struct fy_redis_link *link = data;
	rearm(link, link->wanted & ~UV_READABLE);
}

static void add_write(void *data)
{
	struct fy_redis_link *link = data;
	if (link->open && !link->flushing)
		link->dirty = true;
	else
		rearm(link, link->wanted | UV_WRITABLE); /* connecting, or the socket was full */
}

static void del_write(void *data)
{
	struct fy_redis_link *link = data;
	rearm(link, link->wanted & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
	struct fy_redis_link *link = (struct fy_redis_link *)handle;
#ifdef FOYER_HIREDIS_SSL
	if (link->tls)
		redisFreeSSLContext(link->tls);
#endif
	scratch_reset(link);
	free(link->command);
	free(link);
}

/* hiredis calls this before it closes the socket. */
static void cleanup(void *data)
{
	struct fy_redis_link *link = data;
	link->redis = NULL;
	if (!link->polling)
		return;
	link->polling = false;
	uv_poll_stop(&link->poll);
	uv_close((uv_handle_t *)&link->poll, on_closed);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct fy_redis_link *link = (struct fy_redis_link *)poll;
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE; /* hiredis finds out what is wrong */
	if (link->redis && (events & UV_READABLE))
		redisAsyncHandleRead(link->redis);
	if (link->redis && (events & UV_WRITABLE)) {
		link->flushing = true;
		redisAsyncHandleWrite(link->redis);
		link->flushing = false;
	}
}

static void lost(struct fy_redis_link *link, const char *reason)
{
	struct fy_redis_link_events events = link->events;
	link->open = false;
	if (events.lost == NULL)
		return;
	link->events.lost = NULL;
	if (link->reason[0] == '\0')
		snprintf(link->reason, sizeof link->reason, "%s", reason && *reason ? reason : "connection closed");
	events.lost(events.arg, link->reason);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
	struct fy_redis_link *link = redis->data;
	if (status != REDIS_OK) {
		lost(link, redis->errstr);
		return;
	}
#ifdef FOYER_HIREDIS_SSL
	if (link->tls && redisInitiateSSLWithContext((redisContext *)&redis->c, link->tls) != REDIS_OK) {
		snprintf(link->reason, sizeof link->reason, "TLS: %s", redis->c.errstr);
		redisAsyncDisconnect((redisAsyncContext *)redis);
		return;
	}
#endif
	link->open = true;
	link->events.connected(link->events.arg);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
	(void)status;
	lost(redis->data, redis->errstr);
}

/* ---- The public side ---- */

bool fy_redis_link_has_tls(void)
{
#ifdef FOYER_HIREDIS_SSL
	return true;
#else
	return false;
#endif
}

struct fy_redis_link *fy_redis_link_open(const struct fy_redis_address *address,
					 const struct fy_redis_link_events *events, char *ret_why)
{
	redisAsyncContext *redis = address->socket_path ? redisAsyncConnectUnix(address->socket_path)
							: redisAsyncConnect(address->ip, address->port);
	if (redis == NULL || redis->err) {
		snprintf(ret_why, 160, "%s", redis ? redis->errstr : "out of memory");
		if (redis)
			redisAsyncFree(redis);
		return NULL;
	}
	struct fy_redis_link *link = calloc(1, sizeof *link);
	FY_REQUIRE(link != NULL);
	link->redis = redis;
	link->events = *events;
#ifdef FOYER_HIREDIS_SSL
	if (address->tls_ca) {
		redisSSLContextError why = REDIS_SSL_CTX_NONE;
		redisInitOpenSSL();
		link->tls = redisCreateSSLContext(address->tls_ca, NULL, NULL, NULL, address->name, &why);
		if (link->tls == NULL) {
			snprintf(ret_why, 160, "TLS: %s", redisSSLContextGetError(why));
			redisAsyncFree(redis);
			free(link);
			return NULL;
		}
	}
#endif
	int err = uv_poll_init(fy_loop(), &link->poll, redis->c.fd);
	FY_REQUIRE(err == 0);
	link->polling = true;
	redis->data = link;
	redis->c.reader->fn = &reply_functions;
	redis->c.reader->privdata = link;
	redis->ev.data = link;
	redis->ev.addRead = add_read;
	redis->ev.delRead = del_read;
	redis->ev.addWrite = add_write;
	redis->ev.delWrite = del_write;
	redis->ev.cleanup = cleanup;
	redisAsyncSetDisconnectCallback(redis, on_disconnect);
	redisAsyncSetConnectCallback(redis, on_connect); /* also asks for writability */
	return link;
}

/* RESP: the count of arguments, then each with its length. */
static char *put_head(char *at, char mark, size_t number)
{
	char digits[20];
	unsigned count = 0;
	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10));
	*at++ = mark;
	while (count)
		*at++ = digits[--count];
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

#define HEAD_MAX 24 /* mark, 20 digits, CR LF */

int fy_redis_link_send(struct fy_redis_link *link, redisCallbackFn *done, void *arg, const struct fy_slice *args,
		       unsigned count)
{
	size_t need = HEAD_MAX;
	if (link->redis == NULL)
		return FY_ERR_REDIS_DOWN;
	for (unsigned i = 0; i < count; i++)
		if (__builtin_add_overflow(need, args[i].len + HEAD_MAX, &need))
			return FY_ERR_TOO_LARGE;
	if (need > link->command_size) {
		free(link->command);
		link->command_size = need < 1024 ? 1024 : need;
		link->command = malloc(link->command_size);
		FY_REQUIRE(link->command != NULL);
	}
	char *at = put_head(link->command, '*', count);
	for (unsigned i = 0; i < count; i++) {
		at = put_head(at, '$', args[i].len);
		if (args[i].len)
			memcpy(at, args[i].ptr, args[i].len);
		at += args[i].len;
		*at++ = '\r';
		*at++ = '\n';
	}
	int result = redisAsyncFormattedCommand(link->redis, done, arg, link->command, (size_t)(at - link->command));
	if (link->command_size > COMMAND_KEEP) {
		free(link->command);
		link->command = NULL;
		link->command_size = 0;
	}
	return result == REDIS_OK ? 0 : FY_ERR_REDIS_DOWN;
}

bool fy_redis_link_flush(struct fy_redis_link *link)
{
	if (!link->dirty || link->redis == NULL)
		return false;
	link->dirty = false;
	link->flushing = true;
	redisAsyncHandleWrite(link->redis); /* may break the link: then `lost` has been called */
	link->flushing = false;
	return true;
}

void fy_redis_link_break(struct fy_redis_link *link, const char *reason)
{
	if (link->redis == NULL)
		return;
	snprintf(link->reason, sizeof link->reason, "%s", reason);
	redisAsyncFree(link->redis); /* ends the pending commands, then calls cleanup; not `lost` while connecting */
	lost(link, reason);
}
