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
struct fy_assets;

struct fy_app {
	uv_loop_t loop;
	const struct fy_config *config;
	struct fy_db *db;
	struct fy_redis *redis;
	struct fy_keys *keys;
	struct fy_hasher *hasher;
	struct fy_jobs *jobs;            /* NULL in commands */
	struct fy_logfile *access_log, *event_log;
	struct fy_slice cookie_name[2];  /* visitors, back office; as the cookies are really called */
	struct fy_slice base_url;        /* no slash at the end */
	fy_time started;
	bool draining;
};

/* A context for work on this app: `arena` is the caller's, the deadline `timeout_ms` from now. */
void fy_app_ctx(struct fy_app *app, struct fy_arena *arena, uint64_t timeout_ms, struct fy_ctx *ret_ctx);
