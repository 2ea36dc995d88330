/* Proofs that promises are kept: when a job that keeps one last succeeded, and how old the oldest thing is that it
 * left. A lease says when a job last ran, not when it last did what it should; these say that, and nothing else: no
 * text, no name of a server. Noted by jobs, shown to the public on /privacy (GDPR Article 5(2), accountability). */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

#define FY_PROOF_STALE \
	FY_DAY /* the jobs run each hour or more often: after a day without one the promise is not kept */
#define FY_PROOF_ID_CHARS 16

enum fy_proof_kind {
	FY_PROOF_PURGE = 1, /* these two: one for the whole installation */
	FY_PROOF_RETENTION,
	FY_PROOF_LOGS, /* one for each log directory, told apart by an id */
};

struct fy_proof {
	enum fy_proof_kind kind;
	struct fy_slice id;
	fy_time kept_at;
	fy_time oldest_at; /* of the oldest line; 0: there is none */
};

/* Notes that it was kept at ctx->now, or at the real time where ctx->now is ahead of it. Never moves backwards; one
 * that was noted less than `pause` ago stays. */
fy_async int fy_proofs_note(struct fy_ctx *ctx, enum fy_proof_kind kind, struct fy_slice id, fy_time oldest_at,
			    fy_time pause);

/* All of them, in the order of kind and id; those of log directories that were silent for 30 days are left out, as
 * their server is gone. One query. */
fy_async int fy_proofs_list(struct fy_ctx *ctx, struct fy_proof **ret_proofs, size_t *ret_count);
