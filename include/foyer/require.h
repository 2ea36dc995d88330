/* FY_REQUIRE is for "the program is wrong": it stays on in release and aborts after a line on standard
 * error. FY_CHECK is for "recover and tell us": true when the condition fails, after a log line.
 * Neither contains work that must happen. */
#pragma once

#include <stdbool.h>

_Noreturn void fy_require_failed(const char *condition, const char *file, int line);
bool fy_check_failed(const char *condition, const char *file, int line);

#define FY_REQUIRE(cond) ((cond) ? (void)0 : fy_require_failed(#cond, __FILE__, __LINE__))
#define FY_CHECK(cond) (__builtin_expect(!(cond), 0) && fy_check_failed(#cond, __FILE__, __LINE__))
#define FY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
