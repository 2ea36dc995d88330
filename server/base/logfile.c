/* A log file with several writing processes, that a rotator may rename at any time.
 * Each writer keeps a shared flock on what it has open, so the rotator knows when a renamed file has no
 * writer left (jobs/rotate.c). Workers open one for the access log and one for events. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "foyer/buf.h"
#include "foyer/err.h"
#include "foyer/log.h"
#include "foyer/require.h"

#define PENDING_MAX ((size_t)1 << 20) /* lines held while the disk refuses them */

struct fy_logfile {
	char *path;
	int fd;
	struct fy_buf pending;
	uint64_t lost;
	time_t checked;
};

/* Opens what stands at `path` now. Between the open and the lock a rotator may have renamed the file and
 * taken it, so the lock counts only if the path still leads to the same file. */
static int open_locked(const char *path)
{
	for (int tries = 0; tries < 100; tries++) {
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (fd < 0)
			return -errno;
		struct stat at_path, at_fd;
		if (flock(fd, LOCK_SH | LOCK_NB) == 0 && stat(path, &at_path) == 0 && fstat(fd, &at_fd) == 0 &&
		    at_path.st_ino == at_fd.st_ino && at_path.st_dev == at_fd.st_dev)
			return fd;
		close(fd);
	}
	return FY_ERR_BUSY;
}

struct fy_logfile *fy_logfile_open(const char *path, int *ret_err)
{
	int fd = open_locked(path);
	if (fd < 0) {
		*ret_err = fd;
		return NULL;
	}
	struct fy_logfile *file = calloc(1, sizeof *file);
	FY_REQUIRE(file != NULL);
	file->path = strdup(path);
	FY_REQUIRE(file->path != NULL);
	file->fd = fd;
	fy_buf_init(&file->pending, NULL, PENDING_MAX);
	return file;
}

void fy_logfile_close(struct fy_logfile *file)
{
	if (file == NULL)
		return;
	fy_logfile_flush(file);
	close(file->fd);
	fy_buf_finish(&file->pending);
	free(file->path);
	free(file);
}

void fy_logfile_line(struct fy_logfile *file, struct fy_slice line)
{
	char *at = fy_buf_reserve(&file->pending, line.len + 1);
	if (at == NULL) { /* keep the older lines and count what is lost */
		file->pending.failed = false;
		file->lost++;
		return;
	}
	memcpy(at, line.ptr, line.len);
	at[line.len] = '\n';
	file->pending.len += line.len + 1;
}

static void write_pending(struct fy_logfile *file)
{
	while (file->pending.len) {
		ssize_t put = write(file->fd, file->pending.ptr, file->pending.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return; /* a full disk: the lines wait for the next flush */
		memmove(file->pending.ptr, file->pending.ptr + put, file->pending.len - (size_t)put);
		file->pending.len -= (size_t)put;
	}
}

void fy_logfile_reopen(struct fy_logfile *file)
{
	write_pending(file);
	int fd = open_locked(file->path);
	if (fd < 0)
		return; /* goes on with the old one; the next check tries again */
	close(file->fd);
	file->fd = fd;
}

void fy_logfile_flush(struct fy_logfile *file)
{
	write_pending(file);
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec == file->checked)
		return;
	file->checked = now.tv_sec;
	struct stat at_path, at_fd;
	if (fstat(file->fd, &at_fd) == 0 &&
	    (stat(file->path, &at_path) != 0 || at_path.st_ino != at_fd.st_ino || at_path.st_dev != at_fd.st_dev))
		fy_logfile_reopen(file);
}

uint64_t fy_logfile_lost(const struct fy_logfile *file)
{
	return file->lost;
}
