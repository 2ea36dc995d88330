/* See rights.h. A change, its row of the history and its mail are one transaction. Statements: sql/rights.def. */
#include "storage/rights.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/email_hash.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/register.h"
#include "storage/repo.h"
#include "storage/restriction.h"
#include "storage/statements.h"
#include "storage/withheld.h"

#define PAGE_MAX 100

fy_time fy_rights_kept(const struct fy_config *config)
{
	const struct fy_register_field *field = fy_register_find(FY_LIT("rights_request"), FY_LIT("wish"));
	FY_REQUIRE(field && field->keep[0].from == FY_TRIGGER_REQUEST_ENDED);
	return fy_register_keep_seconds(&field->keep[0], config) * FY_SECOND;
}

bool fy_rights_restricts(enum fy_rights_kind kind)
{
	return kind == FY_RIGHTS_RESTRICTION || kind == FY_RIGHTS_OBJECTION;
}

static bool longer(struct fy_personal text, size_t characters)
{
	return text.text.len > 4 * characters;
}

/* ---- Adding ---- */

struct addition {
	const struct fy_rights_new *request;
	const struct fy_mail_new *mail;
	uint64_t id;
};

/* The file of the request is the person of its mails. */
static fy_async int post(struct fy_ctx *ctx, const struct fy_mail_new *mail, uint64_t request_id)
{
	struct fy_mail_new mine = *mail;
	mine.person_id = request_id;
	return fy_outbox_add(ctx, &mine);
}

static fy_async int add(struct fy_ctx *ctx, void *arg)
{
	struct addition *a = arg;
	const struct fy_rights_new *r = a->request;
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	uint8_t hash[FY_HASH_BYTES];
	uint64_t id = fy_id_new(ctx);
	uint64_t account = r->account_id;
	bool hashed = account == 0 && fy_email_hash(ctx, r->email.text, NULL, hash) == 0;
	bool restricts = (account || hashed) && fy_rights_restricts(r->kind);
	int err = hashed ? fy_accounts_find_id(ctx, fy_slice(hash, sizeof hash), &account) : 0;
	if (err == FY_ERR_NOT_FOUND)
		err = 0;
	if (err == 0 && restricts && account)
		err = fy_withheld_lock(ctx, account);
	if (err)
		return err;
	hashed = hashed && account == 0;
	fy_person_new(ctx, id, &person, &key);
	err = fy_sql_person_key_insert(ctx, &key, NULL);
	if (err)
		return err;
	err = fy_sql_rights_insert(
		ctx,
		&(struct fy_sql_rights_insert_params){
			.id = id,
			.account_id = account,
			.has_account_id = account != 0,
			.recorded_by = r->recorded_by,
			.has_recorded_by = r->recorded_by != 0,
			.kind = (uint8_t)r->kind,
			.lang = (uint8_t)r->lang,
			.name = fy_seal(ctx, &person, FY_COLUMN_RIGHTS_REQUEST_NAME, id, r->name.text),
			.email = fy_seal(ctx, &person, FY_COLUMN_RIGHTS_REQUEST_EMAIL, id, r->email.text),
			.email_hash = { hashed ? fy_slice(hash, sizeof hash) : FY_NONE },
			.wish = fy_seal(ctx, &person, FY_COLUMN_RIGHTS_REQUEST_WISH, id, r->wish.text),
			.created_at = ctx->now,
			.received_at = r->received_at,
			.counts_from = r->received_at,
			.due_at = r->due_at,
			.answer_by = r->due_at,
			.restricted_at = ctx->now,
			.has_restricted_at = restricts,
		},
		NULL);
	if (err == 0 && restricts)
		err = fy_restriction_apply(ctx, id);
	if (err)
		return err;
	a->id = id;
	uint64_t by = r->recorded_by ? r->recorded_by : r->account_id;
	err = fy_sql_rights_step_insert(ctx,
					&(struct fy_sql_rights_step_insert_params){
						.id = fy_id_new(ctx),
						.request_id = a->id,
						.account_id = account,
						.has_account_id = account != 0,
						.at = ctx->now,
						.to_state = FY_RIGHTS_RECEIVED,
						.by_account_id = by,
						.has_by_account_id = by != 0,
					},
					NULL);
	return err || a->mail == NULL ? err : post(ctx, a->mail, id);
}

