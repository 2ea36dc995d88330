/* Starts, watches, replaces and ends the workers of one crew.
 * The order of crews is the supervisor's; what happens inside a worker is the worker's. Called by the supervisor.
 *
 * A worker is started as `foyer worker INDEX COUNT KINDS` with these open files: 3 the control socket, 4 its
 * configuration, from 5 on the listening sockets in the order of KINDS. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/config/config.h"
#include "server/process/child.h"
#include "server/process/crew.h"

/* More than any configuration's text: 64 elements of a list, 4095 bytes of a path. */
#define CONFIG_BYTES_MAX (1024 * 1024)
#define FD_CONTROL 3
#define FD_CONFIG 4
#define FD_LISTENERS 5
#define FDS_MAX 64

/* A worker's own limit is drain_seconds; this much later it is taken for stuck. */
#define STUCK_MS 5000

/* A crew none of whose workers stays up gives up after so many fast deaths of one of them. */
#define START_DEATHS_MAX 4

struct worker {
	struct fy_crew *crew;
	unsigned index;
	uv_process_t process;
	uv_pipe_t control;
	uv_timer_t restart;
	bool alive, ready, paused, timer_open;
	unsigned open;   /* handles of this process that are not closed yet */
	unsigned deaths; /* fast ones in a row */
	uint64_t started_ms;
};

struct fy_crew {
	uv_loop_t *loop;
	enum fy_crew_state state;
	struct fy_config *config;
	struct fy_listeners listeners;
	struct fy_crew_events events;
	int exe_fd;
	bool failed;
	uv_timer_t stuck;
	bool stuck_open;
	unsigned count;
	struct worker workers[];
};

static void report(struct fy_crew *crew, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void report(struct fy_crew *crew, bool bad, const char *format, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	crew->events.report(crew->events.arg, bad, sentence);
}

static void on_stuck_closed(uv_handle_t *handle);

/* The crew is over when no process and no handle is left. */
static void look_if_gone(struct fy_crew *crew)
{
	if (crew->state != FY_CREW_DRAINING)
		return;
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->workers[i].alive || crew->workers[i].open || crew->workers[i].timer_open)
			return;
	if (crew->stuck_open) {
		if (!uv_is_closing((uv_handle_t *)&crew->stuck))
			uv_close((uv_handle_t *)&crew->stuck, on_stuck_closed);
		return;
	}
	crew->state = FY_CREW_GONE;
	crew->events.gone(crew->events.arg, crew);
}

static void on_stuck_closed(uv_handle_t *handle)
{
	struct fy_crew *crew = handle->data;

	crew->stuck_open = false;
	look_if_gone(crew);
}

static void on_restart(uv_timer_t *timer);

static void on_worker_timer_closed(uv_handle_t *handle)
{
	struct worker *w = handle->data;

	w->timer_open = false;
	look_if_gone(w->crew);
}

/* One of the process' handles is closed; when all are, the slot can be used again, or is done. */
static void on_worker_closed(uv_handle_t *handle)
{
	struct worker *w = handle->data;
	struct fy_crew *crew = w->crew;
	uint64_t wait;

	if (--w->open > 0)
		return;
	if (crew->state == FY_CREW_DRAINING) {
		look_if_gone(crew);
		return;
	}
	wait = fy_backoff_ms(w->deaths);
	if (wait) {
		report(crew, true, "worker %u ended at once %u times in a row; the next start is in %u s", w->index,
		       w->deaths, (unsigned)(wait / 1000));
		if (crew->state == FY_CREW_SERVING) {
			fy_listeners_pause(&crew->listeners, w->index);
			w->paused = true;
		}
	}
	uv_timer_start(&w->restart, on_restart, wait, 0);
}

static void close_worker(struct worker *w)
{
	uv_close((uv_handle_t *)&w->process, on_worker_closed);
	uv_close((uv_handle_t *)&w->control, on_worker_closed);
}

static void note_death(struct worker *w, bool fast)
{
	struct fy_crew *crew = w->crew;

	w->alive = w->ready = false;
	w->deaths = fast ? w->deaths + 1 : 0;
	if (crew->state == FY_CREW_STARTING && !crew->failed && w->deaths >= START_DEATHS_MAX) {
		crew->failed = true;
		crew->events.failed(crew->events.arg, crew);
	}
}

