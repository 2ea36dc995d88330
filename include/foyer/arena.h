/* Memory with the life of one request, job run or command.
 * Allocations are never freed one by one; everything goes when the arena is reset. Foreign objects
 * register a release hook, run in reverse order. Not thread-safe: an arena belongs to one loop. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "foyer/slice.h"

struct fy_arena_chunk;
struct fy_arena_hook;

struct fy_arena {
	char *at, *end; /* the free part of the current chunk */
	struct fy_arena_chunk *chunks;
	struct fy_arena_hook *hooks;
	size_t total, max; /* bytes taken from malloc; 0 = no maximum */
};

/* `max` bounds the bytes the arena may take in all; 0 means none. Takes no memory until first used. */
void fy_arena_init(struct fy_arena *arena, size_t max);

/* Runs the hooks, wipes nothing, and returns the chunks to the thread's pool. */
void fy_arena_finish(struct fy_arena *arena);

/* 16-byte aligned, uninitialised. Never NULL: running out, or past `max`, aborts the process after a
 * line in the log, because every size that a peer chooses was checked before it came here. */
void *fy_alloc(struct fy_arena *arena, size_t size);
void *fy_zalloc(struct fy_arena *arena, size_t size);
#define fy_new(arena, type) ((type *)fy_zalloc((arena), sizeof(type)))
#define fy_new_array(arena, type, n) ((type *)fy_zalloc_array((arena), (n), sizeof(type)))
void *fy_zalloc_array(struct fy_arena *arena, size_t n, size_t size);

/* Copies end with a NUL that the length does not count. */
struct fy_slice fy_copy(struct fy_arena *arena, struct fy_slice text);
char *fy_cstr(struct fy_arena *arena, struct fy_slice text);
struct fy_slice fy_fmt(struct fy_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `release(object)` runs when the arena finishes. */
void fy_arena_on_finish(struct fy_arena *arena, void (*release)(void *object), void *object);

/* A secret copied into the arena is wiped when the arena finishes. */
char *fy_alloc_secret(struct fy_arena *arena, size_t len); /* room for one, to be filled by the caller */
struct fy_secret fy_copy_secret(struct fy_arena *arena, struct fy_slice text);

/* Frees the calling thread's pooled chunks; for leak checks at the end of a process. */
void fy_arena_trim(void);
