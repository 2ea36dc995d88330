/* The supervisor: `foyer serve`. It owns the state directory, the listening sockets, the embedded databases and the
 * crews of workers, and answers signals. It serves no request itself. Called by server/cli/serve.c. */
#pragma once

#include "server/config/config.h"

struct fy_serve_options {
	struct fy_config_source source;  /* read again at each SIGHUP */
	const char *const *migrate_args; /* of the new binary before a SIGUSR2 exchange, ended by NULL */
};

/* Runs until TERM or INT; returns the process' exit code. `config` was read from the source, and is taken over. */
int fy_supervise(const struct fy_serve_options *options, struct fy_config *config);
