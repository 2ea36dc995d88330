/* The command line: a table of commands, their flags, and a fiber with storage for those that need it.
 * What a command does is in its own file in this folder. Called by server/main.c and by the commands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/log.h"
#include "server/config/config.h"
#include "server/process/state.h"

struct fy_command {
	const char *name;                  /* one or two words: "serve", "jobs run" */
	const char *help;                  /* one sentence for the list; NULL: hidden */
	int (*run)(int argc, char **argv); /* argv[0] is what follows the name; returns the exit code */
};

extern const struct fy_command fy_commands[];
extern const size_t fy_command_count;

struct fy_flag {
	const char *name;       /* "--email" */
	const char *value_name; /* "E"; NULL: a switch */
	const char *help;
	const char **value; /* set to the text that follows, also after '=' */
	bool *on;           /* of a switch */
};

/* What a command accepts. --config, --state and -h come by themselves. */
struct fy_cli {
	const char *name;    /* "sessions revoke" */
	const char *help;    /* one paragraph for -h */
	const char *operand; /* "ID" for the usage line; NULL: none accepted */
	const struct fy_flag *flags;
	size_t flag_count;

	const char *config, *state; /* what was given, or NULL */
	const char *operands[4];
	size_t operand_count;
};

/* -1 to go on, or the exit code: 0 after -h, FY_EXIT_USAGE after a sentence on standard error. */
int fy_cli_parse(struct fy_cli *cli, int argc, char **argv);

/* A sentence on standard error, with "foyer: " before and a full stop after. */
void fy_cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The flags that stand for settings: --state, and the command's own `more` (may be NULL). `room` holds the result. */
#define FY_CLI_FLAGS_MAX 8
struct fy_config_source fy_cli_source(const struct fy_cli *cli, const struct fy_config_flag *more, size_t more_count,
				      struct fy_config_flag room[FY_CLI_FLAGS_MAX]);

/* Loads the configuration, or prints every problem and returns FY_EXIT_CONFIG. */
int fy_cli_config(const struct fy_cli *cli, struct fy_config **ret_config);

/* What a command's body finds in its context. */
enum fy_cli_needs {
	FY_CLI_SERVERS = 0, /* MariaDB and Redis run; nothing is connected */
	FY_CLI_DB = 1,
	FY_CLI_REDIS = 2,
	FY_CLI_KEYS = 4,
	FY_CLI_DB_IF_UP = 8, /* ctx->db is NULL where MariaDB is away */
};

typedef int (*fy_cli_body)(struct fy_ctx *ctx, void *arg); /* fy_async; returns the exit code */

/* Loads the configuration and runs `body` in a fiber, with the databases of the running server, or with its own
 * where none runs. Returns the body's exit code, or that of what failed before. `timeout_ms` bounds all of it. */
int fy_cli_run(const struct fy_cli *cli, unsigned needs, uint64_t timeout_ms, fy_cli_body body, void *arg);

/* Writes text to standard output as it is, and checks that it arrived. */
int fy_cli_print(struct fy_slice text);

/* Notes a change that the command made as an event in DIR/log/foyer.log: the name and the values that the server gives
 * the same act, and who made it. Ids only, as in every event. Where the file cannot be written a sentence says so. */
#define fy_cli_trace(ctx, event, ...)                                                    \
	do {                                                                             \
		if (fy_cli_trace_begin(ctx)) {                                           \
			fy_log((ctx), FY_LOG_INFO, (event), FY_KV("by", "command line"), \
			       FY_KV("user", fy_cli_trace_who()), ##__VA_ARGS__);        \
			fy_cli_trace_end();                                              \
		}                                                                        \
	} while (0)
bool fy_cli_trace_begin(const struct fy_ctx *ctx);
const char *fy_cli_trace_who(void);
void fy_cli_trace_end(void);
void fy_cli_trace_user(void); /* before root becomes another user: it is root who acts */
