/* See breaches.h. Statements: sql/breach.def. */
#include "storage/breaches.h"

#include "storage/repo.h"
#include "storage/statements.h"

#define PAGE_MAX 100
#define STEPS_MAX 1000

/* What the two writing statements have in common. */
#define FACTS(f)                                                                                                 \
	.title = (f)->title, .discovered_at = (f)->discovered_at, .aware_at = (f)->aware_at,                     \
	.occurred_from = (f)->occurred_from, .has_occurred_from = (f)->occurred_from != 0,                       \
	.occurred_to = (f)->occurred_to, .has_occurred_to = (f)->occurred_to != 0,                               \
	.confidentiality = (f)->confidentiality, .integrity = (f)->integrity, .availability = (f)->availability, \
	.persons = (f)->persons, .has_persons = (f)->has_persons, .persons_categories = (f)->persons_categories, \
	.records = (f)->records, .has_records = (f)->has_records, .data_categories = (f)->data_categories,       \
	.nature = (f)->nature, .consequences = (f)->consequences, .measures_taken = (f)->measures_taken,         \
	.measures_planned = (f)->measures_planned, .risk = (uint8_t)(f)->risk

static fy_async int note(struct fy_ctx *ctx, uint64_t id, uint64_t by_account_id, enum fy_breach_act act)
{
	return fy_sql_breach_step_insert(
		ctx,
		&(struct fy_sql_breach_step_insert_params){
			.at = ctx->now, .by_account_id = by_account_id, .act = (uint8_t)act, .breach_id = id },
		NULL);
}

struct recording {
	const struct fy_breach_facts *facts;
	uint64_t by_account_id, id;
};

static fy_async int record(struct fy_ctx *ctx, void *arg)
{
	struct recording *r = arg;
	struct fy_db_done done;
	int err = fy_sql_breach_insert(ctx,
				       &(struct fy_sql_breach_insert_params){ FACTS(r->facts), .created_at = ctx->now,
									      .created_by = r->by_account_id },
				       &done);
	r->id = done.insert_id;
	return err ? err : note(ctx, r->id, r->by_account_id, FY_BREACH_RECORDED);
}

fy_async int fy_breaches_add(struct fy_ctx *ctx, const struct fy_breach_facts *facts, uint64_t by_account_id,
			     uint64_t *ret_id)
{
	struct recording r = { .facts = facts, .by_account_id = by_account_id };
	int err = fy_repo_join(ctx, record, &r);
	if (err == 0)
		*ret_id = r.id;
	return err;
}

fy_async int fy_breaches_steps(struct fy_ctx *ctx, uint64_t id, struct fy_breach_step **ret_steps, size_t *ret_count)
{
	struct fy_sql_breach_step_list_row *rows;
	int err = fy_sql_breach_step_list(
		ctx, &(struct fy_sql_breach_step_list_params){ .breach_id = id, .limit = STEPS_MAX }, &rows, ret_count);
	if (err)
		return err;
	struct fy_breach_step *steps = fy_new_array(ctx->arena, struct fy_breach_step, *ret_count + 1);
	for (size_t i = 0; i < *ret_count; i++)
		steps[i] = (struct fy_breach_step){ .at = rows[i].at,
						    .aware_at = rows[i].aware_at,
						    .by_account_id = rows[i].by_account_id,
						    .act = (enum fy_breach_act)rows[i].act,
						    .state = (enum fy_breach_state)rows[i].state,
						    .risk = (enum fy_breach_risk)rows[i].risk };
	*ret_steps = steps;
	return 0;
}

