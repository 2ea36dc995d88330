/* See worker_name.h. A number of a process alone would not do: numbers come again, soonest in a container. */
#include "jobs/worker_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_MAX 24

/* The start of a small file of the kernel's, as a string; false: there is none. */
static bool read_kernel_file(const char *path, char *ret_text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, ret_text, size - 1);
	close(fd);
	ret_text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

#define ENDED UINT64_MAX

/* 0: it cannot be read, perhaps because it is another user's; ENDED: it only waits to be reaped. */
static uint64_t started_at(long pid)
{
	char path[40], stat[1024];

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	if (!read_kernel_file(path, stat, sizeof stat))
		return 0;
	const char *p = strrchr(stat, ')'); /* the name before it may hold anything */
	if (p && (strncmp(p, ") Z", 3) == 0 || strncmp(p, ") X", 3) == 0))
		return ENDED;
	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p += p != NULL;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

/* FNV-1a over the id of the boot and of the PID namespace; 0: not known. */
static uint32_t this_space(void)
{
	char text[160];
	uint32_t hash = 2166136261u;

	if (!read_kernel_file("/proc/sys/kernel/random/boot_id", text, 64))
		return 0;
	size_t len = strlen(text);
	ssize_t got = readlink("/proc/self/ns/pid", text + len, sizeof text - len - 1);
	if (got <= 0)
		return 0;
	len += (size_t)got;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	return hash ? hash : 1;
}

void fy_worker_name(char ret_name[FY_LEASE_OWNER_MAX + 1])
{
	char host[HOST_MAX + 1] = "";

	if (gethostname(host, sizeof host) != 0)
		snprintf(host, sizeof host, "?");
	host[HOST_MAX] = '\0';
	snprintf(ret_name, FY_LEASE_OWNER_MAX + 1, "%s:%ld:%" PRIx64 ":%08" PRIx32, host, (long)getpid(),
		 started_at(getpid()), this_space());
}

bool fy_worker_gone(struct fy_slice name)
{
	char text[FY_LEASE_OWNER_MAX + 1], end;
	long pid;
	uint64_t started;
	uint32_t space;

	if (name.len == 0 || name.len > FY_LEASE_OWNER_MAX)
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	const char *colon = strchr(text, ':');
	if (colon == NULL || sscanf(colon, ":%ld:%" SCNx64 ":%" SCNx32 "%c", &pid, &started, &space, &end) != 3)
		return false;
	if (pid <= 0 || started == 0 || space == 0 || space != this_space())
		return false;
	uint64_t now = started_at(pid);
	if (now == 0)
		return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
	return now != started;
}
