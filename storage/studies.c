/* See studies.h. Statements: sql/study.def. */
#include "storage/studies.h"

#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"
#include "storage/withdrawal.h"

#define PAGE_MAX 100
#define CONSENT FY_CONSENT_MARKET_RESEARCH

#define TEXTS(t)                                                                                                  \
	.title_fr = (t)->title[FY_LANG_FR], .title_en = (t)->title[FY_LANG_EN], .text_fr = (t)->text[FY_LANG_FR], \
	.text_en = (t)->text[FY_LANG_EN], .link = (t)->link

fy_async int fy_studies_add(struct fy_ctx *ctx, const struct fy_study_text *text, uint64_t by_account_id,
			    uint64_t *ret_id)
{
	struct fy_db_done done;
	int err = fy_sql_study_insert(ctx,
				      &(struct fy_sql_study_insert_params){ TEXTS(text), .created_at = ctx->now,
									    .created_by = by_account_id },
				      &done);
	if (err == 0)
		*ret_id = done.insert_id;
	return err;
}

fy_async int fy_studies_get(struct fy_ctx *ctx, uint64_t id, struct fy_study *ret_study)
{
	struct fy_sql_study_get_row row;
	int err = fy_sql_study_get(ctx, &(struct fy_sql_study_get_params){ .id = id }, &row);
	if (err)
		return err;
	*ret_study = (struct fy_study){
		.id = row.id,
		.version = row.version,
		.state = (enum fy_study_state)row.state,
		.text = { .title = { [FY_LANG_FR] = row.title_fr, [FY_LANG_EN] = row.title_en },
			  .text = { [FY_LANG_FR] = row.text_fr, [FY_LANG_EN] = row.text_en },
			  .link = row.link },
		.created_at = row.created_at,
		.sent_at = fy_repo_time(row.has_sent_at, row.sent_at),
		.ended_at = fy_repo_time(row.has_ended_at, row.ended_at),
		.created_by = row.created_by,
		.sent_by = row.has_sent_by ? row.sent_by : 0,
		.stopped_by = row.has_stopped_by ? row.stopped_by : 0,
		.telling = { .counted = row.has_persons,
			     .ended = row.has_ended_at,
			     .persons = row.has_persons ? row.persons : 0,
			     .told = row.told,
			     .cursor = row.cursor_id },
	};
	return 0;
}

fy_async int fy_studies_list(struct fy_ctx *ctx, uint64_t cursor, unsigned limit, struct fy_study_page *ret_page)
{
	struct fy_sql_study_list_row *rows;
	struct fy_study_page page = { 0 };
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	int err = fy_sql_study_list(
		ctx,
		&(struct fy_sql_study_list_params){ .before_id = cursor ? cursor : UINT64_MAX, .limit = limit + 1 },
		&rows, &page.count);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_study_line, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		page.items[i] = (struct fy_study_line){
			.id = rows[i].id,
			.state = (enum fy_study_state)rows[i].state,
			.title = { [FY_LANG_FR] = rows[i].title_fr, [FY_LANG_EN] = rows[i].title_en },
			.sent_at = fy_repo_time(rows[i].has_sent_at, rows[i].sent_at),
			.told = rows[i].told,
		};
	if (page.count > limit) { /* the last row only tells that there is a next page */
		page.count = limit;
		page.next_cursor = page.items[limit - 1].id;
	}
	*ret_page = page;
	return 0;
}

fy_async int fy_studies_agreed(struct fy_ctx *ctx, uint64_t *ret_persons)
{
	struct fy_sql_study_agreed_row row;
	int err = fy_sql_study_agreed(
		ctx, &(struct fy_sql_study_agreed_params){ .purpose = CONSENT, .active = FY_ACCOUNT_ACTIVE }, &row);
	if (err == 0)
		*ret_persons = (uint64_t)row.persons;
	return err;
}

/* Nothing was changed: it is gone, or is not what its reader saw. */
static fy_async int settle(struct fy_ctx *ctx, uint64_t id, int err, const struct fy_db_done *done)
{
	struct fy_study now;
	if (err || done->affected)
		return err;
	err = fy_studies_get(ctx, id, &now);
	return err ? err : FY_ERR_CONFLICT;
}

fy_async int fy_studies_save(struct fy_ctx *ctx, uint64_t id, uint32_t version, const struct fy_study_text *text)
{
	struct fy_db_done done;
	int err = fy_sql_study_save(
		ctx, &(struct fy_sql_study_save_params){ TEXTS(text), .id = id, .version = version }, &done);
	return settle(ctx, id, err, &done);
}

fy_async int fy_studies_send(struct fy_ctx *ctx, uint64_t id, uint32_t version, uint64_t by_account_id)
{
	struct fy_db_done done;
	int err =
		fy_sql_study_send(ctx,
				  &(struct fy_sql_study_send_params){
					  .sent_at = ctx->now, .sent_by = by_account_id, .id = id, .version = version },
				  &done);
	return settle(ctx, id, err, &done);
}

