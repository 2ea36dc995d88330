/* Accepting connections on sockets that the supervisor opened and all workers share.
 * A few connections a turn, so that the workers of one socket get even shares of a burst; what happens to
 * a connection is its owner's matter (server/http/conn.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "server/worker.h"

struct fy_acceptor {
	uv_poll_t poll;
	uv_timer_t pause; /* after EMFILE: accepting again at once would spin */
	int fd;
	enum fy_listener_kind kind;
	bool stopped;
	/* `fd` is the callee's, to close or keep; `address` is the peer's, IPv4 mapped, all zero for unix. */
	void (*accepted)(void *owner, const struct fy_acceptor *acceptor, int fd, const uint8_t address[16]);
	void *owner;
	bool is_unix;
};

int fy_acceptor_start(struct fy_acceptor *acceptor, uv_loop_t *loop, const struct fy_listener_start *start);

/* Stops accepting and closes this process' copy of the socket; run the loop once more afterwards. */
void fy_acceptor_stop(struct fy_acceptor *acceptor);
