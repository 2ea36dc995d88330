/* Opening, finding and ending sessions; see sessions.h. Lists and the endings of many are
 * sessions_list.c. */
#include "storage/sessions.h"

#include <sodium.h>
#include <stdio.h>

#include "foyer/config.h"
#include "foyer/require.h"
#include "protocol/basexx.h"
#include "storage/redis.h"
#include "storage/sessions_record.h"

#define NOTE_EVERY (60 * FY_SECOND)

void fy_session_make_token(char ret_token[FY_TOKEN_CHARS + 1])
{
	uint8_t bytes[32];
	randombytes_buf(bytes, sizeof bytes);
	fy_base64url_encode(ret_token, bytes, sizeof bytes);
	ret_token[FY_TOKEN_CHARS] = '\0';
	sodium_memzero(bytes, sizeof bytes);
}

/* Half of the hash is enough to be unique and unguessable; the id opens nothing, as the way back to the token
 * is closed without the key and hard with it. */
static void id_of(const struct fy_keys *keys, struct fy_slice token, char ret_id[FY_SESSION_ID_CHARS + 1])
{
	uint8_t hash[FY_HASH_BYTES];
	fy_keys_hash(keys, FY_KEY_SESSION, token, hash);
	fy_hex_encode(ret_id, hash, FY_SESSION_ID_CHARS / 2);
	ret_id[FY_SESSION_ID_CHARS] = '\0';
}

static fy_time idle_limit(const struct fy_config *config, enum fy_session_kind kind)
{
	return kind == FY_SESSION_MANAGER ? config->sessions_manager_minutes * FY_MINUTE
					  : config->sessions_idle_days * FY_DAY;
}

/* The policy's "obligation to reconnect every 30 minutes" is meant from sign-in on, used or not. */
static fy_time absolute_limit(const struct fy_config *config, enum fy_session_kind kind)
{
	return kind == FY_SESSION_MANAGER ? config->sessions_manager_minutes * FY_MINUTE
					  : config->sessions_absolute_days * FY_DAY;
}

void fy_session_key(const char *id, char ret_key[FY_SESSION_KEY_MAX])
{
	memcpy(ret_key, "sess:", 5);
	memcpy(ret_key + 5, id, FY_SESSION_ID_CHARS + 1);
}

void fy_session_person_key(uint64_t account_id, char ret_key[FY_SESSION_KEY_MAX])
{
	snprintf(ret_key, FY_SESSION_KEY_MAX, "sess-of:%llu", (unsigned long long)account_id);
}

void fy_session_encode(const struct fy_session *session, struct fy_buf *out)
{
	fy_buf_fmt(out, "1 %d %d %u %d %llu %lld %lld %lld ", (int)session->kind, (int)session->method, session->role,
		   (int)session->lang, (unsigned long long)session->account_id, (long long)fy_unix(session->created_at),
		   (long long)fy_unix(session->last_seen_at), (long long)fy_unix(session->ends_at));
	char address[32];
	fy_hex_encode(address, session->address, 16);
	fy_buf_put(out, fy_slice(address, 32));
	fy_buf_char(out, ' ');
	fy_buf_put(out, fy_str(session->device));
}

static bool take_number(struct fy_slice *rest, int64_t *ret_number)
{
	struct fy_slice word = fy_cut(rest, ' ');
	int64_t number = 0;
	if (word.len == 0 || word.len > 18)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < '0' || word.ptr[i] > '9')
			return false;
		number = number * 10 + (word.ptr[i] - '0');
	}
	*ret_number = number;
	return true;
}

int fy_session_decode(struct fy_slice record, const char *id, struct fy_session *ret_session)
{
	struct fy_session s = { 0 };
	int64_t version, kind, method, role, lang, account, created, seen, ends;
	size_t len;
	if (!take_number(&record, &version) || version != 1 || !take_number(&record, &kind) ||
	    !take_number(&record, &method) || !take_number(&record, &role) || !take_number(&record, &lang) ||
	    !take_number(&record, &account) || !take_number(&record, &created) || !take_number(&record, &seen) ||
	    !take_number(&record, &ends))
		return FY_ERR_INVALID;
	if (fy_hex_decode(fy_cut(&record, ' '), s.address, sizeof s.address, &len) || len != sizeof s.address ||
	    record.len >= sizeof s.device)
		return FY_ERR_INVALID;
	memcpy(s.id, id, sizeof s.id);
	s.kind = (enum fy_session_kind)kind;
	s.method = (enum fy_session_method)method;
	s.role = (uint8_t)role;
	s.lang = lang ? FY_LANG_EN : FY_LANG_FR;
	s.account_id = (uint64_t)account;
	s.created_at = created * FY_SECOND;
	s.last_seen_at = seen * FY_SECOND;
	s.ends_at = ends * FY_SECOND;
	if (record.len)
		memcpy(s.device, record.ptr, record.len);
	*ret_session = s;
	return 0;
}

