/* The life of a session: opening, finding, sliding, its limits, rotation, ending; and what Redis gets to know. */
#include <string.h>

#include "storage/sessions.h"
#include "tests/unit/storage/test_redis_support.h"

static const uint8_t HOME[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 7 };
static const uint8_t TRAIN[16] = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 9 };

static char token[FY_TOKEN_CHARS + 1], other[FY_TOKEN_CHARS + 1];
static struct fy_slice old;
static enum fy_session_kind kind;

static void do_open(struct task *t)
{
	struct fy_session_new s = { .account_id = 42,
				    .kind = kind,
				    .method = FY_METHOD_PASSWORD,
				    .role = 3,
				    .lang = FY_LANG_EN,
				    .device = FY_LIT("Firefox, Linux") };
	memcpy(s.address, HOME, sizeof s.address);
	CHECK_CODE(fy_sessions_open(&t->ctx, &s, old, t->arg), 0);
}

/* Signs somebody in; the token is left in `ret_token`. */
static void given_session(enum fy_session_kind wanted, char *ret_token)
{
	kind = wanted;
	old = FY_NONE;
	run_fiber(do_open, ret_token);
}

static struct fy_session found;
static const uint8_t *from;

static void do_find(struct task *t)
{
	int *code = t->arg;
	found = (struct fy_session){ 0 };
	*code = fy_sessions_find(&t->ctx, kind, fy_str(token), from, &found);
}

static int find(enum fy_session_kind wanted)
{
	int code = 1;
	kind = wanted;
	if (from == NULL)
		from = HOME;
	run_fiber(do_find, &code);
	return code;
}

static int setup(void **state)
{
	from = HOME;
	return empty_server(state);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_after)

static void an_open_session_is_found_as_it_was_opened(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	assert_int_equal(strlen(found.id), FY_SESSION_ID_CHARS);
	assert_int_equal(found.account_id, 42);
	assert_int_equal(found.kind, FY_SESSION_VISITOR);
	assert_int_equal(found.method, FY_METHOD_PASSWORD);
	assert_int_equal(found.role, 3);
	assert_int_equal(found.lang, FY_LANG_EN);
	assert_true(found.created_at == NOON && found.last_seen_at == NOON && found.ends_at == NOON + 30 * FY_DAY);
	assert_memory_equal(found.address, HOME, 16);
	assert_string_equal(found.device, "Firefox, Linux");
}

static void two_sign_ins_have_nothing_in_common(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	given_session(FY_SESSION_VISITOR, other);
	assert_string_not_equal(token, other);
	assert_int_equal(strlen(token), FY_TOKEN_CHARS);
}

static void finding_is_one_command_and_slides_the_idle_limit(void **state)
{
	(void)state;
	struct fy_redis_status before, after;
	given_session(FY_SESSION_VISITOR, token);
	char *key = redis_fixture_text(server, "KEYS sess:*"), words[96];
	key[strcspn(key, "\n")] = '\0';
	snprintf(words, sizeof words, "EXPIRE %s 100", key);
	redis_fixture_number(server, words);
	fy_redis_status(redis, &before);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	fy_redis_status(redis, &after);
	assert_int_equal(after.commands - before.commands, 1);
	snprintf(words, sizeof words, "TTL %s", key);
	assert_in_range(redis_fixture_number(server, words), 14 * 86400 - 5, 14 * 86400);
	free(key);
}

static void a_session_that_was_not_used_is_gone(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	char *key = redis_fixture_text(server, "KEYS sess:*"), words[96];
	key[strcspn(key, "\n")] = '\0';
	snprintf(words, sizeof words, "PEXPIRE %s 0", key); /* what Redis does at the idle limit */
	redis_fixture_number(server, words);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	free(key);
}

static void use_does_not_move_the_absolute_limit(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	for (int day = 1; day < 30; day++) {
		now = NOON + day * FY_DAY;
		assert_int_equal(find(FY_SESSION_VISITOR), 0);
	}
	now = NOON + 30 * FY_DAY - FY_SECOND;
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	now = NOON + 30 * FY_DAY;
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	now = NOON + 29 * FY_DAY; /* it is not just refused, it has ended */
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
}

