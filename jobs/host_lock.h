/* The right to run a job about the files of one directory, for processes that share nothing but it.
 * A small file beside them carries a lock (which the kernel ends with its holder) and what the last run left
 * behind; whether the job is due is holder.c's decision. Blocking: called on the thread pool. */
#pragma once

#include <stdbool.h>

#include "foyer/clock.h"
#include "jobs/job.h"
#include "storage/leases.h"

struct fy_host_state {
	fy_time last_started_at, last_finished_at, next_due_at; /* 0: never */
	int last_result;
	char note[FY_JOB_NOTE_MAX]; /* the job's own; empty: none */
	char detail[FY_LEASE_DETAIL_MAX + 1];
};

/* Opens DIR/.NAME.job and takes the lock; the descriptor in ret_fd holds it until fy_host_lock_drop. FY_ERR_BUSY:
 * another has it; FY_ERR_NOT_FOUND: there is no such directory; otherwise libuv's code of the system's error. */
int fy_host_lock_take(const char *dir, const char *name, int *ret_fd);
void fy_host_lock_drop(int fd);

/* What the last holder saved; all zero where nothing was, or where it cannot be read. */
void fy_host_lock_load(int fd, struct fy_host_state *ret_state);
int fy_host_lock_save(int fd, const struct fy_host_state *state);

/* Looks without taking it, and without making the file. */
void fy_host_lock_peek(const char *dir, const char *name, bool *ret_held, struct fy_host_state *ret_state);
