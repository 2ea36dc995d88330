/* Opening and closing what a worker holds; see app.h. */
#include "server/app.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/fiber.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "server/auth/hasher.h"
#include "server/process/clients.h"
#include "storage/db.h"
#include "storage/keys.h"
#include "storage/redis.h"

/* "__Host-" needs HTTPS, so on plain loopback the names go without. */
static void name_cookies(struct fy_app *app)
{
	const struct fy_config *config = app->config;
	app->secure_cookies = fy_starts(config->server_base_url, FY_LIT("https://"));
	app->cookie_name[0] = config->sessions_cookie_name.len ? config->sessions_cookie_name
			      : app->secure_cookies            ? FY_LIT("__Host-sid")
							       : FY_LIT("sid");
	app->cookie_name[1] = config->sessions_manager_cookie_name.len ? config->sessions_manager_cookie_name
			      : app->secure_cookies                    ? FY_LIT("__Host-manager")
								       : FY_LIT("manager");
}

/* One hashing thread a core over all workers of this server. */
static unsigned hashing_threads(const struct fy_config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long workers = config->server_workers ? (long)config->server_workers : cores;
	if (config->passwords_threads)
		return (unsigned)config->passwords_threads;
	return cores > workers ? (unsigned)(cores / workers) : 1;
}

int fy_app_open(struct fy_app *app, const struct fy_config *config, unsigned fibers)
{
	char why[256];
	struct fy_arena arena;
	struct fy_db_options db;
	struct fy_redis_options redis;
	FY_REQUIRE(sodium_init() >= 0);
	*app = (struct fy_app){ .config = config, .started = fy_clock() };
	name_cookies(app);
	uv_loop_init(&app->loop);
	FY_REQUIRE(fy_sched_init(&app->loop, fibers) == 0);
	if (fy_keys_load(config->keys_master_key.ptr, &app->keys, why)) {
		fy_log(NULL, FY_LOG_ERROR, "keys.unusable", FY_KV("reason", (const char *)why));
		return FY_ERR_CONFIG;
	}
	fy_arena_init(&arena, 0);
	fy_clients_db_options(config, &arena, &db);
	fy_clients_redis_options(config, &arena, &redis);
	int err = fy_db_create(&db, &app->db);
	if (err == 0)
		err = fy_redis_create(&redis, &app->redis);
	fy_arena_finish(&arena);
	if (err) {
		fy_log(NULL, FY_LOG_ERROR, "storage.unusable", FY_KV("reason", fy_strerror(err)));
		return err == FY_ERR_UNSUPPORTED || err == FY_ERR_INVALID ? FY_ERR_CONFIG : err;
	}
	struct fy_hasher_options hasher = {
		.memory_mib = (unsigned)config->passwords_memory_mib,
		.passes = (unsigned)config->passwords_passes,
		.threads = hashing_threads(config),
		.queue = (unsigned)config->passwords_queue,
	};
	return fy_hasher_create(&hasher, &app->hasher);
}

static void flush_logs(void *arg)
{
	struct fy_app *app = arg;
	fy_logfile_flush(app->event_log);
	fy_logfile_flush(app->access_log);
}

static struct fy_logfile *open_log(const struct fy_config *config, const char *name, int *err)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/%s", config->log_directory.ptr, name);
	struct fy_logfile *file = fy_logfile_open(path, err);
	if (file == NULL)
		fy_log(NULL, FY_LOG_ERROR, "log.unusable", FY_KV("file", (const char *)path),
		       FY_KV("reason", fy_strerror(*err)));
	return file;
}

int fy_app_open_logs(struct fy_app *app)
{
	int err = 0;
	app->event_log = open_log(app->config, "foyer.log", &err);
	if (app->event_log)
		app->access_log = open_log(app->config, "access.log", &err);
	if (err)
		return err;
	fy_log_to(app->event_log, (enum fy_log_level)app->config->log_level);
	fy_sched_on_turn_end(flush_logs, app);
	return 0;
}

static void note_handle(uv_handle_t *handle, void *arg)
{
	unsigned *left = arg;
	(*left)++;
	fy_log(NULL, FY_LOG_ERROR, "loop.handle_left", FY_KV("type", uv_handle_type_name(handle->type)));
}

bool fy_app_close(struct fy_app *app)
{
	unsigned left = 0;
	fy_hasher_destroy(app->hasher);
	fy_redis_destroy(app->redis);
	fy_db_destroy(app->db);
	struct fy_sched_stats stats;
	for (fy_sched_stats(&stats); stats.live; fy_sched_stats(&stats))
		uv_run(&app->loop, UV_RUN_ONCE); /* fibers of the clients notice that they were closed */
	fy_sched_off_turn_end(flush_logs, app);
	fy_sched_finish();
	for (int turn = 0; turn < 100 && uv_run(&app->loop, UV_RUN_NOWAIT); turn++)
		;
	if (uv_loop_close(&app->loop) != 0)
		uv_walk(&app->loop, note_handle, &left);
	fy_log_to(NULL, FY_LOG_INFO);
	fy_logfile_close(app->access_log);
	fy_logfile_close(app->event_log);
	fy_keys_destroy(app->keys);
	fy_arena_trim();
	return left == 0;
}

void fy_app_ctx(struct fy_app *app, struct fy_arena *arena, uint64_t timeout_ms, struct fy_ctx *ret_ctx)
{
	*ret_ctx = (struct fy_ctx){
		.arena = arena,
		.deadline_ms = uv_now(&app->loop) + timeout_ms,
		.now = fy_clock(),
		.config = app->config,
		.db = app->db,
		.redis = app->redis,
		.keys = app->keys,
	};
}
