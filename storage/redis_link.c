/* The event adapter between hiredis and libuv; see redis_link.h.
 * hiredis' own libuv adapter asks for writability after each command, which costs a turn of the loop and an
 * epoll_ctl; here a queued command only marks the link, and the turn's end writes. */
#include "storage/redis_link.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef FOYER_HIREDIS_SSL
#include <hiredis/hiredis_ssl.h>
#endif

#include "foyer/fiber.h"
#include "foyer/require.h"

struct fy_redis_link {
	uv_poll_t poll;
	redisAsyncContext *redis;        /* NULL once hiredis has let go */
	struct fy_redis_link_events events;
	char *tls_ca, *tls_name;
	char reason[160];
	int wanted;                      /* uv events that are armed */
	bool open, dirty, flushing, polling;
#ifdef FOYER_HIREDIS_SSL
	redisSSLContext *tls;
#endif
};

static void on_event(uv_poll_t *poll, int status, int events);

static void rearm(struct fy_redis_link *link, int wanted)
{
	if (wanted == link->wanted)
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
		rearm(link, link->wanted | UV_WRITABLE);     /* connecting, or the socket was full */
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
	free(link->tls_ca);
	free(link->tls_name);
	free(link);
}

/* hiredis calls this last, before it closes the socket. */
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
		events = UV_READABLE | UV_WRITABLE;          /* hiredis finds out what is wrong */
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

bool fy_redis_link_has_tls(void)
{
#ifdef FOYER_HIREDIS_SSL
	return true;
#else
	return false;
#endif
}

struct fy_redis_link *fy_redis_link_open(const struct fy_redis_address *address, const struct fy_redis_link_events *events,
					 char *ret_why)
{
	redisAsyncContext *redis = address->socket_path ? redisAsyncConnectUnix(address->socket_path) :
							  redisAsyncConnect(address->ip, address->port);
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
	redis->ev.data = link;
	redis->ev.addRead = add_read;
	redis->ev.delRead = del_read;
	redis->ev.addWrite = add_write;
	redis->ev.delWrite = del_write;
	redis->ev.cleanup = cleanup;
	redisAsyncSetDisconnectCallback(redis, on_disconnect);
	redisAsyncSetConnectCallback(redis, on_connect);     /* also asks for writability */
	return link;
}

int fy_redis_link_send(struct fy_redis_link *link, redisCallbackFn *done, void *arg, int argc, const char **argv,
		       const size_t *lengths)
{
	if (link->redis == NULL)
		return FY_ERR_REDIS_DOWN;
	return redisAsyncCommandArgv(link->redis, done, arg, argc, argv, lengths) == REDIS_OK ? 0 : FY_ERR_REDIS_DOWN;
}

bool fy_redis_link_flush(struct fy_redis_link *link)
{
	if (!link->dirty || link->redis == NULL)
		return false;
	link->dirty = false;
	link->flushing = true;
	redisAsyncHandleWrite(link->redis);      /* may break the link: then `lost` has been called */
	link->flushing = false;
	return true;
}

void fy_redis_link_break(struct fy_redis_link *link, const char *reason)
{
	if (link->redis == NULL)
		return;
	snprintf(link->reason, sizeof link->reason, "%s", reason);
	redisAsyncFree(link->redis);             /* ends the pending commands, then calls cleanup; not `lost` while connecting */
	lost(link, reason);
}
