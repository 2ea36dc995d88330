/* The master key's file, what makes it unfit, and what is derived from it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "foyer/err.h"
#include "foyer/require.h"
#include "storage/keys.h"

static char folder[64], path[96], why[256];

static int make_folder(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	strcpy(folder, "/tmp/foyer-keys-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/master.key", folder);
	why[0] = '\0';
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	rmdir(path);
	return rmdir(folder);
}

static void given_file(size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char bytes[65] = { 1, 2, 3 };
	assert_int_equal(write(fd, bytes, size), size);
	close(fd);
	assert_int_equal(chmod(path, mode), 0);
}

static void refused(const char *reason)
{
	struct fy_keys *keys = NULL;
	assert_int_equal(fy_keys_load(path, &keys, why), FY_ERR_CONFIG);
	assert_null(keys);
	assert_non_null(strstr(why, path));
	assert_non_null(strstr(why, reason));
	assert_null(strchr(why, '\n'));
}

static void a_made_key_loads_and_is_the_same_each_time(void **state)
{
	(void)state;
	struct stat st;
	struct fy_keys *keys = NULL, *again = NULL;
	char one[17], two[17];
	assert_int_equal(fy_keys_create_file(path, why), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	assert_int_equal(fy_keys_load(path, &keys, why), 0);
	assert_int_equal(fy_keys_load(path, &again, why), 0);
	fy_keys_fingerprint(keys, one);
	fy_keys_fingerprint(again, two);
	assert_string_equal(one, two);
	fy_keys_destroy(again);
	assert_int_equal(fy_keys_create_file(path, why), FY_ERR_EXISTS);
	assert_int_equal(fy_keys_load(path, &again, why), 0);
	fy_keys_fingerprint(again, two);
	assert_string_equal(one, two); /* the existing one was left alone */
	fy_keys_destroy(keys);
	fy_keys_destroy(again);
}

static void a_key_in_a_missing_folder_is_not_made(void **state)
{
	(void)state;
	snprintf(path, sizeof path, "%s/none/master.key", folder);
	assert_int_equal(fy_keys_create_file(path, why), FY_ERR_IO);
	assert_non_null(strstr(why, "No such file"));
}

