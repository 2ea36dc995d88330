/* Consents of members to optional purposes: nothing but an unticked box that was ticked counts, and it can be
 * taken back as easily (GDPR Article 7). A decision is a row that is never changed. It counts from whoever has proven
 * the mailbox of the account, and from nobody before. Called when the address is confirmed, and by the privacy page. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

enum fy_consent_purpose { FY_CONSENT_MARKET_RESEARCH = 1, FY_CONSENT_PURPOSES };

/* The wording of the boxes now; goes up when a sentence changes, and consents to an older one stay what they are. */
#define FY_CONSENT_TEXT_VERSION "2026-11"

struct fy_consent {
	enum fy_consent_purpose purpose;
	bool given;         /* false also where the person never decided */
	fy_time decided_at; /* 0: never */
	struct fy_slice text_version;
};

fy_async int fy_consents_get(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose,
			     struct fy_consent *ret_consent);

/* All decisions, the newest first, in the arena. */
fy_async int fy_consents_list(struct fy_ctx *ctx, uint64_t account_id, struct fy_consent **ret_consents,
			      size_t *ret_count);

/* Writes a decision where it differs from the last one; it holds for the person's data at once (withheld.h). */
fy_async int fy_consents_set(struct fy_ctx *ctx, uint64_t account_id, enum fy_consent_purpose purpose, bool given);

/* Proofs whose time is over: decisions replaced by a newer one, or of a person erased, before `before`. How many; which
 * come first; and deletes up to `limit`. */
fy_async int fy_consents_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_consents_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				  size_t *ret_count);
fy_async int fy_consents_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
