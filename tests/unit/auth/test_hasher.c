/* The hashing threads: right answers, bounded queue and memory, what is given up is skipped, equal work for known and
 * unknown accounts. The hasher's own source is included, with libsodium's calls counted and, where a test wants it,
 * held up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>
#include <cmocka.h>
#include <sodium.h>

static atomic_uint made, checked, dummies, holding;
static atomic_bool hold;
static unsigned long long dummy_passes;
static size_t dummy_memory;

static void hold_up(void)
{
	atomic_fetch_add(&holding, 1);
	while (atomic_load(&hold))
		usleep(500);
	atomic_fetch_sub(&holding, 1);
}

static int counted_str_alg(char *out, const char *password, unsigned long long len, unsigned long long passes,
			   size_t memory, int alg)
{
	made++;
	hold_up();
	return crypto_pwhash_str_alg(out, password, len, passes, memory, alg);
}

static int counted_verify(const char *encoded, const char *password, unsigned long long len)
{
	checked++;
	hold_up();
	return crypto_pwhash_str_verify(encoded, password, len);
}

static int counted_pwhash(unsigned char *out, unsigned long long out_len, const char *password, unsigned long long len,
			  const unsigned char *salt, unsigned long long passes, size_t memory, int alg)
{
	dummies++;
	dummy_passes = passes;
	dummy_memory = memory;
	hold_up();
	return crypto_pwhash(out, out_len, password, len, salt, passes, memory, alg);
}

#define crypto_pwhash_str_alg counted_str_alg
#define crypto_pwhash_str_verify counted_verify
#define crypto_pwhash counted_pwhash
#include "server/auth/hasher.c"
#undef crypto_pwhash_str_alg
#undef crypto_pwhash_str_verify
#undef crypto_pwhash

#define MEMORY_MIB 8
#define THREADS 2
#define QUEUE 64

struct task {
	struct fy_ctx ctx;
	struct fy_arena arena;
	unsigned index;
	void (*run)(struct task *t);
};

static struct fy_hasher *hasher;
static char known[crypto_pwhash_STRBYTES];
static unsigned failures, running, timeout_ms;

static struct fy_secret secret(const char *text)
{
	return (struct fy_secret){ fy_str(text) };
}

static void fiber(void *arg)
{
	struct task *t = arg;
	t->run(t);
	fy_arena_finish(&t->arena);
	running--;
}

#define CHECK(condition)                                                                                            \
	do {                                                                                                        \
		if (!(condition)) {                                                                                 \
			fprintf(stderr, "%s:%d: fiber %u: not so: %s\n", __FILE__, __LINE__, t->index, #condition); \
			failures++;                                                                                 \
			return;                                                                                     \
		}                                                                                                   \
	} while (0)

static void start_fibers(struct task *tasks, unsigned count, void (*body)(struct task *t))
{
	failures = 0;
	uv_update_time(uv_default_loop());
	for (unsigned i = 0; i < count; i++) {
		struct task *t = &tasks[i];
		*t = (struct task){ .index = i, .run = body };
		fy_arena_init(&t->arena, 0);
		t->ctx = (struct fy_ctx){ .arena = &t->arena, .deadline_ms = fy_loop_ms() + timeout_ms };
		assert_int_equal(fy_fiber_start(fiber, t), 0);
		running++;
	}
}

static void run_fibers(unsigned count, void (*body)(struct task *t))
{
	struct task *tasks = calloc(count, sizeof *tasks);
	start_fibers(tasks, count, body);
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	free(tasks);
	assert_int_equal(failures, 0);
}

static int open_hasher(void **state)
{
	struct fy_hasher_options options = {
		.memory_mib = MEMORY_MIB, .passes = 1, .threads = THREADS, .queue = QUEUE
	};
	(void)state;
	made = checked = dummies = 0;
	atomic_store(&hold, false);
	timeout_ms = 60000;
	assert_int_equal(crypto_pwhash_str(known, "right", 5, 1, MEMORY_MIB << 20), 0);
	return fy_hasher_create(&options, &hasher);
}

static int close_hasher(void **state)
{
	(void)state;
	atomic_store(&hold, false);
	fy_hasher_destroy(hasher);
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	for (int i = 0; i < 3; i++)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	return 0;
}

/* ---- Answers ---- */

static void hash_and_verify(struct task *t)
{
	char password[64];
	struct fy_secret encoded;
	bool match = false, rehash = true;
	snprintf(password, sizeof password, "password of fiber %u", t->index);
	CHECK(fy_password_hash(&t->ctx, hasher, secret(password), &encoded) == 0);
	CHECK(fy_starts(encoded.text, FY_LIT("$argon2id$v=19$m=8192,t=1,p=1$")));
	CHECK(fy_password_verify(&t->ctx, hasher, secret(password), encoded, &match, &rehash) == 0);
	CHECK(match && !rehash);
	CHECK(fy_password_verify(&t->ctx, hasher, secret("another"), encoded, &match, &rehash) == 0);
	CHECK(!match && !rehash);
}

