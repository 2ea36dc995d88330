/* The plan of a log rotation; see rotate_plan.h.
 * Files are known by their names only: times of files change when somebody copies them, the day in the name does
 * not. What has no name of ours is never touched. */
#include "jobs/rotate_plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "foyer/err.h"
#include "foyer/require.h"

static const char *const bases[] = { "access.log", "foyer.log" };

#define TEMP_PREFIX "."
#define TEMP_SUFFIX ".tmp"
#define NUMBER_MAX 99999

static bool digits(const char **at, unsigned count_min, unsigned count_max, unsigned *ret_number)
{
	unsigned number = 0, n = 0;

	while (n < count_max && (*at)[n] >= '0' && (*at)[n] <= '9')
		number = number * 10 + (unsigned)((*at)[n++] - '0');
	if (n < count_min)
		return false;
	*at += n;
	*ret_number = number;
	return true;
}

bool fy_rotate_parse(const char *name, const char **ret_base, struct fy_date *ret_day, unsigned *ret_number,
		     bool *ret_gzip)
{
	for (size_t i = 0; i < FY_COUNT(bases); i++) {
		size_t len = strlen(bases[i]);
		const char *at = name + len;
		unsigned day, number = 1;
		if (strncmp(name, bases[i], len) != 0 || *at++ != '-' || !digits(&at, 8, 8, &day))
			continue;
		struct fy_date date = { .year = (int)(day / 10000),
					.month = (int)(day / 100 % 100),
					.day = (int)(day % 100) };
		if (!fy_date_valid(date))
			return false;
		if (at[0] == '.' && at[1] != 'g') {
			at++;
			if (*at == '0' || !digits(&at, 1, 5, &number) || number < 2)
				return false;
		}
		*ret_gzip = strcmp(at, ".gz") == 0;
		if (!*ret_gzip && *at)
			return false;
		*ret_base = bases[i];
		*ret_day = date;
		*ret_number = number;
		return true;
	}
	return false;
}

struct found {
	char name[FY_ROTATE_NAME_MAX];
	const char *base;
	struct fy_date day;
	unsigned number;
	bool gzip;
};

struct scan {
	struct found *files;
	size_t count, room;
	uint64_t live_bytes[FY_COUNT(bases)];
};

static void add_step(struct fy_rotate_plan *plan, enum fy_rotate_action action, const char *name, const char *target)
{
	if (plan->count == plan->room) {
		plan->room = plan->room ? plan->room * 2 : 32;
		plan->steps = realloc(plan->steps, plan->room * sizeof *plan->steps);
		FY_REQUIRE(plan->steps != NULL);
	}
	struct fy_rotate_step *step = &plan->steps[plan->count++];
	*step = (struct fy_rotate_step){ .action = action };
	snprintf(step->name, sizeof step->name, "%s", name);
	snprintf(step->target, sizeof step->target, "%s", target);
}

static bool is_temporary(const char *name)
{
	char inner[FY_ROTATE_NAME_MAX];
	const char *base;
	struct fy_date day;
	unsigned number;
	bool gzip;
	size_t len = strlen(name), around = strlen(TEMP_PREFIX) + strlen(TEMP_SUFFIX);

	if (len <= around || len >= sizeof inner || name[0] != TEMP_PREFIX[0] ||
	    strcmp(name + len - strlen(TEMP_SUFFIX), TEMP_SUFFIX) != 0)
		return false;
	snprintf(inner, sizeof inner, "%.*s", (int)(len - around), name + strlen(TEMP_PREFIX));
	return fy_rotate_parse(inner, &base, &day, &number, &gzip) && gzip;
}

static void look_at(int dir_fd, const char *name, struct scan *scan, struct fy_rotate_plan *plan)
{
	struct stat stat;
	struct found found;

	if (strlen(name) >= FY_ROTATE_NAME_MAX || fstatat(dir_fd, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(stat.st_mode))
		return;
	for (size_t i = 0; i < FY_COUNT(bases); i++) {
		if (strcmp(name, bases[i]) == 0)
			scan->live_bytes[i] = (uint64_t)stat.st_size;
	}
	if (is_temporary(name))
		add_step(plan, FY_ROTATE_CLEAN, name, "");
	if (!fy_rotate_parse(name, &found.base, &found.day, &found.number, &found.gzip))
		return;
	snprintf(found.name, sizeof found.name, "%s", name);
	if (scan->count == scan->room) {
		scan->room = scan->room ? scan->room * 2 : 64;
		scan->files = realloc(scan->files, scan->room * sizeof *scan->files);
		FY_REQUIRE(scan->files != NULL);
	}
	scan->files[scan->count++] = found;
}

/* By base, day, number, the plain one first. */
static int compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->base, y->base);

	if (order == 0)
		order = fy_date_compare(x->day, y->day);
	if (order == 0)
		order = x->number < y->number ? -1 : x->number > y->number;
	return order ? order : (int)x->gzip - (int)y->gzip;
}

