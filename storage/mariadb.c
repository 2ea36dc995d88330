/* One connection to MariaDB, as a state machine on the loop: Connector/C's start and continue calls.
 * Pools, statements and retries are left to db_*.c. Called by db_connect.c and db_run.c.
 *
 *   idle ─start─► running ─0─► done(arg, err) ─► idle, or the next call that done started
 *                   │ ▲
 *          waits    ▼ │ continue(events)
 *                 uv_poll
 *
 * A call that ends without waiting, and starts another in `done`, is driven by the loop in drive() rather
 * than by recursion. */
#include "storage/mariadb.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "foyer/err.h"
#include "foyer/require.h"

#define ER_WSREP_NOT_READY 1047 /* ER_UNKNOWN_COM_ERROR: a Galera node that is not in the cluster */
#define UNWIND_MAX 64

static void drive(struct fy_mariadb *m, int events);

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct fy_mariadb *m = poll->data;
	if (m->call == FY_MARIADB_IDLE) {
		if (m->on_idle_event)
			m->on_idle_event(m->arg);
		return;
	}
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE; /* the continued call meets the error itself */
	drive(m, (events & (UV_READABLE | UV_DISCONNECT) ? MYSQL_WAIT_READ : 0) |
			 (events & UV_WRITABLE ? MYSQL_WAIT_WRITE : 0));
}

/* Also says UV_READABLE while a call waits for nothing else: no system call where the set stays the same. */
static int watch(struct fy_mariadb *m, int events)
{
	if (m->poll == NULL) {
		m->poll = calloc(1, sizeof *m->poll);
		if (m->poll == NULL)
			return FY_ERR_NOMEM;
		int err = uv_poll_init(m->loop, m->poll, mysql_get_socket(m->mysql));
		if (err) {
			free(m->poll);
			m->poll = NULL;
			return err;
		}
		m->poll->data = m;
	}
	if (m->watching == events)
		return 0;
	m->watching = events;
	return uv_poll_start(m->poll, events, on_poll);
}

/* One step of the running call: what to wait for, or 0 when it has ended. */
static int step(struct fy_mariadb *m, int events)
{
	const struct fy_mariadb_target *t = m->target;
	bool first = !m->started;
	m->started = true;
	switch (m->call) {
	case FY_MARIADB_CONNECT:
		return first ? mysql_real_connect_start(&m->connected, m->mysql, t->address, t->user, t->password,
							t->database, t->port, t->socket_path,
							CLIENT_FOUND_ROWS | CLIENT_REMEMBER_OPTIONS)
			     : mysql_real_connect_cont(&m->connected, m->mysql, events);
	case FY_MARIADB_QUERY:
		return first ? mysql_real_query_start(&m->failed, m->mysql, m->text, m->len)
			     : mysql_real_query_cont(&m->failed, m->mysql, events);
	case FY_MARIADB_STORE_QUERY:
		return first ? mysql_store_result_start(&m->result, m->mysql)
			     : mysql_store_result_cont(&m->result, m->mysql, events);
	case FY_MARIADB_PREPARE:
		return first ? mysql_stmt_prepare_start(&m->failed, m->stmt, m->text, m->len)
			     : mysql_stmt_prepare_cont(&m->failed, m->stmt, events);
	case FY_MARIADB_EXECUTE:
		return first ? mysql_stmt_execute_start(&m->failed, m->stmt)
			     : mysql_stmt_execute_cont(&m->failed, m->stmt, events);
	case FY_MARIADB_STORE:
		return first ? mysql_stmt_store_result_start(&m->failed, m->stmt)
			     : mysql_stmt_store_result_cont(&m->failed, m->stmt, events);
	case FY_MARIADB_IDLE:
		break;
	}
	FY_REQUIRE(!"a MariaDB step without a call");
	return 0;
}

static int outcome(struct fy_mariadb *m, bool failed)
{
	if (!failed)
		return 0;
	bool statement = m->call == FY_MARIADB_PREPARE || m->call == FY_MARIADB_EXECUTE || m->call == FY_MARIADB_STORE;
	m->error = statement ? mysql_stmt_errno(m->stmt) : mysql_errno(m->mysql);
	if (m->error == 0)
		m->error = mysql_errno(m->mysql);
	return fy_mariadb_error(m->error, &m->broken);
}

