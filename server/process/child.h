/* One program that must run for as long as we do, and is started again when it ends.
 * It is started through `foyer exec-child`, so that it ends with its parent whatever happens to that, and holds
 * a lock for as long as it lives. What the program is and when it is ready are left to embedded.c, the only
 * caller. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "foyer/fiber.h"

/* Deaths in a row, each within this of the start, are what makes the next start wait: 0, 1, 2, 4 … 30 s. */
#define FY_FAST_DEATH_MS 5000

/* How long to wait before the next start, after `deaths` fast deaths in a row. */
uint64_t fy_backoff_ms(unsigned deaths);

struct fy_kept_child {
	const char *name;      /* for messages */
	const char *program;   /* an absolute path */
	char **argv;           /* argv[0] may differ from the program; lives as long as this */
	const char *log_path;  /* its standard output and error are appended there */
	const char *lock_path; /* waits for the lock before it starts: no two at a time, over our death too */
	/* Says what happened, in a sentence; may be NULL. `bad`: it ended. */
	void (*report)(void *arg, bool bad, const char *sentence);
	void *arg;

	/* Private. */
	uv_process_t process;
	uv_timer_t timer;
	bool alive, stopping, closed_process;
	unsigned deaths; /* fast ones in a row */
	unsigned starts, ends;
	uint64_t started_ms;
	unsigned open_handles;
	struct fy_wait gone;
};

/* Starts it; the timer is initialised on the fiber's loop. A negative libuv code when it cannot be started. */
int fy_kept_child_start(struct fy_kept_child *child);

/* Ends it with SIGTERM, with SIGKILL past `limit_ms`, and parks until it is gone and its memory is free. */
fy_async void fy_kept_child_stop(struct fy_kept_child *child, uint64_t limit_ms);
