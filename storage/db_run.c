/* Running one statement for one fiber: queue, execute, copy the rows, wake; or be given up.
 * Merged reads are left to db_merge.c, coalesced writes to db_batch.c, transactions to tx.c. The generated functions
 * call fy_db_one, fy_db_many and fy_db_exec. */
#include <errno.h>
#include <stdlib.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/db_internal.h"

#define VICTIM_TRIES 4 /* of a statement outside a transaction: it alone was rolled back */

static void run_op(struct fy_db_op *op, struct fy_db_conn *conn);

static void start_op(struct fy_db_job *job, struct fy_db_conn *conn)
{
	struct fy_db_op *op = FY_CONTAINER(job, struct fy_db_op, job);
	fy_db_op_take(op);
	run_op(op, conn);
}

static void fail_op(struct fy_db_job *job, int err)
{
	struct fy_db_op *op = FY_CONTAINER(job, struct fy_db_op, job);
	fy_db_op_take(op);
	fy_db_op_finish(op, err);
}

/* What cannot be had is refused here, before anything waits. */
struct fy_db_op *fy_db_op_create(struct fy_ctx *ctx, int *ret_err)
{
	struct fy_db *db = ctx->db;
	const struct fy_db_tx *tx = fy_db_tx_of(ctx);
	struct fy_db_op *op = NULL;
	FY_REQUIRE(fy_fiber_self() != NULL);
	if (tx && tx->conn == NULL)
		*ret_err = fy_fail(ctx, tx->lost, "the transaction's connection was lost");
	else if (db->up == 0 || db->closing)
		*ret_err = fy_fail(ctx, FY_ERR_DB_DOWN, "no connection to MariaDB");
	else if (tx == NULL && db->waiting >= db->options.queue_max)
		*ret_err = fy_fail(ctx, FY_ERR_BUSY, "%u statements wait for a connection", db->waiting);
	else if ((op = calloc(1, sizeof *op)) == NULL)
		*ret_err = FY_ERR_NOMEM;
	if (op == NULL)
		return NULL;
	fy_list_init(&op->job.link);
	op->job.start = start_op;
	op->job.fail = fail_op;
	op->db = db;
	op->ctx = ctx;
	op->queued_ms = uv_now(db->loop);
	op->id_at = FY_SQL_NO_FLAG;
	return op;
}

void fy_db_op_take(struct fy_db_op *op)
{
	FY_REQUIRE(op->state == FY_DB_OP_QUEUED);
	op->state = FY_DB_OP_RUNNING;
	op->db->waiting--;
}

void fy_db_op_finish(struct fy_db_op *op, int err)
{
	FY_REQUIRE(op->state == FY_DB_OP_RUNNING);
	op->state = FY_DB_OP_DONE;
	op->result = err;
	op->conn = NULL;
	if (op->left)
		free(op);
	else
		fy_wait_done(&op->wait, err);
}

/* The number only: MariaDB's text may quote a value. Migrations alone show it: their texts are written by us. */
void fy_db_op_fault(struct fy_db_op *op, const struct fy_db_conn *conn, int err)
{
	if (op->left || err >= 0)
		return;
	const char *name = op->statement ? op->statement->name : "of the transaction";
	if (conn->m.error && op->ret_text && conn->m.mysql)
		fy_fail(op->ctx, err, "MariaDB error %u: %s", conn->m.error, fy_mariadb_error_text(&conn->m));
	else if (conn->m.error)
		fy_fail(op->ctx, err, "statement %s: MariaDB error %u", name, conn->m.error);
	else
		fy_fail(op->ctx, err, "statement %s: %s", name, fy_strerror(err));
}

/* Waits for the op to end. The limit on the wait in the queue ends with the queue: once the op runs, only the
 * context's deadline counts. An op that ended while this fiber was late in the ready list still counts. */
fy_async int fy_db_op_await(struct fy_db_op *op)
{
	uint64_t deadline = op->ctx->deadline_ms;
	while (op->state != FY_DB_OP_DONE) {
		uint64_t until = deadline;
		if (op->state == FY_DB_OP_QUEUED && op->queued_ms + op->db->options.queue_wait_ms < until)
			until = op->queued_ms + op->db->options.queue_wait_ms;
		fy_wait(&op->wait, until);
		if (op->state == FY_DB_OP_DONE)
			break;
		op->wait = (struct fy_wait){ 0 };
		uint64_t now = fy_loop_ms();
		if (op->state == FY_DB_OP_QUEUED && now >= until) {
			struct fy_ctx *ctx = op->ctx;
			fy_list_unlink(&op->job.link);
			op->db->waiting--;
			free(op);
			return now >= deadline
				       ? fy_fail(ctx, FY_ERR_TIMEOUT, "no MariaDB connection before the deadline")
				       : fy_fail(ctx, FY_ERR_BUSY, "the wait for a MariaDB connection was too long");
		}
		if (now >= deadline) {
			struct fy_ctx *ctx = op->ctx;
			op->left = true;
			op->leave(op); /* frees it, now or when its group is through */
			return fy_fail(ctx, FY_ERR_TIMEOUT, "a statement ran past the deadline");
		}
	}
	int err = op->result;
	free(op);
	return err;
}

