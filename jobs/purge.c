/* The purge: deletes what the retention settings say is not needed any more (rules 1.7), in slices.
 * Which rows those are is the repositories' knowledge; how long each is kept is a setting's or the data register's. Run
 * by the runner.
 *
 * Registrations come last: with one go its links and mails, and counting those first keeps a dry run's figures equal
 * to the real run's. The time limits are fixed at the start, so that a run cannot chase rows that expire while it
 * works. */
#include "foyer/config.h"
#include "jobs/job.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/email_change.h"
#include "storage/grants.h"
#include "storage/outbox.h"
#include "storage/proofs.h"
#include "storage/register.h"
#include "storage/rights.h"
#include "storage/tokens.h"

#define SLICE 200 /* rows; short enough that nobody waits for their locks */

#define NAMED 3000 /* ids of a dry run: more than an item has room for (report.c) */

/* What goes by one statement: how many there are, which come first, and delete those that do. */
struct heap {
	const char *object;
	fy_async int (*count)(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
	fy_async int (*list)(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids, size_t *ret_count);
	fy_async int (*purge)(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
};

/* `count` of them, of which the first are known by their ids. */
static void note_heap(struct fy_job_run *run, const struct heap *heap, uint64_t count, const uint64_t *ids,
		      size_t known)
{
	for (size_t i = 0; i < known && i < count; i++)
		fy_job_note_id(run, "delete", heap->object, ids[i]);
	fy_job_note(run, "delete", heap->object, count > known ? count - known : 0, FY_NONE);
}

static fy_async int purge_heap(struct fy_job_run *run, const struct heap *heap, fy_time before)
{
	uint64_t left, deleted, *ids;
	size_t known;
	int err = heap->count(run->ctx, before, &left);

	if (err)
		return err;
	if (run->dry_run) {
		err = heap->list(run->ctx, before, NAMED, &ids, &known);
		if (err == 0)
			note_heap(run, heap, left, ids, known);
		return err;
	}
	note_heap(run, heap, 0, NULL, 0);
	while (left) {
		unsigned slice = left < SLICE ? (unsigned)left : SLICE;
		err = heap->list(run->ctx, before, slice, &ids, &known);
		if (err == 0)
			err = heap->purge(run->ctx, before, slice, &deleted);
		if (err)
			return err;
		note_heap(run, heap, deleted, ids, known);
		if (deleted == 0)
			return 0;
		left -= deleted < left ? deleted : left;
		err = fy_job_continue(run);
		if (err)
			return err;
	}
	return 0;
}

static fy_async int purge_registrations(struct fy_job_run *run, fy_time before)
{
	uint64_t after = 0, *ids;
	size_t count;

	fy_job_note(run, "delete", "unconfirmed registrations", 0, FY_NONE);
	do {
		int err = fy_accounts_list_unconfirmed(run->ctx, before, after, SLICE, &ids, &count);
		for (size_t i = 0; i < count && err == 0; i++) {
			bool deleted = true; /* a dry run trusts the list that the real run starts from */
			if (!run->dry_run)
				err = fy_accounts_delete_unconfirmed(run->ctx, ids[i], before, &deleted);
			if (err == 0 && deleted) /* otherwise it was confirmed in the meantime */
				fy_job_note_id(run, "delete", "unconfirmed registrations", ids[i]);
			after = ids[i];
			if (err == 0 && !run->dry_run)
				err = fy_job_may_go_on(run);
		}
		if (err == 0)
			err = fy_job_continue(run);
		if (err)
			return err;
	} while (count == SLICE);
	return 0;
}

fy_async int fy_purge_run(struct fy_job_run *run)
{
	static const struct heap links = { "expired links", fy_tokens_count_expired, fy_tokens_list_expired,
					   fy_tokens_purge };
	static const struct heap mails = { "finished mails", fy_outbox_count_old, fy_outbox_list_old, fy_outbox_purge };
	static const struct heap messages = { "old contact messages", fy_contact_count_old, fy_contact_list_old,
					      fy_contact_purge };
	static const struct heap proofs = { "old consent proofs", fy_consents_count_old, fy_consents_list_old,
					    fy_consents_purge };
	static const struct heap requests = { "old requests about rights", fy_rights_count_old, fy_rights_list_old,
					      fy_rights_purge };
	static const struct heap asked = { "old requests for access", fy_grants_count_old, fy_grants_list_old,
					   fy_grants_purge };
	static const struct heap reads = { "old rows of the access log", fy_access_log_count_old,
					   fy_access_log_list_old, fy_access_log_purge };
	static const struct heap changes = { "expired changes of an address", fy_email_change_count_expired,
					     fy_email_change_list_expired, fy_email_change_purge };
	const struct fy_config *config = run->ctx->config;
	fy_time now = run->ctx->now;
	fy_time proof_kept =
		fy_register_keep_seconds(&fy_register_fields[FY_COLUMN_CONSENT_GIVEN].keep[0], config) * FY_SECOND;

	int err = purge_heap(run, &links, now);
	if (err == 0)
		err = purge_heap(run, &mails, now - config->retention_sent_mail_days * FY_DAY);
	if (err == 0)
		err = purge_heap(run, &messages, now - config->retention_contact_days * FY_DAY);
	if (err == 0)
		err = purge_heap(run, &proofs, now - proof_kept);
	if (err == 0)
		err = purge_heap(run, &requests, now - fy_rights_kept(config));
	if (err == 0)
		err = purge_heap(run, &asked, now - config->retention_access_log_days * FY_DAY);
	if (err == 0)
		err = purge_heap(run, &reads, now - config->retention_access_log_days * FY_DAY);
	if (err == 0)
		err = purge_heap(run, &changes, now);
	if (err == 0)
		err = purge_registrations(run, now - config->retention_unconfirmed_days * FY_DAY);
	if (err == 0 && !run->dry_run)
		err = fy_proofs_note(run->ctx, FY_PROOF_PURGE, FY_NONE, 0, 0);
	return err;
}
