/* Persons entered by a member (provided.h): entering, reading, editing, and what the person does by the link. How records
 * end is provided_end.c's. Statements: sql/provided.def. */
#include "storage/provided.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/accounts.h"
#include "storage/email_hash.h"
#include "storage/keys.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/repo.h"
#include "storage/repo_rows.h"
#include "storage/statements.h"

#define PAGE_MAX 200
#define TO_INFORM_AGAIN (7 * FY_DAY) /* of another address, after the first notice was delivered */

fy_time fy_provided_kept(const struct fy_config *config, enum fy_register_trigger from)
{
	const struct fy_register_field *field = &fy_register_fields[FY_COLUMN_PROVIDED_PERSON_GIVEN_NAME];
	for (unsigned i = 0; i < field->keep_count; i++)
		if (field->keep[i].from == from)
			return fy_register_keep_seconds(&field->keep[i], config) * FY_SECOND;
	FY_REQUIRE(!"the register has this rule");
	return 0;
}

/* ---- Who is a minor ---- */

bool fy_provided_birth_date_ok(struct fy_date birth_date, fy_time now)
{
	struct fy_date today = fy_paris_date(now);
	return fy_date_valid(birth_date) && fy_date_compare(birth_date, today) <= 0 &&
	       fy_date_compare(fy_date_add_months(birth_date, 12 * (FY_PROVIDED_AGE_MAX + 1)), today) > 0;
}

struct fy_register_since fy_provided_since(const struct fy_provided *person)
{
	struct fy_register_since since = {
		{ [FY_TRIGGER_PROVIDER_ERASED] = FY_NOT_BEGUN, [FY_TRIGGER_RECORD_USED] = person->last_active_at }
	};
	if (person->notice != FY_NOTICE_DELIVERED)
		since.from[FY_TRIGGER_NOTICE_UNDELIVERED] = person->created_at;
	return since;
}

/* Born on 29 February, on 1 March of the year: no day is missing in the eighteen years. */
fy_time fy_provided_of_age(struct fy_date birth_date)
{
	struct fy_date day = fy_date_add_months(birth_date, 12 * FY_PROVIDED_ADULT_AGE);
	return fy_paris_day_start(day.day < birth_date.day ? fy_date_add_days(day, 1) : day);
}

bool fy_provided_is_minor(struct fy_date birth_date, fy_time now)
{
	return now < fy_provided_of_age(birth_date);
}

struct fy_personal fy_provided_recipient(const struct fy_provided_fields *fields, fy_time now)
{
	bool own = fields->email.text.len && !fy_provided_is_minor(fields->birth_date, now);
	return own ? fields->email : fields->adult_email;
}

static bool too_long(struct fy_personal text, size_t characters)
{
	return text.text.len > 4 * characters;
}

static int check(struct fy_ctx *ctx, const struct fy_provided_fields *f)
{
	if (!fy_provided_birth_date_ok(f->birth_date, ctx->now) || !f->given_name.text.len ||
	    !f->family_name.text.len || !f->what_for.text.len)
		return fy_fail(ctx, FY_ERR_INVALID, "names, birth date and reason must be there");
	bool minor = fy_provided_is_minor(f->birth_date, ctx->now);
	if (minor && (!f->adult_given_name.text.len || !f->adult_family_name.text.len || !f->adult_email.text.len))
		return fy_fail(ctx, FY_ERR_INVALID, "a minor needs a responsible adult");
	if (!minor && !f->email.text.len)
		return fy_fail(ctx, FY_ERR_INVALID, "an adult needs an address");
	if (too_long(f->given_name, FY_ACCOUNT_NAME_MAX) || too_long(f->family_name, FY_ACCOUNT_NAME_MAX) ||
	    too_long(f->email, FY_ACCOUNT_EMAIL_MAX) || too_long(f->what_for, FY_PROVIDED_WHAT_FOR_MAX) ||
	    too_long(f->adult_given_name, FY_ACCOUNT_NAME_MAX) || too_long(f->adult_family_name, FY_ACCOUNT_NAME_MAX) ||
	    too_long(f->adult_email, FY_ACCOUNT_EMAIL_MAX))
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "a field of the person is too long");
	return 0;
}

/* ---- Writing ---- */

