/* One pooled connection from the first attempt to the last: resolve, connect, set the session up, check every
 * statement, serve, be thrown away, begin again.
 * Which job gets it is left to db.c; the protocol to mariadb.c. Called by db.c and the files that run jobs.
 *
 *   DOWN ──timer──► STARTING (resolve, connect, set up, check) ──► IDLE ◄──► BUSY
 *    ▲                  │ failed, or too slow                       │         │
 *    └──────────────────┴─── discard: hung up, timed out, broken ◄──┴─────────┘
 */
#include <stdio.h>
#include <stdlib.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/db_internal.h"

#define STABLE_MS 1000 /* a connection that lived shorter counts as a failed attempt */

/* Work on its way in a thread of the pool: a name look-up, or a whole connection attempt. */
struct fy_db_away {
	union {
		uv_getaddrinfo_t resolve;
		uv_work_t work;
	};
	struct fy_db *db;        /* kept alive by its count of handles */
	struct fy_db_conn *conn; /* NULL: nobody waits for it any more */
	struct fy_mariadb_target target;
	MYSQL *mysql; /* what the attempt brought, or NULL and why */
	char why[200];
};

/* Strict and in UTC, so that what is stored does not depend on the server's configuration. */
static const char setup_text[] =
	"SET SESSION time_zone = '+00:00', autocommit = 1, innodb_lock_wait_timeout = 5, "
	"sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
	"NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'";
/* The server's own limit comes a little after ours: it ends what a thrown-away connection left running there. */
#define SERVER_LIMIT_FORMAT "SET SESSION max_statement_time = %u"
#define SERVER_LIMIT_MAX 31536000u /* what MariaDB accepts: a year, in seconds */
static const char isolation_text[] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

static void attempt(struct fy_db_conn *conn);
static void check_next(struct fy_db_conn *conn);

static void on_time_to_begin(uv_timer_t *timer)
{
	attempt(timer->data);
}

static void begin_in(struct fy_db_conn *conn, uint64_t ms)
{
	conn->state = FY_DB_CONN_DOWN;
	if (!conn->db->closing)
		uv_timer_start(&conn->timer, on_time_to_begin, ms, 0);
}

void fy_db_conn_begin(struct fy_db_conn *conn)
{
	begin_in(conn, 0);
}

static void close_connection(struct fy_db_conn *conn)
{
	const struct fy_sql_list *list = conn->db->options.statements;
	if (conn->away) {
		conn->away->conn = NULL;
		uv_cancel((uv_req_t *)&conn->away->work);
		conn->away = NULL;
	}
	uv_timer_stop(&conn->timer);
	fy_mariadb_close(&conn->m);
	/* Only now: closing a statement of a live connection talks to the server, and where that has died meanwhile
	 * Connector/C closes the socket under our poll handle. */
	if (conn->probe)
		mysql_stmt_close(conn->probe);
	conn->probe = NULL;
	for (unsigned i = 0; i < list->slots; i++) {
		if (conn->statements[i])
			mysql_stmt_close(conn->statements[i]);
		conn->statements[i] = NULL;
	}
	conn->call_since_ms = 0;
	conn->state = FY_DB_CONN_DOWN;
}

static void host_failed(struct fy_db *db, struct fy_db_host_state *host)
{
	uint64_t wait = db->options.backoff_min_ms;
	for (unsigned i = 0; i < host->failures && wait < db->options.backoff_max_ms; i++)
		wait *= 2;
	if (wait > db->options.backoff_max_ms)
		wait = db->options.backoff_max_ms;
	host->failures++;
	host->down_until_ms = uv_now(db->loop) + wait / 2 + fy_db_random(db) % (wait / 2 + 1);
}

