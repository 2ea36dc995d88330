/* The hashing threads and their queue; see hasher.h. */
#include "server/auth/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "foyer/require.h"
#include "server/auth/hash_memory.h"

#define PASSWORD_MAX 1024 /* bytes; routes refuse longer ones earlier */
#define IDLE_RELEASE_S 30 /* an idle thread then gives its 64 MiB back */

enum job_kind { JOB_HASH, JOB_VERIFY, JOB_DUMMY };

/* Owned by the queue from push to the result; then by the loop, which frees it. */
struct job {
	struct job *next; /* in the stack of results */
	enum job_kind kind;
	atomic_bool abandoned;
	bool match, rehash;
	int err;
	struct fy_wait wait;
	size_t password_len;
	char password[PASSWORD_MAX];
	char encoded[crypto_pwhash_STRBYTES];
};

struct fy_hasher {
	struct fy_hasher_options options;
	pthread_t *threads;
	sem_t ready;                 /* one for each queued job, and one for each thread at the end */
	_Atomic(struct job *) *ring; /* one producer, the loop; consumers take with a compare-and-swap */
	size_t ring_size;
	atomic_size_t head, tail;
	_Atomic(struct job *) results;
	uv_poll_t wake; /* on wake_fd */
	int wake_fd;    /* an eventfd: see give_result */
	atomic_bool stopping;
	atomic_uint running;
	_Atomic uint64_t hashed, skipped, average_us;
	uint64_t refused;
	unsigned pending; /* jobs whose result has not come back */
};

static void set_idle_priority(void)
{
	struct sched_param param = { 0 };
	if (sched_setscheduler(0, SCHED_IDLE, &param) != 0)
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
}

static uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void work(struct fy_hasher *hasher, struct job *job)
{
	size_t memory = (size_t)hasher->options.memory_mib << 20;
	unsigned long long passes = hasher->options.passes;
	unsigned char raw[32], salt[crypto_pwhash_SALTBYTES];
	switch (job->kind) {
	case JOB_HASH:
		job->err = crypto_pwhash_str_alg(job->encoded, job->password, job->password_len, passes, memory,
						 crypto_pwhash_ALG_ARGON2ID13)
				   ? FY_ERR_NOMEM
				   : 0;
		break;
	case JOB_VERIFY:
		job->match = crypto_pwhash_str_verify(job->encoded, job->password, job->password_len) == 0;
		job->rehash = job->match && crypto_pwhash_str_needs_rehash(job->encoded, passes, memory) != 0;
		break;
	case JOB_DUMMY:
		randombytes_buf(salt, sizeof salt);
		job->err = crypto_pwhash(raw, sizeof raw, job->password, job->password_len, salt, passes, memory,
					 crypto_pwhash_ALG_ARGON2ID13)
				   ? FY_ERR_NOMEM
				   : 0;
		sodium_memzero(raw, sizeof raw);
		break;
	}
}

static struct job *take(struct fy_hasher *hasher)
{
	size_t head = atomic_load(&hasher->head);
	for (;;) {
		if (head == atomic_load(&hasher->tail))
			return NULL;
		struct job *job = atomic_load(&hasher->ring[head % hasher->ring_size]);
		if (atomic_compare_exchange_weak(&hasher->head, &head, head + 1))
			return job;
	}
}

static void give_result(struct fy_hasher *hasher, struct job *job)
{
	job->next = atomic_load(&hasher->results);
	while (!atomic_compare_exchange_weak(&hasher->results, &job->next, job))
		;
	/* Not uv_async_send: while a sender is inside it the loop spins (uv__async_spin, libuv 1.44), and a sender
	 * of idle priority may be preempted there for hundreds of milliseconds. */
	uint64_t one = 1;
	ssize_t ignored = write(hasher->wake_fd, &one, sizeof one);
	(void)ignored; /* only a counter that is full could refuse, and that wakes the loop as well */
}

