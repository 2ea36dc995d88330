/* The outbox (outbox.h): each step of a mail is one UPDATE that names the state it expects, so a worker
 * that lost its claim changes nothing.
 * The claim is (owner, attempts): attempts goes up with each claim, so a worker cannot mistake an
 * earlier claim of its own for the present one. Statements: sql/outbox.def. */
#include "storage/outbox.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/email_hash.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"
#include "storage/withheld.h"

#define CLAIM_MAX 100 /* `max` of outbox_due */
#define OWNER_MAX 64
#define WAITING_MAX 1000 /* `max` of outbox_waiting */
#define REASON_MAX 200

/* Waits before attempt 2, 3, …; the last one repeats. */
static const fy_time waits[] = {
	FY_MINUTE, 5 * FY_MINUTE, 30 * FY_MINUTE, 2 * FY_HOUR, 6 * FY_HOUR, 12 * FY_HOUR, FY_DAY,
};
#define GIVE_UP_AFTER (3 * FY_DAY)

/* More claims than the waits above can lead to: workers died while they sent it, so it may be what
 * kills them. */
#define ATTEMPTS_MAX 20

int fy_outbox_row(struct fy_ctx *ctx, const struct fy_mail_new *mail, const struct fy_person *person,
		  struct fy_sql_outbox_insert_params *ret_row)
{
	uint64_t id = fy_id_new(ctx);
	fy_time clock = fy_clock(),
		now = ctx->now < clock ? ctx->now : clock; /* what a moved clock writes goes today */
	if (!mail->to_address.text.len || !mail->template_name.len)
		return fy_fail(ctx, FY_ERR_INVALID, "a mail needs a template name and an address");
	if (mail->to_address.text.len > FY_MAIL_ADDRESS_MAX || mail->fields.text.len > FY_MAIL_FIELDS_MAX)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a part of the mail is too long");
	*ret_row = (struct fy_sql_outbox_insert_params){
		.id = id,
		.person_id = person->id,
		.template_name = mail->template_name,
		.lang = (uint8_t)mail->lang,
		.consent = (uint8_t)mail->consent,
		.to_address = fy_seal(ctx, person, FY_COLUMN_OUTBOX_TO_ADDRESS, id, mail->to_address.text),
		.fields = fy_seal(ctx, person, FY_COLUMN_OUTBOX_FIELDS, id, mail->fields.text),
		.created_at = now,
		.next_attempt_at = now,
	};
	return 0;
}

fy_async int fy_outbox_add(struct fy_ctx *ctx, const struct fy_mail_new *mail)
{
	struct fy_sql_outbox_insert_params row;
	struct fy_person person;
	int err = fy_persons_get(ctx, mail->person_id, &person);
	if (err == 0)
		err = fy_outbox_row(ctx, mail, &person, &row);
	if (err)
		return err;
	return fy_sql_outbox_insert(ctx, &row, NULL);
}

/* A mail of somebody who was entered goes to them or to the adult: to whom, only its address says. */
static bool is_to(struct fy_ctx *ctx, struct fy_personal address, struct fy_slice email_hash)
{
	uint8_t hash[FY_HASH_BYTES];
	return fy_email_hash(ctx, address.text, NULL, hash) == 0 && fy_eq(fy_slice(hash, sizeof hash), email_hash);
}