static void unfit_files_are_refused_in_one_sentence(void **state)
{
	(void)state;
	refused("there is no such file");
	static const size_t wrong[] = { 0, 31, 33, 63, 65 };
	for (unsigned i = 0; i < 5; i++) {
		given_file(wrong[i], 0600);
		refused("neither 32 bytes nor the 64");
	}
	given_file(32, 0640);
	refused("mode must be 0600");
	given_file(32, 0604);
	refused("mode must be 0600");
	unlink(path);
	mkdir(path, 0700);
	refused("not a file");
	rmdir(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	refused("symbolic links");
}

static void a_file_of_somebody_else_is_refused(void **state)
{
	(void)state;
	given_file(32, 0600);
	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	assert_int_equal(chown(path, 1, 1), 0);
	refused("another user");
}

static void a_systemd_credential_is_taken_as_it_is(void **state)
{
	(void)state;
	struct fy_keys *keys = NULL;
	char near[96];
	given_file(32, 0440);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_int_equal(fy_keys_load(path, &keys, why), 0);
	fy_keys_destroy(keys);
	snprintf(near, sizeof near, "%.*s", (int)strlen(folder) - 1,
		 folder); /* "/tmp/foyer-keys-XXXXX" is no parent of it */
	setenv("CREDENTIALS_DIRECTORY", near, 1);
	refused("mode must be 0600");
}

static void of_look_ups_nothing_changes_when_the_master_key_does(void **state)
{
	(void)state;
	struct fy_keys *before, *during, *after;
	uint8_t hash[3][FY_HASH_BYTES], key[FY_PERSON_KEY_BYTES] = { 7 }, got[FY_PERSON_KEY_BYTES];
	uint8_t old_frame[FY_WRAPPED_BYTES], new_frame[FY_WRAPPED_BYTES];
	uint64_t old_master, new_master, ids[2];
	uint32_t withheld;
	assert_int_equal(fy_keys_create_file(path, why), 0);
	assert_int_equal(fy_keys_load(path, &before, why), 0);
	assert_int_equal(fy_keys_masters(before, ids), 1);
	fy_keys_wrap(before, 5, key, 5, old_frame, &old_master);
	assert_int_equal(old_master, ids[0]);

	assert_int_equal(fy_keys_make_next(path, why), 0);
	assert_int_equal(fy_keys_make_next(path, why), FY_ERR_EXISTS); /* cut off and begun again: the same one */
	assert_int_equal(fy_keys_load(path, &during, why), 0);
	assert_int_equal(fy_keys_masters(during, ids), 2);
	fy_keys_wrap(during, 5, key, 5, new_frame, &new_master);
	assert_int_equal(new_master, ids[1]);
	assert_int_equal(fy_keys_unwrap(during, old_master, 5, fy_slice(old_frame, sizeof old_frame), got, &withheld),
			 0);
	assert_memory_equal(got, key, sizeof key);
	/* a process that knows the old one only looks again by itself */
	assert_int_equal(fy_keys_unwrap(before, new_master, 5, fy_slice(new_frame, sizeof new_frame), got, &withheld),
			 0);
	assert_memory_equal(got, key, sizeof key);

	assert_int_equal(fy_keys_adopt_next(path, new_master + 1, why), FY_ERR_CONFIG); /* another rotation's */
	assert_int_equal(fy_keys_adopt_next(path, new_master, why), 0);
	assert_int_equal(fy_keys_load(path, &after, why), 0);
	assert_int_equal(fy_keys_masters(after, ids), 1);
	assert_int_equal(ids[0], new_master);
	assert_int_equal(fy_keys_unwrap(after, old_master, 5, fy_slice(old_frame, sizeof old_frame), got, &withheld),
			 FY_ERR_NOT_FOUND);
	struct fy_keys *all[] = { before, during, after };
	for (unsigned i = 0; i < 3; i++) {
		fy_keys_hash(all[i], FY_KEY_EMAIL, FY_LIT("ada@example.org"), hash[i]);
		assert_memory_equal(hash[i], hash[0], FY_HASH_BYTES);
		fy_keys_destroy(all[i]);
	}
}

static void a_next_key_of_another_file_is_refused(void **state)
{
	(void)state;
	struct fy_keys *keys;
	char other[160], beside[160];
	assert_int_equal(fy_keys_create_file(path, why), 0);
	snprintf(other, sizeof other, "%s/other.key", folder);
	assert_int_equal(fy_keys_create_file(other, why), 0);
	assert_int_equal(fy_keys_make_next(other, why), 0);
	snprintf(beside, sizeof beside, "%s/other.key.next", folder);
	snprintf(other, sizeof other, "%s.next", path);
	assert_int_equal(rename(beside, other), 0);
	assert_int_equal(fy_keys_load(path, &keys, why), FY_ERR_CONFIG);
	assert_non_null(strstr(why, "not made from the key beside it"));
	unlink(other);
	snprintf(other, sizeof other, "%s/other.key", folder);
	unlink(other);
}

static void a_wrapped_key_opens_for_its_person_only(void **state)
{
	(void)state;
	uint8_t bytes[32] = { 1 }, key[FY_PERSON_KEY_BYTES] = { 9 }, got[FY_PERSON_KEY_BYTES], frame[FY_WRAPPED_BYTES];
	uint64_t master;
	uint32_t withheld;
	struct fy_keys *keys = fy_keys_from_bytes(bytes);
	fy_keys_wrap(keys, 1000, key, 5, frame, &master);
	assert_int_equal(fy_keys_unwrap(keys, master, 1000, fy_slice(frame, sizeof frame), got, &withheld), 0);
	assert_memory_equal(got, key, sizeof key);
	assert_int_equal(withheld, 5);
	assert_int_equal(fy_keys_unwrap(keys, master, 1001, fy_slice(frame, sizeof frame), got, &withheld),
			 FY_ERR_UNREADABLE);
	assert_int_equal(fy_keys_unwrap(keys, master, 1000, fy_slice(frame, sizeof frame - 1), got, &withheld),
			 FY_ERR_UNREADABLE);
	assert_int_equal(fy_keys_unwrap(keys, master + 1, 1000, fy_slice(frame, sizeof frame), got, &withheld),
			 FY_ERR_NOT_FOUND);
	for (unsigned i = 0; i < sizeof frame; i++) {
		frame[i] ^= 1;
		assert_int_equal(fy_keys_unwrap(keys, master, 1000, fy_slice(frame, sizeof frame), got, &withheld),
				 FY_ERR_UNREADABLE);
		frame[i] ^= 1;
	}
	fy_keys_destroy(keys);
}

static void uses_and_masters_have_nothing_in_common(void **state)
{
	(void)state;
	uint8_t one[32] = { 1 }, two[32] = { 2 }, seen[2 * FY_KEY_USES][FY_HASH_BYTES];
	struct fy_keys *keys[] = { fy_keys_from_bytes(one), fy_keys_from_bytes(two) };
	unsigned count = 0;
	for (unsigned k = 0; k < 2; k++)
		for (unsigned use = 1; use < FY_KEY_USES; use++) {
			fy_keys_hash(keys[k], (enum fy_key_use)use, FY_LIT("the same text"), seen[count]);
			for (unsigned i = 0; i < count; i++)
				assert_memory_not_equal(seen[i], seen[count], FY_HASH_BYTES);
			count++;
		}
	char a[17], b[17];
	fy_keys_fingerprint(keys[0], a);
	fy_keys_fingerprint(keys[1], b);
	assert_string_not_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), 16);
	fy_keys_destroy(keys[0]);
	fy_keys_destroy(keys[1]);
}

