/* The inside of struct fy_db, shared by db*.c and tx.c and nobody else.
 *
 *   fiber ── fy_db_op ──► db->queue (jobs, oldest first) ──dispatch──► an idle fy_db_conn runs the job
 *     ▲                     a job is one op, a statement's merged reads, or the coalesced writes     │
 *     └──── fy_wait ◄── fy_db_op_finish ◄── done, or lost when the connection had to be thrown away ◄┘
 *
 * Parameters and outputs stay in the fiber's memory: they are touched only while op->left is false. */
#pragma once

#include "foyer/list.h"
#include "storage/db.h"
#include "storage/db_statement.h"
#include "storage/mariadb.h"
#include "storage/mariadb_value.h"

struct fy_db_conn;
struct fy_db_tx;

/* Something that wants a connection. */
struct fy_db_job {
	struct fy_list link;                                           /* in db->queue, or unlinked */
	void (*start)(struct fy_db_job *job, struct fy_db_conn *conn); /* takes `conn`, which it must release */
	void (*fail)(struct fy_db_job *job, int err);                  /* no connection is left; the job is unlinked */
};

/* One fiber that waits. Heap memory: freed by the fiber when it has the result, by the engine if it left before. */
struct fy_db_op {
	struct fy_db_job job; /* for an op that runs alone; otherwise job.link is in its group's list */
	struct fy_db *db;
	enum { FY_DB_OP_QUEUED, FY_DB_OP_RUNNING, FY_DB_OP_DONE } state;
	bool left;        /* the fiber is gone: its ctx, params and outputs with it */
	bool *ret_victim; /* in the fiber's memory, or NULL: lost a deadlock; may be repeated */
	int result;
	uint64_t queued_ms;
	struct fy_wait wait;
	struct fy_ctx *ctx;
	void (*leave)(struct fy_db_op *op); /* the fiber leaves while the op runs */
	struct fy_db_conn *conn;            /* while it runs alone */

	const struct fy_sql_statement *statement; /* NULL: `text` */
	const char *text;
	struct fy_db_text_result *ret_text;
	const void *params;
	void *ret; /* what the statement's kind says, or NULL */
	size_t *ret_count;
	uint64_t id; /* of a merged read */

	/* a unit of coalesced writes, or one insert of it in a transaction */
	const struct fy_db_insert *inserts;
	size_t insert_count;
	uint64_t ids[FY_DB_UNIT_MAX];
	uint16_t id_at; /* see fy_sql_params_row */
	const uint64_t *id_value;
};

enum fy_db_conn_state { FY_DB_CONN_DOWN, FY_DB_CONN_STARTING, FY_DB_CONN_IDLE, FY_DB_CONN_BUSY };

typedef void (*fy_db_conn_done)(struct fy_db_conn *conn, int err);

struct fy_db_conn {
	struct fy_db *db;
	struct fy_list link; /* in db->idle while IDLE */
	enum fy_db_conn_state state;
	struct fy_mariadb m;
	uv_timer_t timer;        /* the next attempt, or the end of this one */
	struct fy_db_away *away; /* while a thread looks a name up, or connects */
	struct fy_db_host_state *host;
	struct fy_mariadb_target target;
	char address[64];
	char limit_text[64];
	MYSQL_STMT **statements; /* by slot; prepared on first use */
	MYSQL_STMT *probe;       /* at connect: what each statement is checked with; goes with the connection */
	unsigned checking;       /* index of the statement being checked */
	char *preparing;         /* the text of the statement that is being prepared */
	struct fy_sql_scratch scratch;
	uint64_t up_since_ms;
	uint64_t call_since_ms; /* 0: no statement runs */

	/* of the job that has the connection: exactly one of `done` and `lost` is called for a started run */
	void *user;
	void (*lost)(struct fy_db_conn *conn, int err);
	const struct fy_sql_statement *running;
	unsigned variant;
	int (*fill)(struct fy_db_conn *conn);
	fy_db_conn_done done;
	struct fy_db_tx *tx; /* pinned; `user` is then the op that runs inside it, or NULL */
};

struct fy_db_host_state {
	char *name;
	uint16_t port;
	unsigned failures; /* in a row */
	uint64_t down_until_ms;
};

