/* A worker process: one loop with its listeners, clients and jobs.
 * The supervisor starts it with open listening sockets and a control socket; everything else a worker
 * opens itself. Control messages are single bytes, both ways. */
#pragma once

#include <stdbool.h>

struct fy_config;

enum fy_listener_kind { FY_LISTEN_PLAIN = 1, FY_LISTEN_TLS, FY_LISTEN_ADMIN };

struct fy_listener_start {
	int fd; /* bound and listening, non-blocking; TCP or unix */
	enum fy_listener_kind kind;
};

/* Supervisor to worker. The end of the control socket means FY_CONTROL_QUIT: no worker outlives its
 * supervisor. */
#define FY_CONTROL_DRAIN 'D'  /* stop accepting, finish what runs within drain_seconds, exit 0 */
#define FY_CONTROL_QUIT 'Q'   /* the same, but at once */
#define FY_CONTROL_REOPEN 'O' /* reopen the logs */
/* Worker to supervisor. */
#define FY_CONTROL_READY 'r' /* listening, and both databases were reached once or the first try failed */

struct fy_worker_start {
	const struct fy_config *config; /* outlives the worker */
	const char *state_dir; /* embedded mode: holds the databases' sockets, run/mariadb.sock and run/redis.sock */
	const struct fy_listener_start *listeners;
	unsigned listener_count;
	int control_fd;        /* -1: none */
	unsigned index, count; /* of the workers of this supervisor */
};

/* Runs to the end; returns the process' exit code. */
int fy_worker_main(const struct fy_worker_start *start);
