/* Gathering what is held about a person (export.h). The register says which fields; `sources` only says where in the
 * repositories' structs each of them stands. */
#include "storage/export.h"

#include "foyer/require.h"
#include "protocol/netaddr.h"

#define MESSAGES_A_TIME 100
#define SESSIONS_MAX 1000
#define NOT_BEGUN ((fy_time)-1) /* of a rule that applies: its time has not begun */

enum how { TEXT = 1, TIME, YES_NO, LANGUAGE, CHARS, ADDRESS };

static const struct source {
	enum fy_register_column column;
	enum how how;
	size_t offset;
} sources[] = {
#define FROM(type, column, how, member)                                \
	{                                                              \
		FY_COLUMN_##column, how, offsetof(struct type, member) \
	}
	FROM(fy_account, ACCOUNT_EMAIL, TEXT, email),
	FROM(fy_account, ACCOUNT_GIVEN_NAME, TEXT, profile.given_name),
	FROM(fy_account, ACCOUNT_FAMILY_NAME, TEXT, profile.family_name),
	FROM(fy_account, ACCOUNT_PHONE, TEXT, profile.phone),
	FROM(fy_account, ACCOUNT_POSITION, TEXT, profile.position),
	FROM(fy_account, ACCOUNT_SKILLS, TEXT, profile.skills),
	FROM(fy_account, ACCOUNT_PASSIONS, TEXT, profile.passions),
	FROM(fy_account, ACCOUNT_STREET_ADDRESS, TEXT, profile.street_address),
	FROM(fy_account, ACCOUNT_POSTAL_CODE, TEXT, profile.postal_code),
	FROM(fy_account, ACCOUNT_ADDRESS_LEVEL2, TEXT, profile.address_level2),
	FROM(fy_account, ACCOUNT_COUNTRY, TEXT, profile.country),
	FROM(fy_account, ACCOUNT_LANGUAGE, LANGUAGE, profile.language),
	FROM(fy_account, ACCOUNT_CREATED_AT, TIME, created_at),
	FROM(fy_account, ACCOUNT_CONFIRMED_AT, TIME, confirmed_at),
	FROM(fy_account, ACCOUNT_LAST_ACTIVE_AT, TIME, last_active_at),
	FROM(fy_account, ACCOUNT_PASSWORD_CHANGED_AT, TIME, password_changed_at),
	FROM(fy_consent, CONSENT_GIVEN, YES_NO, given),
	FROM(fy_consent, CONSENT_DECIDED_AT, TIME, decided_at),
	FROM(fy_session, SESSION_DEVICE, CHARS, device),
	FROM(fy_session, SESSION_ADDRESS, ADDRESS, address),
	FROM(fy_session, SESSION_CREATED_AT, TIME, created_at),
	FROM(fy_session, SESSION_LAST_SEEN_AT, TIME, last_seen_at),
	FROM(fy_contact_message, CONTACT_MESSAGE_NAME, TEXT, name),
	FROM(fy_contact_message, CONTACT_MESSAGE_EMAIL, TEXT, email),
	FROM(fy_contact_message, CONTACT_MESSAGE_SUBJECT, TEXT, subject),
	FROM(fy_contact_message, CONTACT_MESSAGE_MESSAGE, TEXT, message),
	FROM(fy_contact_message, CONTACT_MESSAGE_CONSENTED_AT, TIME, consented_at),
	FROM(fy_outbox_waiting, OUTBOX_TO_ADDRESS, TEXT, to_address),
#undef FROM
};

/* The first column of each kind's table; the others follow it. */
static const enum fy_register_column first_column[] = {
	[FY_EXPORT_ACCOUNT] = FY_COLUMN_ACCOUNT_ID, [FY_EXPORT_CONSENT] = FY_COLUMN_CONSENT_ID,
	[FY_EXPORT_SESSION] = FY_COLUMN_SESSION_ID, [FY_EXPORT_MESSAGE] = FY_COLUMN_CONTACT_MESSAGE_ID,
	[FY_EXPORT_MAIL] = FY_COLUMN_OUTBOX_ID,
};

struct gather {
	struct fy_ctx ctx; /* of the caller, with the export's arena */
	struct fy_slice email_hash;
	struct fy_export *export;
	struct fy_export_record **end; /* where the next record goes */
	size_t text;
};

