/* Erasure: a date that can be taken back, then everything at once, with a receipt that anyone can check; nothing about
 * the person is left, nor comes back with an older dump. */
#include "tests/unit/storage/repo_harness.h"

#include "foyer/config.h"
#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/email_hash.h"
#include "storage/erasure.h"
#include "storage/keys.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/register.h"
#include "storage/rights.h"
#include "storage/tokens.h"

#define GRACE (7 * FY_DAY)

static const struct fy_config config = { .site_name = { "Host Families ", 14 } };
static uint64_t ada, bob;
static char receipt[2][2048];

static struct fy_slice address_hash(struct worker *w, struct fy_slice address)
{
	char *room = fy_alloc(&w->arena, FY_HASH_BYTES);
	FY_REQUIRE(fy_email_hash(&w->ctx, address, NULL, (uint8_t *)room) == 0);
	return fy_slice(room, FY_HASH_BYTES);
}

static int make(struct worker *w, const char *name, enum fy_account_role role, uint64_t *ret_id)
{
	struct fy_slice address = fy_fmt(&w->arena, "%s-canary@example.org", name);
	struct fy_account_new account = { .email = { address },
					  .email_hash = address_hash(w, address),
					  .given_name = personal("Canary"),
					  .family_name = personal("Serin"),
					  .state = FY_ACCOUNT_ACTIVE,
					  .role = role };
	struct fy_mail_new mail = { .template_name = FY_LIT("x"),
				    .to_address = account.email,
				    .fields = secret("canary") };
	int err = fy_accounts_create(&w->ctx, &account, FY_TOKEN_CONFIRM_EMAIL, hash_of(&w->arena, name), NOON + FY_DAY,
				     &mail, ret_id);
	return err ? err : fy_consents_set(&w->ctx, *ret_id, FY_CONSENT_MARKET_RESEARCH, true);
}

static void given_two(struct worker *w)
{
	CHECK_CODE(make(w, "ada", FY_ROLE_MEMBER, &ada), 0);
	CHECK_CODE(make(w, "bob", FY_ROLE_MEMBER, &bob), 0);
}

static int letter(struct fy_ctx *ctx, const struct fy_erasure_farewell *f, struct fy_mail_new *ret_mail)
{
	(void)ctx;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("bye"),
					  .to_address = f->email,
					  .fields = { f->receipt } };
	return 0;
}

static void ask_and_change_the_mind(struct worker *w)
{
	uint64_t *ids;
	size_t count;
	struct fy_account a;
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON + GRACE), 0);
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON + FY_DAY), FY_ERR_EXISTS);
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada + 1, FY_ERASURE_ASKED, NOON), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.erase_at == NOON + GRACE && a.erase_asked_at == NOON && a.state == FY_ACCOUNT_ACTIVE);
	w->ctx.now = NOON + GRACE - 1;
	CHECK_CODE(fy_erasure_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_touch(&w->ctx, ada), 0); /* signing in is not changing one's mind */
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.erase_at == NOON + GRACE);
	CHECK_CODE(fy_erasure_cancel(&w->ctx, ada), 0);
	CHECK_CODE(fy_erasure_cancel(&w->ctx, ada), FY_ERR_NOT_FOUND);
	w->ctx.now = NOON + GRACE + 1;
	CHECK_CODE(fy_erasure_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 0);
}

static void until_its_date_an_erasure_can_be_taken_back(void **state)
{
	(void)state;
	run_all(1, given_two, NULL);
	run_all(1, ask_and_change_the_mind, NULL);
}

static int erase(struct worker *w, uint64_t id, char *ret_receipt)
{
	struct fy_slice text;
	w->ctx.config = &config;
	int err = fy_erasure_ask(&w->ctx, id, FY_ERASURE_ASKED, NOON + GRACE);
	w->ctx.now = NOON + GRACE;
	if (err == 0)
		err = fy_erasure_finish(&w->ctx, id, letter, NULL);
	if (err != FY_ERR_NOT_FOUND) /* it was not closed */
		return FY_ERR_INTERNAL;
	err = fy_erasure_close(&w->ctx, id);
	if (err == 0)
		err = fy_erasure_finish(&w->ctx, id, letter, &text);
	if (err == 0)
		snprintf(ret_receipt, sizeof receipt[0], FY_FMT, FY_ARG(text));
	w->ctx.now = NOON;
	return err;
}

