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
#include "storage/register.h"

#define MASTER_BYTES crypto_kdf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define WHY_MAX 256
#define PATH_SIZE 4104

#define WITHHELD_BYTES 4
#define INSIDE_BYTES (FY_PERSON_KEY_BYTES + WITHHELD_BYTES)
_Static_assert(FY_WRAPPED_BYTES == NONCE_BYTES + INSIDE_BYTES + TAG_BYTES, "the frame of a wrapped key");

/* What a key file says. */
struct file {
	uint8_t master[MASTER_BYTES], seed[MASTER_BYTES];
};

struct secrets {
	uint8_t sub[FY_KEY_USES][32]; /* of the seed */
	unsigned masters;
	uint64_t master_ids[2];
	uint8_t wrap[2][32]; /* of each master key */
};

struct ring {
	struct secrets *secrets; /* replaced by a reload */
	char *path;              /* NULL: made from bytes */
};

struct fy_keys {
	struct ring *ring;
};

/* A subkey is its number and this context; neither may ever change. */
static const char kdf_context[crypto_kdf_CONTEXTBYTES] = "foyer-v1";
static const char wrap_context[crypto_kdf_CONTEXTBYTES] = "foyer-kw";
#define WRAP_NUMBER 1

/* The first 8 bytes of the fingerprint. */
static uint64_t master_id(const uint8_t master[MASTER_BYTES])
{
	uint8_t sub[32], hash[FY_HASH_BYTES];
	uint64_t id = 0;
	crypto_kdf_derive_from_key(sub, sizeof sub, FY_KEY_CHECK, kdf_context, master);
	crypto_generichash(hash, sizeof hash, (const uint8_t *)"fingerprint", 11, sub, sizeof sub);
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | hash[i];
	sodium_memzero(sub, sizeof sub);
	return id;
}

static void add_master(struct secrets *s, const uint8_t master[MASTER_BYTES])
{
	s->master_ids[s->masters] = master_id(master);
	crypto_kdf_derive_from_key(s->wrap[s->masters], sizeof s->wrap[0], WRAP_NUMBER, wrap_context, master);
	s->masters++;
}

static struct secrets *derive(const struct file *file, const struct file *next)
{
	FY_REQUIRE(sodium_init() >= 0);
	struct secrets *s = sodium_malloc(sizeof *s);
	FY_REQUIRE(s != NULL);
	s->masters = 0;
	for (unsigned use = 0; use < FY_KEY_USES; use++)
		crypto_kdf_derive_from_key(s->sub[use], sizeof s->sub[use], use, kdf_context, file->seed);
	add_master(s, file->master);
	if (next)
		add_master(s, next->master);
	sodium_mprotect_readonly(s);
	return s;
}

static struct fy_keys *make(struct secrets *secrets, const char *path)
{
	struct fy_keys *keys = malloc(sizeof *keys);
	struct ring *ring = malloc(sizeof *ring);
	char *copy = path ? strdup(path) : NULL;
	FY_REQUIRE(keys != NULL && ring != NULL && (path == NULL || copy != NULL));
	*ring = (struct ring){ .secrets = secrets, .path = copy };
	keys->ring = ring;
	return keys;
}

struct fy_keys *fy_keys_from_bytes(const uint8_t bytes[32])
{
	struct file file;
	memcpy(file.master, bytes, sizeof file.master);
	memcpy(file.seed, bytes, sizeof file.seed);
	struct fy_keys *keys = make(derive(&file, NULL), NULL);
	sodium_memzero(&file, sizeof file);
	return keys;
}

