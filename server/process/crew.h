/* A crew: the workers of one configuration and one binary. A reload, or a new binary, starts the next crew beside
 * the serving one and then drains that, so that no connection is refused in between.
 *
 *     STARTING ──every worker said ready──► SERVING ──drain──► DRAINING ──the last has ended──► GONE
 *         └──they end again and again──► failed event; the owner drains it
 *
 * A worker that ends unasked is replaced at once, and one that ends within seconds again and again is made to wait.
 * What a worker does is server/worker.h's. Called by the supervisor, which owns it. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "foyer/config.h"
#include "server/process/listeners.h"

enum fy_crew_state { FY_CREW_STARTING = 1, FY_CREW_SERVING, FY_CREW_DRAINING, FY_CREW_GONE };

struct fy_crew;

/* All are called from the loop. `gone` may destroy the crew. */
struct fy_crew_events {
	void (*ready)(void *arg, struct fy_crew *crew);
	void (*failed)(void *arg, struct fy_crew *crew); /* once, while STARTING */
	void (*gone)(void *arg, struct fy_crew *crew);
	void (*report)(void *arg, bool bad, const char *sentence);
	void *arg;
};

/* Takes over `config` and `listeners`. `exe_fd`: the binary, opened with O_PATH; the caller's, and open for as long
 * as the crew lives. */
struct fy_crew *fy_crew_start(uv_loop_t *loop, struct fy_config *config, struct fy_listeners *listeners,
			      unsigned workers, int exe_fd, const struct fy_crew_events *events);

enum fy_crew_state fy_crew_state(const struct fy_crew *crew);
const struct fy_config *fy_crew_config(const struct fy_crew *crew);
struct fy_listeners *fy_crew_listeners(struct fy_crew *crew);
unsigned fy_crew_size(const struct fy_crew *crew);

/* Asks each worker to finish what runs, and kills those that have not after drain_seconds and a little. */
void fy_crew_drain(struct fy_crew *crew);

/* The same, but without waiting for requests. */
void fy_crew_quit(struct fy_crew *crew);
void fy_crew_reopen_logs(struct fy_crew *crew);

/* Only when GONE. `keep` (may be NULL): the listeners that go on, so that their unix sockets stay. */
void fy_crew_destroy(struct fy_crew *crew, const struct fy_listeners *keep);