static void erase_ada(struct worker *w)
{
	struct fy_account a;
	struct fy_consent consent;
	CHECK_CODE(erase(w, ada, receipt[0]), 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &a), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_erasure_finish(&w->ctx, ada, letter, NULL), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_consents_get(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, &consent), 0);
	CHECK(consent.given); /* the proof stays */
	CHECK_CODE(fy_accounts_get(&w->ctx, bob, FY_PURPOSE_RIGHTS, &a), 0);
}

static void deliver_the_last_mail(struct worker *w)
{
	struct fy_outbox_mail *mails;
	size_t count;
	w->ctx.now = NOON + GRACE;
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), FY_MINUTE, 9, &mails, &count), 0);
	CHECK(count == 2); /* Bob's, and the receipt */
	for (size_t i = 0; i < count; i++) {
		if (fy_eq(mails[i].template_name, FY_LIT("bye")))
			CHECK(fy_eq(mails[i].fields.text, fy_str(receipt[0])) && mails[i].person_id != ada);
		CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("a"), &mails[i]), 0);
	}
}

/* Proofs of consent, and who of the staff looked, stay for their time under a number that leads to nobody; messages,
 * files of requests and entered people have persons of their own, with other ends. */
static bool has_another_end(const char *table)
{
	static const char *const tables[] = { "consent",         "access_log",     "contact_message",
					      "provided_person", "rights_request", "rights_step" };
	for (size_t i = 0; i < FY_COUNT(tables); i++)
		if (strcmp(tables[i], table) == 0)
			return true;
	return false;
}

/* A row in every table that the register says is about a person, with a value in every column. */
static void plant(uint64_t person)
{
	for (size_t t = 0; t < fy_register_table_count; t++) {
		const struct fy_register_table *table = &fy_register_tables[t];
		if (table->person == NULL || strcmp(table->name, "account") == 0 ||
		    strcmp(table->name, "person_key") == 0 || has_another_end(table->name))
			continue;
		char names[2000] = "", values[4000] = "";
		for (size_t i = 0; i < fy_register_field_count; i++) {
			const struct fy_register_field *f = &fy_register_fields[i];
			char query[400], value[100];
			if (f->table != t)
				continue;
			snprintf(
				query, sizeof query,
				"SELECT (DATA_TYPE = 'datetime') + 2 * (DATA_TYPE IN ('varbinary', 'blob', 'varchar', 'mediumblob')) + "
				"4 * (DATA_TYPE = 'binary') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'foyer' AND "
				"TABLE_NAME = '%s' AND COLUMN_NAME = '%s'",
				table->name, f->column);
			long long kind = number(query);
			if (strcmp(f->column, table->person) == 0)
				snprintf(value, sizeof value, "%llu", (unsigned long long)person);
			else
				snprintf(value, sizeof value, "%s",
					 kind == 1   ? "'2026-01-01'"
					 : kind == 2 ? "'a canary'"
					 : kind == 4 ? "UNHEX(SHA2('canary', 256))"
						     : "1");
			if (strcmp(f->column, "id") == 0 && strcmp(table->person, "id") != 0)
				snprintf(value, sizeof value, "%zu", 7000 + t);
			if (kind == 2 && strstr(query, "'contact_message'") && strcmp(f->column, "reference") == 0)
				snprintf(value, sizeof value, "'canary-%zu'", t);
			strcat(strcat(names, names[0] ? ", " : ""), f->column);
			strcat(strcat(values, values[0] ? ", " : ""), value);
		}
		char sql[7000];
		snprintf(sql, sizeof sql, "INSERT INTO %s (%s) VALUES (%s)", table->name, names, values);
		change(sql);
	}
}