/* The call's last step has returned. True: there is a further part of the same call to run. */
static bool end_of_part(struct fy_mariadb *m, int *ret_err)
{
	*ret_err = 0;
	m->started = false;
	switch (m->call) {
	case FY_MARIADB_CONNECT:
		*ret_err = outcome(m, m->connected == NULL);
		return false;
	case FY_MARIADB_QUERY:
		*ret_err = outcome(m, m->failed != 0);
		if (*ret_err || mysql_field_count(m->mysql) == 0)
			return false;
		m->call = FY_MARIADB_STORE_QUERY;
		return true;
	case FY_MARIADB_STORE_QUERY:
		*ret_err = outcome(m, m->result == NULL);
		return false;
	case FY_MARIADB_EXECUTE:
		*ret_err = outcome(m, m->failed != 0);
		if (*ret_err || mysql_stmt_field_count(m->stmt) == 0)
			return false;
		m->call = FY_MARIADB_STORE;
		return true;
	default:
		*ret_err = outcome(m, m->failed != 0);
		return false;
	}
}

static void drive(struct fy_mariadb *m, int events)
{
	if (m->driving)
		return;
	m->driving = true;
	while (m->mysql && m->call != FY_MARIADB_IDLE) {
		int wait = step(m, events), err;
		if (wait) {
			err = watch(m, UV_READABLE | (wait & MYSQL_WAIT_WRITE ? UV_WRITABLE : 0));
			if (err == 0)
				break;
			m->broken = true;
		} else if (end_of_part(m, &err)) {
			continue;
		}
		m->call = FY_MARIADB_IDLE;
		m->done(m->arg, err);
	}
	m->driving = false;
}

static void begin(struct fy_mariadb *m, enum fy_mariadb_call call, fy_mariadb_done done, void *arg)
{
	FY_REQUIRE(m->mysql != NULL && m->call == FY_MARIADB_IDLE);
	m->call = call;
	m->started = false;
	m->failed = 0;
	m->result = NULL;
	m->error = 0;
	m->done = done;
	m->arg = arg;
	drive(m, 0);
}

static void options(MYSQL *mysql, const struct fy_mariadb_target *target)
{
	const my_bool no = 0, yes = 1;
	const unsigned none = 0;
	mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL);
	mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
	mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &none);
	mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(mysql, MYSQL_REPORT_DATA_TRUNCATION, &yes);
	/* Without this "localhost" would mean a socket. */
	const unsigned protocol = target->socket_path ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	if (target->socket_path || !target->tls) {
		mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no); /* 3.4 verifies unless told */
		return;
	}
	mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, target->tls_verify ? &yes : &no);
	if (target->tls_ca)
		mysql_options(mysql, MYSQL_OPT_SSL_CA, target->tls_ca);
	mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
}

int fy_mariadb_connect(struct fy_mariadb *m, uv_loop_t *loop, const struct fy_mariadb_target *target,
		       fy_mariadb_done done, void *arg)
{
	FY_REQUIRE(m->mysql == NULL);
	m->loop = loop;
	m->mysql = mysql_init(NULL);
	if (m->mysql == NULL)
		return FY_ERR_NOMEM;
	options(m->mysql, target);
	m->broken = false;
	m->watching = 0;
	m->connected = NULL;
	m->target = target;
	begin(m, FY_MARIADB_CONNECT, done, arg);
	return 0;
}

MYSQL *fy_mariadb_connect_in_thread(const struct fy_mariadb_target *t, unsigned timeout_ms, char *ret_why,
				    size_t why_size)
{
	const unsigned seconds = (timeout_ms + 999) / 1000;
	MYSQL *mysql = mysql_init(NULL);
	if (mysql == NULL) {
		snprintf(ret_why, why_size, "out of memory");
		return NULL;
	}
	options(mysql, t);
	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	if (mysql_real_connect(mysql, t->address, t->user, t->password, t->database, t->port, t->socket_path,
			       CLIENT_FOUND_ROWS | CLIENT_REMEMBER_OPTIONS) == NULL) {
		snprintf(ret_why, why_size, "%s", mysql_error(mysql));
		mysql_close(mysql);
		mysql = NULL;
	}
	mysql_thread_end();
	return mysql;
}

void fy_mariadb_adopt(struct fy_mariadb *m, uv_loop_t *loop, MYSQL *mysql)
{
	FY_REQUIRE(m->mysql == NULL);
	m->loop = loop;
	m->mysql = mysql;
	m->broken = false;
	m->watching = 0;
}

void fy_mariadb_query(struct fy_mariadb *m, const char *text, size_t len, fy_mariadb_done done, void *arg)
{
	m->text = text;
	m->len = len;
	begin(m, FY_MARIADB_QUERY, done, arg);
}

void fy_mariadb_prepare(struct fy_mariadb *m, MYSQL_STMT *stmt, const char *text, size_t len, fy_mariadb_done done,
			void *arg)
{
	m->stmt = stmt;
	m->text = text;
	m->len = len;
	begin(m, FY_MARIADB_PREPARE, done, arg);
}

