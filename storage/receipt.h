/* The receipt of an erasure: a few lines of text without personal data that anyone can check offline with the public
 * key that the site publishes. Each names the hash of the one before, so that none can be added, changed or left out
 * later. Pure: no loop, no I/O. */
#pragma once

#include "foyer/arena.h"
#include "foyer/clock.h"
#include "foyer/slice.h"
#include "storage/keys.h"

enum fy_erasure_ground {
	FY_ERASURE_ASKED = 1,
	FY_ERASURE_INACTIVE,
	FY_ERASURE_BY_SOURCE,  /* of a person entered by a member: the member did, or has gone */
	FY_ERASURE_UNINFORMED, /* the same: they could not be told within a month */
};

#define FY_RECEIPT_REFERENCE_BYTES 16

struct fy_receipt {
	struct fy_slice site;
	uint64_t serial; /* from 1 */
	uint8_t reference[FY_RECEIPT_REFERENCE_BYTES];
	enum fy_erasure_ground ground;
	fy_time asked_at, erased_at;
	uint8_t previous[FY_HASH_BYTES]; /* zeros for the first */
};

/* Its text, with hash, public key and signature as the last lines; the hash also by itself. */
struct fy_slice fy_receipt_write(struct fy_arena *arena, const struct fy_keys *keys, const struct fy_receipt *receipt,
				 uint8_t ret_hash[FY_HASH_BYTES]);

enum fy_receipt_verdict {
	FY_RECEIPT_GOOD = 0,
	FY_RECEIPT_NOT_ONE,   /* a line is missing, or this is something else */
	FY_RECEIPT_CHANGED,   /* the lines do not have this hash */
	FY_RECEIPT_OTHER_KEY, /* signed, but not with that key */
	FY_RECEIPT_FORGED,    /* the signature is not of that key */
};

/* `text` may have been through a mail: lines around it, blanks at the ends and CRLF do no harm. `key` is the public key
 * that is believed in. */
enum fy_receipt_verdict fy_receipt_verify(struct fy_arena *arena, struct fy_slice text,
					  const uint8_t key[FY_SIGN_PUBLIC_BYTES]);