/* Rows of that person, table by table. */
static void nothing_is_left_of(uint64_t person)
{
	for (size_t t = 0; t < fy_register_table_count; t++) {
		const struct fy_register_table *table = &fy_register_tables[t];
		char query[200];
		if (table->person == NULL || has_another_end(table->name))
			continue;
		snprintf(query, sizeof query, "SELECT COUNT(*) FROM %s%s WHERE %s = %llu",
			 strcmp(table->name, "person_key") == 0 ? "foyer_keys." : "", table->name, table->person,
			 (unsigned long long)person);
		if (number(query)) {
			fprintf(stderr, "%s still has rows of an erased person\n", table->name);
			fail();
		}
	}
}

static void of_an_erased_person_nothing_is_left_but_a_line_without_a_name(void **state)
{
	(void)state;
	struct fy_arena arena;
	uint8_t key[FY_SIGN_PUBLIC_BYTES];
	struct fy_keys *keys = given_keys();
	fy_arena_init(&arena, 0);
	run_all(1, given_two, NULL);
	plant(ada);
	run_all(1, erase_ada, NULL);
	nothing_is_left_of(ada);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 1);
	assert_null(strstr(receipt[0], "anary"));
	fy_keys_sign_public(keys, key);
	assert_int_equal(fy_receipt_verify(&arena, fy_str(receipt[0]), key), FY_RECEIPT_GOOD);
	run_all(1, deliver_the_last_mail, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 1); /* Bob's */
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE to_address IS NOT NULL"), 0);
	fy_keys_destroy(keys);
	fy_arena_finish(&arena);
}

/* Without signing in, and with another spelling of the address: two messages, a link to the own data, and a request that
 * came by letter; and one request of the account. Each has a mail that waits. */
static void write_with(struct worker *w, const char *name, uint64_t account_id)
{
	struct fy_slice address = fy_fmt(&w->arena, "%s-canary@EXAMPLE.org", name);
	const struct fy_mail_new mail = { .template_name = FY_LIT("x"),
					  .to_address = { address },
					  .fields = secret("canary") };
	struct fy_rights_new request = { .kind = FY_RIGHTS_ACCESS,
					 .name = personal("Canary"),
					 .email = { address },
					 .wish = personal("a canary"),
					 .received_at = NOON,
					 .due_at = NOON + 30 * FY_DAY };
	uint64_t id;
	for (int i = 0; i < 2; i++) {
		const struct fy_contact_new message = { .reference = fy_fmt(&w->arena, "%s-%d", name, i),
							.name = personal("Canary"),
							.email = { address },
							.subject = personal("a canary"),
							.message = personal("a canary"),
							.consent_text_version = FY_LIT("1") };
		CHECK_CODE(fy_contact_add(&w->ctx, &message, &mail, 1, NULL), 0);
	}
	CHECK_CODE(fy_tokens_create_for_address(&w->ctx, address_hash(w, address), FY_TOKEN_EXPORT,
						hash_of(&w->arena, fy_cstr(&w->arena, address)), NOON + FY_HOUR, &mail),
		   0);
	CHECK_CODE(fy_rights_add(&w->ctx, &request, &mail, &id), 0);
	request.account_id = account_id;
	request.name = request.email = personal("");
	CHECK_CODE(fy_rights_add(&w->ctx, &request, &mail, &id), 0);
}

static void write_as_both(struct worker *w)
{
	write_with(w, "ada", ada);
	write_with(w, "bob", bob);
}

#define KEYS_OF(table, column) \
	"SELECT COUNT(*) FROM foyer_keys.person_key k JOIN " table " t ON k.person_id = t." column

static void what_was_written_with_the_address_goes_too_but_the_files_of_requests(void **state)
{
	(void)state;
	run_all(1, given_two, NULL);
	run_all(1, write_as_both, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 12);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 12);
	run_all(1, erase_ada, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 2); /* Bob's */
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token WHERE email_hash IS NOT NULL"), 1);
	assert_int_equal(number(KEYS_OF("contact_message", "id")), 2);
	assert_int_equal(number(KEYS_OF("rights_request", "id")), 4);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 7); /* Bob's, and the receipt */
	assert_int_equal(number(KEYS_OF("outbox", "person_id")), 7);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"),
			 9); /* Bob's six, the receipt's, two files */
}

