/* See one_time.h. */
#include "server/auth/one_time.h"

void fy_one_time_make(const struct fy_keys *keys, struct fy_one_time *ret_token)
{
	fy_session_make_token(ret_token->token);
	fy_keys_hash(keys, FY_KEY_ONE_TIME, fy_slice(ret_token->token, FY_TOKEN_CHARS), ret_token->hash);
}

bool fy_one_time_hash(const struct fy_keys *keys, struct fy_slice token, uint8_t ret_hash[FY_HASH_BYTES])
{
	if (token.len != FY_TOKEN_CHARS)
		return false;
	fy_keys_hash(keys, FY_KEY_ONE_TIME, token, ret_hash);
	return true;
}
