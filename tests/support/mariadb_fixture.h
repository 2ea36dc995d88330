/* A private mariadbd for tests: own data directory under a temporary one, own socket, stopped by its pid.
 * What to store in it is left to the tests. Blocking, for set-up and checks; the code under test has its own
 * client. Any failure here ends the test program with a message. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mariadb_fixture;

struct mariadb_fixture_options {
	bool accounts;            /* real grant tables (about 2 s); otherwise anyone is let in (0.2 s) */
	bool tcp;                 /* also listens on 127.0.0.1, on a free port */
	const char *const *extra; /* more arguments for mariadbd, NULL-terminated; or NULL */
};

/* Starts it and makes the empty database `foyer`. `options` may be NULL. Runs as user mysql when root and that user
 * exists, as root otherwise. It is killed with the test program, however that ends. */
struct mariadb_fixture *mariadb_fixture_start(const struct mariadb_fixture_options *options);

/* Stops it and removes its files. Accepts NULL. */
void mariadb_fixture_stop(struct mariadb_fixture *fixture);

const char *mariadb_fixture_socket(const struct mariadb_fixture *fixture);
uint16_t mariadb_fixture_port(const struct mariadb_fixture *fixture);

void mariadb_fixture_kill(struct mariadb_fixture *fixture); /* SIGKILL, and waits until it is gone */
void mariadb_fixture_start_again(struct mariadb_fixture *fixture);
void mariadb_fixture_freeze(struct mariadb_fixture *fixture, bool frozen); /* SIGSTOP and SIGCONT */

/* One statement, or several with ';' between. */
void mariadb_fixture_sql(struct mariadb_fixture *fixture, const char *text);

/* The first column of the first row as a number; -1 when there is no row. */
int64_t mariadb_fixture_number(struct mariadb_fixture *fixture, const char *text);