static void each_fiber_gets_its_own_answer(void **state)
{
	(void)state;
	run_fibers(40, hash_and_verify);
	struct fy_hasher_stats stats;
	fy_hasher_stats(hasher, &stats);
	assert_int_equal(stats.hashed, 120);
	assert_int_equal(stats.waiting + stats.running + stats.skipped + stats.refused, 0);
}

static void verify_old(struct task *t)
{
	char old[crypto_pwhash_STRBYTES];
	bool match = false, rehash = false;
	CHECK(crypto_pwhash_str(old, "right", 5, 2, 9 << 20) == 0);
	CHECK(fy_password_verify(&t->ctx, hasher, secret("right"), secret(old), &match, &rehash) == 0);
	CHECK(match && rehash);
	CHECK(fy_password_verify(&t->ctx, hasher, secret("wrong"), secret(old), &match, &rehash) == 0);
	CHECK(!match && !rehash);
}

static void another_cost_asks_for_a_new_hash_on_success_alone(void **state)
{
	(void)state;
	run_fibers(1, verify_old);
}

static void verify_odd(struct task *t)
{
	static char huge[2000];
	bool match = true, rehash = true;
	memset(huge, '$', sizeof huge - 1);
	const char *const odd[] = { "$argon2id$", "right", huge };
	for (size_t i = 0; i < FY_COUNT(odd); i++) {
		CHECK(fy_password_verify(&t->ctx, hasher, secret("right"), secret(odd[i]), &match, &rehash) == 0);
		CHECK(!match && !rehash);
	}
	CHECK(fy_password_verify(&t->ctx, hasher, secret(huge), secret(known), &match, &rehash) == FY_ERR_TOO_LARGE);
	CHECK(fy_password_verify(&t->ctx, hasher, secret(""), secret(known), &match, &rehash) == 0 && !match);
}

static void odd_input_matches_nothing(void **state)
{
	(void)state;
	run_fibers(1, verify_odd);
}

static void verify_known(struct task *t)
{
	bool match, rehash;
	CHECK(fy_password_verify(&t->ctx, hasher, secret("wrong"), secret(known), &match, &rehash) == 0 && !match);
}

static void verify_unknown(struct task *t)
{
	bool match = true, rehash = true;
	CHECK(fy_password_verify(&t->ctx, hasher, secret("wrong"), (struct fy_secret){ FY_NONE }, &match, &rehash) ==
	      0);
	CHECK(!match && !rehash);
}

static void unknown_accounts_cost_the_same_one_hash(void **state)
{
	(void)state;
	run_fibers(3, verify_known);
	assert_true(checked == 3 && made == 0 && dummies == 0);
	run_fibers(3, verify_unknown);
	assert_true(checked == 3 && made == 0 && dummies == 3);
	assert_int_equal(dummy_passes, 1);
	assert_int_equal(dummy_memory, MEMORY_MIB << 20);
}

/* ---- Bounds ---- */

static unsigned refused_count, timed_out;

static void verify_any(struct task *t)
{
	bool match, rehash;
	int err = fy_password_verify(&t->ctx, hasher, secret("right"), secret(known), &match, &rehash);
	CHECK(err == 0 || err == FY_ERR_BUSY || err == FY_ERR_TIMEOUT);
	refused_count += err == FY_ERR_BUSY;
	timed_out += err == FY_ERR_TIMEOUT;
	CHECK(err || match);
}

static void turn(unsigned times)
{
	while (times--)
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
}

static void a_full_queue_refuses_at_once(void **state)
{
	(void)state;
	struct task *tasks = calloc(100, sizeof *tasks);
	run_fibers(4, verify_known); /* so that there is a time to estimate by */
	refused_count = 0;
	atomic_store(&hold, true);
	start_fibers(tasks, 100, verify_any);
	turn(5);
	assert_int_equal(refused_count, 100 - QUEUE - THREADS);
	struct fy_hasher_stats stats;
	fy_hasher_stats(hasher, &stats);
	assert_int_equal(stats.refused, refused_count);
	uint64_t average = hasher->average_us;
	assert_true(average > 0);
	assert_int_equal(fy_hasher_wait_s(hasher), (QUEUE + THREADS) * average / THREADS / 1000000 + 1);
	hasher->average_us = 65000; /* of the default cost, on one core */
	assert_int_equal(fy_hasher_wait_s(hasher), 3);
	atomic_store(&hold, false);
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	assert_int_equal(failures, 0);
	assert_int_equal(fy_hasher_wait_s(hasher), 1);
	run_fibers(QUEUE, verify_known); /* and there is room again */
	free(tasks);
}

