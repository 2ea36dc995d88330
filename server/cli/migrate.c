/* `foyer migrate`: applies the migrations, or lists them. How is storage/migrate.h's. */
#include <stdio.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/process/clients.h"
#include "storage/migrate.h"

/* A migration of a large table may take long, and to be cut off in its middle helps nobody. */
#define LIMIT_MS (6 * 60 * 60 * 1000ULL)

static void print_applied(void *arg, const struct fy_migration *migration)
{
	const struct fy_ctx *ctx = arg;

	fy_cli_trace(ctx, "db.migrated", FY_KV("number", migration->number), FY_KV("name", migration->name));
	printf("%04u %s: applied\n", migration->number, migration->name);
	fflush(stdout);
}

static fy_async int apply(struct fy_ctx *ctx, const struct fy_migrate_options *options)
{
	unsigned applied = 0;
	int err = fy_migrate(ctx, options, &applied);

	if (err) {
		fy_cli_say("the migrations stopped: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return err == FY_ERR_SCHEMA ? FY_EXIT_CONFIG : FY_EXIT_FAILED;
	}
	if (applied == 0)
		printf("foyer: the schema is up to date.\n");
	return FY_EXIT_OK;
}

static fy_async int list(struct fy_ctx *ctx, const struct fy_migrate_options *options)
{
	struct fy_migration_status *status;
	size_t count;
	int err = fy_migrate_status(ctx, options, &status, &count);

	if (err) {
		fy_cli_say("the migrations cannot be listed: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return err == FY_ERR_SCHEMA ? FY_EXIT_CONFIG : FY_EXIT_FAILED;
	}
	for (size_t i = 0; i < count; i++) {
		printf("%04u %s: %s", status[i].number, status[i].name, status[i].applied ? "applied" : "missing");
		if (!status[i].applied && status[i].statements_done)
			printf(" (cut off after statement %u)", status[i].statements_done);
		putchar('\n');
	}
	return FY_EXIT_OK;
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	const bool *status = arg;
	struct fy_db_options db;
	struct fy_migrate_options options = { .db = &db, .applied = print_applied, .arg = ctx };

	fy_clients_db_options(ctx->config, ctx->arena, &db);
	return *status ? list(ctx, &options) : apply(ctx, &options);
}

int fy_cmd_migrate(int argc, char **argv)
{
	bool status = false;
	const struct fy_flag flags[] = {
		{ "--status", NULL, "only list the migrations and whether they are applied", NULL, &status },
	};
	struct fy_cli cli = {
		.name = "migrate",
		.help = "Brings the database to the schema of this version. foyer serve does the same when it starts.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	return code >= 0 ? code : fy_cli_run(&cli, FY_CLI_SERVERS, LIMIT_MS, body, &status);
}
