/* Keeps one program running: starts it, notices its end, waits longer each time it ends at once.
 * Called by embedded.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/process/child.h"

/* A log of ours that has grown past this is moved aside (one old one is kept) before the next start. */
#define LOG_BYTES_MAX (4 * 1024 * 1024)
#define ARGS_MAX 64

uint64_t fy_backoff_ms(unsigned deaths)
{
	if (deaths < 2)
		return 0;
	return deaths >= 7 ? 30000 : 1000ULL << (deaths - 2);
}

static void report(struct fy_kept_child *child, bool bad, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void report(struct fy_kept_child *child, bool bad, const char *format, ...)
{
	char sentence[256];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	if (child->report)
		child->report(child->arg, bad, sentence);
}

static int open_log(const char *path)
{
	char old[4200];
	struct stat st;

	if (stat(path, &st) == 0 && st.st_size > LOG_BYTES_MAX) {
		snprintf(old, sizeof(old), "%s.old", path);
		rename(path, old);
	}
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void on_timer(uv_timer_t *timer);
static void on_exit_status(uv_process_t *process, int64_t status, int signal);

static int spawn(struct fy_kept_child *child)
{
	char *args[ARGS_MAX + 6], parent[16];
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE } };
	uv_process_options_t options = {
		.file = "/proc/self/exe",
		.args = args,
		.exit_cb = on_exit_status,
		.stdio = stdio,
		.stdio_count = 3,
		.flags = UV_PROCESS_DETACHED, /* a Ctrl-C is for us alone */
	};
	size_t n = 0;
	int log = open_log(child->log_path), err;

	if (log < 0)
		return -errno;
	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	args[n++] = (char *)"foyer";
	args[n++] = (char *)"exec-child";
	args[n++] = parent;
	args[n++] = (char *)child->lock_path;
	args[n++] = (char *)child->program;
	for (char **arg = child->argv; *arg; arg++) {
		FY_REQUIRE(n < FY_COUNT(args) - 1);
		args[n++] = *arg;
	}
	args[n] = NULL;
	stdio[1] = stdio[2] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = log };
	memset(&child->process, 0, sizeof(child->process));
	child->process.data = child;
	err = uv_spawn(fy_loop(), &child->process, &options);
	close(log);
	child->open_handles++; /* libuv wants the handle closed even when the start failed */
	child->alive = err == 0;
	child->started_ms = fy_loop_ms();
	child->starts++;
	return err;
}

static void on_closed(uv_handle_t *handle)
{
	struct fy_kept_child *child = handle->data;

	child->open_handles--;
	if (child->stopping)
		fy_wait_done(&child->gone, 0);
}

/* The process handle is closed before it is used again: the next start waits for that, by the timer. */
static void restart_later(struct fy_kept_child *child, bool fast)
{
	uint64_t wait;

	child->deaths = fast ? child->deaths + 1 : 0;
	wait = fy_backoff_ms(child->deaths);
	if (wait)
		report(child, true, "%s ended at once %u times in a row; the next start is in %u s", child->name,
		       child->deaths, (unsigned)(wait / 1000));
	uv_timer_start(&child->timer, on_timer, wait ? wait : 1, 0);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal)
{
	struct fy_kept_child *child = process->data;

	child->alive = false;
	child->ends++;
	uv_close((uv_handle_t *)process, on_closed);
	if (child->stopping)
		return;
	if (signal)
		report(child, true, "%s was ended by signal %d", child->name, signal);
	else
		report(child, true, "%s ended with status %d", child->name, (int)status);
	restart_later(child, fy_loop_ms() - child->started_ms < FY_FAST_DEATH_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct fy_kept_child *child = timer->data;
	int err;

	if (child->stopping) {
		if (child->alive)
			uv_process_kill(&child->process, SIGKILL);
		return;
	}
	err = spawn(child);
	if (err) {
		uv_close((uv_handle_t *)&child->process, on_closed);
		report(child, true, "%s cannot be started: %s", child->name, uv_strerror(err));
		restart_later(child, true);
		return;
	}
	report(child, false, "%s was started again", child->name);
}

int fy_kept_child_start(struct fy_kept_child *child)
{
	int err;

	uv_timer_init(fy_loop(), &child->timer);
	child->timer.data = child;
	child->open_handles++;
	err = spawn(child);
	if (err)
		uv_close((uv_handle_t *)&child->process, on_closed);
	return err;
}

fy_async void fy_kept_child_stop(struct fy_kept_child *child, uint64_t limit_ms)
{
	child->stopping = true;
	if (child->alive) {
		uv_process_kill(&child->process, SIGTERM);
		uv_timer_start(&child->timer, on_timer, limit_ms, 0);
	}
	/* on_closed counts the process handle down; the timer is closed once that is gone. */
	while (child->alive || child->open_handles > 1)
		fy_wait(&child->gone, UINT64_MAX);
	uv_close((uv_handle_t *)&child->timer, on_closed);
	while (child->open_handles)
		fy_wait(&child->gone, UINT64_MAX);
}