/* Whoever registers with an address of somebody else has not shown that it is theirs. */
static void an_address_that_was_never_confirmed_erases_no_messages(void **state)
{
	(void)state;
	run_all(1, given_two, NULL);
	run_all(1, write_as_both, NULL);
	change("UPDATE account SET confirmed_at = NULL");
	run_all(1, erase_ada, NULL);
	nothing_is_left_of(ada);
	assert_int_equal(number(KEYS_OF("contact_message", "id")), 4);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token WHERE email_hash IS NOT NULL"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 12); /* without the account's, with the receipt */
}

static void erase_both(struct worker *w)
{
	CHECK_CODE(erase(w, ada, receipt[0]), 0);
	CHECK_CODE(erase(w, bob, receipt[1]), 0);
}

static enum fy_receipt_verdict verdict_of(const char *format, const char *text)
{
	struct fy_arena arena;
	uint8_t key[FY_SIGN_PUBLIC_BYTES];
	struct fy_keys *keys = given_keys();
	char full[4096];
	snprintf(full, sizeof full, format, text);
	fy_arena_init(&arena, 0);
	fy_keys_sign_public(keys, key);
	enum fy_receipt_verdict verdict = fy_receipt_verify(&arena, fy_str(full), key);
	fy_arena_finish(&arena);
	fy_keys_destroy(keys);
	return verdict;
}

static void a_receipt_survives_a_mail_and_no_change(void **state)
{
	(void)state;
	char changed[2048], *serial, hash[65], *at;
	run_all(1, given_two, NULL);
	run_all(1, erase_both, NULL);
	assert_int_equal(verdict_of("Hello,\r\n\r\nthis is it:\r\n  %s\r\n-- \r\nBye", receipt[1]), FY_RECEIPT_GOOD);
	assert_int_equal(verdict_of("nothing%.0s", receipt[1]), FY_RECEIPT_NOT_ONE);
	/* as it stands in a mail: the long line is in two, and a byte is written as two digits */
	assert_non_null(at = strstr(receipt[1], "signature: "));
	snprintf(changed, sizeof changed, "%.*s=\r\n%s", (int)(at + 70 - receipt[1]), receipt[1], at + 70);
	assert_int_equal(verdict_of("%s", changed), FY_RECEIPT_GOOD);
	snprintf(changed, sizeof changed, "%.*s=73%s", (int)(at - receipt[1]), receipt[1], at + 1);
	assert_int_equal(verdict_of("%s", changed), FY_RECEIPT_GOOD);
	strcpy(changed, receipt[1]);
	assert_non_null(serial = strstr(changed, "serial: 2"));
	serial[8] = '3';
	assert_int_equal(verdict_of("%s", changed), FY_RECEIPT_CHANGED);
	for (size_t len = 0; len < strlen(receipt[1]) - 1; len++) {
		snprintf(changed, len + 1, "%s", receipt[1]);
		assert_int_not_equal(verdict_of("%s", changed), FY_RECEIPT_GOOD);
	}
	strcpy(changed, receipt[1]);
	at = strstr(changed, "signature: ") + 11;
	*at = *at == '0' ? '1' : '0';
	assert_int_equal(verdict_of("%s", changed), FY_RECEIPT_FORGED);
	strcpy(changed, receipt[1]);
	at = strstr(changed, "key: ") + 5;
	*at = *at == '0' ? '1' : '0';
	assert_int_equal(verdict_of("%s", changed), FY_RECEIPT_OTHER_KEY);
	/* the second names the first */
	snprintf(hash, sizeof hash, "%s", strstr(receipt[0], "hash: ") + 6);
	assert_non_null(strstr(receipt[1], hash));
}

static void close_only(struct worker *w)
{
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), 0);
	CHECK_CODE(fy_erasure_cancel(&w->ctx, ada), FY_ERR_NOT_FOUND); /* too late */
}

static void go_on(struct worker *w)
{
	uint64_t *ids;
	size_t count;
	w->ctx.config = &config;
	w->ctx.now = NOON + FY_HOUR;
	CHECK_CODE(fy_erasure_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 1 && ids[0] == ada);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), 0);
	int err = fy_erasure_finish(&w->ctx, ada, letter, NULL);
	CHECK(*(bool *)w->arg ? err == 0 : err != 0);
}