fy_async int fy_studies_stop(struct fy_ctx *ctx, uint64_t id, uint64_t by_account_id)
{
	struct fy_db_done done;
	int err = fy_sql_study_stop(
		ctx, &(struct fy_sql_study_stop_params){ .ended_at = ctx->now, .stopped_by = by_account_id, .id = id },
		&done);
	return settle(ctx, id, err, &done);
}

/* ---- For the job ---- */

fy_async int fy_studies_under_way(struct fy_ctx *ctx, struct fy_study **ret_studies, size_t *ret_count)
{
	struct fy_sql_study_under_way_row *rows;
	size_t count;
	int err = fy_sql_study_under_way(ctx, &rows, &count);
	if (err)
		return err;
	struct fy_study *studies = fy_new_array(ctx->arena, struct fy_study, count + 1);
	for (size_t i = 0; i < count && err == 0; i++)
		err = fy_studies_get(ctx, rows[i].id, &studies[i]);
	if (err)
		return err;
	*ret_studies = studies;
	*ret_count = count;
	return 0;
}

fy_async int fy_studies_people(struct fy_ctx *ctx, uint64_t after, unsigned limit, struct fy_study_person **ret_people,
			       size_t *ret_count, uint64_t *ret_last)
{
	struct fy_sql_study_people_row *rows;
	size_t count;
	int err = fy_sql_study_people(
		ctx,
		&(struct fy_sql_study_people_params){
			.purpose = CONSENT, .active = FY_ACCOUNT_ACTIVE, .after_id = after, .limit = limit },
		&rows, &count);
	if (err)
		return err;
	struct fy_study_person *people = fy_new_array(ctx->arena, struct fy_study_person, count + 1);
	for (size_t i = 0; i < count; i++)
		people[i] = (struct fy_study_person){ .id = rows[i].id, .lang = (enum fy_lang)rows[i].language };
	*ret_people = people;
	*ret_count = count;
	*ret_last = count == limit ? rows[count - 1].id : 0;
	return 0;
}

fy_async int fy_studies_count(struct fy_ctx *ctx, const struct fy_study *study)
{
	return fy_sql_study_count(
		ctx,
		&(struct fy_sql_study_count_params){ .persons = (uint32_t)study->telling.persons, .id = study->id },
		NULL);
}

static fy_async int move(struct fy_ctx *ctx, const struct fy_study *study, uint64_t to, uint32_t told)
{
	struct fy_db_done done;
	int err = fy_sql_study_move(
		ctx,
		&(struct fy_sql_study_move_params){
			.to_id = to, .told = told, .id = study->id, .from_id = study->telling.cursor },
		&done);
	return err ? err : done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}

struct telling {
	const struct fy_study *study;
	const struct fy_study_person *person;
	fy_study_letter letter;
};

static fy_async int tell(struct fy_ctx *ctx, void *arg)
{
	const struct telling *t = arg;
	const enum fy_register_purpose purpose = FY_PURPOSE_MARKET_RESEARCH;
	uint64_t id = t->person->id;
	struct fy_study_recipient to = { .lang = t->person->lang };
	struct fy_sql_study_person_row row;
	struct fy_sql_outbox_insert_params mail_row;
	struct fy_mail_new mail;
	struct fy_person person;
	int err = fy_sql_study_person(
		ctx, &(struct fy_sql_study_person_params){ .id = id, .active = FY_ACCOUNT_ACTIVE, .purpose = CONSENT },
		&row);
	if (err == 0)
		err = fy_person_open(ctx, id, row.master_key_id, row.wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, id, purpose, row.email, &to.email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, id, purpose, row.given_name,
					 &to.given_name);
	if (err)
		return err;
	to.agreed_at = row.decided_at;
	to.withdrawal = fy_withdrawal_token(ctx, &person, CONSENT);
	err = t->letter(ctx, &t->study->text, &to, &mail);
	if (err == 0)
		err = fy_outbox_row(ctx, &mail, &person, &mail_row);
	if (err == 0)
		err = fy_sql_outbox_insert(ctx, &mail_row, NULL);
	return err ? err : move(ctx, t->study, id, 1);
}

fy_async int fy_studies_tell(struct fy_ctx *ctx, struct fy_study *study, const struct fy_study_person *person,
			     fy_study_letter letter)
{
	struct telling t = { study, person, letter };
	int err = fy_repo_join(ctx, tell, &t);
	if (err == 0) {
		study->telling.cursor = person->id;
		study->telling.told++;
	}
	return err;
}

fy_async int fy_studies_pass(struct fy_ctx *ctx, struct fy_study *study, uint64_t id)
{
	int err = move(ctx, study, id, 0);
	if (err == 0)
		study->telling.cursor = id;
	return err;
}

fy_async int fy_studies_end(struct fy_ctx *ctx, const struct fy_study *study)
{
	struct fy_db_done done;
	int err = fy_sql_study_end(ctx, &(struct fy_sql_study_end_params){ .ended_at = ctx->now, .id = study->id },
				   &done);
	return err ? err : done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}
