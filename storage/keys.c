/* Loading, making and deriving keys; see keys.h. The master key itself is kept only as long as the subkeys
 * take to derive; those live in memory that is locked, guarded and read-only. */
#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/err.h"
#include "foyer/require.h"

#define MASTER_BYTES crypto_kdf_KEYBYTES
#define WHY_MAX 256

struct fy_keys {
	uint8_t sub[FY_KEY_USES][32];
};

/* A subkey is its number and this context; neither may ever change. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = "foyer-v1";

struct fy_keys *fy_keys_from_bytes(const uint8_t bytes[32])
{
	FY_REQUIRE(sodium_init() >= 0);
	struct fy_keys *keys = sodium_malloc(sizeof *keys);
	FY_REQUIRE(keys != NULL);
	for (unsigned use = 0; use < FY_KEY_USES; use++)
		crypto_kdf_derive_from_key(keys->sub[use], sizeof keys->sub[use], use, kdf_context, bytes);
	sodium_mprotect_readonly(keys);
	return keys;
}

void fy_keys_destroy(struct fy_keys *keys)
{
	if (keys)
		sodium_free(keys);
}

static int refuse(char *why, const char *path, const char *reason)
{
	snprintf(why, WHY_MAX, "master key %.180s: %s", path, reason);
	return FY_ERR_CONFIG;
}

/* Credentials of systemd belong to root and are ours to read through an ACL; systemd answers for who else may. */
static bool is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder ? strlen(folder) : 0;
	return len && strncmp(path, folder, len) == 0 && path[len] == '/' && strchr(path + len + 1, '/') == NULL;
}

int fy_keys_load(const char *path, struct fy_keys **ret_keys, char *ret_why)
{
	struct stat st;
	uint8_t bytes[MASTER_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return refuse(ret_why, path, errno == ENOENT ? "there is no such file" : strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(ret_why, path, "it is not a file");
	}
	bool credential = is_credential(path);
	if (!credential && st.st_uid != geteuid()) {
		close(fd);
		return refuse(ret_why, path, "it belongs to another user");
	}
	if (!credential && (st.st_mode & 077)) {
		close(fd);
		return refuse(ret_why, path, "others may read it; its mode must be 0600");
	}
	ssize_t got = read(fd, bytes, sizeof bytes);
	close(fd);
	if (got != MASTER_BYTES) {
		sodium_memzero(bytes, sizeof bytes);
		return refuse(ret_why, path, "it does not hold exactly 32 bytes");
	}
	*ret_keys = fy_keys_from_bytes(bytes);
	sodium_memzero(bytes, sizeof bytes);
	return 0;
}

static int sync_folder(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	int fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	return err;
}

int fy_keys_create_file(const char *path, char *ret_why)
{
	uint8_t bytes[MASTER_BYTES];
	FY_REQUIRE(sodium_init() >= 0);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			return FY_ERR_EXISTS;
		refuse(ret_why, path, strerror(errno));
		return FY_ERR_IO;
	}
	crypto_kdf_keygen(bytes);
	errno = EIO; /* for a write that was cut short */
	int err = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0 ? 0 : -errno;
	sodium_memzero(bytes, sizeof bytes);
	close(fd);
	if (err == 0)
		err = sync_folder(path);
	if (err == 0)
		return 0;
	unlink(path); /* half a key would be found, and refused, at the next start */
	refuse(ret_why, path, strerror(-err));
	return FY_ERR_IO;
}

void fy_keys_hash(const struct fy_keys *keys, enum fy_key_use use, struct fy_slice text,
		  uint8_t ret_hash[FY_HASH_BYTES])
{
	FY_REQUIRE(use > 0 && use < FY_KEY_USES);
	crypto_generichash(ret_hash, FY_HASH_BYTES, (const uint8_t *)text.ptr, text.len, keys->sub[use],
			   sizeof keys->sub[use]);
}

void fy_keys_fingerprint(const struct fy_keys *keys, char ret_text[17])
{
	uint8_t hash[FY_HASH_BYTES];
	fy_keys_hash(keys, FY_KEY_CHECK, FY_LIT("fingerprint"), hash);
	sodium_bin2hex(ret_text, 17, hash, 8);
}
