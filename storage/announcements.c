/* See announcements.h. Statements: sql/policy.def. */
#include "storage/announcements.h"

#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

static void take_row(struct fy_announcement *item, const struct fy_sql_policy_version_list_row *row)
{
	item->noted = true;
	item->rewritten = !fy_eq(row->fingerprint, fy_str(item->version->fingerprint));
	item->telling = (struct fy_telling){ .counted = row->has_persons,
					     .ended = row->has_ended_at,
					     .persons = row->has_persons ? row->persons : 0,
					     .told = row->told,
					     .cursor = row->cursor_id };
	item->ended_at = fy_repo_time(row->has_ended_at, row->ended_at);
}

fy_async int fy_announcements_list(struct fy_ctx *ctx, struct fy_announcement **ret_items, size_t *ret_count)
{
	const struct fy_policy_list *all = &fy_policy_versions;
	struct fy_sql_policy_version_list_row *rows;
	size_t count;
	int err = fy_sql_policy_version_list(ctx, &rows, &count);
	if (err)
		return err;
	struct fy_announcement *items = fy_new_array(ctx->arena, struct fy_announcement, all->count);
	for (size_t i = 0; i < all->count; i++) {
		struct fy_announcement *item = &items[i];
		item->version = &all->items[i];
		item->silent = item->telling.ended = i == 0 || !item->version->major;
		for (size_t r = 0; r < count; r++)
			if (fy_eq(rows[r].version, fy_str(item->version->date)))
				take_row(item, &rows[r]);
	}
	*ret_items = items;
	*ret_count = all->count;
	return 0;
}

fy_async int fy_announcements_note(struct fy_ctx *ctx, const struct fy_announcement *item)
{
	int err = fy_sql_policy_version_insert(
		ctx,
		&(struct fy_sql_policy_version_insert_params){ .version = fy_str(item->version->date),
							       .fingerprint = fy_str(item->version->fingerprint),
							       .effective_on = fy_str(item->version->effective),
							       .noted_at = ctx->now,
							       .ended_at = ctx->now,
							       .has_ended_at = item->telling.ended },
		NULL);
	return err == FY_ERR_CONFLICT ? 0 : err;
}

/* ---- Who is concerned ---- */

typedef struct fy_sql_policy_people_row account_row;

/* What an account may have or not have; of everything else about people of its kind it is taken to have something. */
static const struct {
	const char *name; /* of a field, or what its name begins with */
	size_t held;      /* offset of a bool */
} optional[] = {
	{ "account.phone", offsetof(account_row, phone) },
	{ "account.position", offsetof(account_row, position) },
	{ "account.skills", offsetof(account_row, skills) },
	{ "account.passions", offsetof(account_row, passions) },
	{ "account.street_address", offsetof(account_row, street) },
	{ "account.postal_code", offsetof(account_row, postal_code) },
	{ "account.address_level2", offsetof(account_row, town) },
	{ "account.country", offsetof(account_row, country) },
	{ "account.erase_", offsetof(account_row, erasure) },
	{ "consent.", offsetof(account_row, consent) },
	{ "rights_request.", offsetof(account_row, request) },
	{ "rights_step.", offsetof(account_row, request) },
	{ "legal_hold.", offsetof(account_row, hold) },
	{ "outbox.", offsetof(account_row, mail) },
	{ "one_time_token.", offsetof(account_row, link) },
};

static bool is_held(const account_row *row, const char *name)
{
	for (size_t i = 0; i < FY_COUNT(optional); i++)
		if (fy_starts(fy_str(name), fy_str(optional[i].name)))
			return *(const bool *)((const char *)row + optional[i].held);
	return true;
}

static bool concerns(const struct fy_policy_change *change, const account_row *row)
{
	uint32_t is = 1u << FY_PERSONS_MEMBERS | (row->role != FY_ROLE_MEMBER ? 1u << FY_PERSONS_TEAM : 0);
	struct fy_slice kind = fy_str(change->kind);
	if (!change->major || !(change->about & is))
		return false;
	if (fy_eq(kind, FY_LIT("field_added")) || fy_eq(kind, FY_LIT("persons_added")))
		return true; /* nothing of it is held yet */
	for (size_t i = 0; change->fields[i]; i++)
		if (is_held(row, change->fields[i]))
			return true;
	return false;
}

/* Accounts with ids above `after` and up to `last`. */
static fy_async int look(struct fy_ctx *ctx, const struct fy_policy_version *version, uint64_t after, uint64_t last,
			 unsigned limit, struct fy_announcement_person **ret_people, size_t *ret_count,
			 uint64_t *ret_last)
{
	account_row *rows;
	size_t count, n = 0;
	int err = fy_sql_policy_people(ctx,
				       &(struct fy_sql_policy_people_params){ .active = FY_ACCOUNT_ACTIVE,
									      .version = { fy_str(version->date) },
									      .published = fy_policy_day(version),
									      .after_id = after,
									      .last_id = last,
									      .limit = limit },
				       &rows, &count);
	if (err)
		return err;
	struct fy_announcement_person *people = fy_new_array(ctx->arena, struct fy_announcement_person, count + 1);
	for (size_t i = 0; i < count; i++) {
		bool *concerned = fy_new_array(ctx->arena, bool, version->change_count + 1), any = false;
		for (size_t c = 0; c < version->change_count; c++)
			any |= concerned[c] = concerns(&version->changes[c], &rows[i]);
		if (any)
			people[n++] = (struct fy_announcement_person){ .id = rows[i].id,
								       .lang = (enum fy_lang)rows[i].language,
								       .concerned = concerned };
	}
	*ret_people = people;
	*ret_count = n;
	*ret_last = count == limit ? rows[count - 1].id : 0;
	return 0;
}

