/* A private redis-server for tests: on a unix socket in a temporary directory, stopped by its pid.
 * What to store in it is left to the tests. Blocking, for set-up and checks; the code under test has its own
 * client. Any failure here ends the test program with a message. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct redis_fixture;

/* `extra` (may be NULL) are more arguments for the server, NULL-terminated. Without the package redis-server the
 * program of redis-tools serves too: redis-check-rdb is the same one under another name. It is killed with the
 * test program, however that ends. */
struct redis_fixture *redis_fixture_start(const char *const *extra);

/* Stops it and removes its files. Accepts NULL. */
void redis_fixture_stop(struct redis_fixture *fixture);

const char *redis_fixture_socket(const struct redis_fixture *fixture);

void redis_fixture_kill(struct redis_fixture *fixture);                /* SIGKILL, and waits until it is gone */
void redis_fixture_start_again(struct redis_fixture *fixture);         /* empty */
void redis_fixture_freeze(struct redis_fixture *fixture, bool frozen); /* SIGSTOP and SIGCONT */

/* Words with blanks between, no quoting. The answer as a number (text is read as one); -1 for nil. */
int64_t redis_fixture_number(struct redis_fixture *fixture, const char *words);

/* The answer as text, lines for the elements of an array; "" for nil. The caller frees it. */
char *redis_fixture_text(struct redis_fixture *fixture, const char *words);

/* What a thief of the disk would hold: the bytes of a fresh, uncompressed dump. The caller frees them. */
char *redis_fixture_dump(struct redis_fixture *fixture, long *ret_size);