static void on_worker_exit(uv_process_t *process, int64_t status, int signal)
{
	struct worker *w = process->data;
	struct fy_crew *crew = w->crew;

	if (signal)
		report(crew, true, "worker %u (process %d) was ended by signal %d", w->index, (int)process->pid,
		       signal);
	else if (status || crew->state != FY_CREW_DRAINING)
		report(crew, true, "worker %u (process %d) ended with status %d", w->index, (int)process->pid,
		       (int)status);
	note_death(w, uv_now(crew->loop) - w->started_ms < FY_FAST_DEATH_MS);
	close_worker(w);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char bytes[64];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void note_ready(struct worker *w)
{
	struct fy_crew *crew = w->crew;

	w->ready = true;
	if (crew->state != FY_CREW_STARTING)
		return;
	for (unsigned i = 0; i < crew->count; i++)
		if (!crew->workers[i].ready)
			return;
	crew->state = FY_CREW_SERVING;
	crew->events.ready(crew->events.arg, crew);
}

static void on_control(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct worker *w = stream->data;

	if (n < 0)
		uv_read_stop(stream); /* its end is told by on_worker_exit */
	for (ssize_t i = 0; i < n; i++)
		if (buf->base[i] == FY_CONTROL_READY && w->alive)
			note_ready(w);
}

/* The configuration travels in memory: a file on disk may have changed since it was found good. */
static int config_file(const struct fy_config *config)
{
	struct fy_buf text;
	int fd = memfd_create("foyer-config", MFD_CLOEXEC);
	bool good;

	fy_buf_init(&text, NULL, CONFIG_BYTES_MAX);
	fy_config_write(config, &text);
	good = fd >= 0 && !text.failed && write(fd, text.ptr, text.len) == (ssize_t)text.len &&
	       lseek(fd, 0, SEEK_SET) == 0;
	explicit_bzero(text.ptr, text.len);
	fy_buf_finish(&text);
	if (good)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void spawn(struct worker *w)
{
	struct fy_crew *crew = w->crew;
	char exe[40], index[12], count[12], kinds[FDS_MAX + 1] = "";
	char *args[] = { (char *)"foyer", (char *)"worker", index, count, kinds, NULL };
	uv_stdio_container_t stdio[FDS_MAX] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = 1 },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 },
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
		  .data.stream = (uv_stream_t *)&w->control },
	};
	uv_process_options_t options = {
		.file = exe,
		.args = args,
		.exit_cb = on_worker_exit,
		.stdio = stdio,
		.flags = UV_PROCESS_DETACHED,
	};
	int config = config_file(crew->config), err;

	snprintf(exe, sizeof(exe), "/proc/self/fd/%d", crew->exe_fd);
	snprintf(index, sizeof(index), "%u", w->index);
	snprintf(count, sizeof(count), "%u", crew->count);
	stdio[FD_CONFIG] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = config };
	FY_REQUIRE(FD_LISTENERS + crew->listeners.count < FDS_MAX);
	for (unsigned i = 0; i < crew->listeners.count; i++) {
		stdio[FD_LISTENERS + i].flags = UV_INHERIT_FD;
		stdio[FD_LISTENERS + i].data.fd = fy_listener_fd(&crew->listeners.items[i], w->index);
		kinds[i] = (char)('0' + crew->listeners.items[i].kind);
	}
	options.stdio_count = (int)(FD_LISTENERS + crew->listeners.count);
	if (w->paused)
		fy_listeners_resume(&crew->listeners, w->index);
	w->paused = false;
	memset(&w->process, 0, sizeof(w->process));
	uv_pipe_init(crew->loop, &w->control, 0);
	w->process.data = w->control.data = w;
	w->started_ms = uv_now(crew->loop);
	w->open = 2;
	err = config < 0 ? UV_EIO : uv_spawn(crew->loop, &w->process, &options);
	if (config < 0)
		w->open = 1; /* the process handle was never made */
	else
		close(config);
	if (err) {
		report(crew, true, "worker %u cannot be started: %s", w->index, uv_strerror(err));
		note_death(w, true);
		if (w->open == 2)
			uv_close((uv_handle_t *)&w->process, on_worker_closed);
		uv_close((uv_handle_t *)&w->control, on_worker_closed);
		return;
	}
	w->alive = true;
	uv_read_start((uv_stream_t *)&w->control, on_alloc, on_control);
}

