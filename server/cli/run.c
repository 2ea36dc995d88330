/* Runs a command's body in a fiber with storage: that of the running server, or embedded databases of its own for
 * as long as the command lasts. Called by every command that reads or changes data. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/process/clients.h"
#include "server/process/embedded.h"
#include "server/process/start.h"
#include "storage/db.h"
#include "storage/instance.h"
#include "storage/keys.h"
#include "storage/migrate.h"
#include "storage/redis.h"

#define FIBERS_MAX 16
#define CONTACT_MS 15000
#define GLANCE_MS 3000 /* for what is only nice to have */
#define WHY_MAX 512

struct run {
	struct fy_config *config;
	unsigned needs;
	uint64_t timeout_ms;
	fy_cli_body body;
	void *arg;
	bool own_servers; /* no server runs here: the databases are ours for now */
	int lock_fd;
	int code;
};

static int failed(const char *what, struct fy_ctx *ctx, int err)
{
	fy_cli_say("%s: %s", what, ctx->fault ? ctx->fault : fy_strerror(err));
	return err == FY_ERR_SCHEMA || err == FY_ERR_CONFIG ? FY_EXIT_CONFIG : FY_EXIT_FAILED;
}

/* A database that nobody serves may be new, or of the version before: what `foyer serve` would do to it first. */
static fy_async int bring_up_to_date(struct fy_ctx *ctx, const struct fy_db_options *options)
{
	struct fy_migrate_options migrate = { .db = options };
	int err = fy_migrate(ctx, &migrate, NULL);

	return err ? failed("the migrations cannot be applied", ctx, err) : 0;
}

static fy_async int connect_db(struct run *run, struct fy_ctx *ctx)
{
	struct fy_db_options options;
	uint64_t deadline = ctx->deadline_ms;
	int err;

	fy_clients_db_options(run->config, ctx->arena, &options);
	if (run->own_servers && (err = bring_up_to_date(ctx, &options)) != 0)
		return err;
	options.pool_size = 1;
	err = fy_db_create(&options, &ctx->db);
	ctx->deadline_ms = fy_loop_ms() + (run->needs & FY_CLI_DB ? CONTACT_MS : GLANCE_MS);
	if (err == 0)
		err = fy_db_wait_ready(ctx);
	ctx->deadline_ms = deadline;
	if (err && !(run->needs & FY_CLI_DB)) {
		fy_db_destroy(ctx->db);
		ctx->db = NULL;
		return 0;
	}
	return err ? failed("MariaDB cannot be used", ctx, err) : 0;
}

static fy_async int connect_redis(struct run *run, struct fy_ctx *ctx)
{
	struct fy_redis_options options;
	uint64_t deadline = ctx->deadline_ms;
	int err;

	fy_clients_redis_options(run->config, ctx->arena, &options);
	err = fy_redis_create(&options, &ctx->redis);
	ctx->deadline_ms = fy_loop_ms() + CONTACT_MS;
	if (err == 0)
		err = fy_redis_wait_ready(ctx);
	ctx->deadline_ms = deadline;
	return err ? failed("Redis cannot be used", ctx, err) : 0;
}

static fy_async int with_clients(struct run *run, struct fy_ctx *ctx)
{
	struct fy_keys *keys = NULL;
	char why[256];
	int code = 0;

	if (run->needs & FY_CLI_KEYS && fy_keys_load(run->config->keys_master_key.ptr, &keys, why) != 0) {
		fy_cli_say("the master key cannot be used: %s", why);
		return FY_EXIT_CONFIG;
	}
	ctx->keys = keys;
	if (run->needs & (FY_CLI_DB | FY_CLI_DB_IF_UP))
		code = connect_db(run, ctx);
	if (code == 0 && run->needs & FY_CLI_REDIS)
		code = connect_redis(run, ctx);
	if (code == 0 && ctx->db && keys && fy_instance_check_key(ctx) == FY_ERR_CONFIG) {
		fy_cli_say("%s: %s", ctx->fault, run->config->keys_master_key.ptr);
		code = FY_EXIT_CONFIG;
	}
	if (code == 0)
		code = run->body(ctx, run->arg);
	fy_redis_destroy(ctx->redis);
	fy_db_destroy(ctx->db);
	fy_keys_destroy(keys);
	return code;
}

static void on_report(void *arg, bool bad, const char *sentence)
{
	(void)arg;
	if (bad)
		fy_cli_say("%s", sentence);
}

