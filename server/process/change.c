/* Which crew serves: the first start, a reload of the configuration, and the exchange of the binary.
 *
 *     HUP   new configuration ─ listeners ─ next crew ─ ready ─► it serves, the old crew drains
 *     USR2  the new binary's `migrate` first, then the same with that binary
 *
 * Whatever fails on the way leaves the serving crew as it is. Workers are crew.c's; start and stop of everything
 * else supervisor.c's, which calls this. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/ctx.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "server/process/notify.h"
#include "server/process/supervisor_state.h"

/* Above every number that a worker's own files get (crew.c). */
#define EXE_FD_MIN 200

unsigned fy_supervisor_workers(const struct fy_config *config)
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

/* Opened at the start, so that a worker that is replaced tomorrow is the program that runs today. */
int fy_supervisor_open_exe(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, EXE_FD_MIN);
	close(fd);
	return high;
}

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

bool fy_supervisor_any_crew(const struct supervisor *s)
{
	for (size_t i = 0; i < CREWS_MAX; i++)
		if (s->crews[i] != NULL)
			return true;
	return false;
}

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
		fy_supervisor_say(s, false, "%s",
				  s->exchanging ? "the new program serves" : "the new configuration serves");
		fy_supervisor_write_address(s);
		fy_notify("READY=1\nSTATUS=Serving");
	}
	s->exchanging = false;
	fy_wait_done(&s->changed, 0);
	fy_supervisor_change(s);
}

static void on_crew_failed(void *arg, struct fy_crew *crew)
{
	struct supervisor *s = arg;

	s->crew_failed = true;
	if (s->serving != NULL) {
		fy_supervisor_say(s, true, "the new workers do not start; the old ones go on");
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
		fy_supervisor_change(s);
	}
}

struct fy_crew *fy_supervisor_start_crew(struct supervisor *s, struct fy_config *config, struct fy_listeners *listeners,
					 int exe_fd)
{
	struct fy_crew_events events = { on_crew_ready, on_crew_failed, on_crew_gone, fy_supervisor_report, s };

	for (size_t i = 0; i < CREWS_MAX; i++) {
		if (s->crews[i] != NULL)
			continue;
		s->crews[i] =
			fy_crew_start(&s->loop, config, listeners, fy_supervisor_workers(config), exe_fd, &events);
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
			fy_supervisor_say(s, true, "%s:%u: %s", p->origin, p->line, p->text);
		else
			fy_supervisor_say(s, true, "%s: %s", p->origin, p->text);
	}
}

/* What the running databases and the lock stand for cannot move under them. */
static bool may_replace(struct supervisor *s, const struct fy_config *config)
{
	const struct fy_config *old = fy_crew_config(s->serving);

	if (config->embedded != old->embedded || !fy_eq(config->state_directory, old->state_directory)) {
		fy_supervisor_say(
			s, true,
			"state.directory and embedded mode cannot change while Foyer runs; restart it for that");
		return false;
	}
	return true;
}

void fy_supervisor_base_url(struct fy_config *config, const struct fy_listeners *listeners)
{
	char origin[192];
	size_t len;

	if (config->server_base_url.len)
		return;
	fy_listeners_origin(listeners, origin);
	/* No browser opens a unix socket: behind it is a proxy whose name only server.base_url could tell. */
	if (fy_starts(fy_str(origin), FY_LIT("unix:")))
		snprintf(origin, sizeof(origin), "http://localhost");
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
		fy_supervisor_say(s, true, "too many crews are draining; the change is not made");
		return false;
	}
	if (fy_config_load(&s->options->source, &config, &report) != 0) {
		print_report(s, &report);
		fy_config_report_finish(&report);
		fy_supervisor_say(s, true, "the new configuration is not used; the old one stays");
		return false;
	}
	fy_config_report_finish(&report);
	if (!may_replace(s, config)) {
		fy_config_destroy(config);
		return false;
	}
	if (fy_listeners_open(config, fy_supervisor_workers(config), fy_crew_listeners(s->serving), &listeners, &soft,
			      why) != 0) {
		fy_supervisor_say(s, true, "%s; the old configuration stays", why);
		fy_config_destroy(config);
		return false;
	}
	fy_supervisor_base_url(config, &listeners);
	fy_log_threshold = (enum fy_log_level)config->log_level;
	s->crew_failed = false;
	s->next = fy_supervisor_start_crew(s, config, &listeners, exe_fd);
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
	int err, status = 0, exe_fd = fy_supervisor_open_exe(s->exe_path);

	fy_arena_init(&arena, 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", exe_fd);
	struct fy_ctx ctx = { .arena = &arena, .deadline_ms = fy_loop_ms() + START_LIMIT_MS };
	struct fy_child child = { .file = file, .argv = (char *const *)s->options->migrate_args, .output_max = 4096 };

	err = exe_fd < 0 ? FY_ERR_IO : fy_await_child(&ctx, &child, &status, &output);
	if (err || status) {
		fy_supervisor_say(s, true, "the new program cannot be used (%s); the old one goes on",
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
		fy_supervisor_change(s);
	}
	fy_arena_finish(&arena);
	fy_wait_done(&s->changed, 0);
}

/* One change at a time; what was asked for meanwhile follows. */
void fy_supervisor_change(struct supervisor *s)
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
