/* A growing buffer that is born with its maximum, in an arena or on the heap.
 * Appending past the maximum sets `failed` and drops the text; callers check once, at the end. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "foyer/arena.h"
#include "foyer/slice.h"

struct fy_buf {
	char *ptr;
	size_t len, cap, max;
	struct fy_arena *arena; /* NULL: the heap, and fy_buf_finish frees it */
	bool failed;
};

void fy_buf_init(struct fy_buf *buf, struct fy_arena *arena, size_t max);
void fy_buf_finish(struct fy_buf *buf);

/* Makes room for `more` bytes and returns where to write them, or NULL (and `failed`). */
char *fy_buf_reserve(struct fy_buf *buf, size_t more);
void fy_buf_put_slow(struct fy_buf *buf, const void *ptr, size_t len);
void fy_buf_fmt(struct fy_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fy_buf_u64(struct fy_buf *buf, uint64_t number);

static inline void fy_buf_put(struct fy_buf *buf, struct fy_slice text)
{
	if (!buf->failed && text.len <= buf->cap - buf->len) {
		if (text.len)
			memcpy(buf->ptr + buf->len, text.ptr, text.len);
		buf->len += text.len;
		return;
	}
	fy_buf_put_slow(buf, text.ptr, text.len);
}

static inline void fy_buf_char(struct fy_buf *buf, char c)
{
	fy_buf_put(buf, (struct fy_slice){ &c, 1 });
}

static inline struct fy_slice fy_buf_slice(const struct fy_buf *buf)
{
	return (struct fy_slice){ buf->ptr, buf->len };
}
