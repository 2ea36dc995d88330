/* Gathering what is held about a person (export.h). The register says which fields; `sources` only says where in the
 * repositories' structs each of them stands. */
#include "storage/export.h"

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/netaddr.h"
#include "storage/restriction.h"

#define MESSAGES_A_TIME 100
#define PAGE 100
#define REQUESTS_MAX 1000
#define ENTERED_MAX 1000
#define SESSIONS_MAX 1000

enum how { TEXT = 1, PLAIN, TIME, DATE, YES_NO, NUMBER, LANGUAGE, GROUND, CHARS, ADDRESS };

#define COLUMN(name) (&fy_register_fields[FY_COLUMN_##name])
#define STORE(name) (&fy_register_store_fields[FY_STORE_##name])

static const struct source {
	const struct fy_register_field *field;
	enum how how;
	size_t offset;
} sources[] = {
#define FROM(type, field, how, member)              \
	{                                           \
		field, how, offsetof(type, member), \
	}
#define OF_ACCOUNT(name, how, member) FROM(struct fy_account, COLUMN(ACCOUNT_##name), how, member)
	OF_ACCOUNT(EMAIL, TEXT, email),
	OF_ACCOUNT(GIVEN_NAME, TEXT, profile.given_name),
	OF_ACCOUNT(FAMILY_NAME, TEXT, profile.family_name),
	OF_ACCOUNT(PHONE, TEXT, profile.phone),
	OF_ACCOUNT(POSITION, TEXT, profile.position),
	OF_ACCOUNT(SKILLS, TEXT, profile.skills),
	OF_ACCOUNT(PASSIONS, TEXT, profile.passions),
	OF_ACCOUNT(STREET_ADDRESS, TEXT, profile.street_address),
	OF_ACCOUNT(POSTAL_CODE, TEXT, profile.postal_code),
	OF_ACCOUNT(ADDRESS_LEVEL2, TEXT, profile.address_level2),
	OF_ACCOUNT(COUNTRY, TEXT, profile.country),
	OF_ACCOUNT(LANGUAGE, LANGUAGE, profile.language),
	OF_ACCOUNT(CREATED_AT, TIME, created_at),
	OF_ACCOUNT(CONFIRMED_AT, TIME, confirmed_at),
	OF_ACCOUNT(LAST_ACTIVE_AT, TIME, last_active_at),
	OF_ACCOUNT(PASSWORD_CHANGED_AT, TIME, password_changed_at),
	OF_ACCOUNT(ERASE_AT, TIME, erase_at),
	OF_ACCOUNT(ERASE_ASKED_AT, TIME, erase_asked_at),
	OF_ACCOUNT(ERASE_GROUND, GROUND, erase_ground),
	OF_ACCOUNT(POLICY_TOLD, TEXT, policy_told),
	FROM(struct fy_email_change, COLUMN(EMAIL_CHANGE_EMAIL), TEXT, email),
	FROM(struct fy_hold, COLUMN(LEGAL_HOLD_REASON), TEXT, reason),
	FROM(struct fy_consent, COLUMN(CONSENT_GIVEN), YES_NO, given),
	FROM(struct fy_consent, COLUMN(CONSENT_DECIDED_AT), TIME, decided_at),
#define OF_SESSION(store)                                                                  \
	FROM(struct fy_session, STORE(store##_ACCOUNT), NUMBER, account_id),               \
		FROM(struct fy_session, STORE(store##_NETWORK_ADDRESS), ADDRESS, address), \
		FROM(struct fy_session, STORE(store##_DEVICE), CHARS, device),             \
		FROM(struct fy_session, STORE(store##_SIGNED_IN_AT), TIME, created_at),    \
		FROM(struct fy_session, STORE(store##_LAST_SEEN_AT), TIME, last_seen_at),  \
		FROM(struct fy_session, STORE(store##_LANGUAGE), LANGUAGE, lang)
	OF_SESSION(SESSION),
	OF_SESSION(MANAGER_SESSION),
#define OF_REQUEST(name, member) FROM(struct fy_rights_request, COLUMN(RIGHTS_REQUEST_##name), TEXT, member)
	OF_REQUEST(NAME, name),
	OF_REQUEST(EMAIL, email),
	OF_REQUEST(WISH, wish),
	OF_REQUEST(EXTENSION_REASON, extension_reason),
	OF_REQUEST(REPLY, reply),
	OF_REQUEST(REFUSAL_REASON, refusal_reason),
	FROM(struct fy_rights_step, COLUMN(RIGHTS_STEP_NOTE), TEXT, note),
	FROM(struct fy_grant, COLUMN(ACCESS_REQUEST_REASON), TEXT, reason),
	FROM(struct fy_read_entry, COLUMN(ACCESS_LOG_READ_AT), TIME, read_at),
	FROM(struct fy_read_entry, COLUMN(ACCESS_LOG_FIELDS), PLAIN, read.fields),
#define OF_ENTERED(name, how, member) FROM(struct fy_provided, COLUMN(PROVIDED_PERSON_##name), how, fields.member)
	OF_ENTERED(GIVEN_NAME, TEXT, given_name),
	OF_ENTERED(FAMILY_NAME, TEXT, family_name),
	OF_ENTERED(EMAIL, TEXT, email),
	OF_ENTERED(BIRTH_DATE, DATE, birth_date),
	OF_ENTERED(WHAT_FOR, TEXT, what_for),
	OF_ENTERED(ADULT_GIVEN_NAME, TEXT, adult_given_name),
	OF_ENTERED(ADULT_FAMILY_NAME, TEXT, adult_family_name),
	OF_ENTERED(ADULT_EMAIL, TEXT, adult_email),
#define OF_MESSAGE(name, how, member) FROM(struct fy_contact_message, COLUMN(CONTACT_MESSAGE_##name), how, member)
	OF_MESSAGE(NAME, TEXT, name),
	OF_MESSAGE(EMAIL, TEXT, email),
	OF_MESSAGE(SUBJECT, TEXT, subject),
	OF_MESSAGE(MESSAGE, TEXT, message),
	OF_MESSAGE(CONSENTED_AT, TIME, consented_at),
	FROM(struct fy_outbox_waiting, COLUMN(OUTBOX_TO_ADDRESS), TEXT, to_address),
};

/* A field of each kind's table or store. */
static const struct fy_register_field *const some_field[FY_EXPORT_KINDS_END] = {
	[FY_EXPORT_ACCOUNT] = COLUMN(ACCOUNT_ID),
	[FY_EXPORT_EMAIL_CHANGE] = COLUMN(EMAIL_CHANGE_ACCOUNT_ID),
	[FY_EXPORT_HOLD] = COLUMN(LEGAL_HOLD_ID),
	[FY_EXPORT_CONSENT] = COLUMN(CONSENT_ID),
	[FY_EXPORT_SESSION] = STORE(SESSION_ACCOUNT),
	[FY_EXPORT_OFFICE_SESSION] = STORE(MANAGER_SESSION_ACCOUNT),
	[FY_EXPORT_REQUEST] = COLUMN(RIGHTS_REQUEST_ID),
	[FY_EXPORT_STEP] = COLUMN(RIGHTS_STEP_ID),
	[FY_EXPORT_GRANT] = COLUMN(ACCESS_REQUEST_ID),
	[FY_EXPORT_READ] = COLUMN(ACCESS_LOG_ID),
	[FY_EXPORT_ENTERED] = COLUMN(PROVIDED_PERSON_ID),
	[FY_EXPORT_MESSAGE] = COLUMN(CONTACT_MESSAGE_ID),
	[FY_EXPORT_MAIL] = COLUMN(OUTBOX_ID),
};

struct gather {
	struct fy_ctx ctx; /* of the caller, with the export's arena */
	struct fy_slice email_hash;
	struct fy_export *export;
	struct fy_export_record **end;                              /* where the next record goes */
	enum mask { NOTHING, THE_ADULT, ALL_BUT_THE_ADULT } masked; /* of somebody who was entered */
};

static size_t held; /* of all exports that are not finished */

bool fy_export_shows(const struct fy_register_field *field)
{
	return field->mark == FY_MARK_PERSONAL && !field->derived && field->seen_by & 1u << FY_VIEWER_SELF;
}

static bool in_redis(enum fy_export_kind kind)
{
	return kind == FY_EXPORT_SESSION || kind == FY_EXPORT_OFFICE_SESSION;
}

static const struct source *source_of(const struct fy_register_field *field)
{
	for (size_t i = 0; i < FY_COUNT(sources); i++)
		if (sources[i].field == field)
			return &sources[i];
	return NULL;
}

static struct fy_slice iso_date(struct fy_arena *arena, const struct fy_date *date)
{
	struct fy_buf out;
	fy_buf_init(&out, arena, 64);
	if (date->year)
		fy_put_iso_date(&out, *date);
	return fy_buf_slice(&out);
}

static void take(struct fy_arena *arena, const struct source *source, const void *of, struct fy_export_value *value)
{
	const void *at = (const char *)of + source->offset;
	struct fy_addr address;
	char text[FY_ADDR_TEXT_MAX];
	value->type = FY_EXPORT_TEXT;
	switch (source->how) {
	case TEXT:
		memcpy(&value->text, at, sizeof value->text);
		break;
	case PLAIN:
		memcpy(&value->text.text, at, sizeof value->text.text);
		break;
	case DATE:
		value->text.text = iso_date(arena, at);
		break;
	case TIME:
		value->type = FY_EXPORT_TIME;
		memcpy(&value->time, at, sizeof value->time);
		break;
	case YES_NO:
		value->type = FY_EXPORT_YES_NO;
		memcpy(&value->yes, at, sizeof value->yes);
		break;
	case NUMBER:
		value->type = FY_EXPORT_NUMBER;
		memcpy(&value->number, at, sizeof value->number);
		break;
	case LANGUAGE:
		value->type = FY_EXPORT_LANGUAGE;
		memcpy(&value->language, at, sizeof value->language);
		break;
	case GROUND:
		value->type = FY_EXPORT_GROUND;
		memcpy(&value->ground, at, sizeof value->ground);
		break;
	case CHARS:
		value->text.text = fy_slice(at, strnlen(at, FY_SESSION_DEVICE_MAX));
		break;
	case ADDRESS:
		memcpy(address.b, at, sizeof address.b);
		value->text.text = fy_copy(arena, fy_slice(text, fy_addr_text(&address, text)));
		break;
	}
}

static bool is_masked(const struct gather *g, const struct fy_register_field *field)
{
	bool of_adult = field == COLUMN(PROVIDED_PERSON_ADULT_GIVEN_NAME) ||
			field == COLUMN(PROVIDED_PERSON_ADULT_FAMILY_NAME) ||
			field == COLUMN(PROVIDED_PERSON_ADULT_EMAIL);
	return g->masked && of_adult == (g->masked == THE_ADULT);
}

/* Appended, for the caller to say whose it is; ret_record is set in any case. */
static int add_record(struct gather *g, enum fy_export_kind kind, const void *of, const struct fy_register_since *since,
		      struct fy_export_record **ret_record)
{
	struct fy_arena *arena = g->ctx.arena;
	struct fy_export_record *record = fy_new(arena, struct fy_export_record);
	const struct fy_register_table *holder =
		(in_redis(kind) ? fy_register_stores : fy_register_tables) + some_field[kind]->table;
	size_t count;
	const struct fy_register_field *first = fy_register_fields_of(holder, &count);
	size_t size = sizeof *record + count * sizeof(struct fy_export_value);
	struct fy_export_value *values = fy_new_array(arena, struct fy_export_value, count);
	*ret_record = record;
	record->kind = kind;
	record->row = (struct fy_register_row){ holder, *since };
	record->values = values;
	for (const struct fy_register_field *field = first; field < first + count; field++) {
		const struct source *source = source_of(field);
		if (!fy_export_shows(field) || is_masked(g, field))
			continue;
		if (source == NULL)
			return fy_fail(&g->ctx, FY_ERR_INTERNAL, "the export does not know where %s.%s is",
				       record->row.holder->name, field->column);
		struct fy_export_value *value = &values[record->value_count++];
		*value = (struct fy_export_value){ .field = field,
						   .ends_at = fy_register_end(field, since, g->ctx.config) };
		take(arena, source, of, value);
		size += value->text.text.len;
	}
	*g->end = record;
	g->end = &record->next;
	g->export->record_count++;
	g->export->size += size;
	held += size;
	if (g->export->size > FY_EXPORT_TEXT_MAX)
		return fy_fail(&g->ctx, FY_ERR_TOO_LARGE, "more text than an export holds");
	return held > FY_EXPORT_HELD_MAX ? fy_fail(&g->ctx, FY_ERR_BUSY, "other exports are being read") : 0;
}

/* What is held or restricted has no end as long as that lasts (holds.h, restriction.h). */
static fy_async int add_account(struct gather *g, uint64_t id)
{
	struct fy_register_since since = { 0 };
	struct fy_account *account = fy_new(g->ctx.arena, struct fy_account);
	struct fy_hold *hold = fy_new(g->ctx.arena, struct fy_hold);
	struct fy_restriction restriction;
	struct fy_export_record *record;
	int err = fy_accounts_get(&g->ctx, id, FY_PURPOSE_RIGHTS, account);
	if (err == 0)
		err = fy_holds_of(&g->ctx, id, FY_PURPOSE_RIGHTS, hold);
	if (err == 0)
		err = fy_restriction_get(&g->ctx, id, &restriction);
	if (err)
		return err;
	fy_time active = account->last_active_at ? account->last_active_at : account->created_at;
	if (account->state == FY_ACCOUNT_PENDING)
		since.from[FY_TRIGGER_UNCONFIRMED_REGISTRATION] = account->created_at;
	else
		since.from[FY_TRIGGER_LAST_ACTIVITY] = hold->id || restriction.in_force ? FY_NOT_BEGUN : active;
	if (account->erase_asked_at && account->erase_ground == FY_ERASURE_ASKED)
		since.from[FY_TRIGGER_ERASURE_ASKED] = hold->id ? FY_NOT_BEGUN : account->erase_asked_at;
	g->export->account_id = id;
	err = add_record(g, FY_EXPORT_ACCOUNT, account, &since, &record);
	if (err)
		return err;
	record->account = account;
	if (hold->id == 0)
		return 0;
	const struct fy_register_since with_account = { { [FY_TRIGGER_PERSON_ERASED] = FY_NOT_BEGUN } };
	err = add_record(g, FY_EXPORT_HOLD, hold, &with_account, &record);
	record->hold = hold;
	record->unreadable = hold->reason.text.len == 0;
	return err;
}

static fy_async int add_email_change(struct gather *g, uint64_t account_id)
{
	struct fy_register_since since = { 0 };
	struct fy_email_change *change = fy_new(g->ctx.arena, struct fy_email_change);
	struct fy_export_record *record;
	int err = fy_email_change_get(&g->ctx, account_id, change);
	if (err)
		return err == FY_ERR_NOT_FOUND ? 0 : err;
	since.from[FY_TRIGGER_ADDRESS_CHANGE_ASKED] = change->asked_at;
	err = add_record(g, FY_EXPORT_EMAIL_CHANGE, change, &since, &record);
	record->email_change = change;
	return err;
}

static fy_async int add_consents(struct gather *g, uint64_t account_id)
{
	struct fy_consent *consents;
	struct fy_export_record *record;
	fy_time replaced[FY_CONSENT_PURPOSES] = { 0 }; /* when the decision after this one was made */
	size_t count;
	int err = fy_consents_list(&g->ctx, account_id, &consents, &count);
	for (size_t i = 0; err == 0 && i < count; i++) {
		struct fy_register_since since = { 0 };
		fy_time *next = &replaced[consents[i].purpose % FY_CONSENT_PURPOSES];
		since.from[FY_TRIGGER_CONSENT_REPLACED] = *next ? *next : FY_NOT_BEGUN;
		*next = consents[i].decided_at;
		err = add_record(g, FY_EXPORT_CONSENT, &consents[i], &since, &record);
		record->consent = &consents[i];
	}
	return err;
}

static fy_async int add_sessions(struct gather *g, uint64_t account_id)
{
	const struct fy_session_filter filter = { .account_id = account_id };
	struct fy_session_page page = { 0 };
	struct fy_export_record *record;
	int err = fy_sessions_list(&g->ctx, &filter, FY_NONE, SESSIONS_MAX, &page);
	for (size_t i = 0; err == 0 && i < page.count; i++) {
		const struct fy_session *s = &page.items[i];
		struct fy_register_since since = { 0 };
		since.from[FY_TRIGGER_SIGN_IN] = s->created_at;
		since.from[FY_TRIGGER_SESSION_USED] = s->last_seen_at;
		err = add_record(g, s->kind == FY_SESSION_MANAGER ? FY_EXPORT_OFFICE_SESSION : FY_EXPORT_SESSION, s,
				 &since, &record);
		record->session = s;
	}
	return err;
}

static fy_async int add_request(struct gather *g, uint64_t id)
{
	struct fy_register_since since = { 0 };
	struct fy_rights_request *request = fy_new(g->ctx.arena, struct fy_rights_request);
	struct fy_rights_step *steps;
	struct fy_export_record *record;
	size_t count = 0;
	int err = fy_rights_file(&g->ctx, id, request, &steps, &count);
	if (err)
		return err == FY_ERR_NOT_FOUND ? 0 : err; /* purged meanwhile */
	since.from[FY_TRIGGER_REQUEST_ENDED] = request->ended_at ? request->ended_at : FY_NOT_BEGUN;
	err = add_record(g, FY_EXPORT_REQUEST, request, &since, &record);
	record->request = request;
	record->unreadable = request->unreadable;
	for (size_t i = 0; err == 0 && i < count; i++) {
		err = add_record(g, FY_EXPORT_STEP, &steps[i], &since, &record);
		record->request = request;
		record->step = &steps[i];
	}
	return err;
}

static fy_async int add_requests(struct gather *g, uint64_t account_id)
{
	uint64_t *ids;
	size_t count;
	int err = fy_rights_list_of(&g->ctx, account_id, g->email_hash, REQUESTS_MAX, &ids, &count);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_request(g, ids[i]);
	return err;
}

static fy_async int add_grants(struct gather *g, uint64_t account_id)
{
	struct fy_export_record *record;
	struct fy_grant_page page = { .next_cursor = 0 };
	int err;
	do {
		err = fy_grants_list_person(&g->ctx, account_id, 0, page.next_cursor, PAGE, &page);
		for (size_t i = 0; err == 0 && i < page.count; i++) {
			const struct fy_grant *grant = &page.items[i];
			struct fy_register_since since = { 0 };
			since.from[FY_TRIGGER_ACCESS_ENDED] =
				grant->ends_at > grant->asked_at ? grant->ends_at : grant->asked_at;
			err = add_record(g, FY_EXPORT_GRANT, grant, &since, &record);
			record->grant = grant;
			record->unreadable = grant->unreadable;
		}
	} while (err == 0 && page.next_cursor);
	return err;
}

static fy_async int add_reads(struct gather *g, uint64_t account_id)
{
	struct fy_export_record *record;
	struct fy_read_page page = { .next_cursor = 0 };
	int err;
	do {
		err = fy_access_log_list_of(&g->ctx, account_id, g->email_hash, page.next_cursor, PAGE, &page);
		for (size_t i = 0; err == 0 && i < page.count; i++) {
			const struct fy_register_since since = { { [FY_TRIGGER_DATA_READ] = page.items[i].read_at } };
			err = add_record(g, FY_EXPORT_READ, &page.items[i], &since, &record);
			record->read = &page.items[i];
		}
	} while (err == 0 && page.next_cursor);
	return err;
}

/* To whom the source is named (GDPR Articles 14(2)(f) and 15(1)(g)), whatever use of the own data it restricted. */
static fy_async int name_provider(struct gather *g, uint64_t id, struct fy_personal *ret_name)
{
	struct fy_account_name *name;
	int err = fy_accounts_names(&g->ctx, &id, 1, FY_PURPOSE_RIGHTS, &name);
	if (err == 0)
		ret_name->text = fy_fmt(g->ctx.arena, FY_FMT " " FY_FMT, FY_ARG(name->given_name.text),
					FY_ARG(name->family_name.text));
	return err;
}

/* The adult asks in the place of a minor, and of the own data alone once that one has come of age. */
static fy_async int add_one_entered(struct gather *g, const struct fy_provided_match *match)
{
	struct fy_register_since since;
	struct fy_provided *person = fy_new(g->ctx.arena, struct fy_provided);
	struct fy_export_record *record;
	struct fy_personal provider = { FY_NONE };
	int err = fy_provided_read(&g->ctx, match->id, FY_PURPOSE_RIGHTS, person);
	bool damaged = err == FY_ERR_UNREADABLE;
	if (err == FY_ERR_NOT_FOUND) /* ended meanwhile */
		return 0;
	if (damaged)
		fy_log(&g->ctx, FY_LOG_ERROR, "provided.unreadable", FY_KV("detail", g->ctx.fault));
	if (err == 0)
		err = name_provider(g, person->provider_id, &provider);
	if (err && !damaged)
		return err;
	since = fy_provided_since(person);
	if (match->own)
		g->masked = THE_ADULT;
	else
		g->masked = fy_provided_is_minor(person->fields.birth_date, g->ctx.now) ? NOTHING : ALL_BUT_THE_ADULT;
	err = add_record(g, FY_EXPORT_ENTERED, person, &since, &record);
	g->masked = NOTHING;
	record->entered = person;
	record->provider = provider;
	record->unreadable = damaged;
	return err;
}

static fy_async int add_entered(struct gather *g)
{
	struct fy_provided_match *matches;
	size_t count;
	int err = fy_provided_list_of(&g->ctx, g->email_hash, ENTERED_MAX, &matches, &count);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_one_entered(g, &matches[i]);
	return err;
}

static int add_message(struct gather *g, const struct fy_contact_message *listed)
{
	struct fy_register_since since = { 0 };
	struct fy_arena *arena = g->ctx.arena;
	struct fy_contact_message *m = fy_new(arena, struct fy_contact_message);
	struct fy_export_record *record;
	*m = *listed;
	m->reference = fy_copy(arena, m->reference);
	m->consent_text_version = fy_copy(arena, m->consent_text_version);
	m->name.text = fy_copy(arena, m->name.text);
	m->email.text = fy_copy(arena, m->email.text);
	m->subject.text = fy_copy(arena, m->subject.text);
	m->message.text = fy_copy(arena, m->message.text);
	if (m->closed_at)
		since.from[FY_TRIGGER_MESSAGE_CLOSED] = m->closed_at;
	else
		since.from[FY_TRIGGER_MESSAGE_WRITTEN] = m->created_at;
	int err = add_record(g, FY_EXPORT_MESSAGE, m, &since, &record);
	record->message = m;
	record->unreadable = m->unreadable;
	return err;
}

/* In slices: sealed and opened text goes with its slice, and only what is kept is copied. */
static fy_async int add_messages(struct gather *g)
{
	uint64_t *ids;
	size_t count;
	int err = fy_contact_list_email(&g->ctx, g->email_hash, FY_EXPORT_MESSAGES_MAX, &ids, &count);
	for (size_t at = 0; err == 0 && at < count; at += MESSAGES_A_TIME) {
		struct fy_arena arena;
		struct fy_ctx ctx = g->ctx;
		struct fy_contact_message *messages;
		size_t read = 0;
		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		err = fy_contact_get_each(&ctx, ids + at, count - at < MESSAGES_A_TIME ? count - at : MESSAGES_A_TIME,
					  FY_PURPOSE_RIGHTS, &messages, &read);
		if (err)
			fy_fail(&g->ctx, err, "%s", ctx.fault ? ctx.fault : fy_strerror(err));
		for (size_t i = 0; i < read && err == 0; i++)
			err = add_message(g, &messages[i]);
		fy_arena_finish(&arena);
	}
	return err;
}

static fy_async int add_mails(struct gather *g)
{
	struct fy_register_since since = { 0 };
	struct fy_outbox_waiting *mails;
	struct fy_export_record *record;
	size_t count;
	int err = fy_outbox_list_waiting(&g->ctx, g->email_hash, &mails, &count);
	since.from[FY_TRIGGER_MAIL_ENDED] = FY_NOT_BEGUN;
	for (size_t i = 0; err == 0 && i < count; i++) {
		err = add_record(g, FY_EXPORT_MAIL, &mails[i], &since, &record);
		record->mail = &mails[i];
	}
	return err;
}
/* All are asked in any case: the same work for everybody. TOO_LARGE: there are more than the one that was asked for. */
fy_async int fy_export_find(struct fy_ctx *ctx, struct fy_slice email_hash)
{
	uint64_t id, *ids;
	size_t messages = 0, requests = 0, entered = 0;
	struct fy_provided_match *matches;
	int account = fy_accounts_find_id(ctx, email_hash, &id);
	int err = fy_contact_list_email(ctx, email_hash, 1, &ids, &messages);
	int err_requests = fy_rights_list_of(ctx, 0, email_hash, 1, &ids, &requests);
	int err_entered = fy_provided_list_of(ctx, email_hash, 1, &matches, &entered);
	if (account != FY_ERR_NOT_FOUND)
		return account;
	if (err == FY_ERR_TOO_LARGE || err_requests == FY_ERR_TOO_LARGE || err_entered == FY_ERR_TOO_LARGE)
		return 0;
	if (err || err_requests || err_entered)
		return err ? err : err_requests ? err_requests : err_entered;
	return messages || requests || entered ? 0 : FY_ERR_NOT_FOUND;
}

fy_async int fy_export_gather(struct fy_ctx *ctx, struct fy_slice email_hash, struct fy_export *ret_export)
{
	uint64_t id = 0;
	*ret_export = (struct fy_export){ .made_at = ctx->now, .config = ctx->config };
	struct gather g = { .ctx = *ctx, .email_hash = email_hash, .export = ret_export, .end = &ret_export->records };
	fy_arena_init(&ret_export->arena, 0);
	g.ctx.arena = &ret_export->arena;
	int err = fy_accounts_find_id(&g.ctx, email_hash, &id);
	if (err == 0)
		err = add_account(&g, id);
	if (err == 0)
		err = add_email_change(&g, id);
	if (err == 0)
		err = add_consents(&g, id);
	if (err == 0)
		err = add_sessions(&g, id);
	if (err == 0)
		err = add_grants(&g, id);
	if (err == 0 || err == FY_ERR_NOT_FOUND)
		err = add_requests(&g, id);
	if (err == 0)
		err = add_reads(&g, id);
	if (err == 0)
		err = add_entered(&g);
	if (err == 0)
		err = add_messages(&g);
	if (err == 0)
		err = add_mails(&g);
	if (err == 0)
		return 0;
	fy_fail(ctx, err, "%s", g.ctx.fault ? g.ctx.fault : fy_strerror(err));
	fy_export_finish(ret_export);
	return err;
}

void fy_export_finish(struct fy_export *export)
{
	fy_arena_finish(&export->arena);
	held -= export->size;
	export->size = 0;
	export->records = NULL;
}