/* The ids of one merged statement that wait. */
struct fy_db_merge_queue {
	struct fy_db_job job;
	struct fy_db *db;
	struct fy_list ops;
};

struct fy_db {
	uv_loop_t *loop;
	uv_idle_t kick;      /* active: dispatch at the start of the next turn, when its fibers have queued */
	uv_timer_t watchdog; /* active while statements run */
	unsigned handles;    /* open, plus work in threads on its way; at 0 a closing db is freed */
	bool closing;

	struct fy_db_options options; /* strings are copies */
	struct fy_db_host_state *hosts;
	size_t host_count;
	struct fy_db_conn *conns;
	unsigned up; /* idle or busy */
	struct fy_list idle;
	struct fy_list queue; /* of jobs */
	unsigned waiting;     /* ops that no connection has taken yet */

	struct fy_db_merge_queue *merges; /* by statement index */
	struct fy_db_job batch_job;
	struct fy_list units; /* ops of coalesced writes that wait */
	unsigned batches;     /* running */

	struct fy_list transactions; /* struct fy_db_tx */
	uint64_t random;
	struct fy_db_status status;
};

/* db.c */
void fy_db_enqueue(struct fy_db *db, struct fy_db_job *job);
void fy_db_dispatch(struct fy_db *db);
void fy_db_fail_queue(struct fy_db *db, int err);
void fy_db_handle_closed(struct fy_db *db);
void fy_db_watch(struct fy_db *db); /* a statement begins: keep the watchdog awake */
uint64_t fy_db_random(struct fy_db *db);

/* db_connect.c */
void fy_db_conn_begin(struct fy_db_conn *conn);
void fy_db_conn_shut(struct fy_db_conn *conn); /* for good */
void fy_db_conn_release(struct fy_db_conn *conn);
void fy_db_conn_discard(struct fy_db_conn *conn, int err);

/* db_execute.c */
void fy_db_conn_run(struct fy_db_conn *conn, const struct fy_sql_statement *statement, unsigned variant,
		    int (*fill)(struct fy_db_conn *conn), fy_db_conn_done done);
void fy_db_conn_prepare(struct fy_db_conn *conn, MYSQL_STMT *stmt, const struct fy_sql_variant *variant,
			fy_mariadb_done done);
void fy_db_conn_query(struct fy_db_conn *conn, const char *text, fy_db_conn_done done);
MYSQL_STMT *fy_db_conn_statement(const struct fy_db_conn *conn); /* the one that just ran */

/* sql_expand.c. With the quoted name of the keys database in place of each "{keys}"; to be freed. */
char *fy_sql_expand(struct fy_slice text, const char *database, size_t *ret_len);

/* db_run.c */
void fy_db_op_queue(struct fy_db_op *op); /* alone, in the queue */
struct fy_db_op *fy_db_op_create(struct fy_ctx *ctx, int *ret_err);
void fy_db_op_start(struct fy_db_op *op); /* alone: in the queue, or on the transaction's connection */
void fy_db_op_finish(struct fy_db_op *op, int err);
void fy_db_op_take(struct fy_db_op *op); /* out of a queue: it runs now */
void fy_db_op_fault(struct fy_db_op *op, const struct fy_db_conn *conn, int err);
fy_async int fy_db_op_await(struct fy_db_op *op); /* and frees it */
fy_async int fy_db_single(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params, void *ret,
			  size_t *ret_count);

/* Text statements, for transactions and migrations only. Cells are in the arena; NULL has no ptr. */
struct fy_db_text_result {
	uint64_t affected;
	size_t rows, columns;
	struct fy_slice *cells; /* row by row */
};
fy_async int fy_db_text(struct fy_ctx *ctx, const char *text, struct fy_db_text_result *ret_result);

/* db_batch.c */
void fy_db_batch_init(struct fy_db *db);

/* tx.c */
struct fy_db_tx {
	struct fy_list link;
	const struct fy_ctx *ctx;
	struct fy_db_conn *conn; /* NULL: not yet, or lost */
	bool victim;
	int lost;
};

struct fy_db_tx *fy_db_tx_of(const struct fy_ctx *ctx);
