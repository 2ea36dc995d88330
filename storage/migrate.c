/* Applying the migrations: compare, take the lease, run statement by statement, record each.
 * Splitting is left to migrate_split.c, the texts to storage/migrations. Called by `foyer migrate` and at start-up.
 *
 * The two tables here are the only ones that no migration creates. The clock of the lease is MariaDB's, so that
 * servers whose clocks differ agree; the texts below hold numbers, hex digits and names that the build checked. */
#include "storage/migrate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/db_internal.h"
#include "storage/tx.h"

#define LEASE_MS 30000
#define LEASE_POLL_MS 100
#define RELEASE_MS 2000 /* for giving the lease back, also past the deadline */
#define TEXT_MAX 512

static const char *const tables[] = {
	"CREATE TABLE IF NOT EXISTS schema_migration ("
	"number INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, checksum CHAR(64) NOT NULL, "
	"statements_done INT UNSIGNED NOT NULL, applied_at DATETIME(6) NULL) "
	"ENGINE=InnoDB DEFAULT CHARSET=ascii COLLATE=ascii_bin",
	"CREATE TABLE IF NOT EXISTS schema_lease ("
	"id TINYINT UNSIGNED NOT NULL PRIMARY KEY, owner CHAR(32) NOT NULL, until DATETIME(6) NOT NULL) "
	"ENGINE=InnoDB DEFAULT CHARSET=ascii COLLATE=ascii_bin",
	"INSERT IGNORE INTO schema_lease (id, owner, until) VALUES (1, '', '1970-01-02 00:00:00')",
};

struct migrator {
	struct fy_ctx ctx; /* a copy of the caller's, with a db of its own */
	const struct fy_migration_list *list;
	const char *database;
	unsigned lease_ms;
	char owner[33];
	struct fy_migration_status *states; /* of list->migrations */
	bool lease_lost, stop;              /* the heartbeat's word to us, ours to it */
	bool beating;
	struct fy_wait beat_ended;
	struct fy_wait *nap; /* of the heartbeat, to wake it */
};

