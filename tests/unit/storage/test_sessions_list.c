/* Listing sessions by person, network and last use, and ending many of them. */
#include <string.h>

#include "protocol/netaddr.h"
#include "storage/sessions.h"
#include "tests/unit/storage/test_redis_support.h"

#define MANY 300

static char tokens[MANY][FY_TOKEN_CHARS + 1];
static struct fy_cidr office; /* 192.0.2.0/24 */

/* Number n belongs to account n % 10 + 1; every third sits in the office. */
static void do_open(struct task *t)
{
	unsigned n = t->index;
	struct fy_session_new s = { .account_id = n % 10 + 1,
				    .kind = FY_SESSION_VISITOR,
				    .method = FY_METHOD_PASSWORD };
	struct fy_addr address;
	fy_addr_from_v4((uint8_t[]){ n % 3 ? 203 : 192, 0, n % 3 ? 113 : 2, (uint8_t)n }, &address);
	memcpy(s.address, address.b, sizeof s.address);
	if (t->arg == NULL)
		t->ctx.now = NOON + n * FY_SECOND;
	CHECK_CODE(fy_sessions_open(&t->ctx, &s, FY_NONE, tokens[n]), 0);
}

static int given_many(void **state)
{
	if (empty_server(state))
		return 1;
	assert_int_equal(fy_cidr_parse(FY_LIT("192.0.2.0/24"), &office), 0);
	run_fibers(MANY, do_open, NULL);
	now = NOON + FY_HOUR;
	return 0;
}

static unsigned living(void)
{
	char *keys = redis_fixture_text(server, "KEYS sess:*");
	unsigned count = 0;
	for (char *c = keys; *c; c++)
		count += *c == '\n';
	free(keys);
	return count;
}

struct want {
	struct fy_session_filter filter;
	unsigned limit, expected;
	bool end_some; /* between two pages */
};

static void do_list(struct task *t)
{
	struct want *w = t->arg;
	struct fy_slice cursor = FY_NONE;
	fy_time before = INT64_MAX;
	unsigned seen = 0, pages = 0;
	char last[FY_SESSION_ID_CHARS + 1] = "~";
	do {
		struct fy_session_page page;
		CHECK_CODE(fy_sessions_list(&t->ctx, &w->filter, cursor, w->limit, &page), 0);
		CHECK(page.count <= w->limit && ++pages <= MANY);
		CHECK(page.next_cursor.len == 0 || page.count == w->limit);
		for (size_t i = 0; i < page.count; i++) {
			struct fy_session *s = &page.items[i];
			struct fy_addr address;
			memcpy(address.b, s->address, 16);
			CHECK(w->filter.account_id == 0 || s->account_id == w->filter.account_id);
			CHECK(w->filter.network == NULL || fy_cidr_match(w->filter.network, &address));
			CHECK(s->last_seen_at < before || (s->last_seen_at == before && strcmp(s->id, last) < 0));
			before = s->last_seen_at;
			strcpy(last, s->id);
			seen++;
			if (w->end_some) /* the page before changes under the cursor */
				CHECK_CODE(fy_sessions_end(&t->ctx, fy_str(s->id), NULL), 0);
		}
		cursor = page.next_cursor;
	} while (cursor.len);
	CHECK_CODE((int)seen, (int)w->expected);
}

static void lists_are_complete_and_newest_first(void **state)
{
	(void)state;
	struct want wants[] = {
		{ .limit = 1000, .expected = MANY },
		{ .limit = 7, .expected = MANY },
		{ .limit = 48, .expected = MANY },
		{ .filter.account_id = 3, .limit = 4, .expected = MANY / 10 },
		{ .filter.account_id = 77, .limit = 4, .expected = 0 },
		{ .filter.network = &office, .limit = 9, .expected = MANY / 3 },
		{ .filter = { .account_id = 1, .network = &office }, .limit = 3, .expected = MANY / 30 },
	};
	for (size_t i = 0; i < FY_COUNT(wants); i++)
		run_fiber(do_list, &wants[i]);
}

static void sessions_of_one_moment_are_all_listed(void **state)
{
	(void)state;
	struct want small = { .limit = 5, .expected = MANY }, whole = { .limit = 1000, .expected = MANY };
	redis_fixture_number(server, "FLUSHALL");
	now = NOON;
	run_fibers(MANY, do_open, "same moment");
	run_fiber(do_list, &small);
	run_fiber(do_list, &whole);
}

static void ending_while_paging_loses_nobody(void **state)
{
	(void)state;
	struct want want = { .limit = 7, .expected = MANY, .end_some = true };
	run_fiber(do_list, &want);
	assert_int_equal(living(), 0);
}

