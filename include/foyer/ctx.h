/* The context of one unit of work: a request, a job run, a command.
 * It names the memory, the deadline, the clients and the person's language; everything that may park
 * takes it. It lives on the fiber's stack or in its request and dies with it. */
#pragma once

#include "foyer/arena.h"
#include "foyer/clock.h"
#include "foyer/err.h"
#include "foyer/slice.h"

struct fy_config;
struct fy_db;
struct fy_redis;
struct fy_keys;

enum fy_lang { FY_LANG_FR = 0, FY_LANG_EN = 1 };

struct fy_ctx {
	struct fy_arena *arena;
	uint64_t deadline_ms; /* fy_loop_ms time; each park inherits it */
	fy_time now;          /* wall clock at the start; jobs run with --at move it */
	const struct fy_config *config;
	struct fy_db *db; /* MariaDB; NULL where a command needs none */
	struct fy_redis *redis;
	const struct fy_keys *keys;
	enum fy_lang lang;
	struct fy_slice request_id; /* or the job run's id; joins log lines */
	const char *fault;          /* detail of the last error, for the log; constant or in arena */
};

/* Remembers a detail for the log line that the handling place writes, and returns `err`. */
int fy_fail(struct fy_ctx *ctx, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
