/* `foyer serve`: starts everything in order, keeps it running, and stops it in the opposite order.
 *
 *     state directory ─ listening sockets ─ embedded databases ─ keys, migrations ─ crew ─► ready
 *     HUP, USR2: the next crew starts beside the serving one, which drains when the next is ready
 *     TERM, INT: crews drain ─ Redis ─ MariaDB ─► end
 *
 * One fiber walks through start and stop; signals and crews report by callbacks. Which crew serves is change.c's,
 * workers are crew.c's, databases embedded.c's, what is prepared in storage start.c's. Called by server/cli/serve.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/ctx.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "server/process/embedded.h"
#include "server/process/listeners.h"
#include "server/process/notify.h"
#include "server/process/start.h"
#include "server/process/state.h"
#include "server/process/supervisor_state.h"

static const int handled_signals[SIGNALS_MAX] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };

/* Once for eyes, once for the log. The file is opened for the one line, so that an idle supervisor holds no log open
 * that was rotated away. */
void fy_supervisor_say(struct supervisor *s, bool bad, const char *format, ...)
{
	struct fy_logfile *file = s->start_log;
	char text[1024];
	va_list args;
	int err;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "foyer: %s.\n", text);
	if (file == NULL && s->log_path[0])
		file = fy_logfile_open(s->log_path, &err);
	if (file == NULL)
		return;
	fy_log_to(file, fy_log_threshold);
	fy_log(NULL, bad ? FY_LOG_WARN : FY_LOG_INFO, "supervisor", FY_KV("text", fy_str(text)));
	fy_logfile_flush(file);
	if (file == s->start_log)
		return;
	fy_log_to(NULL, fy_log_threshold);
	fy_logfile_close(file);
}

void fy_supervisor_report(void *arg, bool bad, const char *sentence)
{
	fy_supervisor_say(arg, bad, "%s", sentence);
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- signals ---- */

static void on_stop_signal(struct supervisor *s)
{
	s->stop_signals++;
	if (s->stop_signals == 2)
		for (size_t i = 0; i < CREWS_MAX; i++)
			if (s->crews[i])
				fy_crew_quit(s->crews[i]);
	/* Enough is enough: every child was told by the kernel to end with us (exec-child). */
	if (s->stop_signals >= 4)
		_exit(FY_EXIT_FAILED);
	fy_wait_done(&s->changed, 0);
}

static void on_signal(uv_signal_t *handle, int signal)
{
	struct supervisor *s = handle->data;

	switch (signal) {
	case SIGTERM:
	case SIGINT:
		on_stop_signal(s);
		return;
	case SIGUSR1:
		for (size_t i = 0; i < CREWS_MAX; i++)
			if (s->crews[i])
				fy_crew_reopen_logs(s->crews[i]);
		return;
	case SIGHUP:
		s->reload_wanted = true;
		break;
	case SIGUSR2:
		s->exchange_wanted = true;
		break;
	}
	fy_supervisor_change(s);
}

/* ---- start and stop, in one fiber ---- */

static fy_async int start_storage(struct supervisor *s, struct fy_ctx *ctx)
{
	char why[FY_EMBEDDED_WHY_MAX];
	int code = fy_start_keys(s->config, why), err;

	s->start_log = fy_logfile_open(s->log_path, &err);
	if (s->start_log)
		fy_log_to(s->start_log, fy_log_threshold);
	if (code == 0 && s->config->embedded &&
	    fy_embedded_start(ctx, s->config, fy_supervisor_report, s, &s->embedded, why) != 0)
		code = FY_EXIT_FAILED;
	if (code == 0 && s->stop_signals == 0)
		code = fy_start_storage(ctx, s->config, s->set_up_link, sizeof(s->set_up_link), why);
	if (code)
		fy_supervisor_say(s, true, "%s", why);
	fy_log_to(NULL, fy_log_threshold);
	fy_logfile_close(s->start_log);
	s->start_log = NULL;
	return code;
}

static fy_async int start_workers(struct supervisor *s)
{
	s->next = fy_supervisor_start_crew(s, s->config, &s->listeners, s->exe_fd);
	s->config = NULL;
	while (s->serving == NULL && !s->crew_failed && s->stop_signals == 0)
		fy_wait(&s->changed, UINT64_MAX);
	if (s->crew_failed) {
		fy_supervisor_say(s, true, "the workers do not start; %s may say why", s->log_path);
		return FY_EXIT_FAILED;
	}
	return 0;
}

/* For `foyer healthcheck`, which cannot know the port that the kernel gave. */
void fy_supervisor_write_address(struct supervisor *s)
{
	const struct fy_listeners *listeners = fy_crew_listeners(s->serving);
	char path[4200], text[128];
	int fd;

	for (unsigned i = 0; i < listeners->count; i++) {
		if (listeners->items[i].kind != FY_LISTEN_PLAIN)
			continue;
		fy_listen_print(&listeners->items[i].address, text);
		snprintf(path, sizeof(path), "%s/listening", s->state_dir);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd >= 0) {
			(void)!write(fd, text, strlen(text));
			close(fd);
		}
		return;
	}
}

static void forget_address(struct supervisor *s)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/listening", s->state_dir);
	unlink(path);
}

