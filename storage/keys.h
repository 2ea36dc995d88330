/* The master key and what is derived from it.
 * A file of mode 0600, or a systemd credential: 32 random bytes, the master key; a file that a rotation made
 * holds 32 more, the seed of the look-up keys, which is the first master key and stays. Subkeys are derived by
 * number, so that a value made for one use is worth nothing for another. The master key itself wraps nothing
 * but the keys of persons; sealing with those is seal.h's.
 *
 * While a rotation runs, the next master key stands beside the file as FILE.next, and both are held: what
 * either wrapped opens, and new keys are wrapped by the next one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/slice.h"

#define FY_HASH_BYTES 32
#define FY_PERSON_KEY_BYTES 32
#define FY_WRAPPED_BYTES 76 /* nonce, sealed key and withheld purposes, tag */

/* The numbers are what subkeys are derived from: add new ones, never change these. */
enum fy_key_use {
	FY_KEY_SESSION = 1, /* cookie token -> Redis key */
	FY_KEY_CSRF,        /* cookie token -> form token */
	FY_KEY_EMAIL,       /* normalised address -> look-up hash */
	FY_KEY_ONE_TIME,    /* mailed token -> look-up hash */
	FY_KEY_THROTTLE,    /* address or account -> bucket name */
	FY_KEY_CHECK,       /* fingerprint of the master key itself; a new use comes after this */
	FY_KEY_ONCE,        /* what a form sent -> key of its answer */
	FY_KEY_SIGN,        /* seed of the key that signs receipts */
	FY_KEY_ACCESS_LOG,  /* row of the access log -> its hash */
	FY_KEY_USES
};

struct fy_keys; /* in guarded, locked memory */

/* Reads the file, and FILE.next where there is one. On failure one sentence in `ret_why` (256 bytes): missing,
 * wrong size, readable by others, owned by somebody else, a next key that belongs to another file; FY_ERR_CONFIG. */
int fy_keys_load(const char *path, struct fy_keys **ret_keys, char *ret_why);

/* Makes a new key file; FY_ERR_EXISTS leaves an existing one alone. Durable on return. */
int fy_keys_create_file(const char *path, char *ret_why);

/* From 32 bytes in memory; for tests. */
struct fy_keys *fy_keys_from_bytes(const uint8_t bytes[32]);
void fy_keys_destroy(struct fy_keys *keys);

/* Keyed BLAKE2b-256. */
void fy_keys_hash(const struct fy_keys *keys, enum fy_key_use use, struct fy_slice text,
		  uint8_t ret_hash[FY_HASH_BYTES]);

/* 16 hex digits that tell two master keys apart and nothing else: of the file itself, not of FILE.next. */
void fy_keys_fingerprint(const struct fy_keys *keys, char ret_text[17]);

/* The master keys that are held, as numbers made of those digits: the file's, then the next one's. */
unsigned fy_keys_masters(const struct fy_keys *keys, uint64_t ret_ids[2]);

/* The key of a person, wrapped for storing: XChaCha20-Poly1305 with the person's number as associated data. What the
 * person withholds (withheld.h) is wrapped with it, so that nobody reads the one without the other. ret_master says by
 * which master key. */
void fy_keys_wrap(const struct fy_keys *keys, uint64_t person_id, const uint8_t key[FY_PERSON_KEY_BYTES],
		  uint32_t withheld, uint8_t ret_wrapped[FY_WRAPPED_BYTES], uint64_t *ret_master);

/* FY_ERR_NOT_FOUND: that master key is not held, not even after looking at the files again (another process may
 * have begun a rotation); FY_ERR_UNREADABLE: the bytes were changed, or belong to another person. */
int fy_keys_unwrap(const struct fy_keys *keys, uint64_t master, uint64_t person_id, struct fy_slice wrapped,
		   uint8_t ret_key[FY_PERSON_KEY_BYTES], uint32_t *ret_withheld);

/* Looks at the files again: a few microseconds of reading. False: nothing has changed, or they cannot be used. */
bool fy_keys_reload(const struct fy_keys *keys);

#define FY_SIGNATURE_BYTES 64
#define FY_SIGN_PUBLIC_BYTES 32

/* Ed25519, with a key that no rotation changes: receipts are checked years later. */
void fy_keys_sign(const struct fy_keys *keys, struct fy_slice text, uint8_t ret_signature[FY_SIGNATURE_BYTES]);
void fy_keys_sign_public(const struct fy_keys *keys, uint8_t ret_key[FY_SIGN_PUBLIC_BYTES]);

/* ---- rotation: called by `foyer keys rotate` only ---- */

/* Makes FILE.next with a new master key and the old seed, durable on return; one that is there stays (an earlier
 * rotation was cut off). Errors as fy_keys_create_file. */
int fy_keys_make_next(const char *path, char *ret_why);

/* FILE.next becomes FILE, if it still holds the master key `next`; the old master key is gone. FY_ERR_CONFIG: it does not. */
int fy_keys_adopt_next(const char *path, uint64_t next, char *ret_why);
