/* The answer to "what do you hold about me": everything the register lets the person see, with its end, and nothing of
 * anybody else; and messages of earlier versions are found by their address, too. */
#include "tests/unit/storage/repo_harness.h"

#include "foyer/config.h"
#include "storage/email_hash.h"
#include "storage/erasure.h"
#include "storage/export.h"
#include "storage/provided.h"
#include "storage/redis.h"
#include "storage/sealing.h"
#include "tests/support/redis_fixture.h"

#define ZOE "Zoe.Lefevre@example.org"

static struct redis_fixture *redis;
static uint64_t staff;
static const struct fy_config config = {
	.retention_unconfirmed_days = 7,
	.retention_erasure_grace_days = 7,
	.retention_contact_days = 180,
	.retention_access_log_days = 1826,
	.sessions_idle_days = 14,
	.sessions_absolute_days = 30,
	.sessions_manager_minutes = 30,
};

static int start(void **state)
{
	redis = redis_fixture_start(NULL);
	return harness_start(state);
}

static int stop(void **state)
{
	redis_fixture_stop(redis);
	return harness_stop(state);
}

static int empty(void **state)
{
	change("DELETE FROM instance WHERE name = 'sealed'; DELETE FROM provided_person");
	redis_fixture_number(redis, "FLUSHALL");
	return empty_tables(state);
}

static struct fy_slice hash(struct worker *w, const char *address)
{
	char *room = fy_alloc(&w->arena, FY_HASH_BYTES);
	FY_REQUIRE(fy_email_hash(&w->ctx, fy_str(address), NULL, (uint8_t *)room) == 0);
	return fy_slice(room, FY_HASH_BYTES);
}

/* And a member of staff, who looks and enters. */
static fy_async int connect_redis(struct worker *w)
{
	const struct fy_redis_options options = { .socket_path = redis_fixture_socket(redis) };
	const struct fy_account_new account = { .email = personal("staff@example.org"),
						.email_hash = hash(w, "staff@example.org"),
						.given_name = personal("Inès"),
						.family_name = personal("Moreau"),
						.state = FY_ACCOUNT_ACTIVE,
						.role = FY_ROLE_STAFF };
	w->ctx.config = &config;
	int err = fy_redis_create(&options, &w->ctx.redis);
	if (err == 0)
		err = fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &staff);
	return err ? err : fy_redis_wait_ready(&w->ctx);
}

static fy_async int write_message(struct worker *w, const char *address, const char *text, uint64_t *ret_id)
{
	static unsigned made;
	const struct fy_contact_new message = {
		.reference = fy_fmt(&w->arena, "TEST-%u", ++made),
		.name = personal("Zoé Lefèvre"),
		.email = personal(address),
		.subject = personal("A room"),
		.message = personal(text),
		.consent_text_version = FY_LIT("2026-11"),
	};
	return fy_contact_add(&w->ctx, &message, NULL, 0, ret_id);
}

static fy_async int step(struct worker *w, uint64_t account_id, uint64_t id, enum fy_rights_state from,
			 enum fy_rights_state to)
{
	const struct fy_rights_change change = { .id = id,
						 .account_id = account_id,
						 .from = from,
						 .to = to,
						 .by_account_id = staff,
						 .note = personal("A note"),
						 .text = personal("What was written"),
						 .answer_by = w->ctx.now + 60 * FY_DAY };
	return fy_rights_move(&w->ctx, &change, NULL);
}

static fy_async int make_request(struct worker *w, uint64_t account_id, const char *address, uint64_t *ret_id)
{
	const struct fy_rights_new request = { .account_id = account_id,
					       .recorded_by = account_id ? 0 : staff,
					       .kind = FY_RIGHTS_ACCESS,
					       .name = personal(account_id ? "" : "Zoé Lefèvre"),
					       .email = personal(account_id ? "" : address),
					       .wish = personal("All that you have"),
					       .received_at = w->ctx.now,
					       .due_at = w->ctx.now + 30 * FY_DAY };
	return fy_rights_add(&w->ctx, &request, NULL, ret_id);
}