static void a_managers_session_ends_thirty_minutes_after_sign_in(void **state)
{
	(void)state;
	given_session(FY_SESSION_MANAGER, token);
	char *key = redis_fixture_text(server, "KEYS sess:*"), words[96];
	key[strcspn(key, "\n")] = '\0';
	snprintf(words, sizeof words, "TTL %s", key);
	assert_in_range(redis_fixture_number(server, words), 1795, 1800);
	now = NOON + 29 * FY_MINUTE;
	snprintf(words, sizeof words, "EXPIRE %s 100", key);
	redis_fixture_number(server, words);
	assert_int_equal(find(FY_SESSION_MANAGER), 0);
	snprintf(words, sizeof words, "TTL %s", key); /* neither use nor the note of it prolongs it */
	assert_in_range(redis_fixture_number(server, words), 90, 100);
	now = NOON + 30 * FY_MINUTE;
	assert_int_equal(find(FY_SESSION_MANAGER), FY_ERR_UNAUTHENTICATED);
	free(key);
}

static void a_session_is_good_for_its_own_kind_alone(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	assert_int_equal(find(FY_SESSION_MANAGER), FY_ERR_UNAUTHENTICATED);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	given_session(FY_SESSION_MANAGER, token);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	assert_int_equal(find(FY_SESSION_MANAGER), 0);
}

static void use_is_noted_once_a_minute(void **state)
{
	(void)state;
	struct fy_redis_status before, after;
	given_session(FY_SESSION_VISITOR, token);
	from = TRAIN;
	now = NOON + 59 * FY_SECOND;
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	assert_true(found.last_seen_at == NOON);
	now = NOON + 60 * FY_SECOND;
	fy_redis_status(redis, &before);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	fy_redis_status(redis, &after);
	assert_int_equal(after.commands - before.commands, 4);
	now = NOON + 119 * FY_SECOND;
	fy_redis_status(redis, &before);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	fy_redis_status(redis, &after);
	assert_int_equal(after.commands - before.commands, 1);
	assert_true(found.last_seen_at == NOON + FY_MINUTE && found.created_at == NOON);
	assert_memory_equal(found.address, TRAIN, 16);
}

static void end_between(struct task *t)
{
	struct fy_session s;
	CHECK_CODE(fy_sessions_end_token(&t->ctx, fy_str(token)), 0);
	CHECK_CODE(fy_sessions_find(&t->ctx, FY_SESSION_VISITOR, fy_str(token), HOME, &s), FY_ERR_UNAUTHENTICATED);
}

static void find_then_end(struct task *t)
{
	struct fy_session s;
	if (t->index % 2) {
		end_between(t);
		return;
	}
	int err = fy_sessions_find(&t->ctx, FY_SESSION_VISITOR, fy_str(token), TRAIN, &s);
	CHECK(err == 0 || err == FY_ERR_UNAUTHENTICATED);
}

/* The note of a use crosses the ending on its way to Redis. */
static void an_ended_session_stays_ended_and_leaves_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		now = NOON;
		given_session(FY_SESSION_VISITOR, token);
		now = NOON + FY_HOUR;
		run_fibers(8, find_then_end, NULL);
		assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	}
	assert_int_equal(redis_fixture_number(server, "DBSIZE"), 0);
}

static void signing_in_again_ends_the_old_session(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, other);
	old = fy_str(other);
	kind = FY_SESSION_VISITOR;
	run_fiber(do_open, token);
	assert_int_equal(find(FY_SESSION_VISITOR), 0);
	char id[FY_SESSION_ID_CHARS + 1];
	strcpy(id, found.id);
	strcpy(token, other);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	char *left = redis_fixture_text(server, "ZRANGE sess-of:42 0 -1");
	assert_memory_equal(left, id, FY_SESSION_ID_CHARS);
	assert_int_equal(strlen(left), FY_SESSION_ID_CHARS + 1);
	free(left);
}

static void foreign_tokens_are_nobody(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, other);
	char *key = redis_fixture_text(server, "KEYS sess:*");
	const char *bad[] = { "",
			      "short",
			      key + 5,
			      "sess-seen",
			      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	for (size_t i = 0; i < FY_COUNT(bad); i++) {
		snprintf(token, sizeof token, "%s", bad[i]);
		assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	}
	snprintf(token, sizeof token, "%s", other);
	token[20] ^= 1;
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	free(key);
}

static void a_record_from_another_hand_is_nobody(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	char *key = redis_fixture_text(server, "KEYS sess:*"), words[128];
	key[strcspn(key, "\n")] = '\0';
	const char *bad[] = { "1", "2_1_1_3_1_42_1_1_99999999999_00000000000000000000000000000000_x", "garbage" };
	for (size_t i = 0; i < FY_COUNT(bad); i++) {
		snprintf(words, sizeof words, "SET %s %s", key, bad[i]);
		free(redis_fixture_text(server, words));
		assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	}
	free(key);
}

