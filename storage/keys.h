/* The master key and what is derived from it.
 * 32 random bytes in a file of mode 0600, or a systemd credential; subkeys are derived by name, so that a
 * value made for one use is worth nothing for another. Sealing comes on top of this. Loaded once a process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/slice.h"

#define FY_HASH_BYTES 32

/* The numbers are what subkeys are derived from: add new ones, never change these. */
enum fy_key_use {
	FY_KEY_SESSION = 1, /* cookie token -> Redis key */
	FY_KEY_CSRF,        /* cookie token -> form token */
	FY_KEY_EMAIL,       /* normalised address -> look-up hash */
	FY_KEY_ONE_TIME,    /* mailed token -> look-up hash */
	FY_KEY_THROTTLE,    /* address or account -> bucket name */
	FY_KEY_CHECK,       /* fingerprint of the master key itself; a new use comes after this */
	FY_KEY_ONCE,        /* what a form sent -> key of its answer */
	FY_KEY_USES
};

struct fy_keys; /* in guarded, locked memory */

/* Reads the file. On failure one sentence in `ret_why` (256 bytes): missing, wrong size, readable by others,
 * owned by somebody else; FY_ERR_CONFIG. */
int fy_keys_load(const char *path, struct fy_keys **ret_keys, char *ret_why);

/* Makes a new key file; FY_ERR_EXISTS leaves an existing one alone. Durable on return. */
int fy_keys_create_file(const char *path, char *ret_why);

/* From 32 bytes in memory; for tests. */
struct fy_keys *fy_keys_from_bytes(const uint8_t bytes[32]);
void fy_keys_destroy(struct fy_keys *keys);

/* Keyed BLAKE2b-256. */
void fy_keys_hash(const struct fy_keys *keys, enum fy_key_use use, struct fy_slice text,
		  uint8_t ret_hash[FY_HASH_BYTES]);

/* 16 hex digits that tell two master keys apart and nothing else; stored in the database to notice a wrong
 * key before it does harm. */
void fy_keys_fingerprint(const struct fy_keys *keys, char ret_text[17]);
