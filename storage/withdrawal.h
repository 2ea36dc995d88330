/* The link by which the reader of a mail withdraws the consent that the mail rests on (GDPR Article 7(3): as easily as it
 * was given). It works without a session and for as long as the person's key exists: nothing of it is stored, an
 * erasure ends it, and a rotation of the master key does not. It opens nothing else, so who finds one can at the most
 * stop invitations.
 *
 *     base64url of: account 8 │ purpose 1 │ keyed BLAKE2b-256 of these, with a key derived from the person's own */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/consents.h"
#include "storage/seal.h"

#define FY_WITHDRAWAL_CHARS 55

/* In the arena, wiped with it. */
struct fy_secret fy_withdrawal_token(struct fy_ctx *ctx, const struct fy_person *person,
				     enum fy_consent_purpose purpose);

/* Whose consent to what. FY_ERR_NOT_FOUND: it is no such token, was changed, or its person is erased. */
fy_async int fy_withdrawal_find(struct fy_ctx *ctx, struct fy_slice token, uint64_t *ret_account,
				enum fy_consent_purpose *ret_purpose);
