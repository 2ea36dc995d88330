/* Coalesced writes: units (one to a few rows each) that queue while the last commit runs share one transaction with
 * multi-row INSERTs, and are answered after its COMMIT.
 * Rows' meaning is left to the repositories; single statements to db_run.c. Called by the generated functions of
 * kind `insert_batch` and by fy_db_unit.
 *
 *   take units ─► [BEGIN] ─► INSERT … ─► … ─► [COMMIT] ─► answer all
 *                    │          │                │ error of the server
 *                    ▼          ▼                ▼
 *                 ROLLBACK ─► each unit alone in the same way, so that a bad row fails alone
 *
 * BEGIN and COMMIT are left out where all is one INSERT. A lost connection fails every unit that is not answered yet. */
#include <stdlib.h>

#include "foyer/require.h"
#include "storage/db_internal.h"

#define VICTIM_TRIES 4

struct batch_row {
	struct fy_db_op *op;
	unsigned insert; /* of op->inserts */
	unsigned order;  /* (depth of id_from, statement, unit): equal statements come together, parents first */
};

struct batch_run {
	struct fy_db_op **ops;
	unsigned count;
	unsigned from, to; /* the units of the present transaction; those before `from` are answered */
	unsigned tries;    /* of a unit alone */
	bool whole;        /* one INSERT is the whole transaction */
	int err;
	bool victim;
	struct batch_row *rows;
	unsigned row_count, at, width; /* rows inserted so far, and of the INSERT that runs */
};

static void transaction(struct fy_db_conn *conn);

static void wake_next(struct fy_db *db)
{
	unsigned most = db->options.pool_size / 2 ? db->options.pool_size / 2 : 1; /* the rest is for reads */
	if (!fy_list_empty(&db->units) && db->batches < most && fy_list_empty(&db->batch_job.link))
		fy_db_enqueue(db, &db->batch_job);
}

static void run_free(struct fy_db *db, struct batch_run *run)
{
	free(run->ops);
	free(run->rows);
	free(run);
	db->batches--;
	wake_next(db);
}

static void batch_lost(struct fy_db_conn *conn, int err)
{
	struct batch_run *run = conn->user;
	conn->user = NULL;
	for (unsigned i = run->from; i < run->count; i++) {
		fy_db_op_fault(run->ops[i], conn, err);
		fy_db_op_finish(run->ops[i], err);
	}
	run_free(conn->db, run);
}

static void leave_batch(struct fy_db_op *op)
{
	struct batch_run *run = op->conn->user;
	for (unsigned i = run->from; i < run->count; i++)
		if (!run->ops[i]->left)
			return;
	fy_db_conn_discard(op->conn, FY_ERR_TIMEOUT);
}

static void answer(struct batch_run *run, int err)
{
	for (unsigned i = run->from; i < run->to; i++) {
		struct fy_db_op *op = run->ops[i];
		if (!op->left && err == 0 && op->ret)
			memcpy(op->ret, op->ids, op->insert_count * sizeof op->ids[0]);
		fy_db_op_finish(op, err);
	}
	run->from = run->to;
}

/* On to the next unit where each goes alone; otherwise the run is over. */
static void next_transaction(struct fy_db_conn *conn)
{
	struct batch_run *run = conn->user;
	run->tries = 0;
	if (run->from < run->count) {
		run->to = run->from + 1;
		transaction(conn);
		return;
	}
	run_free(conn->db, run);
	fy_db_conn_release(conn);
}

static void after_failure(struct fy_db_conn *conn, int err)
{
	struct batch_run *run = conn->user;
	(void)err; /* a ROLLBACK fails only with its connection */
	if (run->to - run->from > 1) {
		conn->db->status.fallbacks++;
		run->to = run->from; /* from here on unit by unit */
	} else if (run->victim && ++run->tries < VICTIM_TRIES) {
		transaction(conn);
		return;
	} else {
		answer(run, run->err);
	}
	next_transaction(conn);
}

static void failed(struct fy_db_conn *conn, int err)
{
	struct batch_run *run = conn->user;
	run->err = err;
	run->victim = fy_mariadb_is_victim(conn->m.error);
	if (run->to - run->from == 1)
		fy_db_op_fault(run->ops[run->from], conn, err);
	if (run->whole)
		after_failure(conn, 0);
	else
		fy_db_conn_query(conn, "ROLLBACK", after_failure);
}

static void committed(struct fy_db_conn *conn, int err)
{
	struct batch_run *run = conn->user;
	if (err) {
		failed(conn, err);
		return;
	}
	conn->db->status.batched_rows += run->row_count;
	answer(run, 0);
	next_transaction(conn);
}