struct values {
	struct fy_sealed given_name, family_name, email, birth_date, what_for;
	struct fy_sealed adult_given_name, adult_family_name, adult_email;
	uint8_t email_hash[FY_HASH_BYTES], own[FY_HASH_BYTES], of_adult[FY_HASH_BYTES];
	struct fy_slice address_hash, adult_hash; /* for the rights of both; empty: there is no such address */
};

static struct fy_slice hash_of(struct fy_ctx *ctx, struct fy_personal address, uint8_t room[FY_HASH_BYTES])
{
	return fy_email_hash(ctx, address.text, NULL, room) ? FY_NONE : fy_slice(room, FY_HASH_BYTES);
}

/* By whom a provider knows somebody again: by the address, or what takes its place. */
static void known_by(struct fy_ctx *ctx, uint64_t provider_id, const struct fy_provided_fields *f,
		     struct fy_slice birth_date, uint8_t ret_hash[FY_HASH_BYTES])
{
	struct fy_slice what =
		f->email.text.len ? fy_fmt(ctx->arena, "provided %llu\n" FY_FMT, (unsigned long long)provider_id,
					   FY_ARG(f->email.text))
				  : fy_fmt(ctx->arena, "provided %llu\n" FY_FMT "\n" FY_FMT "\n" FY_FMT "\n" FY_FMT,
					   (unsigned long long)provider_id, FY_ARG(f->adult_email.text),
					   FY_ARG(f->given_name.text), FY_ARG(f->family_name.text), FY_ARG(birth_date));
	for (size_t i = 0; i < what.len; i++) /* addresses are the same in either case, names are good enough so */
		if (what.ptr[i] >= 'A' && what.ptr[i] <= 'Z')
			((char *)what.ptr)[i] |= 0x20;
	fy_keys_hash(ctx->keys, FY_KEY_EMAIL, what, ret_hash);
}

static void seal_all(struct fy_ctx *ctx, const struct fy_person *person, uint64_t provider_id,
		     const struct fy_provided_fields *f, struct values *v)
{
	struct fy_buf birth_date;
	struct fy_provided_fields kept = *f;
	if (!fy_provided_is_minor(f->birth_date, ctx->now))
		kept.adult_given_name = kept.adult_family_name = kept.adult_email = (struct fy_personal){ FY_NONE };
	fy_buf_init(&birth_date, ctx->arena, 32);
	fy_put_iso_date(&birth_date, f->birth_date);
	known_by(ctx, provider_id, &kept, fy_buf_slice(&birth_date), v->email_hash);
	v->address_hash = hash_of(ctx, kept.email, v->own);
	v->adult_hash = hash_of(ctx, kept.adult_email, v->of_adult);
#define SEAL(upper, text) fy_seal(ctx, person, FY_COLUMN_PROVIDED_PERSON_##upper, person->id, (text))
	v->given_name = SEAL(GIVEN_NAME, kept.given_name.text);
	v->family_name = SEAL(FAMILY_NAME, kept.family_name.text);
	v->email = SEAL(EMAIL, kept.email.text);
	v->birth_date = SEAL(BIRTH_DATE, fy_buf_slice(&birth_date));
	v->what_for = SEAL(WHAT_FOR, kept.what_for.text);
	v->adult_given_name = SEAL(ADULT_GIVEN_NAME, kept.adult_given_name.text);
	v->adult_family_name = SEAL(ADULT_FAMILY_NAME, kept.adult_family_name.text);
	v->adult_email = SEAL(ADULT_EMAIL, kept.adult_email.text);
#undef SEAL
}
/* clang-format off */
#define VALUES(v) .given_name = (v).given_name, .family_name = (v).family_name, .email = (v).email, \
	.email_hash = { fy_slice((v).email_hash, FY_HASH_BYTES) }, .address_hash = { (v).address_hash }, \
	.birth_date = (v).birth_date, .what_for = (v).what_for, .adult_given_name = (v).adult_given_name, \
	.adult_family_name = (v).adult_family_name, .adult_email = (v).adult_email, .adult_hash = { (v).adult_hash }
/* clang-format on */

/* Holds the provider's account, so that it neither goes meanwhile nor enters the same person twice at once. */
static fy_async int lock_provider(struct fy_ctx *ctx, uint64_t provider_id)
{
	struct fy_sql_account_lock_row account;
	int err = fy_sql_account_lock(ctx, &(struct fy_sql_account_lock_params){ .id = provider_id }, &account);
	if (err == FY_ERR_NOT_FOUND)
		return FY_ERR_DENIED;
	return err == 0 && account.state != FY_ACCOUNT_ACTIVE ? FY_ERR_DENIED : err;
}