static void bad_cursor(struct task *t)
{
	static const char *const bad[] = { "x",
					   "1",
					   "1.",
					   ".00000000000000000000000000000000",
					   "1.0000",
					   "-1.00000000000000000000000000000000",
					   "1.0000000000000000000000000000000G",
					   "9999999999999999999.00000000000000000000000000000000" };
	struct fy_session_filter all = { 0 };
	struct fy_session_page page;
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		CHECK_CODE(fy_sessions_list(&t->ctx, &all, fy_str(bad[i]), 5, &page), FY_ERR_INVALID);
	CHECK_CODE(fy_sessions_list(&t->ctx, &all, FY_LIT("0.00000000000000000000000000000000"), 5, &page), 0);
	CHECK(page.count == 0);
}

static void foreign_cursors_are_refused(void **state)
{
	(void)state;
	run_fiber(bad_cursor, NULL);
}

/* The whole index is walked for one that matches; the request's arena must not grow with it. */
static void list_in_small_arena(struct task *t)
{
	struct fy_cidr nowhere;
	CHECK_CODE(fy_cidr_parse(FY_LIT("2001:db8::/32"), &nowhere), 0);
	struct fy_session_filter filter = { .network = &nowhere };
	struct fy_session_page page;
	size_t before = t->arena.total;
	CHECK_CODE(fy_sessions_list(&t->ctx, &filter, FY_NONE, 10, &page), 0);
	CHECK(page.count == 0 && t->arena.total - before <= 8192);
}

static void a_walk_does_not_fill_the_requests_memory(void **state)
{
	(void)state;
	run_fiber(list_in_small_arena, NULL);
}

static void dangling_entries_leave_the_indexes(void **state)
{
	(void)state;
	char *keys = redis_fixture_text(server, "KEYS sess:*"), *rest = keys, words[96];
	for (int i = 0; i < 100; i++) { /* as if they had expired */
		snprintf(words, sizeof words, "DEL %s", strsep(&rest, "\n"));
		redis_fixture_number(server, words);
	}
	free(keys);
	free(redis_fixture_text(server, "ZADD sess-seen 5 garbage"));
	assert_int_equal(redis_fixture_number(server, "ZCARD sess-seen"), MANY + 1);
	struct want want = { .limit = 10, .expected = MANY - 100 };
	run_fiber(do_list, &want);
	assert_int_equal(redis_fixture_number(server, "ZCARD sess-seen"), MANY - 100);
	int64_t total = 0;
	for (unsigned id = 1; id <= 10; id++) {
		struct want one = { .filter.account_id = id, .limit = 1000 };
		snprintf(words, sizeof words, "ZCARD sess-of:%u", id);
		int64_t before = redis_fixture_number(server, words);
		char *names = redis_fixture_text(server,
						 (snprintf(words, sizeof words, "ZRANGE sess-of:%u 0 -1", id), words));
		for (char *at = names, *name; (name = strsep(&at, "\n")) && *name;) {
			snprintf(words, sizeof words, "EXISTS sess:%s", name);
			one.expected += redis_fixture_number(server, words) == 1;
		}
		free(names);
		run_fiber(do_list, &one);
		snprintf(words, sizeof words, "ZCARD sess-of:%u", id);
		assert_int_equal(redis_fixture_number(server, words), one.expected);
		total += before - one.expected;
	}
	assert_int_equal(total, 100);
}

static void sign_ins_tidy_the_index(void **state)
{
	(void)state;
	now = NOON + 31 * FY_DAY; /* all have reached their absolute limit */
	for (int i = 0; i < MANY / 5; i++)
		run_fiber(do_open, "now");
	assert_int_equal(redis_fixture_number(server, "ZCARD sess-seen"), MANY / 5);
}

struct ending {
	unsigned account, count;
	const struct fy_cidr *network;
	const char *except;
	bool all;
};

static void do_end(struct task *t)
{
	struct ending *e = t->arg;
	if (e->all)
		CHECK_CODE(fy_sessions_end_all(&t->ctx, &e->count), 0);
	else if (e->network)
		CHECK_CODE(fy_sessions_end_network(&t->ctx, e->network, e->except, &e->count), 0);
	else
		CHECK_CODE(fy_sessions_end_person(&t->ctx, e->account, e->except, &e->count), 0);
}

static unsigned found_count;
static char found_id[FY_SESSION_ID_CHARS + 1];

static void do_find(struct task *t)
{
	struct fy_session s;
	uint8_t address[16] = { 0 };
	int err = fy_sessions_find(&t->ctx, FY_SESSION_VISITOR, fy_str(tokens[t->index]), address, &s);
	CHECK(err == 0 || err == FY_ERR_UNAUTHENTICATED);
	found_count += err == 0;
	if (err == 0 && t->index == 2)
		strcpy(found_id, s.id);
	if (t->arg && err == 0) {
		struct ending *e = t->arg;
		CHECK(e->network ? t->index % 3 != 0 : t->index % 10 + 1 != e->account);
	}
}

static void all_of_a_person_end_at_once(void **state)
{
	(void)state;
	struct ending e = { .account = 3 };
	run_fiber(do_end, &e);
	assert_int_equal(e.count, MANY / 10);
	found_count = 0;
	run_fibers(MANY, do_find, &e);
	assert_int_equal(found_count, MANY - MANY / 10);
	assert_int_equal(redis_fixture_number(server, "EXISTS sess-of:3"), 0);
	run_fiber(do_end, &e);
	assert_int_equal(e.count, 0);
}

