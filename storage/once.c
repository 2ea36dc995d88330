/* See once.h. */
#include "storage/once.h"

#include <stdio.h>

#include "protocol/basexx.h"
#include "storage/keys.h"
#include "storage/redis.h"

#define KEPT_S "600"
#define AT_WORK "-"
#define AT_WORK_S "20" /* longer than a request lives: a worker that died leaves it behind */
#define LOOK_MS 50

fy_async int fy_once_begin(struct fy_ctx *ctx, struct fy_slice what, struct fy_once *ret_once,
			   struct fy_slice *ret_answer)
{
	uint8_t hash[FY_HASH_BYTES];
	char text[22];
	struct fy_redis_reply reply;
	fy_keys_hash(ctx->keys, FY_KEY_ONCE, what, hash);
	fy_base64url_encode(text, hash, 16);
	snprintf(ret_once->key, sizeof ret_once->key, "once:%.*s", (int)sizeof text, text);
	struct fy_slice take[] = { FY_LIT("SET"), fy_str(ret_once->key), FY_LIT(AT_WORK),  FY_LIT("NX"),
				   FY_LIT("GET"), FY_LIT("EX"),          FY_LIT(AT_WORK_S) };
	for (;;) {
		if (fy_redis_command(ctx, take, 7, &reply) || reply.type != FY_REDIS_TEXT)
			return 0;
		if (!fy_eq(reply.text, FY_LIT(AT_WORK))) {
			*ret_answer = reply.text;
			return FY_ERR_EXISTS;
		}
		int err = fy_sleep(ctx, LOOK_MS);
		if (err)
			return err;
	}
}

void fy_once_done(struct fy_ctx *ctx, const struct fy_once *once, struct fy_slice answer)
{
	fy_redis_send(ctx->redis,
		      (struct fy_slice[]){ FY_LIT("SET"), fy_str(once->key), answer, FY_LIT("EX"), FY_LIT(KEPT_S) }, 5);
}

void fy_once_failed(struct fy_ctx *ctx, const struct fy_once *once)
{
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("DEL"), fy_str(once->key) }, 2);
}
