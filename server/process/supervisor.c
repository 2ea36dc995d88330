/* `foyer serve`: starts everything in order, keeps it running, and stops it in the opposite order.
 *
 *     state directory ─ listening sockets ─ embedded databases ─ keys, migrations ─ crew ─► ready
 *     HUP, USR2: the next crew starts beside the serving one, which drains when the next is ready
 *     TERM, INT: crews drain ─ Redis ─ MariaDB ─► end
 *
 * One fiber walks through start and stop; signals and crews report by callbacks. Workers are crew.c's, databases
 * embedded.c's, what is prepared in storage start.c's. Called by server/cli/serve.c. */
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

#include "foyer/fiber.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "server/process/crew.h"
#include "server/process/embedded.h"
#include "server/process/listeners.h"
#include "server/process/notify.h"
#include "server/process/start.h"
#include "server/process/state.h"
#include "server/process/supervisor.h"

/* InnoDB's recovery and a migration of a large table may take long; a supervisor that gives up would make it
 * longer. systemd's own limit is what ends a start that hangs. */
#define START_LIMIT_MS (15 * 60 * 1000)

/* Crews that drain at a time; each reload adds one. */
#define CREWS_MAX 16

/* Above every number that a worker's own files get (crew.c). */
#define EXE_FD_MIN 200

static const int handled_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };

struct supervisor {
	const struct fy_serve_options *options;
	uv_loop_t loop;
	uv_signal_t signals[FY_COUNT(handled_signals)];
	struct fy_config *config;      /* until the first crew takes it over */
	struct fy_listeners listeners; /* the same */
	char state_dir[4096], log_path[4200];
	char exe_path[4096];
	int exe_fd, lock_fd;
	struct fy_logfile *start_log; /* open while storage is started, for what the clients log */
	struct fy_embedded *embedded;
	struct fy_crew *crews[CREWS_MAX]; /* all that are not GONE */
	struct fy_crew *serving, *next;   /* two of them, or NULL */
	unsigned stop_signals;
	bool reload_wanted, exchange_wanted, exchanging;
	int next_exe_fd; /* of an exchange under way, or -1 */
	int exit_code;
	struct fy_wait changed; /* wakes the fiber: ready, failed, gone, stop */
	bool crew_failed;
	char set_up_link[512];
};

/* Once for eyes, once for the log. The file is opened for the one line, so that an idle supervisor holds no log open
 * that was rotated away. */
static void say(struct supervisor *s, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct supervisor *s, bool bad, const char *format, ...)
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

static void on_report(void *arg, bool bad, const char *sentence)
{
	say(arg, bad, "%s", sentence);
}

static unsigned worker_count(const struct fy_config *config)
{
	uv_cpu_info_t *infos;
	int cores = 0;
	cpu_set_t set;

	if (config->server_workers)
		return (unsigned)config->server_workers;
	/* What this process may use, which a container limits, rather than what the machine has. */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = CPU_COUNT(&set);
	else if (uv_cpu_info(&infos, &cores) == 0)
		uv_free_cpu_info(infos, cores);
	return cores > 0 ? (unsigned)cores : 1;
}

static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Opened at the start, so that a worker that is replaced tomorrow is the program that runs today. */
static int open_exe(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, EXE_FD_MIN);
	close(fd);
	return high;
}

/* ---- crews ---- */

static void forget_crew(struct supervisor *s, struct fy_crew *crew)
{
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i] == crew)
			s->crews[i] = NULL;
	if (s->serving == crew)
		s->serving = NULL;
	if (s->next == crew)
		s->next = NULL;
}

static bool any_crew(const struct supervisor *s)
{
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i] != NULL)
			return true;
	return false;
}

static void begin_wanted_change(struct supervisor *s);
static void write_address(struct supervisor *s);

static void on_crew_ready(void *arg, struct fy_crew *crew)
{
	struct supervisor *s = arg;
	struct fy_crew *old = s->serving;

	s->serving = crew;
	if (s->next == crew)
		s->next = NULL;
	if (s->next_exe_fd >= 0) {
		/* The old crew may have to replace no worker any more: it drains. */
		close(s->exe_fd);
		s->exe_fd = s->next_exe_fd;
		s->next_exe_fd = -1;
	}
	if (old != NULL) {
		fy_crew_drain(old);
		say(s, false, "%s", s->exchanging ? "the new program serves" : "the new configuration serves");
		write_address(s);
		fy_notify("READY=1\nSTATUS=Serving");
	}
	s->exchanging = false;
	fy_wait_done(&s->changed, 0);
	begin_wanted_change(s);
}