static fy_async int check_unknown(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, const struct values *v)
{
	struct fy_sql_provided_same_row same;
	int err = fy_sql_provided_same(
		ctx,
		&(struct fy_sql_provided_same_params){ .provider_id = provider_id,
						       .email_hash = { fy_slice(v->email_hash, FY_HASH_BYTES) },
						       .id = id },
		&same);
	return err == 0 && same.persons ? FY_ERR_EXISTS : err;
}

struct addition {
	uint64_t provider_id;
	const struct fy_provided_fields *fields;
	const struct fy_provided_notice *notice;
	uint64_t id;
};

static fy_async int add(struct fy_ctx *ctx, void *arg)
{
	struct addition *a = arg;
	struct fy_person person;
	struct fy_sql_person_key_insert_params key;
	struct fy_sql_outbox_insert_params mail;
	struct values v;
	a->id = fy_id_new(ctx);
	fy_person_new(ctx, a->id, &person, &key);
	seal_all(ctx, &person, a->provider_id, a->fields, &v);
	int err = lock_provider(ctx, a->provider_id);
	if (err == 0)
		err = check_unknown(ctx, a->provider_id, 0, &v);
	if (err == 0)
		err = fy_outbox_row(ctx, a->notice->mail, &person, &mail);
	if (err == 0)
		err = fy_sql_person_key_insert(ctx, &key, NULL);
	if (err == 0)
		err = fy_sql_outbox_insert(ctx, &mail, NULL);
	if (err)
		return err;
	return fy_sql_provided_insert(
		ctx,
		&(struct fy_sql_provided_insert_params){
			.id = a->id,
			.provider_id = a->provider_id,
			.lang = (uint8_t)a->fields->lang,
			VALUES(v),
			.created_at = ctx->now,
			.last_active_at = ctx->now,
			.inform_by = ctx->now + fy_provided_kept(ctx->config, FY_TRIGGER_NOTICE_UNDELIVERED),
			.notice_mail_id = mail.id,
			.has_notice_mail_id = true,
			.notice_hash = { a->notice->hash },
			.notice_expires_at = a->notice->expires_at,
		},
		NULL);
}

fy_async int fy_provided_add(struct fy_ctx *ctx, uint64_t provider_id, const struct fy_provided_fields *fields,
			     const struct fy_provided_notice *notice, uint64_t *ret_id)
{
	struct addition a = { provider_id, fields, notice, 0 };
	unsigned tries = 0;
	int err = check(ctx, fields);
	if (err)
		return err;
	do
		err = fy_repo_join(ctx, add, &a);
	while (fy_persons_again(ctx, err, &tries));
	if (err == 0)
		*ret_id = a.id;
	return err;
}

/* ---- Reading ---- */

static void notice_now(const struct fy_sql_provided_get_row *row, struct fy_provided *p)
{
	if (row->notice_state != FY_NOTICE_ON_ITS_WAY || !row->has_mail_state)
		return;
	if (row->mail_state == FY_MAIL_SENT) {
		p->notice = FY_NOTICE_DELIVERED;
		p->noticed_at = fy_repo_time(row->has_mail_ended_at, row->mail_ended_at);
	} else if (row->mail_state == FY_MAIL_FAILED) {
		p->notice = FY_NOTICE_BOUNCED;
	}
}

static struct fy_provided head_of(const struct fy_sql_provided_get_row *row)
{
	struct fy_provided p = {
		.id = row->id,
		.provider_id = row->provider_id,
		.version = row->version,
		.state = (enum fy_provided_state)row->state,
		.notice = (enum fy_provided_notice_state)row->notice_state,
		.fields = { .lang = (enum fy_lang)row->lang },
		.created_at = row->created_at,
		.last_active_at = row->last_active_at,
		.inform_by = row->inform_by,
		.noticed_at = fy_repo_time(row->has_noticed_at, row->noticed_at),
		.link_until = row->notice_expires_at,
	};
	notice_now(row, &p);
	return p;
}