fy_async int fy_rights_add(struct fy_ctx *ctx, const struct fy_rights_new *request, const struct fy_mail_new *mail,
			   uint64_t *ret_id)
{
	struct addition a = { .request = request, .mail = mail };
	if (longer(request->name, FY_RIGHTS_NAME_CHARS) || longer(request->wish, FY_RIGHTS_WISH_CHARS) ||
	    request->email.text.len > FY_MAIL_ADDRESS_MAX)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a field of the request is too long");
	unsigned tries = 0;
	int err;
	do
		err = fy_repo_join(ctx, add, &a);
	while (fy_persons_again(ctx, err, &tries));
	if (err == 0)
		*ret_id = a.id;
	return err;
}

/* ---- Steps ---- */

bool fy_rights_may_go(enum fy_rights_state from, enum fy_rights_state to)
{
#define TO(state) (1u << (state))
#define ENDS_UNANSWERED (TO(FY_RIGHTS_REFUSED) | TO(FY_RIGHTS_WITHDRAWN))
	static const unsigned ways[FY_RIGHTS_STATES_END] = {
		[FY_RIGHTS_RECEIVED] = TO(FY_RIGHTS_IDENTITY_CHECK) | TO(FY_RIGHTS_IN_PROGRESS) | ENDS_UNANSWERED,
		[FY_RIGHTS_IDENTITY_CHECK] = TO(FY_RIGHTS_IN_PROGRESS) | ENDS_UNANSWERED,
		[FY_RIGHTS_IN_PROGRESS] = TO(FY_RIGHTS_EXTENDED) | TO(FY_RIGHTS_ANSWERED) | ENDS_UNANSWERED,
		[FY_RIGHTS_EXTENDED] = TO(FY_RIGHTS_ANSWERED) | ENDS_UNANSWERED,
	};
#undef TO
#undef ENDS_UNANSWERED
	return from < FY_RIGHTS_STATES_END && ways[from] >> to & 1;
}

static fy_async int update(struct fy_ctx *ctx, const struct fy_rights_change *c, const struct fy_person *person,
			   struct fy_db_done *done)
{
	uint8_t from = (uint8_t)c->from;
	switch (c->to) {
	case FY_RIGHTS_IDENTITY_CHECK:
		return fy_sql_rights_ask_identity(
			ctx, &(struct fy_sql_rights_ask_identity_params){ .clock_stopped_at = ctx->now, .id = c->id },
			done);
	case FY_RIGHTS_IN_PROGRESS:
		if (c->from == FY_RIGHTS_RECEIVED)
			return fy_sql_rights_take_up(ctx, &(struct fy_sql_rights_take_up_params){ .id = c->id }, done);
		return fy_sql_rights_identity_proven(
			ctx,
			&(struct fy_sql_rights_identity_proven_params){ .counts_from = c->counts_from,
									.due_at = c->answer_by,
									.answer_by = c->answer_by,
									.id = c->id },
			done);
	case FY_RIGHTS_EXTENDED:
		return fy_sql_rights_extend(
			ctx,
			&(struct fy_sql_rights_extend_params){
				.extended_until = c->answer_by,
				.answer_by = c->answer_by,
				.extension_reason = fy_seal(ctx, person, FY_COLUMN_RIGHTS_REQUEST_EXTENSION_REASON,
							    c->id, c->text.text),
				.id = c->id,
				.now = ctx->now },
			done);
	case FY_RIGHTS_ANSWERED:
		return fy_sql_rights_answer(
			ctx,
			&(struct fy_sql_rights_answer_params){
				.reply = fy_seal(ctx, person, FY_COLUMN_RIGHTS_REQUEST_REPLY, c->id, c->text.text),
				.ended_at = ctx->now,
				.id = c->id,
				.state = from },
			done);
	case FY_RIGHTS_REFUSED:
		return fy_sql_rights_refuse(
			ctx,
			&(struct fy_sql_rights_refuse_params){
				.refusal_reason = fy_seal(ctx, person, FY_COLUMN_RIGHTS_REQUEST_REFUSAL_REASON, c->id,
							  c->text.text),
				.ended_at = ctx->now,
				.lift_at = c->lift_at,
				.has_lift_at = c->lift_at != 0,
				.id = c->id,
				.state = from },
			done);
	case FY_RIGHTS_WITHDRAWN:
		return fy_sql_rights_withdraw(
			ctx,
			&(struct fy_sql_rights_withdraw_params){
				.ended_at = ctx->now, .lifted_at = ctx->now, .id = c->id, .state = from },
			done);
	default:
		return FY_ERR_INVALID;
	}
}

/* Why an UPDATE found nothing to change. */
static fy_async int explain(struct fy_ctx *ctx, const struct fy_rights_change *c)
{
	struct fy_rights_request now;
	int err = fy_rights_get(ctx, c->id, FY_PURPOSE_LEGAL_DUTIES, &now);
	if (err)
		return err;
	return now.state == c->from && c->to == FY_RIGHTS_EXTENDED ? FY_ERR_EXPIRED : FY_ERR_CONFLICT;
}

