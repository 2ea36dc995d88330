/* Messages of the contact form (contact.h). A message and its mails are one coalesced unit: the busiest
 * durable write of the site. Statements: sql/contact_message.def. */
#include "storage/contact.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/email_hash.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

#define MAILS_MAX 2
#define PAGE_MAX 100

static fy_async int add(struct fy_ctx *ctx, const struct fy_contact_new *message, const struct fy_mail_new *mails,
			size_t mail_count, uint64_t *ret_id)
{
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	struct fy_sql_outbox_insert_params mail_rows[MAILS_MAX];
	uint8_t hash[FY_HASH_BYTES];
	uint64_t id = fy_id_new(ctx);
	int err = fy_email_hash(ctx, message->email.text, NULL, hash);
	if (err)
		return err;
	fy_person_new(ctx, id, &person, &key);
	struct fy_sql_contact_insert_params row = {
		.id = id,
		.reference = message->reference,
		.name = fy_seal(ctx, &person, FY_COLUMN_CONTACT_MESSAGE_NAME, id, message->name.text),
		.email = fy_seal(ctx, &person, FY_COLUMN_CONTACT_MESSAGE_EMAIL, id, message->email.text),
		.email_hash = { fy_slice(hash, sizeof hash) },
		.subject = fy_seal(ctx, &person, FY_COLUMN_CONTACT_MESSAGE_SUBJECT, id, message->subject.text),
		.message = fy_seal(ctx, &person, FY_COLUMN_CONTACT_MESSAGE_MESSAGE, id, message->message.text),
		.consent_text_version = message->consent_text_version,
		.consented_at = ctx->now,
		.lang = (uint8_t)message->lang,
		.created_at = ctx->now,
	};
	struct fy_db_insert unit[2 + MAILS_MAX] = { fy_sql_person_key_insert_insert(&key),
						    fy_sql_contact_insert_insert(&row) };
	for (size_t i = 0; i < mail_count; i++) {
		err = fy_outbox_row(ctx, &mails[i], &person, &mail_rows[i]);
		if (err)
			return err;
		unit[2 + i] = fy_sql_outbox_insert_insert(&mail_rows[i]);
	}
	err = fy_db_unit(ctx, unit, 2 + mail_count, NULL);
	if (err == 0 && ret_id)
		*ret_id = id;
	return err;
}