static int open_row(struct fy_ctx *ctx, const struct fy_sql_provided_get_row *row, enum fy_register_purpose purpose,
		    struct fy_provided *ret_person)
{
	struct fy_provided p = head_of(row);
	struct fy_person person;
	struct fy_personal birth_date = { FY_NONE };
	const struct {
		enum fy_register_column column;
		struct fy_sealed sealed;
		struct fy_personal *to;
	} texts[] = {
		{ FY_COLUMN_PROVIDED_PERSON_GIVEN_NAME, row->given_name, &p.fields.given_name },
		{ FY_COLUMN_PROVIDED_PERSON_FAMILY_NAME, row->family_name, &p.fields.family_name },
		{ FY_COLUMN_PROVIDED_PERSON_EMAIL, row->email, &p.fields.email },
		{ FY_COLUMN_PROVIDED_PERSON_BIRTH_DATE, row->birth_date, &birth_date },
		{ FY_COLUMN_PROVIDED_PERSON_WHAT_FOR, row->what_for, &p.fields.what_for },
		{ FY_COLUMN_PROVIDED_PERSON_ADULT_GIVEN_NAME, row->adult_given_name, &p.fields.adult_given_name },
		{ FY_COLUMN_PROVIDED_PERSON_ADULT_FAMILY_NAME, row->adult_family_name, &p.fields.adult_family_name },
		{ FY_COLUMN_PROVIDED_PERSON_ADULT_EMAIL, row->adult_email, &p.fields.adult_email },
	};
	p.withheld = p.state == FY_PROVIDED_RESTRICTED && purpose != FY_PURPOSE_RIGHTS;
	size_t count = p.withheld ? 2 : FY_COUNT(texts); /* the name tells who objected */
	int err = fy_person_open(ctx, row->id, row->master_key_id, row->wrapped, &person);
	for (size_t i = 0; i < count && err == 0; i++)
		err = fy_unseal_personal(ctx, &person, texts[i].column, row->id, purpose, texts[i].sealed, texts[i].to);
	if (err == 0 && !p.withheld && fy_parse_iso_date(birth_date.text, &p.fields.birth_date))
		err = fy_fail(ctx, FY_ERR_UNREADABLE, "the birth date of person %llu is none",
			      (unsigned long long)row->id);
	if (err == 0)
		*ret_person = p;
	return err;
}

fy_async int fy_provided_read(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			      struct fy_provided *ret_person)
{
	struct fy_sql_provided_get_row row;
	int err = fy_sql_provided_get(ctx, &(struct fy_sql_provided_get_params){ .id = id }, &row);
	return err ? err : open_row(ctx, &row, purpose, ret_person);
}

fy_async int fy_provided_list_of(struct fy_ctx *ctx, struct fy_slice email_hash, unsigned limit,
				 struct fy_provided_match **ret_matches, size_t *ret_count)
{
	struct fy_sql_provided_list_of_row *rows;
	size_t count;
	int err = fy_sql_provided_list_of(ctx,
					  &(struct fy_sql_provided_list_of_params){
						  .own = { email_hash }, .adult = { email_hash }, .limit = limit + 1 },
					  &rows, &count);
	if (err)
		return err;
	if (count > limit)
		return fy_fail(ctx, FY_ERR_TOO_LARGE, "more than %u persons", limit);
	*ret_matches = fy_new_array(ctx->arena, struct fy_provided_match, count + 1);
	for (size_t i = 0; i < count; i++)
		(*ret_matches)[i] = (struct fy_provided_match){ rows[i].id, rows[i].own != 0 };
	*ret_count = count;
	return 0;
}

fy_async int fy_provided_get(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, struct fy_provided *ret_person)
{
	struct fy_sql_provided_get_row row;
	int err = fy_sql_provided_get(ctx, &(struct fy_sql_provided_get_params){ .id = id }, &row);
	if (err == 0 && row.provider_id != provider_id)
		return FY_ERR_NOT_FOUND;
	return err ? err : open_row(ctx, &row, FY_PURPOSE_CONTRACTUALISATION, ret_person);
}

_Static_assert(sizeof(struct fy_sql_provided_list_row) == sizeof(struct fy_sql_provided_get_row),
	       "the rows have the same members");