fy_async int fy_breaches_get(struct fy_ctx *ctx, uint64_t id, struct fy_breach *ret_breach)
{
	struct fy_sql_breach_get_row row;
	int err = fy_sql_breach_get(ctx, &(struct fy_sql_breach_get_params){ .id = id }, &row);
	if (err)
		return err;
	*ret_breach = (struct fy_breach){
		.id = row.id,
		.version = row.version,
		.state = (enum fy_breach_state)row.state,
		.facts = {
			.title = row.title,
			.discovered_at = row.discovered_at,
			.aware_at = row.aware_at,
			.occurred_from = fy_repo_time(row.has_occurred_from, row.occurred_from),
			.occurred_to = fy_repo_time(row.has_occurred_to, row.occurred_to),
			.confidentiality = row.confidentiality,
			.integrity = row.integrity,
			.availability = row.availability,
			.has_persons = row.has_persons,
			.has_records = row.has_records,
			.persons = row.has_persons ? row.persons : 0,
			.records = row.has_records ? row.records : 0,
			.persons_categories = row.persons_categories,
			.data_categories = row.data_categories,
			.nature = row.nature,
			.consequences = row.consequences,
			.measures_taken = row.measures_taken,
			.measures_planned = row.measures_planned,
			.risk = (enum fy_breach_risk)row.risk,
		},
		.cnil_notified_at = fy_repo_time(row.has_cnil_notified_at, row.cnil_notified_at),
		.cnil_reference = row.cnil_reference,
		.cnil_reason = row.cnil_reason,
		.delay_reasons = row.delay_reasons,
		.persons_informed_at = fy_repo_time(row.has_persons_informed_at, row.persons_informed_at),
		.persons_how = row.persons_how,
		.persons_reason = row.persons_reason,
		.created_at = row.created_at,
		.closed_at = fy_repo_time(row.has_closed_at, row.closed_at),
	};
	return 0;
}

fy_async int fy_breaches_list(struct fy_ctx *ctx, enum fy_breach_state state, uint64_t cursor, unsigned limit,
			      struct fy_breach_page *ret_page)
{
	struct fy_sql_breach_list_row *rows;
	struct fy_breach_page page = { 0 };
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	int err = fy_sql_breach_list(ctx,
				     &(struct fy_sql_breach_list_params){ .any_state = state == 0,
									  .state = (uint8_t)state,
									  .before_id = cursor ? cursor : UINT64_MAX,
									  .limit = limit + 1 },
				     &rows, &page.count);
	if (err)
		return err;
	page.items = fy_new_array(ctx->arena, struct fy_breach_line, page.count + 1);
	for (size_t i = 0; i < page.count; i++)
		page.items[i] = (struct fy_breach_line){
			.id = rows[i].id,
			.state = (enum fy_breach_state)rows[i].state,
			.risk = (enum fy_breach_risk)rows[i].risk,
			.title = rows[i].title,
			.aware_at = rows[i].aware_at,
			.cnil_notified_at = fy_repo_time(rows[i].has_cnil_notified_at, rows[i].cnil_notified_at),
			.explained = rows[i].explained,
		};
	if (page.count > limit) { /* the last row only tells that there is a next page */
		page.count = limit;
		page.next_cursor = page.items[limit - 1].id;
	}
	*ret_page = page;
	return 0;
}

/* ---- Changes ---- */

/* `update` is the statement, `params` are its. */
struct changing {
	const struct fy_breach_change *change;
	enum fy_breach_act act;
	fy_async int (*update)(struct fy_ctx *ctx, const void *params, struct fy_db_done *done);
	const void *params;
};

static fy_async int change_it(struct fy_ctx *ctx, void *arg)
{
	const struct changing *c = arg;
	struct fy_breach now;
	struct fy_db_done done;
	int err = c->update(ctx, c->params, &done);
	if (err == 0 && done.affected)
		return note(ctx, c->change->id, c->change->by_account_id, c->act);
	if (err == 0) /* it is gone, or is not what its reader saw */
		err = fy_breaches_get(ctx, c->change->id, &now);
	return err ? err : FY_ERR_CONFLICT;
}

#define UPDATE(name)                                                                                       \
	static fy_async int update_##name(struct fy_ctx *ctx, const void *params, struct fy_db_done *done) \
	{                                                                                                  \
		return fy_sql_breach_##name(ctx, params, done);                                            \
	}
UPDATE(save_facts)
UPDATE(notified)
UPDATE(not_notified)
UPDATE(persons)
UPDATE(close)

