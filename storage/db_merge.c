/* Merged reads: ids of the same statement that queue while its last query runs go out together as one `IN (…)`.
 * Everything about connections and single statements is left to db_connect.c and db_run.c. Called by the generated
 * functions of kind `merge`.
 *
 * One row a round trip is what limits a page that needs one row; 32 of them travel in the time of one. */
#include <stdlib.h>

#include "foyer/require.h"
#include "storage/db_internal.h"

/* One merged execution. Each op that has not left points to the connection, whose `user` is this. */
struct merge_run {
	const struct fy_sql_statement *statement;
	unsigned count, live, width;
	struct fy_db_op *ops[FY_SQL_WIDTH_MAX];
	bool found[FY_SQL_WIDTH_MAX];
	uint64_t ids[FY_SQL_WIDTH_MAX]; /* padded to the width by repeating the last */
};

static void run_end(struct merge_run *run, int err)
{
	for (unsigned i = 0; i < run->count; i++)
		fy_db_op_finish(run->ops[i], err);
	free(run);
}

static void merge_lost(struct fy_db_conn *conn, int err)
{
	struct merge_run *run = conn->user;
	conn->user = NULL;
	for (unsigned i = 0; i < run->count; i++)
		fy_db_op_fault(run->ops[i], conn, err);
	run_end(run, err);
}

/* The others of the execution still wait; only the last to leave takes the connection with it. */
static void leave_merge(struct fy_db_op *op)
{
	struct merge_run *run = op->conn->user;
	if (--run->live == 0)
		fy_db_conn_discard(op->conn, FY_ERR_TIMEOUT);
}

static int read_rows(struct merge_run *run, struct fy_db_conn *conn, int *ret_results)
{
	MYSQL_STMT *stmt = fy_db_conn_statement(conn);
	int err = fy_sql_rows_bind(&conn->scratch, stmt, run->statement);
	while (err == 0) {
		int got = fy_sql_row_fetch(stmt);
		if (got <= 0)
			return got;
		uint64_t id = fy_sql_id(&conn->scratch);
		for (unsigned i = 0; i < run->count; i++) {
			struct fy_db_op *op = run->ops[i];
			if (run->ids[i] != id || op->left)
				continue;
			ret_results[i] =
				run->found[i] ? FY_ERR_INTERNAL /* not a unique key */
					      : fy_sql_row_copy(&conn->scratch, stmt, run->statement, op->ctx, op->ret);
			run->found[i] = true;
		}
	}
	return err;
}

/* Whatever was wrong with the merged execution must not be every waiter's problem. */
static void fall_back(struct merge_run *run, struct fy_db_conn *conn)
{
	struct fy_db *db = conn->db;
	db->status.fallbacks++;
	for (unsigned i = 0; i < run->count; i++) {
		if (run->ops[i]->left)
			fy_db_op_finish(run->ops[i], FY_ERR_TIMEOUT);
		else
			fy_db_op_queue(run->ops[i]);
	}
	free(run);
}

static void merge_done(struct fy_db_conn *conn, int err)
{
	struct merge_run *run = conn->user;
	int results[FY_SQL_WIDTH_MAX];
	for (unsigned i = 0; i < run->count; i++)
		results[i] = FY_ERR_NOT_FOUND;
	if (err == 0) {
		err = read_rows(run, conn, results);
		mysql_stmt_free_result(fy_db_conn_statement(conn));
	}
	if (err && run->width > 1) {
		fall_back(run, conn);
	} else {
		for (unsigned i = 0; i < run->count; i++) {
			if (err)
				fy_db_op_fault(run->ops[i], conn, err);
			fy_db_op_finish(run->ops[i], err ? err : results[i]);
		}
		free(run);
	}
	fy_db_conn_release(conn);
}

static int fill_merge(struct fy_db_conn *conn)
{
	struct merge_run *run = conn->user;
	int err = 0;
	for (unsigned i = 0; err == 0 && i < run->width; i++)
		err = fy_sql_params_row(&conn->scratch, run->statement, &run->ids[i], FY_SQL_NO_FLAG, NULL);
	return err;
}

