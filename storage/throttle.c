/* Counting attempts in Redis; see throttle.h. The arithmetic runs in Redis, one key a script, so that two
 * workers cannot both see the last free place. */
#include "storage/throttle.h"

#include <string.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/basexx.h"
#include "storage/keys.h"
#include "storage/redis.h"

#define ACCOUNT_FREE 4       /* failures without a wait */
#define ADDRESS_BURST 30     /* a school's class behind one address mistypes more often … */
#define ADDRESS_EACH_MS 6000 /* … and is forgiven one in this time */
#define WAIT_MAX_S 60
#define FORGET_S 86400
#define KNOWN_S (30 * 86400)

#define MAIL_BURST 6
#define MAIL_EACH_MS (20 * 60 * 1000)

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

static struct fy_slice number(struct fy_ctx *ctx, int64_t n)
{
	return fy_fmt(ctx->arena, "%lld", (long long)n);
}

static int64_t now_ms(const struct fy_ctx *ctx)
{
	return ctx->now / 1000;
}

/* The account seen from one network. */
static struct fy_slice pair_name(struct fy_ctx *ctx, const char *what, struct fy_slice who, const uint8_t address[16])
{
	struct fy_slice network = network_of(address);
	char *both = fy_alloc(ctx->arena, who.len + network.len);
	memcpy(both, who.ptr, who.len);
	memcpy(both + who.len, network.ptr, network.len);
	return bucket_name(ctx, what, fy_slice(both, who.len + network.len));
}

/* An attempt counts before it is made: otherwise a hundred at once would all find the door open. "until" is the time,
 * in seconds, before which no further attempt is taken. */
static const char admit[] = "local now, free, max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) "
			    "local till = tonumber(redis.call('HGET', KEYS[1], 'until') or '0') "
			    "if till > now then return math.min(till - now, max) end "
			    "local n = redis.call('HINCRBY', KEYS[1], 'failures', 1) "
			    "if n > free then "
			    "  local wait = math.min(2 ^ math.min(n - free - 1, 30), max) "
			    "  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + wait)) "
			    "end "
			    "redis.call('EXPIRE', KEYS[1], ARGV[4]) "
			    "return 0";

/* Whose failures count for this attempt: everybody's, or, from a network where the account's holder has signed in, the
 * failures from there alone. */
fy_async static int choose_bucket(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16],
				  struct fy_slice *ret_bucket)
{
	struct fy_redis_reply reply;
	struct fy_slice known = pair_name(ctx, "known", who, address);
	int err = fy_redis_command(ctx, (struct fy_slice[]){ FY_LIT("EXISTS"), known }, 2, &reply);
	if (err == 0)
		*ret_bucket = reply.integer ? pair_name(ctx, "own", who, address) : bucket_name(ctx, "who", who);
	return err;
}

fy_async int fy_throttle_sign_in(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16],
				 unsigned *ret_wait_s)
{
	struct fy_redis_reply reply;
	struct fy_slice bucket, network = bucket_name(ctx, "net", network_of(address));
	*ret_wait_s = 0;
	int err = fy_redis_command(ctx, (struct fy_slice[]){ FY_LIT("GET"), network }, 2, &reply);
	if (err)
		return err;
	int64_t empty_at = 0;
	for (size_t i = 0; reply.type == FY_REDIS_TEXT && i < reply.text.len && i < 18; i++)
		empty_at = empty_at * 10 + (reply.text.ptr[i] - '0');
	int64_t late = empty_at - now_ms(ctx) - ADDRESS_BURST * ADDRESS_EACH_MS;
	if (late > 0) {
		*ret_wait_s = late < WAIT_MAX_S * 1000 ? (unsigned)((late + 999) / 1000) : WAIT_MAX_S;
		return FY_ERR_LIMITED;
	}
	err = choose_bucket(ctx, who, address, &bucket);
	if (err)
		return err;
	struct fy_slice args[] = { FY_LIT("EVAL"),
				   fy_str(admit),
				   FY_LIT("1"),
				   bucket,
				   number(ctx, fy_unix(ctx->now)),
				   number(ctx, ACCOUNT_FREE),
				   number(ctx, WAIT_MAX_S),
				   number(ctx, FORGET_S) };
	err = fy_redis_command(ctx, args, FY_COUNT(args), &reply);
	if (err)
		return err;
	if (reply.type != FY_REDIS_INTEGER || reply.integer <= 0)
		return 0;
	*ret_wait_s = (unsigned)reply.integer;
	return FY_ERR_LIMITED;
}

