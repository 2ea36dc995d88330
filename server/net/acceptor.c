/* uv_poll and accept4 instead of uv_listen: libuv accepts until the queue is empty, which hands a burst
 * of connections to whichever worker wakes first. */
#include "server/net/acceptor.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foyer/log.h"

#define ACCEPTS_A_TURN 4
#define PAUSE_MS 200

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct fy_acceptor *acceptor = timer->data;
	if (!acceptor->stopped)
		uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

static void peer_address(const struct sockaddr_storage *from, uint8_t address[16])
{
	memset(address, 0, 16);
	if (from->ss_family == AF_INET6) {
		memcpy(address, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	} else if (from->ss_family == AF_INET) {
		address[10] = address[11] = 0xff;
		memcpy(address + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct fy_acceptor *acceptor = poll->data;
	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN && !acceptor->stopped; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t size = sizeof from;
		int fd = accept4(acceptor->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			uint8_t address[16];
			peer_address(&from, address);
			acceptor->accepted(acceptor->owner, acceptor, fd, address);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			fy_log(NULL, FY_LOG_WARN, "listener.paused", FY_KV("reason", (const char *)strerror(errno)));
			uv_poll_stop(&acceptor->poll);
			uv_timer_start(&acceptor->pause, on_pause_over, PAUSE_MS, 0);
			return;
		}
		if (errno != EINTR && errno != ECONNABORTED)
			return; /* EAGAIN: another worker was first */
	}
}

int fy_acceptor_start(struct fy_acceptor *acceptor, uv_loop_t *loop, const struct fy_listener_start *start)
{
	struct sockaddr_storage at = { 0 };
	socklen_t size = sizeof at;
	acceptor->fd = start->fd;
	acceptor->kind = start->kind;
	acceptor->stopped = false;
	if (getsockname(start->fd, (struct sockaddr *)&at, &size) != 0)
		return -errno;
	acceptor->is_unix = at.ss_family == AF_UNIX;
	int err = uv_poll_init(loop, &acceptor->poll, acceptor->fd);
	if (err)
		return err;
	uv_timer_init(loop, &acceptor->pause);
	acceptor->poll.data = acceptor->pause.data = acceptor;
	return uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

static void on_closed(uv_handle_t *handle)
{
	struct fy_acceptor *acceptor = handle->data;
	close(acceptor->fd);
	acceptor->fd = -1;
}

void fy_acceptor_stop(struct fy_acceptor *acceptor)
{
	if (acceptor->stopped)
		return;
	acceptor->stopped = true;
	uv_close((uv_handle_t *)&acceptor->pause, NULL);
	uv_close((uv_handle_t *)&acceptor->poll, on_closed);
}
