/* Memory for Argon2id that a hashing thread keeps.
 * libsodium maps 64 MiB for each hash and unmaps it again; the page faults are a third of the cost. libsodium is
 * linked statically and its calls of mmap and munmap are wrapped by the linker (-Wl,--wrap), so that a thread
 * which lends a region gets that one, in huge pages. Every other thread and every other size goes to the
 * kernel as ever. Left out under sanitizers.
 *
 * libsodium does not wipe the memory of a hash, it gives it back to the kernel. Here it stays, holding what was
 * derived from the last password, until the next hash writes over it or the thread has been idle for a
 * while; it is kept out of core dumps, and nobody who can read it could not read passwords as they arrive. */
#pragma once

#include <stddef.h>

/* From now on this thread reuses one region of `size` bytes, made at the first use. */
void fy_hash_memory_lend(size_t size);

/* Gives the region of this thread back to the kernel; the next hash makes a new one. */
void fy_hash_memory_release(void);
