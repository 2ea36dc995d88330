/* See inactive.h. Statements: sql/inactive.def. */
#include "storage/inactive.h"

#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

/* Days before the end at which each warning is due; the next one waits at least for the difference. */
static const int64_t days_before[FY_NOTICE_STEPS] = { 60, 30, 7 };
#define AFTER_BOUNCE (3 * FY_DAY)

fy_time fy_inactive_next(fy_time now, fy_time last_active_at, unsigned notices, int64_t keep_days)
{
	fy_time end = last_active_at + keep_days * FY_DAY;
	if (notices >= FY_NOTICE_STEPS || now < end - days_before[notices] * FY_DAY)
		return 0;
	fy_time least = now + days_before[notices] * FY_DAY;
	return end > least ? end : least;
}

fy_async int fy_inactive_list_due(struct fy_ctx *ctx, int64_t keep_days, uint64_t after, unsigned limit,
				  struct fy_inactive **ret_items, size_t *ret_count, uint64_t *ret_last_id)
{
	struct fy_sql_inactive_list_row *rows;
	size_t count;
	fy_time before = ctx->now - (keep_days - days_before[0]) * FY_DAY;
	int err = fy_sql_inactive_list(ctx,
				       &(struct fy_sql_inactive_list_params){ .active = FY_ACCOUNT_ACTIVE,
									      .sent = FY_MAIL_SENT,
									      .failed = FY_MAIL_FAILED,
									      .bounces = FY_NOTICE_BOUNCES - 1,
									      .now = ctx->now,
									      .before = before,
									      .before_confirmed = before,
									      .after_id = after,
									      .limit = limit },
				       &rows, &count);
	if (err)
		return err;
	*ret_items = fy_new_array(ctx->arena, struct fy_inactive, count + 1);
	*ret_count = 0;
	*ret_last_id = count == limit ? rows[count - 1].id : 0;
	for (size_t i = 0; i < count; i++) {
		const struct fy_sql_inactive_list_row *r = &rows[i];
		fy_time last = r->has_last_active_at ? r->last_active_at : r->confirmed_at;
		fy_time erase_at = fy_inactive_next(ctx->now, last, r->notices, keep_days);
		if (erase_at)
			(*ret_items)[(*ret_count)++] = (struct fy_inactive){ .id = r->id,
									     .notices = r->notices,
									     .owner = r->role == FY_ROLE_OWNER,
									     .last_at = last,
									     .lang = (enum fy_lang)r->language,
									     .erase_at = erase_at };
	}
	return 0;
}

struct warning {
	const struct fy_inactive *item;
	int (*letter)(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email, struct fy_personal given_name,
		      fy_time erase_at, struct fy_mail_new *ret_mail);
};

static fy_async int warn(struct fy_ctx *ctx, void *arg)
{
	const struct warning *w = arg;
	const struct fy_inactive *item = w->item;
	struct fy_sql_inactive_read_row row;
	struct fy_sql_outbox_insert_params mail_row;
	struct fy_mail_new mail;
	struct fy_person person;
	struct fy_personal email, given_name;
	struct fy_db_done done;
	unsigned step = item->notices;
	fy_time next =
		ctx->now + (days_before[step] - (step + 1 < FY_NOTICE_STEPS ? days_before[step + 1] : 0)) * FY_DAY;
	int err = fy_sql_inactive_read(ctx, &(struct fy_sql_inactive_read_params){ .id = item->id }, &row);
	if (err == 0)
		err = fy_person_open(ctx, row.id, row.master_key_id, row.wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, row.id, FY_PURPOSE_CONTACT, row.email,
					 &email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, row.id, FY_PURPOSE_CONTACT,
					 row.given_name, &given_name);
	if (err == 0)
		err = w->letter(ctx, item->lang, email, given_name, item->erase_at, &mail);
	if (err == 0)
		err = fy_outbox_row(ctx, &mail, &person, &mail_row);
	if (err == 0)
		err = fy_sql_outbox_insert(ctx, &mail_row, NULL);
	if (err == 0)
		err = fy_sql_inactive_note(ctx,
					   &(struct fy_sql_inactive_note_params){ .next_notice_at = next,
										  .notice_mail_id = mail_row.id,
										  .has_notice_mail_id = true,
										  .id = item->id,
										  .active = FY_ACCOUNT_ACTIVE,
										  .notices = (uint8_t)item->notices,
										  .last_active_at = item->last_at,
										  .confirmed_at = item->last_at },
					   &done);
	if (err == 0 && done.affected != 1)
		err = FY_ERR_NOT_FOUND;
	if (err == 0 && step + 1 == FY_NOTICE_STEPS)
		err = fy_erasure_ask(ctx, item->id, FY_ERASURE_INACTIVE, item->erase_at);
	return err;
}

fy_async int fy_inactive_warn(struct fy_ctx *ctx, const struct fy_inactive *item,
			      int (*letter)(struct fy_ctx *ctx, enum fy_lang lang, struct fy_personal email,
					    struct fy_personal given_name, fy_time erase_at,
					    struct fy_mail_new *ret_mail))
{
	struct warning w = { item, letter };
	return fy_repo_join(ctx, warn, &w);
}

fy_async int fy_inactive_count_bounced(struct fy_ctx *ctx, uint64_t *ret_bounced)
{
	struct fy_sql_inactive_count_failed_row row;
	int err = fy_sql_inactive_count_failed(
		ctx, &(struct fy_sql_inactive_count_failed_params){ .failed = FY_MAIL_FAILED }, &row);
	if (err == 0)
		*ret_bounced = (uint64_t)row.accounts;
	return err;
}

static fy_async int settle(struct fy_ctx *ctx, void *arg)
{
	uint64_t *bounced = arg;
	int err = fy_inactive_count_bounced(ctx, bounced);
	if (err == 0)
		err = fy_sql_inactive_settle_sent(
			ctx, &(struct fy_sql_inactive_settle_sent_params){ .sent = FY_MAIL_SENT }, NULL);
	if (err == 0)
		err = fy_sql_inactive_settle_hopeless(
			ctx,
			&(struct fy_sql_inactive_settle_hopeless_params){ .failed = FY_MAIL_FAILED,
									  .bounces = FY_NOTICE_BOUNCES - 1 },
			NULL);
	if (err == 0)
		err = fy_sql_inactive_settle_failed(
			ctx,
			&(struct fy_sql_inactive_settle_failed_params){ .again_at = ctx->now + AFTER_BOUNCE,
									.failed = FY_MAIL_FAILED },
			NULL);
	return err;
}

fy_async int fy_inactive_settle(struct fy_ctx *ctx, uint64_t *ret_bounced)
{
	return fy_repo_join(ctx, settle, ret_bounced);
}