/* Answered late, refused, and one that came by letter: seven steps. */
static fy_async int make_requests(struct worker *w, uint64_t account_id, const char *address)
{
	uint64_t id, letter;
	int err = make_request(w, account_id, address, &id);
	if (err == 0)
		err = step(w, account_id, id, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS);
	if (err == 0)
		err = step(w, account_id, id, FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_EXTENDED);
	if (err == 0)
		err = step(w, account_id, id, FY_RIGHTS_EXTENDED, FY_RIGHTS_ANSWERED);
	if (err == 0)
		err = make_request(w, account_id, address, &id);
	if (err == 0)
		err = step(w, account_id, id, FY_RIGHTS_RECEIVED, FY_RIGHTS_REFUSED);
	return err ? err : make_request(w, 0, address, &letter);
}

/* Staff asked for the account, and read it and a message. */
static fy_async int look(struct worker *w, uint64_t account_id, uint64_t message_id)
{
	const struct fy_grant_new grant = { .person_id = account_id,
					    .asked_by = staff,
					    .purpose = FY_PURPOSE_CONTACT,
					    .reason = personal("To answer a call"),
					    .minutes = 60 };
	uint64_t id;
	int err = fy_grants_ask(&w->ctx, &grant, &id);
	if (err == 0)
		err = fy_grants_decide(&w->ctx, id, account_id, FY_DECIDES_PERSON, true);
	struct fy_read read = { .reader_id = staff,
				.reader_role = FY_ROLE_STAFF,
				.person_id = account_id,
				.purpose = FY_PURPOSE_CONTACT,
				.fields = FY_LIT("account.email account.phone"),
				.request_id = id };
	if (err == 0)
		err = fy_grants_read(&w->ctx, &read);
	read.person_id = message_id;
	read.request_id = 0;
	return err ? err : fy_access_log_append(&w->ctx, &read);
}

/* By the member of staff, for want of another: as an adult, and as the adult who is responsible for a minor. */
static fy_async int enter(struct worker *w, const char *address, unsigned year, bool as_adult)
{
	static unsigned made;
	const struct fy_mail_new mail = { .template_name = FY_LIT("x"),
					  .to_address = personal(address),
					  .fields = secret("link") };
	const struct fy_provided_notice notice = { .hash = hash_of(&w->arena,
								   fy_cstr(&w->arena, fy_fmt(&w->arena, "n%u", made))),
						   .expires_at = w->ctx.now + FY_DAY,
						   .mail = &mail };
	const struct fy_provided_fields fields = { .given_name = { fy_fmt(&w->arena, "Nom%c",
									  'a' + (int)(made++ % 26)) },
						   .family_name = personal("Entered"),
						   .email = personal(as_adult ? "" : address),
						   .birth_date = { (int16_t)year, 5, 1 },
						   .what_for = personal("A stay"),
						   .adult_given_name = personal(as_adult ? "Zoé" : "Paul"),
						   .adult_family_name = personal("Lefèvre"),
						   .adult_email = personal(as_adult ? address : "paul@example.org") };
	uint64_t id;
	return fy_provided_add(&w->ctx, staff, &fields, &notice, &id);
}

static fy_async int open_session(struct worker *w, uint64_t account_id, enum fy_session_kind kind)
{
	char token[FY_TOKEN_CHARS + 1];
	const struct fy_session_new session = { .account_id = account_id,
						.kind = kind,
						.method = FY_METHOD_PASSWORD,
						.address = { [10] = 0xff, 0xff, 192, 0, 2, 7 },
						.device = FY_LIT("Firefox, Linux") };
	return fy_sessions_open(&w->ctx, &session, FY_NONE, token);
}

/* An account with every field filled, another address that waits, two decisions, a session of each kind, a message, a mail that waits, and requests;
 * to be erased, but held; with a look at it, and two people whom somebody entered. */
