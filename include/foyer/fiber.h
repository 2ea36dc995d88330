/* Fibers: a request handler or a job run is one stackful fiber that reads top to bottom.
 * One scheduler per process, on one libuv loop. Waking puts a fiber on a ready list that one loop
 * hook drains: no callback ever jumps into a fiber. Every park has a deadline.
 *
 *     callback ── fy_wait_done(wait, result) ──► ready list ── the loop's hook ──► fiber runs
 *     fiber    ── fy_wait(wait, deadline)    ──► parked until done, or FY_ERR_TIMEOUT
 *
 * A function that may park is marked fy_async, and so is each of its callers; a script checks it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "foyer/err.h"
#include "foyer/slice.h"

/* "May park": all state seen before the call may have changed after it. */
#define fy_async

struct fy_ctx;
struct fy_fiber;
typedef void (*fy_fiber_fn)(void *arg);

struct fy_sched_stats {
	unsigned live, peak, pooled;
	uint64_t started, switches, timeouts;
};

/* `max` fibers at the most; stacks are mapped on first use, guarded, and pooled. */
int fy_sched_init(uv_loop_t *loop, unsigned max);

/* Closes the loop hooks; run the loop once more afterwards. No fiber may be alive. */
void fy_sched_finish(void);
void fy_sched_stats(struct fy_sched_stats *ret_stats);

/* `flush` runs at the end of each turn, after the last ready fiber: that is where a client writes all
 * that the fibers of this turn queued. Up to 8; call at start-up. */
void fy_sched_on_turn_end(void (*flush)(void *arg), void *arg);
void fy_sched_off_turn_end(void (*flush)(void *arg), void *arg);

/* FY_ERR_BUSY when `max` fibers live. The fiber first runs when the loop's hook next drains. */
int fy_fiber_start(fy_fiber_fn fn, void *arg);
struct fy_fiber *fy_fiber_self(void); /* NULL outside a fiber */

/* One thing to wait for. It belongs to whoever will call fy_wait_done: an operation whose memory
 * outlives the fiber's interest (heap or pool, not the fiber's stack), unless that caller is certain
 * to be stopped before the fiber goes on. */
struct fy_wait {
	struct fy_fiber *fiber;
	int result;
	enum { FY_WAIT_IDLE, FY_WAIT_PARKED, FY_WAIT_DONE, FY_WAIT_ABANDONED } state;
};

/* Parks the running fiber until fy_wait_done, and returns its result; at once when that came first.
 * FY_ERR_TIMEOUT past `deadline_ms` (fy_loop_ms time): the wait is then ABANDONED, and the operation's
 * callback, when it comes, must free the operation instead of touching the fiber's memory. */
fy_async int fy_wait(struct fy_wait *wait, uint64_t deadline_ms);

/* From the loop thread, inside a fiber or a callback. No effect on an abandoned wait. */
void fy_wait_done(struct fy_wait *wait, int result);

/* 0 after `ms`, or FY_ERR_TIMEOUT where the context's deadline comes first. */
fy_async int fy_sleep(struct fy_ctx *ctx, uint64_t ms);

/* Runs `work(arg)` on libuv's thread pool. A thread cannot be interrupted, so this parks until it has
 * run even past the deadline; then FY_ERR_TIMEOUT. */
fy_async int fy_await_work(struct fy_ctx *ctx, void (*work)(void *arg), void *arg);

struct fy_child {
	const char *file; /* the program; argv[0] may differ */
	char *const *argv;
	char *const *env;      /* NULL: inherited */
	const char *cwd;       /* NULL: inherited */
	struct fy_slice input; /* written to its standard input, then closed */
	size_t output_max;     /* bytes of standard output and error kept; 0 = none */
	int uid, gid;          /* 0: unchanged */
};

/* Runs a child to its end. ret_status is the exit code, or 128 + signal. ret_output (may be NULL) is in
 * the context's arena. Past the deadline the child is killed and FY_ERR_TIMEOUT returned. */
fy_async int fy_await_child(struct fy_ctx *ctx, const struct fy_child *child, int *ret_status,
			    struct fy_slice *ret_output);

/* The loop's monotonic milliseconds, the time base of all deadlines. */
uint64_t fy_loop_ms(void);
uv_loop_t *fy_loop(void);
