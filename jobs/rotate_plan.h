/* What is to be done with the files of a log directory, decided from their names and sizes alone.
 * Doing it is rotate.c's; this part has no effect on any file. Called by rotate.c, on the thread pool where it
 * reads the directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/datetime.h"

/* "access.log-20261123.12.gz" and the temporary form of it fit. */
#define FY_ROTATE_NAME_MAX 64

/* In the order in which they are done. */
enum fy_rotate_action {
	FY_ROTATE_CLEAN = 1, /* remove what an interrupted compression left */
	FY_ROTATE_RENAME,    /* name -> target */
	FY_ROTATE_COMPRESS,  /* name -> target, then remove name; where target is there already, only that */
	FY_ROTATE_DELETE,    /* too old */
};

struct fy_rotate_step {
	enum fy_rotate_action action;
	char name[FY_ROTATE_NAME_MAX];
	char target[FY_ROTATE_NAME_MAX];
};

struct fy_rotate_rules {
	struct fy_date today; /* in Paris */
	struct fy_date begun; /* the day the present logs belong to: today or earlier */
	uint64_t rotate_bytes;
	int64_t keep_days;
	bool gzip;
};

struct fy_rotate_plan {
	struct fy_rotate_step *steps; /* malloc */
	size_t count, room;
};

/* Reads `dir`. FY_ERR_NOT_FOUND: it does not exist; libuv's code of the system's error. */
int fy_rotate_plan_make(const char *dir, const struct fy_rotate_rules *rules, struct fy_rotate_plan *ret_plan);
void fy_rotate_plan_finish(struct fy_rotate_plan *plan);

/* "access.log-20261123[.N][.gz]": false for any other name. *ret_base is "access.log" or "foyer.log", number 1
 * where none stands. */
bool fy_rotate_parse(const char *name, const char **ret_base, struct fy_date *ret_day, unsigned *ret_number,
		     bool *ret_gzip);
