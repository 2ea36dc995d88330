/* What the two halves of the supervisor share: supervisor.c (start, signals, stop) and change.c (crews, reload, new
 * binary). Nobody else includes this. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <uv.h>

#include "foyer/fiber.h"
#include "server/process/crew.h"
#include "server/process/supervisor.h"

struct fy_embedded;
struct fy_logfile;

/* Crews that drain at a time; each reload adds one. */
#define CREWS_MAX 16

/* InnoDB's recovery and a migration of a large table may take long; a supervisor that gives up would make it
 * longer. systemd's own limit is what ends a start that hangs. */
#define START_LIMIT_MS (15 * 60 * 1000)

#define SIGNALS_MAX 5

struct supervisor {
	const struct fy_serve_options *options;
	uv_loop_t loop;
	uv_signal_t signals[SIGNALS_MAX];
	struct fy_config *config;      /* until the first crew takes it over */
	struct fy_listeners listeners; /* the same */
	char state_dir[4096], log_path[4200];
	char exe_path[4096];
	int exe_fd, lock_fd;
	struct fy_logfile *start_log; /* open while storage is started, for what the clients log */
	struct fy_embedded *embedded;
	struct fy_crew *crews[CREWS_MAX]; /* all that are not GONE */
	struct fy_crew *serving, *next;   /* two of them, or NULL */
	unsigned stop_signals;
	bool reload_wanted, exchange_wanted, exchanging;
	int next_exe_fd; /* of an exchange under way, or -1 */
	int exit_code;
	struct fy_wait changed; /* wakes the fiber: ready, failed, gone, stop */
	bool crew_failed;
	char set_up_link[512];
};

/* supervisor.c */

/* A sentence for eyes and for the log. */
void fy_supervisor_say(struct supervisor *s, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fy_supervisor_report(void *arg, bool bad, const char *sentence);

/* Notes for `foyer healthcheck` where the serving crew listens. */
void fy_supervisor_write_address(struct supervisor *s);

/* change.c */

/* The number of workers that a configuration asks for. */
unsigned fy_supervisor_workers(const struct fy_config *config);

/* A binary, held by a descriptor that no worker's own files collide with; -1. */
int fy_supervisor_open_exe(const char *path);

/* Fills in base_url where none is set. */
void fy_supervisor_base_url(struct fy_config *config, const struct fy_listeners *listeners);

bool fy_supervisor_any_crew(const struct supervisor *s);

/* Takes both over. NULL when too many crews are draining. */
struct fy_crew *fy_supervisor_start_crew(struct supervisor *s, struct fy_config *config, struct fy_listeners *listeners,
					 int exe_fd);

/* Begins what reload_wanted and exchange_wanted ask for, one at a time. */
void fy_supervisor_change(struct supervisor *s);