static void announce(struct supervisor *s)
{
	char origin[192];

	fy_supervisor_write_address(s);
	fy_listeners_origin(fy_crew_listeners(s->serving), origin);
	printf("foyer: ready %s\n", origin);
	if (s->set_up_link[0])
		printf("foyer: set up the first administrator (this link works once): %s\n", s->set_up_link);
	fflush(stdout);
	fy_notify("READY=1\nSTATUS=Serving");
}

static fy_async void stop_crews(struct supervisor *s)
{
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i] && s->stop_signals < 2)
			fy_crew_drain(s->crews[i]);
		else if (s->crews[i])
			fy_crew_quit(s->crews[i]);
	/* No worker starts any more. With the last copy of a socket gone the kernel refuses new clients, who would
	 * otherwise wait in its queue for nobody. */
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i])
			fy_listeners_close(fy_crew_listeners(s->crews[i]), NULL);
	while (fy_supervisor_any_crew(s) || s->exchanging)
		fy_wait(&s->changed, UINT64_MAX);
}

static fy_async void serve_fiber(void *arg)
{
	struct supervisor *s = arg;
	struct fy_arena arena;

	fy_arena_init(&arena, 0);
	struct fy_ctx ctx = {
		.arena = &arena, .deadline_ms = fy_loop_ms() + START_LIMIT_MS, .now = fy_clock(), .config = s->config
	};

	s->exit_code = start_storage(s, &ctx);
	if (s->exit_code == 0 && s->stop_signals == 0)
		s->exit_code = start_workers(s);
	if (s->exit_code == 0 && s->stop_signals == 0)
		announce(s);
	while (s->exit_code == 0 && s->stop_signals == 0)
		fy_wait(&s->changed, UINT64_MAX);
	fy_notify("STOPPING=1");
	forget_address(s);
	stop_crews(s);
	fy_embedded_stop(s->embedded);
	fy_arena_finish(&arena);
	for (size_t i = 0; i < FY_COUNT(handled_signals); i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_stop(&s->loop);
}

/* ---- before the loop ---- */

static int prepare(struct supervisor *s)
{
	const struct fy_config *config = s->config;
	char why[FY_STATE_WHY_MAX];
	bool soft = false;
	ssize_t n;
	int code, pid;

	raise_file_limit();
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	n = readlink("/proc/self/exe", s->exe_path, sizeof(s->exe_path) - 1);
	if (n <= 0 || (s->exe_fd = fy_supervisor_open_exe("/proc/self/exe")) < 0) {
		fy_supervisor_say(s, true, "cannot find the program's own file: %s", strerror(errno));
		return FY_EXIT_FAILED;
	}
	if (fy_listeners_open(config, fy_supervisor_workers(config), NULL, &s->listeners, &soft, why) != 0) {
		fy_supervisor_say(s, true, "%s", why);
		return FY_EXIT_FAILED;
	}
	if (soft)
		fy_supervisor_say(s, true, "%s, so there are no metrics", why);
	/* Gives up root once the ports are open. A reload can then open no new port below 1024. */
	code = fy_state_become_user(config->server_user.ptr, config->state_directory.ptr, why);
	if (code == 0)
		code = fy_state_prepare(config->state_directory.ptr, config->log_directory.ptr,
					config->mail_directory.ptr, why);
	if (code) {
		fy_supervisor_say(s, true, "%s", why);
		return code;
	}
	s->lock_fd = fy_state_lock(config->state_directory.ptr, &pid);
	if (s->lock_fd < 0) {
		fy_supervisor_say(s, true, "another Foyer (process %d) uses the state directory %s", pid,
				  config->state_directory.ptr);
		return FY_EXIT_FAILED;
	}
	fy_supervisor_base_url(s->config, &s->listeners);
	snprintf(s->state_dir, sizeof(s->state_dir), "%s", config->state_directory.ptr);
	snprintf(s->log_path, sizeof(s->log_path), "%s/foyer.log", config->log_directory.ptr);
	return 0;
}

int fy_supervise(const struct fy_serve_options *options, struct fy_config *config)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	struct fy_sched_stats stats;
	int code;

	FY_REQUIRE(s != NULL);
	s->options = options;
	s->config = config;
	s->exe_fd = s->lock_fd = s->next_exe_fd = -1;
	fy_log_threshold = (enum fy_log_level)config->log_level;
	code = prepare(s);
	if (code == 0) {
		uv_loop_init(&s->loop);
		FY_REQUIRE(fy_sched_init(&s->loop, 16) == 0);
		for (size_t i = 0; i < FY_COUNT(handled_signals); i++) {
			uv_signal_init(&s->loop, &s->signals[i]);
			s->signals[i].data = s;
			uv_signal_start(&s->signals[i], on_signal, handled_signals[i]);
		}
		FY_REQUIRE(fy_fiber_start(serve_fiber, s) == 0);
		uv_run(&s->loop, UV_RUN_DEFAULT);
		for (fy_sched_stats(&stats); stats.live; fy_sched_stats(&stats))
			uv_run(&s->loop, UV_RUN_ONCE);
		fy_sched_finish();
		uv_run(&s->loop, UV_RUN_DEFAULT);
		(void)FY_CHECK(uv_loop_close(&s->loop) == 0);
		code = s->exit_code;
	}
	fy_listeners_close(&s->listeners, NULL);
	fy_config_destroy(s->config);
	if (s->exe_fd >= 0)
		close(s->exe_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
	fy_arena_trim();
	return code;
}
