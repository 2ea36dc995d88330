/* What redis.c (commands) and redis_connect.c (getting and keeping a connection) share; for nobody else. */
#pragma once

#include <uv.h>

#include "storage/redis.h"
#include "storage/redis_link.h"

/* One command under way. It belongs to hiredis until its callback, so a fiber that gives up leaves it. */
struct redis_op {
	struct fy_redis *redis;
	struct redis_op *next; /* in the queue of the unanswered, or in the pool */
	struct fy_wait wait;
	struct fy_arena *arena;
	struct fy_redis_reply *reply; /* the fiber's; touched only while it waits */
	uint64_t sent_ms;
	bool unattended; /* nobody waits: fy_redis_send, greetings */
	bool greeting, last_greeting;
};

enum redis_state {
	REDIS_IDLE,       /* waiting for the next attempt */
	REDIS_CONNECTING, /* resolving, connecting, greeting; the timer bounds it */
	REDIS_UP,
	REDIS_CLOSED /* fy_redis_destroy was called */
};

struct fy_redis {
	char *socket_path, *host, *user, *password, *tls_ca;
	uint16_t port;
	unsigned db, connect_timeout_ms, command_timeout_ms, outstanding_max, backoff_min_ms, backoff_max_ms;
	struct fy_redis_link *link;
	uv_timer_t timer; /* the next attempt, or the end of this one */
	uv_getaddrinfo_t resolve;
	bool resolving, late; /* late: the attempt ran out of time while the name was looked up */
	bool refused;         /* the greeting was; the reason is in last_error */
	bool timer_closed;
	bool reported; /* this outage stands in the log */
	enum redis_state state;
	unsigned attempts; /* walks through the addresses of a name */
	unsigned backoff_ms;
	unsigned outstanding;
	unsigned out;                     /* operations not in the pool: under way, or a fiber's to give back */
	struct redis_op *oldest, *newest; /* the unanswered, in the order of their replies */
	uint64_t last_reply_ms;
	uint64_t connects, commands, flushes;
	struct redis_op *pool;
	char last_error[160];
};

/* redis_connect.c */
void fy_redis_attempt(struct fy_redis *redis);
/* The reply to a greeting; NULL is no reply. */
void fy_redis_greeted(struct fy_redis *redis, const struct redis_op *op, const redisReply *reply);

/* redis.c */
/* Sends on whatever link there is; nobody waits. */
void fy_redis_send_unattended(struct fy_redis *redis, const struct fy_slice *args, unsigned count, bool greeting,
			      bool last);
void fy_redis_leave_turns(struct fy_redis *redis);

/* Frees it once it is closed and the last operation has come back. */
void fy_redis_settle(struct fy_redis *redis);