static bool holds(const char *bytes, long size, const void *part, size_t len)
{
	return memmem(bytes, (size_t)size, part, len) != NULL;
}

static void a_dump_of_redis_signs_nobody_in(void **state)
{
	(void)state;
	uint8_t master[32] = { 7 }, full[FY_HASH_BYTES];
	long size;
	struct fy_keys *keys = fy_keys_from_bytes(master);
	given_session(FY_SESSION_VISITOR, token);
	char *dump = redis_fixture_dump(server, &size);
	assert_true(holds(dump, size, "Firefox, Linux", 14)); /* it is the dump, uncompressed */
	for (int i = 0; i + 16 <= FY_TOKEN_CHARS; i++)
		assert_false(holds(dump, size, token + i, 16));
	fy_keys_hash(keys, FY_KEY_SESSION, fy_str(token), full);
	assert_false(holds(dump, size, full, 16));
	fy_keys_destroy(keys);
	/* All that a thief of the dump knows, tried as a cookie. */
	char *ids = redis_fixture_text(server, "ZRANGE sess-seen 0 -1");
	snprintf(token, sizeof token, "%.*sAAAAAAAAAAA", FY_SESSION_ID_CHARS, ids);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
	free(ids);
	free(dump);
}

static void form_tokens_belong_to_one_cookie_and_one_key(void **state)
{
	(void)state;
	uint8_t one[32] = { 1 }, two[32] = { 2 };
	struct fy_keys *keys = fy_keys_from_bytes(one), *foreign = fy_keys_from_bytes(two);
	char csrf[FY_TOKEN_CHARS + 1], wrong[FY_TOKEN_CHARS + 1];
	fy_session_make_token(token);
	fy_session_make_token(other);
	fy_session_csrf(keys, fy_str(token), csrf);
	assert_int_equal(strlen(csrf), FY_TOKEN_CHARS);
	assert_string_not_equal(csrf, token);
	assert_true(fy_session_csrf_matches(keys, fy_str(token), fy_str(csrf)));
	assert_false(fy_session_csrf_matches(keys, fy_str(other), fy_str(csrf)));
	assert_false(fy_session_csrf_matches(foreign, fy_str(token), fy_str(csrf)));
	assert_false(fy_session_csrf_matches(keys, fy_str(token), fy_str(token)));
	assert_false(fy_session_csrf_matches(keys, fy_str(token), FY_NONE));
	assert_false(fy_session_csrf_matches(keys, FY_NONE, FY_NONE));
	for (int i = 0; i < FY_TOKEN_CHARS; i++) {
		memcpy(wrong, csrf, sizeof wrong);
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		assert_false(fy_session_csrf_matches(keys, fy_str(token), fy_str(wrong)));
	}
	fy_keys_destroy(keys);
	fy_keys_destroy(foreign);
}

static void open_away(struct task *t)
{
	struct fy_session_new s = { .account_id = 1, .kind = FY_SESSION_VISITOR };
	char untouched[FY_TOKEN_CHARS + 1] = "untouched";
	CHECK_CODE(fy_sessions_open(&t->ctx, &s, FY_NONE, untouched), FY_ERR_REDIS_DOWN);
	CHECK(strcmp(untouched, "untouched") == 0);
}

static void without_redis_nobody_is_somebody(void **state)
{
	(void)state;
	given_session(FY_SESSION_VISITOR, token);
	redis_fixture_kill(server);
	spin_until(redis_is_down, 5000);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_REDIS_DOWN);
	run_fiber(open_away, NULL);
	redis_fixture_start_again(server);
	spin_until(redis_is_up, 5000);
	assert_int_equal(find(FY_SESSION_VISITOR), FY_ERR_UNAUTHENTICATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_open_session_is_found_as_it_was_opened),
		TEST(two_sign_ins_have_nothing_in_common),
		TEST(finding_is_one_command_and_slides_the_idle_limit),
		TEST(a_session_that_was_not_used_is_gone),
		TEST(use_does_not_move_the_absolute_limit),
		TEST(a_managers_session_ends_thirty_minutes_after_sign_in),
		TEST(a_session_is_good_for_its_own_kind_alone),
		TEST(use_is_noted_once_a_minute),
		TEST(an_ended_session_stays_ended_and_leaves_nothing),
		TEST(signing_in_again_ends_the_old_session),
		TEST(foreign_tokens_are_nobody),
		TEST(a_record_from_another_hand_is_nobody),
		TEST(a_dump_of_redis_signs_nobody_in),
		TEST(form_tokens_belong_to_one_cookie_and_one_key),
		TEST(without_redis_nobody_is_somebody),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
