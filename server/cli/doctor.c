/* `foyer doctor`: looks at everything that a start or a request would need, and says what it found. It repairs
 * nothing. Each check is a line, so that one failure does not hide the next. */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/process/clients.h"
#include "storage/accounts.h"
#include "storage/db.h"
#include "storage/keys.h"
#include "storage/migrate.h"
#include "storage/redis.h"

#define LIMIT_MS 180000
#define CONTACT_MS 10000
#define DISK_MIB_MIN 1024
#define FILES_MIN 4096

enum verdict { GOOD, NOTE, BAD };

struct doctor {
	unsigned bad;
};

static void say(struct doctor *doctor, enum verdict verdict, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void say(struct doctor *doctor, enum verdict verdict, const char *what, const char *format, ...)
{
	static const char *const words[] = { "ok  ", "note", "FAIL" };
	va_list args;

	printf("%s  %-16s ", words[verdict], what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	doctor->bad += verdict == BAD;
}

/* A start makes the state directory, but not what it stands in. */
static void check_disk(struct doctor *d, const char *state)
{
	struct statvfs fs;
	char place[4200];
	const char *parent = state;
	int err;

	snprintf(place, sizeof(place), "%s", state);
	err = statvfs(state, &fs);
	if (err && errno == ENOENT) {
		parent = dirname(place);
		err = statvfs(parent, &fs);
		if (err == 0)
			say(d, NOTE, "state directory", "%s does not exist yet; foyer serve makes it", state);
	}
	if (err) {
		say(d, BAD, "state directory", "%s: %s", parent, strerror(errno));
		return;
	}
	unsigned long long mib = fs.f_bavail * (unsigned long long)fs.f_frsize / 1048576;
	say(d, mib < DISK_MIB_MIN ? BAD : GOOD, "disk", "%llu MiB are free below %s", mib, parent);
}

static void check_machine(struct doctor *d, const struct fy_config *config)
{
	struct rlimit files;

	check_disk(d, config->state_directory.ptr);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		say(d,
		    files.rlim_max < FILES_MIN                                ? BAD
		    : files.rlim_max < (rlim_t)config->server_max_connections ? NOTE
									      : GOOD,
		    "open files", "a process may have %llu; server.max_connections is %lld",
		    (unsigned long long)files.rlim_max, (long long)config->server_max_connections);
}

static void check_settings(struct doctor *d, const struct fy_config *config)
{
	bool https = fy_starts(config->server_base_url, FY_LIT("https://"));

	say(d, GOOD, "configuration", "%s",
	    config->embedded ? "embedded mode"
	    : config->path   ? config->path
			     : "environment");
	say(d, https || config->embedded ? GOOD : NOTE, "public address", FY_FMT "%s", FY_ARG(config->server_base_url),
	    https ? "" : "; without https, cookies and passwords travel in clear text beyond this machine");
	if (config->mail_transport == FY_MAIL_DIRECTORY)
		say(d, config->embedded ? GOOD : NOTE, "mail", "is written to %s, not sent",
		    config->mail_directory.ptr);
	else
		say(d, config->mail_smtp_tls == FY_MAIL_TLS_OFF ? NOTE : GOOD, "mail", "goes to %s%s",
		    config->mail_smtp_url.ptr, config->mail_smtp_tls == FY_MAIL_TLS_OFF ? " without TLS" : "");
	if (geteuid() == 0 && config->server_user.len == 0)
		say(d, NOTE, "user", "Foyer runs as root; server.user would have it give that up");
}

static void check_key(struct doctor *d, const struct fy_config *config)
{
	struct fy_keys *keys = NULL;
	char why[256], fingerprint[17];

	if (fy_keys_load(config->keys_master_key.ptr, &keys, why) != 0) {
		say(d, BAD, "master key", "%s", why);
		return;
	}
	fy_keys_fingerprint(keys, fingerprint);
	say(d, GOOD, "master key", "%s (fingerprint %s); keep a copy elsewhere", config->keys_master_key.ptr,
	    fingerprint);
	fy_keys_destroy(keys);
}

static fy_async void check_schema(struct doctor *d, struct fy_ctx *ctx, const struct fy_db_options *options)
{
	struct fy_migrate_options migrate = { .db = options };
	struct fy_migration_status *list;
	size_t count, missing = 0;
	int err = fy_migrate_status(ctx, &migrate, &list, &count);

	if (err) {
		say(d, BAD, "schema", "%s", ctx->fault ? ctx->fault : fy_strerror(err));
		return;
	}
	for (size_t i = 0; i < count; i++)
		missing += !list[i].applied;
	if (missing)
		say(d, BAD, "schema", "%zu of %zu migrations are missing; foyer migrate applies them", missing, count);
	else
		say(d, GOOD, "schema", "all %zu migrations are applied", count);
}

static fy_async void check_mariadb(struct doctor *d, struct fy_ctx *ctx)
{
	struct fy_db_options options;
	struct fy_db_status status;
	uint64_t owners;
	int err;

	fy_clients_db_options(ctx->config, ctx->arena, &options);
	options.pool_size = 1;
	err = fy_db_create(&options, &ctx->db);
	ctx->deadline_ms = fy_loop_ms() + CONTACT_MS;
	if (err == 0) {
		err = fy_db_wait_ready(ctx);
		fy_db_status(ctx->db, &status);
	}
	if (err && err != FY_ERR_SCHEMA)
		say(d, BAD, "MariaDB", "%s", ctx->db && status.last_error[0] ? status.last_error : fy_strerror(err));
	else
		say(d, GOOD, "MariaDB", "answers");
	ctx->deadline_ms = fy_loop_ms() + CONTACT_MS;
	if (err == 0 || err == FY_ERR_SCHEMA)
		check_schema(d, ctx, &options);
	if (err == 0 && (err = fy_accounts_count_owners(ctx, &owners)) == 0)
		say(d, owners ? GOOD : NOTE, "administrators",
		    owners ? "%llu" : "%llu; use the link that foyer serve prints", (unsigned long long)owners);
	fy_db_destroy(ctx->db);
	ctx->db = NULL;
}

static fy_async void check_redis(struct doctor *d, struct fy_ctx *ctx)
{
	struct fy_redis_options options;
	struct fy_redis_status status = { .up = false };
	int err;

	fy_clients_redis_options(ctx->config, ctx->arena, &options);
	err = fy_redis_create(&options, &ctx->redis);
	ctx->deadline_ms = fy_loop_ms() + CONTACT_MS;
	if (err == 0) {
		err = fy_redis_wait_ready(ctx);
		fy_redis_status(ctx->redis, &status);
	}
	if (err)
		say(d, BAD, "Redis", "%s", status.last_error[0] ? status.last_error : fy_strerror(err));
	else
		say(d, GOOD, "Redis", "answers");
	fy_redis_destroy(ctx->redis);
	ctx->redis = NULL;
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	struct doctor *d = arg;

	check_settings(d, ctx->config);
	check_machine(d, ctx->config);
	check_key(d, ctx->config);
	check_mariadb(d, ctx);
	check_redis(d, ctx);
	return d->bad ? FY_EXIT_FAILED : FY_EXIT_OK;
}

int fy_cmd_doctor(int argc, char **argv)
{
	struct doctor doctor = { .bad = 0 };
	struct fy_cli cli = {
		.name = "doctor",
		.help = "Looks at everything that Foyer needs, one line each. Ends with 1 when something is wrong.",
	};
	int code = fy_cli_parse(&cli, argc, argv);

	return code >= 0 ? code : fy_cli_run(&cli, FY_CLI_SERVERS, LIMIT_MS, body, &doctor);
}