static void on_crew_failed(void *arg, struct fy_crew *crew)
{
	struct supervisor *s = arg;

	s->crew_failed = true;
	if (s->serving != NULL) {
		say(s, true, "the new workers do not start; the old ones go on");
		fy_notify("READY=1\nSTATUS=Serving; the last change failed");
	}
	fy_crew_quit(crew);
	fy_wait_done(&s->changed, 0);
}

static void on_crew_gone(void *arg, struct fy_crew *crew)
{
	struct supervisor *s = arg;
	bool was_next = s->next == crew;

	forget_crew(s, crew);
	fy_crew_destroy(crew, s->serving ? fy_crew_listeners(s->serving) : NULL);
	fy_wait_done(&s->changed, 0);
	if (was_next) {
		if (s->next_exe_fd >= 0)
			close(s->next_exe_fd);
		s->next_exe_fd = -1;
		s->exchanging = false;
		begin_wanted_change(s);
	}
}

static struct fy_crew *start_crew(struct supervisor *s, struct fy_config *config, struct fy_listeners *listeners,
				  int exe_fd)
{
	struct fy_crew_events events = { on_crew_ready, on_crew_failed, on_crew_gone, on_report, s };

	for (size_t i = 0; i < CREWS_MAX; i++) {
		if (s->crews[i] != NULL)
			continue;
		s->crews[i] = fy_crew_start(&s->loop, config, listeners, worker_count(config), exe_fd, &events);
		return s->crews[i];
	}
	return NULL;
}

static bool crew_slot_free(const struct supervisor *s)
{
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i] == NULL)
			return true;
	return false;
}

/* ---- reload and exchange ---- */

static void print_report(struct supervisor *s, const struct fy_config_report *report)
{
	for (const struct fy_config_problem *p = report->first; p; p = p->next) {
		if (p->line)
			say(s, true, "%s:%u: %s", p->origin, p->line, p->text);
		else
			say(s, true, "%s: %s", p->origin, p->text);
	}
}

/* What the running databases and the lock stand for cannot move under them. */
static bool may_replace(struct supervisor *s, const struct fy_config *config)
{
	const struct fy_config *old = fy_crew_config(s->serving);

	if (config->embedded != old->embedded || !fy_eq(config->state_directory, old->state_directory)) {
		say(s, true, "state.directory and embedded mode cannot change while Foyer runs; restart it for that");
		return false;
	}
	return true;
}

static void derive_base_url(struct fy_config *config, const struct fy_listeners *listeners)
{
	char origin[192];
	size_t len;

	if (config->server_base_url.len)
		return;
	fy_listeners_origin(listeners, origin);
	/* The port that the scheme implies is left out, as browsers do (RFC 6454 section 6.1). */
	len = strlen(origin);
	if (fy_starts(fy_str(origin), FY_LIT("http://")) && len > 3 && strcmp(origin + len - 3, ":80") == 0)
		len -= 3;
	if (fy_starts(fy_str(origin), FY_LIT("https://")) && len > 4 && strcmp(origin + len - 4, ":443") == 0)
		len -= 4;
	fy_config_set_base_url(config, fy_slice(origin, len));
}

/* Everything that can be wrong with a change is found here, before a worker of the next crew starts. */
static bool begin_change(struct supervisor *s, int exe_fd)
{
	struct fy_config_report report;
	struct fy_config *config = NULL;
	struct fy_listeners listeners;
	char why[512];
	bool soft;

	if (!crew_slot_free(s)) {
		say(s, true, "too many crews are draining; the change is not made");
		return false;
	}
	if (fy_config_load(&s->options->source, &config, &report) != 0) {
		print_report(s, &report);
		fy_config_report_finish(&report);
		say(s, true, "the new configuration is not used; the old one stays");
		return false;
	}
	fy_config_report_finish(&report);
	if (!may_replace(s, config)) {
		fy_config_destroy(config);
		return false;
	}
	if (fy_listeners_open(config, worker_count(config), fy_crew_listeners(s->serving), &listeners, &soft, why) !=
	    0) {
		say(s, true, "%s; the old configuration stays", why);
		fy_config_destroy(config);
		return false;
	}
	derive_base_url(config, &listeners);
	fy_log_threshold = (enum fy_log_level)config->log_level;
	s->crew_failed = false;
	s->next = start_crew(s, config, &listeners, exe_fd);
	return s->next != NULL;
}

static void reload(struct supervisor *s)
{
	fy_notify_reloading();
	if (!begin_change(s, s->exe_fd))
		fy_notify("READY=1\nSTATUS=Serving; the last reload failed");
}

struct exchange {
	struct supervisor *s;
	int exe_fd;
};