static void all_of_a_person_but_the_own_one(void **state)
{
	(void)state;
	struct ending e = { .account = 3, .except = found_id };
	run_fibers(MANY, do_find, NULL);
	run_fiber(do_end, &e);
	assert_int_equal(e.count, MANY / 10 - 1);
	found_count = 0;
	run_fibers(3, do_find, NULL);
	assert_int_equal(found_count, 3); /* number 2 is the one that stays */
	assert_int_equal(redis_fixture_number(server, "ZCARD sess-of:3"), 1);
}

static void all_of_a_network_end_at_once(void **state)
{
	(void)state;
	struct ending e = { .network = &office };
	run_fiber(do_end, &e);
	assert_int_equal(e.count, MANY / 3);
	found_count = 0;
	run_fibers(MANY, do_find, &e);
	assert_int_equal(found_count, MANY - MANY / 3);
}

static void all_end_at_once(void **state)
{
	(void)state;
	struct ending e = { .all = true };
	run_fiber(do_end, &e);
	assert_int_equal(e.count, MANY);
	assert_int_equal(redis_fixture_number(server, "DBSIZE"), 0);
}

static void use_or_end(struct task *t)
{
	struct fy_session s;
	struct ending e = { .account = 3 };
	uint8_t address[16] = { 0 };
	if (t->index == MANY / 2)
		CHECK_CODE(fy_sessions_end_person(&t->ctx, 3, NULL, &e.count), 0);
	else
		fy_sessions_find(&t->ctx, FY_SESSION_VISITOR, fy_str(tokens[t->index]), address, &s);
}

/* Each use moves its session to the top of the index, past the walk that ends them. */
static void use_does_not_slip_past_the_ending(void **state)
{
	(void)state;
	struct ending e = { .account = 3 };
	run_fibers(MANY, use_or_end, NULL);
	found_count = 0;
	run_fibers(MANY, do_find, &e);
	assert_int_equal(found_count, MANY - MANY / 10);
}

static void do_end_ids(struct task *t)
{
	unsigned count = 9;
	struct fy_session s;
	uint8_t address[16] = { 0 };
	CHECK_CODE(fy_sessions_find(&t->ctx, FY_SESSION_VISITOR, fy_str(tokens[5]), address, &s), 0);
	CHECK_CODE(fy_sessions_end(&t->ctx, FY_LIT("sess-seen"), &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_sessions_end(&t->ctx, FY_LIT("0123456789abcdef0123456789abcdef"), &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_sessions_end(&t->ctx, fy_str(s.id), &count), 0);
	CHECK(count == 1);
	CHECK_CODE(fy_sessions_end(&t->ctx, fy_str(s.id), &count), 0);
	CHECK(count == 0);
	uint64_t all, person;
	CHECK_CODE(fy_sessions_count(&t->ctx, &all), 0);
	CHECK_CODE(fy_sessions_count_person(&t->ctx, 6, &person), 0);
	CHECK(all == MANY - 1 && person == MANY / 10 - 1);
}

static void one_is_ended_by_its_id(void **state)
{
	(void)state;
	run_fiber(do_end_ids, NULL);
	assert_int_equal(living(), MANY - 1);
}

static void open_short(struct task *t)
{
	struct fy_session_new s = { .account_id = 500, .kind = FY_SESSION_VISITOR };
	CHECK_CODE(fy_sessions_open(&t->ctx, &s, FY_NONE, tokens[t->index]), 0);
}

/* Otherwise "all of a person" would not know the older session any more. */
static void a_shorter_limit_does_not_shorten_the_index(void **state)
{
	(void)state;
	run_fiber(open_short, NULL);
	config.sessions_absolute_days = 1;
	run_fiber(open_short, NULL);
	assert_in_range(redis_fixture_number(server, "TTL sess-of:500"), 30 * 86400 - 10, 30 * 86400);
	config.sessions_absolute_days = 60;
	run_fiber(open_short, NULL);
	assert_in_range(redis_fixture_number(server, "TTL sess-of:500"), 60 * 86400 - 10, 60 * 86400);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, given_many, close_after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_are_complete_and_newest_first),
		TEST(sessions_of_one_moment_are_all_listed),
		TEST(ending_while_paging_loses_nobody),
		TEST(foreign_cursors_are_refused),
		TEST(a_walk_does_not_fill_the_requests_memory),
		TEST(dangling_entries_leave_the_indexes),
		TEST(sign_ins_tidy_the_index),
		TEST(all_of_a_person_end_at_once),
		TEST(all_of_a_person_but_the_own_one),
		TEST(all_of_a_network_end_at_once),
		TEST(all_end_at_once),
		TEST(use_does_not_slip_past_the_ending),
		TEST(one_is_ended_by_its_id),
		TEST(a_shorter_limit_does_not_shorten_the_index),
	};
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
