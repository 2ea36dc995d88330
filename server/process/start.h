/* What has to be true in storage before workers start: the master key is there, the schema is this binary's, and
 * somebody can become the first administrator. Called by the supervisor's fiber. */
#pragma once

#include <stddef.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* 0, or an exit code (process/state.h) with one sentence in `ret_why` (512 bytes). Makes the master key on the
 * first start; one that is missing while there are data sealed with it is an error, never a new key. */
int fy_start_keys(const struct fy_config *config, char *ret_why);

/* Applies the migrations, and where no owner exists writes a new set-up link (empty otherwise). Parks for as long
 * as the context's deadline allows while MariaDB is away. */
fy_async int fy_start_storage(struct fy_ctx *ctx, const struct fy_config *config, char *ret_link, size_t link_size,
			      char *ret_why);
