/* See proofs.h. Statements: sql/proof.def. A value is "KEPT" or "KEPT OLDEST", both RFC 3339 in UTC. */
#include "storage/proofs.h"

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "storage/statements.h"

#define FORGET_AFTER (30 * FY_DAY)

static const char *const names[] = {
	[FY_PROOF_PURGE] = "proof.purge", [FY_PROOF_RETENTION] = "proof.retention", [FY_PROOF_LOGS] = "proof.logs."
};

static struct fy_slice value_of(struct fy_ctx *ctx, fy_time kept_at, fy_time oldest_at)
{
	struct fy_buf out;
	fy_buf_init(&out, ctx->arena, 64);
	fy_put_rfc3339(&out, kept_at, false);
	if (oldest_at > 0) {
		fy_buf_char(&out, ' ');
		fy_put_rfc3339(&out, oldest_at, false);
	}
	return fy_buf_slice(&out);
}

fy_async int fy_proofs_note(struct fy_ctx *ctx, enum fy_proof_kind kind, struct fy_slice id, fy_time oldest_at,
			    fy_time pause)
{
	FY_REQUIRE(id.len <= FY_PROOF_ID_CHARS);
	fy_time now = fy_clock(), at = ctx->now < now ? ctx->now : now;
	struct fy_slice name = fy_fmt(ctx->arena, "%s" FY_FMT, names[kind], FY_ARG(id));
	struct fy_slice value = value_of(ctx, at, oldest_at);
	struct fy_db_done done;
	struct fy_sql_proof_count_row row;
	int err = fy_sql_proof_move(ctx,
				    &(struct fy_sql_proof_move_params){
					    .value = value, .name = name, .older_than = value_of(ctx, at - pause, 0) },
				    &done);
	if (err || done.affected)
		return err;
	err = fy_sql_proof_count(ctx, &(struct fy_sql_proof_count_params){ .name = name }, &row);
	if (err || row.proofs)
		return err;
	err = fy_sql_proof_insert(ctx, &(struct fy_sql_proof_insert_params){ .name = name, .value = value }, NULL);
	return err == FY_ERR_CONFLICT ? 0 : err; /* another was first, at the same moment */
}

static bool read_proof(const struct fy_sql_proof_list_row *row, struct fy_proof *ret_proof)
{
	struct fy_slice oldest = row->value, kept = fy_cut(&oldest, ' ');
	*ret_proof = (struct fy_proof){ 0 };
	for (enum fy_proof_kind kind = FY_PROOF_PURGE; kind <= FY_PROOF_LOGS; kind++)
		if (fy_starts(row->name, fy_str(names[kind]))) {
			ret_proof->kind = kind;
			ret_proof->id = fy_from(row->name, strlen(names[kind]));
		}
	return ret_proof->kind && fy_parse_rfc3339(kept, &ret_proof->kept_at) == 0 &&
	       (oldest.len == 0 || fy_parse_rfc3339(oldest, &ret_proof->oldest_at) == 0);
}

fy_async int fy_proofs_list(struct fy_ctx *ctx, struct fy_proof **ret_proofs, size_t *ret_count)
{
	struct fy_sql_proof_list_row *rows;
	struct fy_sql_proof_list_params all = { .from = FY_LIT("proof."), .before = FY_LIT("proof/") };
	size_t rows_count, count = 0;
	int err = fy_sql_proof_list(ctx, &all, &rows, &rows_count);
	if (err)
		return err;
	struct fy_proof *proofs = fy_new_array(ctx->arena, struct fy_proof, rows_count + 1), one;
	for (enum fy_proof_kind kind = FY_PROOF_PURGE; kind <= FY_PROOF_LOGS; kind++)
		for (size_t i = 0; i < rows_count; i++)
			if (read_proof(&rows[i], &one) && one.kind == kind &&
			    (kind != FY_PROOF_LOGS || ctx->now - one.kept_at < FORGET_AFTER))
				proofs[count++] = one;
	*ret_proofs = proofs;
	*ret_count = count;
	return 0;
}
