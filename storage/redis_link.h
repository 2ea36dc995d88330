/* hiredis' asynchronous context on the loop: the one place that knows its versions.
 * 0.14 (Debian 12) has no TLS and no timers of its own; 1.x (Debian 13) has both, of which only TLS is used.
 * With TLS the server's certificate is checked against `tls_ca`; its name is sent (SNI), but hiredis has no check
 * of it, so the authority should sign for this Redis only.
 * A link is one connection attempt and the connection that came of it; redis.c makes the next one. */
#pragma once

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <uv.h>

#include "foyer/slice.h"

struct fy_redis_link;

struct fy_redis_link_events {
	void (*connected)(void *arg);                /* the socket is open (and TLS is set up) */
	void (*lost)(void *arg, const char *reason); /* once, also when connecting failed; the link is then gone */
	void *arg;
};

struct fy_redis_address {
	const char *socket_path; /* or: */
	const char *ip;          /* numeric; resolving is the caller's */
	const char *name;        /* as the certificate has it */
	uint16_t port;
	const char *tls_ca;
};

bool fy_redis_link_has_tls(void);

/* NULL, with a reason in ret_why (160 bytes), when not even the attempt could be made. */
struct fy_redis_link *fy_redis_link_open(const struct fy_redis_address *address,
					 const struct fy_redis_link_events *events, char *ret_why);

/* Queues a command; `done` gets NULL when the link breaks first. A reply given to it is gone when it returns. */
int fy_redis_link_send(struct fy_redis_link *link, redisCallbackFn *done, void *arg, const struct fy_slice *args,
		       unsigned count);

/* Writes what is queued. True when there was something. */
bool fy_redis_link_flush(struct fy_redis_link *link);

/* Breaks it off: pending commands get NULL, then `lost` is called with `reason`. */
void fy_redis_link_break(struct fy_redis_link *link, const char *reason);
