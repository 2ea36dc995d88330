/* `foyer serve`, and the two hidden commands by which the server starts its own processes. The supervisor and the
 * worker themselves are in server/process and server/worker.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/process/supervisor.h"
#include "server/worker.h"

int fy_cmd_serve(int argc, char **argv)
{
	const char *listen = NULL, *workers = NULL;
	const struct fy_flag flags[] = {
		{ "--listen", "HOST:PORT", "instead of server.listen; port 0 asks the kernel", &listen, NULL },
		{ "--workers", "N", "instead of server.workers", &workers, NULL },
	};
	struct fy_cli cli = {
		.name = "serve",
		.help = "Runs Foyer in the foreground. Without --config it runs its own MariaDB and Redis in the "
			"state\n"
			"directory and listens on 127.0.0.1:8080. TERM and INT finish what runs and stop, HUP reads "
			"the\n"
			"configuration and certificates again, USR1 opens the logs again, USR2 replaces the workers by "
			"the\n"
			"program that is on disk now.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	struct fy_config_flag room[FY_CLI_FLAGS_MAX], config_flags[] = {
		{ "--listen", "server", "listen", NULL },
		{ "--workers", "server", "workers", NULL },
	};
	const char *migrate_args[8] = { "foyer", "migrate" };
	struct fy_serve_options options = { .migrate_args = migrate_args };
	struct fy_config_report report;
	struct fy_config *config;
	struct fy_buf text;
	size_t n = 2;
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	config_flags[0].value = listen;
	config_flags[1].value = workers;
	options.source = fy_cli_source(&cli, config_flags, FY_COUNT(config_flags), room);
	if (cli.config) {
		migrate_args[n++] = "--config";
		migrate_args[n++] = cli.config;
	}
	if (cli.state) {
		migrate_args[n++] = "--state";
		migrate_args[n++] = cli.state;
	}
	code = fy_config_load(&options.source, &config, &report);
	if (code) {
		fy_buf_init(&text, NULL, 1024 * 1024);
		fy_config_report_print(&report, &text);
		fwrite(text.ptr, 1, text.len, stderr);
		fy_buf_finish(&text);
	}
	fy_config_report_finish(&report);
	return code ? FY_EXIT_CONFIG : fy_supervise(&options, config);
}

/* foyer worker INDEX COUNT KINDS, with the files that server/process/crew.c opens. */
int fy_cmd_worker(int argc, char **argv)
{
	struct fy_config_source source = { .fd = 4 };
	struct fy_worker_start start = { .control_fd = 3 };
	struct fy_listener_start listeners[64];
	struct fy_config_report report;
	struct fy_config *config;
	const char *kinds;
	int code;

	if (argc != 3 || strlen(argv[2]) > FY_COUNT(listeners) || fcntl(start.control_fd, F_GETFD) < 0) {
		fy_cli_say("worker is for foyer serve to start");
		return FY_EXIT_USAGE;
	}
	prctl(PR_SET_NAME, "foyer-worker");
	/* Ctrl-C is for the supervisor, which tells us what to do; its death is told by the control socket, and by
	 * this when we no longer listen to that. */
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	code = fy_config_load(&source, &config, &report);
	close(source.fd);
	fy_config_report_finish(&report);
	if (code) {
		fy_cli_say("the worker cannot read the supervisor's settings");
		return FY_EXIT_FAILED;
	}
	kinds = argv[2];
	for (; kinds[start.listener_count]; start.listener_count++) {
		unsigned i = start.listener_count;

		listeners[i] = (struct fy_listener_start){ 5 + (int)i, (enum fy_listener_kind)(kinds[i] - '0') };
		fcntl(listeners[i].fd, F_SETFD, FD_CLOEXEC);
	}
	fcntl(start.control_fd, F_SETFD, FD_CLOEXEC);
	start.config = config;
	start.state_dir = config->state_directory.ptr;
	start.listeners = listeners;
	start.index = (unsigned)atoi(argv[0]);
	start.count = (unsigned)atoi(argv[1]);
	code = fy_worker_main(&start);
	fy_config_destroy(config);
	fy_arena_trim();
	return code;
}

/* foyer exec-child PARENT LOCK PROGRAM ARGV0 [ARG]...: becomes PROGRAM, tied to its parent's life and holding a lock
 * for as long as it lives. The lock's file stays open over exec on purpose. */
int fy_cmd_exec_child(int argc, char **argv)
{
	int fd;

	if (argc < 4) {
		fy_cli_say("exec-child is for foyer serve to start");
		return FY_EXIT_USAGE;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != atoi(argv[0]))
		return FY_EXIT_FAILED; /* it died before the line above */
	fd = open(argv[1], O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0) {
		fy_cli_say("cannot open %s: %s", argv[1], strerror(errno));
		return FY_EXIT_FAILED;
	}
	/* After a crash the one before may still be writing its last pages. */
	while (flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return FY_EXIT_FAILED;
	execv(argv[2], argv + 3);
	fy_cli_say("cannot start %s: %s", argv[2], strerror(errno));
	return FY_EXIT_FAILED;
}