static void an_erasure_that_was_cut_off_is_finished_by_the_next_run(void **state)
{
	(void)state;
	bool works = false;
	run_all(1, given_two, NULL);
	run_all(1, close_only, NULL);
	change("CREATE TRIGGER foyer_keys.cut_off BEFORE DELETE ON foyer_keys.person_key FOR EACH ROW SIGNAL SQLSTATE '45000'");
	run_all(1, go_on, &works);
	change("DROP TRIGGER foyer_keys.cut_off");
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 2); /* all or nothing */
	works = true;
	run_all(1, go_on, &works);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 1);
	nothing_is_left_of(ada);
}

static void replay(struct worker *w)
{
	uint64_t erased;
	struct fy_account a;
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &a),
		   FY_ERR_UNREADABLE); /* before the replay, even */
	CHECK_CODE(fy_erasure_replay(&w->ctx, &erased), 0);
	CHECK(erased == 1);
	CHECK_CODE(fy_erasure_replay(&w->ctx, &erased), 0);
	CHECK(erased == 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, bob, FY_PURPOSE_RIGHTS, &a), 0);
}

static void an_older_dump_does_not_bring_anybody_back(void **state)
{
	(void)state;
	run_all(1, given_two, NULL);
	run_all(1, write_as_both, NULL);
	change("CREATE OR REPLACE TABLE dump_account AS SELECT * FROM account; "
	       "CREATE OR REPLACE TABLE dump_message AS SELECT * FROM contact_message; "
	       "CREATE OR REPLACE TABLE dump_outbox AS SELECT * FROM outbox");
	run_all(1, erase_ada, NULL);
	change("INSERT IGNORE INTO account SELECT * FROM dump_account; INSERT IGNORE INTO outbox SELECT * FROM dump_outbox; "
	       "INSERT IGNORE INTO contact_message SELECT * FROM dump_message; "
	       "DROP TABLE dump_account; DROP TABLE dump_message; DROP TABLE dump_outbox");
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 4);
	run_all(1, replay, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 2);
	nothing_is_left_of(ada);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 1);
}

static unsigned refused;

static void owner_leaves(struct worker *w)
{
	uint64_t me = w->index % 2 ? ada : bob;
	int err = fy_erasure_ask(&w->ctx, me, FY_ERASURE_ASKED, NOON);
	refused += err == FY_ERR_DENIED;
	CHECK(err == 0 || err == FY_ERR_DENIED || err == FY_ERR_CONFLICT);
}

static void given_two_owners(struct worker *w)
{
	CHECK_CODE(make(w, "ada", FY_ROLE_OWNER, &ada), 0);
	CHECK_CODE(make(w, "bob", FY_ROLE_OWNER, &bob), 0);
}

static void of_two_owners_who_leave_at_the_same_moment_one_stays(void **state)
{
	(void)state;
	refused = 0;
	run_all(1, given_two_owners, NULL);
	run_all(2, owner_leaves, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE erase_at IS NULL"), 1);
}

static void erase_without_a_key(struct worker *w)
{
	CHECK_CODE(fy_persons_destroy(&w->ctx, ada), 0);
	CHECK_CODE(erase(w, ada, receipt[0]), 0);
}

static void somebody_whose_key_is_gone_can_still_be_erased(void **state)
{
	(void)state;
	run_all(1, given_two, NULL);
	run_all(1, erase_without_a_key, NULL);
	nothing_is_left_of(ada);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'bye'"), 0);
}

static int empty(void **state)
{
	change("DELETE FROM foyer_keys.erasure; DELETE FROM consent");
	return empty_tables(state);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(until_its_date_an_erasure_can_be_taken_back),
		TEST(of_an_erased_person_nothing_is_left_but_a_line_without_a_name),
		TEST(what_was_written_with_the_address_goes_too_but_the_files_of_requests),
		TEST(an_address_that_was_never_confirmed_erases_no_messages),
		TEST(a_receipt_survives_a_mail_and_no_change),
		TEST(an_erasure_that_was_cut_off_is_finished_by_the_next_run),
		TEST(an_older_dump_does_not_bring_anybody_back),
		TEST(of_two_owners_who_leave_at_the_same_moment_one_stays),
		TEST(somebody_whose_key_is_gone_can_still_be_erased),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