/* The attempt did not lead to a usable connection. One log line for each new reason, not for each attempt. */
static void attempt_failed(struct fy_db_conn *conn, const char *why)
{
	struct fy_db *db = conn->db;
	char text[sizeof db->status.last_error];
	snprintf(text, sizeof text, "%s: %s", conn->host->name, why);
	close_connection(conn);
	host_failed(db, conn->host);
	if (db->up == 0 && strcmp(text, db->status.last_error) != 0)
		fy_log(NULL, FY_LOG_WARN, "db.connect_failed", FY_KV("reason", (const char *)text));
	memcpy(db->status.last_error, text, sizeof text);
	begin_in(conn, 0);
}

static void on_attempt_too_slow(uv_timer_t *timer)
{
	attempt_failed(timer->data, "the connection attempt took too long");
}

static void on_idle_event(void *arg)
{
	struct fy_db_conn *conn = arg;
	if (conn->state == FY_DB_CONN_IDLE || conn->state == FY_DB_CONN_BUSY)
		fy_db_conn_discard(conn, FY_ERR_DB_DOWN);
}

static void checked(struct fy_db_conn *conn)
{
	struct fy_db *db = conn->db;
	uv_timer_stop(&conn->timer);
	if (db->up++ == 0)
		fy_log(NULL, FY_LOG_INFO, "db.up", FY_KV("host", conn->host->name));
	db->status.connects++;
	db->status.last_error[0] = '\0';
	db->status.schema_mismatch = false;
	db->status.host = conn->host->name;
	conn->host->down_until_ms = 0;
	conn->up_since_ms = uv_now(db->loop);
	conn->state = FY_DB_CONN_BUSY;
	fy_mariadb_watch_idle(&conn->m, on_idle_event, conn);
	fy_db_conn_release(conn);
}

static void on_prepared_for_check(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	struct fy_db *db = conn->db;
	const struct fy_sql_statement *statement = db->options.statements->statements[conn->checking];
	MYSQL_STMT *stmt = conn->probe;
	char why[200] = "", text[300];
	if (err && conn->m.broken) {
		attempt_failed(conn, mysql_stmt_error(stmt));
		return;
	}
	if (err)
		snprintf(why, sizeof why, "%s", mysql_stmt_error(stmt));
	if (err || !fy_sql_fits(stmt, statement, 1, why, sizeof why)) {
		snprintf(text, sizeof text, "statement %s does not fit the schema: %s", statement->name, why);
		db->status.schema_mismatch = true;
		attempt_failed(conn, text);
		return;
	}
	conn->checking++;
	check_next(conn);
}

/* Every statement is prepared once and forgotten: that its table and columns are there is known, and memory, here
 * and in MariaDB, is spent only on those that this connection then runs. */
static void check_next(struct fy_db_conn *conn)
{
	const struct fy_sql_list *list = conn->db->options.statements;
	if (conn->checking == list->count) {
		checked(conn);
		return;
	}
	const struct fy_sql_statement *statement = list->statements[conn->checking];
	fy_db_conn_prepare(conn, conn->probe, &statement->variants[0], on_prepared_for_check);
}

static void on_limit_set(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	if (err) {
		attempt_failed(conn, fy_mariadb_error_text(&conn->m));
		return;
	}
	conn->checking = 0;
	conn->probe = mysql_stmt_init(conn->m.mysql);
	if (conn->probe)
		check_next(conn);
	else
		attempt_failed(conn, "out of memory");
}

static void on_isolation_set(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	if (err) {
		attempt_failed(conn, fy_mariadb_error_text(&conn->m));
		return;
	}
	unsigned seconds = conn->db->options.statement_max_ms / 1000 + 2;
	int len = snprintf(conn->limit_text, sizeof conn->limit_text, SERVER_LIMIT_FORMAT,
			   seconds < SERVER_LIMIT_MAX ? seconds : SERVER_LIMIT_MAX);
	fy_mariadb_query(&conn->m, conn->limit_text, (size_t)len, on_limit_set, conn);
}

static void on_set_up(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	if (err)
		attempt_failed(conn, fy_mariadb_error_text(&conn->m));
	else
		fy_mariadb_query(&conn->m, isolation_text, sizeof isolation_text - 1, on_isolation_set, conn);
}

