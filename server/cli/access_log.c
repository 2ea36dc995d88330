/* `foyer access-log verify`: whether the log of who read what is still as it was written. How is
 * storage/access_log.h's. */
#include <stdio.h>
#include <unistd.h>

#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "storage/access_log.h"

#define LIMIT_MS (6 * 60 * 60 * 1000ULL)

static void show(const struct fy_chain_report *report, void *arg)
{
	const bool *terminal = arg;
	if (!*terminal)
		return;
	fprintf(stderr, "\r%llu of %llu rows", (unsigned long long)report->checked, (unsigned long long)report->total);
	fflush(stderr);
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	static const char *const faults[] = {
		[FY_CHAIN_CHANGED] = "was changed: it does not fit the row before it",
		[FY_CHAIN_MISSING] = "is missing: it was deleted",
		[FY_CHAIN_ENDS] = "fits, but where the log begins and ends was changed: rows may be missing at an end",
		[FY_CHAIN_ADDED] = "was added: the chain does not reach there",
	};
	bool *terminal = arg;
	struct fy_chain_report report;
	*terminal = isatty(STDERR_FILENO);
	int err = fy_access_log_verify(ctx, show, terminal, &report);
	if (*terminal)
		fputc('\n', stderr);
	if (err) {
		fy_cli_say("the access log cannot be read: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	printf("checked=%llu", (unsigned long long)report.checked);
	if (report.fault) {
		printf(" bad=%llu\n", (unsigned long long)report.id);
		fy_cli_say("row %llu of the access log %s", (unsigned long long)report.id, faults[report.fault]);
		return FY_EXIT_FAILED;
	}
	printf(" last=%llu hash=", (unsigned long long)report.last_id);
	for (size_t i = 0; i < sizeof report.hash; i++)
		printf("%02x", report.hash[i]);
	putchar('\n');
	return FY_EXIT_OK;
}

int fy_cmd_access_log_verify(int argc, char **argv)
{
	bool terminal = false;
	struct fy_cli cli = {
		.name = "access-log verify",
		.help = "Walks the log of reads of personal data, while the server runs, and names the first row that was "
			"changed, deleted or added. It prints the last row's number and hash: noted elsewhere, they prove "
			"later that nothing before them was cut off.",
	};
	int code = fy_cli_parse(&cli, argc, argv);

	return code >= 0 ? code : fy_cli_run(&cli, FY_CLI_DB | FY_CLI_KEYS, LIMIT_MS, body, &terminal);
}