static int read_ids(struct fy_db_conn *conn)
{
	struct batch_run *run = conn->user;
	MYSQL_STMT *stmt = fy_db_conn_statement(conn);
	int err = fy_sql_ids_bind(&conn->scratch, stmt);
	for (unsigned i = run->at; err == 0 && i < run->at + run->width; i++) {
		err = fy_sql_row_fetch(stmt) == 1 ? 0 : FY_ERR_PROTOCOL;
		run->rows[i].op->ids[run->rows[i].insert] = fy_sql_id(&conn->scratch);
	}
	mysql_stmt_free_result(stmt);
	return err;
}

static const struct fy_db_insert *insert_of(const struct batch_row *row)
{
	return &row->op->inserts[row->insert];
}

static int fill_rows(struct fy_db_conn *conn)
{
	struct batch_run *run = conn->user;
	int err = 0;
	for (unsigned i = run->at; err == 0 && i < run->at + run->width; i++) {
		const struct batch_row *row = &run->rows[i];
		if (row->op->left)
			return FY_ERR_CANCELLED; /* its memory is gone: the others go again without it */
		const struct fy_db_insert *insert = insert_of(row);
		err = fy_sql_params_row(&conn->scratch, insert->statement, insert->params,
					insert->id_from ? insert->id_to : FY_SQL_NO_FLAG,
					insert->id_from ? &row->op->ids[insert->id_from - 1] : NULL);
	}
	return err;
}

static void insert_next(struct fy_db_conn *conn);

static void rows_inserted(struct fy_db_conn *conn, int err)
{
	struct batch_run *run = conn->user;
	if (err == 0 && conn->running->returning)
		err = read_ids(conn);
	if (err) {
		failed(conn, err);
		return;
	}
	run->at += run->width;
	insert_next(conn);
}

static void insert_next(struct fy_db_conn *conn)
{
	struct batch_run *run = conn->user;
	if (run->at == run->row_count) {
		if (run->whole)
			committed(conn, 0);
		else
			fy_db_conn_query(conn, "COMMIT", committed);
		return;
	}
	const struct batch_row *first = &run->rows[run->at];
	const struct fy_sql_statement *statement = insert_of(first)->statement;
	unsigned same = 1, variant = 0;
	while (run->at + same < run->row_count && first[same].order == first->order && same < FY_SQL_WIDTH_MAX)
		same++;
	while (variant + 1u < statement->variant_count && statement->variants[variant + 1].width <= same)
		variant++;
	run->width = statement->variants[variant].width;
	fy_db_conn_run(conn, statement, variant, fill_rows, rows_inserted);
}

static void begun(struct fy_db_conn *conn, int err)
{
	if (err)
		failed(conn, err);
	else
		insert_next(conn);
}

static int compare_rows(const void *left, const void *right)
{
	const struct batch_row *a = left, *b = right;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->op != b->op)
		return a->op->id < b->op->id ? -1 : 1;
	return a->insert < b->insert ? -1 : a->insert > b->insert;
}

/* Rows with the same depth and statement get the same order, ranked by where the statement first stood in a unit. */
static void plan(struct batch_run *run)
{
	struct {
		const struct fy_sql_statement *statement;
		unsigned depth;
	} seen[FY_DB_UNIT_MAX * 4];
	unsigned seen_count = 0;
	run->row_count = run->at = 0;
	for (unsigned i = run->from; i < run->to; i++) {
		struct fy_db_op *op = run->ops[i];
		unsigned depth[FY_DB_UNIT_MAX];
		op->id = i;
		for (unsigned k = 0; k < op->insert_count && !op->left; k++) {
			const struct fy_db_insert *insert = &op->inserts[k];
			unsigned n = 0;
			depth[k] = insert->id_from ? depth[insert->id_from - 1] + 1 : 0;
			while (n < seen_count && (seen[n].statement != insert->statement || seen[n].depth != depth[k]))
				n++;
			if (n == seen_count && n < FY_COUNT(seen)) {
				seen[n].statement = insert->statement;
				seen[n].depth = depth[k];
				seen_count++;
			}
			/* Past the table's end rows go one by one: an order of their own, still by depth. */
			unsigned rank = n < FY_COUNT(seen) ? n : FY_COUNT(seen) + run->row_count;
			run->rows[run->row_count++] =
				(struct batch_row){ .op = op, .insert = k, .order = (depth[k] << 24) + rank };
		}
	}
	qsort(run->rows, run->row_count, sizeof run->rows[0], compare_rows);
}

/* All rows make one INSERT of an exact width. */
static bool is_one_insert(const struct batch_run *run)
{
	unsigned n = run->row_count;
	return n <= FY_SQL_WIDTH_MAX && (n & (n - 1)) == 0 && run->rows[0].order == run->rows[n - 1].order;
}

