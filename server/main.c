/* The door: finds the command in the table and runs it. What each does, and what it accepts, is in server/cli.
 * Called by people, by service managers and, for the hidden commands, by Foyer itself. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <sodium.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

const struct fy_command fy_commands[] = {
	{ "serve", "runs the server", fy_cmd_serve },
	{ "check-config", "names every problem of the configuration", fy_cmd_check_config },
	{ "migrate", "brings the database to this version's schema", fy_cmd_migrate },
	{ "admin create", "makes an owner account", fy_cmd_admin_create },
	{ "sessions list", "shows who is signed in", fy_cmd_sessions_list },
	{ "sessions revoke", "ends sessions", fy_cmd_sessions_revoke },
	{ "jobs list", "shows the jobs and when they run", fy_cmd_jobs_list },
	{ "jobs run", "runs a job now", fy_cmd_jobs_run },
	{ "person export", "hands out what is held about a person", fy_cmd_person_export },
	{ "person erase", "erases an account", fy_cmd_person_erase },
	{ "access-log verify", "looks for changed, missing or added rows in the log of reads",
	  fy_cmd_access_log_verify },
	{ "keys rotate", "makes a new master key", fy_cmd_keys_rotate },
	{ "receipt verify", "checks the receipt of an erasure", fy_cmd_receipt_verify },
	{ "healthcheck", "asks the running server whether all is well", fy_cmd_healthcheck },
	{ "doctor", "looks for what could go wrong", fy_cmd_doctor },
	{ "version", "prints the version", fy_cmd_version },
	{ "worker", NULL, fy_cmd_worker },
	{ "exec-child", NULL, fy_cmd_exec_child },
};
const size_t fy_command_count = FY_COUNT(fy_commands);

static void print_commands(FILE *to)
{
	fputs("Usage: foyer COMMAND [FLAG]...\n\nCommands:\n", to);
	for (size_t i = 0; i < fy_command_count; i++)
		if (fy_commands[i].help)
			fprintf(to, "  %-18s %s\n", fy_commands[i].name, fy_commands[i].help);
	fputs("\nEach takes --config F, --state DIR and -h.\n", to);
}

/* How many words of `name` the arguments begin with; 0 when it is another command. */
static int match(const char *name, int argc, char **argv)
{
	int words = 0;

	while (*name) {
		size_t len = strcspn(name, " ");

		if (words >= argc || strlen(argv[words]) != len || strncmp(argv[words], name, len) != 0)
			return 0;
		words++;
		name += len;
		name += strspn(name, " ");
	}
	return words;
}

/* A file of this process's memory would hold keys and opened data, and outlive any promise; children inherit it. */
static void forbid_core_files(void)
{
	const struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char **argv)
{
	forbid_core_files();
	if (sodium_init() < 0) {
		fy_cli_say("there is no source of random numbers");
		return FY_EXIT_FAILED;
	}
	for (size_t i = 0; i < fy_command_count; i++) {
		int words = match(fy_commands[i].name, argc - 1, argv + 1);

		if (words)
			return fy_commands[i].run(argc - 1 - words, argv + 1 + words);
	}
	if (argc > 1 &&
	    (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		print_commands(stdout);
		return FY_EXIT_OK;
	}
	if (argc > 1)
		fprintf(stderr, "foyer: there is no command %s%s%s.\n\n", argv[1], argc > 2 ? " " : "",
			argc > 2 ? argv[2] : "");
	print_commands(stderr);
	return FY_EXIT_USAGE;
}