fy_async int fy_breaches_save_facts(struct fy_ctx *ctx, const struct fy_breach_change *change,
				    const struct fy_breach_facts *facts)
{
	const struct fy_sql_breach_save_facts_params params = { FACTS(facts), .risk_again = (uint8_t)facts->risk,
								.id = change->id, .version = change->version };
	struct changing c = { change, FY_BREACH_FACTS_SAVED, update_save_facts, &params };
	return fy_repo_join(ctx, change_it, &c);
}

fy_async int fy_breaches_notified(struct fy_ctx *ctx, const struct fy_breach_change *change, fy_time at,
				  struct fy_slice reference, struct fy_slice delay_reasons)
{
	const struct fy_sql_breach_notified_params params = { .cnil_notified_at = at,
							      .cnil_reference = reference,
							      .delay_reasons = delay_reasons,
							      .id = change->id,
							      .version = change->version };
	struct changing c = { change, FY_BREACH_ACT_NOTIFIED, update_notified, &params };
	return fy_repo_join(ctx, change_it, &c);
}

fy_async int fy_breaches_not_notified(struct fy_ctx *ctx, const struct fy_breach_change *change, struct fy_slice reason)
{
	const struct fy_sql_breach_not_notified_params params = { .cnil_reason = reason,
								  .id = change->id,
								  .version = change->version };
	struct changing c = { change, FY_BREACH_ACT_NOT_NOTIFIED, update_not_notified, &params };
	return fy_repo_join(ctx, change_it, &c);
}

fy_async int fy_breaches_persons(struct fy_ctx *ctx, const struct fy_breach_change *change, fy_time at,
				 struct fy_slice how, struct fy_slice reason)
{
	const struct fy_sql_breach_persons_params params = { .persons_informed_at = at,
							     .has_persons_informed_at = at != 0,
							     .persons_how = how,
							     .persons_reason = reason,
							     .id = change->id,
							     .version = change->version };
	struct changing c = { change, FY_BREACH_PERSONS_DECIDED, update_persons, &params };
	return fy_repo_join(ctx, change_it, &c);
}

fy_async int fy_breaches_close(struct fy_ctx *ctx, const struct fy_breach_change *change)
{
	const struct fy_sql_breach_close_params params = { .closed_at = ctx->now,
							   .id = change->id,
							   .version = change->version };
	struct changing c = { change, FY_BREACH_ACT_CLOSED, update_close, &params };
	return fy_repo_join(ctx, change_it, &c);
}

fy_async int fy_breaches_letter(struct fy_ctx *ctx, uint64_t id, enum fy_lang lang, struct fy_breach_letter *ret_letter)
{
	struct fy_sql_breach_letter_get_row row;
	int err = fy_sql_breach_letter_get(
		ctx, &(struct fy_sql_breach_letter_get_params){ .breach_id = id, .lang = (uint8_t)lang }, &row);
	if (err && err != FY_ERR_NOT_FOUND)
		return err;
	*ret_letter = (struct fy_breach_letter){ 0 };
	if (err == 0)
		*ret_letter = (struct fy_breach_letter){ .version = row.version,
							 .nature = row.nature,
							 .consequences = row.consequences,
							 .measures = row.measures,
							 .advice = row.advice };
	return 0;
}

fy_async int fy_breaches_save_letter(struct fy_ctx *ctx, uint64_t id, enum fy_lang lang,
				     const struct fy_breach_letter *letter)
{
	struct fy_db_done done;
#define PARTS                                                                                         \
	.nature = letter->nature, .consequences = letter->consequences, .measures = letter->measures, \
	.advice = letter->advice, .updated_at = ctx->now, .breach_id = id, .lang = (uint8_t)lang
	if (letter->version == 0) {
		int err = fy_sql_breach_letter_insert(ctx, &(struct fy_sql_breach_letter_insert_params){ PARTS }, NULL);
		return err == FY_ERR_EXISTS ? FY_ERR_CONFLICT : err;
	}
	int err = fy_sql_breach_letter_update(
		ctx, &(struct fy_sql_breach_letter_update_params){ PARTS, .version = letter->version }, &done);
#undef PARTS
	return err || done.affected ? err : FY_ERR_CONFLICT;
}