static fy_async int query(struct migrator *m, struct fy_db_text_result *ret_result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static fy_async int query(struct migrator *m, struct fy_db_text_result *ret_result, const char *format, ...)
{
	char text[TEXT_MAX];
	struct fy_db_text_result unused;
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	FY_REQUIRE(len > 0 && (size_t)len < sizeof text);
	return fy_db_text(&m->ctx, text, ret_result ? ret_result : &unused);
}

static uint64_t number(struct fy_slice cell)
{
	return cell.ptr ? strtoull(cell.ptr, NULL, 10) : 0;
}

static int compare_row(struct migrator *m, const struct fy_slice *row)
{
	unsigned n = (unsigned)number(row[0]);
	if (n == 0 || n > m->list->count)
		return fy_fail(&m->ctx, FY_ERR_SCHEMA,
			       "The database has migration %u and this program knows %zu: it needs a newer foyer.", n,
			       m->list->count);
	const struct fy_migration *migration = &m->list->migrations[n - 1];
	struct fy_migration_status *state = &m->states[n - 1];
	bool same = fy_eq(row[1], fy_str(migration->name)) && fy_eq(row[2], fy_str(migration->checksum));
	state->statements_done = (unsigned)number(row[3]);
	state->applied = row[4].ptr != NULL;
	state->applied_at = (fy_time)number(row[4]);
	if (!same && (state->applied || state->statements_done))
		return fy_fail(&m->ctx, FY_ERR_SCHEMA, "Migration %04u_%s has changed since it was %s.", n,
			       migration->name, state->applied ? "applied" : "begun");
	return 0;
}

static fy_async int compare(struct migrator *m)
{
	struct fy_db_text_result r;
	memset(m->states, 0, (m->list->count + 1) * sizeof *m->states);
	for (size_t i = 0; i < m->list->count; i++) {
		m->states[i].number = m->list->migrations[i].number;
		m->states[i].name = m->list->migrations[i].name;
	}
	int err = query(m, &r,
			"SELECT number, name, checksum, statements_done, "
			"TIMESTAMPDIFF(MICROSECOND, '1970-01-01', applied_at) FROM schema_migration ORDER BY number");
	for (size_t i = 0; err == 0 && i < r.rows; i++) {
		err = compare_row(m, &r.cells[i * r.columns]);
		unsigned n = (unsigned)number(r.cells[i * r.columns]);
		if (err == 0 && (n != i + 1 || (i && !m->states[i - 1].applied)))
			err = fy_fail(&m->ctx, FY_ERR_SCHEMA,
				      "Migration %04u_%s is missing in the database although %04u is there.",
				      n != i + 1 ? (unsigned)i + 1 : (unsigned)i,
				      m->list->migrations[n != i + 1 ? i : i - 1].name, n);
	}
	return err;
}

static bool up_to_date(const struct migrator *m)
{
	return m->list->count == 0 || m->states[m->list->count - 1].applied;
}

static fy_async int lease_take(struct migrator *m, bool *ret_got)
{
	struct fy_db_text_result r;
	int err = query(m, &r,
			"UPDATE schema_lease SET owner = '%s', until = UTC_TIMESTAMP(6) + INTERVAL %u MICROSECOND "
			"WHERE id = 1 AND (owner = '%s' OR until < UTC_TIMESTAMP(6))",
			m->owner, m->lease_ms * 1000u, m->owner);
	*ret_got = err == 0 && r.affected == 1;
	return err == FY_ERR_CONFLICT ? 0 : err; /* another node was faster */
}

/* Keeps the lease while a long statement runs. It has a context of its own, and ends before the migrator does. */
static fy_async void heartbeat(void *arg)
{
	struct migrator *m = arg;
	struct fy_arena arena;
	struct migrator mine = *m;
	uint64_t last_ms = fy_loop_ms();
	mine.ctx.arena = &arena;
	while (!m->stop) {
		struct fy_wait nap = { 0 };
		bool got;
		m->nap = &nap;
		int err = fy_wait(&nap, fy_loop_ms() + m->lease_ms / 4);
		m->nap = NULL;
		if (err == 0)
			continue;
		fy_arena_init(&arena, 0);
		err = lease_take(&mine, &got);
		fy_arena_finish(&arena);
		if (err == 0 && got)
			last_ms = fy_loop_ms();
		else if (err == 0 || fy_loop_ms() - last_ms > m->lease_ms)
			m->lease_lost = true;
	}
	m->beating = false;
	fy_wait_done(&m->beat_ended, 0);
}

static fy_async int lease_wait(struct migrator *m)
{
	bool got = false;
	for (;;) {
		int err = lease_take(m, &got);
		if (err || got)
			return err;
		if (fy_sleep(&m->ctx, LEASE_POLL_MS / 2 + fy_db_random(m->ctx.db) % LEASE_POLL_MS))
			return fy_fail(&m->ctx, FY_ERR_TIMEOUT, "Another server is still migrating the database.");
	}
}

static fy_async void lease_end(struct migrator *m)
{
	m->stop = true;
	if (m->nap)
		fy_wait_done(m->nap, 0);
	while (m->beating)
		fy_wait(&m->beat_ended, UINT64_MAX);
	if (m->ctx.deadline_ms < fy_loop_ms() + RELEASE_MS)
		m->ctx.deadline_ms = fy_loop_ms() + RELEASE_MS;
	query(m, NULL, "UPDATE schema_lease SET until = '1970-01-02 00:00:00' WHERE id = 1 AND owner = '%s'", m->owner);
}

struct step {
	struct migrator *m;
	const char *text;
	unsigned number, index; /* of the migration; of the statement, from 1 */
};

/* Data changes and their record are one transaction. DDL commits by itself, then the record follows on its own. */
static fy_async int run_step(struct fy_ctx *ctx, void *arg)
{
	struct step *s = arg;
	struct fy_db_text_result r;
	int err = fy_db_text(ctx, s->text, &r);
	if (err == 0)
		err = query(s->m, NULL, "UPDATE schema_migration SET statements_done = %u WHERE number = %u", s->index,
			    s->number);
	return err;
}

static fy_async int apply(struct migrator *m, const struct fy_migration *migration, unsigned done)
{
	struct fy_slice rest = migration->text, statement;
	struct step step = { .m = m, .number = migration->number };
	int err = query(
		m, NULL,
		"INSERT INTO schema_migration (number, name, checksum, statements_done) "
		"VALUES (%u, '%s', '%s', 0) ON DUPLICATE KEY UPDATE name = VALUES(name), checksum = VALUES(checksum)",
		migration->number, migration->name, migration->checksum);
	while (err == 0 && fy_migrate_split(&rest, &statement)) {
		if (++step.index <= done)
			continue;
		if (m->lease_lost)
			return fy_fail(&m->ctx, FY_ERR_SCHEMA, "The migration lease was lost to another server.");
		size_t len;
		char *text = fy_sql_expand(statement, m->database, &len);
		step.text = fy_cstr(m->ctx.arena, fy_slice(text, len));
		free(text);
		err = fy_tx(&m->ctx, run_step, &step);
		if (err && err != FY_ERR_DB_DOWN && err != FY_ERR_TIMEOUT)
			err = fy_fail(&m->ctx, FY_ERR_SCHEMA, "Migration %04u_%s, statement %u: %s", migration->number,
				      migration->name, step.index, m->ctx.fault ? m->ctx.fault : fy_strerror(err));
	}
	if (err == 0)
		err = query(m, NULL, "UPDATE schema_migration SET applied_at = UTC_TIMESTAMP(6) WHERE number = %u",
			    migration->number);
	if (err == 0)
		fy_log(&m->ctx, FY_LOG_INFO, "db.migrated", FY_KV("number", migration->number),
		       FY_KV("name", migration->name));
	return err;
}

static fy_async int apply_all(struct migrator *m, const struct fy_migrate_options *options, unsigned *ret_applied)
{
	int err = lease_wait(m);
	if (err)
		return err;
	m->beating = fy_fiber_start(heartbeat, m) == 0;
	err = m->beating ? compare(m) : fy_fail(&m->ctx, FY_ERR_BUSY, "Too many fibers are alive.");
	for (size_t i = 0; err == 0 && i < m->list->count; i++) {
		if (m->states[i].applied)
			continue;
		err = apply(m, &m->list->migrations[i], m->states[i].statements_done);
		if (err == 0) {
			++*ret_applied;
			if (options->applied)
				options->applied(options->arg, &m->list->migrations[i]);
		}
	}
	lease_end(m);
	return err;
}

static fy_async int open_database(struct fy_ctx *ctx, const struct fy_migrate_options *options, struct migrator *m)
{
	struct fy_db_options db = *options->db;
	uint64_t id[2];
	db.pool_size = 2; /* the work and the heartbeat */
	db.statements = &fy_sql_none;
	db.statement_max_ms = UINT32_MAX; /* an ALTER takes its time; the context's deadline counts */
	memset(m, 0, sizeof *m);
	m->ctx = *ctx;
	m->ctx.db = NULL;
	m->database = options->db->database;
	m->list = options->list ? options->list : &fy_migrations_builtin;
	m->lease_ms = options->lease_ms ? options->lease_ms : LEASE_MS;
	m->states = fy_new_array(ctx->arena, struct fy_migration_status, m->list->count + 1);
	randombytes_buf(id, sizeof id);
	snprintf(m->owner, sizeof m->owner, "%016" PRIx64 "%016" PRIx64, id[0], id[1]);
	int err = fy_db_create(&db, &m->ctx.db);
	if (err == 0)
		err = fy_db_wait_ready(&m->ctx);
	for (size_t i = 0; err == 0 && i < FY_COUNT(tables); i++)
		err = query(m, NULL, "%s", tables[i]);
	if (err == FY_ERR_CONFLICT) /* two nodes at once: the other one made it */
		err = 0;
	return err ? err : compare(m);
}

static void close_database(struct fy_ctx *ctx, struct migrator *m)
{
	ctx->fault = m->ctx.fault;
	fy_db_destroy(m->ctx.db);
}

fy_async int fy_migrate(struct fy_ctx *ctx, const struct fy_migrate_options *options, unsigned *ret_applied)
{
	struct migrator *m = fy_new(ctx->arena, struct migrator);
	unsigned applied = 0;
	int err = open_database(ctx, options, m);
	if (err == 0 && !up_to_date(m))
		err = apply_all(m, options, &applied);
	close_database(ctx, m);
	if (err == 0 && ret_applied)
		*ret_applied = applied;
	return err;
}

fy_async int fy_migrate_status(struct fy_ctx *ctx, const struct fy_migrate_options *options,
			       struct fy_migration_status **ret_list, size_t *ret_count)
{
	struct migrator *m = fy_new(ctx->arena, struct migrator);
	int err = open_database(ctx, options, m);
	if (err == 0) {
		*ret_list = m->states;
		*ret_count = m->list->count;
	}
	close_database(ctx, m);
	return err;
}
