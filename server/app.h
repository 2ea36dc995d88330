/* What a process holds for as long as it lives: its loop, its clients of Redis and MariaDB, its keys.
 * The worker makes one and hands it to every request; a command of the command line makes one without
 * listeners. Nothing in it belongs to one person or one request. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "foyer/config.h"
#include "foyer/ctx.h"

struct fy_hasher;
struct fy_jobs;
struct fy_logfile;

struct fy_app {
	uv_loop_t loop;
	const struct fy_config *config;
	struct fy_db *db;
	struct fy_redis *redis;
	struct fy_keys *keys;
	struct fy_hasher *hasher;
	struct fy_jobs *jobs;                      /* NULL in commands */
	struct fy_logfile *access_log, *event_log; /* NULL in commands */
	struct fy_slice cookie_name[2];            /* visitors, back office; as the cookies are really called */
	bool secure_cookies;                       /* the public origin is https */
	fy_time started;
	bool draining;
};

/* Makes the loop and the clients; the clients connect in the background. `fibers` is the most that may live
 * at a time. Negative: one sentence is in the log (standard error before logs are open), and
 * fy_app_close must still be called. The config outlives the app. */
int fy_app_open(struct fy_app *app, const struct fy_config *config, unsigned fibers);

/* Opens DIR/log/access.log and foyer.log; without this, events go to standard error. */
int fy_app_open_logs(struct fy_app *app);

/* Closes what is open and runs the loop until nothing is left. No fiber may live. Returns whether the loop
 * came to rest: a handle that was forgotten is a fault. */
bool fy_app_close(struct fy_app *app);

/* A context for work on this app: `arena` is the caller's, the deadline `timeout_ms` from now. */
void fy_app_ctx(struct fy_app *app, struct fy_arena *arena, uint64_t timeout_ms, struct fy_ctx *ret_ctx);
