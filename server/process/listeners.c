/* Binds, duplicates and closes listening sockets. It never accepts.
 * Called by the supervisor, at the start and at each reload. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "foyer/err.h"
#include "foyer/require.h"
#include "server/process/listeners.h"

/* The kernel cuts it at net.core.somaxconn (4096 by default since Linux 5.4). */
#define BACKLOG 4096

static int set_option(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}

/* A path that a killed server left behind is removed; one that answers is somebody's. */
static int clear_stale(const struct fy_listen_address *address)
{
	const char *path = ((const struct sockaddr_un *)&address->addr)->sun_path;
	struct stat st;
	int fd, err;

	if (lstat(path, &st) != 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	err = connect(fd, (const struct sockaddr *)&address->addr, address->len) == 0 ? 0 : errno;
	close(fd);
	if (err == 0 || err == EAGAIN)
		return EADDRINUSE;
	return unlink(path) == 0 ? 0 : errno;
}

static in_port_t *port_of(struct fy_listen_address *address)
{
	if (address->addr.ss_family == AF_INET)
		return &((struct sockaddr_in *)&address->addr)->sin_port;
	return address->addr.ss_family == AF_INET6 ? &((struct sockaddr_in6 *)&address->addr)->sin6_port : NULL;
}

/* Lets the kernel choose, and gives the port back at once: only a socket that was bound to its port by number keeps
 * it over a pause (Linux: SOCK_BINDPORT_LOCK). Somebody else may be quicker; then the caller chooses again. */
static int choose_port(struct fy_listen_address *address)
{
	struct fy_listen_address chosen = *address;
	int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return errno;
	if (bind(fd, (struct sockaddr *)&chosen.addr, chosen.len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&chosen.addr, &(socklen_t){ sizeof(chosen.addr) }) != 0)
		err = errno;
	close(fd);
	*port_of(address) = *port_of(&chosen);
	return err;
}

/* `share`: others of this process are bound to the same address already. The first is bound without
 * SO_REUSEPORT, so that a port which another server holds is refused, and joins the group before listening. */
static int open_one(struct fy_listen_address *address, bool dual_stack, bool share, int *ret_fd)
{
	bool tcp = address->addr.ss_family != AF_UNIX;
	int fd, err = 0, off = 0, on = 1;

	if (!tcp && (err = clear_stale(address)) != 0)
		return err;
	fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (address->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? &off : &on, sizeof(on));
	if ((tcp && set_option(fd, SOL_SOCKET, SO_REUSEADDR) != 0) ||
	    (tcp && share && set_option(fd, SOL_SOCKET, SO_REUSEPORT) != 0) ||
	    bind(fd, (struct sockaddr *)&address->addr, address->len) != 0 ||
	    (tcp && set_option(fd, SOL_SOCKET, SO_REUSEPORT) != 0) || listen(fd, BACKLOG) != 0) {
		err = errno;
		close(fd);
		return err;
	}
	if (!tcp)
		chmod(((struct sockaddr_un *)&address->addr)->sun_path,
		      0666); /* as for a port: the directory decides */
	*ret_fd = fd;
	return 0;
}

static int open_any_port(struct fy_listen_address *address, bool dual_stack, bool share, int *ret_fd)
{
	in_port_t *port = port_of(address);
	int err = 0;

	if (port == NULL || *port != 0)
		return open_one(address, dual_stack, share, ret_fd);
	for (int tries = 0; tries < 32; tries++) {
		*port = 0;
		err = choose_port(address);
		if (err == 0)
			err = open_one(address, dual_stack, share, ret_fd);
		if (err != EADDRINUSE)
			break;
	}
	return err;
}

static const struct fy_listener *find(const struct fy_listeners *set, const struct fy_listener *like)
{
	for (unsigned i = 0; set && i < set->count; i++)
		if (set->items[i].kind == like->kind && strcmp(set->items[i].wanted, like->wanted) == 0)
			return &set->items[i];
	return NULL;
}

static void to_ipv4(struct fy_listen_address *address)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	v4.sin_port = ((struct sockaddr_in6 *)&address->addr)->sin6_port;
	memcpy(&address->addr, &v4, sizeof(v4));
	address->len = sizeof(v4);
}

static void close_listener(struct fy_listener *l, const struct fy_listeners *keep)
{
	for (unsigned n = 0; n < l->count; n++)
		close(l->fds[n]);
	if (l->count && l->address.addr.ss_family == AF_UNIX && find(keep, l) == NULL)
		unlink(((struct sockaddr_un *)&l->address.addr)->sun_path);
	free(l->fds);
	free(l->wanted);
}

static int open_listener(struct fy_listener *listener, struct fy_slice wanted, enum fy_listener_kind kind,
			 unsigned workers, const struct fy_listeners *old)
{
	bool dual_stack = wanted.ptr[0] == '*' || wanted.ptr[0] == ':', parsed;
	const struct fy_listener *known;

	listener->kind = kind;
	listener->wanted = strndup(wanted.ptr, wanted.len);
	parsed = fy_listen_parse(wanted, &listener->address);
	FY_REQUIRE(listener->wanted != NULL && parsed); /* the configuration's check has seen it */
	if (listener->address.addr.ss_family == AF_UNIX)
		workers = 1;
	listener->fds = calloc(workers, sizeof(int));
	FY_REQUIRE(listener->fds != NULL);
	known = find(old, listener);
	if (known != NULL)
		listener->address = known->address;
	for (; listener->count < workers; listener->count++) {
		int *fd = &listener->fds[listener->count], err = 0;

		if (known != NULL && listener->count < known->count) {
			*fd = fcntl(known->fds[listener->count], F_DUPFD_CLOEXEC, 3);
			err = *fd < 0 ? errno : 0;
		} else {
			err = open_any_port(&listener->address, dual_stack, listener->count > 0, fd);
			if (err == EAFNOSUPPORT && dual_stack) { /* "*" on a machine without IPv6 */
				to_ipv4(&listener->address);
				err = open_any_port(&listener->address, false, listener->count > 0, fd);
			}
		}
		if (err)
			return err;
	}
	return 0;
}