fy_async int fy_outbox_list_waiting(struct fy_ctx *ctx, struct fy_slice email_hash,
				    struct fy_outbox_waiting **ret_mails, size_t *ret_count)
{
	struct fy_sql_outbox_waiting_row *rows;
	const struct fy_personal hash = { email_hash };
	const struct fy_sql_outbox_waiting_params params = { .of_account = hash,
							     .of_messages = hash,
							     .of_links = hash,
							     .of_requests = hash,
							     .of_own_requests = hash,
							     .of_entered = hash,
							     .of_adult = hash,
							     .limit = WAITING_MAX };
	size_t count;
	int err = fy_sql_outbox_waiting(ctx, &params, &rows, &count);
	if (err)
		return err;
	*ret_mails = fy_new_array(ctx->arena, struct fy_outbox_waiting, count + 1);
	*ret_count = 0;
	for (size_t i = 0; i < count && err == 0; i++) {
		struct fy_outbox_waiting mail = { .id = rows[i].id, .created_at = rows[i].created_at };
		struct fy_person person;
		err = fy_person_open(ctx, rows[i].person_id, rows[i].master_key_id, rows[i].wrapped, &person);
		if (err == 0)
			err = fy_unseal_personal(ctx, &person, FY_COLUMN_OUTBOX_TO_ADDRESS, mail.id, FY_PURPOSE_RIGHTS,
						 rows[i].to_address, &mail.to_address);
		if (err == 0 && is_to(ctx, mail.to_address, email_hash))
			(*ret_mails)[(*ret_count)++] = mail;
		if (err == FY_ERR_UNREADABLE) /* the mail job gives it up, and says so */
			err = 0;
	}
	return err;
}

static fy_async int end_row(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail,
			    enum fy_mail_state state, struct fy_slice reason)
{
	struct fy_db_done done;
	int err = fy_sql_outbox_end(ctx,
				    &(struct fy_sql_outbox_end_params){ .state = (uint8_t)state,
									.ended_at = ctx->now,
									.last_error = fy_repo_or_null(reason),
									.id = mail->id,
									.claimed_by = owner,
									.attempts = (uint16_t)mail->attempts },
				    &done);
	if (err)
		return err;
	return done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}

struct ending {
	struct fy_slice owner;
	const struct fy_outbox_mail *mail;
	enum fy_mail_state state;
	struct fy_slice reason;
};

static fy_async int end_with_person(struct fy_ctx *ctx, void *arg)
{
	const struct ending *e = arg;
	int err = end_row(ctx, e->owner, e->mail, e->state, e->reason);
	return err ? err : fy_persons_destroy(ctx, e->mail->person_id);
}

static fy_async int end(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail,
			enum fy_mail_state state, struct fy_slice reason)
{
	struct ending e = { owner, mail, state, reason };
	return mail->ends_person ? fy_repo_join(ctx, end_with_person, &e) : end_row(ctx, owner, mail, state, reason);
}

/* A mail is the person's own: it was written for a purpose when it was queued, and is carried to nobody else. What rests
 * on a consent must still rest on it now: FY_ERR_DENIED. */
static int open_mail(struct fy_ctx *ctx, const struct fy_sql_outbox_get_claimed_row *row, struct fy_outbox_mail *mail)
{
	enum fy_register_purpose purpose = FY_PURPOSE_RIGHTS;
	struct fy_person person;
	if (mail->consent >= FY_CONSENT_PURPOSES)
		return fy_fail(ctx, FY_ERR_UNREADABLE, "mail %llu rests on a consent that is not known",
			       (unsigned long long)mail->id);
	if (mail->consent)
		purpose = fy_withheld_purpose(mail->consent);
	int err = fy_person_open(ctx, mail->person_id, row->master_key_id, row->wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_OUTBOX_TO_ADDRESS, mail->id, purpose, row->to_address,
					 &mail->to_address);
	if (err == 0)
		err = fy_unseal(ctx, &person, FY_COLUMN_OUTBOX_FIELDS, mail->id, purpose, row->fields,
				&mail->fields.text);
	return err;
}

/* What cannot be opened will not open later either. */
static fy_async int give_up(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail, int err)
{
	struct fy_slice reason = FY_LIT("its person or its seal is gone");
	if (err == FY_ERR_DENIED) {
		reason = FY_LIT("its person does not allow it any more");
		fy_log(ctx, FY_LOG_INFO, "mail.withheld", FY_KV("mail", mail->id),
		       FY_KV("template", mail->template_name));
	} else {
		fy_log(ctx, FY_LOG_ERROR, "mail.unreadable", FY_KV("mail", mail->id), FY_KV("detail", ctx->fault));
	}
	return end(ctx, owner, mail, FY_MAIL_FAILED, reason);
}

