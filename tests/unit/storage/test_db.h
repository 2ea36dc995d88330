/* What the tests of storage/db*.c stand on: a private MariaDB with a few tables, a loop, and fibers.
 * Checks inside a fiber jump with cmocka only on the main stack, so a fiber records its failures instead:
 * CHECK_THAT counts them, and run_fibers fails the test. Used by test_db_*.c and test_migrate.c. */
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
#include "storage/db.h"
#include "storage/tx.h"
#include "tests/support/mariadb_fixture.h"
#include "tests/unit/storage/test_db_statements.h"

struct task {
	struct fy_ctx ctx; /* 10 s, an arena of its own, the db below */
	struct fy_arena arena;
	unsigned index;
	void (*run)(struct task *t);
	void *arg;
	int err;
	unsigned done_order; /* 1 for the first that ended, … */
};

extern struct mariadb_fixture *server;
extern struct fy_db *db; /* made by with_db; NULL: tests make their own */

int start_server(void **state); /* group set-up and tear-down */
int stop_server(void **state);

/* Makes `db` with these options on top of the fixture's socket and the test statements, and waits until it is up. */
struct fy_db_options test_options(void);
void open_db(struct fy_db_options options);
void close_db(void);
int empty_tables(void **state); /* test set-up: fresh tables, default options */
int close_after(void **state);

/* Runs `count` fibers at once, and the loop until all have ended. tasks may be NULL; otherwise it receives them. */
void run_fibers(unsigned count, void (*run)(struct task *t), void *arg, struct task *ret_tasks);
void spin_until(bool (*condition)(void), unsigned limit_ms);

extern unsigned failures;
#define CHECK_THAT(condition)                                                                   \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                             \
		}                                                                               \
	} while (0)
#define CHECK_INT(got, expected)                                                                                     \
	do {                                                                                                         \
		long long got_ = (got), expected_ = (expected);                                                      \
		if (got_ != expected_) {                                                                             \
			fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_, expected_); \
			failures++;                                                                                  \
		}                                                                                                    \
	} while (0)

#define DB_TEST(name) cmocka_unit_test_setup_teardown(name, empty_tables, close_after)
