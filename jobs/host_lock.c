/* The lock file of a job about one directory; see host_lock.h.
 * Open file description locks, because they are between any two descriptors (also of one process), end with the
 * process however it dies, and can be asked about without being taken, which flock cannot. */
#include "jobs/host_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_BYTES 1024 /* one write, inside one page: a reader sees the old or the new */
#define FORMAT "foyer-job 1\nstarted %lld\nfinished %lld\ndue %lld\nresult %d\nnote %s\ndetail %s\n"

static int open_at(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/.%s.job", dir, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
	return fd < 0 ? -errno : fd;
}

int fy_host_lock_take(const char *dir, const char *name, int *ret_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_at(dir, name, O_RDWR | O_CREAT);

	if (fd == -ENOENT)
		return FY_ERR_NOT_FOUND;
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		int err = errno;
		close(fd);
		return err == EAGAIN || err == EACCES ? FY_ERR_BUSY : -err;
	}
	*ret_fd = fd;
	return 0;
}

void fy_host_lock_drop(int fd)
{
	close(fd);
}

void fy_host_lock_load(int fd, struct fy_host_state *ret_state)
{
	char text[STATE_BYTES + 1];
	struct fy_host_state state = { 0 };
	ssize_t got = pread(fd, text, STATE_BYTES, 0);
	long long started, finished, due;
	int used = 0;

	*ret_state = state;
	if (got <= 0)
		return;
	text[got] = '\0';
	if (sscanf(text, "foyer-job 1\nstarted %lld\nfinished %lld\ndue %lld\nresult %d\nnote %n", &started, &finished,
		   &due, &state.last_result, &used) != 4 ||
	    used == 0)
		return;
	const char *note = strstr(text, "\nnote ") + 6, *end = strchr(note, '\n');
	const char *detail = end ? strstr(end, "\ndetail ") : NULL;
	const char *stop = detail ? strchr(detail + 8, '\n') : NULL;
	if (stop == NULL || (size_t)(end - note) >= sizeof state.note ||
	    (size_t)(stop - detail - 8) >= sizeof state.detail)
		return;
	memcpy(state.note, note, (size_t)(end - note));
	memcpy(state.detail, detail + 8, (size_t)(stop - detail - 8));
	state.last_started_at = started;
	state.last_finished_at = finished;
	state.next_due_at = due;
	*ret_state = state;
}

static void one_line(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; n < size - 1 && from[n]; n++)
		to[n] = from[n] == '\n' || from[n] == '\r' ? ' ' : from[n];
	to[n] = '\0';
}

int fy_host_lock_save(int fd, const struct fy_host_state *state)
{
	char text[STATE_BYTES], note[FY_JOB_NOTE_MAX], detail[FY_LEASE_DETAIL_MAX + 1];

	one_line(note, sizeof note, state->note);
	one_line(detail, sizeof detail, state->detail);
	int len = snprintf(text, sizeof text, FORMAT, (long long)state->last_started_at,
			   (long long)state->last_finished_at, (long long)state->next_due_at, state->last_result, note,
			   detail);
	memset(text + len, '\n', sizeof text - (size_t)len);
	ssize_t put = pwrite(fd, text, sizeof text, 0);
	return put == (ssize_t)sizeof text ? 0 : put < 0 ? -errno : -ENOSPC;
}

void fy_host_lock_peek(const char *dir, const char *name, bool *ret_held, struct fy_host_state *ret_state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_at(dir, name, O_RDONLY);

	*ret_held = false;
	memset(ret_state, 0, sizeof *ret_state);
	if (fd < 0)
		return;
	*ret_held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	fy_host_lock_load(fd, ret_state);
	close(fd);
}
