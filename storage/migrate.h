/* Migrations: numbered, forward-only SQL files that the build embeds, with checksums.
 * What a table means is left to the files in storage/migrations and the repositories. Called by `foyer
 * migrate` and, before workers start, by `foyer serve`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "foyer/clock.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/db.h"

struct fy_migration {
	unsigned number;  /* 1, 2, 3, … without a gap */
	const char *name; /* of the file, without number and .sql */
	struct fy_slice text;
	const char *checksum; /* SHA-256 of the text, 64 hex digits */
};

struct fy_migration_list {
	const struct fy_migration *migrations; /* in order */
	size_t count;
};

extern const struct fy_migration_list fy_migrations_builtin;

struct fy_migration_status {
	unsigned number;
	const char *name; /* in the context's arena */
	bool applied;
	unsigned statements_done; /* of one that was interrupted in its middle */
	fy_time applied_at;       /* 0: not applied */
};

struct fy_migrate_options {
	const struct fy_db_options *db;       /* where; pool, queue and statement settings are not used */
	const struct fy_migration_list *list; /* NULL: the built-in ones */
	void (*applied)(void *arg, const struct fy_migration *migration); /* progress, after each; may be NULL */
	void *arg;
	unsigned lease_ms; /* how long a server that died keeps the others waiting [30000] */
};

/* Applies what is missing, in order, on a connection of its own. Several servers may call this at once: one works
 * under a lease row, the others wait (up to the context's deadline) and find nothing left to do. DDL commits by
 * itself in MariaDB, so each finished statement is recorded, and one that was cut off in the middle of a file is
 * resumed at the next statement. A statement that finished without being recorded is run again: write
 * CREATE TABLE IF NOT EXISTS, ADD COLUMN IF NOT EXISTS and repeatable updates.
 *
 * ret_applied (may be NULL) counts the files applied here. ctx->db is not used. Errors: FY_ERR_SCHEMA with one
 * sentence in ctx->fault when an applied file has changed, an earlier one is missing in the database, the database
 * is newer than this binary, or a statement fails; FY_ERR_DB_DOWN, FY_ERR_TIMEOUT. */
fy_async int fy_migrate(struct fy_ctx *ctx, const struct fy_migrate_options *options, unsigned *ret_applied);

/* The list with what the database says about each; an empty database has none applied. The same errors. */
fy_async int fy_migrate_status(struct fy_ctx *ctx, const struct fy_migrate_options *options,
			       struct fy_migration_status **ret_list, size_t *ret_count);

/* Cuts the next statement off *rest, without its ';', comments and blanks around it; false at the end. Knows
 * quotes ('', "", ``, with doubling and backslashes) and the three kinds of comments. DELIMITER is not known:
 * migrations have no stored programs. FY_NONE in *rest after the last. */
bool fy_migrate_split(struct fy_slice *rest, struct fy_slice *ret_statement);
