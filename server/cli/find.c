/* From what operators type to ids, and back to links that they hand on.
 * Called by the commands about persons and sessions. */
#include <stdio.h>

#include "server/auth/one_time.h"
#include "server/cli/cli.h"
#include "server/cli/find.h"
#include "storage/accounts.h"
#include "storage/tokens.h"

int fy_find_email_hash(struct fy_ctx *ctx, const char *email, uint8_t ret_hash[FY_HASH_BYTES],
		       struct fy_slice *ret_address)
{
	int err = fy_email_hash(ctx, fy_str(email), ret_address, ret_hash);

	if (err)
		fy_cli_say("this is not an e-mail address: %.254s", email);
	return err;
}

fy_async int fy_find_account(struct fy_ctx *ctx, const char *email, uint64_t *ret_id)
{
	struct fy_account_signin account;
	uint8_t hash[FY_HASH_BYTES];
	int err = fy_find_email_hash(ctx, email, hash, NULL);

	if (err)
		return err;
	err = fy_accounts_find_signin(ctx, fy_slice(hash, sizeof(hash)), &account);
	if (err == FY_ERR_NOT_FOUND)
		fy_cli_say("there is no account with this address");
	else if (err)
		fy_cli_say("the account cannot be looked up: %s", ctx->fault ? ctx->fault : fy_strerror(err));
	else
		*ret_id = account.id;
	return err;
}

fy_async int fy_print_set_up_link(struct fy_ctx *ctx, uint64_t account_id, unsigned days)
{
	struct fy_one_time once;
	int err;

	fy_one_time_make(ctx->keys, &once);
	err = fy_tokens_create(ctx, account_id, FY_TOKEN_SET_UP, fy_slice(once.hash, sizeof(once.hash)),
			       ctx->now + days * FY_DAY, NULL);
	if (err)
		fy_cli_say("the set-up link cannot be stored: %s", ctx->fault ? ctx->fault : fy_strerror(err));
	else
		printf("foyer: set the password (this link works once, for %u days): " FY_FMT "/setup?token=%s\n", days,
		       FY_ARG(ctx->config->server_base_url), once.token);
	return err;
}
