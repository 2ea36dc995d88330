/* Network addresses and networks as the settings, the protocol code and the sessions share them.
 * Reading, writing and matching them is protocol/netaddr.h. */
#pragma once

#include <stdint.h>

/* IPv4 is kept as ::ffff:a.b.c.d, so that one comparison serves both. All zero: unknown (a unix socket). */
struct fy_addr {
	uint8_t b[16];
};

struct fy_cidr {
	struct fy_addr addr; /* bits after the prefix are zero */
	uint8_t bits;        /* 0..128; IPv4 prefixes are stored as bits + 96 */
};
