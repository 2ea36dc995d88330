/* Compressing one file in slices, so that nothing of it is lost whenever the process is killed.
 * The result appears under its name only when it is complete and on the disk; the source goes only after that. Which
 * files, and when, is rotate.c's. Blocking: called on the thread pool, one slice a call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fy_gzip_file;

/* Opens `name` in `dir` and takes the exclusive lock on it that says that no writer has it open any more
 * (foyer/log.h). FY_ERR_BUSY: one still has. Otherwise libuv's code of the system's error. */
int fy_gzip_open(const char *dir, const char *name, const char *target, struct fy_gzip_file **ret_file);

/* Treats up to `max` bytes of the source; *ret_done once the target stands and the source is gone. FY_ERR_EXISTS: a
 * target with another content stands there already; both are kept. After an error only close is left. */
int fy_gzip_slice(struct fy_gzip_file *file, size_t max, bool *ret_done);

/* Gives everything back, and removes what is not finished. Accepts NULL. */
void fy_gzip_close(struct fy_gzip_file *file);
