/* Connecting to Redis, again and again; see redis.h.
 * An attempt resolves the name, connects and greets (AUTH, SELECT, PING) within one time limit; only then may
 * commands run. What a connection looks like is redis_link.h's, commands are redis.c's, which calls this. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "foyer/log.h"
#include "storage/redis_internal.h"

static void on_timer(uv_timer_t *timer)
{
	struct fy_redis *redis = timer->data;
	if (redis->state != REDIS_CONNECTING)
		fy_redis_attempt(redis);
	else if (redis->link)
		fy_redis_link_break(redis->link, redis->refused ? redis->last_error : "no answer in time");
	else
		redis->late = true; /* a name look-up cannot be interrupted; on_resolved sees this */
}

static void try_later(struct fy_redis *redis, const char *reason)
{
	redis->link = NULL;
	if (reason != redis->last_error)
		snprintf(redis->last_error, sizeof redis->last_error, "%s", reason);
	if (redis->state == REDIS_CLOSED)
		return;
	if (!redis->reported)
		fy_log(NULL, FY_LOG_WARN, "redis.away", FY_KV("reason", (const char *)redis->last_error));
	redis->reported = true;
	redis->state = REDIS_IDLE;
	unsigned wait = redis->backoff_ms + randombytes_uniform(redis->backoff_ms / 2 + 1);
	redis->backoff_ms =
		redis->backoff_ms * 2 < redis->backoff_max_ms ? redis->backoff_ms * 2 : redis->backoff_max_ms;
	uv_timer_start(&redis->timer, on_timer, wait, 0);
}

static void on_lost(void *arg, const char *reason)
{
	try_later(arg, reason);
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
		fy_redis_send_unattended(redis, auth, count, true, false);
	}
	if (redis->db) {
		snprintf(number, sizeof number, "%u", redis->db);
		fy_redis_send_unattended(redis, (struct fy_slice[]){ FY_LIT("SELECT"), fy_str(number) }, 2, true,
					 false);
	}
	/* Answers -NOAUTH, -LOADING and the like where the connection cannot be used yet. */
	fy_redis_send_unattended(redis, (struct fy_slice[]){ FY_LIT("PING") }, 1, true, true);
}

void fy_redis_greeted(struct fy_redis *redis, const struct redis_op *op, const redisReply *reply)
{
	if (redis->state != REDIS_CONNECTING || redis->refused || reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_STATUS) {
		snprintf(redis->last_error, sizeof redis->last_error, "refused: %.*s", (int)reply->len,
			 reply->str ? reply->str : "");
		redis->refused = true;
		uv_timer_start(&redis->timer, on_timer, 0, 0); /* breaks the link outside of its own callback */
		return;
	}
	if (!op->last_greeting)
		return;
	uv_timer_stop(&redis->timer);
	redis->state = REDIS_UP;
	redis->backoff_ms = redis->backoff_min_ms;
	redis->attempts = 0;
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
		.socket_path = redis->socket_path,
		.ip = ip,
		.name = redis->host,
		.port = redis->port,
		.tls_ca = redis->tls_ca,
	};
	struct fy_redis_link_events events = { .connected = on_connected, .lost = on_lost, .arg = redis };
	redis->link = fy_redis_link_open(&address, &events, why);
	if (redis->link == NULL)
		try_later(redis, why);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fy_redis *redis = handle->data;
	redis->timer_closed = true;
	fy_redis_settle(redis);
}

/* Each attempt takes the next address of a name, so one that leads nowhere is not tried for ever. */
static const struct addrinfo *pick(const struct addrinfo *found, unsigned attempt)
{
	unsigned count = 0;
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		count++;
	const struct addrinfo *a = found;
	for (unsigned i = attempt % count; i; i--)
		a = a->ai_next;
	return a;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct fy_redis *redis = request->data;
	char ip[64] = "";
	redis->resolving = false;
	if (status == 0)
		uv_ip_name(pick(found, redis->attempts++)->ai_addr, ip, sizeof ip);
	uv_freeaddrinfo(found);
	if (redis->state == REDIS_CLOSED)
		uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
	else if (status)
		try_later(redis, uv_strerror(status));
	else if (redis->late)
		try_later(redis, "the name was not resolved in time");
	else
		open_link(redis, ip);
}

void fy_redis_attempt(struct fy_redis *redis)
{
	redis->state = REDIS_CONNECTING;
	redis->late = redis->refused = false;
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

void fy_redis_destroy(struct fy_redis *redis)
{
	if (redis == NULL)
		return;
	redis->state = REDIS_CLOSED;
	if (redis->link)
		fy_redis_link_break(redis->link, "closed");
	redis->link = NULL;
	fy_redis_leave_turns(redis);
	uv_timer_stop(&redis->timer);
	if (redis->resolving) /* on_resolved closes the rest */
		uv_cancel((uv_req_t *)&redis->resolve);
	else
		uv_close((uv_handle_t *)&redis->timer, on_timer_closed);
}