/* Claims one due mail and reads it. FY_ERR_BUSY: it is not ours to send. */
static fy_async int claim_one(struct fy_ctx *ctx, struct fy_slice owner, fy_time claim_for,
			      const struct fy_sql_outbox_due_row *due, struct fy_outbox_mail *ret_mail)
{
	struct fy_db_done done;
	int err = fy_sql_outbox_claim(ctx,
				      &(struct fy_sql_outbox_claim_params){ .claimed_by = owner,
									    .lapses_at = ctx->now + claim_for,
									    .id = due->id,
									    .attempts = due->attempts,
									    .now = ctx->now },
				      &done);
	if (err == FY_ERR_CONFLICT || (!err && done.affected != 1))
		return FY_ERR_BUSY; /* CONFLICT: lost against another node of the cluster */
	if (err)
		return err;
	struct fy_sql_outbox_get_claimed_row row;
	uint16_t attempts = (uint16_t)(due->attempts + 1);
	err = fy_sql_outbox_get_claimed(
		ctx,
		&(struct fy_sql_outbox_get_claimed_params){ .id = due->id, .claimed_by = owner, .attempts = attempts },
		&row);
	if (err == FY_ERR_NOT_FOUND)
		return FY_ERR_BUSY; /* the claim has lapsed already, or the mail was deleted */
	if (err)
		return err;
	*ret_mail = (struct fy_outbox_mail){
		.id = due->id,
		.person_id = row.person_id,
		.ends_person = row.ends_person,
		.attempts = attempts,
		.lang = (enum fy_lang)row.lang,
		.consent = (enum fy_consent_purpose)row.consent,
		.created_at = row.created_at,
		.template_name = row.template_name,
	};
	if (attempts > ATTEMPTS_MAX) {
		err = end(ctx, owner, ret_mail, FY_MAIL_FAILED, FY_LIT("too many attempts were cut off"));
		return err ? err : FY_ERR_BUSY;
	}
	err = open_mail(ctx, &row, ret_mail);
	if (err == 0)
		return 0;
	err = give_up(ctx, owner, ret_mail, err);
	return err ? err : FY_ERR_BUSY;
}

fy_async int fy_outbox_claim(struct fy_ctx *ctx, struct fy_slice owner, fy_time claim_for, unsigned limit,
			     struct fy_outbox_mail **ret_mails, size_t *ret_count)
{
	FY_REQUIRE(owner.len && owner.len <= OWNER_MAX && claim_for > 0);
	struct fy_sql_outbox_due_row *due;
	size_t due_count;
	int err = fy_sql_outbox_due(
		ctx,
		&(struct fy_sql_outbox_due_params){ .now = ctx->now, .limit = limit < CLAIM_MAX ? limit : CLAIM_MAX },
		&due, &due_count);
	if (err)
		return err;
	struct fy_outbox_mail *mails = fy_new_array(ctx->arena, struct fy_outbox_mail, due_count);
	size_t count = 0;
	for (size_t i = 0; i < due_count; i++) {
		err = claim_one(ctx, owner, claim_for, &due[i], &mails[count]);
		if (!err)
			count++;
		else if (err != FY_ERR_BUSY)
			break;
	}
	if (err && err != FY_ERR_BUSY && count == 0)
		return err;
	*ret_mails = mails; /* what was claimed before an error is handed out: it must be sent */
	*ret_count = count;
	return 0;
}

fy_async int fy_outbox_unclaim(struct fy_ctx *ctx, bool (*gone)(struct fy_slice owner), uint64_t *ret_mails)
{
	struct fy_sql_outbox_claimants_row *rows;
	size_t count;
	int err = fy_sql_outbox_claimants(ctx, &rows, &count);
	*ret_mails = 0;
	for (size_t i = 0; i < count && !err; i++) {
		struct fy_db_done done = { 0 };
		if (!rows[i].claimed_by.len || !gone(rows[i].claimed_by))
			continue;
		err = fy_sql_outbox_unclaim(
			ctx,
			&(struct fy_sql_outbox_unclaim_params){ .now = ctx->now, .claimed_by = rows[i].claimed_by },
			&done);
		*ret_mails += done.affected;
	}
	return err;
}

