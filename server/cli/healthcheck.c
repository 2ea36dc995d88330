/* `foyer healthcheck`: asks the running server's /readyz, for service managers and containers. It needs neither the
 * databases nor a loop: one blocking request with a time limit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/config/address.h"

#define LIMIT_SECONDS 5

/* The running server writes where it listens, since port 0 leaves that to the kernel. */
static bool find_address(const struct fy_config *config, struct fy_listen_address *ret_address)
{
	char path[4200], text[128];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/listening", config->state_directory.ptr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	if (n > 0 && fy_listen_parse(fy_slice(text, (size_t)n), ret_address))
		return true;
	for (size_t i = 0; i < config->server_listen.count; i++)
		if (fy_listen_parse(config->server_listen.items[i], ret_address))
			return true;
	return false;
}

/* The status of GET /readyz and the start of its body, or a negative errno. */
static int ask(const struct fy_listen_address *address, char *answer, size_t size)
{
	static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct timeval limit = { .tv_sec = LIMIT_SECONDS };
	int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address->addr, address->len) != 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0) {
		status = -errno;
		close(fd);
		return status;
	}
	while (len < size - 1 && (n = recv(fd, answer + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	if (n < 0)
		status = -errno;
	close(fd);
	answer[len] = 0;
	if (status == 0 && sscanf(answer, "HTTP/1.1 %3d", &status) != 1)
		status = -EPROTO;
	return status;
}

int fy_cmd_healthcheck(int argc, char **argv)
{
	struct fy_cli cli = {
		.name = "healthcheck",
		.help = "Asks the running server for /readyz. Ends with 0 when all its parts are there, with 1 "
			"otherwise.",
	};
	struct fy_listen_address address;
	struct fy_config *config;
	char answer[8192], where[128];
	const char *detail;
	bool found;
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	code = fy_cli_config(&cli, &config);
	if (code)
		return code;
	found = find_address(config, &address);
	fy_config_destroy(config);
	if (!found) {
		fy_cli_say("no plain listener is configured to ask");
		return FY_EXIT_FAILED;
	}
	fy_listen_print(&address, where);
	code = ask(&address, answer, sizeof(answer));
	if (code < 0) {
		fy_cli_say("nobody answers on %s: %s", where, strerror(-code));
		return FY_EXIT_FAILED;
	}
	detail = strstr(answer, "\r\n\r\n");
	printf("%s\n", detail ? detail + 4 : "");
	return code == 200 ? FY_EXIT_OK : FY_EXIT_FAILED;
}
