/* Addresses as settings write them: listeners and hosts. Networks are protocol/netaddr.h's.
 * Nothing is resolved here: a listener is a numeric address, a host may be a name that its client resolves.
 * Called by the configuration's checks, the supervisor (to bind) and the clients' set-up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "foyer/config.h"
#include "foyer/slice.h"

struct fy_listen_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* "127.0.0.1:8080", "[::1]:8080", "*:8080", ":8080" (all addresses), "unix:/path". */
bool fy_listen_parse(struct fy_slice text, struct fy_listen_address *ret_address);

/* What fy_listen_parse reads, with the port that the socket has got. `ret` holds 128 bytes. */
void fy_listen_print(const struct fy_listen_address *address, char ret[128]);

struct fy_host_address {
	bool is_unix;
	struct fy_slice name; /* host name or address without brackets, or the path */
	uint16_t port;
};

/* "host:port", "[::1]:port", "host" (the default port), "unix:/path". The name points into `text`. */
bool fy_host_parse(struct fy_slice text, uint16_t default_port, struct fy_host_address *ret_host);
