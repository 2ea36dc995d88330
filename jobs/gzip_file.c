/* Compressing one log file; see gzip_file.h.
 *
 *     source ─read, deflate─► .target.tmp ─fsync, rename─► target ─fsync of the directory─► source unlinked
 *
 * Killed before the rename: the temporary file is removed by the next run, which starts again. Killed after it: the
 * next run finds both, compares, and only unlinks. */
#include "jobs/gzip_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "foyer/err.h"
#include "jobs/rotate_plan.h"

#define CHUNK 65536
#define WITH_GZIP_HEADER (15 + 16) /* window bits of deflateInit2 and inflateInit2 */

struct fy_gzip_file {
	int dir, in, out; /* out is the temporary file, or while comparing the target */
	char name[FY_ROTATE_NAME_MAX], target[FY_ROTATE_NAME_MAX], temp[FY_ROTATE_NAME_MAX + 8];
	struct stat source;
	bool comparing, has_stream, has_temp;
	z_stream stream;
	unsigned char plain[CHUNK], packed[CHUNK];
};

int fy_gzip_open(const char *dir, const char *name, const char *target, struct fy_gzip_file **ret_file)
{
	struct fy_gzip_file *file = calloc(1, sizeof *file);
	int err = 0;

	if (file == NULL)
		return FY_ERR_NOMEM;
	file->dir = file->in = file->out = -1;
	snprintf(file->name, sizeof file->name, "%s", name);
	snprintf(file->target, sizeof file->target, "%s", target);
	snprintf(file->temp, sizeof file->temp, ".%s.tmp", target);
	file->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir >= 0)
		file->in = openat(file->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file->in < 0 || fstat(file->in, &file->source) != 0)
		err = -errno;
	else if (flock(file->in, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? FY_ERR_BUSY : -errno;
	if (err) {
		fy_gzip_close(file);
		return err;
	}
	*ret_file = file;
	return 0;
}

static int start(struct fy_gzip_file *file)
{
	/* Its size may have grown until the lock was ours. */
	if (fstat(file->in, &file->source) != 0)
		return -errno;
	file->out = openat(file->dir, file->target, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	file->comparing = file->out >= 0;
	if (!file->comparing) {
		if (errno != ENOENT)
			return -errno;
		file->out = openat(file->dir, file->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				   file->source.st_mode & 0777);
		if (file->out < 0)
			return -errno;
		file->has_temp = true;
	}
	int code = file->comparing ? inflateInit2(&file->stream, WITH_GZIP_HEADER)
				   : deflateInit2(&file->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WITH_GZIP_HEADER, 8,
						  Z_DEFAULT_STRATEGY);
	if (code != Z_OK)
		return FY_ERR_NOMEM;
	file->has_stream = true;
	return 0;
}

static int read_some(int fd, unsigned char *to, size_t size, size_t *ret_got)
{
	ssize_t got;

	do
		got = read(fd, to, size);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*ret_got = (size_t)got;
	return 0;
}

static int write_all(int fd, const unsigned char *from, size_t len)
{
	while (len) {
		ssize_t put = write(fd, from, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -ENOSPC;
		from += put;
		len -= (size_t)put;
	}
	return 0;
}

static int drop_source(struct fy_gzip_file *file)
{
	if (fsync(file->dir) != 0 || unlinkat(file->dir, file->name, 0) != 0 || fsync(file->dir) != 0)
		return -errno;
	return 0;
}

static int publish(struct fy_gzip_file *file)
{
	const struct timespec times[2] = { file->source.st_atim, file->source.st_mtim };

	if (futimens(file->out, times) != 0 || fsync(file->out) != 0 ||
	    renameat(file->dir, file->temp, file->dir, file->target) != 0)
		return -errno;
	file->has_temp = false;
	return drop_source(file);
}

static int pack(struct fy_gzip_file *file, size_t max, bool *ret_done)
{
	size_t taken = 0, got;
	int err, code = Z_OK;

	while (taken < max && code != Z_STREAM_END) {
		err = read_some(file->in, file->plain, CHUNK, &got);
		if (err)
			return err;
		taken += got;
		file->stream.next_in = file->plain;
		file->stream.avail_in = (uInt)got;
		do {
			file->stream.next_out = file->packed;
			file->stream.avail_out = CHUNK;
			code = deflate(&file->stream, got ? Z_NO_FLUSH : Z_FINISH);
			if (code == Z_STREAM_ERROR)
				return FY_ERR_INTERNAL;
			err = write_all(file->out, file->packed, CHUNK - file->stream.avail_out);
			if (err)
				return err;
		} while (file->stream.avail_out == 0);
	}
	*ret_done = code == Z_STREAM_END;
	return *ret_done ? publish(file) : 0;
}

/* A whole chunk, less only at the end. */
static int read_full(int fd, unsigned char *to, size_t size, size_t *ret_got)
{
	size_t total = 0, got = 1;
	int err = 0;

	while (total < size && got && err == 0) {
		err = read_some(fd, to + total, size - total, &got);
		total += err ? 0 : got;
	}
	*ret_got = total;
	return err;
}

/* Unpacks the target and holds it against the source, CHUNK bytes at a time. */
static int compare(struct fy_gzip_file *file, size_t max, bool *ret_done)
{
	static const size_t half = CHUNK / 2;
	size_t taken = 0, got, expected;
	int err, code = Z_OK;

	while (taken < max && code != Z_STREAM_END) {
		file->stream.next_out = file->plain;
		file->stream.avail_out = (uInt)half;
		while (file->stream.avail_out && code != Z_STREAM_END) {
			if (file->stream.avail_in == 0) {
				err = read_some(file->out, file->packed, CHUNK, &got);
				if (err)
					return err;
				if (got == 0)
					return FY_ERR_EXISTS; /* cut off: not written by pack */
				file->stream.next_in = file->packed;
				file->stream.avail_in = (uInt)got;
			}
			code = inflate(&file->stream, Z_NO_FLUSH);
			if (code != Z_OK && code != Z_STREAM_END)
				return FY_ERR_EXISTS;
		}
		expected = half - file->stream.avail_out;
		err = read_full(file->in, file->plain + half, expected, &got);
		if (err)
			return err;
		if (got != expected || memcmp(file->plain, file->plain + half, got) != 0)
			return FY_ERR_EXISTS;
		taken += got;
	}
	if (code != Z_STREAM_END)
		return 0;
	err = read_full(file->in, file->plain, 1, &got);
	if (err || got || file->stream.avail_in)
		return err ? err : FY_ERR_EXISTS; /* the source goes on, or the target does */
	*ret_done = true;
	return drop_source(file);
}

int fy_gzip_slice(struct fy_gzip_file *file, size_t max, bool *ret_done)
{
	int err = file->has_stream ? 0 : start(file);

	*ret_done = false;
	if (err)
		return err;
	return file->comparing ? compare(file, max, ret_done) : pack(file, max, ret_done);
}

void fy_gzip_close(struct fy_gzip_file *file)
{
	if (file == NULL)
		return;
	if (file->has_stream && file->comparing)
		inflateEnd(&file->stream);
	else if (file->has_stream)
		deflateEnd(&file->stream);
	if (file->has_temp)
		unlinkat(file->dir, file->temp, 0);
	if (file->out >= 0)
		close(file->out);
	if (file->in >= 0)
		close(file->in);
	if (file->dir >= 0)
		close(file->dir);
	free(file);
}