fy_async int fy_provided_list(struct fy_ctx *ctx, uint64_t provider_id, uint64_t cursor, unsigned limit,
			      struct fy_provided_page *ret_page)
{
	struct fy_sql_provided_list_row *rows;
	struct fy_provided_page page = { 0 };
	if (limit == 0 || limit > PAGE_MAX)
		limit = PAGE_MAX;
	int err = fy_sql_provided_list(ctx,
				       &(struct fy_sql_provided_list_params){ .provider_id = provider_id,
									      .before_id = cursor ? cursor : UINT64_MAX,
									      .limit = limit + 1 },
				       &rows, &page.count);
	if (err)
		return err;
	if (page.count > limit) {
		page.count = limit;
		page.next_cursor = rows[limit - 1].id;
	}
	page.items = fy_new_array(ctx->arena, struct fy_provided, page.count + 1);
	for (size_t i = 0; i < page.count && err == 0; i++) {
		struct fy_sql_provided_get_row row;
		memcpy(&row, &rows[i], sizeof row);
		err = open_row(ctx, &row, FY_PURPOSE_CONTRACTUALISATION, &page.items[i]);
		if (err == FY_ERR_UNREADABLE) {
			fy_log(ctx, FY_LOG_ERROR, "provided.unreadable", FY_KV("detail", ctx->fault));
			page.items[i] = head_of(&row);
			err = 0;
		}
	}
	if (err == 0)
		*ret_page = page;
	return err;
}

fy_async int fy_provided_count(struct fy_ctx *ctx, uint64_t provider_id, uint64_t *ret_count)
{
	struct fy_sql_provided_count_row row;
	int err =
		fy_sql_provided_count(ctx, &(struct fy_sql_provided_count_params){ .provider_id = provider_id }, &row);
	if (err == 0)
		*ret_count = (uint64_t)row.persons;
	return err;
}

/* ---- Changes by the provider ---- */

/* Another notice: its mail, and its link in place of the old. What still waits with the old link is not sent. */
static fy_async int notify(struct fy_ctx *ctx, const struct fy_person *person, const struct fy_provided_notice *notice)
{
	struct fy_sql_outbox_insert_params mail;
	int err = fy_outbox_row(ctx, notice->mail, person, &mail);
	if (err == 0)
		err = fy_sql_outbox_delete_of_person(
			ctx, &(struct fy_sql_outbox_delete_of_person_params){ .person_id = person->id }, NULL);
	if (err == 0)
		err = fy_sql_outbox_insert(ctx, &mail, NULL);
	if (err)
		return err;
	return fy_sql_provided_notify(ctx,
				      &(struct fy_sql_provided_notify_params){ .notice_mail_id = mail.id,
									       .notice_hash = { notice->hash },
									       .notice_expires_at = notice->expires_at,
									       .inform_by = ctx->now + TO_INFORM_AGAIN,
									       .id = person->id },
				      NULL);
}

struct change {
	uint64_t provider_id, id;
	uint32_t version;
	const struct fy_provided_fields *fields;
	const struct fy_provided_notice *notice;
};

static fy_async int update(struct fy_ctx *ctx, void *arg)
{
	const struct change *c = arg;
	struct fy_sql_provided_lock_row row;
	struct fy_person person;
	struct fy_db_done done;
	struct values v;
	int err = lock_provider(ctx, c->provider_id);
	if (err == 0)
		err = fy_sql_provided_lock(ctx, &(struct fy_sql_provided_lock_params){ .id = c->id }, &row);
	if (err)
		return err;
	if (row.provider_id != c->provider_id)
		return FY_ERR_NOT_FOUND;
	if (row.state != FY_PROVIDED_ENTERED)
		return FY_ERR_DENIED;
	err = fy_persons_get(ctx, c->id, &person);
	if (err)
		return err;
	seal_all(ctx, &person, c->provider_id, c->fields, &v);
	err = check_unknown(ctx, c->provider_id, c->id, &v);
	if (err)
		return err;
	err = fy_sql_provided_update(ctx,
				     &(struct fy_sql_provided_update_params){ .lang = (uint8_t)c->fields->lang,
									      VALUES(v),
									      .last_active_at = ctx->now,
									      .id = c->id,
									      .version = c->version },
				     &done);
	if (err == 0 && done.affected == 0)
		err = FY_ERR_CONFLICT;
	return err || c->notice == NULL ? err : notify(ctx, &person, c->notice);
}