static void what_was_given_up_is_skipped(void **state)
{
	(void)state;
	struct task *tasks = calloc(30, sizeof *tasks);
	timed_out = 0;
	timeout_ms = 30;
	atomic_store(&hold, true);
	start_fibers(tasks, 30, verify_any);
	while (running)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	assert_int_equal(timed_out, 30);
	unsigned begun = checked;
	assert_true(begun <= THREADS);
	atomic_store(&hold, false);
	timeout_ms = 60000;
	run_fibers(2, verify_known);
	assert_int_equal(checked, begun + 2);
	struct fy_hasher_stats stats;
	fy_hasher_stats(hasher, &stats);
	assert_int_equal(stats.skipped, 30 - begun);
	free(tasks);
}

static void closing(struct task *t)
{
	bool match, rehash;
	int err = fy_password_verify(&t->ctx, hasher, secret("right"), secret(known), &match, &rehash);
	CHECK(err == 0 || err == FY_ERR_CANCELLED);
	timed_out += err == FY_ERR_CANCELLED;
}

static void closing_cancels_what_waits(void **state)
{
	(void)state;
	struct task *tasks = calloc(20, sizeof *tasks);
	timed_out = 0;
	atomic_store(&hold, true);
	start_fibers(tasks, 20, closing);
	turn(3);
	while (atomic_load(&holding) < THREADS)
		usleep(1000);
	atomic_store(&hasher->stopping, true); /* before the first hash ends */
	close_hasher(state);
	assert_int_equal(failures, 0);
	assert_int_equal(timed_out, 20 - THREADS);
	assert_int_equal(checked, THREADS);
	hasher = NULL;
	free(tasks);
}

static long peak_kib(bool reset)
{
	char line[256];
	long kib = -1;
	if (reset) {
		FILE *clear = fopen("/proc/self/clear_refs", "w");
		assert_non_null(clear);
		fputs("5", clear);
		fclose(clear);
	}
	FILE *status = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, status))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

/* Threads of the lowest priority: of the idle class, or where that is not to be had, of niceness 19. */
static unsigned count_low(void)
{
	unsigned idle = 0, nice = 0;
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *entry; (entry = readdir(tasks));) {
		char path[300], text[1024] = "";
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/stat", entry->d_name);
		FILE *stat = fopen(path, "r");
		if (fgets(text, sizeof text, stat)) {
			char *at = strrchr(text, ')');
			int niceness = 0, policy = -1; /* the 19th and the 41st field; ')' ends the 2nd */
			for (int field = 2; *at && field < 41; at++)
				if (*at == ' ' && ++field == 19)
					niceness = atoi(at + 1);
			policy = atoi(at);
			idle += policy == SCHED_IDLE;
			nice += niceness == 19;
		}
		fclose(stat);
	}
	closedir(tasks);
	return idle ? idle : nice;
}

static void memory_is_bound_by_the_threads_not_by_the_queue(void **state)
{
	(void)state;
	long before = peak_kib(true);
	run_fibers(QUEUE + THREADS, verify_known);
	long grown = peak_kib(false) - before;
	/* Two regions of 8 MiB, their alignment, and some room for fibers' stacks; one each would be 528 MiB. */
	assert_in_range(grown, MEMORY_MIB * 1024, (THREADS * (MEMORY_MIB + 4) + 16) * 1024);
}

static void the_threads_are_of_idle_priority(void **state)
{
	(void)state;
	run_fibers(4, verify_known);
	unsigned low = 0; /* a thread that has not run yet has not lowered itself */
	for (unsigned tries = 0; tries < 200 && (low = count_low()) != THREADS; tries++)
		usleep(10000);
	assert_int_equal(low, THREADS);
}

static int start_loop(void **state)
{
	(void)state;
	return sodium_init() < 0 ? 1 : fy_sched_init(uv_default_loop(), 500);
}

static int stop_loop(void **state)
{
	(void)state;
	fy_sched_finish();
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	fy_arena_trim();
	return uv_loop_close(uv_default_loop());
}

static int nothing(void **state)
{
	(void)state;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_hasher, close_hasher)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(memory_is_bound_by_the_threads_not_by_the_queue),
		TEST(each_fiber_gets_its_own_answer),
		TEST(another_cost_asks_for_a_new_hash_on_success_alone),
		TEST(odd_input_matches_nothing),
		TEST(unknown_accounts_cost_the_same_one_hash),
		TEST(a_full_queue_refuses_at_once),
		TEST(what_was_given_up_is_skipped),
		cmocka_unit_test_setup_teardown(closing_cancels_what_waits, open_hasher, nothing),
		TEST(the_threads_are_of_idle_priority),
	};
	return cmocka_run_group_tests(tests, start_loop, stop_loop);
}
