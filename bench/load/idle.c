/* Opens many connections to one server, lets each complete one keep-alive GET, and holds them until told to stop.
 *     idle HOST PORT PATH COUNT
 * Prints "open COUNT" once all have had their answer, waits for the end of standard input, then counts those that
 * the server closed meanwhile: "closed N". Connections come from 127.0.1.1, 127.0.1.2, … with 8,000 each, since one
 * pair of addresses has less than 28,231 ports to offer. Measuring memory is left to bench/run, its only caller. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PER_ADDRESS 8000

static int connect_from(int i, const struct sockaddr_in *to)
{
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct timeval limit = { .tv_sec = 10 };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	from.sin_addr.s_addr = htonl(0x7f000101u + (unsigned)(i / PER_ADDRESS));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
	    connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One request and its whole answer, which must be 200 with a Content-Length and leave the connection open. */
static int exchange(int fd, const char *request, size_t request_len)
{
	char answer[16384];
	size_t have = 0, want = 0;

	if (write(fd, request, request_len) != (ssize_t)request_len)
		return -1;
	while (want == 0 || have < want) {
		ssize_t n = read(fd, answer + have, sizeof(answer) - 1 - have);
		char *end, *length;

		if (n <= 0)
			return -1;
		have += (size_t)n;
		answer[have] = 0;
		if (want || (end = strstr(answer, "\r\n\r\n")) == NULL)
			continue;
		length = strcasestr(answer, "\r\ncontent-length:");
		if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || length == NULL || length > end ||
		    strcasestr(answer, "\r\nconnection: close") != NULL)
			return -1;
		want = (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
		if (want >= sizeof(answer))
			return -1;
	}
	return have == want ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct rlimit files;
	char request[1024], byte;
	int count, len, closed = 0, *fds;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (count = atoi(argv[4])) <= 0) {
		fprintf(stderr, "usage: idle HOST PORT PATH COUNT\n");
		return 2;
	}
	/* Loads are for this machine only. */
	if ((ntohl(to.sin_addr.s_addr) >> 24) != 127) {
		fprintf(stderr, "idle: %s is not a loopback address\n", argv[1]);
		return 2;
	}
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	fds = calloc((size_t)count, sizeof(*fds));
	len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", argv[3], argv[1], argv[2]);
	if (fds == NULL || len >= (int)sizeof(request))
		return 1;
	for (int i = 0; i < count; i++) {
		fds[i] = connect_from(i, &to);
		if (fds[i] < 0 || exchange(fds[i], request, (size_t)len) != 0) {
			fprintf(stderr, "idle: connection %d: %s\n", i + 1, errno ? strerror(errno) : "no good answer");
			return 1;
		}
	}
	printf("open %d\n", count);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (int i = 0; i < count; i++) {
		struct pollfd p = { .fd = fds[i], .events = POLLIN | POLLRDHUP };

		closed += poll(&p, 1, 0) != 0;
	}
	printf("closed %d\n", closed);
	return 0;
}
