/* The mails that jobs cause. Their words are the server's, which names itself as the author at its start; jobs know
 * only when they are due. */
#pragma once

#include "storage/announcements.h"
#include "storage/erasure.h"
#include "storage/outbox.h"
#include "storage/provided.h"
#include "storage/studies.h"

struct fy_job_letters {
	fy_erasure_letter erased;
	fy_announcement_letter policy;
	fy_study_letter study;
	/* The account goes at `erase_at` unless its holder signs in. */
	int (*inactive)(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email, struct fy_personal given_name,
			fy_time erase_at, struct fy_mail_new *ret_mail);
	struct fy_provided_letters provided;
};

void fy_jobs_set_letters(const struct fy_job_letters *letters);
const struct fy_job_letters *fy_jobs_letters(void);

/* Closes the account, ends its sessions, and erases it and whom it entered, each with a receipt by mail: what the retention
 * job does when the date has come. FY_ERR_NOT_FOUND: it was taken back, or is gone. ret_receipt may be NULL. */
fy_async int fy_jobs_erase(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice *ret_receipt);
