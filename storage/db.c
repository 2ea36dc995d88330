/* The pool as a whole: making it, its queue, handing connections out, its state for /readyz.
 * Single connections are left to db_connect.c, running statements to db_run.c, db_merge.c and db_batch.c. The
 * server, the jobs and the commands call the public part.
 *
 * Fibers queue during a turn; the dispatch comes at the start of the next one, before the loop sleeps, so that all
 * ids and rows of a turn travel together. A connection that becomes free takes the oldest job at once. */
#include "storage/db.h"

#include <stdlib.h>
#include <unistd.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/db_internal.h"

#define POOL_MAX 32
#define WATCHDOG_MS 100

const struct fy_sql_list fy_sql_none = { NULL, 0, 0 };

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value ? value : fallback;
}

static bool copy_string(const char **text)
{
	if (*text == NULL)
		return true;
	*text = strdup(*text);
	return *text != NULL;
}

static int copy_options(struct fy_db *db, const struct fy_db_options *o)
{
	struct fy_db_options *c = &db->options;
	*c = *o;
	c->pool_size = or_default(o->pool_size, 2);
	c->queue_max = or_default(o->queue_max, 1024);
	c->queue_wait_ms = or_default(o->queue_wait_ms, 2000);
	c->connect_timeout_ms = or_default(o->connect_timeout_ms, 5000);
	c->statement_max_ms = or_default(o->statement_max_ms, 30000);
	c->backoff_min_ms = or_default(o->backoff_min_ms, 50);
	c->backoff_max_ms = or_default(o->backoff_max_ms, 2000);
	c->batch_max = or_default(o->batch_max, 512);
	if (c->statements == NULL)
		c->statements = &fy_sql_builtin;
	char *password = o->password.text.len ? strndup(o->password.text.ptr, o->password.text.len) : NULL;
	c->password.text = fy_str(password);
	bool good = copy_string(&c->socket_path) & copy_string(&c->user) & copy_string(&c->database) &
		    copy_string(&c->tls_ca) & (password || o->password.text.len == 0);
	db->host_count = o->socket_path ? 1 : o->host_count;
	db->hosts = calloc(db->host_count, sizeof *db->hosts);
	for (size_t i = 0; db->hosts && i < db->host_count; i++) {
		db->hosts[i].name = strdup(o->socket_path ? o->socket_path : o->hosts[i].name);
		db->hosts[i].port = o->socket_path ? 0 : (uint16_t)or_default(o->hosts[i].port, 3306);
		good = good && db->hosts[i].name;
	}
	c->hosts = NULL;
	return good && db->hosts ? 0 : FY_ERR_NOMEM;
}

static void destroy_memory(struct fy_db *db)
{
	free((char *)db->options.socket_path);
	free((char *)db->options.user);
	free((char *)db->options.database);
	free((char *)db->options.tls_ca);
	if (db->options.password.text.ptr) {
		explicit_bzero((char *)db->options.password.text.ptr, db->options.password.text.len);
		free((char *)db->options.password.text.ptr);
	}
	for (size_t i = 0; db->hosts && i < db->host_count; i++)
		free(db->hosts[i].name);
	free(db->hosts);
	for (unsigned i = 0; db->conns && i < db->options.pool_size; i++) {
		free(db->conns[i].preparing);
		fy_sql_scratch_finish(&db->conns[i].scratch);
		free(db->conns[i].statements);
	}
	free(db->conns);
	free(db->merges);
	free(db);
}

static void on_kick(uv_idle_t *kick)
{
	struct fy_db *db = kick->data;
	uv_idle_stop(kick);
	fy_db_dispatch(db);
}

/* Callers leave at their own deadlines and take the connection with them; this catches what no caller waits for. */
static void on_watchdog(uv_timer_t *timer)
{
	struct fy_db *db = timer->data;
	uint64_t now = uv_now(db->loop);
	bool any = false;
	for (unsigned i = 0; i < db->options.pool_size; i++) {
		struct fy_db_conn *conn = &db->conns[i];
		if (conn->call_since_ms && conn->call_since_ms + db->options.statement_max_ms <= now)
			fy_db_conn_discard(conn, FY_ERR_TIMEOUT);
		any = any || conn->call_since_ms;
	}
	if (!any)
		uv_timer_stop(timer);
}

void fy_db_watch(struct fy_db *db)
{
	if (!db->closing && !uv_is_active((uv_handle_t *)&db->watchdog))
		uv_timer_start(&db->watchdog, on_watchdog, WATCHDOG_MS, WATCHDOG_MS);
}

static int make_parts(struct fy_db *db)
{
	const struct fy_sql_list *list = db->options.statements;
	db->conns = calloc(db->options.pool_size, sizeof *db->conns);
	db->merges = calloc(list->count + 1u, sizeof *db->merges);
	if (db->conns == NULL || db->merges == NULL)
		return FY_ERR_NOMEM;
	for (unsigned i = 0; i < db->options.pool_size; i++) {
		db->conns[i].statements = calloc(list->slots + 1u, sizeof(MYSQL_STMT *));
		if (db->conns[i].statements == NULL)
			return FY_ERR_NOMEM;
	}
	return 0;
}

