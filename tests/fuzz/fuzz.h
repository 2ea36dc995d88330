/* What fuzz targets share: an arena and a buffer for one run, parts of the input, and a check that aborts. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foyer/arena.h"
#include "foyer/buf.h"
#include "foyer/err.h"
#include "foyer/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                \
	do {                                                                                           \
		if (!(condition)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                       \
		}                                                                                      \
	} while (0)

/* An exact copy, so that a read past the end is seen. The arena frees it. */
static inline struct fy_slice exact(struct fy_arena *arena, struct fy_slice text)
{
	char *copy = malloc(text.len ? text.len : 1);
	MUST(copy);
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	fy_arena_on_finish(arena, free, copy);
	return fy_slice(copy, text.len);
}

/* The next part of an input made of parts with a byte 0xff after each. */
static inline struct fy_slice part(struct fy_arena *arena, struct fy_slice *input)
{
	return exact(arena, fy_cut(input, (char)0xff));
}

/* A run: `input` is the data; ends with the arena gone. */
#define FUZZ_TARGET(body_fn)                                         \
	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) \
	{                                                            \
		struct fy_arena arena;                               \
		struct fy_buf out;                                   \
		fy_arena_init(&arena, 0);                            \
		fy_buf_init(&out, &arena, 1 << 20);                  \
		body_fn(&arena, &out, fy_slice(data, size));         \
		fy_arena_finish(&arena);                             \
		return 0;                                            \
	}