#define NEW_ADDRESS "lefevre@example.net"
#define RECORDS 26
static fy_async int given_all(struct worker *w, const char *address, uint64_t *ret_id)
{
	const struct fy_account_new account = { .email = personal(address),
						.email_hash = hash(w, address),
						.given_name = personal("Zoé"),
						.family_name = personal("Lefèvre"),
						.state = FY_ACCOUNT_ACTIVE };
	const struct fy_profile profile = { personal("Zoé"),     personal("Lefèvre"), personal("+33 6 12"),
					    personal("Teacher"), personal("Piano"),   personal("Hiking"),
					    personal("1, rue"),  personal("75003"),   personal("Paris"),
					    personal("FR"),      FY_LANG_EN };
	const struct fy_mail_new mail = { .template_name = FY_LIT("contact_receipt"),
					  .to_address = personal(address),
					  .fields = secret("https://foyer.example/?token=never") };
	int err = fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, &mail, ret_id);
	if (err == 0)
		err = fy_consents_set(&w->ctx, *ret_id, FY_CONSENT_MARKET_RESEARCH, true);
	if (err == 0)
		err = fy_accounts_update_profile(&w->ctx, *ret_id, 1, &profile, NULL);
	if (err == 0)
		err = fy_accounts_touch(&w->ctx, *ret_id);
	w->ctx.now += FY_DAY;
	if (err == 0)
		err = fy_consents_set(&w->ctx, *ret_id, FY_CONSENT_MARKET_RESEARCH, false);
	const struct fy_email_change_new change = { .account_id = *ret_id,
						    .email = personal(NEW_ADDRESS),
						    .token_hash = hash(w, address) };
	if (err == 0)
		err = fy_email_change_ask(&w->ctx, &change);
	if (err == 0)
		err = open_session(w, *ret_id, FY_SESSION_VISITOR);
	if (err == 0)
		err = open_session(w, *ret_id, FY_SESSION_MANAGER);
	if (err == 0)
		err = make_requests(w, *ret_id, address);
	uint64_t message, hold;
	if (err == 0)
		err = fy_erasure_ask(&w->ctx, *ret_id, FY_ERASURE_ASKED, w->ctx.now + 7 * FY_DAY);
	if (err == 0)
		err = fy_holds_place(&w->ctx, *ret_id, personal("A claim"), w->ctx.now + 90 * FY_DAY, staff, &hold);
	if (err == 0)
		err = write_message(w, address, "Is there a room?", &message);
	if (err == 0)
		err = enter(w, address, 2000, false);
	if (err == 0)
		err = enter(w, address, 2015, true);
	return err ? err : look(w, *ret_id, message);
}

#define COLUMN(name) (&fy_register_fields[FY_COLUMN_##name])
#define STORE(name) (&fy_register_store_fields[FY_STORE_##name])

static bool is_empty(const struct fy_export_value *value)
{
	return value->text.text.len == 0 && value->time == 0 && value->number == 0 && value->ground == 0;
}

/* The first that is given, or the first. */
static const struct fy_export_value *value_of(const struct fy_export *export, const struct fy_register_field *field)
{
	const struct fy_export_value *found = NULL;
	for (const struct fy_export_record *r = export->records; r; r = r->next)
		for (size_t i = 0; i < r->value_count; i++)
			if (r->values[i].field == field && (found == NULL || is_empty(found)))
				found = &r->values[i];
	return found;
}

static unsigned records_of(const struct fy_export *export, enum fy_export_kind kind)
{
	unsigned n = 0;
	for (const struct fy_export_record *r = export->records; r; r = r->next)
		n += r->kind == kind;
	return n;
}

/* Left out of the export, and why. */
static bool is_left_out(const struct fy_register_field *field, const char *holder)
{
	static const char *const lead_to_nobody[] = { "attempts", "known_network", "sent_form" };
	static const char *const given_on_request[] = { "web_log", "event_log" };
	for (size_t i = 0; i < FY_COUNT(lead_to_nobody); i++)
		if (strcmp(holder, lead_to_nobody[i]) == 0)
			return true;
	for (size_t i = 0; i < FY_COUNT(given_on_request); i++)
		if (strcmp(holder, given_on_request[i]) == 0)
			return true;
	return field->mark != FY_MARK_PERSONAL || field->derived;
}

