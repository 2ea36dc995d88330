/* Passwords hashed by libsodium alone: the bound for sign-in, and the hash that the peers' accounts have.
 *     argon2 hash PASSWORD             one hash on standard output
 *     argon2 bound THREADS SECONDS     verifications a second on so many threads, as one line of JSON
 * The cost is the same as everywhere in these benchmarks: 64 MiB, two passes, one lane. Called by bench/run. */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MEMORY ((size_t)64 << 20)
#define PASSES 2
#define THREADS_MAX 256

static const char password[] = "a password of usual length";
static char hash[crypto_pwhash_STRBYTES];
static atomic_ulong verified;
static atomic_int stop, wrong;

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *verify(void *arg)
{
	(void)arg;
	while (!stop) {
		if (crypto_pwhash_str_verify(hash, password, strlen(password)) != 0)
			wrong = 1;
		/* What ends after the bell does not count. */
		if (!stop)
			verified++;
	}
	return NULL;
}

static int bound(int threads, double seconds)
{
	pthread_t ids[THREADS_MAX];
	struct rusage usage;
	double begin, took;
	int i;

	begin = seconds_now();
	for (i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, verify, NULL) != 0)
			return 1;
	nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
	stop = 1;
	took = seconds_now() - begin;
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"requests\":%lu,\"seconds\":%.6f,\"peak_kib\":%ld,\"threads\":%d}\n", (unsigned long)verified, took,
	       usage.ru_maxrss, threads);
	return wrong;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	if (argc == 3 && strcmp(argv[1], "hash") == 0) {
		if (crypto_pwhash_str_alg(hash, argv[2], strlen(argv[2]), PASSES, MEMORY,
					  crypto_pwhash_ALG_ARGON2ID13) != 0)
			return 1;
		puts(hash);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "bound") == 0 && atoi(argv[2]) > 0 && atoi(argv[2]) <= THREADS_MAX &&
	    atof(argv[3]) > 0) {
		if (crypto_pwhash_str_alg(hash, password, strlen(password), PASSES, MEMORY,
					  crypto_pwhash_ALG_ARGON2ID13) != 0)
			return 1;
		return bound(atoi(argv[2]), atof(argv[3]));
	}
	fprintf(stderr, "usage: argon2 hash PASSWORD | argon2 bound THREADS SECONDS\n");
	return 2;
}
