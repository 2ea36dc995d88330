/* Chunked bump allocation with release hooks. A chunk of the usual size goes back to a pool of the
 * thread, so a busy worker serves requests without malloc. Called everywhere through foyer/arena.h. */
#include "foyer/arena.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "foyer/require.h"

#define CHUNK_SIZE ((size_t)8192) /* a request's head, its session and its page fit in one or two */
#define POOLED_MAX 64
#define ALIGN 16

struct fy_arena_chunk {
	struct fy_arena_chunk *next;
	size_t size; /* of the whole chunk */
};

struct fy_arena_hook {
	struct fy_arena_hook *next;
	void (*release)(void *object);
	void *object;
};

static _Thread_local struct fy_arena_chunk *pool;
static _Thread_local unsigned pooled;

#define HEADER ((sizeof(struct fy_arena_chunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

void fy_arena_init(struct fy_arena *arena, size_t max)
{
	*arena = (struct fy_arena){ .max = max };
}

void fy_arena_finish(struct fy_arena *arena)
{
	for (struct fy_arena_hook *hook = arena->hooks; hook; hook = hook->next)
		hook->release(hook->object);
	struct fy_arena_chunk *chunk = arena->chunks;
	while (chunk) {
		struct fy_arena_chunk *next = chunk->next;
		if (chunk->size == CHUNK_SIZE && pooled < POOLED_MAX) {
			chunk->next = pool;
			pool = chunk;
			pooled++;
		} else {
			free(chunk);
		}
		chunk = next;
	}
	fy_arena_init(arena, arena->max);
}

static struct fy_arena_chunk *chunk_take(struct fy_arena *arena, size_t size)
{
	struct fy_arena_chunk *chunk = NULL;
	FY_REQUIRE(arena->max == 0 || size <= arena->max - arena->total);
	if (size == CHUNK_SIZE && pool) {
		chunk = pool;
		pool = chunk->next;
		pooled--;
	} else {
		chunk = malloc(size);
		FY_REQUIRE(chunk != NULL);
	}
	chunk->size = size;
	arena->total += size;
	return chunk;
}

void *fy_alloc(struct fy_arena *arena, size_t size)
{
	FY_REQUIRE(size < SIZE_MAX / 2);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size <= (size_t)(arena->end - arena->at)) {
		void *ptr = arena->at;
		arena->at += size;
		return ptr;
	}
	if (size > CHUNK_SIZE / 2) { /* a chunk of its own, behind the current one */
		struct fy_arena_chunk *large = chunk_take(arena, HEADER + size);
		if (arena->chunks) {
			large->next = arena->chunks->next;
			arena->chunks->next = large;
		} else {
			large->next = NULL;
			arena->chunks = large;
		}
		return (char *)large + HEADER;
	}
	struct fy_arena_chunk *chunk = chunk_take(arena, CHUNK_SIZE);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->at = (char *)chunk + HEADER + size;
	arena->end = (char *)chunk + CHUNK_SIZE;
	return (char *)chunk + HEADER;
}

void *fy_zalloc(struct fy_arena *arena, size_t size)
{
	return memset(fy_alloc(arena, size), 0, size);
}

void *fy_zalloc_array(struct fy_arena *arena, size_t n, size_t size)
{
	size_t bytes;
	FY_REQUIRE(!__builtin_mul_overflow(n, size, &bytes));
	return fy_zalloc(arena, bytes);
}

char *fy_cstr(struct fy_arena *arena, struct fy_slice text)
{
	char *copy = fy_alloc(arena, text.len + 1);
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

struct fy_slice fy_copy(struct fy_arena *arena, struct fy_slice text)
{
	return fy_slice(fy_cstr(arena, text), text.len);
}

struct fy_slice fy_fmt(struct fy_arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	FY_REQUIRE(len >= 0);
	char *text = fy_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return fy_slice(text, (size_t)len);
}

void fy_arena_on_finish(struct fy_arena *arena, void (*release)(void *object), void *object)
{
	struct fy_arena_hook *hook = fy_alloc(arena, sizeof *hook);
	*hook = (struct fy_arena_hook){ arena->hooks, release, object };
	arena->hooks = hook;
}

struct kept_secret {
	size_t len;
	char text[];
};

static void wipe(void *object)
{
	struct kept_secret *secret = object;
	sodium_memzero(secret->text, secret->len);
}

char *fy_alloc_secret(struct fy_arena *arena, size_t len)
{
	struct kept_secret *secret = fy_alloc(arena, sizeof *secret + len + 1);
	secret->len = len;
	secret->text[len] = '\0';
	fy_arena_on_finish(arena, wipe, secret);
	return secret->text;
}

struct fy_secret fy_copy_secret(struct fy_arena *arena, struct fy_slice text)
{
	char *copy = fy_alloc_secret(arena, text.len);
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return (struct fy_secret){ fy_slice(copy, text.len) };
}

void fy_arena_trim(void)
{
	while (pool) {
		struct fy_arena_chunk *chunk = pool;
		pool = chunk->next;
		free(chunk);
	}
	pooled = 0;
}
