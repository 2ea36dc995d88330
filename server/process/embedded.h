/* The private MariaDB and Redis of embedded mode: installed, started, kept running and stopped.
 * They are Debian's programs without Debian's services, on unix sockets in DIR/run, which only the user who
 * runs Foyer may enter. What is stored in them is left to storage/. Called by the supervisor, and by commands
 * where no server runs. */
#pragma once

#include <stdbool.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_EMBEDDED_WHY_MAX 512

struct fy_embedded;

/* Whether databases were ever installed in the config's state directory. */
bool fy_embedded_exists(const struct fy_config *config);

/* Installs MariaDB's tables where there are none, starts both, and parks until both answer. Recovery after a
 * crash may take as long as the context's deadline allows. FY_ERR_IO or FY_ERR_TIMEOUT with one sentence in
 * `ret_why`; then nothing is left running. `report` (may be NULL) is told later of ends and restarts. */
fy_async int fy_embedded_start(struct fy_ctx *ctx, const struct fy_config *config,
			       void (*report)(void *arg, bool bad, const char *sentence), void *arg,
			       struct fy_embedded **ret_embedded, char *ret_why);

/* Stops both cleanly, MariaDB after Redis, and frees. Accepts NULL. */
fy_async void fy_embedded_stop(struct fy_embedded *embedded);