static bool check_field(const struct fy_export *export, const struct fy_register_field *field,
			const struct fy_register_table *holder)
{
	const struct fy_export_value *value = value_of(export, field);
	bool shows = !is_left_out(field, holder->name);
	/* All was filled in, so an empty value would be one that was read from the wrong place. */
	bool filled = value && (!is_empty(value) || value->type == FY_EXPORT_YES_NO ||
				value->type == FY_EXPORT_LANGUAGE || field == COLUMN(ACCOUNT_PASSWORD_CHANGED_AT));
	if (shows != filled || shows != fy_export_shows(field))
		fprintf(stderr, "%s.%s\n", holder->name, field->column);
	return shows == filled && shows == fy_export_shows(field);
}

/* All that is about a person, in tables and in stores: a new one fails here until the person can see it. */
static void walk_register(struct worker *w)
{
	struct fy_export export;
	uint64_t id;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(given_all(w, ZOE, &id), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &export), 0);
	for (size_t i = 0; i < fy_register_field_count; i++) {
		const struct fy_register_field *field = &fy_register_fields[i];
		CHECK(check_field(&export, field, &fy_register_tables[field->table]));
	}
	for (size_t i = 0; i < fy_register_store_field_count; i++) {
		const struct fy_register_field *field = &fy_register_store_fields[i];
		CHECK(check_field(&export, field, &fy_register_stores[field->table]));
	}
	CHECK(export.account_id == id && export.record_count == RECORDS);
	CHECK(records_of(&export, FY_EXPORT_REQUEST) == 3 && records_of(&export, FY_EXPORT_STEP) == 7);
	CHECK(records_of(&export, FY_EXPORT_GRANT) == 1 && records_of(&export, FY_EXPORT_READ) == 2);
	CHECK(records_of(&export, FY_EXPORT_ENTERED) == 2);
	CHECK(records_of(&export, FY_EXPORT_SESSION) == 1 && records_of(&export, FY_EXPORT_OFFICE_SESSION) == 1);
	fy_export_finish(&export);
	fy_redis_destroy(w->ctx.redis);
}

static void every_field_that_the_register_lets_the_person_see_is_in_the_export(void **state)
{
	(void)state;
	run_all(1, walk_register, NULL);
}

static bool text_is(const struct fy_export *export, const struct fy_register_field *field, const char *text)
{
	const struct fy_export_value *value = value_of(export, field);
	return value && fy_eq(value->text.text, fy_str(text));
}

static fy_time end_of_first(const struct fy_export *export, const struct fy_register_field *field)
{
	const struct fy_export_value *value = value_of(export, field);
	return value ? value->ends_at : -1;
}

static fy_async fy_time end_of_account(struct worker *w, uint64_t id)
{
	struct fy_export export;
	if (fy_export_gather(&w->ctx, hash(w, ZOE), &export) != 0 || export.account_id != id)
		return -1;
	fy_time end = end_of_first(&export, COLUMN(ACCOUNT_PHONE));
	fy_export_finish(&export);
	return end;
}

