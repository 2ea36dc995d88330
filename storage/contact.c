/* Messages of the contact form (contact.h). A message and its mails are one coalesced unit: the busiest
 * durable write of the site. Statements: sql/contact_message.def. */
#include "storage/contact.h"

#include "foyer/require.h"
#include "storage/outbox.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

#define MAILS_MAX 2
#define PAGE_MAX 100

fy_async int fy_contact_add(struct fy_ctx *ctx, const struct fy_contact_new *message, const struct fy_mail_new *mails,
			    size_t mail_count, uint64_t *ret_id)
{
	FY_REQUIRE(mail_count <= MAILS_MAX);
	if (message->name.text.len > FY_CONTACT_NAME_MAX || message->email.text.len > FY_CONTACT_EMAIL_MAX ||
	    message->subject.text.len > FY_CONTACT_SUBJECT_MAX || message->message.text.len > FY_CONTACT_MESSAGE_MAX)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a field of the message is too long");
	struct fy_sql_contact_insert_params row = {
		.reference = message->reference,
		.name = message->name,
		.email = message->email,
		.subject = message->subject,
		.message = message->message,
		.consent_text_version = message->consent_text_version,
		.consented_at = ctx->now,
		.lang = (uint8_t)message->lang,
		.created_at = ctx->now,
	};
	struct fy_sql_outbox_insert_params mail_rows[MAILS_MAX];
	struct fy_db_insert unit[1 + MAILS_MAX] = { fy_sql_contact_insert_insert(&row) };
	for (size_t i = 0; i < mail_count; i++) {
		int err = fy_outbox_row(ctx, &mails[i], &mail_rows[i]);
		if (err)
			return err;
		unit[1 + i] = fy_sql_outbox_insert_insert(&mail_rows[i]);
	}
	uint64_t ids[1 + MAILS_MAX];
	int err = fy_db_unit(ctx, unit, 1 + mail_count, ids);
	if (err)
		return err;
	if (ret_id)
		*ret_id = ids[0];
	return 0;
}

/* The rows of the three reading statements have these members in common. */
#define MESSAGE_OF(row, message_text)                                                                             \
	(struct fy_contact_message)                                                                               \
	{                                                                                                         \
		.id = (row)->id, .state = (enum fy_contact_state)(row)->state, .lang = (enum fy_lang)(row)->lang, \
		.created_at = (row)->created_at, .consented_at = (row)->consented_at,                             \
		.closed_at = fy_repo_time((row)->has_closed_at, (row)->closed_at),                                \
		.consent_text_version = (row)->consent_text_version, .reference = (row)->reference,               \
		.name = (row)->name, .email = (row)->email, .subject = (row)->subject, .message = (message_text), \
	}

/* Cuts the row that was read beyond the limit: it only tells that there is a next page. */
static void end_page(struct fy_contact_page *page, unsigned limit)
{
	page->next_cursor = 0;
	if (page->count > limit) {
		page->count = limit;
		page->next_cursor = page->items[limit - 1].id;
	}
}

fy_async int fy_contact_list(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t cursor, unsigned limit,
			     struct fy_contact_page *ret_page)
{
	struct fy_contact_page page = { 0 };
	const struct fy_personal left_out = { FY_NONE };
	uint64_t before = cursor ? cursor : UINT64_MAX;
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	int err;
	if (state) {
		struct fy_sql_contact_list_state_row *rows;
		err = fy_sql_contact_list_state(ctx,
						&(struct fy_sql_contact_list_state_params){ .state = (uint8_t)state,
											    .before_id = before,
											    .limit = limit + 1 },
						&rows, &page.count);
		if (err)
			return err;
		page.items = fy_new_array(ctx->arena, struct fy_contact_message, page.count);
		for (size_t i = 0; i < page.count; i++)
			page.items[i] = MESSAGE_OF(&rows[i], left_out);
	} else {
		struct fy_sql_contact_list_row *rows;
		err = fy_sql_contact_list(
			ctx, &(struct fy_sql_contact_list_params){ .before_id = before, .limit = limit + 1 }, &rows,
			&page.count);
		if (err)
			return err;
		page.items = fy_new_array(ctx->arena, struct fy_contact_message, page.count);
		for (size_t i = 0; i < page.count; i++)
			page.items[i] = MESSAGE_OF(&rows[i], left_out);
	}
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

fy_async int fy_contact_get(struct fy_ctx *ctx, uint64_t id, struct fy_contact_message *ret_message)
{
	struct fy_sql_contact_get_row row;
	int err = fy_sql_contact_get(ctx, &(struct fy_sql_contact_get_params){ .id = id }, &row);
	if (err)
		return err;
	*ret_message = MESSAGE_OF(&row, row.message);
	return 0;
}

fy_async int fy_contact_count(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t *ret_count)
{
	struct fy_sql_contact_count_row row;
	int err = fy_sql_contact_count(
		ctx, &(struct fy_sql_contact_count_params){ .any_state = state == 0, .state = (uint8_t)state }, &row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.messages;
	return 0;
}

fy_async int fy_contact_set_state(struct fy_ctx *ctx, uint64_t id, enum fy_contact_state state)
{
	struct fy_db_done done;
	int err = fy_sql_contact_set_state(
		ctx,
		&(struct fy_sql_contact_set_state_params){ .state_new = (uint8_t)state,
							   .closed_at = ctx->now,
							   .has_closed_at = state != FY_CONTACT_OPEN,
							   .id = id,
							   .state_old = (uint8_t)state },
		&done);
	if (err || done.affected)
		return err;
	struct fy_sql_contact_exists_row row; /* it has that state already, or is not there */
	return fy_sql_contact_exists(ctx, &(struct fy_sql_contact_exists_params){ .id = id }, &row);
}

fy_async int fy_contact_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_contact_count_old_row row;
	int err = fy_sql_contact_count_old(
		ctx, &(struct fy_sql_contact_count_old_params){ .created_before = before, .closed_before = before },
		&row);
	if (err)
		return err;
	*ret_count = (uint64_t)row.messages;
	return 0;
}

fy_async int fy_contact_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				 size_t *ret_count)
{
	struct fy_sql_contact_list_old_row *rows;
	int err = fy_sql_contact_list_old(ctx,
					  &(struct fy_sql_contact_list_old_params){
						  .created_before = before, .closed_before = before, .limit = limit },
					  &rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

fy_async int fy_contact_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	struct fy_db_done done;
	int err = fy_sql_contact_purge(ctx,
				       &(struct fy_sql_contact_purge_params){
					       .created_before = before, .closed_before = before, .limit = limit },
				       &done);
	if (err)
		return err;
	*ret_deleted = done.affected;
	return 0;
}
