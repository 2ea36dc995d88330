/* What the tests of jobs/ stand on: a directory of their own, settings, fibers that run at the same time, and where
 * asked for a private MariaDB with all migrations and two clients of it, as two servers would have.
 * Checks inside a fiber use CHECK, which ends the fiber and is counted; cmocka's own asserts jump, and may only be used
 * on the main stack. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "jobs/job.h"

/* 2026-11-23 10:00 UTC. */
#define NOON ((fy_time)1795428000 * FY_SECOND)

struct task {
	struct fy_ctx ctx; /* client index % 2, an arena of its own, the real time */
	struct fy_arena arena;
	unsigned index;
	void *arg;
	void (*run)(struct task *t);
};

struct stage {
	char dir[64]; /* log, mail and state directories are below */
	struct fy_config config;
	struct fy_db *db[2]; /* NULL where the test has no MariaDB */
	struct fy_keys *keys;
};
extern struct stage stage;

/* Group fixtures. */
int stage_open(void **state);
int stage_open_with_mariadb(void **state);
int stage_close(void **state);

/* Starts `count` fibers and runs the loop until all have ended; fails the test where one failed a CHECK. */
void run_tasks(unsigned count, void (*run)(struct task *t), void *arg);

/* Runs the loop until `condition`; fails the test after `limit_ms`. */
void spin_until(bool (*condition)(void), unsigned limit_ms);
void spin_ms(unsigned ms);

#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition)) {                                      \
			check_failed(t, __FILE__, __LINE__, #condition); \
			return;                                          \
		}                                                        \
	} while (0)

#define CHECK_CODE(call, expected)                                                         \
	do {                                                                               \
		int code_ = (call), expected_ = (expected);                                \
		if (code_ != expected_) {                                                  \
			check_code_failed(t, __FILE__, __LINE__, #call, code_, expected_); \
			return;                                                            \
		}                                                                          \
	} while (0)

void check_failed(struct task *t, const char *file, int line, const char *what);
void check_code_failed(struct task *t, const char *file, int line, const char *what, int code, int expected);

/* Blocking, beside the clients. */
long long number(const char *query);
void change(const char *statements);
void mariadb_away(void);
void mariadb_back(void);

/* Files below stage.dir. */
const char *path_of(const char *name); /* in a static buffer */
void write_file(const char *name, const char *text);
char *read_file(const char *name); /* malloc; NULL: there is none */
bool file_exists(const char *name);
unsigned count_files(const char *dir, const char *prefix);
void empty_dir(const char *dir);

/* The count that a report has for an action and object; -1: it has none. */
long long noted(const struct fy_job_report *report, const char *action, const char *object);
bool same_items(const struct fy_job_report *a, const struct fy_job_report *b);