static void leave_alone(struct fy_db_op *op)
{
	fy_db_conn_discard(op->conn, FY_ERR_TIMEOUT);
}

static void op_lost(struct fy_db_conn *conn, int err)
{
	struct fy_db_op *op = conn->user;
	conn->user = NULL;
	fy_db_op_fault(op, conn, err);
	fy_db_op_finish(op, err);
}

static int read_one(struct fy_db_op *op, struct fy_db_conn *conn, MYSQL_STMT *stmt)
{
	unsigned long long rows = mysql_stmt_num_rows(stmt);
	if (rows == 0)
		return FY_ERR_NOT_FOUND;
	if (rows > 1)
		return fy_fail(op->ctx, FY_ERR_INTERNAL, "statement %s: more than one row", op->statement->name);
	int err = fy_sql_rows_bind(&conn->scratch, stmt, op->statement);
	if (err == 0)
		err = fy_sql_row_fetch(stmt) == 1 ? 0 : FY_ERR_PROTOCOL;
	return err ? err : fy_sql_row_copy(&conn->scratch, stmt, op->statement, op->ctx, op->ret);
}

static int read_many(struct fy_db_op *op, struct fy_db_conn *conn, MYSQL_STMT *stmt)
{
	size_t rows = mysql_stmt_num_rows(stmt), size = op->statement->row_size;
	if (rows > op->statement->max_rows)
		return fy_fail(op->ctx, FY_ERR_TOO_LARGE, "statement %s: more than %u rows", op->statement->name,
			       op->statement->max_rows);
	char *array = fy_zalloc_array(op->ctx->arena, rows ? rows : 1, size);
	int err = fy_sql_rows_bind(&conn->scratch, stmt, op->statement);
	for (size_t i = 0; err == 0 && i < rows; i++) {
		err = fy_sql_row_fetch(stmt) == 1 ? 0 : FY_ERR_PROTOCOL;
		if (err == 0)
			err = fy_sql_row_copy(&conn->scratch, stmt, op->statement, op->ctx, array + i * size);
	}
	if (err)
		return err;
	memcpy(op->ret, &array, sizeof array);
	*op->ret_count = rows;
	return 0;
}

static int read_id(struct fy_db_op *op, struct fy_db_conn *conn, MYSQL_STMT *stmt)
{
	uint64_t id = 0;
	if (op->statement->returning) {
		int err = fy_sql_ids_bind(&conn->scratch, stmt);
		if (err || fy_sql_row_fetch(stmt) != 1)
			return err ? err : FY_ERR_PROTOCOL;
		id = fy_sql_id(&conn->scratch);
	}
	if (op->ret)
		*(uint64_t *)op->ret = id;
	return 0;
}

static int read_result(struct fy_db_op *op, struct fy_db_conn *conn, MYSQL_STMT *stmt)
{
	switch (op->statement->kind) {
	case FY_SQL_ONE:
	case FY_SQL_MERGE:
		return read_one(op, conn, stmt);
	case FY_SQL_MANY:
		return read_many(op, conn, stmt);
	case FY_SQL_INSERT_BATCH:
		return read_id(op, conn, stmt);
	case FY_SQL_EXEC:
		if (op->ret)
			*(struct fy_db_done *)op->ret = (struct fy_db_done){ .affected = mysql_stmt_affected_rows(stmt),
									     .insert_id = mysql_stmt_insert_id(stmt) };
		return 0;
	}
	return FY_ERR_INTERNAL;
}