/* The three commands that store a session and its two index entries. */
struct stored {
	char key[FY_SESSION_KEY_MAX], person[FY_SESSION_KEY_MAX], score[24];
	struct fy_slice set[6], add_person[5], add_all[5];
	unsigned add_count;
};

/* `fresh`: it is new. Otherwise what has ended meanwhile must not come back, neither in the record nor in the
 * indexes. */
static void prepare(struct stored *stored, const struct fy_session *session, struct fy_slice record, bool fresh)
{
	fy_session_key(session->id, stored->key);
	fy_session_person_key(session->account_id, stored->person);
	snprintf(stored->score, sizeof stored->score, "%lld", (long long)session->last_seen_at);
	unsigned n = 0;
	stored->set[0] = FY_LIT("SET");
	stored->set[1] = fy_str(stored->key);
	stored->set[2] = record;
	stored->add_person[n] = stored->add_all[n] = FY_LIT("ZADD");
	n++;
	stored->add_person[n] = fy_str(stored->person);
	stored->add_all[n++] = FY_LIT(FY_SESSION_ALL_KEY);
	if (!fresh) {
		stored->add_person[n] = stored->add_all[n] = FY_LIT("XX");
		n++;
	}
	stored->add_person[n] = stored->add_all[n] = fy_str(stored->score);
	n++;
	stored->add_person[n] = stored->add_all[n] = fy_slice(session->id, FY_SESSION_ID_CHARS);
	stored->add_count = n + 1;
}

fy_async int fy_sessions_open(struct fy_ctx *ctx, const struct fy_session_new *wanted, struct fy_slice old_token,
			      char ret_token[FY_TOKEN_CHARS + 1])
{
	struct fy_session session = {
		.account_id = wanted->account_id,
		.kind = wanted->kind,
		.method = wanted->method,
		.role = wanted->role,
		.lang = wanted->lang,
		.created_at = ctx->now,
		.last_seen_at = ctx->now,
		.ends_at = ctx->now + absolute_limit(ctx->config, wanted->kind),
	};
	struct stored stored;
	struct fy_buf record;
	char token[FY_TOKEN_CHARS + 1];
	fy_session_make_token(token);
	id_of(ctx->keys, fy_slice(token, FY_TOKEN_CHARS), session.id);
	memcpy(session.address, wanted->address, sizeof session.address);
	struct fy_slice device = fy_upto(wanted->device, sizeof session.device - 1);
	if (device.len)
		memcpy(session.device, device.ptr, device.len);
	fy_buf_init(&record, ctx->arena, 512);
	fy_session_encode(&session, &record);
	prepare(&stored, &session, fy_buf_slice(&record), true);
	char ttl[24], person_ttl[24];
	snprintf(ttl, sizeof ttl, "%lld", (long long)fy_unix(idle_limit(ctx->config, session.kind)));
	snprintf(person_ttl, sizeof person_ttl, "%lld", (long long)fy_unix(session.ends_at - ctx->now));
	stored.set[3] = FY_LIT("EX");
	stored.set[4] = fy_str(ttl);
	/* A person's index goes by itself when the last session it names must have ended: longer is set, shorter is
	 * not. */
	struct fy_slice keep[] = { FY_LIT("EXPIRE"), fy_str(stored.person), fy_str(person_ttl), FY_LIT("NX") };
	struct fy_slice longer[] = { FY_LIT("EXPIRE"), fy_str(stored.person), fy_str(person_ttl), FY_LIT("GT") };
	struct fy_redis_call calls[] = {
		{ .args = stored.set, .count = 5 },
		{ .args = stored.add_person, .count = stored.add_count },
		{ .args = keep, .count = 4 },
		{ .args = longer, .count = 4 },
		{ .args = stored.add_all, .count = stored.add_count },
	};
	int err = fy_redis_pipeline(ctx, calls, FY_COUNT(calls));
	if (err == 0)
		err = fy_sessions_tidy(ctx);
	if (err == 0 && old_token.len)
		err = fy_sessions_end_token(ctx, old_token);
	if (err)
		return err;
	memcpy(ret_token, token, sizeof token);
	return 0;
}

