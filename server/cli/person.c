/* `foyer person export`: what is held about somebody, for the data protection officer who answers by hand. What the
 * account page does, with the same documents (server/export). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "server/export/export.h"

#define LIMIT_MS (10 * 60 * 1000)

struct person_export {
	const char *email;
	bool json;
};

/* In the directory where the command was called, for its user alone, and never over what is there. */
static int save(const char *name, struct fy_slice bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0;
	if (!good) {
		fy_cli_say("%s cannot be made: %s", name, strerror(errno));
		return FY_EXIT_FAILED;
	}
	while (good && bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		good = n > 0 || (n < 0 && errno == EINTR);
		bytes = fy_from(bytes, n > 0 ? (size_t)n : 0);
	}
	good = good && fsync(fd) == 0;
	if (!good) {
		fy_cli_say("%s cannot be written: %s", name, strerror(errno));
		unlink(name);
	}
	close(fd);
	if (good)
		printf("%s\n", name);
	return good ? FY_EXIT_OK : FY_EXIT_FAILED;
}

static int print_json(const struct fy_export *export)
{
	struct fy_export_stream stream;
	struct fy_slice piece;
	int code = FY_EXIT_OK;
	fy_export_begin(&stream, export, FY_EXPORT_JSON);
	while (code == FY_EXIT_OK && fy_export_next(&stream, &piece))
		code = fy_cli_print(piece);
	fy_export_end(&stream);
	return code;
}

static fy_async int save_zip(struct fy_ctx *ctx, const struct fy_export *export)
{
	char name[FY_EXPORT_NAME_MAX];
	struct fy_slice zip;
	int err = fy_export_zip(ctx, export, &zip);
	if (err) {
		fy_cli_say("the export cannot be made: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	fy_export_name(export, name);
	return save(name, zip);
}

static fy_async int export_body(struct fy_ctx *ctx, void *arg)
{
	const struct person_export *wanted = arg;
	struct fy_export export;
	uint8_t hash[FY_HASH_BYTES];

	if (fy_find_email_hash(ctx, wanted->email, hash, NULL) != 0)
		return FY_EXIT_USAGE;
	int err = fy_export_gather(ctx, fy_slice(hash, sizeof(hash)), &export);
	if (err) {
		fy_cli_say("the data cannot be read: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	int code = FY_EXIT_FAILED;
	if (export.records == NULL)
		fy_cli_say("nothing is held about this address");
	else
		code = wanted->json ? print_json(&export) : save_zip(ctx, &export);
	if (code == FY_EXIT_OK)
		fy_cli_trace(ctx, "person.exported", FY_KV("account", export.account_id),
			     FY_KV("records", (uint64_t) export.record_count));
	fy_export_finish(&export);
	return code;
}

int fy_cmd_person_export(int argc, char **argv)
{
	struct person_export wanted = { .email = NULL };
	const struct fy_flag flags[] = {
		{ "--email", "E", "the person's e-mail address, with an account or without", &wanted.email, NULL },
		{ "--json", NULL, "data.json alone, on standard output", NULL, &wanted.json },
	};
	struct fy_cli cli = {
		.name = "person export",
		.help = "Writes all that is held about a person to foyer-export-YYYY-MM-DD.zip in this directory: a page in "
			"each language and JSON, each value with its source, purposes, legal basis and end.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (wanted.email == NULL) {
		fy_cli_say("say whose data: --email E");
		return FY_EXIT_USAGE;
	}
	return fy_cli_run(&cli, FY_CLI_DB | FY_CLI_REDIS | FY_CLI_KEYS, LIMIT_MS, export_body, &wanted);
}