static const char *reason(int err)
{
	if (err == EADDRINUSE)
		return "another program uses it already";
	if (err == EACCES)
		return "it is not allowed (ports below 1024 need root, or socket permissions)";
	if (err == EADDRNOTAVAIL)
		return "this machine has no such address";
	if (err == EEXIST)
		return "there is something else of this name";
	return strerror(err);
}

int fy_listeners_open(const struct fy_config *config, unsigned workers, const struct fy_listeners *old,
		      struct fy_listeners *ret_listeners, bool *ret_soft, char *ret_why)
{
	const struct {
		const struct fy_config_strings *list;
		enum fy_listener_kind kind;
	} wanted[] = {
		{ &config->server_listen, FY_LISTEN_PLAIN },
		{ &config->server_tls_listen, FY_LISTEN_TLS },
		{ &config->server_admin_listen, FY_LISTEN_ADMIN },
	};
	struct fy_listeners set = { .count = 0 };

	set.items = calloc(wanted[0].list->count + wanted[1].list->count + wanted[2].list->count, sizeof(*set.items));
	FY_REQUIRE(set.items != NULL);
	*ret_soft = false;
	for (size_t k = 0; k < FY_COUNT(wanted); k++) {
		for (size_t i = 0; i < wanted[k].list->count; i++) {
			struct fy_slice text = wanted[k].list->items[i];
			struct fy_listener *listener = &set.items[set.count++];
			int err = open_listener(listener, text, wanted[k].kind, workers, old);

			if (err == 0)
				continue;
			snprintf(ret_why, 512, "cannot listen on " FY_FMT ": %s", FY_ARG(text), reason(err));
			if (wanted[k].kind == FY_LISTEN_ADMIN && config->embedded) {
				/* Metrics are no reason for a first try-out to fail. */
				close_listener(listener, old);
				set.count--;
				*ret_soft = true;
				continue;
			}
			fy_listeners_close(&set, old);
			return FY_ERR_IO;
		}
	}
	*ret_listeners = set;
	return 0;
}

void fy_listeners_close(struct fy_listeners *listeners, const struct fy_listeners *keep)
{
	for (unsigned i = 0; i < listeners->count; i++)
		close_listener(&listeners->items[i], keep);
	free(listeners->items);
	*listeners = (struct fy_listeners){ .count = 0 };
}

int fy_listener_fd(const struct fy_listener *listener, unsigned index)
{
	return listener->fds[index < listener->count ? index : 0];
}

/* Shutting a listening TCP socket down closes its queue but keeps its binding (tcp(7) does not say so; Linux'
 * inet_shutdown calls tcp_disconnect, which keeps a port that was bound by number), and listen() opens it again. */
void fy_listeners_pause(struct fy_listeners *listeners, unsigned index)
{
	for (unsigned i = 0; i < listeners->count; i++)
		if (listeners->items[i].address.addr.ss_family != AF_UNIX)
			shutdown(fy_listener_fd(&listeners->items[i], index), SHUT_RD);
}

void fy_listeners_resume(struct fy_listeners *listeners, unsigned index)
{
	for (unsigned i = 0; i < listeners->count; i++)
		if (listeners->items[i].address.addr.ss_family != AF_UNIX)
			listen(fy_listener_fd(&listeners->items[i], index), BACKLOG);
}

void fy_listeners_origin(const struct fy_listeners *listeners, char ret[192])
{
	const struct fy_listener *best = NULL;
	struct sockaddr_storage *addr;
	char text[128];

	/* A TCP one before a unix socket, which no browser opens. */
	for (unsigned i = 0; i < listeners->count; i++) {
		struct fy_listener *l = &listeners->items[i];

		if (l->kind == FY_LISTEN_ADMIN)
			continue;
		if (best == NULL || (best->address.addr.ss_family == AF_UNIX && l->address.addr.ss_family != AF_UNIX))
			best = l;
	}
	FY_REQUIRE(best != NULL);
	struct fy_listen_address address = best->address;

	/* All addresses of the machine: the one that works on it. */
	addr = &address.addr;
	if (addr->ss_family == AF_INET6 &&
	    memcmp(&((struct sockaddr_in6 *)addr)->sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0)
		((struct sockaddr_in6 *)addr)->sin6_addr = in6addr_loopback;
	if (addr->ss_family == AF_INET && ((struct sockaddr_in *)addr)->sin_addr.s_addr == htonl(INADDR_ANY))
		((struct sockaddr_in *)addr)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fy_listen_print(&address, text);
	snprintf(ret, 192, "%s%s",
		 addr->ss_family == AF_UNIX    ? ""
		 : best->kind == FY_LISTEN_TLS ? "https://"
					       : "http://",
		 text);
}
