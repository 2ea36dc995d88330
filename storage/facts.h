/* Small facts about the installation (table instance), by name. Called by what must remember one thing over restarts. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* 0: not set. `name` has up to 40 ASCII characters. */
fy_async int fy_fact_get_time(struct fy_ctx *ctx, struct fy_slice name, fy_time *ret_time);
fy_async int fy_fact_set_time(struct fy_ctx *ctx, struct fy_slice name, fy_time time);
