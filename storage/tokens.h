/* One-time tokens: the links in mails that confirm an address, set a new password or set up an account.
 * Making the token, hashing it (keyed) and writing the mail are the caller's; here only the 32-byte hash
 * is seen. Called by the routes of registration and passwords, by `foyer admin create` and by the purge. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

enum fy_token_purpose {
	FY_TOKEN_CONFIRM_EMAIL = 1,
	FY_TOKEN_RESET_PASSWORD,
	FY_TOKEN_SET_UP, /* of an account without a password, or of the first owner: account 0 */
	FY_TOKEN_EXPORT, /* of an address: what is held about its holder, with an account or without */
};

struct fy_token {
	uint64_t id;
	uint64_t account_id; /* 0: belongs to nobody yet (set-up of the first owner) */
	fy_time expires_at;
	struct fy_slice email_hash; /* of a token of an address: its look-up hash; else empty. In the arena */
};

struct fy_mail_new;

/* Stores a token and makes all earlier ones of the same account and purpose useless. `hash` is 32 bytes.
 * With `mail` (may be NULL) the mail that carries it joins the same transaction. */
fy_async int fy_tokens_create(struct fy_ctx *ctx, uint64_t account_id, enum fy_token_purpose purpose,
			      struct fy_slice hash, fy_time expires_at, const struct fy_mail_new *mail);

/* Stores a token of an address with the mail that carries it. The mail is sealed under the key of a person who is made
 * for it and ends with it, so that nothing readable about the address stays, whether it is known or not. Earlier
 * tokens stay good: all of them go to the same mailbox. */
fy_async int fy_tokens_create_for_address(struct fy_ctx *ctx, struct fy_slice email_hash, enum fy_token_purpose purpose,
					  struct fy_slice hash, fy_time expires_at, const struct fy_mail_new *mail);

/* Looks without using it. FY_ERR_NOT_FOUND: there is no such token; FY_ERR_EXPIRED: it is too old, or was
 * used, or a newer one replaced it. The page should say the same for both. */
fy_async int fy_tokens_find(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice hash,
			    struct fy_token *ret_token);

/* Uses it: of any number of callers at the same time exactly one gets 0, whatever server they are on.
 * Errors as in fy_tokens_find. Inside a transaction the use is undone when that fails. */
fy_async int fy_tokens_use(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice hash,
			   struct fy_token *ret_token);

/* How many tokens, used or not, expired before `before`; and deletes up to `limit` of them. Those of addresses stay three
 * days longer, until their mail was sent or given up: by them it is found. */
fy_async int fy_tokens_count_expired(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_tokens_list_expired(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				    size_t *ret_count);
fy_async int fy_tokens_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
