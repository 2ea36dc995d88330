/* One call on a pooled connection that is up: a prepared statement, prepared on its first use, or a text.
 * Connecting and discarding are left to db_connect.c, results to the callers: db_run.c, db_merge.c, db_batch.c and
 * tx.c. A call that breaks the connection ends in its user's `lost`, any other in its `done`. */
#include <stdlib.h>
#include <string.h>

#include "storage/db_internal.h"

MYSQL_STMT *fy_db_conn_statement(const struct fy_db_conn *conn)
{
	return conn->statements[conn->running->slot + conn->variant];
}

static void on_run_done(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	conn->call_since_ms = 0;
	if (err && conn->m.broken)
		fy_db_conn_discard(conn, err);
	else
		conn->done(conn, err);
}

static void execute(struct fy_db_conn *conn)
{
	MYSQL_STMT *stmt = fy_db_conn_statement(conn);
	conn->db->status.executions++;
	fy_sql_params_begin(&conn->scratch);
	int err = conn->fill(conn);
	if (err == 0)
		err = fy_sql_params_bind(&conn->scratch, stmt);
	if (err)
		on_run_done(conn, err);
	else
		fy_mariadb_execute(&conn->m, stmt, on_run_done, conn);
}

static void call_begins(struct fy_db_conn *conn)
{
	conn->call_since_ms = uv_now(conn->db->loop);
	fy_db_watch(conn->db);
}

static void on_prepared(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	MYSQL_STMT *stmt = fy_db_conn_statement(conn);
	char why[200];
	if (err == 0 &&
	    !fy_sql_fits(stmt, conn->running, conn->running->variants[conn->variant].width, why, sizeof why)) {
		err = FY_ERR_SCHEMA;
		conn->m.broken = true; /* the tables have changed under it: the next connection finds out how */
	}
	if (err && !conn->m.broken) { /* it was not prepared, so nothing is said to the server */
		conn->statements[conn->running->slot + conn->variant] = NULL;
		mysql_stmt_close(stmt);
	}
	if (err)
		on_run_done(conn, err);
	else
		execute(conn);
}

void fy_db_conn_prepare(struct fy_db_conn *conn, MYSQL_STMT *stmt, const struct fy_sql_variant *variant,
			fy_mariadb_done done)
{
	size_t len;
	free(conn->preparing); /* Connector/C looks at it until the call is over */
	conn->preparing = fy_sql_expand(fy_slice(variant->text, variant->len), conn->db->options.database, &len);
	fy_mariadb_prepare(&conn->m, stmt, conn->preparing, len, done, conn);
}

/* `fill` puts the parameters into conn->scratch once the statement is prepared, right before they are sent: they may
 * be in the memory of fibers, which can leave while a statement is prepared on its first use. */
void fy_db_conn_run(struct fy_db_conn *conn, const struct fy_sql_statement *statement, unsigned variant,
		    int (*fill)(struct fy_db_conn *conn), fy_db_conn_done done)
{
	conn->fill = fill;
	conn->running = statement;
	conn->variant = variant;
	conn->done = done;
	call_begins(conn);
	if (fy_db_conn_statement(conn)) {
		execute(conn);
		return;
	}
	MYSQL_STMT *stmt = mysql_stmt_init(conn->m.mysql);
	if (stmt == NULL) {
		on_run_done(conn, FY_ERR_NOMEM);
		return;
	}
	conn->statements[statement->slot + variant] = stmt;
	fy_db_conn_prepare(conn, stmt, &statement->variants[variant], on_prepared);
}

void fy_db_conn_query(struct fy_db_conn *conn, const char *text, fy_db_conn_done done)
{
	conn->running = NULL;
	conn->done = done;
	call_begins(conn);
	fy_mariadb_query(&conn->m, text, strlen(text), on_run_done, conn);
}
