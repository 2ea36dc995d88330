/* Redis for one worker: ONE connection on the loop, through hiredis' asynchronous API.
 * All commands that the fibers of a turn queue leave in one write at the turn's end, and their replies
 * come back in order; a pool would only cut that batch into pieces. What is stored is sessions.h's and
 * throttle.h's matter. The server makes one struct fy_redis a worker and puts it into each context.
 *
 *     connecting ──greeted──► up ──error, or silence──► down ──backoff──► connecting
 *
 * While it is not up every command fails at once; nothing queues for a Redis that is away. No atomicity over
 * several keys is assumed, so a cluster or Sentinel may stand behind it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"

struct fy_redis;

/* Everything is copied by fy_redis_create. Zero means the default in brackets. */
struct fy_redis_options {
	const char *socket_path;   /* a unix socket; then host and port are not used */
	const char *host;          /* resolved on each connect, off the loop */
	uint16_t port;             /* [6379] */
	const char *user;          /* NULL: the default user */
	struct fy_secret password; /* empty: no AUTH */
	unsigned db;
	const char *tls_ca;          /* PEM file: TLS, verified. FY_ERR_UNSUPPORTED where hiredis has none (< 1.0) */
	unsigned connect_timeout_ms; /* resolve, connect, greet [3000] */
	unsigned command_timeout_ms; /* the longest wait for one reply [2000] */
	unsigned outstanding_max;    /* commands without a reply yet [16384]; past it FY_ERR_BUSY */
	unsigned backoff_min_ms, backoff_max_ms; /* [50, 2000], with jitter */
};

/* Starts connecting in the background. On the loop's thread, after fy_sched_init. */
int fy_redis_create(const struct fy_redis_options *options, struct fy_redis **ret_redis);

/* Commands still running end with FY_ERR_REDIS_DOWN. Memory goes with the loop's close callbacks. */
void fy_redis_destroy(struct fy_redis *redis);

struct fy_redis_status {
	bool up;
	unsigned outstanding;
	uint64_t connects, commands, flushes; /* flushes: writes to the socket */
	char last_error[160];                 /* of the last failure; empty once up */
};
void fy_redis_status(const struct fy_redis *redis, struct fy_redis_status *ret_status);

enum fy_redis_type { FY_REDIS_NIL = 1, FY_REDIS_TEXT, FY_REDIS_INTEGER, FY_REDIS_ARRAY, FY_REDIS_ERROR };

struct fy_redis_reply {
	enum fy_redis_type type;
	int64_t integer;
	struct fy_slice text;         /* TEXT (statuses too) and ERROR */
	struct fy_redis_reply *items; /* ARRAY */
	size_t count;
};

#define FY_REDIS_ARGS_MAX 64

/* One command of a pipeline. The reply is in the context's arena. */
struct fy_redis_call {
	const struct fy_slice *args;
	unsigned count;
	struct fy_redis_reply reply;
};

/* FY_ERR_REDIS_DOWN at once while it is away, or when the connection breaks; FY_ERR_BUSY. FY_ERR_TIMEOUT past the
 * context's deadline or command_timeout_ms: the reply is then dropped when it comes. The connection is given up
 * only when nothing at all was answered for command_timeout_ms, so that neither an impatient fiber nor one slow
 * command takes everybody's. FY_ERR_INTERNAL: Redis answered with an error, whose text is in ctx->fault;
 * FY_ERR_REDIS_DOWN where that says that it cannot serve at the moment. The reply is in the context's arena. */
fy_async int fy_redis_command(struct fy_ctx *ctx, const struct fy_slice *args, unsigned count,
			      struct fy_redis_reply *ret_reply);

/* All sent together, waited for once. The first error is returned; the replies that came are filled in (a type of
 * 0 says that one did not). No transaction: another client's commands may run between them. */
fy_async int fy_redis_pipeline(struct fy_ctx *ctx, struct fy_redis_call *calls, unsigned count);

/* Sends without waiting; the reply is thrown away. For notes whose loss does no harm. */
void fy_redis_send(struct fy_redis *redis, const struct fy_slice *args, unsigned count);

/* Parks until it is up; FY_ERR_REDIS_DOWN past the context's deadline. For commands and start-up. */
fy_async int fy_redis_wait_ready(struct fy_ctx *ctx);
