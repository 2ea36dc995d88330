/* Sealing personal values: what a column holds is bound to one person, one place and the purposes for which it was
 * collected (GDPR Article 5(1)(b): not for any other purpose).
 *
 *     version 1 │ purposes 4 │ nonce 24 │ XChaCha20-Poly1305 of the text │ tag 16
 *
 * The key is the person's own (persons.h). Associated data: the column's name, the row's id and the purposes, so a value
 * that was copied to another person, row or column, or whose purposes were changed afterwards, does not open. Purposes
 * are those that the register had when the value was sealed: a purpose that comes later needs a new collection. One that
 * is published and not in force yet (policy.h) is not among them, and is refused whatever the value says: what is
 * collected in between serves what the person was told on that day.
 * An empty text is stored as it is: "not given". No I/O; results are in the context's arena. */
#pragma once

#include "foyer/ctx.h"
#include "storage/register.h"

#define FY_SEAL_BYTES 45 /* more than the text */

/* Whose values. `key` has FY_PERSON_KEY_BYTES and is wiped with its arena. */
struct fy_person {
	uint64_t id;
	const uint8_t *key;
	uint32_t withheld; /* bits 1u << FY_PURPOSE_…: what the person does not allow (withheld.h) */
};

/* Seals for the purposes that the register says of the column and that are in force, and for FY_PURPOSE_RIGHTS. */
struct fy_sealed fy_seal(struct fy_ctx *ctx, const struct fy_person *person, enum fy_register_column column,
			 uint64_t row, struct fy_slice text);

/* Opens for one purpose.
 * FY_ERR_DENIED: the value was not collected for it, the person withholds it, or it is not in force yet; recorded as
 * `purpose.refused` with person, column and purpose.
 * FY_ERR_UNREADABLE: changed, moved or never sealed; the column and row are in ctx->fault. */
int fy_unseal(struct fy_ctx *ctx, const struct fy_person *person, enum fy_register_column column, uint64_t row,
	      enum fy_register_purpose purpose, struct fy_sealed sealed, struct fy_slice *ret_text);

static inline int fy_unseal_personal(struct fy_ctx *ctx, const struct fy_person *person, enum fy_register_column column,
				     uint64_t row, enum fy_register_purpose purpose, struct fy_sealed sealed,
				     struct fy_personal *ret_text)
{
	return fy_unseal(ctx, person, column, row, purpose, sealed, &ret_text->text);
}

/* Bits 1u << FY_PURPOSE_… that a sealed value claims; not authenticated, so for showing only. 0: not sealed. */
uint32_t fy_sealed_purposes(struct fy_sealed sealed);