bool fy_export_shows(const struct fy_register_field *field)
{
	return field->mark == FY_MARK_PERSONAL && !field->derived && field->seen_by & 1u << FY_VIEWER_SELF;
}

static const struct source *source_of(enum fy_register_column column)
{
	for (size_t i = 0; i < FY_COUNT(sources); i++)
		if (sources[i].column == column)
			return &sources[i];
	return NULL;
}

static void take(struct fy_arena *arena, const struct source *source, const void *of, struct fy_export_value *value)
{
	const void *at = (const char *)of + source->offset;
	struct fy_addr address;
	char text[FY_ADDR_TEXT_MAX];
	switch (source->how) {
	case TEXT:
		value->type = FY_EXPORT_TEXT;
		memcpy(&value->text, at, sizeof value->text);
		break;
	case TIME:
		value->type = FY_EXPORT_TIME;
		memcpy(&value->time, at, sizeof value->time);
		break;
	case YES_NO:
		value->type = FY_EXPORT_YES_NO;
		memcpy(&value->yes, at, sizeof value->yes);
		break;
	case LANGUAGE:
		value->type = FY_EXPORT_LANGUAGE;
		memcpy(&value->language, at, sizeof value->language);
		break;
	case CHARS:
		value->type = FY_EXPORT_TEXT;
		value->text.text = fy_slice(at, strnlen(at, FY_SESSION_DEVICE_MAX));
		break;
	case ADDRESS:
		value->type = FY_EXPORT_TEXT;
		memcpy(address.b, at, sizeof address.b);
		value->text.text = fy_copy(arena, fy_slice(text, fy_addr_text(&address, text)));
		break;
	}
}

/* `since`: for each trigger the time from which its rule counts; 0: it does not apply to this record. */
static fy_time end_of(const struct fy_register_field *field, const fy_time since[FY_TRIGGER_COUNT],
		      const struct fy_config *config)
{
	fy_time first = 0;
	for (unsigned i = 0; i < field->keep_count; i++) {
		fy_time from = since[field->keep[i].from];
		fy_time end = from > 0 ? from + fy_register_keep_days(&field->keep[i], config) * FY_DAY : 0;
		if (end && (first == 0 || end < first))
			first = end;
	}
	return first;
}

static int add_record(struct gather *g, enum fy_export_kind kind, const void *of, const fy_time since[FY_TRIGGER_COUNT])
{
	struct fy_arena *arena = g->ctx.arena;
	struct fy_export_record *record = fy_new(arena, struct fy_export_record);
	enum fy_register_column first = first_column[kind], column = first;
	uint16_t table = fy_register_fields[first].table;
	while (column < FY_COLUMN_COUNT && fy_register_fields[column].table == table)
		column++;
	struct fy_export_value *values = fy_new_array(arena, struct fy_export_value, (size_t)(column - first));
	for (enum fy_register_column c = first; c < column; c++) {
		const struct fy_register_field *field = &fy_register_fields[c];
		const struct source *source = source_of(c);
		if (!fy_export_shows(field))
			continue;
		if (source == NULL)
			return fy_fail(&g->ctx, FY_ERR_INTERNAL, "the export does not know where %s.%s is",
				       fy_register_tables[table].name, field->column);
		struct fy_export_value *value = &values[record->value_count++];
		*value = (struct fy_export_value){ .column = c, .ends_at = end_of(field, since, g->ctx.config) };
		take(arena, source, of, value);
		g->text += value->text.text.len;
	}
	for (unsigned t = 0; t < FY_TRIGGER_COUNT; t++)
		record->triggers |= since[t] ? 1u << t : 0;
	record->kind = kind;
	record->account = of; /* or whichever it is */
	record->values = values;
	*g->end = record;
	g->end = &record->next;
	g->export->record_count++;
	return g->text > FY_EXPORT_TEXT_MAX ? fy_fail(&g->ctx, FY_ERR_TOO_LARGE, "more text than an export holds") : 0;
}

