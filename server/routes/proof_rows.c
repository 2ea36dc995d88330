/* See proof_rows.h. */
#include "server/routes/proof_rows.h"

#include "foyer/config.h"
#include "storage/key_rotation.h"
#include "storage/proofs.h"

/* A line goes with the log of its day, up to a day after the last of its lines is due, and the rotation may be late. */
#define LINE_SLACK_DAYS 2

static struct fy_row_proof job_row(const struct fy_ctx *ctx, struct fy_slice kind, const struct fy_proof *proof)
{
	return (struct fy_row_proof){
		.kind = kind,
		.known = true,
		.kept = proof && ctx->now - proof->kept_at <= FY_PROOF_STALE,
		.last = proof ? proof->kept_at : 0,
		.since = proof ? proof->kept_at : 0,
	};
}

static struct fy_row_proof logs_row(const struct fy_ctx *ctx, const struct fy_proof *proof, uint64_t number)
{
	fy_time keep = ctx->config->log_keep_days * FY_DAY;
	struct fy_row_proof row = {
		.kind = FY_LIT("logs"),
		.known = true,
		.number = number,
		.days = (uint64_t)ctx->config->log_keep_days,
	};
	if (proof == NULL)
		return row;
	row.last = proof->kept_at;
	row.oldest = proof->oldest_at;
	bool fresh = ctx->now - proof->kept_at <= FY_PROOF_STALE;
	bool young = proof->oldest_at == 0 || ctx->now - proof->oldest_at <= keep + LINE_SLACK_DAYS * FY_DAY;
	row.kept = fresh && young;
	row.since = !fresh ? proof->kept_at : proof->oldest_at + keep;
	return row;
}

/* Nobody is promised when the key is changed; but a change that was begun is finished within a day. */
static fy_async struct fy_row_proof keys_row(struct fy_ctx *ctx)
{
	struct fy_key_rotation_proof proof;
	struct fy_row_proof row = { .kind = FY_LIT("keys") };
	row.known = fy_key_rotation_prove(ctx, &proof) == 0;
	row.last = proof.in_use_since;
	row.since = proof.began_at;
	row.kept = proof.in_use_since && (proof.began_at == 0 || ctx->now - proof.began_at <= FY_PROOF_STALE);
	return row;
}

fy_async size_t fy_proof_rows(struct fy_ctx *ctx, const struct fy_row_proof **ret_rows)
{
	struct fy_proof *proofs = NULL;
	size_t count = 0, n = 2, i = 0;
	bool known = fy_proofs_list(ctx, &proofs, &count) == 0;
	struct fy_row_proof *rows = fy_new_array(ctx->arena, struct fy_row_proof, count + 5);

	bool purge = i < count && proofs[i].kind == FY_PROOF_PURGE;
	rows[0] = job_row(ctx, FY_LIT("purge"), purge ? &proofs[i++] : NULL);
	bool retention = i < count && proofs[i].kind == FY_PROOF_RETENTION;
	rows[1] = job_row(ctx, FY_LIT("retention"), retention ? &proofs[i++] : NULL);
	for (; i < count; i++, n++)
		rows[n] = logs_row(ctx, &proofs[i], n - 1);
	if (n == 2)
		rows[n++] = logs_row(ctx, NULL, 1);
	for (size_t r = 0; r < n && !known; r++)
		rows[r].known = false;
	rows[n++] = keys_row(ctx);
	/* Redis ends what it holds by its own clock: there is no task that could fail. */
	rows[n++] = (struct fy_row_proof){ .kind = FY_LIT("clock"), .known = true, .kept = true };
	*ret_rows = rows;
	return n;
}