fy_async int fy_announcements_people(struct fy_ctx *ctx, const struct fy_announcement *item, uint64_t after,
				     unsigned limit, struct fy_announcement_person **ret_people, size_t *ret_count,
				     uint64_t *ret_last)
{
	return look(ctx, item->version, after, UINT64_MAX, limit, ret_people, ret_count, ret_last);
}

/* ---- Going on ---- */

fy_async int fy_announcements_count(struct fy_ctx *ctx, const struct fy_announcement *item)
{
	return fy_sql_policy_version_count(
		ctx,
		&(struct fy_sql_policy_version_count_params){ .persons = (uint32_t)item->telling.persons,
							      .version = fy_str(item->version->date) },
		NULL);
}

static fy_async int move(struct fy_ctx *ctx, const struct fy_announcement *item, uint64_t to, uint32_t told)
{
	struct fy_db_done done;
	int err = fy_sql_policy_version_move(
		ctx,
		&(struct fy_sql_policy_version_move_params){ .to_id = to,
							     .told = told,
							     .version = fy_str(item->version->date),
							     .from_id = item->telling.cursor },
		&done);
	return err ? err : done.affected == 1 ? 0 : FY_ERR_EXPIRED;
}

/* The mail and the mark. A person has the right to be told whatever the own data may be used for: so this is read for FY_PURPOSE_RIGHTS. */
static fy_async int write_to(struct fy_ctx *ctx, const struct fy_policy_version *version,
			     const struct fy_announcement_person *to, fy_announcement_letter letter)
{
	uint64_t id = to->id;
	struct fy_personal date = { fy_str(version->date) };
	struct fy_sql_policy_person_row row;
	struct fy_sql_outbox_insert_params mail_row;
	struct fy_mail_new mail;
	struct fy_person person;
	struct fy_personal email, given_name;
	struct fy_db_done done;
	int err = fy_sql_policy_person(
		ctx, &(struct fy_sql_policy_person_params){ .id = id, .active = FY_ACCOUNT_ACTIVE }, &row);
	if (err == 0)
		err = fy_person_open(ctx, id, row.master_key_id, row.wrapped, &person);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_EMAIL, id, FY_PURPOSE_RIGHTS, row.email,
					 &email);
	if (err == 0)
		err = fy_unseal_personal(ctx, &person, FY_COLUMN_ACCOUNT_GIVEN_NAME, id, FY_PURPOSE_RIGHTS,
					 row.given_name, &given_name);
	if (err == 0)
		err = letter(ctx, version, to, email, given_name, &mail);
	if (err == 0)
		err = fy_outbox_row(ctx, &mail, &person, &mail_row);
	if (err == 0)
		err = fy_sql_outbox_insert(ctx, &mail_row, NULL);
	if (err == 0)
		err = fy_sql_policy_person_told(
			ctx, &(struct fy_sql_policy_person_told_params){ .version = date, .id = id, .before = date },
			&done);
	return err || done.affected == 1 ? err : FY_ERR_NOT_FOUND;
}

struct telling {
	const struct fy_announcement *item;
	const struct fy_announcement_person *person;
	fy_announcement_letter letter;
};

static fy_async int tell(struct fy_ctx *ctx, void *arg)
{
	const struct telling *t = arg;
	int err = write_to(ctx, t->item->version, t->person, t->letter);
	return err ? err : move(ctx, t->item, t->person->id, 1);
}

fy_async int fy_announcements_tell(struct fy_ctx *ctx, struct fy_announcement *item,
				   const struct fy_announcement_person *person, fy_announcement_letter letter)
{
	struct telling t = { item, person, letter };
	int err = fy_repo_join(ctx, tell, &t);
	if (err == 0) {
		item->telling.cursor = person->id;
		item->telling.told++;
	}
	return err;
}

fy_async int fy_announcements_catch_up(struct fy_ctx *ctx, uint64_t account_id, fy_announcement_letter letter)
{
	const struct fy_policy_list *all = &fy_policy_versions;
	struct fy_announcement_person *people;
	uint64_t last;
	size_t count;
	int err = 0;
	FY_REQUIRE(fy_tx_active(ctx));
	for (size_t i = 1; i < all->count && err == 0; i++) {
		if (!all->items[i].major)
			continue;
		err = look(ctx, &all->items[i], account_id - 1, account_id, 1, &people, &count, &last);
		if (err == 0 && count)
			err = write_to(ctx, &all->items[i], &people[0], letter);
	}
	return err;
}

fy_async int fy_announcements_pass(struct fy_ctx *ctx, struct fy_announcement *item, uint64_t id)
{
	int err = move(ctx, item, id, 0);
	if (err == 0)
		item->telling.cursor = id;
	return err;
}

fy_async int fy_announcements_end(struct fy_ctx *ctx, const struct fy_announcement *item)
{
	return fy_sql_policy_version_end(ctx,
					 &(struct fy_sql_policy_version_end_params){
						 .ended_at = ctx->now, .version = fy_str(item->version->date) },
					 NULL);
}
