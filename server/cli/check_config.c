/* `foyer check-config` and `foyer version`: commands that touch neither storage nor the state directory. */
#include <stdio.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"

int fy_cmd_check_config(int argc, char **argv)
{
	bool example = false;
	const struct fy_flag flags[] = {
		{ "--print-example", NULL, "print config.example.toml instead", NULL, &example },
	};
	struct fy_cli cli = {
		.name = "check-config",
		.help = "Reads the configuration with everything that would be read at a start, and names every "
			"problem with\n"
			"its file, line and the nearest known key. Ends with 0 when there is none, with 78 otherwise.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	struct fy_config *config;
	struct fy_buf text;
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (example) {
		fy_buf_init(&text, NULL, 256 * 1024);
		fy_config_write_example(&text);
		code = fy_cli_print(fy_buf_slice(&text));
		fy_buf_finish(&text);
		return code;
	}
	code = fy_cli_config(&cli, &config);
	if (code)
		return code;
	printf("foyer: the configuration is good%s.\n", config->embedded ? " (embedded mode)" : "");
	fy_config_destroy(config);
	return FY_EXIT_OK;
}

int fy_cmd_version(int argc, char **argv)
{
	struct fy_cli cli = { .name = "version", .help = "Prints the version." };
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	return fy_cli_print(FY_LIT("foyer " FOYER_VERSION "\n"));
}