fy_async int fy_provided_update(struct fy_ctx *ctx, uint64_t provider_id, uint64_t id, uint32_t version,
				const struct fy_provided_fields *fields, const struct fy_provided_notice *notice)
{
	struct change c = { provider_id, id, version, fields, notice };
	int err = check(ctx, fields);
	return err ? err : fy_repo_join(ctx, update, &c);
}

/* ---- By the link ---- */

fy_async int fy_provided_find(struct fy_ctx *ctx, struct fy_slice hash, struct fy_provided *ret_person)
{
	struct fy_sql_provided_by_notice_row row;
	int err = fy_sql_provided_by_notice(ctx, &(struct fy_sql_provided_by_notice_params){ .notice_hash = { hash } },
					    &row);
	if (err == 0)
		err = fy_provided_read(ctx, row.id, FY_PURPOSE_RIGHTS, ret_person);
	return err == 0 && row.notice_expires_at <= ctx->now ? FY_ERR_EXPIRED : err;
}

fy_async int fy_provided_restrict(struct fy_ctx *ctx, struct fy_slice hash, bool restricted)
{
	struct fy_db_done done;
	int err =
		fy_sql_provided_restrict(ctx,
					 &(struct fy_sql_provided_restrict_params){
						 .state = restricted ? FY_PROVIDED_RESTRICTED : FY_PROVIDED_TAKEN_OVER,
						 .last_active_at = ctx->now,
						 .noticed_at = ctx->now,
						 .notice_hash = { hash },
						 .now = ctx->now },
					 &done);
	return err || done.affected ? err : FY_ERR_NOT_FOUND;
}

struct renewal {
	uint64_t id;
	struct fy_slice hash;
	const struct fy_provided_notice *notice;
};

static fy_async int renew(struct fy_ctx *ctx, void *arg)
{
	const struct renewal *r = arg;
	struct fy_mail_new mail = *r->notice->mail;
	struct fy_db_done done;
	mail.person_id = r->id;
	int err = fy_sql_provided_renew(
		ctx,
		&(struct fy_sql_provided_renew_params){ .notice_hash = { r->notice->hash },
							.notice_expires_at = r->notice->expires_at,
							.id = r->id,
							.old_hash = { r->hash } },
		&done);
	if (err == 0 && done.affected == 0)
		err = FY_ERR_NOT_FOUND;
	return err ? err : fy_outbox_add(ctx, &mail);
}

struct correction {
	struct fy_slice hash;
	const struct fy_provided_fields *fields;
	const struct fy_provided_notice *notice;
};

static fy_async int correct(struct fy_ctx *ctx, void *arg)
{
	const struct correction *c = arg;
	struct fy_provided now;
	struct fy_person person;
	struct fy_db_done done;
	struct values v;
	int err = fy_provided_find(ctx, c->hash, &now);
	if (err == 0)
		err = fy_persons_get(ctx, now.id, &person);
	if (err)
		return err;
	seal_all(ctx, &person, now.provider_id, c->fields, &v);
	err = fy_sql_provided_correct(ctx,
				      &(struct fy_sql_provided_correct_params){ .lang = (uint8_t)c->fields->lang,
										VALUES(v),
										.last_active_at = ctx->now,
										.noticed_at = ctx->now,
										.id = now.id,
										.now = ctx->now,
										.notice_hash = { c->hash } },
				      &done);
	if (err == 0 && done.affected == 0)
		err = FY_ERR_NOT_FOUND;
	struct renewal r = { now.id, c->hash, c->notice };
	return err || c->notice == NULL ? err : renew(ctx, &r);
}

fy_async int fy_provided_correct(struct fy_ctx *ctx, struct fy_slice hash, const struct fy_provided_fields *fields,
				 const struct fy_provided_notice *notice)
{
	struct correction c = { hash, fields, notice };
	int err = check(ctx, fields);
	return err ? err : fy_repo_join(ctx, correct, &c);
}

fy_async int fy_provided_renew(struct fy_ctx *ctx, struct fy_slice hash, const struct fy_provided_notice *notice)
{
	struct fy_provided now;
	int err = fy_provided_find(ctx, hash, &now);
	if (err && err != FY_ERR_EXPIRED)
		return err;
	struct renewal r = { now.id, hash, notice };
	return fy_repo_join(ctx, renew, &r);
}