static void *thread_main(void *arg)
{
	struct fy_hasher *hasher = arg;
	set_idle_priority();
	fy_hash_memory_lend(((size_t)hasher->options.memory_mib << 20) / 2);
	for (;;) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += IDLE_RELEASE_S;
		if (sem_timedwait(&hasher->ready, &until) != 0) {
			if (errno == ETIMEDOUT)
				fy_hash_memory_release();
			continue;
		}
		struct job *job = take(hasher);
		if (job == NULL) {
			if (atomic_load(&hasher->stopping))
				break;
			continue;
		}
		if (atomic_load(&job->abandoned) || atomic_load(&hasher->stopping)) {
			job->err = FY_ERR_CANCELLED;
			atomic_fetch_add(&hasher->skipped, 1);
		} else {
			uint64_t start = now_us();
			atomic_fetch_add(&hasher->running, 1);
			work(hasher, job);
			atomic_fetch_sub(&hasher->running, 1);
			atomic_fetch_add(&hasher->hashed, 1);
			uint64_t average = atomic_load(&hasher->average_us);
			atomic_store(&hasher->average_us,
				     average ? (average * 7 + now_us() - start) / 8 : now_us() - start);
		}
		sodium_memzero(job->password, sizeof job->password);
		give_result(hasher, job);
	}
	fy_hash_memory_release();
	return NULL;
}

static void job_free(struct job *job)
{
	sodium_memzero(job, sizeof *job);
	free(job);
}

static void collect(struct fy_hasher *hasher)
{
	struct job *job = atomic_exchange(&hasher->results, NULL);
	while (job) {
		struct job *next = job->next;
		hasher->pending--;
		if (job->wait.state == FY_WAIT_ABANDONED)
			job_free(job);
		else
			fy_wait_done(&job->wait, job->err); /* the fiber frees it */
		job = next;
	}
}

static void on_wake(uv_poll_t *poll, int status, int events)
{
	struct fy_hasher *hasher = poll->data;
	uint64_t count;
	ssize_t ignored = read(hasher->wake_fd, &count, sizeof count);
	(void)ignored;
	(void)status;
	(void)events;
	collect(hasher);
}