static fy_async void run_fiber(void *arg)
{
	struct run *run = arg;
	struct fy_embedded *embedded = NULL;
	struct fy_arena arena;
	char why[FY_EMBEDDED_WHY_MAX];

	fy_arena_init(&arena, 0);
	struct fy_ctx ctx = { .arena = &arena,
			      .deadline_ms = fy_loop_ms() + run->timeout_ms,
			      .now = fy_clock(),
			      .config = run->config,
			      .lang = FY_LANG_EN,
			      .request_id = FY_LIT("cli") };

	if (run->own_servers && fy_embedded_start(&ctx, run->config, on_report, NULL, &embedded, why) != 0) {
		fy_cli_say("%s", why);
		run->code = FY_EXIT_FAILED;
	} else {
		run->code = with_clients(run, &ctx);
	}
	fy_embedded_stop(embedded);
	fy_arena_finish(&arena);
	uv_stop(fy_loop());
}

/* Who holds the lock runs the databases. Where nobody does, we take it, and do so until the command ends. */
static int claim_servers(struct run *run)
{
	const struct fy_config *config = run->config;
	char why[FY_STATE_WHY_MAX > WHY_MAX ? FY_STATE_WHY_MAX : WHY_MAX];
	int code, pid;

	code = fy_state_become_user(config->server_user.ptr, config->state_directory.ptr, why);
	if (code) {
		fy_cli_say("%s", why);
		return code;
	}
	if (config->embedded) {
		code = fy_state_prepare(config->state_directory.ptr, config->log_directory.ptr,
					config->mail_directory.ptr, why);
		if (code) {
			fy_cli_say("%s", why);
			return code;
		}
		run->lock_fd = fy_state_lock(config->state_directory.ptr, &pid);
		run->own_servers = run->lock_fd >= 0;
	}
	if (run->own_servers || run->needs & FY_CLI_KEYS) {
		code = fy_start_keys(config, why);
		if (code) {
			fy_cli_say("%s", why);
			return code;
		}
	}
	return 0;
}

/* Links that a command prints must lead to the server that runs, wherever it listens. */
static void find_base_url(struct fy_config *config)
{
	char path[4200], text[160] = "http://";
	FILE *file;

	if (config->server_base_url.len)
		return;
	snprintf(path, sizeof(path), "%s/listening", config->state_directory.ptr);
	file = fopen(path, "re");
	if (file == NULL || fgets(text + 7, (int)sizeof(text) - 7, file) == NULL)
		snprintf(text, sizeof(text), "%s" FY_FMT, config->server_listen.count ? "http://" : "https://",
			 FY_ARG(config->server_listen.count ? config->server_listen.items[0]
							    : config->server_tls_listen.items[0]));
	if (file)
		fclose(file);
	fy_config_set_base_url(config, fy_str(text));
}

int fy_cli_run(const struct fy_cli *cli, unsigned needs, uint64_t timeout_ms, fy_cli_body body, void *arg)
{
	struct run run = { .needs = needs, .timeout_ms = timeout_ms, .body = body, .arg = arg, .lock_fd = -1 };
	struct fy_sched_stats stats;
	uv_loop_t loop;
	int code = fy_cli_config(cli, &run.config);

	if (code)
		return code;
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	fy_log_threshold = FY_LOG_ERROR; /* what goes wrong is said in sentences; the log is the server's */
	fy_cli_trace_user();
	code = claim_servers(&run);
	if (code == 0) {
		find_base_url(run.config);
		uv_loop_init(&loop);
		FY_REQUIRE(fy_sched_init(&loop, FIBERS_MAX) == 0);
		FY_REQUIRE(fy_fiber_start(run_fiber, &run) == 0);
		uv_run(&loop, UV_RUN_DEFAULT);
		for (fy_sched_stats(&stats); stats.live; fy_sched_stats(&stats))
			uv_run(&loop, UV_RUN_ONCE); /* clients that were destroyed have fibers that notice */
		fy_sched_finish();
		uv_run(&loop, UV_RUN_DEFAULT);
		(void)FY_CHECK(uv_loop_close(&loop) == 0);
		code = run.code;
	}
	if (run.lock_fd >= 0)
		close(run.lock_fd);
	fy_config_destroy(run.config);
	fy_arena_trim();
	if (fflush(stdout) != 0 && code == 0)
		code = FY_EXIT_FAILED;
	return code;
}
