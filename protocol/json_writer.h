/* Writes JSON into a buffer, with a stack of containers, so that the result is always well-formed.
 * Leaves what to say to its callers. Misuse (a value without key in an object, an end too many) is a fault of
 * the program and aborts; invalid UTF-8 in a string is written as U+FFFD; a full buffer shows in buf->failed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/buf.h"
#include "foyer/slice.h"

#define FY_JSON_DEPTH_MAX 32

struct fy_json {
	struct fy_buf *buf;
	uint32_t objects; /* bit per open container: 1 = object, 0 = array */
	uint8_t depth;
	bool comma, keyed, finished;
};

void fy_json_init(struct fy_json *json, struct fy_buf *buf);

/* Values; inside an object each follows fy_json_key. */
void fy_json_object(struct fy_json *json);
void fy_json_array(struct fy_json *json);
void fy_json_end(struct fy_json *json);
void fy_json_key(struct fy_json *json, const char *key);
void fy_json_key_slice(struct fy_json *json, struct fy_slice key);
void fy_json_str(struct fy_json *json, struct fy_slice text);
void fy_json_int(struct fy_json *json, int64_t number);
void fy_json_uint(struct fy_json *json, uint64_t number);
void fy_json_bool(struct fy_json *json, bool truth);
void fy_json_null(struct fy_json *json);
/* Text that already is one JSON value, from a trusted place. */
void fy_json_raw(struct fy_json *json, struct fy_slice value);

/* Key and value at once. */
void fy_json_put_str(struct fy_json *json, const char *key, struct fy_slice text);
void fy_json_put_int(struct fy_json *json, const char *key, int64_t number);
void fy_json_put_uint(struct fy_json *json, const char *key, uint64_t number);
void fy_json_put_bool(struct fy_json *json, const char *key, bool truth);
void fy_json_put_null(struct fy_json *json, const char *key);
void fy_json_put_object(struct fy_json *json, const char *key);
void fy_json_put_array(struct fy_json *json, const char *key);

/* Aborts unless exactly one value was begun and all containers are closed. */
void fy_json_finish(struct fy_json *json);

/* The escaped inside of a JSON string, without quotes; safe inside HTML too: '<', '>', '&' and U+2028/9 are
 * written as \uXXXX. */
void fy_json_put_escaped(struct fy_buf *buf, struct fy_slice text);
