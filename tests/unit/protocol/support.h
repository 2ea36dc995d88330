/* What the tests of protocol/ share: cmocka with its includes, an arena and a buffer per test, and assertions
 * on slices that print both sides. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "foyer/arena.h"
#include "foyer/buf.h"
#include "foyer/err.h"
#include "foyer/slice.h"

/* One arena for the test program's current test; `out` is an empty buffer in it. */
static struct fy_arena arena;
static struct fy_buf out;

static int begin_test(void **state)
{
	(void)state;
	fy_arena_init(&arena, 0);
	fy_buf_init(&out, &arena, 1 << 20);
	return 0;
}

static int end_test(void **state)
{
	(void)state;
	fy_arena_finish(&arena);
	return 0;
}

#define FY_TEST(f) cmocka_unit_test_setup_teardown(f, begin_test, end_test)

static inline void assert_text_at(struct fy_slice is, const char *should, const char *file, int line)
{
	if (fy_eq(is, fy_str(should)))
		return;
	print_error("%s:%d: is \"%.*s\" (%zu), should be \"%s\"\n", file, line, (int)is.len, is.len ? is.ptr : "",
		    is.len, should);
	_fail(file, line);
}

#define assert_text(is, should) assert_text_at((is), (should), __FILE__, __LINE__)

/* The text of the buffer, which begins anew. */
static inline struct fy_slice taken(void)
{
	assert_false(out.failed);
	struct fy_slice text = fy_copy(&arena, fy_buf_slice(&out));
	out.len = 0;
	return text;
}

static inline int finish_tests(int failed)
{
	fy_arena_trim();
	return failed;
}

#define RUN_TESTS(tests) finish_tests(cmocka_run_group_tests((tests), NULL, NULL))