static void on_restart(uv_timer_t *timer)
{
	struct worker *w = timer->data;

	if (w->crew->state != FY_CREW_DRAINING)
		spawn(w);
}

struct fy_crew *fy_crew_start(uv_loop_t *loop, struct fy_config *config, struct fy_listeners *listeners,
			      unsigned workers, int exe_fd, const struct fy_crew_events *events)
{
	struct fy_crew *crew = calloc(1, sizeof(*crew) + workers * sizeof(crew->workers[0]));

	FY_REQUIRE(crew != NULL);
	crew->loop = loop;
	crew->state = FY_CREW_STARTING;
	crew->config = config;
	crew->listeners = *listeners;
	crew->events = *events;
	crew->exe_fd = exe_fd;
	crew->count = workers;
	*listeners = (struct fy_listeners){ .count = 0 };
	uv_timer_init(loop, &crew->stuck);
	crew->stuck.data = crew;
	crew->stuck_open = true;
	for (unsigned i = 0; i < workers; i++) {
		struct worker *w = &crew->workers[i];

		w->crew = crew;
		w->index = i;
		uv_timer_init(loop, &w->restart);
		w->restart.data = w;
		w->timer_open = true;
		spawn(w);
	}
	return crew;
}

enum fy_crew_state fy_crew_state(const struct fy_crew *crew)
{
	return crew->state;
}

const struct fy_config *fy_crew_config(const struct fy_crew *crew)
{
	return crew->config;
}

struct fy_listeners *fy_crew_listeners(struct fy_crew *crew)
{
	return &crew->listeners;
}

unsigned fy_crew_size(const struct fy_crew *crew)
{
	return crew->count;
}

/* A worker that does not take a byte is stuck, and the timer will see to it. */
static void tell_all(struct fy_crew *crew, char message)
{
	uv_buf_t buf = uv_buf_init(&message, 1);

	for (unsigned i = 0; i < crew->count; i++)
		if (crew->workers[i].alive)
			uv_try_write((uv_stream_t *)&crew->workers[i].control, &buf, 1);
}

static void on_stuck(uv_timer_t *timer)
{
	struct fy_crew *crew = timer->data;

	for (unsigned i = 0; i < crew->count; i++) {
		struct worker *w = &crew->workers[i];

		if (!w->alive)
			continue;
		report(crew, true, "worker %u (process %d) did not end in time and is killed", w->index,
		       (int)w->process.pid);
		uv_process_kill(&w->process, SIGKILL);
	}
}

static void leave(struct fy_crew *crew, char message, uint64_t limit_ms)
{
	bool first = crew->state != FY_CREW_DRAINING;

	if (crew->state == FY_CREW_GONE)
		return;
	crew->state = FY_CREW_DRAINING;
	tell_all(crew, message);
	uv_timer_start(&crew->stuck, on_stuck, limit_ms, 0);
	for (unsigned i = 0; first && i < crew->count; i++)
		uv_close((uv_handle_t *)&crew->workers[i].restart, on_worker_timer_closed);
}

void fy_crew_drain(struct fy_crew *crew)
{
	leave(crew, FY_CONTROL_DRAIN, (uint64_t)crew->config->server_drain_seconds * 1000 + STUCK_MS);
}

void fy_crew_quit(struct fy_crew *crew)
{
	leave(crew, FY_CONTROL_QUIT, STUCK_MS);
}

void fy_crew_reopen_logs(struct fy_crew *crew)
{
	tell_all(crew, FY_CONTROL_REOPEN);
}

void fy_crew_destroy(struct fy_crew *crew, const struct fy_listeners *keep)
{
	FY_REQUIRE(crew->state == FY_CREW_GONE);
	fy_listeners_close(&crew->listeners, keep);
	fy_config_destroy(crew->config);
	free(crew);
}