int fy_hasher_create(const struct fy_hasher_options *options, struct fy_hasher **ret_hasher)
{
	FY_REQUIRE(options->threads > 0 && sodium_init() >= 0);
	struct fy_hasher *hasher = calloc(1, sizeof *hasher);
	FY_REQUIRE(hasher != NULL);
	hasher->options = *options;
	hasher->ring_size = (size_t)options->queue + options->threads + 1;
	hasher->ring = calloc(hasher->ring_size, sizeof *hasher->ring);
	hasher->threads = calloc(options->threads, sizeof *hasher->threads);
	FY_REQUIRE(hasher->ring != NULL && hasher->threads != NULL);
	sem_init(&hasher->ready, 0, 0);
	hasher->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	FY_REQUIRE(hasher->wake_fd >= 0 && uv_poll_init(fy_loop(), &hasher->wake, hasher->wake_fd) == 0);
	hasher->wake.data = hasher;
	uv_poll_start(&hasher->wake, UV_READABLE, on_wake);
	uv_unref((uv_handle_t *)&hasher->wake);

	sigset_t all, before; /* signals are the loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = 0;
	for (unsigned i = 0; i < options->threads && err == 0; i++)
		err = pthread_create(&hasher->threads[i], NULL, thread_main, hasher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	FY_REQUIRE(err == 0);
	*ret_hasher = hasher;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct fy_hasher *hasher = handle->data;
	close(hasher->wake_fd);
	sem_destroy(&hasher->ready);
	free(hasher->ring);
	free(hasher->threads);
	free(hasher);
}

void fy_hasher_destroy(struct fy_hasher *hasher)
{
	if (hasher == NULL)
		return;
	atomic_store(&hasher->stopping, true);
	for (unsigned i = 0; i < hasher->options.threads + hasher->pending; i++)
		sem_post(&hasher->ready);
	for (unsigned i = 0; i < hasher->options.threads; i++)
		pthread_join(hasher->threads[i], NULL);
	for (struct job *job; (job = take(hasher));) {
		job->err = FY_ERR_CANCELLED;
		give_result(hasher, job);
	}
	collect(hasher);
	uv_close((uv_handle_t *)&hasher->wake, on_closed);
}

static unsigned waiting(const struct fy_hasher *hasher)
{
	return (unsigned)(atomic_load(&hasher->tail) - atomic_load(&hasher->head));
}

unsigned fy_hasher_wait_s(const struct fy_hasher *hasher)
{
	uint64_t us = hasher->pending * atomic_load(&hasher->average_us) / hasher->options.threads;
	return (unsigned)(us / 1000000) + 1;
}

void fy_hasher_stats(const struct fy_hasher *hasher, struct fy_hasher_stats *ret_stats)
{
	*ret_stats = (struct fy_hasher_stats){
		.waiting = waiting(hasher),
		.running = atomic_load(&hasher->running),
		.hashed = atomic_load(&hasher->hashed),
		.skipped = atomic_load(&hasher->skipped),
		.refused = hasher->refused,
	};
}

/* On return with 0 or a result code the job is the caller's to free; after FY_ERR_TIMEOUT or FY_ERR_BUSY there is
 * none. */
fy_async static int run(struct fy_ctx *ctx, struct fy_hasher *hasher, enum job_kind kind, struct fy_secret password,
			struct fy_secret encoded, struct job **ret_job)
{
	if (password.text.len > PASSWORD_MAX)
		return FY_ERR_TOO_LARGE;
	if (hasher->pending >= hasher->options.queue + hasher->options.threads) {
		hasher->refused++;
		return fy_fail(ctx, FY_ERR_BUSY, "the queue for password hashes is full");
	}
	struct job *job = calloc(1, sizeof *job);
	FY_REQUIRE(job != NULL);
	job->kind = kind;
	job->password_len = password.text.len;
	if (password.text.len)
		memcpy(job->password, password.text.ptr, password.text.len);
	if (encoded.text.len)
		memcpy(job->encoded, encoded.text.ptr, encoded.text.len);
	size_t tail = atomic_load(&hasher->tail);
	atomic_store(&hasher->ring[tail % hasher->ring_size], job);
	atomic_store(&hasher->tail, tail + 1);
	hasher->pending++;
	sem_post(&hasher->ready);
	int err = fy_wait(&job->wait, ctx->deadline_ms);
	if (err == FY_ERR_TIMEOUT) { /* the threads' now; collect() frees it */
		atomic_store(&job->abandoned, true);
		return fy_fail(ctx, err, "the password hash had no turn in time");
	}
	if (err) {
		job_free(job);
		return err;
	}
	*ret_job = job;
	return 0;
}

fy_async int fy_password_hash(struct fy_ctx *ctx, struct fy_hasher *hasher, struct fy_secret password,
			      struct fy_secret *ret_encoded)
{
	struct job *job;
	int err = run(ctx, hasher, JOB_HASH, password, (struct fy_secret){ FY_NONE }, &job);
	if (err)
		return err;
	*ret_encoded = fy_copy_secret(ctx->arena, fy_str(job->encoded));
	job_free(job);
	return 0;
}

fy_async int fy_password_verify(struct fy_ctx *ctx, struct fy_hasher *hasher, struct fy_secret password,
				struct fy_secret encoded, bool *ret_match, bool *ret_rehash)
{
	struct job *job;
	bool known = encoded.text.len > 0 && encoded.text.len < crypto_pwhash_STRBYTES;
	int err = run(ctx, hasher, known ? JOB_VERIFY : JOB_DUMMY, password,
		      known ? encoded : (struct fy_secret){ FY_NONE }, &job);
	if (err)
		return err;
	*ret_match = job->match;
	*ret_rehash = job->rehash;
	job_free(job);
	return 0;
}
