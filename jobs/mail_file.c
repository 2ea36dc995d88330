/* Mail as files; see mail_file.h. The temporary name is made from the final one, so that what a kill leaves behind is
 * overwritten when the same mail is delivered again, which it will be. */
#include "jobs/mail_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/err.h"

static int write_all(int fd, struct fy_slice text)
{
	while (text.len) {
		ssize_t put = write(fd, text.ptr, text.len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -ENOSPC;
		text = fy_from(text, (size_t)put);
	}
	return fsync(fd) ? -errno : 0;
}

int fy_mail_file_write(const char *dir, struct fy_slice name, struct fy_secret message)
{
	char file[NAME_MAX + 1], temp[NAME_MAX + 1];

	if (snprintf(file, sizeof file, FY_FMT ".eml", FY_ARG(name)) >= (int)sizeof file ||
	    snprintf(temp, sizeof temp, "." FY_FMT ".tmp", FY_ARG(name)) >= (int)sizeof temp)
		return -ENAMETOOLONG;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return -errno;
	int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -errno;
	int fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err = 0;
	if (fd < 0) {
		err = -errno;
		close(dir_fd);
		return err;
	}
	err = write_all(fd, message.text);
	if (close(fd) != 0 && err == 0)
		err = -errno;
	if (err == 0 && renameat(dir_fd, temp, dir_fd, file) != 0)
		err = -errno;
	if (err)
		unlinkat(dir_fd, temp, 0);
	else if (fsync(dir_fd) != 0)
		err = -errno;
	close(dir_fd);
	return err;
}
