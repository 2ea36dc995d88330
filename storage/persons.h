/* The keys of persons, and the numbers of what is sealed.
 * A person is who a key belongs to: the holder of an account, or who wrote to the contact form. The number of the
 * person is the id of that row; no two persons of any kind share one. Keys are in a database of their own,
 * "<name>_keys", which backups leave out; destroying one makes everything that was sealed with it unreadable, in
 * every copy. Sealing itself is seal.h's. Called by the repositories. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/seal.h"

struct fy_sql_person_key_insert_params;

/* A number that no other row has: the milliseconds since 2026 and twelve bits, below 2^53 so that JSON carries it.
 * Ascending within a process; two processes may meet, which the primary key notices (FY_ERR_CONFLICT). */
uint64_t fy_id_new(const struct fy_ctx *ctx);

/* A new person with a new key, who has consented to nothing, and the row to insert with what is sealed under it (in the
 * same unit). The insert ends with FY_ERR_CONFLICT where the number is taken, or the master key was rotated meanwhile:
 * see fy_persons_again. */
void fy_person_new(struct fy_ctx *ctx, uint64_t id, struct fy_person *ret_person,
		   struct fy_sql_person_key_insert_params *ret_row);

/* Takes the place of what the person withholds, in the row that is still to be inserted. */
void fy_person_withhold(struct fy_ctx *ctx, struct fy_person *person, uint32_t withheld,
			struct fy_sql_person_key_insert_params *row);

/* After a unit with a new person failed: whether to make it anew and try again, up to three times in all. */
bool fy_persons_again(struct fy_ctx *ctx, int err, unsigned *tries);

/* From a row that was joined with person_key; `wrapped` empty: there is none. FY_ERR_UNREADABLE says in ctx->fault
 * which: the key is gone, was changed, or needs a master key that is not held. */
int fy_person_open(struct fy_ctx *ctx, uint64_t id, uint64_t master, struct fy_secret wrapped,
		   struct fy_person *ret_person);

/* Reads and opens it. Merged. FY_ERR_NOT_FOUND: never there, or destroyed. */
fy_async int fy_persons_get(struct fy_ctx *ctx, uint64_t id, struct fy_person *ret_person);

/* Destroys the key. Nothing that was sealed with it can be read again. Twice is harmless. */
fy_async int fy_persons_destroy(struct fy_ctx *ctx, uint64_t id);

/* Deletes rows whose time was over `before`, each with the key of its person, who is nothing else; all or nothing.
 * `list` names up to `limit`; `take` deletes one unless that is true of it no more. */
struct fy_persons_heap {
	fy_async int (*list)(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids, size_t *ret_count);
	fy_async int (*take)(struct fy_ctx *ctx, uint64_t id, fy_time before, bool *ret_taken);
};
fy_async int fy_persons_purge(struct fy_ctx *ctx, const struct fy_persons_heap *heap, fy_time before, unsigned limit,
			      uint64_t *ret_deleted);
