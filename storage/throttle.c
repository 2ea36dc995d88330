/* Counting attempts in Redis; see throttle.h. The arithmetic runs in Redis, one key a script, so that two
 * workers cannot both see the last free place. */
#include "storage/throttle.h"

#include <stdio.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/basexx.h"
#include "storage/keys.h"
#include "storage/redis.h"

#define ACCOUNT_FREE 4                   /* failures without a wait */
#define ADDRESS_FREE 30                  /* a school's class behind one address mistypes more often */
#define WAIT_MAX_S 60
#define FORGET_S 86400

#define NAME_CHARS 22

/* "thr:KIND:" and 128 bits of a keyed hash. */
static struct fy_slice bucket_name(struct fy_ctx *ctx, const char *kind, struct fy_slice who)
{
	uint8_t hash[FY_HASH_BYTES];
	char text[NAME_CHARS];
	fy_keys_hash(ctx->keys, FY_KEY_THROTTLE, who, hash);
	fy_base64url_encode(text, hash, 16);
	return fy_fmt(ctx->arena, "thr:%s:%.*s", kind, NAME_CHARS, text);
}

/* IPv6 clients by /64: one household has that many addresses. */
static struct fy_slice network_of(const uint8_t address[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	return fy_slice(address, memcmp(address, mapped, sizeof mapped) == 0 ? 16 : 8);
}

fy_async static int ask(struct fy_ctx *ctx, struct fy_slice bucket, unsigned *ret_wait_s)
{
	/* The key holds "until": the time, in seconds, before which no further attempt is taken. */
	struct fy_redis_reply reply;
	int err = fy_redis_command(ctx, (struct fy_slice[]){ FY_LIT("HGET"), bucket, FY_LIT("until") }, 3, &reply);
	if (err)
		return err;
	int64_t until = 0, now = fy_unix(ctx->now);
	for (size_t i = 0; reply.type == FY_REDIS_TEXT && i < reply.text.len && i < 18; i++)
		until = until * 10 + (reply.text.ptr[i] - '0');
	*ret_wait_s = until > now ? (unsigned)(until - now < WAIT_MAX_S ? until - now : WAIT_MAX_S) : 0;
	return *ret_wait_s ? FY_ERR_LIMITED : 0;
}

fy_async int fy_throttle_sign_in(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16], unsigned *ret_wait_s)
{
	int err = ask(ctx, bucket_name(ctx, "who", who), ret_wait_s);
	return err ? err : ask(ctx, bucket_name(ctx, "net", network_of(address)), ret_wait_s);
}

static const char count_failure[] =
	"local n = redis.call('HINCRBY', KEYS[1], 'failures', 1) "
	"local free = tonumber(ARGV[1]) "
	"if n > free then "
	"  local wait = 2 ^ math.min(n - free - 1, 6) "
	"  if wait > tonumber(ARGV[2]) then wait = tonumber(ARGV[2]) end "
	"  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', tonumber(ARGV[3]) + wait)) "
	"end "
	"redis.call('EXPIRE', KEYS[1], ARGV[4]) "
	"return n";

static void count(struct fy_ctx *ctx, struct fy_slice bucket, unsigned free)
{
	struct fy_slice args[] = { FY_LIT("EVAL"), fy_str(count_failure), FY_LIT("1"), bucket, fy_fmt(ctx->arena, "%u", free),
				   fy_fmt(ctx->arena, "%d", WAIT_MAX_S), fy_fmt(ctx->arena, "%lld", (long long)fy_unix(ctx->now)),
				   fy_fmt(ctx->arena, "%d", FORGET_S) };
	fy_redis_send(ctx->redis, args, FY_COUNT(args));
}

void fy_throttle_sign_in_failed(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16])
{
	count(ctx, bucket_name(ctx, "who", who), ACCOUNT_FREE);
	count(ctx, bucket_name(ctx, "net", network_of(address)), ADDRESS_FREE);
}

void fy_throttle_sign_in_passed(struct fy_ctx *ctx, struct fy_slice who)
{
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("DEL"), bucket_name(ctx, "who", who) }, 2);
}

/* The Generic Cell Rate Algorithm: the key holds the time, in ms, at which the bucket will be empty. */
static const char take_one[] =
	"local now = tonumber(ARGV[1]) "
	"local tat = tonumber(redis.call('GET', KEYS[1]) or '0') "
	"if tat < now then tat = now end "
	"local next = tat + tonumber(ARGV[2]) "
	"local late = next - now - tonumber(ARGV[3]) "
	"if late > 0 then return math.ceil(late / 1000) end "
	"redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', string.format('%.0f', next - now)) "
	"return 0";

fy_async int fy_throttle_take(struct fy_ctx *ctx, struct fy_slice bucket, const uint8_t address[16], unsigned per_minute,
			      unsigned burst, unsigned *ret_wait_s)
{
	FY_REQUIRE(per_minute > 0 && burst > 0);
	unsigned each_ms = 60000 / per_minute;
	struct fy_redis_reply reply;
	struct fy_slice args[] = { FY_LIT("EVAL"), fy_str(take_one), FY_LIT("1"),
				   bucket_name(ctx, fy_cstr(ctx->arena, bucket), network_of(address)),
				   fy_fmt(ctx->arena, "%lld", (long long)(ctx->now / 1000)),
				   fy_fmt(ctx->arena, "%u", each_ms), fy_fmt(ctx->arena, "%u", each_ms * burst) };
	*ret_wait_s = 0;
	int err = fy_redis_command(ctx, args, FY_COUNT(args), &reply);
	if (err) {
		fy_log(ctx, FY_LOG_WARN, "throttle.unknown", FY_KV("bucket", bucket), FY_KV("error", fy_strerror(err)));
		return 0;
	}
	if (reply.type != FY_REDIS_INTEGER || reply.integer <= 0)
		return 0;
	*ret_wait_s = (unsigned)reply.integer;
	return FY_ERR_LIMITED;
}