static fy_async int add_account(struct gather *g, uint64_t id)
{
	fy_time since[FY_TRIGGER_COUNT] = { 0 };
	struct fy_account *account = fy_new(g->ctx.arena, struct fy_account);
	int err = fy_accounts_get(&g->ctx, id, FY_PURPOSE_RIGHTS, account);
	if (err)
		return err;
	if (account->state == FY_ACCOUNT_PENDING)
		since[FY_TRIGGER_UNCONFIRMED_REGISTRATION] = account->created_at;
	else
		since[FY_TRIGGER_LAST_ACTIVITY] =
			account->last_active_at ? account->last_active_at : account->created_at;
	g->export->account_id = id;
	return add_record(g, FY_EXPORT_ACCOUNT, account, since);
}

static fy_async int add_consents(struct gather *g, uint64_t account_id)
{
	struct fy_consent *consents;
	fy_time replaced[FY_CONSENT_PURPOSES] = { 0 }; /* when the decision after this one was made */
	size_t count;
	int err = fy_consents_list(&g->ctx, account_id, &consents, &count);
	for (size_t i = 0; i < count && err == 0; i++) {
		fy_time since[FY_TRIGGER_COUNT] = { 0 }, *next = &replaced[consents[i].purpose % FY_CONSENT_PURPOSES];
		since[FY_TRIGGER_CONSENT_REPLACED] = *next ? *next : NOT_BEGUN;
		*next = consents[i].decided_at;
		err = add_record(g, FY_EXPORT_CONSENT, &consents[i], since);
	}
	return err;
}

static fy_async int add_sessions(struct gather *g, uint64_t account_id)
{
	const struct fy_session_filter filter = { .account_id = account_id };
	struct fy_session_page page = { 0 };
	int err = fy_sessions_list(&g->ctx, &filter, FY_NONE, SESSIONS_MAX, &page);
	for (size_t i = 0; i < page.count && err == 0; i++) {
		fy_time since[FY_TRIGGER_COUNT] = { 0 };
		since[FY_TRIGGER_SESSION_OPENED] = page.items[i].created_at;
		since[FY_TRIGGER_SESSION_USED] = page.items[i].last_seen_at;
		err = add_record(g, FY_EXPORT_SESSION, &page.items[i], since);
	}
	return err;
}

static int add_message(struct gather *g, const struct fy_contact_message *listed)
{
	fy_time since[FY_TRIGGER_COUNT] = { 0 };
	struct fy_arena *arena = g->ctx.arena;
	struct fy_contact_message *m = fy_new(arena, struct fy_contact_message);
	*m = *listed;
	m->reference = fy_copy(arena, m->reference);
	m->consent_text_version = fy_copy(arena, m->consent_text_version);
	m->name.text = fy_copy(arena, m->name.text);
	m->email.text = fy_copy(arena, m->email.text);
	m->subject.text = fy_copy(arena, m->subject.text);
	m->message.text = fy_copy(arena, m->message.text);
	if (m->closed_at)
		since[FY_TRIGGER_MESSAGE_CLOSED] = m->closed_at;
	else
		since[FY_TRIGGER_MESSAGE_WRITTEN] = m->created_at;
	return add_record(g, FY_EXPORT_MESSAGE, m, since);
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
	fy_time since[FY_TRIGGER_COUNT] = { 0 };
	struct fy_outbox_waiting *mails;
	size_t count;
	int err = fy_outbox_list_waiting(&g->ctx, g->email_hash, &mails, &count);
	since[FY_TRIGGER_MAIL_ENDED] = NOT_BEGUN;
	for (size_t i = 0; i < count && err == 0; i++)
		err = add_record(g, FY_EXPORT_MAIL, &mails[i], since);
	return err;
}

/* Both are asked in any case: the same work for everybody. */
fy_async int fy_export_find(struct fy_ctx *ctx, struct fy_slice email_hash)
{
	uint64_t id, *ids;
	size_t messages = 0;
	int account = fy_accounts_find_id(ctx, email_hash, &id);
	int err = fy_contact_list_email(ctx, email_hash, 1, &ids, &messages);
	if (account != FY_ERR_NOT_FOUND)
		return account;
	if (err == FY_ERR_TOO_LARGE) /* more than the one that was asked for */
		return 0;
	return err || messages ? err : FY_ERR_NOT_FOUND;
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
		err = add_consents(&g, id);
	if (err == 0)
		err = add_sessions(&g, id);
	if (err == 0 || err == FY_ERR_NOT_FOUND)
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
	export->records = NULL;
}
