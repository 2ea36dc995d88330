/* See email_hash.h. */
#include "storage/email_hash.h"

#include "protocol/email_address.h"

int fy_email_hash(struct fy_ctx *ctx, struct fy_slice typed, struct fy_slice *ret_address,
		  uint8_t ret_hash[FY_HASH_BYTES])
{
	struct fy_slice address;
	int err = fy_email_parse(ctx->arena, typed, &address);
	if (err)
		return err;
	if (ret_address)
		*ret_address = address;
	fy_keys_hash(ctx->keys, FY_KEY_EMAIL, fy_email_key(ctx->arena, address), ret_hash);
	return 0;
}
