/* MariaDB for one worker: a small pool on Connector/C's non-blocking API, driven by the fiber's loop.
 * Statements come only from the closed list generated out of storage/sql (see storage/sql/README.md);
 * transactions are in tx.h, migrations in migrate.h, table knowledge in the repositories.
 * The server makes one struct fy_db a worker and puts it into each context; repositories use it through
 * the generated fy_sql_… functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/slice.h"

struct fy_db;
struct fy_sql_list;
struct fy_sql_statement;

struct fy_db_host {
	const char *name; /* a host name or an address; resolved on each connect, off the loop */
	uint16_t port;    /* 0: 3306 */
};

/* Everything is copied by fy_db_create. Zero means the default in brackets. */
struct fy_db_options {
	const char *socket_path;        /* a unix socket; then `hosts` is not used */
	const struct fy_db_host *hosts; /* tried in order of health; a Galera cluster's nodes */
	size_t host_count;
	const char *user, *database;
	struct fy_secret password;   /* empty: none (unix_socket authentication) */
	bool tls;                    /* TCP only; refuses a server without TLS */
	bool tls_verify;             /* certificate and name must be right */
	const char *tls_ca;          /* PEM file; NULL: the system's */
	unsigned pool_size;          /* connections [2]; more are slower on few cores, at most 32 */
	unsigned queue_max;          /* fibers that may wait for a connection [1024]; past it FY_ERR_BUSY */
	unsigned queue_wait_ms;      /* and how long [2000]; past it FY_ERR_BUSY */
	unsigned connect_timeout_ms; /* resolve, connect, sign in, check the statements [5000] */
	unsigned statement_max_ms;   /* a statement past its caller's deadline loses its connection; one that
				      * has no nearer deadline loses it after this [30000] */
	unsigned backoff_min_ms, backoff_max_ms; /* between attempts, doubled, with jitter [50, 2000] */
	unsigned batch_max;                      /* rows in one transaction of coalesced writes [512] */
	const struct fy_sql_list *statements;    /* NULL: the built-in list; &fy_sql_none: none */
};

/* Starts connecting in the background and returns at once: a MariaDB that is away is no error here. Call on the
 * loop's thread after fy_sched_init; the process must ignore SIGPIPE (TLS writes raise it). FY_ERR_INVALID for
 * options that make no sense. */
int fy_db_create(const struct fy_db_options *options, struct fy_db **ret_db);

/* Closes all connections; calls still running end with FY_ERR_DB_DOWN. Memory goes once the loop has run
 * the close callbacks. Wait for the fibers first: none may use the db afterwards. Accepts NULL. */
void fy_db_destroy(struct fy_db *db);

struct fy_db_status {
	bool up;                     /* at least one connection is usable */
	bool schema_mismatch;        /* the server is there, but its schema does not fit this binary */
	unsigned connections;        /* usable now */
	unsigned busy, waiting;      /* connections in use; fibers in the queue */
	const char *host;            /* of a usable connection, or the one tried last; lives as long as the db */
	char last_error[200];        /* of the last failed attempt; empty once up */
	uint64_t connects, discards; /* connections made; thrown away (timeout, protocol, server gone) */
	uint64_t executions;         /* round trips that carried a statement */
	uint64_t merged_rows;        /* ids looked up by merged reads */
	uint64_t batched_rows;       /* rows written by coalesced writes */
	uint64_t fallbacks;          /* merged or coalesced executions that were repeated one by one */
};

/* For /readyz and /metrics. No I/O. */
void fy_db_status(const struct fy_db *db, struct fy_db_status *ret_status);

/* Parks until a connection is usable. For commands and start-up; requests do not wait for a server that
 * is away. FY_ERR_DB_DOWN past the context's deadline, or FY_ERR_SCHEMA at once when the server is there but
 * its schema does not fit. */
fy_async int fy_db_wait_ready(struct fy_ctx *ctx);

/* Errors of every statement, beside those named at each kind:
 *   FY_ERR_DB_DOWN    no usable connection (at once), or it was lost while the statement ran
 *   FY_ERR_BUSY       the queue is full, or the wait in it was too long
 *   FY_ERR_TIMEOUT    the context's deadline passed; the connection is thrown away. A write may have happened
 *   FY_ERR_CONFLICT   a duplicate key, or a row that others refer to; after fy_tx also a lost deadlock
 *   FY_ERR_TOO_LARGE  a parameter longer than declared (nothing was sent), or too many rows
 *   FY_ERR_INVALID    the server refused a value (out of range, broken UTF-8)
 *   FY_ERR_SCHEMA     the statement does not fit the schema any more
 *   FY_ERR_INTERNAL   anything else; the detail is in ctx->fault, with no value in it */

struct fy_db_done {
	uint64_t affected;  /* rows changed; a row set to what it was already counts too (FOUND_ROWS) */
	uint64_t insert_id; /* AUTO_INCREMENT value, or 0 */
};

/* One insert of a unit, made by the generated fy_sql_NAME_insert(&params). */
struct fy_db_insert {
	const struct fy_sql_statement *statement;
	const void *params;
	uint16_t id_from; /* 0: none; k: the id that insert number k of this unit (counted from 1, an
				      * earlier one with RETURNING) got is put ... */
	uint16_t id_to;   /* ... into the u64 parameter at this offset: offsetof(struct …_params, …) */
};

#define FY_DB_UNIT_MAX 16

/* COALESCED WRITES. A unit is 1 to FY_DB_UNIT_MAX rows (kind insert_batch) that appear together or not at all.
 * Units that queue while earlier ones commit share one transaction with multi-row INSERTs, and are answered
 * after its COMMIT. A transaction that fails is repeated unit by unit, so that a bad row fails alone.
 * ret_ids (may be NULL): `count` ids, 0 for a statement without RETURNING. Inside fy_tx the rows are simply
 * inserted in that transaction. A unit whose caller gave up at its deadline may still have been written. */
fy_async int fy_db_unit(struct fy_ctx *ctx, const struct fy_db_insert *inserts, size_t count, uint64_t *ret_ids);