static void transaction(struct fy_db_conn *conn)
{
	struct batch_run *run = conn->user;
	plan(run);
	if (run->row_count == 0) { /* everyone has left meanwhile */
		answer(run, FY_ERR_TIMEOUT);
		next_transaction(conn);
		return;
	}
	run->whole = is_one_insert(run);
	if (run->whole)
		insert_next(conn);
	else
		fy_db_conn_query(conn, "START TRANSACTION", begun);
}

static void start_batch(struct fy_db_job *job, struct fy_db_conn *conn)
{
	struct fy_db *db = conn->db;
	unsigned rows_max = db->options.batch_max + FY_DB_UNIT_MAX;
	struct batch_run *run = calloc(1, sizeof *run);
	if (run) {
		run->ops = calloc(rows_max, sizeof *run->ops);
		run->rows = calloc(rows_max, sizeof *run->rows);
	}
	db->batches++;
	if (run == NULL || run->ops == NULL || run->rows == NULL || fy_list_empty(&db->units)) {
		if (!fy_list_empty(&db->units))
			job->fail(job, FY_ERR_NOMEM);
		if (run)
			run_free(db, run);
		else
			db->batches--;
		fy_db_conn_release(conn);
		return;
	}
	struct fy_list *first;
	for (unsigned rows = 0; rows < db->options.batch_max && (first = fy_list_first(&db->units));) {
		struct fy_db_op *op = FY_CONTAINER(first, struct fy_db_op, job.link);
		fy_list_unlink(first);
		fy_db_op_take(op);
		op->conn = conn;
		op->leave = leave_batch;
		run->ops[run->count++] = op;
		rows += (unsigned)op->insert_count;
	}
	run->to = run->count;
	conn->user = run;
	conn->lost = batch_lost;
	wake_next(db);
	transaction(conn);
}

static void fail_batch(struct fy_db_job *job, int err)
{
	struct fy_db *db = FY_CONTAINER(job, struct fy_db, batch_job);
	struct fy_list *first;
	while ((first = fy_list_first(&db->units))) {
		struct fy_db_op *op = FY_CONTAINER(first, struct fy_db_op, job.link);
		fy_list_unlink(first);
		fy_db_op_take(op);
		fy_db_op_finish(op, err);
	}
}

void fy_db_batch_init(struct fy_db *db)
{
	fy_list_init(&db->batch_job.link);
	db->batch_job.start = start_batch;
	db->batch_job.fail = fail_batch;
}

static fy_async int insert_in_transaction(struct fy_ctx *ctx, const struct fy_db_insert *inserts, size_t count,
					  uint64_t *ret_ids)
{
	uint64_t ids[FY_DB_UNIT_MAX];
	for (size_t i = 0; i < count; i++) {
		int err;
		struct fy_db_op *op = fy_db_op_create(ctx, &err);
		if (op == NULL)
			return err;
		op->statement = inserts[i].statement;
		op->params = inserts[i].params;
		op->ret = &ids[i];
		if (inserts[i].id_from) {
			op->id_at = inserts[i].id_to;
			op->id_value = &ids[inserts[i].id_from - 1];
		}
		fy_db_op_start(op);
		err = fy_db_op_await(op);
		if (err)
			return err;
	}
	if (ret_ids)
		memcpy(ret_ids, ids, count * sizeof ids[0]);
	return 0;
}

fy_async int fy_db_unit(struct fy_ctx *ctx, const struct fy_db_insert *inserts, size_t count, uint64_t *ret_ids)
{
	int err;
	FY_REQUIRE(count >= 1 && count <= FY_DB_UNIT_MAX);
	for (size_t i = 0; i < count; i++) {
		FY_REQUIRE(inserts[i].statement->kind == FY_SQL_INSERT_BATCH && inserts[i].id_from <= i);
		FY_REQUIRE(inserts[i].id_from == 0 || inserts[inserts[i].id_from - 1].statement->returning);
		err = fy_sql_check_params(ctx, inserts[i].statement, inserts[i].params);
		if (err)
			return err;
	}
	if (fy_db_tx_of(ctx))
		return insert_in_transaction(ctx, inserts, count, ret_ids);
	struct fy_db_op *op = fy_db_op_create(ctx, &err);
	if (op == NULL)
		return err;
	op->statement = inserts[0].statement;
	op->inserts = inserts;
	op->insert_count = count;
	op->ret = ret_ids;
	op->db->waiting++;
	fy_list_append(&op->db->units, &op->job.link);
	wake_next(op->db);
	return fy_db_op_await(op);
}