static void on_connected(void *arg, int err)
{
	struct fy_db_conn *conn = arg;
	if (err)
		attempt_failed(conn, fy_mariadb_error_text(&conn->m));
	else
		fy_mariadb_query(&conn->m, setup_text, sizeof setup_text - 1, on_set_up, conn);
}

static struct fy_mariadb_target target_at(const struct fy_db_conn *conn, const char *address)
{
	const struct fy_db_options *o = &conn->db->options;
	return (struct fy_mariadb_target){
		.socket_path = o->socket_path,
		.address = address,
		.port = conn->host->port,
		.user = o->user,
		.password = o->password.text.ptr,
		.database = o->database,
		.tls = o->tls,
		.tls_verify = o->tls_verify,
		.tls_ca = o->tls_ca,
	};
}

static void connect_to(struct fy_db_conn *conn, const char *address)
{
	conn->target = target_at(conn, address);
	if (fy_mariadb_connect(&conn->m, conn->db->loop, &conn->target, on_connected, conn))
		attempt_failed(conn, "out of memory");
}

static void away_ended(struct fy_db_away *away)
{
	struct fy_db *db = away->db;
	free(away);
	fy_db_handle_closed(db);
}

/* A name may stand for several addresses, of which some answer ("localhost" is ::1 and 127.0.0.1): each failure moves
 * on to the next one. */
static const struct addrinfo *choose_address(const struct addrinfo *found, unsigned failures)
{
	const struct addrinfo *at = found;
	unsigned count = 0;
	for (; at; at = at->ai_next)
		count++;
	at = found;
	for (unsigned skip = failures % count; skip; skip--)
		at = at->ai_next;
	return at;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct fy_db_away *away = request->data;
	struct fy_db_conn *conn = away->conn;
	if (conn) {
		conn->away = NULL;
		if (status == 0)
			status = uv_ip_name(choose_address(found, conn->host->failures)->ai_addr, conn->address,
					    sizeof conn->address);
		if (status)
			attempt_failed(conn, uv_strerror(status));
		else
			connect_to(conn, conn->address);
	}
	uv_freeaddrinfo(found);
	away_ended(away);
}

static void connect_in_thread(uv_work_t *work)
{
	struct fy_db_away *away = work->data;
	away->mysql = fy_mariadb_connect_in_thread(&away->target, away->db->options.connect_timeout_ms, away->why,
						   sizeof away->why);
}

static void on_connected_in_thread(uv_work_t *work, int status)
{
	struct fy_db_away *away = work->data;
	struct fy_db_conn *conn = away->conn;
	if (conn) {
		conn->away = NULL;
		if (status || away->mysql == NULL) {
			attempt_failed(conn, status ? uv_strerror(status) : away->why);
		} else {
			fy_mariadb_adopt(&conn->m, conn->db->loop, away->mysql);
			on_connected(conn, 0);
		}
	} else if (away->mysql) {
		mysql_close(away->mysql);
	}
	away_ended(away);
}

/* A host name: looked up off the loop, or, where the certificate must be right for the name, given to Connector/C
 * whole in a thread of the pool, since it compares with what it was told to connect to. */
static void connect_by_name(struct fy_db_conn *conn)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct fy_db *db = conn->db;
	struct fy_db_away *away = calloc(1, sizeof *away);
	int err = FY_ERR_NOMEM;
	if (away) {
		away->db = db;
		away->conn = conn;
		away->target = target_at(conn, conn->host->name);
		away->work.data = away;
		if (db->options.tls && db->options.tls_verify) {
			err = uv_queue_work(db->loop, &away->work, connect_in_thread, on_connected_in_thread);
		} else {
			away->resolve.data = away;
			err = uv_getaddrinfo(db->loop, &away->resolve, on_resolved, conn->host->name, NULL, &hints);
		}
	}
	if (err) {
		free(away);
		attempt_failed(conn, fy_strerror(err));
		return;
	}
	conn->away = away;
	db->handles++;
}

