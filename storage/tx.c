/* Transactions: a connection pinned to a context between BEGIN and COMMIT, and the repetition after a lost deadlock.
 * What happens in one is the body's; statements find their way here through fy_db_tx_of. Called by repositories
 * and domain flows. */
#include "storage/tx.h"

#include "foyer/require.h"
#include "storage/db_internal.h"

#define TRIES 6    /* the first and five repetitions */
#define PAUSE_MS 5 /* doubled for each repetition, with jitter */

struct fy_db_tx *fy_db_tx_of(const struct fy_ctx *ctx)
{
	struct fy_list *head = &ctx->db->transactions;
	for (struct fy_list *l = head->next; l != head; l = l->next) {
		struct fy_db_tx *tx = FY_CONTAINER(l, struct fy_db_tx, link);
		if (tx->ctx == ctx)
			return tx;
	}
	return NULL;
}

bool fy_tx_active(const struct fy_ctx *ctx)
{
	return ctx->db && fy_db_tx_of(ctx) != NULL;
}

/* The job that waits for a connection: it keeps it, for `ret` (a struct fy_db_tx). */
static void pin(struct fy_db_job *job, struct fy_db_conn *conn)
{
	struct fy_db_op *op = FY_CONTAINER(job, struct fy_db_op, job);
	struct fy_db_tx *tx = op->ret;
	fy_db_op_take(op);
	tx->conn = conn;
	conn->tx = tx;
	fy_db_op_finish(op, 0);
}

static fy_async int acquire(struct fy_ctx *ctx, struct fy_db_tx *tx)
{
	int err;
	struct fy_db_op *op = fy_db_op_create(ctx, &err);
	if (op == NULL)
		return err;
	op->job.start = pin;
	op->ret = tx;
	fy_db_op_queue(op);
	return fy_db_op_await(op);
}

static void unpin(struct fy_db_tx *tx)
{
	struct fy_db_conn *conn = tx->conn;
	tx->conn = NULL;
	if (conn) {
		conn->tx = NULL;
		fy_db_conn_release(conn);
	}
}

static void rolled_back(struct fy_db_conn *conn, int err)
{
	if (err)
		fy_db_conn_discard(conn, err);
	else
		fy_db_conn_release(conn);
}

/* Nobody waits for a ROLLBACK: the connection returns to the pool when it has ended. */
static void roll_back(struct fy_db_tx *tx)
{
	struct fy_db_conn *conn = tx->conn;
	tx->conn = NULL;
	if (conn) {
		conn->tx = NULL;
		fy_db_conn_query(conn, "ROLLBACK", rolled_back);
	}
}

/* One try. *ret_again: it was a victim, nothing of it remains, and it may be repeated. */
static fy_async int try_once(struct fy_ctx *ctx, fy_async int (*body)(struct fy_ctx *ctx, void *arg), void *arg,
			     bool *ret_again)
{
	struct fy_db_tx tx = { .ctx = ctx };
	*ret_again = false;
	int err = acquire(ctx, &tx);
	if (err)
		return err;
	fy_list_append(&ctx->db->transactions, &tx.link);
	if (tx.conn == NULL) /* lost between its hand-over and this fiber's turn */
		err = fy_fail(ctx, tx.lost, "the transaction's connection was lost");
	else
		err = fy_db_text(ctx, "START TRANSACTION", NULL);
	if (err == 0)
		err = body(ctx, arg);
	if (err == 0 && !tx.victim)
		err = tx.conn ? fy_db_text(ctx, "COMMIT", NULL)
			      : fy_fail(ctx, tx.lost, "the transaction's connection was lost");
	fy_list_unlink(&tx.link);
	if (tx.conn && tx.victim) {
		roll_back(&tx);
		*ret_again = true;
		return FY_ERR_CONFLICT;
	}
	if (err)
		roll_back(&tx);
	else
		unpin(&tx);
	return err;
}

fy_async int fy_tx(struct fy_ctx *ctx, fy_async int (*body)(struct fy_ctx *ctx, void *arg), void *arg)
{
	FY_REQUIRE(fy_db_tx_of(ctx) == NULL);
	for (unsigned tries = 1;; tries++) {
		bool again;
		int err = try_once(ctx, body, arg, &again);
		if (!again || tries == TRIES)
			return err;
		uint64_t pause = (uint64_t)PAUSE_MS << tries;
		if (fy_sleep(ctx, pause / 2 + fy_db_random(ctx->db) % pause))
			return FY_ERR_TIMEOUT;
	}
}
