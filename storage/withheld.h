/* What a person does not allow. It follows from the latest decision about each consent (GDPR Article 7) and from the
 * restrictions that are in force (Article 18; of what was written with an address, from those of its holder), and is
 * wrapped together with the person's key: a read for a withheld purpose is refused where the value would be opened
 * (seal.h), whoever asks, and whatever the code around it forgets. Called by the repositories that record such choices. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/consents.h"
#include "storage/register.h"

/* The purpose that a consent is to. */
enum fy_register_purpose fy_withheld_purpose(enum fy_consent_purpose consent);

/* Inside the transaction that changes a choice, before it is read or changed: two changes at the same time then follow
 * one another. FY_ERR_NOT_FOUND: there is no such person, or its key is destroyed. */
fy_async int fy_withheld_lock(struct fy_ctx *ctx, uint64_t person_id);

/* In the same transaction, after the change: works out what is withheld, and stores it. FY_ERR_UNREADABLE. */
fy_async int fy_withheld_store(struct fy_ctx *ctx, uint64_t person_id);
