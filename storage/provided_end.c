/* The end of persons entered by a member (provided.h): erased by themselves, by or with their provider, for want of a
 * notice, or unused. One transaction deletes, writes the ledger and queues the mails that tell of it. */
#include "storage/provided.h"

#include "foyer/log.h"
#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/statements.h"

#define SLICE 100

fy_async int fy_provided_delete(struct fy_ctx *ctx, uint64_t id)
{
	int err = fy_sql_outbox_delete_of_person(
		ctx, &(struct fy_sql_outbox_delete_of_person_params){ .person_id = id }, NULL);
	if (err == 0)
		err = fy_sql_provided_delete(ctx, &(struct fy_sql_provided_delete_params){ .id = id }, NULL);
	return err ? err : fy_persons_destroy(ctx, id);
}

struct ending {
	uint64_t provider_id, id;
	enum fy_provided_end why;
	const struct fy_provided_letters *letters;
	struct fy_slice receipt;
};

/* Once more under the lock: the person may have answered, or the mail have gone, since the list was made. */
static fy_async int still_due(struct fy_ctx *ctx, const struct ending *e)
{
	struct fy_provided_due *due;
	size_t count;
	int err = fy_provided_list_due(ctx, e->id - 1, 1, &due, &count);
	return err || (count && due[0].id == e->id && due[0].why == e->why) ? err : FY_ERR_NOT_FOUND;
}

static fy_async int may_end(struct fy_ctx *ctx, const struct ending *e, const struct fy_sql_provided_lock_row *row)
{
	switch (e->why) {
	case FY_PROVIDED_BY_PROVIDER:
		if (row->provider_id != e->provider_id)
			return FY_ERR_NOT_FOUND;
		return row->state == FY_PROVIDED_RESTRICTED ? FY_ERR_DENIED : 0;
	case FY_PROVIDED_UNINFORMED:
	case FY_PROVIDED_UNUSED:
		return still_due(ctx, e);
	default:
		return 0;
	}
}

static enum fy_erasure_ground ground_of(enum fy_provided_end why)
{
	switch (why) {
	case FY_PROVIDED_BY_PERSON:
		return FY_ERASURE_ASKED;
	case FY_PROVIDED_UNUSED:
		return FY_ERASURE_INACTIVE;
	case FY_PROVIDED_UNINFORMED:
		return FY_ERASURE_UNINFORMED;
	default:
		return FY_ERASURE_BY_SOURCE;
	}
}

/* What the last mails say, while it can be read. False: it cannot. */
static fy_async bool read_gone(struct fy_ctx *ctx, uint64_t id, uint64_t provider_id, struct fy_provided *person,
			       struct fy_provided_gone *gone)
{
	struct fy_account_signin provider;
	int err = fy_provided_read(ctx, id, FY_PURPOSE_RIGHTS, person);
	if (err == 0)
		err = fy_accounts_get_signin(ctx, provider_id, &provider);
	if (err) {
		fy_log(ctx, FY_LOG_ERROR, "provided.without_mails", FY_KV("person", id),
		       FY_KV("detail", ctx->fault ? ctx->fault : fy_strerror(err)));
		return false;
	}
	gone->person = person->fields;
	gone->provider.lang = provider.language;
	gone->provider.email = provider.email;
	gone->provider.given_name = provider.given_name;
	return true;
}

static fy_async int tell(struct fy_ctx *ctx, const struct ending *e, uint64_t provider_id,
			 const struct fy_provided *person, const struct fy_provided_gone *gone)
{
	struct fy_mail_new mail;
	int err = 0;
	bool reached = e->why == FY_PROVIDED_BY_PERSON || person->notice == FY_NOTICE_DELIVERED;
	if (reached && fy_provided_recipient(&person->fields, ctx->now).text.len) {
		err = e->letters->person(ctx, gone, &mail);
		if (err == 0)
			err = fy_erasure_send(ctx, &mail);
	}
	if (err == 0 && (e->why == FY_PROVIDED_BY_PERSON || e->why == FY_PROVIDED_UNINFORMED)) {
		err = e->letters->provider(ctx, gone, &mail);
		mail.person_id = provider_id;
		if (err == 0)
			err = fy_outbox_add(ctx, &mail);
	}
	return err;
}