static void read_values(struct worker *w)
{
	struct fy_export export;
	uint64_t id, answered;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(given_all(w, ZOE, &id), 0);
	CHECK_CODE(write_message(w, "zoe.lefevre@EXAMPLE.org", "Again", &answered), 0);
	w->ctx.now += FY_DAY;
	CHECK_CODE(fy_contact_set_state(&w->ctx, answered, FY_CONTACT_ANSWERED), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &export), 0);
	CHECK(text_is(&export, COLUMN(ACCOUNT_EMAIL), ZOE) && text_is(&export, COLUMN(ACCOUNT_COUNTRY), "FR"));
	CHECK(text_is(&export, STORE(SESSION_NETWORK_ADDRESS), "192.0.2.7") &&
	      text_is(&export, STORE(SESSION_DEVICE), "Firefox, Linux") &&
	      text_is(&export, COLUMN(OUTBOX_TO_ADDRESS), ZOE) &&
	      text_is(&export, COLUMN(CONTACT_MESSAGE_MESSAGE), "Again"));
	CHECK(value_of(&export, COLUMN(ACCOUNT_LANGUAGE))->language == FY_LANG_EN);
	CHECK(end_of_first(&export, COLUMN(ACCOUNT_PHONE)) == 0); /* held, though to be erased */
	CHECK(end_of_first(&export, COLUMN(RIGHTS_REQUEST_REPLY)) == NOON + 1827 * FY_DAY);
	CHECK(end_of_first(&export, STORE(SESSION_DEVICE)) == NOON + 15 * FY_DAY);
	CHECK(end_of_first(&export, COLUMN(OUTBOX_TO_ADDRESS)) == 0);
	CHECK(text_is(&export, COLUMN(EMAIL_CHANGE_EMAIL), NEW_ADDRESS) &&
	      end_of_first(&export, COLUMN(EMAIL_CHANGE_EMAIL)) == NOON + 3 * FY_DAY);
	CHECK(end_of_first(&export, COLUMN(CONTACT_MESSAGE_MESSAGE)) == NOON + 182 * FY_DAY);
	unsigned seen = 0;
	for (const struct fy_export_record *r = export.records; r; r = r->next) {
		if (r->kind == FY_EXPORT_CONSENT) { /* the last decision stays, the one before it is replaced */
			CHECK(r->values[0].yes == (seen == 1));
			CHECK(r->values[0].ends_at == (seen ? NOON + 1827 * FY_DAY : 0));
			seen++;
		}
		if (r->kind == FY_EXPORT_MESSAGE && r->message->id != answered)
			CHECK(r->values[0].ends_at == NOON + 181 * FY_DAY &&
			      r->row.since.from[FY_TRIGGER_MESSAGE_WRITTEN] &&
			      !r->row.since.from[FY_TRIGGER_MESSAGE_CLOSED]);
	}
	CHECK(seen == 2);
	fy_export_finish(&export);
	CHECK(end_of_account(w, id) == 0);
	change("UPDATE legal_hold SET lifted_at = placed_at");
	CHECK(end_of_account(w, id) == NOON + 8 * FY_DAY);
	CHECK_CODE(fy_erasure_cancel(&w->ctx, id), 0);
	CHECK(end_of_account(w, id) == NOON + 730 * FY_DAY);
	fy_redis_destroy(w->ctx.redis);
}

static void each_value_has_its_end_as_far_as_it_is_known(void **state)
{
	(void)state;
	run_all(1, read_values, NULL);
}

static void look_for_others(struct worker *w)
{
	struct fy_export export;
	uint64_t zoe, ada, message;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(given_all(w, ZOE, &zoe), 0);
	CHECK_CODE(given_all(w, "ada@example.org", &ada), 0);
	CHECK_CODE(write_message(w, "paul@example.org", "No account", &message), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &export), 0);
	for (const struct fy_export_record *r = export.records; r; r = r->next)
		for (size_t i = 0; i < r->value_count; i++) {
			struct fy_slice text = r->values[i].text.text;
			CHECK(text.len == 0 || (memmem(text.ptr, text.len, "ada", 3) == NULL &&
						memmem(text.ptr, text.len, "paul", 4) == NULL &&
						memmem(text.ptr, text.len, "token=", 6) == NULL));
		}
	CHECK(export.record_count == RECORDS - 1); /* the office's session has ended: a day has passed */
	fy_export_finish(&export);

	CHECK_CODE(fy_export_find(&w->ctx, hash(w, "PAUL@example.org")), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "paul@example.org"), &export), 0);
	CHECK(export.record_count == 1 && export.account_id == 0);
	CHECK(text_is(&export, COLUMN(CONTACT_MESSAGE_MESSAGE), "No account"));
	fy_export_finish(&export);

	CHECK_CODE(fy_export_find(&w->ctx, hash(w, "nobody@example.org")), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "nobody@example.org"), &export), 0);
	CHECK(export.records == NULL && export.record_count == 0);
	fy_export_finish(&export);
	fy_redis_destroy(w->ctx.redis);
}

static void nothing_of_another_person_is_in_it(void **state)
{
	(void)state;
	run_all(1, look_for_others, NULL);
}

#define EXECUTED \
	"SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'COM_STMT_EXECUTE'"

/* How much is asked of the database, so that the time does not tell who is known. */
static const struct fy_export_record *entered_of(const struct fy_export *export)
{
	const struct fy_export_record *r = export->records;
	while (r && r->kind != FY_EXPORT_ENTERED)
		r = r->next;
	return r;
}