void fy_keys_destroy(struct fy_keys *keys)
{
	if (keys == NULL)
		return;
	sodium_free(keys->ring->secrets);
	free(keys->ring->path);
	free(keys->ring);
	free(keys);
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

/* FY_ERR_NOT_FOUND beside the errors of fy_keys_load. */
static int read_file(const char *path, struct file *ret_file, char *why)
{
	struct stat st;
	uint8_t bytes[2 * MASTER_BYTES + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		int err = errno == ENOENT ? FY_ERR_NOT_FOUND : FY_ERR_CONFIG;
		refuse(why, path, errno == ENOENT ? "there is no such file" : strerror(errno));
		return err;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse(why, path, "it is not a file");
	}
	bool credential = is_credential(path);
	if (!credential && st.st_uid != geteuid()) {
		close(fd);
		return refuse(why, path, "it belongs to another user");
	}
	if (!credential && (st.st_mode & 077)) {
		close(fd);
		return refuse(why, path, "others may read it; its mode must be 0600");
	}
	ssize_t got = read(fd, bytes, sizeof bytes);
	close(fd);
	bool whole = got == MASTER_BYTES || got == 2 * MASTER_BYTES;
	if (whole) {
		memcpy(ret_file->master, bytes, MASTER_BYTES);
		memcpy(ret_file->seed, bytes + (got - MASTER_BYTES), MASTER_BYTES);
	}
	sodium_memzero(bytes, sizeof bytes);
	return whole ? 0 : refuse(why, path, "it holds neither 32 bytes nor the 64 of a rotated key");
}

static void next_path(const char *path, char ret_path[PATH_SIZE])
{
	snprintf(ret_path, PATH_SIZE, "%s.next", path);
}

static int load(const char *path, struct secrets **ret_secrets, char *why)
{
	struct file file, next;
	char beside[PATH_SIZE];
	int err = read_file(path, &file, why);
	if (err)
		return FY_ERR_CONFIG;
	next_path(path, beside);
	err = read_file(beside, &next, why);
	if (err == 0 && sodium_memcmp(file.seed, next.seed, sizeof file.seed) != 0)
		err = refuse(why, beside, "it was not made from the key beside it");
	if (err == 0 || err == FY_ERR_NOT_FOUND)
		*ret_secrets = derive(&file, err == 0 ? &next : NULL);
	sodium_memzero(&file, sizeof file);
	sodium_memzero(&next, sizeof next);
	return err == FY_ERR_NOT_FOUND ? 0 : err;
}

int fy_keys_load(const char *path, struct fy_keys **ret_keys, char *ret_why)
{
	struct secrets *secrets;
	int err = load(path, &secrets, ret_why);
	if (err == 0)
		*ret_keys = make(secrets, path);
	return err;
}

bool fy_keys_reload(const struct fy_keys *keys)
{
	struct ring *ring = keys->ring;
	struct secrets *fresh;
	char why[WHY_MAX];
	if (ring->path == NULL || load(ring->path, &fresh, why))
		return false;
	bool same = sodium_memcmp(fresh, ring->secrets, sizeof *fresh) == 0;
	sodium_free(ring->secrets);
	ring->secrets = fresh;
	return !same;
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

static int create_file(const char *path, const uint8_t *bytes, size_t size, char *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			return FY_ERR_EXISTS;
		refuse(why, path, strerror(errno));
		return FY_ERR_IO;
	}
	errno = EIO; /* for a write that was cut short */
	int err = write(fd, bytes, size) == (ssize_t)size && fsync(fd) == 0 ? 0 : -errno;
	close(fd);
	if (err == 0)
		err = sync_folder(path);
	if (err == 0)
		return 0;
	unlink(path); /* half a key would be found, and refused, at the next start */
	refuse(why, path, strerror(-err));
	return FY_ERR_IO;
}

int fy_keys_create_file(const char *path, char *ret_why)
{
	uint8_t bytes[MASTER_BYTES];
	FY_REQUIRE(sodium_init() >= 0);
	crypto_kdf_keygen(bytes);
	int err = create_file(path, bytes, sizeof bytes, ret_why);
	sodium_memzero(bytes, sizeof bytes);
	return err;
}

int fy_keys_make_next(const char *path, char *ret_why)
{
	struct file file;
	char beside[PATH_SIZE];
	FY_REQUIRE(sodium_init() >= 0);
	int err = read_file(path, &file, ret_why);
	if (err)
		return FY_ERR_CONFIG;
	next_path(path, beside);
	crypto_kdf_keygen(file.master);
	_Static_assert(sizeof file == 2 * MASTER_BYTES, "the file is the struct");
	err = create_file(beside, (const uint8_t *)&file, sizeof file, ret_why);
	sodium_memzero(&file, sizeof file);
	return err;
}

int fy_keys_adopt_next(const char *path, uint64_t next, char *ret_why)
{
	char beside[PATH_SIZE];
	struct fy_keys *now;
	uint64_t ids[2];
	int err = fy_keys_load(path, &now, ret_why);
	if (err)
		return err;
	bool same = fy_keys_masters(now, ids) == 2 && ids[1] == next;
	fy_keys_destroy(now);
	next_path(path, beside);
	if (!same) {
		refuse(ret_why, beside, "is not the key that was rotated to");
		return FY_ERR_CONFIG;
	}
	if (rename(beside, path) == 0 && sync_folder(path) == 0)
		return 0;
	refuse(ret_why, beside, strerror(errno));
	return FY_ERR_IO;
}

void fy_keys_hash(const struct fy_keys *keys, enum fy_key_use use, struct fy_slice text,
		  uint8_t ret_hash[FY_HASH_BYTES])
{
	const struct secrets *s = keys->ring->secrets;
	FY_REQUIRE(use > 0 && use < FY_KEY_USES);
	crypto_generichash(ret_hash, FY_HASH_BYTES, (const uint8_t *)text.ptr, text.len, s->sub[use],
			   sizeof s->sub[use]);
}

void fy_keys_fingerprint(const struct fy_keys *keys, char ret_text[17])
{
	snprintf(ret_text, 17, "%016llx", (unsigned long long)keys->ring->secrets->master_ids[0]);
}

unsigned fy_keys_masters(const struct fy_keys *keys, uint64_t ret_ids[2])
{
	const struct secrets *s = keys->ring->secrets;
	memcpy(ret_ids, s->master_ids, s->masters * sizeof ret_ids[0]);
	return s->masters;
}

void fy_keys_wrap(const struct fy_keys *keys, uint64_t person_id, const uint8_t key[FY_PERSON_KEY_BYTES],
		  uint32_t withheld, uint8_t ret_wrapped[FY_WRAPPED_BYTES], uint64_t *ret_master)
{
	const struct secrets *s = keys->ring->secrets;
	unsigned newest = s->masters - 1;
	uint8_t inside[INSIDE_BYTES];
	memcpy(inside, key, FY_PERSON_KEY_BYTES);
	for (unsigned i = 0; i < WITHHELD_BYTES; i++)
		inside[FY_PERSON_KEY_BYTES + i] = (uint8_t)(withheld >> 8 * i);
	randombytes_buf(ret_wrapped, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret_wrapped + NONCE_BYTES, NULL, inside, sizeof inside,
						   (const uint8_t *)&person_id, sizeof person_id, NULL, ret_wrapped,
						   s->wrap[newest]);
	sodium_memzero(inside, sizeof inside);
	*ret_master = s->master_ids[newest];
}

static const uint8_t *wrap_key_of(const struct fy_keys *keys, uint64_t master)
{
	const struct secrets *s = keys->ring->secrets;
	for (unsigned i = 0; i < s->masters; i++)
		if (s->master_ids[i] == master)
			return s->wrap[i];
	return NULL;
}

int fy_keys_unwrap(const struct fy_keys *keys, uint64_t master, uint64_t person_id, struct fy_slice wrapped,
		   uint8_t ret_key[FY_PERSON_KEY_BYTES], uint32_t *ret_withheld)
{
	const uint8_t *wrap = wrap_key_of(keys, master);
	const uint8_t *bytes = (const uint8_t *)wrapped.ptr;
	uint8_t inside[INSIDE_BYTES];
	bool first_form = wrapped.len == FY_WRAPPED_BYTES - WITHHELD_BYTES;
	if (wrap == NULL && fy_keys_reload(keys))
		wrap = wrap_key_of(keys, master);
	if (wrap == NULL)
		return FY_ERR_NOT_FOUND;
	if ((wrapped.len != FY_WRAPPED_BYTES && !first_form) ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(inside, NULL, NULL, bytes + NONCE_BYTES,
						       wrapped.len - NONCE_BYTES, (const uint8_t *)&person_id,
						       sizeof person_id, bytes, wrap) != 0)
		return FY_ERR_UNREADABLE;
	memcpy(ret_key, inside, FY_PERSON_KEY_BYTES);
	*ret_withheld = 0;
	for (unsigned i = 0; i < WITHHELD_BYTES; i++)
		*ret_withheld |= (uint32_t)inside[FY_PERSON_KEY_BYTES + i] << 8 * i;
	if (first_form)
		*ret_withheld = FY_PURPOSES_BY_CONSENT;
	sodium_memzero(inside, sizeof inside);
	return 0;
}

void fy_keys_sign(const struct fy_keys *keys, struct fy_slice text, uint8_t ret_signature[FY_SIGNATURE_BYTES])
{
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	_Static_assert(crypto_sign_BYTES == FY_SIGNATURE_BYTES, "Ed25519");
	crypto_sign_seed_keypair(public, secret, keys->ring->secrets->sub[FY_KEY_SIGN]);
	crypto_sign_detached(ret_signature, NULL, (const uint8_t *)text.ptr, text.len, secret);
	sodium_memzero(secret, sizeof secret);
}

void fy_keys_sign_public(const struct fy_keys *keys, uint8_t ret_key[FY_SIGN_PUBLIC_BYTES])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	_Static_assert(crypto_sign_PUBLICKEYBYTES == FY_SIGN_PUBLIC_BYTES, "Ed25519");
	crypto_sign_seed_keypair(ret_key, secret, keys->ring->secrets->sub[FY_KEY_SIGN]);
	sodium_memzero(secret, sizeof secret);
}
