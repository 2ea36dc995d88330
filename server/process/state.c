/* Makes, judges and locks the state directory. It writes nothing but the lock file.
 * Called by the supervisor and the commands, before anything else touches the directory. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "server/process/state.h"

/* Room for InnoDB's redo log and a day of logs; less is a full disk for all purposes. */
#define FREE_MIB_MIN 64

static int refuse(char *why, int code, const char *format, const char *dir, const char *detail)
{
	snprintf(why, FY_STATE_WHY_MAX, format, dir, detail);
	return code;
}

static int make_directory(const char *dir, char *why)
{
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT)
		return refuse(why, FY_EXIT_FAILED, "the disk that holds %s is full%s", dir, "");
	return refuse(why, FY_EXIT_CONFIG, "cannot make the directory %s: %s", dir, strerror(errno));
}

/* A probe, since neither root's rights nor a read-only file system show in the mode bits. */
static int probe_write(const char *dir, char *why)
{
	char name[4200];
	static const char block[4096];
	int fd, err = 0;

	snprintf(name, sizeof(name), "%s/.probe-%d", dir, (int)getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
		err = errno ? errno : ENOSPC;
	if (fd >= 0) {
		close(fd);
		unlink(name);
	}
	if (err == ENOSPC || err == EDQUOT)
		return refuse(why, FY_EXIT_FAILED, "the disk that holds %s is full%s", dir, "");
	if (err)
		return refuse(why, FY_EXIT_CONFIG, "cannot write to the directory %s: %s", dir, strerror(err));
	return 0;
}

static int judge_directory(const char *dir, char *why)
{
	struct stat st;
	char ids[64];

	if (stat(dir, &st) != 0)
		return refuse(why, FY_EXIT_CONFIG, "cannot look at the directory %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(why, FY_EXIT_CONFIG, "%s is not a directory%s", dir, "");
	if (st.st_uid != geteuid()) {
		snprintf(ids, sizeof(ids), "user id %u, not to user id %u that runs Foyer", (unsigned)st.st_uid,
			 (unsigned)geteuid());
		return refuse(why, FY_EXIT_CONFIG, "the directory %s belongs to %s", dir, ids);
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(why, FY_EXIT_CONFIG,
			      "others than its owner may write to the directory %s; use chmod go-w%s", dir, "");
	return probe_write(dir, why);
}

static int judge_space(const char *dir, char *why)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) == 0 && fs.f_bavail * (unsigned long long)fs.f_frsize < FREE_MIB_MIN * 1048576ULL)
		return refuse(why, FY_EXIT_FAILED, "the disk that holds %s is full: less than %s MiB are free", dir,
			      "64");
	return 0;
}

int fy_state_become_user(const char *name, const char *dir, char *ret_why)
{
	struct passwd *user;

	if (name[0] == 0 || geteuid() != 0)
		return 0;
	user = getpwnam(name);
	if (user == NULL)
		return refuse(ret_why, FY_EXIT_CONFIG, "server.user: there is no user %s on this machine%s", name, "");
	if (mkdir(dir, 0700) == 0 && chown(dir, user->pw_uid, user->pw_gid) != 0)
		return refuse(ret_why, FY_EXIT_FAILED, "cannot give the directory %s away: %s", dir, strerror(errno));
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		return refuse(ret_why, FY_EXIT_FAILED, "cannot become the user %s: %s", name, strerror(errno));
	return 0;
}

int fy_state_prepare(const char *dir, const char *log_dir, const char *mail_dir, char *ret_why)
{
	const char *const parts[] = { dir, log_dir, mail_dir };
	int err = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && err == 0; i++) {
		err = make_directory(parts[i], ret_why);
		if (err == 0)
			err = judge_directory(parts[i], ret_why);
		if (err == 0)
			err = judge_space(parts[i], ret_why);
	}
	return err;
}

int fy_state_lock(const char *dir, int *ret_pid)
{
	char name[4200], text[32] = "";
	int fd;
	ssize_t n;

	*ret_pid = 0;
	snprintf(name, sizeof(name), "%s/lock", dir);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		n = pread(fd, text, sizeof(text) - 1, 0);
		if (n > 0)
			*ret_pid = atoi(text);
		close(fd);
		return -1;
	}
	/* The process id is for people and messages; the lock is what counts, and it goes with the process. */
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n)
		return fd;
	close(fd);
	return -1;
}