struct move {
	const struct fy_rights_change *change;
	const struct fy_mail_new *mail;
};

static fy_async int move(struct fy_ctx *ctx, void *arg)
{
	const struct move *m = arg;
	const struct fy_rights_change *c = m->change;
	struct fy_db_done done;
	struct fy_person person;
	uint64_t step = fy_id_new(ctx);
	bool lifts = c->to == FY_RIGHTS_WITHDRAWN; /* what it restricted, if it did */
	int err = lifts && c->account_id ? fy_withheld_lock(ctx, c->account_id) : 0;
	if (err == FY_ERR_NOT_FOUND) /* the account is gone, the request is not */
		err = 0;
	if (err == 0)
		err = fy_persons_get(ctx, c->id, &person);
	if (err == 0)
		err = update(ctx, c, &person, &done);
	if (err == 0 && done.affected == 0)
		err = explain(ctx, c);
	if (err == 0 && lifts)
		err = fy_restriction_apply(ctx, c->id);
	if (err)
		return err;
	err = fy_sql_rights_step_insert(
		ctx,
		&(struct fy_sql_rights_step_insert_params){
			.id = step,
			.request_id = c->id,
			.account_id = c->account_id,
			.has_account_id = c->account_id != 0,
			.at = ctx->now,
			.from_state = (uint8_t)c->from,
			.to_state = (uint8_t)c->to,
			.by_account_id = c->by_account_id,
			.has_by_account_id = c->by_account_id != 0,
			.note = fy_seal(ctx, &person, FY_COLUMN_RIGHTS_STEP_NOTE, step, c->note.text),
		},
		NULL);
	return err || m->mail == NULL ? err : post(ctx, m->mail, c->id);
}

fy_async int fy_rights_move(struct fy_ctx *ctx, const struct fy_rights_change *change, const struct fy_mail_new *mail)
{
	struct move m = { .change = change, .mail = mail };
	bool extends = change->to == FY_RIGHTS_EXTENDED;
	bool needs_text = extends || change->to == FY_RIGHTS_ANSWERED || change->to == FY_RIGHTS_REFUSED;
	if (!fy_rights_may_go(change->from, change->to) || (needs_text && change->text.text.len == 0))
		return FY_ERR_INVALID;
	if (longer(change->note, FY_RIGHTS_NOTE_CHARS) ||
	    longer(change->text, extends ? FY_RIGHTS_NOTE_CHARS : FY_RIGHTS_REPLY_CHARS))
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a text of the step is too long");
	return fy_repo_join(ctx, move, &m);
}

/* ---- Reading ---- */

#define OPEN(upper, member)                                                                                   \
	(err == 0 ? err = fy_unseal_personal(ctx, &person, FY_COLUMN_RIGHTS_REQUEST_##upper, row.id, purpose, \
					     row.member, &r.member)                                           \
		  : 0)

/* What is not sealed of it is there also after FY_ERR_UNREADABLE. */
static fy_async int get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			struct fy_rights_request *ret_request)
{
	struct fy_sql_rights_get_row row;
	struct fy_person person;
	int err = fy_sql_rights_get(ctx, &(struct fy_sql_rights_get_params){ .id = id }, &row);
	if (err)
		return err;
	struct fy_rights_request r = {
		.id = row.id,
		.account_id = row.has_account_id ? row.account_id : 0,
		.recorded_by = row.has_recorded_by ? row.recorded_by : 0,
		.kind = (enum fy_rights_kind)row.kind,
		.state = (enum fy_rights_state)row.state,
		.lang = (enum fy_lang)row.lang,
		.received_at = row.received_at,
		.counts_from = row.counts_from,
		.clock_stopped_at = fy_repo_time(row.has_clock_stopped_at, row.clock_stopped_at),
		.due_at = row.due_at,
		.extended_until = fy_repo_time(row.has_extended_until, row.extended_until),
		.answer_by = row.answer_by,
		.ended_at = fy_repo_time(row.has_ended_at, row.ended_at),
		.restricting = row.has_restricted_at && !row.has_lifted_at,
	};
	*ret_request = r;
	err = fy_person_open(ctx, row.id, row.master_key_id, row.wrapped, &person);
	OPEN(NAME, name);
	OPEN(EMAIL, email);
	OPEN(WISH, wish);
	OPEN(EXTENSION_REASON, extension_reason);
	OPEN(REPLY, reply);
	OPEN(REFUSAL_REASON, refusal_reason);
	if (err == 0)
		*ret_request = r;
	return err;
}