/* KEEPTTL and XX: a note can neither prolong a session nor bring one back that ended meanwhile. */
static void note_use(struct fy_ctx *ctx, const struct fy_session *session)
{
	struct stored stored;
	struct fy_buf record;
	fy_buf_init(&record, ctx->arena, 512);
	fy_session_encode(session, &record);
	prepare(&stored, session, fy_buf_slice(&record), false);
	stored.set[3] = FY_LIT("KEEPTTL");
	stored.set[4] = FY_LIT("XX");
	fy_redis_send(ctx->redis, stored.set, 5);
	fy_redis_send(ctx->redis, stored.add_person, stored.add_count);
	fy_redis_send(ctx->redis, stored.add_all, stored.add_count);
}

fy_async int fy_sessions_find(struct fy_ctx *ctx, enum fy_session_kind kind, struct fy_slice token,
			      const uint8_t address[16], struct fy_session *ret_session)
{
	char id[FY_SESSION_ID_CHARS + 1], key[FY_SESSION_KEY_MAX], seconds[24];
	struct fy_buf ttl = { .ptr = seconds, .cap = sizeof seconds, .max = sizeof seconds };
	struct fy_redis_reply reply;
	if (token.len != FY_TOKEN_CHARS)
		return FY_ERR_UNAUTHENTICATED;
	id_of(ctx->keys, token, id);
	fy_session_key(id, key);
	fy_buf_u64(&ttl, (uint64_t)fy_unix(idle_limit(ctx->config, kind)));
	struct fy_slice slide[4] = { FY_LIT("GETEX"), fy_str(key), FY_LIT("EX"), fy_buf_slice(&ttl) };
	int err = fy_redis_command(ctx, slide, kind == FY_SESSION_MANAGER ? 2 : 4, &reply);
	if (err)
		return err;
	if (reply.type != FY_REDIS_TEXT)
		return FY_ERR_UNAUTHENTICATED;
	struct fy_session session;
	if (fy_session_decode(reply.text, id, &session) || session.kind != kind)
		return FY_ERR_UNAUTHENTICATED;
	if (ctx->now >= session.ends_at) {
		fy_redis_send(ctx->redis, (struct fy_slice[]){ FY_LIT("DEL"), fy_str(key) }, 2);
		return FY_ERR_UNAUTHENTICATED;
	}
	if (ctx->now - session.last_seen_at >= NOTE_EVERY) {
		memcpy(session.address, address, sizeof session.address);
		session.last_seen_at = ctx->now;
		note_use(ctx, &session);
	}
	*ret_session = session;
	return 0;
}

fy_async int fy_sessions_end_token(struct fy_ctx *ctx, struct fy_slice token)
{
	char id[FY_SESSION_ID_CHARS + 1];
	if (token.len != FY_TOKEN_CHARS)
		return 0;
	id_of(ctx->keys, token, id);
	return fy_sessions_end(ctx, fy_slice(id, FY_SESSION_ID_CHARS), NULL);
}

void fy_session_csrf(const struct fy_keys *keys, struct fy_slice token, char ret_text[FY_TOKEN_CHARS + 1])
{
	uint8_t hash[FY_HASH_BYTES];
	fy_keys_hash(keys, FY_KEY_CSRF, token, hash);
	fy_base64url_encode(ret_text, hash, sizeof hash);
	ret_text[FY_TOKEN_CHARS] = '\0';
}

bool fy_session_csrf_matches(const struct fy_keys *keys, struct fy_slice token, struct fy_slice field)
{
	char expected[FY_TOKEN_CHARS + 1];
	if (token.len != FY_TOKEN_CHARS || field.len != FY_TOKEN_CHARS)
		return false;
	fy_session_csrf(keys, token, expected);
	return sodium_memcmp(expected, field.ptr, FY_TOKEN_CHARS) == 0;
}
