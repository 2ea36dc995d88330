/* What a process needs to reach storage, made from the configuration: options for MariaDB, Redis and the keys.
 * Connecting, pooling and reconnecting are storage/'s. Called by the supervisor's start, by commands, and by
 * workers. */
#pragma once

#include "foyer/arena.h"
#include "foyer/config.h"
#include "storage/db.h"
#include "storage/redis.h"

/* Texts are in `arena`. */
void fy_clients_db_options(const struct fy_config *config, struct fy_arena *arena, struct fy_db_options *ret_options);
void fy_clients_redis_options(const struct fy_config *config, struct fy_arena *arena,
			      struct fy_redis_options *ret_options);
