/* The growing buffer of foyer/buf.h. Growth doubles; in an arena the old copy stays until the arena
 * goes, so a buffer is best reserved near its final size. */
#include "foyer/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "foyer/require.h"

#define FIRST_CAP 512

void fy_buf_init(struct fy_buf *buf, struct fy_arena *arena, size_t max)
{
	*buf = (struct fy_buf){ .arena = arena, .max = max };
}

void fy_buf_finish(struct fy_buf *buf)
{
	if (buf->arena == NULL)
		free(buf->ptr);
	*buf = (struct fy_buf){ .arena = buf->arena, .max = buf->max };
}

static void grow(struct fy_buf *buf, size_t need)
{
	size_t cap = buf->cap ? buf->cap : FIRST_CAP;
	while (cap < need)
		cap *= 2;
	if (cap > buf->max)
		cap = buf->max;
	char *ptr;
	if (buf->arena) {
		ptr = fy_alloc(buf->arena, cap);
		if (buf->len)
			memcpy(ptr, buf->ptr, buf->len);
	} else {
		ptr = realloc(buf->ptr, cap);
		FY_REQUIRE(ptr != NULL);
	}
	buf->ptr = ptr;
	buf->cap = cap;
}

char *fy_buf_reserve(struct fy_buf *buf, size_t more)
{
	if (buf->failed || more > buf->max - buf->len) {
		buf->failed = true;
		return NULL;
	}
	if (buf->ptr == NULL || more > buf->cap - buf->len)
		grow(buf, buf->len + more);
	return buf->ptr + buf->len;
}

void fy_buf_put_slow(struct fy_buf *buf, const void *ptr, size_t len)
{
	char *at = fy_buf_reserve(buf, len);
	if (at && len) {
		memcpy(at, ptr, len);
		buf->len += len;
	}
}

void fy_buf_fmt(struct fy_buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	FY_REQUIRE(len >= 0);
	if ((size_t)len < buf->max - buf->len && fy_buf_reserve(buf, (size_t)len + 1)) {
		vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	} else {
		buf->failed = true;
	}
	va_end(again);
	va_end(args);
}

void fy_buf_u64(struct fy_buf *buf, uint64_t number)
{
	char digits[20], *at = digits + sizeof digits;
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	fy_buf_put(buf, fy_slice(at, (size_t)(digits + sizeof digits - at)));
}
