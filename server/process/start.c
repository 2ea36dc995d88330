/* The steps in storage between "the databases answer" and "workers may start".
 * Starting databases is embedded.c's, the schema storage/migrations'. Called by the supervisor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/auth/one_time.h"
#include "server/process/clients.h"
#include "server/process/embedded.h"
#include "server/process/start.h"
#include "server/process/state.h"
#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/instance.h"
#include "storage/keys.h"
#include "storage/migrate.h"
#include "storage/sealing.h"
#include "storage/tokens.h"

#define WHY_MAX 512

/* A database that is away gets this long; then the service manager may decide. */
#define AWAY_LIMIT_MS 60000
#define AWAY_RETRY_MS 500
#define CONTACT_MS 15000

/* The first administrator has a week; the next start prints a new link. */
#define SET_UP_DAYS 7

int fy_start_keys(const struct fy_config *config, char *ret_why)
{
	const char *path = config->keys_master_key.ptr;
	struct fy_keys *keys = NULL;
	char why[256] = "";
	int err;

	if (access(path, F_OK) != 0 && errno == ENOENT) {
		if (fy_embedded_exists(config)) {
			snprintf(ret_why, WHY_MAX,
				 "the master key %s is missing, and the data in %s cannot be read without it; "
				 "put it back from your copy",
				 path, config->state_directory.ptr);
			return FY_EXIT_CONFIG;
		}
		if (!config->embedded) {
			/* Several servers share one database: a key that one of them made up would split them. */
			snprintf(ret_why, WHY_MAX,
				 "the master key %s is missing; copy it from another server, or make the first "
				 "one with: head -c 32 /dev/urandom > FILE; chmod 600 FILE",
				 path);
			return FY_EXIT_CONFIG;
		}
		err = fy_keys_create_file(path, why);
		if (err) {
			snprintf(ret_why, WHY_MAX, "the master key cannot be made: %s", why);
			return FY_EXIT_FAILED;
		}
	}
	err = fy_keys_load(path, &keys, why);
	if (err) {
		snprintf(ret_why, WHY_MAX, "the master key cannot be used: %s", why);
		return FY_EXIT_CONFIG;
	}
	fy_keys_destroy(keys);
	return 0;
}

static fy_async int migrate(struct fy_ctx *ctx, const struct fy_db_options *db, char *ret_why)
{
	struct fy_migrate_options options = { .db = db };
	uint64_t until = fy_loop_ms() + AWAY_LIMIT_MS;
	unsigned applied = 0;
	int err;

	while ((err = fy_migrate(ctx, &options, &applied)) == FY_ERR_DB_DOWN && fy_loop_ms() < until)
		if (fy_sleep(ctx, AWAY_RETRY_MS) != 0)
			break;
	if (err == 0)
		return 0;
	if (err == FY_ERR_SCHEMA) {
		snprintf(ret_why, WHY_MAX, "the database does not fit: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_CONFIG;
	}
	snprintf(ret_why, WHY_MAX, "the migrations cannot be applied: %s", ctx->fault ? ctx->fault : fy_strerror(err));
	return FY_EXIT_FAILED;
}

/* A new token each start: the one printed last is the one that works. */
static fy_async int make_set_up_link(struct fy_ctx *ctx, char *ret_link, size_t size)
{
	struct fy_one_time once;
	uint64_t owners;
	int err = fy_accounts_count_owners(ctx, &owners);

	if (err || owners)
		return err;
	fy_one_time_make(ctx->keys, &once);
	err = fy_tokens_create(ctx, 0, FY_TOKEN_SET_UP, fy_slice(once.hash, sizeof(once.hash)),
			       ctx->now + SET_UP_DAYS * FY_DAY, NULL);
	if (err == 0)
		snprintf(ret_link, size, FY_FMT "/setup?token=%s", FY_ARG(ctx->config->server_base_url), once.token);
	return err;
}

fy_async int fy_start_storage(struct fy_ctx *outer, const struct fy_config *config, char *ret_link, size_t link_size,
			      char *ret_why)
{
	struct fy_ctx ctx = *outer;
	struct fy_db_options options;
	struct fy_keys *keys = NULL;
	char why[256];
	int code, err;

	ret_link[0] = 0;
	fy_clients_db_options(config, ctx.arena, &options);
	code = migrate(&ctx, &options, ret_why);
	if (code)
		return code;
	options.pool_size = 1;
	err = fy_db_create(&options, &ctx.db);
	if (err == 0)
		err = fy_keys_load(config->keys_master_key.ptr, &keys, why);
	ctx.keys = keys;
	ctx.now = fy_clock();
	if (err == 0) {
		ctx.deadline_ms = fy_loop_ms() + CONTACT_MS;
		err = fy_db_wait_ready(&ctx);
	}
	if (err == 0)
		err = fy_instance_check_key(&ctx);
	if (err == 0) {
		uint64_t rows;
		ctx.deadline_ms = UINT64_MAX; /* as long as a migration */
		err = fy_seal_existing(&ctx, &rows);
		if (err == 0)
			err = fy_erasure_replay(&ctx, &rows);
		ctx.deadline_ms = fy_loop_ms() + CONTACT_MS;
	}
	if (err == FY_ERR_CONFIG) {
		snprintf(ret_why, WHY_MAX, "%s: %s", ctx.fault, config->keys_master_key.ptr);
	} else if (err == 0) {
		err = make_set_up_link(&ctx, ret_link, link_size);
	}
	fy_db_destroy(ctx.db);
	fy_keys_destroy(keys);
	if (err == 0 || err == FY_ERR_CONFIG)
		return err ? FY_EXIT_CONFIG : 0;
	snprintf(ret_why, WHY_MAX, "the database cannot be used: %s", ctx.fault ? ctx.fault : fy_strerror(err));
	return err == FY_ERR_SCHEMA ? FY_EXIT_CONFIG : FY_EXIT_FAILED;
}