static void name_rotated(char name[FY_ROTATE_NAME_MAX], const char *base, struct fy_date day, unsigned number)
{
	int len = snprintf(name, FY_ROTATE_NAME_MAX, "%s-%04d%02d%02d", base, day.year, day.month, day.day);

	if (number > 1)
		snprintf(name + len, FY_ROTATE_NAME_MAX - (size_t)len, ".%u", number);
}

/* One more than the greatest there is, so that names of one day sort by age even after some are gone. */
static unsigned next_number(const struct scan *scan, const char *base, struct fy_date day)
{
	unsigned number = 0;

	for (size_t i = 0; i < scan->count; i++) {
		const struct found *f = &scan->files[i];
		if (f->base == base && fy_date_compare(f->day, day) == 0 && f->number > number)
			number = f->number;
	}
	return number + 1;
}

static void plan_compression(struct fy_rotate_plan *plan, const char *name)
{
	char target[FY_ROTATE_NAME_MAX];

	snprintf(target, sizeof target, "%.*s.gz", FY_ROTATE_NAME_MAX - 4, name);
	add_step(plan, FY_ROTATE_COMPRESS, name, target);
}

static void decide(const struct scan *scan, const struct fy_rotate_rules *rules, struct fy_rotate_plan *plan)
{
	char target[FY_ROTATE_NAME_MAX];
	bool new_day = fy_date_compare(rules->begun, rules->today) < 0;
	size_t renamed_from = plan->count, renamed_to;

	for (size_t i = 0; i < FY_COUNT(bases); i++) {
		unsigned number = next_number(scan, bases[i], rules->begun);
		if (scan->live_bytes[i] == 0 || (!new_day && scan->live_bytes[i] < rules->rotate_bytes) ||
		    number > NUMBER_MAX)
			continue;
		name_rotated(target, bases[i], rules->begun, number);
		add_step(plan, FY_ROTATE_RENAME, bases[i], target);
	}
	renamed_to = plan->count;
	for (size_t i = 0; i < scan->count && rules->gzip; i++) {
		const struct found *f = &scan->files[i];
		bool old = fy_date_days(rules->today) - fy_date_days(f->day) > rules->keep_days;
		if (!f->gzip && !old)
			plan_compression(plan, f->name);
	}
	for (size_t i = renamed_from; i < renamed_to && rules->gzip; i++) {
		memcpy(target, plan->steps[i].target, sizeof target);
		plan_compression(plan, target);
	}
	for (size_t i = 0; i < scan->count; i++) {
		const struct found *f = &scan->files[i];
		if (fy_date_days(rules->today) - fy_date_days(f->day) > rules->keep_days)
			add_step(plan, FY_ROTATE_DELETE, f->name, "");
	}
}

int fy_rotate_plan_make(const char *path, const struct fy_rotate_rules *rules, struct fy_rotate_plan *ret_plan)
{
	struct scan scan = { 0 };
	struct fy_rotate_plan plan = { 0 };
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (dir == NULL)
		return errno == ENOENT ? FY_ERR_NOT_FOUND : -errno;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
		look_at(dirfd(dir), entry->d_name, &scan, &plan);
	int err = -errno;
	closedir(dir);
	if (err == 0) {
		if (scan.count)
			qsort(scan.files, scan.count, sizeof *scan.files, compare);
		decide(&scan, rules, &plan);
		*ret_plan = plan;
	} else {
		fy_rotate_plan_finish(&plan);
	}
	free(scan.files);
	return err;
}

void fy_rotate_plan_finish(struct fy_rotate_plan *plan)
{
	free(plan->steps);
	*plan = (struct fy_rotate_plan){ 0 };
}
