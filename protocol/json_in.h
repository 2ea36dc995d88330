/* Reads JSON from outside: jansson behind a few functions, with limits before it runs.
 * Leaves which members are declared to the routes. Called for API bodies. Refused: more than `depth` nested
 * containers, duplicate keys, invalid UTF-8, text after the value, NUL in strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/arena.h"
#include "foyer/slice.h"

/* A value inside a document; lives as long as the arena it was parsed into. NULL is "absent". */
struct fy_json_value;

enum fy_json_type {
	FY_JSON_NULL = 1,
	FY_JSON_BOOL,
	FY_JSON_INT,
	FY_JSON_REAL,
	FY_JSON_STRING,
	FY_JSON_ARRAY,
	FY_JSON_OBJECT
};

struct fy_json_fault {
	int line, column;
	char text[80]; /* English, without text of the document */
};

/* FY_ERR_INVALID with *fault (may be NULL). The document is freed with the arena. */
int fy_json_parse(struct fy_arena *arena, struct fy_slice text, unsigned depth_max,
		  const struct fy_json_value **ret_value, struct fy_json_fault *fault);

enum fy_json_type fy_json_type(const struct fy_json_value *value);

/* Members of an object: NULL where absent, or where `object` is no object. */
const struct fy_json_value *fy_json_member(const struct fy_json_value *object, const char *key);
size_t fy_json_size(const struct fy_json_value *container);
const struct fy_json_value *fy_json_item(const struct fy_json_value *array, size_t index);

/* Visits the members in the order of the document: begin with *at = 0; false at the end. */
bool fy_json_each(const struct fy_json_value *object, size_t *at, struct fy_slice *ret_key,
		  const struct fy_json_value **ret_value);

/* Flat readers: 0, FY_ERR_NOT_FOUND where the member is absent, FY_ERR_INVALID where its type differs. */
int fy_json_get_str(const struct fy_json_value *object, const char *key, struct fy_slice *ret_text);
int fy_json_get_int(const struct fy_json_value *object, const char *key, int64_t *ret_number);
int fy_json_get_bool(const struct fy_json_value *object, const char *key, bool *ret_truth);

/* Values themselves: FY_ERR_INVALID where the type differs. */
int fy_json_as_str(const struct fy_json_value *value, struct fy_slice *ret_text);
int fy_json_as_int(const struct fy_json_value *value, int64_t *ret_number);
int fy_json_as_bool(const struct fy_json_value *value, bool *ret_truth);
