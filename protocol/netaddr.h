/* IP addresses and networks, and who the client is behind trusted proxies.
 * Leaves sockets and the configured lists to their owners. Called per connection and per request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/address.h"
#include "foyer/arena.h"
#include "foyer/slice.h"
#include "protocol/http_head.h"

#define FY_ADDR_TEXT_MAX 46

bool fy_addr_is_v4(const struct fy_addr *addr);
bool fy_addr_is_unknown(const struct fy_addr *addr);
bool fy_addr_eq(const struct fy_addr *a, const struct fy_addr *b);

/* "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no port). FY_ERR_INVALID otherwise. */
int fy_addr_parse(struct fy_slice text, struct fy_addr *ret_addr);
/* The canonical text (RFC 5952; IPv4 dotted), "-" for unknown; returns its length. NUL-terminated. */
size_t fy_addr_text(const struct fy_addr *addr, char out[FY_ADDR_TEXT_MAX]);
void fy_addr_from_v4(const uint8_t v4[4], struct fy_addr *ret_addr);

/* Zeroes what stands after /24 (IPv4) or /48 (IPv6): fit for statistics without a person in them. */
struct fy_addr fy_addr_truncate(struct fy_addr addr);

/* "10.0.0.0/8", "::1", "2001:db8::/32". Set bits after the prefix are an error (a slip of the pen). */
int fy_cidr_parse(struct fy_slice text, struct fy_cidr *ret_cidr);
bool fy_cidr_match(const struct fy_cidr *cidr, const struct fy_addr *addr);
bool fy_cidr_list_match(const struct fy_cidr *list, size_t count, const struct fy_addr *addr);
/* Comma or white space between; in `arena`. FY_ERR_INVALID names the piece in *ret_bad (may be NULL). */
int fy_cidr_list_parse(struct fy_arena *arena, struct fy_slice text, struct fy_cidr **ret_list, size_t *ret_count,
		       struct fy_slice *ret_bad);

struct fy_client {
	struct fy_addr addr;
	bool https;     /* how the client reached the outermost trusted proxy, or us */
	bool forwarded; /* a trusted proxy spoke for it */
};

/* Which field the proxies write. Only that one is read: proxies overwrite or append to the field they use and pass
 * the other on as the client sent it, so believing whichever is there would believe the client. */
enum fy_forwarded_field { FY_X_FORWARDED = 0, FY_FORWARDED };

/* Walks Forwarded (RFC 7239) or X-Forwarded-For, as `field` says, from the nearest hop outwards, for as long
 * as each hop is a trusted proxy; the first address that is not trusted is the client. Without trust, or at
 * the first malformed or obfuscated hop, it stops at the last known address. `peer_trusted`: the socket's
 * peer counts as trusted whatever its address (a unix socket). `https` follows the proto that the outermost
 * trusted proxy states (of X-Forwarded-Proto the last value), else `peer_https`. */
struct fy_client fy_client_of(const struct fy_http_head *head, const struct fy_addr *peer, bool peer_trusted,
			      bool peer_https, const struct fy_cidr *trusted, size_t trusted_count,
			      enum fy_forwarded_field field);