/* Sessions, e-mail look-ups and mailed links of a running site hang on these values. */
static void derivation_never_changes(void **state)
{
	(void)state;
	uint8_t master[32], hash[FY_HASH_BYTES], sub[32], expected[FY_HASH_BYTES];
	for (int i = 0; i < 32; i++)
		master[i] = (uint8_t)i;
	struct fy_keys *keys = fy_keys_from_bytes(master);
	static const enum fy_key_use uses[] = { FY_KEY_SESSION,  FY_KEY_CSRF,     FY_KEY_EMAIL,
						FY_KEY_ONE_TIME, FY_KEY_THROTTLE, FY_KEY_CHECK };
	for (unsigned i = 0; i < FY_COUNT(uses); i++) {
		assert_int_equal(uses[i], i + 1);
		crypto_kdf_derive_from_key(sub, sizeof sub, i + 1, "foyer-v1", master);
		crypto_generichash(expected, sizeof expected, (const uint8_t *)"text", 4, sub, sizeof sub);
		fy_keys_hash(keys, uses[i], FY_LIT("text"), hash);
		assert_memory_equal(hash, expected, sizeof hash);
	}
	fy_keys_destroy(keys);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(a_made_key_loads_and_is_the_same_each_time),
		TEST(a_key_in_a_missing_folder_is_not_made),
		TEST(unfit_files_are_refused_in_one_sentence),
		TEST(a_file_of_somebody_else_is_refused),
		TEST(a_systemd_credential_is_taken_as_it_is),
		TEST(of_look_ups_nothing_changes_when_the_master_key_does),
		TEST(a_next_key_of_another_file_is_refused),
		TEST(a_wrapped_key_opens_for_its_person_only),
		TEST(uses_and_masters_have_nothing_in_common),
		TEST(derivation_never_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
