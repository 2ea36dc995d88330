/* A private redis-server for tests; see redis_fixture.h. It speaks through hiredis' blocking calls on purpose, so
 * that it does not share a mistake with the client under test. Called by the unit tests of storage and server. */
#include "tests/support/redis_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 3000 /* of 10 ms: a loaded machine with sanitizers is slow */
#define ARGS_MAX 32
#define WORDS_MAX 16

struct redis_fixture {
	char dir[64];
	char socket[96], log[96], dump[96];
	const char *const *extra;
	pid_t pid;
	redisContext *redis;
};

static _Noreturn void give_up(const char *what, const char *why)
{
	fprintf(stderr, "redis fixture: %s: %s\n", what, why);
	abort();
}

static void spawn(struct redis_fixture *f)
{
	char *argv[ARGS_MAX] = {
		"redis-server", "--port",      "0",     "--unixsocket", f->socket,          "--save", "",
		"--appendonly", "no",          "--dir", f->dir,         "--rdbcompression", "no",     "--databases",
		"16",           "--daemonize", "no"
	};
	int n = 17;
	for (const char *const *e = f->extra; e && *e && n < ARGS_MAX - 1; e++)
		argv[n++] = (char *)*e;
	f->pid = fork();
	if (f->pid < 0)
		give_up("fork", strerror(errno));
	if (f->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int log = open(f->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	execv("/usr/bin/redis-server", argv);
	execv("/usr/bin/redis-check-rdb", argv);
	_exit(127);
}

static void connect_to_it(struct redis_fixture *f)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	for (int i = 0; i < START_TRIES; i++) {
		f->redis = redisConnectUnix(f->socket);
		if (f->redis && f->redis->err == 0)
			return;
		if (f->redis)
			redisFree(f->redis);
		f->redis = NULL;
		int status;
		if (waitpid(f->pid, &status, WNOHANG) == f->pid)
			give_up("redis-server ended at once, see", f->log);
		nanosleep(&pause, NULL);
	}
	give_up("redis-server does not answer, see", f->log);
}

struct redis_fixture *redis_fixture_start(const char *const *extra)
{
	struct redis_fixture *f = calloc(1, sizeof *f);
	if (f == NULL)
		give_up("start", "out of memory");
	snprintf(f->dir, sizeof(f->dir), "/tmp/foyer-redis-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		give_up(f->dir, strerror(errno));
	snprintf(f->socket, sizeof f->socket, "%s/sock", f->dir);
	snprintf(f->log, sizeof f->log, "%s/log", f->dir);
	snprintf(f->dump, sizeof f->dump, "%s/dump.rdb", f->dir);
	f->extra = extra;
	spawn(f);
	connect_to_it(f);
	return f;
}

static void end(struct redis_fixture *f)
{
	int status;
	if (f->redis)
		redisFree(f->redis);
	f->redis = NULL;
	if (f->pid <= 0)
		return;
	kill(f->pid, SIGKILL); /* also ends one that is stopped; nothing in it is worth a clean end */
	while (waitpid(f->pid, &status, 0) < 0 && errno == EINTR)
		;
	f->pid = 0;
	unlink(f->socket);
	unlink(f->dump);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

void redis_fixture_stop(struct redis_fixture *f)
{
	if (f == NULL)
		return;
	end(f);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
}

const char *redis_fixture_socket(const struct redis_fixture *f)
{
	return f->socket;
}

void redis_fixture_kill(struct redis_fixture *f)
{
	end(f);
}

void redis_fixture_start_again(struct redis_fixture *f)
{
	spawn(f);
	connect_to_it(f);
}

void redis_fixture_freeze(struct redis_fixture *f, bool frozen)
{
	int status;
	kill(f->pid, frozen ? SIGSTOP : SIGCONT);
	if (frozen) /* stopped when this returns, not a little later */
		while (waitpid(f->pid, &status, WUNTRACED) < 0 && errno == EINTR)
			;
}

static redisReply *ask(struct redis_fixture *f, const char *words)
{
	char *copy = strdup(words), *rest = copy;
	const char *argv[WORDS_MAX];
	int argc = 0;
	for (char *word; (word = strsep(&rest, " ")) && argc < WORDS_MAX;)
		argv[argc++] = word;
	redisReply *reply = redisCommandArgv(f->redis, argc, argv, NULL);
	if (reply == NULL)
		give_up(words, f->redis->errstr);
	if (reply->type == REDIS_REPLY_ERROR)
		give_up(words, reply->str);
	free(copy);
	return reply;
}

int64_t redis_fixture_number(struct redis_fixture *f, const char *words)
{
	redisReply *reply = ask(f, words);
	int64_t number = reply->type == REDIS_REPLY_INTEGER ? reply->integer
			 : reply->str                       ? strtoll(reply->str, NULL, 10)
							    : -1;
	freeReplyObject(reply);
	return number;
}

char *redis_fixture_text(struct redis_fixture *f, const char *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	redisReply *reply = ask(f, words);
	if (reply->str)
		fwrite(reply->str, 1, (size_t)reply->len, out);
	for (size_t i = 0; i < reply->elements; i++) {
		if (reply->element[i]->str)
			fwrite(reply->element[i]->str, 1, (size_t)reply->element[i]->len, out);
		fputc('\n', out);
	}
	fclose(out);
	freeReplyObject(reply);
	return text;
}

char *redis_fixture_dump(struct redis_fixture *f, long *ret_size)
{
	freeReplyObject(ask(f, "SAVE"));
	FILE *in = fopen(f->dump, "rb");
	if (in == NULL || fseek(in, 0, SEEK_END))
		give_up(f->dump, strerror(errno));
	long size = ftell(in);
	char *bytes = malloc((size_t)size + 1);
	rewind(in);
	if (bytes == NULL || fread(bytes, 1, (size_t)size, in) != (size_t)size)
		give_up(f->dump, "cannot be read");
	fclose(in);
	*ret_size = size;
	return bytes;
}