/* A person of ten and of thirty, each with a responsible adult when entered. */
static void look_as_an_adult(struct worker *w)
{
	struct fy_export export;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(enter(w, "lea@example.org", 2015, false), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "lea@example.org"), &export), 0);
	CHECK(export.record_count == 2 && text_is(&export, COLUMN(PROVIDED_PERSON_EMAIL), "lea@example.org"));
	CHECK(value_of(&export, COLUMN(PROVIDED_PERSON_ADULT_EMAIL)) == NULL);
	CHECK(entered_of(&export) && fy_eq(entered_of(&export)->provider.text, FY_LIT("Inès Moreau")));
	fy_export_finish(&export);

	CHECK_CODE(fy_export_find(&w->ctx, hash(w, "paul@example.org")), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "PAUL@example.org"), &export), 0);
	CHECK(export.record_count == 1); /* the mail that waits is to Léa */
	CHECK(text_is(&export, COLUMN(PROVIDED_PERSON_EMAIL), "lea@example.org"));
	CHECK(text_is(&export, COLUMN(PROVIDED_PERSON_ADULT_GIVEN_NAME), "Paul"));
	fy_export_finish(&export);

	w->ctx.now += 10 * 365 * FY_DAY; /* of age */
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "paul@example.org"), &export), 0);
	CHECK(text_is(&export, COLUMN(PROVIDED_PERSON_ADULT_EMAIL), "paul@example.org"));
	CHECK(value_of(&export, COLUMN(PROVIDED_PERSON_EMAIL)) == NULL &&
	      value_of(&export, COLUMN(PROVIDED_PERSON_BIRTH_DATE)) == NULL);
	fy_export_finish(&export);

	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, "staff@example.org"), &export), 0);
	CHECK(export.account_id == staff && entered_of(&export) == NULL); /* what one entered is not one's own */
	fy_export_finish(&export);
	fy_redis_destroy(w->ctx.redis);
}

static void of_a_person_and_the_adult_each_sees_what_is_theirs(void **state)
{
	(void)state;
	run_all(1, look_as_an_adult, NULL);
}

static void look_for_anybody(struct worker *w)
{
	static const char *const addresses[] = { ZOE, "paul@example.org", "lea@example.org", "nobody@example.org" };
	uint64_t zoe, message, request;
	long long asked[FY_COUNT(addresses)];
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(given_all(w, ZOE, &zoe), 0);
	CHECK_CODE(write_message(w, "paul@example.org", "No account", &message), 0);
	CHECK_CODE(make_request(w, 0, "lea@example.org", &request), 0);
	CHECK_CODE(fy_export_find(&w->ctx, hash(w, ZOE)), 0); /* prepares the statements */
	for (size_t i = 0; i < FY_COUNT(addresses); i++) {
		long long before = number(EXECUTED);
		CHECK_CODE(fy_export_find(&w->ctx, hash(w, addresses[i])), i < 3 ? 0 : FY_ERR_NOT_FOUND);
		asked[i] = number(EXECUTED) - before;
	}
	for (size_t i = 0; i < FY_COUNT(addresses); i++)
		CHECK(asked[i] == 4);
	fy_redis_destroy(w->ctx.redis);
}

static void whether_something_is_held_takes_the_same_for_everybody(void **state)
{
	(void)state;
	run_all(1, look_for_anybody, NULL);
}

static void lose_a_key(struct worker *w)
{
	struct fy_export export;
	uint64_t lost, kept;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(write_message(w, ZOE, "Lost", &lost), 0);
	CHECK_CODE(write_message(w, ZOE, "Kept", &kept), 0);
	change("DELETE FROM foyer_keys.person_key WHERE person_id = (SELECT MIN(id) FROM foyer.contact_message)");
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &export), 0);
	CHECK(export.record_count == 2 && !export.records->message->unreadable);
	CHECK(export.records->next->message->unreadable);
	fy_export_finish(&export);
	fy_redis_destroy(w->ctx.redis);
}

static void a_damaged_message_is_named_and_does_not_hide_the_others(void **state)
{
	(void)state;
	run_all(1, lose_a_key, NULL);
}