/* The new program's migrations come first: its statements are checked against them. */
static fy_async void exchange_fiber(void *arg)
{
	struct supervisor *s = arg;
	struct fy_arena arena;
	struct fy_slice output = FY_NONE;
	char file[40];
	int err, status = 0, exe_fd = open_exe(s->exe_path);

	fy_arena_init(&arena, 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", exe_fd);
	struct fy_ctx ctx = { .arena = &arena, .deadline_ms = fy_loop_ms() + START_LIMIT_MS };
	struct fy_child child = { .file = file, .argv = (char *const *)s->options->migrate_args, .output_max = 4096 };

	err = exe_fd < 0 ? FY_ERR_IO : fy_await_child(&ctx, &child, &status, &output);
	if (err || status) {
		say(s, true, "the new program cannot be used (%s); the old one goes on",
		    err ? fy_strerror(err) : "its migrate command failed");
	} else if (s->stop_signals == 0 && s->next == NULL) {
		s->next_exe_fd = exe_fd;
		exe_fd = -1;
		if (!begin_change(s, s->next_exe_fd)) {
			close(s->next_exe_fd);
			s->next_exe_fd = -1;
		}
	}
	if (exe_fd >= 0)
		close(exe_fd);
	if (s->next == NULL) {
		s->exchanging = false;
		begin_wanted_change(s);
	}
	fy_arena_finish(&arena);
	fy_wait_done(&s->changed, 0);
}

/* One change at a time; what was asked for meanwhile follows. */
static void begin_wanted_change(struct supervisor *s)
{
	if (s->serving == NULL || s->next != NULL || s->exchanging || s->stop_signals)
		return;
	if (s->exchange_wanted) {
		s->exchange_wanted = false;
		s->exchanging = true;
		if (fy_fiber_start(exchange_fiber, s) != 0)
			s->exchanging = false;
	} else if (s->reload_wanted) {
		s->reload_wanted = false;
		reload(s);
	}
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
	begin_wanted_change(s);
}

/* ---- start and stop, in one fiber ---- */

static fy_async int start_storage(struct supervisor *s, struct fy_ctx *ctx)
{
	char why[FY_EMBEDDED_WHY_MAX];
	int code = fy_start_keys(s->config, why), err;

	s->start_log = fy_logfile_open(s->log_path, &err);
	if (s->start_log)
		fy_log_to(s->start_log, fy_log_threshold);
	if (code == 0 && s->config->embedded && fy_embedded_start(ctx, s->config, on_report, s, &s->embedded, why) != 0)
		code = FY_EXIT_FAILED;
	if (code == 0 && s->stop_signals == 0)
		code = fy_start_storage(ctx, s->config, s->set_up_link, sizeof(s->set_up_link), why);
	if (code)
		say(s, true, "%s", why);
	fy_log_to(NULL, fy_log_threshold);
	fy_logfile_close(s->start_log);
	s->start_log = NULL;
	return code;
}

static fy_async int start_workers(struct supervisor *s)
{
	s->next = start_crew(s, s->config, &s->listeners, s->exe_fd);
	s->config = NULL;
	while (s->serving == NULL && !s->crew_failed && s->stop_signals == 0)
		fy_wait(&s->changed, UINT64_MAX);
	if (s->crew_failed) {
		say(s, true, "the workers do not start; %s may say why", s->log_path);
		return FY_EXIT_FAILED;
	}
	return 0;
}

/* For `foyer healthcheck`, which cannot know the port that the kernel gave. */
static void write_address(struct supervisor *s)
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

	write_address(s);
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
	while (any_crew(s) || s->exchanging)
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
	if (n <= 0 || (s->exe_fd = open_exe("/proc/self/exe")) < 0) {
		say(s, true, "cannot find the program's own file: %s", strerror(errno));
		return FY_EXIT_FAILED;
	}
	if (fy_listeners_open(config, worker_count(config), NULL, &s->listeners, &soft, why) != 0) {
		say(s, true, "%s", why);
		return FY_EXIT_FAILED;
	}
	if (soft)
		say(s, true, "%s, so there are no metrics", why);
	/* Gives up root once the ports are open. A reload can then open no new port below 1024. */
	code = fy_state_become_user(config->server_user.ptr, config->state_directory.ptr, why);
	if (code == 0)
		code = fy_state_prepare(config->state_directory.ptr, config->log_directory.ptr,
					config->mail_directory.ptr, why);
	if (code) {
		say(s, true, "%s", why);
		return code;
	}
	s->lock_fd = fy_state_lock(config->state_directory.ptr, &pid);
	if (s->lock_fd < 0) {
		say(s, true, "another Foyer (process %d) uses the state directory %s", pid,
		    config->state_directory.ptr);
		return FY_EXIT_FAILED;
	}
	derive_base_url(s->config, &s->listeners);
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
