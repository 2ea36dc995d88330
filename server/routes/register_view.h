/* What the data register promises, as pages show it: entries that say the same are one row, periods are put into words.
 * Called by the privacy policy and its versions, the account's privacy page and the record of processing. No I/O. */
#pragma once

#include "foyer/buf.h"
#include "foyer/ctx.h"
#include "server/pages/pages_gen.h"
#include "storage/policy.h"
#include "storage/register.h"

/* Rows in the context's arena and language, with the periods of its settings. `about` are bits 1u << FY_PERSONS_…: only
 * what is about one of these; 0: everything. Entries are those of one version, in its order. */
size_t fy_register_rows(struct fy_ctx *ctx, const struct fy_policy_entry *entries, size_t count, uint32_t about,
			const struct fy_row_promise **ret_rows);

/* "2 years after your last action, or 7 days after …". */
struct fy_slice fy_register_periods(struct fy_ctx *ctx, const struct fy_policy_period *periods, size_t count);

/* When what is held of one person goes, and why: a row for each table or store, in the order of the first of each. */
size_t fy_register_classes(struct fy_ctx *ctx, const struct fy_register_row *held, size_t count,
			   const struct fy_row_held_class **ret_rows);

/* What differs from the version before, in words; version->change_count rows. */
const struct fy_row_change *fy_register_changes(struct fy_ctx *ctx, const struct fy_policy_version *version);

/* What is done for the safety of the data (GDPR Article 32), in sentences. `https`: the site is reached so. */
size_t fy_register_measures(struct fy_ctx *ctx, bool https, const struct fy_row_measure **ret_rows);
