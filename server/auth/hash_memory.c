/* The wrapped mmap and munmap; see hash_memory.h. */
#include "server/auth/hash_memory.h"

#include <stdbool.h>
#include <sys/mman.h>

#ifdef FOYER_WRAP_MMAP

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);

#define HUGE_PAGE ((size_t)2 << 20)

static _Thread_local struct {
	size_t size; /* lent from this many bytes on; 0: this thread lends nothing */
	size_t mapped;
	char *map, *at; /* the mapping, and the aligned region in it */
	bool taken;
} lent;

void fy_hash_memory_lend(size_t size)
{
	lent.size = size;
}

void fy_hash_memory_release(void)
{
	if (lent.map && !lent.taken) {
		__real_munmap(lent.map, lent.mapped);
		lent.map = NULL;
	}
}

static bool prepare(size_t size)
{
	if (lent.map && lent.mapped >= size + HUGE_PAGE)
		return true;
	fy_hash_memory_release();
	lent.mapped = size + HUGE_PAGE;
	lent.map = __real_mmap(NULL, lent.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (lent.map == MAP_FAILED) {
		lent.map = NULL;
		return false;
	}
	lent.at = (char *)(((size_t)lent.map + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	madvise(lent.at, size, MADV_HUGEPAGE);
	madvise(lent.map, lent.mapped, MADV_DONTDUMP);
	return true;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (lent.size == 0 || size < lent.size || lent.taken || fd != -1 || !prepare(size))
		return __real_mmap(at, size, protection, flags, fd, offset);
	lent.taken = true;
	return lent.at;
}

/* Where libsodium was built with 64-bit file offsets. */
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return __wrap_mmap(at, size, protection, flags, fd, offset);
}

int __wrap_munmap(void *at, size_t size)
{
	if (!lent.taken || at != lent.at)
		return __real_munmap(at, size);
	lent.taken = false;
	return 0;
}

#else

void fy_hash_memory_lend(size_t size)
{
	(void)size;
}

void fy_hash_memory_release(void)
{
}

#endif
