/* What the tests of the repositories stand on: a private MariaDB with all migrations, two clients of it (as two
 * servers would be), and fibers that run at the same time.
 * Checks inside a fiber use CHECK, which ends the fiber and is counted; cmocka's own asserts jump, and may only
 * be used on the main stack. Used by test_accounts.c and its neighbours. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/require.h"
#include "storage/tx.h"
#include "tests/support/given_person.h"

/* 2026-11-23 10:00 UTC: the time of every test's context, unless the test moves it. */
#define NOON ((fy_time)1795428000 * FY_SECOND)

struct worker {
	struct fy_ctx ctx; /* one of the two clients, an arena of its own */
	struct fy_arena arena;
	unsigned index; /* 0, 1, 2, … of those started together */
	void *arg;
	void (*run)(struct worker *w);
	bool ended;
};

/* Starts `count` fibers at the same time, worker i on client i % 2, and runs the loop until all have ended. Fails
 * the test where one of them failed a CHECK. Each gets `arg`; the context's time is `now`. */
void run_at(fy_time now, unsigned count, void (*run)(struct worker *w), void *arg);
void run_all(unsigned count, void (*run)(struct worker *w), void *arg);

#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition)) {                                      \
			check_failed(w, __FILE__, __LINE__, #condition); \
			return;                                          \
		}                                                        \
	} while (0)

/* Also says what came instead. */
#define CHECK_CODE(call, expected)                                                         \
	do {                                                                               \
		int code_ = (call), expected_ = (expected);                                \
		if (code_ != expected_) {                                                  \
			check_code_failed(w, __FILE__, __LINE__, #call, code_, expected_); \
			return;                                                            \
		}                                                                          \
	} while (0)

void check_failed(struct worker *w, const char *file, int line, const char *what);
void check_code_failed(struct worker *w, const char *file, int line, const char *what, int code, int expected);

/* A look behind the repositories, and a hand there: blocking, beside the two clients. */
long long number(const char *query);
void change(const char *statement);

/* 32 bytes that differ for each name. */
struct fy_slice hash_of(struct fy_arena *arena, const char *name);

static inline struct fy_personal personal(const char *text)
{
	return (struct fy_personal){ fy_str(text) };
}

static inline struct fy_secret secret(const char *text)
{
	return (struct fy_secret){ fy_str(text) };
}

/* Group fixtures, and one that empties all tables before a test. */
int harness_start(void **state);
int harness_stop(void **state);
int empty_tables(void **state);

#define TEST(name) cmocka_unit_test_setup(name, empty_tables)
