/* One connection to MariaDB, as a state machine on the loop: Connector/C's start and continue calls.
 * Pools, statements and retries are left to db_*.c, values to mariadb_value.h. Only mariadb*.c know
 * Connector/C; its 3.3 and 3.4 behave alike in what is used here. Called by db_connect.c and db_run.c. */
#pragma once

#include <mysql.h>
#include <stdbool.h>
#include <uv.h>

#include "foyer/slice.h"

/* A call ends here, on the loop's stack: 0 or FY_ERR_…. It may start the next call, or close the connection. */
typedef void (*fy_mariadb_done)(void *arg, int err);

enum fy_mariadb_call {
	FY_MARIADB_IDLE = 0,
	FY_MARIADB_CONNECT,
	FY_MARIADB_QUERY,
	FY_MARIADB_STORE_QUERY,
	FY_MARIADB_PREPARE,
	FY_MARIADB_EXECUTE,
	FY_MARIADB_STORE,
};

/* Embedded in its owner and zeroed. Closed again (mysql == NULL) it may be reused at once. */
struct fy_mariadb {
	uv_loop_t *loop;
	MYSQL *mysql;    /* NULL: closed */
	uv_poll_t *poll; /* of its own life: freed by its close callback */
	int watching;    /* uv events asked for; 0: none */
	enum fy_mariadb_call call;
	bool started, driving;
	fy_mariadb_done done;
	void *arg;
	void (*on_idle_event)(void *arg); /* the server spoke or hung up while no call ran */

	/* of the running call */
	MYSQL_STMT *stmt;
	const char *text;
	size_t len;
	const struct fy_mariadb_target *target;
	MYSQL *connected;
	int failed;
	MYSQL_RES *result; /* of a query that returned rows; the owner frees it in `done` */

	/* of the last call that failed */
	unsigned error; /* MariaDB's number, or Connector/C's (2000 and above) */
	bool broken;    /* the connection cannot be used any more */
};

struct fy_mariadb_target {
	const char *socket_path; /* or: */
	const char *address;     /* numeric on the loop: Connector/C would resolve a name with a blocking call */
	unsigned port;
	const char *user, *password, *database;
	bool tls, tls_verify;
	const char *tls_ca;
};

/* `target` must live until `done`. FY_ERR_NOMEM at once, otherwise everything comes through `done`. */
int fy_mariadb_connect(struct fy_mariadb *m, uv_loop_t *loop, const struct fy_mariadb_target *target,
		       fy_mariadb_done done, void *arg);

/* The blocking way in, for a thread of the pool: Connector/C compares the certificate with the name it was given, so
 * a name that is to be verified must reach it unresolved. Returns an open connection, or NULL and the reason. */
MYSQL *fy_mariadb_connect_in_thread(const struct fy_mariadb_target *target, unsigned timeout_ms, char *ret_why,
				    size_t why_size);

/* Takes over such a connection, on the loop's thread. */
void fy_mariadb_adopt(struct fy_mariadb *m, uv_loop_t *loop, MYSQL *mysql);

/* `text` must live until `done`. Rows, if any, are stored and in m->result. */
void fy_mariadb_query(struct fy_mariadb *m, const char *text, size_t len, fy_mariadb_done done, void *arg);
void fy_mariadb_prepare(struct fy_mariadb *m, MYSQL_STMT *stmt, const char *text, size_t len, fy_mariadb_done done,
			void *arg);

/* The parameters are bound; they are read before this returns. The rows are stored for fetching. */
void fy_mariadb_execute(struct fy_mariadb *m, MYSQL_STMT *stmt, fy_mariadb_done done, void *arg);

/* Watches for the server hanging up while no call runs. */
void fy_mariadb_watch_idle(struct fy_mariadb *m, void (*on_event)(void *arg), void *arg);

/* Closes at once, also in the middle of a call, whose `done` is not called then. Prepared statements survive as
 * memory only; their owner closes them afterwards. Harmless when closed. */
void fy_mariadb_close(struct fy_mariadb *m);

/* What MariaDB said last: text that may hold values, so it is not for the log of a running statement. */
const char *fy_mariadb_error_text(const struct fy_mariadb *m);

/* FY_ERR_… for an error number, and whether it leaves the connection unusable. */
int fy_mariadb_error(unsigned number, bool *ret_broken);

/* Deadlock victim, lock wait, certification failure, changed row: the transaction may be repeated. */
bool fy_mariadb_is_victim(unsigned number);