fy_async int fy_outbox_sent(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail)
{
	return end(ctx, owner, mail, FY_MAIL_SENT, FY_NONE);
}

fy_time fy_outbox_next_attempt(fy_time created_at, fy_time now, unsigned attempts)
{
	size_t i = attempts > 0 ? attempts - 1 : 0;
	if (i >= FY_COUNT(waits))
		i = FY_COUNT(waits) - 1;
	fy_time next = now + waits[i];
	return next <= created_at + GIVE_UP_AFTER ? next : 0;
}

fy_async int fy_outbox_failed(struct fy_ctx *ctx, struct fy_slice owner, const struct fy_outbox_mail *mail,
			      struct fy_slice reason, bool permanent, bool *ret_final)
{
	fy_time next = permanent ? 0 : fy_outbox_next_attempt(mail->created_at, ctx->now, mail->attempts);
	int err;
	reason = fy_repo_cut(reason, REASON_MAX);
	if (next) {
		struct fy_db_done done;
		err = fy_sql_outbox_retry(ctx,
					  &(struct fy_sql_outbox_retry_params){ .next_attempt_at = next,
										.last_error = fy_repo_or_null(reason),
										.id = mail->id,
										.claimed_by = owner,
										.attempts = (uint16_t)mail->attempts },
					  &done);
		if (!err && done.affected != 1)
			err = FY_ERR_EXPIRED;
	} else {
		err = end(ctx, owner, mail, FY_MAIL_FAILED, reason);
	}
	if (!err && ret_final)
		*ret_final = next == 0;
	return err;
}

fy_async int fy_outbox_count(struct fy_ctx *ctx, struct fy_outbox_counts *ret_counts)
{
	struct fy_outbox_counts counts = { 0 };
	struct fy_sql_outbox_count_row *rows;
	size_t count;
	int err = fy_sql_outbox_count(ctx, &rows, &count);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		switch (rows[i].state) {
		case FY_MAIL_QUEUED:
			counts.queued = (uint64_t)rows[i].mails;
			break;
		case FY_MAIL_SENDING:
			counts.sending = (uint64_t)rows[i].mails;
			break;
		case FY_MAIL_SENT:
			counts.sent = (uint64_t)rows[i].mails;
			break;
		case FY_MAIL_FAILED:
			counts.failed = (uint64_t)rows[i].mails;
			break;
		default:
			break;
		}
	}
	struct fy_sql_outbox_oldest_queued_row oldest;
	err = fy_sql_outbox_oldest_queued(ctx, &oldest);
	if (err)
		return err;
	counts.oldest_queued_at = fy_repo_time(oldest.has_oldest, oldest.oldest);
	*ret_counts = counts;
	return 0;
}

fy_async int fy_outbox_count_due(struct fy_ctx *ctx, uint64_t *ret_count)
{
	struct fy_sql_outbox_count_due_row row;
	int err = fy_sql_outbox_count_due(ctx, &(struct fy_sql_outbox_count_due_params){ .now = ctx->now }, &row);
	if (err == 0)
		*ret_count = (uint64_t)row.mails;
	return err;
}

fy_async int fy_outbox_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_outbox_count_old_row row;
	int err = fy_sql_outbox_count_old(ctx, &(struct fy_sql_outbox_count_old_params){ .before = before }, &row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.mails;
	return 0;
}

fy_async int fy_outbox_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count)
{
	struct fy_sql_outbox_list_old_row *rows;
	int err = fy_sql_outbox_list_old(
		ctx, &(struct fy_sql_outbox_list_old_params){ .before = before, .limit = limit }, &rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_outbox_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct fy_db_done done;
	int err = fy_sql_outbox_purge(ctx, &(struct fy_sql_outbox_purge_params){ .before = before, .limit = limit },
				      &done);
	if (err)
		return err;
	*ret_deleted = done.affected;
	return 0;
}
