/* Reads and prints the addresses that settings hold. It resolves nothing and opens nothing.
 * Called by load.c, check.c, print.c, and by the supervisor. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "server/config/address.h"

static bool parse_number(struct fy_slice text, unsigned most, unsigned *ret_number)
{
	unsigned number = 0;

	if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text.ptr[i] - '0');
	}
	if (number > most)
		return false;
	*ret_number = number;
	return true;
}

/* Copies to a NUL-ended buffer for inet_pton; false when it cannot be an address. */
static bool to_cstr(struct fy_slice text, char *buf, size_t size)
{
	if (text.len == 0 || text.len >= size || memchr(text.ptr, 0, text.len) != NULL)
		return false;
	memcpy(buf, text.ptr, text.len);
	buf[text.len] = 0;
	return true;
}

/* Splits "host:port" at its last colon; brackets around an IPv6 address go. */
static bool split_port(struct fy_slice text, struct fy_slice *ret_host, struct fy_slice *ret_port)
{
	size_t colon = text.len;

	if (text.len && text.ptr[0] == '[') {
		const char *close = memchr(text.ptr, ']', text.len);
		size_t after = close ? (size_t)(close - text.ptr) + 1 : 0;

		if (close == NULL || (after < text.len && text.ptr[after] != ':'))
			return false;
		*ret_host = fy_slice(text.ptr + 1, after - 2);
		*ret_port = after < text.len ? fy_from(text, after + 1) : FY_NONE;
		return true;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == ':')
			colon = i;
	*ret_host = fy_upto(text, colon);
	*ret_port = colon < text.len ? fy_from(text, colon + 1) : FY_NONE;
	return memchr(ret_host->ptr, ':', ret_host->len) == NULL; /* IPv6 needs its brackets */
}

bool fy_listen_parse(struct fy_slice text, struct fy_listen_address *ret_address)
{
	struct fy_listen_address a = { .len = 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a.addr;
	struct fy_slice host, port;
	unsigned number;
	char buf[INET6_ADDRSTRLEN];

	if (fy_starts(text, FY_LIT("unix:"))) {
		struct sockaddr_un *un = (struct sockaddr_un *)&a.addr;
		struct fy_slice path = fy_from(text, 5);

		if (path.len == 0 || path.ptr[0] != '/' || !to_cstr(path, un->sun_path, sizeof(un->sun_path)))
			return false;
		un->sun_family = AF_UNIX;
		a.len = sizeof(*un);
		*ret_address = a;
		return true;
	}
	if (!split_port(text, &host, &port) || !parse_number(port, 65535, &number))
		return false;
	if (host.len == 0 || fy_eq(host, FY_LIT("*"))) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)number);
		a.len = sizeof(*v6);
	} else if (!to_cstr(host, buf, sizeof(buf))) {
		return false;
	} else if (text.ptr[0] != '[' && inet_pton(AF_INET, buf, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)number);
		a.len = sizeof(*v4);
	} else if (text.ptr[0] == '[' && inet_pton(AF_INET6, buf, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)number);
		a.len = sizeof(*v6);
	} else {
		return false;
	}
	*ret_address = a;
	return true;
}

void fy_listen_print(const struct fy_listen_address *address, char ret[128])
{
	char buf[INET6_ADDRSTRLEN] = "";

	if (address->addr.ss_family == AF_UNIX) {
		snprintf(ret, 128, "unix:%.120s", ((const struct sockaddr_un *)&address->addr)->sun_path);
	} else if (address->addr.ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->addr;
		inet_ntop(AF_INET, &v4->sin_addr, buf, sizeof(buf));
		snprintf(ret, 128, "%s:%u", buf, (unsigned)ntohs(v4->sin_port));
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->addr;
		inet_ntop(AF_INET6, &v6->sin6_addr, buf, sizeof(buf));
		snprintf(ret, 128, "[%s]:%u", buf, (unsigned)ntohs(v6->sin6_port));
	}
}

bool fy_host_parse(struct fy_slice text, uint16_t default_port, struct fy_host_address *ret_host)
{
	struct fy_host_address host = { .port = default_port };
	struct fy_slice port;
	unsigned number;

	if (text.len == 0 || memchr(text.ptr, 0, text.len) != NULL)
		return false;
	if (fy_starts(text, FY_LIT("unix:"))) {
		host.is_unix = true;
		host.name = fy_from(text, 5);
		/* sun_path has 108 bytes, one of them for the NUL. */
		if (host.name.len == 0 || host.name.len > 107 || host.name.ptr[0] != '/')
			return false;
		*ret_host = host;
		return true;
	}
	if (!split_port(text, &host.name, &port) || host.name.len == 0 || host.name.len > 253)
		return false;
	for (size_t i = 0; i < host.name.len; i++) {
		unsigned char c = (unsigned char)host.name.ptr[i];
		if (c <= ' ' || c >= 0x7f || c == '/' || c == '@')
			return false;
	}
	if (port.ptr != NULL) {
		if (!parse_number(port, 65535, &number) || number == 0)
			return false;
		host.port = (uint16_t)number;
	}
	*ret_host = host;
	return true;
}