/* The first host in the order of the configuration that is not known to be down; else the one due first. */
static struct fy_db_host_state *pick_host(struct fy_db *db)
{
	struct fy_db_host_state *best = &db->hosts[0];
	uint64_t now = uv_now(db->loop);
	for (size_t i = 0; i < db->host_count; i++) {
		if (db->hosts[i].down_until_ms <= now)
			return &db->hosts[i];
		if (db->hosts[i].down_until_ms < best->down_until_ms)
			best = &db->hosts[i];
	}
	return best;
}

static void attempt(struct fy_db_conn *conn)
{
	struct fy_db *db = conn->db;
	unsigned char numeric[16];
	conn->host = pick_host(db);
	uint64_t now = uv_now(db->loop);
	if (conn->host->down_until_ms > now) {
		begin_in(conn, conn->host->down_until_ms - now);
		return;
	}
	conn->state = FY_DB_CONN_STARTING;
	if (db->up == 0)
		db->status.host = conn->host->name;
	uv_timer_start(&conn->timer, on_attempt_too_slow, db->options.connect_timeout_ms, 0);
	if (db->options.socket_path)
		connect_to(conn, NULL);
	else if (uv_inet_pton(AF_INET, conn->host->name, numeric) == 0 ||
		 uv_inet_pton(AF_INET6, conn->host->name, numeric) == 0)
		connect_to(conn, conn->host->name);
	else
		connect_by_name(conn);
}

void fy_db_conn_release(struct fy_db_conn *conn)
{
	struct fy_db *db = conn->db;
	FY_REQUIRE(conn->state == FY_DB_CONN_BUSY);
	conn->user = NULL;
	conn->running = NULL;
	conn->call_since_ms = 0;
	conn->lost = NULL;
	if (conn->tx)
		return;
	if (uv_now(db->loop) - conn->up_since_ms >= STABLE_MS)
		conn->host->failures = 0;
	conn->state = FY_DB_CONN_IDLE;
	fy_list_append(&db->idle, &conn->link);
	if (!fy_list_empty(&db->queue))
		fy_db_dispatch(db);
}

void fy_db_conn_discard(struct fy_db_conn *conn, int err)
{
	struct fy_db *db = conn->db;
	FY_REQUIRE(conn->state == FY_DB_CONN_IDLE || conn->state == FY_DB_CONN_BUSY);
	bool short_lived = uv_now(db->loop) - conn->up_since_ms < STABLE_MS;
	void (*lost)(struct fy_db_conn *, int) = conn->lost;
	fy_list_unlink(&conn->link);
	db->status.discards++;
	close_connection(conn);
	if (--db->up == 0) {
		snprintf(db->status.last_error, sizeof db->status.last_error, "%s: %s", conn->host->name,
			 fy_strerror(err));
		if (!db->closing)
			fy_log(NULL, FY_LOG_WARN, "db.down", FY_KV("host", conn->host->name),
			       FY_KV("reason", fy_strerror(err)));
	}
	if (conn->tx) {
		conn->tx->conn = NULL;
		conn->tx->lost = err;
		conn->tx = NULL;
	}
	if (lost)
		lost(conn, err);
	conn->lost = NULL;
	conn->user = NULL;
	conn->running = NULL;
	/* A server that accepts and hangs up again is as good as away; a statement that was too slow says nothing. */
	if (short_lived && err == FY_ERR_DB_DOWN)
		host_failed(db, conn->host);
	begin_in(conn, 0);
	if (db->up == 0)
		fy_db_fail_queue(db, FY_ERR_DB_DOWN);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fy_db_conn *conn = handle->data;
	fy_db_handle_closed(conn->db);
}

void fy_db_conn_shut(struct fy_db_conn *conn)
{
	if (conn->state == FY_DB_CONN_IDLE || conn->state == FY_DB_CONN_BUSY)
		fy_db_conn_discard(conn, FY_ERR_DB_DOWN);
	else
		close_connection(conn);
	uv_close((uv_handle_t *)&conn->timer, on_timer_closed);
}
