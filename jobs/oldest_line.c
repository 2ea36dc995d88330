/* See oldest_line.h. Names sort rotated files by age (rotate_plan.h); lines of one file do so themselves. */
#include "jobs/oldest_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "foyer/err.h"
#include "jobs/rotate_plan.h"
#include "protocol/datetime.h"

#define LOG "access.log"
#define HEAD_BYTES 1024 /* address, account and date stand at the beginning of a line */
#define CLF_DATE_CHARS 26

struct oldest {
	char name[FY_ROTATE_NAME_MAX]; /* empty: none yet */
	struct fy_date day;
	unsigned number;
};

static void look_at(struct oldest *oldest, const char *name)
{
	const char *base;
	struct fy_date day;
	unsigned number;
	bool gzip;

	if (strlen(name) >= sizeof oldest->name || !fy_rotate_parse(name, &base, &day, &number, &gzip) ||
	    strcmp(base, LOG) != 0)
		return;
	int order = oldest->name[0] ? fy_date_compare(day, oldest->day) : -1;
	if (order > 0 || (order == 0 && number >= oldest->number))
		return;
	snprintf(oldest->name, sizeof oldest->name, "%s", name);
	oldest->day = day;
	oldest->number = number;
}

/* The date of the first line; false: there is none. Compressed or not. */
static bool first_date(int dir_fd, const char *name, fy_time *ret_at)
{
	char head[HEAD_BYTES];
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");

	if (file == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	int got = gzread(file, head, sizeof head);
	gzclose_r(file);
	struct fy_slice rest = fy_slice(head, got > 0 ? (size_t)got : 0), line = fy_cut(&rest, '\n');
	fy_cut(&line, '[');
	return fy_parse_clf_date(fy_upto(line, CLF_DATE_CHARS), ret_at) == 0;
}

int fy_oldest_line(const char *path, fy_time *ret_at)
{
	struct oldest oldest = { .name = "" };
	struct dirent *entry;
	DIR *dir = opendir(path);
	fy_time at = 0;

	if (dir == NULL)
		return -errno;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
		look_at(&oldest, entry->d_name);
	int err = -errno;
	if (err == 0 && !first_date(dirfd(dir), oldest.name[0] ? oldest.name : LOG, &at) && oldest.name[0])
		at = fy_paris_day_start(oldest.day);
	closedir(dir);
	if (err == 0)
		*ret_at = at;
	return err;
}