static fy_async int end(struct fy_ctx *ctx, void *arg)
{
	struct ending *e = arg;
	struct fy_sql_provided_lock_row row;
	struct fy_provided person;
	struct fy_provided_gone gone = { .why = e->why, .erased_at = ctx->now };
	int err = fy_sql_provided_lock(ctx, &(struct fy_sql_provided_lock_params){ .id = e->id }, &row);
	if (err == 0)
		err = may_end(ctx, e, &row);
	if (err)
		return err;
	gone.entered_at = row.created_at;
	bool readable = read_gone(ctx, e->id, row.provider_id, &person, &gone);
	bool asked = e->why == FY_PROVIDED_BY_PERSON || e->why == FY_PROVIDED_BY_PROVIDER ||
		     e->why == FY_PROVIDED_WITH_PROVIDER;
	err = fy_erasure_note(ctx, e->id, ground_of(e->why), asked ? ctx->now : row.last_active_at, &e->receipt);
	gone.receipt = e->receipt;
	if (err == 0)
		err = fy_provided_delete(ctx, e->id);
	return err || !readable ? err : tell(ctx, e, row.provider_id, &person, &gone);
}

fy_async int fy_provided_end(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, enum fy_provided_end why,
			     const struct fy_provided_letters *letters, struct fy_slice *ret_receipt)
{
	struct ending e = { provider_id, id, why, letters, FY_NONE };
	unsigned tries = 0;
	int err;
	do
		err = fy_repo_join(ctx, end, &e);
	while (fy_persons_again(ctx, err, &tries));
	if (err == 0)
		fy_log(ctx, FY_LOG_INFO, "provided.erased", FY_KV("person", id), FY_KV("why", (unsigned)why));
	if (err == 0 && ret_receipt)
		*ret_receipt = e.receipt;
	return err;
}

fy_async int fy_provided_end_all(struct fy_ctx *ctx, uint64_t provider_id, const struct fy_provided_letters *letters)
{
	struct fy_sql_provided_of_provider_row *rows;
	size_t count;
	do {
		int err = fy_sql_provided_of_provider(
			ctx, &(struct fy_sql_provided_of_provider_params){ .provider_id = provider_id, .limit = SLICE },
			&rows, &count);
		for (size_t i = 0; i < count && err == 0; i++) {
			err = fy_provided_end(ctx, provider_id, rows[i].id, FY_PROVIDED_WITH_PROVIDER, letters, NULL);
			if (err == FY_ERR_NOT_FOUND)
				err = 0; /* by themselves, meanwhile */
		}
		if (err)
			return err;
	} while (count == SLICE);
	return 0;
}

fy_async int fy_provided_list_due(struct fy_ctx *ctx, uint64_t after, unsigned limit,
				  struct fy_provided_due **ret_items, size_t *ret_count)
{
	struct fy_sql_provided_due_row *rows;
	size_t count;
	fy_time unused = ctx->now - fy_provided_kept(ctx->config, FY_TRIGGER_RECORD_USED);
	int err = fy_sql_provided_due(
		ctx,
		&(struct fy_sql_provided_due_params){
			.now = ctx->now, .unused = unused, .after_id = after, .limit = limit < 1000 ? limit : 1000 },
		&rows, &count);
	if (err)
		return err;
	struct fy_provided_due *items = fy_new_array(ctx->arena, struct fy_provided_due, count + 1);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct fy_provided_due){ rows[i].id, rows[i].last_active_at <= unused
									 ? FY_PROVIDED_UNUSED
									 : FY_PROVIDED_UNINFORMED };
	*ret_items = items;
	*ret_count = count;
	return 0;
}

static fy_async int settle(struct fy_ctx *ctx, void *arg)
{
	(void)arg;
	int err = fy_sql_provided_settle(ctx, NULL);
	return err ? err : fy_sql_provided_settle_lost(ctx, NULL);
}

fy_async int fy_provided_settle(struct fy_ctx *ctx)
{
	return fy_repo_join(ctx, settle, NULL);
}