fy_async int fy_rights_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			   struct fy_rights_request *ret_request)
{
	struct fy_rights_request request;
	int err = get(ctx, id, purpose, &request);
	if (err == 0)
		*ret_request = request;
	return err;
}

fy_async int fy_rights_steps(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			     struct fy_rights_step **ret_steps, size_t *ret_count)
{
	struct fy_sql_rights_steps_row *rows;
	struct fy_person person;
	size_t count;
	int err = fy_persons_get(ctx, id, &person);
	if (err == 0)
		err = fy_sql_rights_steps(ctx, &(struct fy_sql_rights_steps_params){ .request_id = id }, &rows, &count);
	if (err)
		return err;
	struct fy_rights_step *steps = fy_new_array(ctx->arena, struct fy_rights_step, count + 1);
	for (size_t i = 0; i < count && err == 0; i++) {
		steps[i] = (struct fy_rights_step){
			.at = rows[i].at,
			.from = (enum fy_rights_state)rows[i].from_state,
			.to = (enum fy_rights_state)rows[i].to_state,
			.by_account_id = rows[i].has_by_account_id ? rows[i].by_account_id : 0,
		};
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_RIGHTS_STEP_NOTE, rows[i].id, purpose, rows[i].note,
					 &steps[i].note);
	}
	if (err)
		return err;
	*ret_steps = steps;
	*ret_count = count;
	return 0;
}

fy_async int fy_rights_file(struct fy_ctx *ctx, uint64_t id, struct fy_rights_request *ret_request,
			    struct fy_rights_step **ret_steps, size_t *ret_count)
{
	struct fy_rights_request request;
	*ret_count = 0;
	int err = get(ctx, id, FY_PURPOSE_RIGHTS, &request);
	if (err == 0)
		err = fy_rights_steps(ctx, id, FY_PURPOSE_RIGHTS, ret_steps, ret_count);
	if (err == FY_ERR_UNREADABLE) {
		fy_log(ctx, FY_LOG_ERROR, "rights.unreadable", FY_KV("detail", ctx->fault));
		request.unreadable = true;
		err = 0;
	}
	if (err == 0)
		*ret_request = request;
	return err;
}

fy_async int fy_rights_list_of(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice email_hash, unsigned limit,
			       uint64_t **ret_ids, size_t *ret_count)
{
	struct fy_sql_rights_list_of_row *rows;
	size_t count;
	int err = fy_sql_rights_list_of(ctx,
					&(struct fy_sql_rights_list_of_params){ .account_id = account_id,
										.email_hash = { email_hash },
										.limit = limit + 1 },
					&rows, &count);
	if (err)
		return err;
	if (count > limit)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "more than %u requests", limit);
	*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, count);
	*ret_count = count;
	return 0;
}

#undef OPEN

/* The rows of the three lists have the same members. */
_Static_assert(sizeof(struct fy_sql_rights_list_due_row) == sizeof(struct fy_sql_rights_list_ended_row) &&
		       sizeof(struct fy_sql_rights_list_due_row) == sizeof(struct fy_sql_rights_list_person_row),
	       "rows of the lists");

static void copy_rows(struct fy_ctx *ctx, const void *rows, struct fy_rights_page *page)
{
	page->items = fy_new_array(ctx->arena, struct fy_rights_request, page->count + 1);
	for (size_t i = 0; i < page->count; i++) {
		struct fy_sql_rights_list_due_row row;
		memcpy(&row, (const char *)rows + i * sizeof row, sizeof row);
		page->items[i] = (struct fy_rights_request){
			.id = row.id,
			.account_id = row.has_account_id ? row.account_id : 0,
			.kind = (enum fy_rights_kind)row.kind,
			.state = (enum fy_rights_state)row.state,
			.received_at = row.received_at,
			.clock_stopped_at = fy_repo_time(row.has_clock_stopped_at, row.clock_stopped_at),
			.answer_by = row.answer_by,
			.ended_at = fy_repo_time(row.has_ended_at, row.ended_at),
		};
	}
}

/* Cuts the row that was read beyond the limit: it only tells that there is a next page. */
static void end_page(struct fy_rights_page *page, unsigned limit)
{
	page->next = (struct fy_rights_cursor){ 0 };
	if (page->count <= limit)
		return;
	page->count = limit;
	page->next.id = page->items[limit - 1].id;
	page->next.answer_by = page->items[limit - 1].answer_by;
}

static unsigned bounded(unsigned limit)
{
	return limit == 0 || limit > PAGE_MAX ? PAGE_MAX : limit;
}

