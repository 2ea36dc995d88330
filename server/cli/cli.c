/* Parses flags and loads the configuration for all commands alike. What needs storage is in run.c.
 * Called by the commands. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "foyer/require.h"
#include "server/cli/cli.h"

static const struct fy_flag common_flags[] = {
	{ "--config", "F", "read the settings from this file; without one Foyer runs its own databases", NULL, NULL },
	{ "--state", "DIR", "the state directory (./var)", NULL, NULL },
	{ "-h", NULL, "this help", NULL, NULL },
};

void fy_cli_say(const char *format, ...)
{
	va_list args;

	fputs("foyer: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(".\n", stderr);
}

int fy_cli_print(struct fy_slice text)
{
	if (fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0)
		return FY_EXIT_OK;
	fy_cli_say("cannot write to standard output: %s", strerror(errno));
	return FY_EXIT_FAILED;
}

static void print_flag(const struct fy_flag *flag)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s", flag->name, flag->value_name ? " " : "",
		 flag->value_name ? flag->value_name : "");
	printf("  %-24s %s\n", left, flag->help);
}

static void print_help(const struct fy_cli *cli)
{
	printf("Usage: foyer %s [FLAG]...%s%s\n\n%s\n\nFlags:\n", cli->name, cli->operand ? " " : "",
	       cli->operand ? cli->operand : "", cli->help);
	for (size_t i = 0; i < cli->flag_count; i++)
		print_flag(&cli->flags[i]);
	for (size_t i = 0; i < FY_COUNT(common_flags); i++)
		print_flag(&common_flags[i]);
}

static int usage(const struct fy_cli *cli, const char *problem, const char *what)
{
	fprintf(stderr, "foyer: %s%s; foyer %s -h says what it takes.\n", problem, what, cli->name);
	return FY_EXIT_USAGE;
}

/* The flag that `arg` is, with the text after '=' if there is one. */
static const struct fy_flag *find_flag(const struct fy_flag *flags, size_t count, const char *arg,
				       const char **ret_value)
{
	size_t len = strcspn(arg, "=");

	*ret_value = arg[len] ? arg + len + 1 : NULL;
	for (size_t i = 0; i < count; i++)
		if (strlen(flags[i].name) == len && strncmp(flags[i].name, arg, len) == 0)
			return &flags[i];
	return NULL;
}

int fy_cli_parse(struct fy_cli *cli, int argc, char **argv)
{
	bool flags_end = false;

	for (int i = 0; i < argc; i++) {
		const struct fy_flag *flag;
		const char *value, **to;

		if (flags_end || argv[i][0] != '-' || argv[i][1] == 0) {
			if (cli->operand == NULL || cli->operand_count >= FY_COUNT(cli->operands))
				return usage(cli, "there is no use for the argument ", argv[i]);
			cli->operands[cli->operand_count++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			flags_end = true;
			continue;
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			print_help(cli);
			return FY_EXIT_OK;
		}
		flag = find_flag(cli->flags, cli->flag_count, argv[i], &value);
		if (flag == NULL)
			flag = find_flag(common_flags, FY_COUNT(common_flags) - 1, argv[i], &value);
		if (flag == NULL)
			return usage(cli, "there is no flag ", argv[i]);
		if (flag->value_name == NULL) {
			if (value)
				return usage(cli, "no value belongs to the flag ", flag->name);
			*flag->on = true;
			continue;
		}
		if (value == NULL && i + 1 < argc)
			value = argv[++i];
		if (value == NULL)
			return usage(cli, "a value is missing after ", flag->name);
		to = flag == &common_flags[0] ? &cli->config : flag == &common_flags[1] ? &cli->state : flag->value;
		*to = value;
	}
	return -1;
}

struct fy_config_source fy_cli_source(const struct fy_cli *cli, const struct fy_config_flag *more, size_t more_count,
				      struct fy_config_flag room[FY_CLI_FLAGS_MAX])
{
	size_t n = 0;

	FY_REQUIRE(more_count < FY_CLI_FLAGS_MAX);
	room[n++] = (struct fy_config_flag){ "--state", "state", "directory", cli->state };
	for (size_t i = 0; i < more_count; i++)
		room[n++] = more[i];
	return (struct fy_config_source){ .path = cli->config, .environment = true, .flags = room, .flag_count = n };
}

static int load(const struct fy_config_source *source, struct fy_config **ret_config)
{
	struct fy_config_report report;
	struct fy_buf text;
	int err = fy_config_load(source, ret_config, &report);

	if (err) {
		fy_buf_init(&text, NULL, 1024 * 1024);
		fy_config_report_print(&report, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		fy_buf_finish(&text);
	}
	fy_config_report_finish(&report);
	return err ? FY_EXIT_CONFIG : 0;
}

int fy_cli_config(const struct fy_cli *cli, struct fy_config **ret_config)
{
	struct fy_config_flag room[FY_CLI_FLAGS_MAX];
	struct fy_config_source source = fy_cli_source(cli, NULL, 0, room);

	return load(&source, ret_config);
}