/* Fills the address' bucket, but never beyond what a minute's wait empties. */
static const char fill_one[] =
	"local now, each, room = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) "
	"local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) "
	"tat = math.min(tat + each, now + room) "
	"redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', string.format('%.0f', tat - now))";

void fy_throttle_sign_in_failed(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16])
{
	(void)who; /* counted when it was let in */
	struct fy_slice args[] = { FY_LIT("EVAL"),
				   fy_str(fill_one),
				   FY_LIT("1"),
				   bucket_name(ctx, "net", network_of(address)),
				   number(ctx, now_ms(ctx)),
				   number(ctx, ADDRESS_EACH_MS),
				   number(ctx, ADDRESS_BURST * ADDRESS_EACH_MS + WAIT_MAX_S * 1000) };
	fy_redis_send(ctx->redis, args, FY_COUNT(args));
}

void fy_throttle_sign_in_passed(struct fy_ctx *ctx, struct fy_slice who)
{
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("DEL"), bucket_name(ctx, "who", who) }, 2);
}

void fy_throttle_sign_in_known(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16])
{
	struct fy_slice known[] = { FY_LIT("SET"), pair_name(ctx, "known", who, address), FY_LIT("1"), FY_LIT("EX"),
				    number(ctx, KNOWN_S) };
	fy_redis_send(ctx->redis, known, FY_COUNT(known));
	fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("DEL"), pair_name(ctx, "own", who, address) }, 2);
}

/* It was let in, so an earlier "until" has passed: what it set goes again. */
static const char take_back[] =
	"if redis.call('HINCRBY', KEYS[1], 'failures', -1) <= 0 then redis.call('DEL', KEYS[1]) "
	"else redis.call('HDEL', KEYS[1], 'until') end";

fy_async int fy_throttle_sign_in_untried(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16])
{
	struct fy_slice bucket;
	int err = choose_bucket(ctx, who, address, &bucket);
	if (err == 0)
		fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("EVAL"), fy_str(take_back), FY_LIT("1"), bucket },
			      4);
	return err;
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

fy_async static int take(struct fy_ctx *ctx, const char *bucket, struct fy_slice who, unsigned each_ms, unsigned burst,
			 unsigned *ret_wait_s)
{
	struct fy_redis_reply reply;
	struct fy_slice args[] = { FY_LIT("EVAL"),
				   fy_str(take_one),
				   FY_LIT("1"),
				   bucket_name(ctx, bucket, who),
				   number(ctx, now_ms(ctx)),
				   number(ctx, each_ms),
				   number(ctx, (int64_t)each_ms * burst) };
	*ret_wait_s = 0;
	int err = fy_redis_command(ctx, args, FY_COUNT(args), &reply);
	if (err) { /* that Redis is away stands in the log once already */
		fy_log(ctx, FY_LOG_DEBUG, "throttle.unknown", FY_KV("bucket", bucket),
		       FY_KV("error", fy_strerror(err)));
		return 0;
	}
	if (reply.type != FY_REDIS_INTEGER || reply.integer <= 0)
		return 0;
	*ret_wait_s = (unsigned)reply.integer;
	return FY_ERR_LIMITED;
}

fy_async int fy_throttle_take(struct fy_ctx *ctx, struct fy_slice bucket, const uint8_t address[16],
			      unsigned per_minute, unsigned burst, unsigned *ret_wait_s)
{
	FY_REQUIRE(per_minute > 0 && per_minute <= 60000 && burst > 0);
	return take(ctx, fy_cstr(ctx->arena, bucket), network_of(address), 60000 / per_minute, burst, ret_wait_s);
}

fy_async bool fy_throttle_mail(struct fy_ctx *ctx, enum fy_mail_sort sort, struct fy_slice recipient)
{
	static const char *const buckets[] = { [FY_MAIL_NOTICE] = "mail",
					       [FY_MAIL_LINK] = "link",
					       [FY_MAIL_ENTERED] = "entered",
					       [FY_MAIL_CHANGE] = "change" };
	unsigned wait_s;
	return take(ctx, buckets[sort], recipient, MAIL_EACH_MS, MAIL_BURST, &wait_s) == 0;
}

fy_async int fy_throttle_entering(struct fy_ctx *ctx, uint64_t account_id, unsigned per_day, unsigned *ret_wait_s)
{
	FY_REQUIRE(per_day > 0);
	return take(ctx, "enter", fy_fmt(ctx->arena, "%llu", (unsigned long long)account_id), 86400000 / per_day,
		    per_day, ret_wait_s);
}