int fy_db_create(const struct fy_db_options *options, struct fy_db **ret_db)
{
	if ((options->socket_path == NULL && options->host_count == 0) || options->pool_size > POOL_MAX)
		return FY_ERR_INVALID;
	struct fy_db *db = calloc(1, sizeof *db);
	if (db == NULL)
		return FY_ERR_NOMEM;
	int err = copy_options(db, options);
	if (err == 0)
		err = make_parts(db);
	if (err) {
		destroy_memory(db);
		return err;
	}
	db->loop = fy_loop();
	fy_list_init(&db->idle);
	fy_list_init(&db->queue);
	fy_list_init(&db->units);
	fy_list_init(&db->transactions);
	fy_db_batch_init(db);
	db->random = uv_hrtime() ^ ((uint64_t)getpid() << 32) ^ (uintptr_t)db;
	uv_idle_init(db->loop, &db->kick);
	uv_timer_init(db->loop, &db->watchdog);
	db->kick.data = db->watchdog.data = db;
	uv_unref((uv_handle_t *)&db->watchdog);
	db->handles = 2;
	for (unsigned i = 0; i < db->options.pool_size; i++) {
		struct fy_db_conn *conn = &db->conns[i];
		conn->db = db;
		fy_list_init(&conn->link);
		uv_timer_init(db->loop, &conn->timer);
		conn->timer.data = conn;
		uv_unref((uv_handle_t *)&conn->timer);
		db->handles++;
	}
	for (unsigned i = 0; i < db->options.pool_size; i++)
		fy_db_conn_begin(&db->conns[i]);
	*ret_db = db;
	return 0;
}

void fy_db_handle_closed(struct fy_db *db)
{
	FY_REQUIRE(db->handles > 0);
	if (--db->handles == 0)
		destroy_memory(db);
}

static void on_closed(uv_handle_t *handle)
{
	fy_db_handle_closed(handle->data);
}

void fy_db_destroy(struct fy_db *db)
{
	if (db == NULL)
		return;
	FY_REQUIRE(!db->closing);
	db->closing = true;
	db->handles++; /* until this function is through */
	for (unsigned i = 0; i < db->options.pool_size; i++)
		fy_db_conn_shut(&db->conns[i]);
	fy_db_fail_queue(db, FY_ERR_DB_DOWN);
	uv_close((uv_handle_t *)&db->kick, on_closed);
	uv_close((uv_handle_t *)&db->watchdog, on_closed);
	fy_db_handle_closed(db);
}

void fy_db_enqueue(struct fy_db *db, struct fy_db_job *job)
{
	fy_list_append(&db->queue, &job->link);
	if (!db->closing)
		uv_idle_start(&db->kick, on_kick);
}

void fy_db_dispatch(struct fy_db *db)
{
	struct fy_list *first;
	while ((first = fy_list_first(&db->queue)) && !fy_list_empty(&db->idle)) {
		struct fy_db_job *job = FY_CONTAINER(first, struct fy_db_job, link);
		struct fy_db_conn *conn = FY_CONTAINER(fy_list_first(&db->idle), struct fy_db_conn, link);
		fy_list_unlink(&job->link);
		fy_list_unlink(&conn->link);
		conn->state = FY_DB_CONN_BUSY;
		job->start(job, conn);
	}
}

void fy_db_fail_queue(struct fy_db *db, int err)
{
	struct fy_list *first;
	while ((first = fy_list_first(&db->queue))) {
		struct fy_db_job *job = FY_CONTAINER(first, struct fy_db_job, link);
		fy_list_unlink(&job->link);
		job->fail(job, err);
	}
}

/* Jitter only: xorshift is enough. */
uint64_t fy_db_random(struct fy_db *db)
{
	db->random ^= db->random << 13;
	db->random ^= db->random >> 7;
	db->random ^= db->random << 17;
	return db->random;
}

void fy_db_status(const struct fy_db *db, struct fy_db_status *ret_status)
{
	*ret_status = db->status;
	ret_status->up = db->up > 0;
	ret_status->connections = db->up;
	ret_status->waiting = db->waiting;
	ret_status->busy = 0;
	for (unsigned i = 0; i < db->options.pool_size; i++)
		ret_status->busy += db->conns[i].state == FY_DB_CONN_BUSY;
}

fy_async int fy_db_wait_ready(struct fy_ctx *ctx)
{
	while (ctx->db->up == 0) {
		if (ctx->db->status.schema_mismatch)
			return fy_fail(ctx, FY_ERR_SCHEMA, "%s", ctx->db->status.last_error);
		if (fy_sleep(ctx, 5))
			return fy_fail(ctx, FY_ERR_DB_DOWN, "%s", ctx->db->status.last_error);
	}
	return 0;
}