#define OLD_MESSAGES                                                                                                      \
	"INSERT INTO contact_message (id, reference, name, email, subject, message, consent_text_version, consented_at, " \
	"lang, state, created_at) SELECT seq, seq, 'Zoé', '" ZOE                                                          \
	"', 's', REPEAT('m', 5000), '1', '2026-11-01', 0, 1, "                                                            \
	"'2026-11-01' FROM seq_1_to_5000"

static void seal_and_gather(struct worker *w)
{
	struct fy_export export;
	uint64_t rows, *ids;
	size_t count;
	w->ctx.deadline_ms += 60000;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(fy_seal_existing(&w->ctx, &rows), 0);
	CHECK(rows == 5000);
	CHECK(number("SELECT COUNT(*) FROM contact_message WHERE email_hash IS NULL") == 0);
	change("UPDATE contact_message SET email_hash = NULL WHERE id % 10 = 0"); /* sealed before there were hashes */
	change("UPDATE contact_message SET email_hash = NULL ORDER BY id LIMIT 90");
	CHECK_CODE(fy_hash_existing(&w->ctx), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &export), 0);
	CHECK(export.record_count == 5000);
	CHECK_CODE(fy_contact_list_email(&w->ctx, hash(w, ZOE), 4999, &ids, &count), FY_ERR_TOO_LARGE);
	CHECK(export.records->values[3].text.text.len == 5000);
	fy_export_finish(&export);
	fy_redis_destroy(w->ctx.redis);
}

/* Gathers until it is refused, and again once one of them has gone. */
static void gather_many(struct worker *w)
{
	struct fy_export exports[10], one_more;
	uint64_t rows;
	unsigned made = 0;
	int err = 0;
	w->ctx.deadline_ms += 120000;
	CHECK_CODE(connect_redis(w), 0);
	CHECK_CODE(fy_seal_existing(&w->ctx, &rows), 0);
	while (made < FY_COUNT(exports) && err == 0) {
		err = fy_export_gather(&w->ctx, hash(w, ZOE), &exports[made]);
		made += err == 0;
	}
	CHECK(err == FY_ERR_BUSY && made >= 2);
	fy_export_finish(&exports[0]);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &one_more), 0);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &exports[0]), FY_ERR_BUSY);
	fy_export_finish(&one_more);
	while (made-- > 1)
		fy_export_finish(&exports[made]);
	CHECK_CODE(fy_export_gather(&w->ctx, hash(w, ZOE), &one_more), 0);
	fy_export_finish(&one_more);
	fy_redis_destroy(w->ctx.redis);
}

static void a_process_holds_no_more_text_than_it_may_and_forgets_what_is_finished(void **state)
{
	(void)state;
	change("INSERT INTO contact_message (id, reference, name, email, subject, message, consent_text_version, consented_at, "
	       "lang, state, created_at) SELECT seq, seq, 'Zoé', '" ZOE
	       "', 's', REPEAT('m', 19000), '1', '2026-11-01', 0, 1, "
	       "'2026-11-01' FROM seq_1_to_2000");
	run_all(1, gather_many, NULL);
}

static void five_thousand_messages_of_an_earlier_version_are_found(void **state)
{
	(void)state;
	change(OLD_MESSAGES);
	run_all(1, seal_and_gather, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_field_that_the_register_lets_the_person_see_is_in_the_export, empty),
		cmocka_unit_test_setup(each_value_has_its_end_as_far_as_it_is_known, empty),
		cmocka_unit_test_setup(nothing_of_another_person_is_in_it, empty),
		cmocka_unit_test_setup(of_a_person_and_the_adult_each_sees_what_is_theirs, empty),
		cmocka_unit_test_setup(whether_something_is_held_takes_the_same_for_everybody, empty),
		cmocka_unit_test_setup(a_damaged_message_is_named_and_does_not_hide_the_others, empty),
		cmocka_unit_test_setup(a_process_holds_no_more_text_than_it_may_and_forgets_what_is_finished, empty),
		cmocka_unit_test_setup(five_thousand_messages_of_an_earlier_version_are_found, empty),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