void fy_mariadb_execute(struct fy_mariadb *m, MYSQL_STMT *stmt, fy_mariadb_done done, void *arg)
{
	m->stmt = stmt;
	begin(m, FY_MARIADB_EXECUTE, done, arg);
}

void fy_mariadb_watch_idle(struct fy_mariadb *m, void (*on_event)(void *arg), void *arg)
{
	m->on_idle_event = on_event;
	m->arg = arg;
	if (m->mysql)
		watch(m, UV_READABLE);
}

/* A suspended call holds memory on Connector/C's own stack. With the socket shut and a time-out reported it returns
 * with an error, and frees that memory on its way; then mysql_close has nothing to say to the server either. */
static void unwind(struct fy_mariadb *m)
{
	my_socket fd = mysql_get_socket(m->mysql);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	for (int i = 0; m->started && i < UNWIND_MAX; i++) {
		if (step(m, MYSQL_WAIT_TIMEOUT) == 0)
			m->started = false;
	}
}

void fy_mariadb_close(struct fy_mariadb *m)
{
	if (m->mysql == NULL)
		return;
	if (m->poll) {
		uv_close((uv_handle_t *)m->poll, on_poll_closed); /* before the descriptor goes */
		m->poll = NULL;
	}
	if (m->call != FY_MARIADB_IDLE || m->broken)
		unwind(m);
	if (m->result) {
		mysql_free_result(m->result);
		m->result = NULL;
	}
	mysql_close(m->mysql);
	m->mysql = NULL;
	m->call = FY_MARIADB_IDLE;
	m->started = false;
	m->watching = 0;
	m->on_idle_event = NULL;
}

const char *fy_mariadb_error_text(const struct fy_mariadb *m)
{
	return m->mysql ? mysql_error(m->mysql) : "";
}

bool fy_mariadb_is_victim(unsigned number)
{
	return number == ER_LOCK_DEADLOCK || number == ER_LOCK_WAIT_TIMEOUT || number == ER_CHECKREAD;
}

int fy_mariadb_error(unsigned number, bool *ret_broken)
{
	*ret_broken = false;
	switch (number) {
	case ER_DUP_ENTRY:
	case ER_DUP_KEY:
	case ER_DUP_ENTRY_WITH_KEY_NAME:
	case ER_ROW_IS_REFERENCED:
	case ER_ROW_IS_REFERENCED_2:
	case ER_NO_REFERENCED_ROW:
	case ER_NO_REFERENCED_ROW_2:
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
	case ER_CHECKREAD:
		return FY_ERR_CONFLICT;
	case ER_DATA_TOO_LONG:
	case ER_NET_PACKET_TOO_LARGE:
		return FY_ERR_TOO_LARGE;
	case ER_WARN_DATA_OUT_OF_RANGE:
	case ER_DATA_OUT_OF_RANGE:
	case ER_TRUNCATED_WRONG_VALUE:
	case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
	case ER_BAD_NULL_ERROR:
	case ER_CONSTRAINT_FAILED:
	case WARN_DATA_TRUNCATED:
	case ER_NO_DEFAULT_FOR_FIELD:
		return FY_ERR_INVALID;
	case ER_STATEMENT_TIMEOUT:
		return FY_ERR_TIMEOUT;
	case ER_DISK_FULL:
	case ER_RECORD_FILE_FULL:
	case ER_ERROR_ON_WRITE:
	case ER_GET_ERRNO:
		return FY_ERR_IO;
	case ER_NO_SUCH_TABLE:
	case ER_BAD_FIELD_ERROR:
	case ER_BAD_TABLE_ERROR:
	case ER_WRONG_VALUE_COUNT_ON_ROW:
	case ER_PARSE_ERROR:
	case ER_NON_UNIQ_ERROR:
	case ER_NEED_REPREPARE:
	case ER_UNKNOWN_STMT_HANDLER:
	case CR_NEW_STMT_METADATA:
		*ret_broken = number == ER_UNKNOWN_STMT_HANDLER || number == CR_NEW_STMT_METADATA ||
			      number == ER_NEED_REPREPARE;
		return FY_ERR_SCHEMA;
	case ER_SERVER_SHUTDOWN:
	case ER_NORMAL_SHUTDOWN:
	case ER_CONNECTION_KILLED:
	case ER_QUERY_INTERRUPTED:
	case ER_WSREP_NOT_READY:
	case ER_OPTION_PREVENTS_STATEMENT: /* --read-only: a replica that was promoted away */
	case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
		*ret_broken = true;
		return FY_ERR_DB_DOWN;
	default:
		*ret_broken = number == 0 || (number >= CR_MIN_ERROR && number <= 2999);
		return *ret_broken ? FY_ERR_DB_DOWN : FY_ERR_INTERNAL;
	}
}
