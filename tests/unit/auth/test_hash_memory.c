/* The memory that a hashing thread keeps: that libsodium really gets it, that it changes no result, and that it
 * goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sodium.h>

#include "server/auth/hash_memory.c"

#define MEMORY ((size_t)8 << 20)

static const unsigned char salt[crypto_pwhash_SALTBYTES] = { 5 };

static void hash(const char *password, size_t memory, unsigned char out[32])
{
	assert_int_equal(
		crypto_pwhash(out, 32, password, strlen(password), salt, 1, memory, crypto_pwhash_ALG_ARGON2ID13), 0);
}

#ifdef FOYER_WRAP_MMAP

static void one_region_serves_all_hashes_of_a_thread(void **state)
{
	unsigned char plain[32], lent_out[32];
	(void)state;
	hash("secret", MEMORY, plain);
	assert_null(lent.map); /* nothing is lent before it is asked for */
	fy_hash_memory_lend(MEMORY / 2);
	hash("secret", MEMORY, lent_out);
	char *first = lent.map;
	assert_non_null(first);
	assert_false(lent.taken);
	assert_memory_equal(plain, lent_out, 32);
	hash("another", MEMORY, lent_out);
	assert_memory_not_equal(plain, lent_out, 32);
	hash("secret", MEMORY, lent_out); /* what the hash before left changes nothing */
	assert_memory_equal(plain, lent_out, 32);
	assert_ptr_equal(lent.map, first);
	assert_int_equal((size_t)lent.at % HUGE_PAGE, 0);
	assert_in_range(lent.mapped, MEMORY, MEMORY + 2 * HUGE_PAGE);
	fy_hash_memory_release();
	assert_null(lent.map);
	fy_hash_memory_lend(0);
}

static void another_cost_gets_another_region(void **state)
{
	unsigned char plain[32], out[32];
	(void)state;
	hash("secret", 2 * MEMORY, plain);
	fy_hash_memory_lend(MEMORY / 2);
	hash("secret", MEMORY, out);
	size_t small = lent.mapped;
	hash("secret", 2 * MEMORY, out);
	assert_memory_equal(plain, out, 32);
	assert_true(lent.mapped > small);
	size_t large = lent.mapped;
	hash("secret", MEMORY, out); /* fits into the larger one */
	assert_int_equal(lent.mapped, large);
	fy_hash_memory_release();
	fy_hash_memory_lend(0);
}

/* As libsodium calls it; with 64-bit file offsets the header would make it mmap64 here. */
void *mmap_symbol(void *at, size_t size, int protection, int flags, int fd, off_t offset) __asm__("mmap");

static void *map(size_t size)
{
	return mmap_symbol(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void other_mappings_are_the_kernels(void **state)
{
	(void)state;
	fy_hash_memory_lend(MEMORY);
	void *small = map(4096);
	void *first = map(MEMORY);
	void *second = map(MEMORY);
	assert_ptr_equal(first, lent.at);
	assert_true(second != MAP_FAILED && second != first && small != MAP_FAILED);
	memset(second, 1, MEMORY);
	fy_hash_memory_release(); /* not while it is in use */
	assert_non_null(lent.map);
	assert_int_equal(munmap(second, MEMORY), 0);
	assert_int_equal(munmap(first, MEMORY), 0);
	assert_int_equal(munmap(small, 4096), 0);
	fy_hash_memory_release();
	assert_null(lent.map);
	fy_hash_memory_lend(0);
}

#else

static void without_the_wrapping_hashes_are_libsodiums(void **state)
{
	unsigned char plain[32], out[32];
	(void)state;
	hash("secret", MEMORY, plain);
	fy_hash_memory_lend(MEMORY / 2);
	hash("secret", MEMORY, out);
	fy_hash_memory_release();
	assert_memory_equal(plain, out, 32);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef FOYER_WRAP_MMAP
		cmocka_unit_test(one_region_serves_all_hashes_of_a_thread),
		cmocka_unit_test(another_cost_gets_another_region),
		cmocka_unit_test(other_mappings_are_the_kernels),
#else
		cmocka_unit_test(without_the_wrapping_hashes_are_libsodiums),
#endif
	};
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