static int read_text(struct fy_db_op *op, struct fy_db_conn *conn)
{
	struct fy_db_text_result *result = op->ret_text;
	MYSQL_RES *rows = conn->m.result;
	conn->m.result = NULL;
	if (result) {
		*result = (struct fy_db_text_result){ .affected = mysql_affected_rows(conn->m.mysql) };
		if (rows) {
			result->rows = mysql_num_rows(rows);
			result->columns = mysql_num_fields(rows);
			result->cells =
				fy_new_array(op->ctx->arena, struct fy_slice, result->rows * result->columns + 1);
		}
		for (size_t r = 0; r < result->rows; r++) {
			MYSQL_ROW cells = mysql_fetch_row(rows);
			const unsigned long *lengths = mysql_fetch_lengths(rows);
			for (size_t c = 0; c < result->columns; c++)
				if (cells[c])
					result->cells[r * result->columns + c] =
						fy_copy(op->ctx->arena, fy_slice(cells[c], lengths[c]));
		}
	}
	if (rows)
		mysql_free_result(rows);
	return 0;
}

static void op_done(struct fy_db_conn *conn, int err)
{
	struct fy_db_op *op = conn->user;
	if (err) {
		bool victim = fy_mariadb_is_victim(conn->m.error);
		if (op->ret_victim)
			*op->ret_victim = victim;
		if (conn->tx && victim)
			conn->tx->victim = true;
		fy_db_op_fault(op, conn, err);
	} else if (op->statement) {
		MYSQL_STMT *stmt = fy_db_conn_statement(conn);
		err = read_result(op, conn, stmt);
		mysql_stmt_free_result(stmt); /* all rows are stored: no round trip */
	} else {
		err = read_text(op, conn);
	}
	fy_db_op_finish(op, err);
	fy_db_conn_release(conn);
}

static int fill_op(struct fy_db_conn *conn)
{
	struct fy_db_op *op = conn->user;
	if (op->params == NULL)
		return 0;
	return fy_sql_params_row(&conn->scratch, op->statement, op->params, op->id_at, op->id_value);
}

static void run_op(struct fy_db_op *op, struct fy_db_conn *conn)
{
	FY_REQUIRE(conn->user == NULL);
	conn->user = op;
	conn->lost = op_lost;
	op->conn = conn;
	op->leave = leave_alone;
	if (op->statement)
		fy_db_conn_run(conn, op->statement, 0, fill_op, op_done);
	else
		fy_db_conn_query(conn, op->text, op_done);
}

void fy_db_op_queue(struct fy_db_op *op)
{
	op->state = FY_DB_OP_QUEUED;
	op->queued_ms = uv_now(op->db->loop);
	op->conn = NULL;
	op->db->waiting++;
	fy_db_enqueue(op->db, &op->job);
}

void fy_db_op_start(struct fy_db_op *op)
{
	struct fy_db_tx *tx = fy_db_tx_of(op->ctx);
	if (tx == NULL) {
		fy_db_op_queue(op);
		return;
	}
	op->state = FY_DB_OP_RUNNING;
	run_op(op, tx->conn);
}

static fy_async int single_try(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params,
			       void *ret, size_t *ret_count, bool *ret_victim)
{
	*ret_victim = false;
	int err;
	struct fy_db_op *op = fy_db_op_create(ctx, &err);
	if (op == NULL)
		return err;
	op->statement = statement;
	op->params = params;
	op->ret = ret;
	op->ret_count = ret_count;
	op->ret_victim = ret_victim;
	fy_db_op_start(op);
	return fy_db_op_await(op);
}

fy_async int fy_db_single(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params, void *ret,
			  size_t *ret_count)
{
	int err = fy_sql_check_params(ctx, statement, params);
	bool victim = false;
	if (err)
		return err;
	for (unsigned tries = 1;; tries++) {
		err = single_try(ctx, statement, params, ret, ret_count, &victim);
		if (!victim || fy_db_tx_of(ctx) || tries == VICTIM_TRIES ||
		    fy_sleep(ctx, 1 + fy_db_random(ctx->db) % (10u << tries)))
			return err;
	}
}

fy_async int fy_db_one(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params, void *ret_row)
{
	return fy_db_single(ctx, statement, params, ret_row, NULL);
}

fy_async int fy_db_many(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params,
			void *ret_rows, size_t *ret_count)
{
	return fy_db_single(ctx, statement, params, ret_rows, ret_count);
}

fy_async int fy_db_exec(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const void *params,
			struct fy_db_done *ret_done)
{
	return fy_db_single(ctx, statement, params, ret_done, NULL);
}

fy_async int fy_db_text(struct fy_ctx *ctx, const char *text, struct fy_db_text_result *ret_result)
{
	int err;
	struct fy_db_op *op = fy_db_op_create(ctx, &err);
	if (op == NULL)
		return err;
	op->text = text;
	op->ret_text = ret_result;
	fy_db_op_start(op);
	return fy_db_op_await(op);
}
