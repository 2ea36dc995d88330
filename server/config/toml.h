/* A TOML document behind a C face of three functions; toml.cpp is the only file that knows toml++.
 * It reads syntax and says what stands on which line. What may stand there is load.c's business, the
 * only caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A slice; a struct of its own because foyer/slice.h is C and this header is read by C++ too. */
struct fy_toml_text {
	const char *ptr;
	size_t len;
};

enum fy_toml_kind {
	FY_TOML_BOOL = 1,
	FY_TOML_INT,
	FY_TOML_TEXT,
	FY_TOML_LIST, /* of texts */
	FY_TOML_TABLE,
	FY_TOML_OTHER, /* a float, a date, a list of something else */
};

struct fy_toml_value {
	enum fy_toml_kind kind;
	unsigned line; /* of the value, from 1 */
	bool boolean;
	int64_t integer;
	struct fy_toml_text text;
	const struct fy_toml_text *list;
	size_t count;
};

/* `section` is empty for what stands before the first header; `key` is empty when the section itself is
 * announced, before its keys. All of it is valid for the call only. */
typedef void (*fy_toml_visit_fn)(void *arg, struct fy_toml_text section, struct fy_toml_text key,
				 const struct fy_toml_value *value);

/* Visits two levels: sections and their keys. On a syntax error nothing is visited; `ret_line` and
 * `ret_error` (cut at `error_size`, ended by a NUL) are set and false is returned. */
bool fy_toml_visit(struct fy_toml_text text, fy_toml_visit_fn visit, void *arg, unsigned *ret_line, char *ret_error,
		   size_t error_size);

#ifdef __cplusplus
}
#endif
