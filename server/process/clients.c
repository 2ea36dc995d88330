/* Translates settings into the options of the storage clients. It opens nothing.
 * Called by the supervisor's start, by commands and by workers. */
#include "server/config/address.h"
#include "server/process/clients.h"

void fy_clients_db_options(const struct fy_config *config, struct fy_arena *arena, struct fy_db_options *ret_options)
{
	struct fy_db_host *hosts = fy_new_array(arena, struct fy_db_host, config->database_hosts.count);
	struct fy_db_options options = {
		.hosts = hosts,
		.user = config->database_user.ptr,
		.database = config->database_name.ptr,
		.password = config->database_password,
		.tls = config->database_tls_ca.len > 0,
		.tls_verify = config->database_tls_ca.len > 0,
		.tls_ca = config->database_tls_ca.len ? config->database_tls_ca.ptr : NULL,
		.pool_size = (unsigned)config->database_pool,
		.queue_max = (unsigned)config->database_queue,
		.queue_wait_ms = (unsigned)config->database_wait_seconds * 1000,
		.connect_timeout_ms = (unsigned)config->database_connect_seconds * 1000,
	};

	for (size_t i = 0; i < config->database_hosts.count; i++) {
		struct fy_host_address host;

		if (!fy_host_parse(config->database_hosts.items[i], 3306, &host))
			continue; /* the configuration's check has refused such */
		if (host.is_unix) {
			options.socket_path = fy_cstr(arena, host.name);
			continue;
		}
		hosts[options.host_count].name = fy_cstr(arena, host.name);
		hosts[options.host_count++].port = host.port;
	}
	*ret_options = options;
}

void fy_clients_redis_options(const struct fy_config *config, struct fy_arena *arena,
			      struct fy_redis_options *ret_options)
{
	struct fy_redis_options options = {
		.user = config->redis_user.len ? config->redis_user.ptr : NULL,
		.password = config->redis_password,
		.db = (unsigned)config->redis_db,
		.tls_ca = config->redis_tls_ca.len ? config->redis_tls_ca.ptr : NULL,
		.command_timeout_ms = (unsigned)config->redis_command_seconds * 1000,
	};
	struct fy_host_address host = { .port = 0 };

	if (fy_host_parse(config->redis_host, 6379, &host)) {
		options.socket_path = host.is_unix ? fy_cstr(arena, host.name) : NULL;
		options.host = host.is_unix ? NULL : fy_cstr(arena, host.name);
		options.port = host.port;
	}
	*ret_options = options;
}