fy_async int fy_contact_add(struct fy_ctx *ctx, const struct fy_contact_new *message, const struct fy_mail_new *mails,
			    size_t mail_count, uint64_t *ret_id)
{
	unsigned tries = 0;
	int err;
	FY_REQUIRE(mail_count <= MAILS_MAX);
	if (message->name.text.len > FY_CONTACT_NAME_MAX || message->email.text.len > FY_CONTACT_EMAIL_MAX ||
	    message->subject.text.len > FY_CONTACT_SUBJECT_MAX || message->message.text.len > FY_CONTACT_MESSAGE_MAX)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a field of the message is too long");
	do
		err = add(ctx, message, mails, mail_count, ret_id);
	while (fy_persons_again(ctx, err, &tries));
	return err;
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

/* All, or those of one state: the rows have the same members. */
static fy_async int list_rows(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t before, unsigned limit,
			      struct fy_sql_contact_list_row **ret_rows, size_t *ret_count)
{
	struct fy_sql_contact_list_state_row *of_state;
	_Static_assert(sizeof *of_state == sizeof **ret_rows, "the rows have the same members");
	if (state == 0)
		return fy_sql_contact_list(ctx,
					   &(struct fy_sql_contact_list_params){ .before_id = before, .limit = limit },
					   ret_rows, ret_count);
	int err = fy_sql_contact_list_state(ctx,
					    &(struct fy_sql_contact_list_state_params){
						    .state = (uint8_t)state, .before_id = before, .limit = limit },
					    &of_state, ret_count);
	if (err)
		return err;
	*ret_rows = fy_new_array(ctx->arena, struct fy_sql_contact_list_row, *ret_count + 1);
	memcpy(*ret_rows, of_state, *ret_count * sizeof **ret_rows);
	return 0;
}

fy_async int fy_contact_list(struct fy_ctx *ctx, enum fy_contact_state state, uint64_t cursor, unsigned limit,
			     struct fy_contact_page *ret_page)
{
	struct fy_contact_page page = { 0 };
	struct fy_sql_contact_list_row *rows;
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	int err = list_rows(ctx, state, cursor ? cursor : UINT64_MAX, limit + 1, &rows, &page.count);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_contact_head, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		page.items[i] = (struct fy_contact_head){
			.id = rows[i].id,
			.state = (enum fy_contact_state)rows[i].state,
			.created_at = rows[i].created_at,
			.reference = rows[i].reference,
		};
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

/* What is not sealed of it is there also after FY_ERR_UNREADABLE. */
static int open_message(struct fy_ctx *ctx, const struct fy_sql_contact_get_row *row, enum fy_register_purpose purpose,
			struct fy_contact_message *ret_message)
{
	struct fy_person person;
	struct fy_contact_message m = {
		.id = row->id,
		.state = (enum fy_contact_state)row->state,
		.lang = (enum fy_lang)row->lang,
		.created_at = row->created_at,
		.consented_at = row->consented_at,
		.closed_at = fy_repo_time(row->has_closed_at, row->closed_at),
		.consent_text_version = row->consent_text_version,
		.reference = row->reference,
	};
	const struct {
		enum fy_register_column column;
		struct fy_sealed sealed;
		struct fy_personal *to;
	} fields[] = {
		{ FY_COLUMN_CONTACT_MESSAGE_NAME, row->name, &m.name },
		{ FY_COLUMN_CONTACT_MESSAGE_EMAIL, row->email, &m.email },
		{ FY_COLUMN_CONTACT_MESSAGE_SUBJECT, row->subject, &m.subject },
		{ FY_COLUMN_CONTACT_MESSAGE_MESSAGE, row->message, &m.message },
	};
	*ret_message = m;
	int err = fy_person_open(ctx, row->id, row->master_key_id, row->wrapped, &person);
	for (size_t i = 0; i < FY_COUNT(fields) && err == 0; i++)
		err = fy_unseal_personal(ctx, &person, fields[i].column, m.id, purpose, fields[i].sealed, fields[i].to);
	if (err == 0)
		*ret_message = m;
	return err;
}

fy_async int fy_contact_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			    struct fy_contact_message *ret_message)
{
	struct fy_sql_contact_get_row row;
	struct fy_contact_message message = { 0 };
	int err = fy_sql_contact_get(ctx, id, &row);
	if (err == 0)
		err = open_message(ctx, &row, purpose, &message);
	if (err == 0 || err == FY_ERR_DENIED)
		*ret_message = message;
	return err;
}

fy_async int fy_contact_list_email(struct fy_ctx *ctx, struct fy_slice email_hash, unsigned limit, uint64_t **ret_ids,
				   size_t *ret_count)
{
	struct fy_sql_contact_list_email_row *rows;
	size_t count;
	int err = fy_sql_contact_list_email(
		ctx, &(struct fy_sql_contact_list_email_params){ .email_hash = { email_hash }, .limit = limit + 1 },
		&rows, &count);
	if (err)
		return err;
	if (count > limit)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "more than %u messages", limit);
	*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, count);
	*ret_count = count;
	return 0;
}

fy_async int fy_contact_get_each(struct fy_ctx *ctx, const uint64_t *ids, size_t count,
				 enum fy_register_purpose purpose, struct fy_contact_message **ret_messages,
				 size_t *ret_count)
{
	struct fy_sql_contact_get_row *rows = fy_new_array(ctx->arena, struct fy_sql_contact_get_row, count + 1);
	bool *found = fy_new_array(ctx->arena, bool, count + 1);
	int err = fy_sql_contact_get_each(ctx, ids, count, rows, found);
	if (err)
		return err;
	struct fy_contact_message *messages = fy_new_array(ctx->arena, struct fy_contact_message, count + 1);
	size_t opened = 0;
	for (size_t i = 0; i < count; i++) {
		err = found[i] ? open_message(ctx, &rows[i], purpose, &messages[opened]) : 0;
		if (err == FY_ERR_UNREADABLE) { /* one damaged message does not hide the others */
			fy_log(ctx, FY_LOG_ERROR, "contact.unreadable", FY_KV("detail", ctx->fault));
			messages[opened].unreadable = true;
			err = 0;
		}
		if (err)
			return err;
		opened += found[i];
	}
	*ret_messages = messages;
	*ret_count = opened;
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

/* One that was reopened or closed meanwhile stays. */
static fy_async int take_old(struct fy_ctx *ctx, uint64_t id, fy_time before, bool *ret_taken)
{
	struct fy_db_done done;
	int err = fy_sql_contact_purge_one(ctx,
					   &(struct fy_sql_contact_purge_one_params){
						   .id = id, .created_before = before, .closed_before = before },
					   &done);
	*ret_taken = err == 0 && done.affected;
	return err;
}

fy_async int fy_contact_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	static const struct fy_persons_heap old = { fy_contact_list_old, take_old };
	return fy_persons_purge(ctx, &old, before, limit, ret_deleted);
}