fy_async int fy_rights_list_person(struct fy_ctx *ctx, uint64_t account_id, struct fy_rights_cursor after,
				   unsigned limit, struct fy_rights_page *ret_page)
{
	struct fy_sql_rights_list_person_row *rows;
	struct fy_rights_page page;
	limit = bounded(limit);
	int err = fy_sql_rights_list_person(
		ctx,
		&(struct fy_sql_rights_list_person_params){
			.account_id = account_id, .before_id = after.id ? after.id : UINT64_MAX, .limit = limit + 1 },
		&rows, &page.count);
	if (err)
		return err;
	copy_rows(ctx, rows, &page);
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

static fy_async int list_ended(struct fy_ctx *ctx, enum fy_rights_state state, uint64_t before_id, unsigned limit,
			       struct fy_rights_page *page)
{
	struct fy_sql_rights_list_ended_row *rows;
	int err = fy_sql_rights_list_ended(ctx,
					   &(struct fy_sql_rights_list_ended_params){
						   .state = (uint8_t)state, .before_id = before_id, .limit = limit },
					   &rows, &page->count);
	if (err == 0)
		copy_rows(ctx, rows, page);
	return err;
}

static fy_async int list_due(struct fy_ctx *ctx, enum fy_rights_state state, struct fy_rights_cursor after,
			     unsigned limit, struct fy_rights_page *page)
{
	struct fy_sql_rights_list_due_row *rows;
	uint8_t one = (uint8_t)state;
	int err = fy_sql_rights_list_due(
		ctx,
		&(struct fy_sql_rights_list_due_params){ .state_1 = one ? one : FY_RIGHTS_RECEIVED,
							 .state_2 = one ? one : FY_RIGHTS_IN_PROGRESS,
							 .state_3 = one ? one : FY_RIGHTS_EXTENDED,
							 .after = after.answer_by,
							 .same = after.answer_by,
							 .after_id = after.id,
							 .limit = limit },
		&rows, &page->count);
	if (err == 0)
		copy_rows(ctx, rows, page);
	return err;
}

fy_async int fy_rights_list(struct fy_ctx *ctx, enum fy_rights_state state, struct fy_rights_cursor after,
			    unsigned limit, struct fy_rights_page *ret_page)
{
	struct fy_rights_page page;
	limit = bounded(limit);
	int err = state >= FY_RIGHTS_ANSWERED
			  ? list_ended(ctx, state, after.id ? after.id : UINT64_MAX, limit + 1, &page)
			  : list_due(ctx, state, after, limit + 1, &page);
	if (err)
		return err;
	end_page(&page, limit);
	*ret_page = page;
	return 0;
}

fy_async int fy_rights_count(struct fy_ctx *ctx, struct fy_rights_counts *ret_counts)
{
	struct fy_sql_rights_count_row *rows;
	size_t count;
	int err = fy_sql_rights_count(ctx, &rows, &count);
	if (err)
		return err;
	*ret_counts = (struct fy_rights_counts){ 0 };
	for (size_t i = 0; i < count; i++)
		if (rows[i].state < FY_RIGHTS_STATES_END)
			ret_counts->in[rows[i].state] = (uint64_t)rows[i].requests;
	return 0;
}

/* ---- The purge ---- */

fy_async int fy_rights_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count)
{
	struct fy_sql_rights_count_old_row row;
	int err = fy_sql_rights_count_old(ctx, &(struct fy_sql_rights_count_old_params){ .before = before }, &row);
	if (err == 0)
		*ret_count = (uint64_t)row.requests;
	return err;
}

fy_async int fy_rights_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count)
{
	struct fy_sql_rights_list_old_row *rows;
	int err = fy_sql_rights_list_old(
		ctx, &(struct fy_sql_rights_list_old_params){ .before = before, .limit = limit }, &rows, ret_count);
	if (err == 0)
		*ret_ids = fy_repo_ids(ctx->arena, rows, sizeof *rows, *ret_count);
	return err;
}

/* The history goes with its request, by its foreign key. */
static fy_async int take_old(struct fy_ctx *ctx, uint64_t id, fy_time before, bool *ret_taken)
{
	struct fy_db_done done;
	int err = fy_sql_rights_purge_one(ctx, &(struct fy_sql_rights_purge_one_params){ .id = id, .before = before },
					  &done);
	*ret_taken = err == 0 && done.affected;
	return err;
}

fy_async int fy_rights_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted)
{
	static const struct fy_persons_heap old = { fy_rights_list_old, take_old };
	return fy_persons_purge(ctx, &old, before, limit, ret_deleted);
}