static void start_merge(struct fy_db_job *job, struct fy_db_conn *conn)
{
	struct fy_db_merge_queue *merge = FY_CONTAINER(job, struct fy_db_merge_queue, job);
	struct merge_run *run = calloc(1, sizeof *run);
	struct fy_list *first;
	if (run == NULL) {
		job->fail(job, FY_ERR_NOMEM);
		fy_db_conn_release(conn);
		return;
	}
	while (run->count < FY_SQL_WIDTH_MAX && (first = fy_list_first(&merge->ops))) {
		struct fy_db_op *op = FY_CONTAINER(first, struct fy_db_op, job.link);
		fy_list_unlink(first);
		fy_db_op_take(op);
		op->conn = conn;
		op->leave = leave_merge;
		run->statement = op->statement;
		run->ids[run->count] = op->id;
		run->ops[run->count++] = op;
	}
	if (!fy_list_empty(&merge->ops))
		fy_db_enqueue(merge->db, &merge->job);
	if (run->count == 0) { /* all have left since */
		free(run);
		fy_db_conn_release(conn);
		return;
	}
	unsigned variant = 0;
	while (run->statement->variants[variant].width < run->count)
		variant++;
	run->live = run->count;
	run->width = run->statement->variants[variant].width;
	for (unsigned i = run->count; i < run->width; i++)
		run->ids[i] = run->ids[run->count - 1];
	conn->db->status.merged_rows += run->count;
	conn->user = run;
	conn->lost = merge_lost;
	fy_db_conn_run(conn, run->statement, variant, fill_merge, merge_done);
}

static void fail_merge(struct fy_db_job *job, int err)
{
	struct fy_db_merge_queue *merge = FY_CONTAINER(job, struct fy_db_merge_queue, job);
	struct fy_list *first;
	while ((first = fy_list_first(&merge->ops))) {
		struct fy_db_op *op = FY_CONTAINER(first, struct fy_db_op, job.link);
		fy_list_unlink(first);
		fy_db_op_take(op);
		fy_db_op_finish(op, err);
	}
}

static struct fy_db_op *queue_read(struct fy_ctx *ctx, const struct fy_sql_statement *statement, uint64_t id,
				   void *ret_row, int *ret_err)
{
	struct fy_db *db = ctx->db;
	struct fy_db_op *op = fy_db_op_create(ctx, ret_err);
	if (op == NULL)
		return NULL;
	FY_REQUIRE(db->options.statements->statements[statement->index] == statement);
	struct fy_db_merge_queue *merge = &db->merges[statement->index];
	if (merge->db == NULL) {
		merge->db = db;
		merge->job.start = start_merge;
		merge->job.fail = fail_merge;
		fy_list_init(&merge->job.link);
		fy_list_init(&merge->ops);
	}
	op->statement = statement;
	op->id = id;
	op->params = &op->id; /* where it falls back to a single statement */
	op->ret = ret_row;
	db->waiting++;
	fy_list_append(&merge->ops, &op->job.link);
	if (fy_list_empty(&merge->job.link))
		fy_db_enqueue(db, &merge->job);
	return op;
}

fy_async int fy_db_merge(struct fy_ctx *ctx, const struct fy_sql_statement *statement, uint64_t id, void *ret_row)
{
	int err;
	if (fy_db_tx_of(ctx))
		return fy_db_single(ctx, statement, &id, ret_row, NULL);
	struct fy_db_op *op = queue_read(ctx, statement, id, ret_row, &err);
	return op ? fy_db_op_await(op) : err;
}

fy_async int fy_db_merge_each(struct fy_ctx *ctx, const struct fy_sql_statement *statement, const uint64_t *ids,
			      size_t count, void *ret_rows, bool *ret_found)
{
	FY_REQUIRE(fy_db_tx_of(ctx) == NULL);
	struct fy_db_op **ops = fy_new_array(ctx->arena, struct fy_db_op *, count);
	size_t queued = 0;
	int err = 0;
	while (queued < count && (ops[queued] = queue_read(ctx, statement, ids[queued],
							   (char *)ret_rows + queued * statement->row_size, &err)))
		queued++;
	/* Each that was queued writes to the rows, so each is waited for. */
	for (size_t i = 0; i < queued; i++) {
		int result = fy_db_op_await(ops[i]);
		ret_found[i] = result == 0;
		if (result && result != FY_ERR_NOT_FOUND && err == 0)
			err = result;
	}
	return err;
}
