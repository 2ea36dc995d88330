/* Who the client is behind trusted proxies: Forwarded (RFC 7239) or X-Forwarded-For (declared in netaddr.h).
 * Leaves the list of trusted networks to the configuration. Called once a request.
 *
 * Each proxy appends the address it got the request from, so the list is read from its end: only what a
 * trusted proxy wrote is believed, and everything left of the first stranger may be invented. */
#include "protocol/netaddr.h"

#define HOPS_MAX 32

struct hops {
	struct fy_slice item[HOPS_MAX]; /* the last HOPS_MAX elements, oldest first */
	size_t count;
};

static void push(struct hops *hops, struct fy_slice item)
{
	if (hops->count == HOPS_MAX) {
		memmove(hops->item, hops->item + 1, sizeof(hops->item) - sizeof(hops->item[0]));
		hops->count--;
	}
	hops->item[hops->count++] = item;
}

/* The next element before a `sep` outside of quotes. */
static struct fy_slice cut_quoted(struct fy_slice *rest, char sep)
{
	bool quoted = false;
	for (size_t i = 0; i < rest->len; i++) {
		char c = rest->ptr[i];
		if (c == '\\' && quoted)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == sep && !quoted) {
			struct fy_slice part = fy_upto(*rest, i);
			*rest = fy_from(*rest, i + 1);
			return fy_trim(part);
		}
	}
	struct fy_slice part = fy_trim(*rest);
	*rest = FY_NONE;
	return part;
}

static void collect(const struct fy_http_head *head, struct fy_slice name, struct hops *hops)
{
	struct fy_slice value;
	size_t at = 0;
	hops->count = 0;
	while (fy_http_next(head, name, &at, &value))
		while (value.ptr)
			push(hops, cut_quoted(&value, ','));
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1", with or without quotes. "unknown" and
 * obfuscated names ("_hidden") are no addresses. */
static bool node_addr(struct fy_slice node, struct fy_addr *ret_addr)
{
	if (node.len >= 2 && node.ptr[0] == '"' && node.ptr[node.len - 1] == '"')
		node = fy_slice(node.ptr + 1, node.len - 2);
	if (node.len && node.ptr[0] == '[') {
		const char *close = memchr(node.ptr, ']', node.len);
		if (close == NULL)
			return false;
		size_t n = (size_t)(close - node.ptr);
		if (n + 1 < node.len && node.ptr[n + 1] != ':')
			return false;
		return fy_addr_parse(fy_slice(node.ptr + 1, n - 1), ret_addr) == 0;
	}
	const char *colon = node.len ? memchr(node.ptr, ':', node.len) : NULL;
	if (colon && memchr(colon + 1, ':', node.len - (size_t)(colon - node.ptr) - 1) == NULL)
		node = fy_upto(node, (size_t)(colon - node.ptr));
	return fy_addr_parse(node, ret_addr) == 0;
}

static struct fy_slice forwarded_param(struct fy_slice element, struct fy_slice name)
{
	while (element.ptr) {
		struct fy_slice value = cut_quoted(&element, ';');
		struct fy_slice key = fy_cut(&value, '=');
		if (fy_eq_nocase(fy_trim(key), name))
			return fy_trim(value);
	}
	return FY_NONE;
}

static void apply_proto(struct fy_slice proto, struct fy_client *client)
{
	if (proto.len >= 2 && proto.ptr[0] == '"' && proto.ptr[proto.len - 1] == '"')
		proto = fy_slice(proto.ptr + 1, proto.len - 2);
	if (fy_eq_nocase(proto, FY_LIT("https")))
		client->https = true;
	else if (fy_eq_nocase(proto, FY_LIT("http")))
		client->https = false;
}

struct fy_client fy_client_of(const struct fy_http_head *head, const struct fy_addr *peer, bool peer_trusted,
			      bool peer_https, const struct fy_cidr *trusted, size_t trusted_count,
			      enum fy_forwarded_field field)
{
	struct fy_client client = { .addr = *peer, .https = peer_https };
	struct hops hops;
	bool standard = field == FY_FORWARDED;
	if (standard ? !head->known[FY_H_FORWARDED]
		     : !head->known[FY_H_X_FORWARDED_FOR] && !head->known[FY_H_X_FORWARDED_PROTO])
		return client;
	if (!peer_trusted && !fy_cidr_list_match(trusted, trusted_count, peer))
		return client;
	collect(head, standard ? FY_LIT("forwarded") : FY_LIT("x-forwarded-for"), &hops);
	bool first = true;
	for (size_t i = hops.count; i-- > 0; first = false) {
		struct fy_addr addr;
		struct fy_slice node = standard ? forwarded_param(hops.item[i], FY_LIT("for")) : hops.item[i];
		if (standard && (first || fy_cidr_list_match(trusted, trusted_count, &client.addr)))
			apply_proto(forwarded_param(hops.item[i], FY_LIT("proto")), &client);
		if (!node_addr(node, &addr))
			break;
		client.addr = addr;
		client.forwarded = true;
		if (!fy_cidr_list_match(trusted, trusted_count, &addr))
			break;
	}
	if (!standard) {
		/* One value as most proxies set it; of several, the nearest proxy's is the last. */
		collect(head, FY_LIT("x-forwarded-proto"), &hops);
		if (hops.count)
			apply_proto(hops.item[hops.count - 1], &client);
	}
	return client;
}
