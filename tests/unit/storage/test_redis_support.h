/* What the tests on Redis stand on: a private server, one client of it, and fibers that run at the same time.
 * Checks inside a fiber use CHECK, which ends the fiber and is counted; cmocka's own asserts jump, and may only
 * be used on the main stack. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/require.h"
#include "storage/keys.h"
#include "storage/redis.h"
#include "tests/support/redis_fixture.h"

/* 2026-11-23 10:00 UTC: the time of every test's contexts, until the test moves `now`. */
#define NOON ((fy_time)1795428000 * FY_SECOND)

struct task {
	struct fy_ctx ctx;
	struct fy_arena arena;
	unsigned index;
	void *arg;
	void (*run)(struct task *t);
};

extern struct redis_fixture *server;
extern struct fy_redis *redis;
extern struct fy_config config; /* the defaults of the sessions' limits */
extern fy_time now;
extern unsigned timeout_ms; /* of the contexts that run_fibers makes */

int start_server(void **state);
int stop_server(void **state);
int empty_server(void **state); /* before a test: no keys, a fresh client, the time is NOON */
int close_after(void **state);

struct fy_redis_options test_options(void);
void open_redis(struct fy_redis_options options); /* and waits until it is up */
void close_redis(void);

/* Runs `count` fibers at the same time, to their end; fails the test where a CHECK failed. */
void run_fibers(unsigned count, void (*run)(struct task *t), void *arg);
static inline void run_fiber(void (*run)(struct task *t), void *arg)
{
	run_fibers(1, run, arg);
}

/* Turns the loop until `condition` holds; fails the test past the limit. */
void spin_until(bool (*condition)(void), unsigned limit_ms);
bool redis_is_up(void);
bool redis_is_down(void);

/* The answer of one command, for a test's own questions; its error code in `err`. */
fy_async struct fy_redis_reply ask(struct task *t, int *ret_err, unsigned count, ...);

void check_failed(struct task *t, const char *file, int line, const char *what, int code);

#define CHECK(condition)                                                    \
	do {                                                                \
		if (!(condition)) {                                         \
			check_failed(t, __FILE__, __LINE__, #condition, 0); \
			return;                                             \
		}                                                           \
	} while (0)

/* Also says what came instead. */
#define CHECK_CODE(call, expected)                                                          \
	do {                                                                                \
		int code_ = (call);                                                         \
		if (code_ != (expected)) {                                                  \
			check_failed(t, __FILE__, __LINE__, #call " == " #expected, code_); \
			return;                                                             \
		}                                                                           \
	} while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, empty_server, close_after)
