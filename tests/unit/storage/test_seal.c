/* Sealed values: for the purposes they were collected for, in the place they were sealed for, or not at all. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/contact.h"
#include "storage/persons.h"
#include "storage/seal.h"

static const uint8_t ada_key[32] = { 1 }, bob_key[32] = { 2 };
static const struct fy_person ada = { 7, ada_key, 0 }, bob = { 8, bob_key, 0 };

#define PHONE FY_COLUMN_ACCOUNT_PHONE
#define UNSEAL(person, column, row, purpose, sealed) fy_unseal(&w->ctx, person, column, row, purpose, sealed, &text)

static void every_purpose_of_every_column(struct worker *w)
{
	unsigned sealed_columns = 0;
	for (unsigned c = 0; c < FY_COLUMN_COUNT; c++) {
		const struct fy_register_field *field = &fy_register_fields[c];
		if (!field->sealed)
			continue;
		sealed_columns++;
		struct fy_slice plain = FY_LIT("+33 6 12 34 56 78"), text = FY_NONE;
		struct fy_sealed sealed = fy_seal(&w->ctx, &ada, c, 7, plain);
		CHECK(sealed.bytes.len == plain.len + FY_SEAL_BYTES);
		CHECK(memmem(sealed.bytes.ptr, sealed.bytes.len, "12 34", 5) == NULL);
		CHECK(fy_sealed_purposes(sealed) == (field->purposes | 1u << FY_PURPOSE_RIGHTS));
		for (unsigned p = 0; p < FY_PURPOSE_COUNT; p++) {
			bool told = field->purposes >> p & 1 || p == FY_PURPOSE_RIGHTS;
			text = FY_NONE;
			CHECK_CODE(UNSEAL(&ada, c, 7, p, sealed), told ? 0 : FY_ERR_DENIED);
			CHECK(told ? fy_eq(text, plain) : text.ptr == NULL);
		}
	}
	CHECK(sealed_columns >= 16);
}

static void a_value_opens_for_the_purposes_it_was_collected_for_and_for_its_person(void **state)
{
	(void)state;
	run_all(1, every_purpose_of_every_column, NULL);
}

static void move_and_change(struct worker *w)
{
	struct fy_slice text = FY_NONE;
	struct fy_sealed sealed = fy_seal(&w->ctx, &ada, PHONE, 7, FY_LIT("+33 6 12 34 56 78"));
	const enum fy_register_purpose why = FY_PURPOSE_CONTACT;
	CHECK_CODE(UNSEAL(&ada, PHONE, 7, why, sealed), 0);
	CHECK_CODE(UNSEAL(&bob, PHONE, 7, why, sealed), FY_ERR_UNREADABLE);
	CHECK_CODE(UNSEAL(&ada, PHONE, 8, why, sealed), FY_ERR_UNREADABLE);
	CHECK(strcmp(w->ctx.fault, "account.phone of row 8 was changed or moved after it was sealed") == 0);
	CHECK_CODE(UNSEAL(&ada, FY_COLUMN_ACCOUNT_POSITION, 7, why, sealed), FY_ERR_UNREADABLE);
	char *bytes = (char *)sealed.bytes.ptr;
	for (size_t i = 0; i < sealed.bytes.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[i] ^= (char)(1u << bit); /* with the purposes among them */
			CHECK_CODE(UNSEAL(&ada, PHONE, 7, why, sealed), FY_ERR_UNREADABLE);
			bytes[i] ^= (char)(1u << bit);
		}
	for (size_t len = 1; len < sealed.bytes.len; len++)
		CHECK_CODE(UNSEAL(&ada, PHONE, 7, why, ((struct fy_sealed){ fy_upto(sealed.bytes, len) })),
			   FY_ERR_UNREADABLE);
	CHECK_CODE(UNSEAL(&ada, PHONE, 7, why,
			  ((struct fy_sealed){ FY_LIT("+33 6 12 34 56 78, never sealed, and long") })),
		   FY_ERR_UNREADABLE);
	CHECK(text.len == 17);
	CHECK_CODE(UNSEAL(&ada, PHONE, 7, why, fy_seal(&w->ctx, &ada, PHONE, 7, FY_LIT(""))), 0);
	CHECK(text.len == 0);
}

static void a_value_that_was_moved_or_changed_does_not_open(void **state)
{
	(void)state;
	run_all(1, move_and_change, NULL);
}

static uint64_t people[2];

static void given_two_people(struct worker *w)
{
	for (unsigned i = 0; i < 2; i++) {
		struct fy_account_new account = { .email = personal(i ? "bob@example.org" : "ada@example.org"),
						  .email_hash = hash_of(&w->arena, i ? "bob" : "ada"),
						  .given_name = personal(i ? "Bob" : "Ada"),
						  .family_name = personal("Canarylace") };
		CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &people[i]), 0);
	}
}

static void read_ada(struct worker *w)
{
	struct fy_account account;
	CHECK_CODE(fy_accounts_get(&w->ctx, people[0], FY_PURPOSE_RIGHTS, &account), *(int *)w->arg);
}

static const char *last_fault;

static void read_ada_unreadable(struct worker *w)
{
	struct fy_account account = { 0 };
	struct fy_account_name *names;
	CHECK_CODE(fy_accounts_get(&w->ctx, people[0], FY_PURPOSE_RIGHTS, &account), FY_ERR_UNREADABLE);
	CHECK(account.id == 0 && strstr(w->ctx.fault, last_fault));
	CHECK_CODE(fy_accounts_names(&w->ctx, people, 2, FY_PURPOSE_IDENTIFICATION, &names), 0);
	CHECK(names[0].email.text.len == 0 && fy_eq(names[1].given_name.text, FY_LIT("Bob")));
}

static void unreadable_after(const char *change_it, const char *fault, const char *change_back)
{
	int good = 0;
	char *sql;
	assert_true(asprintf(&sql, change_it, (unsigned long long)people[1], (unsigned long long)people[0]) > 0);
	change("CREATE OR REPLACE TABLE kept AS SELECT * FROM account");
	change("CREATE OR REPLACE TABLE kept_key AS SELECT * FROM foyer_keys.person_key");
	change(sql);
	last_fault = fault;
	run_all(1, read_ada_unreadable, NULL);
	change(change_back);
	run_all(1, read_ada, &good);
	free(sql);
}

#define ACCOUNTS_BACK "UPDATE account a JOIN kept k ON k.id = a.id SET a.email = k.email, a.family_name = k.family_name"
#define KEYS_BACK                                                                                                             \
	"INSERT IGNORE INTO foyer_keys.person_key SELECT * FROM kept_key; UPDATE foyer_keys.person_key p JOIN kept_key k ON " \
	"k.person_id = p.person_id SET p.wrapped = k.wrapped"

static void what_somebody_did_in_the_database_is_noticed_and_named(void **state)
{
	(void)state;
	run_all(1, given_two_people, NULL);
	unreadable_after("UPDATE account a JOIN account b ON b.id = %llu SET a.email = b.email WHERE a.id = %llu",
			 "account.email", ACCOUNTS_BACK);
	unreadable_after("UPDATE account SET family_name = given_name WHERE id <> %llu AND id = %llu",
			 "account.family_name", ACCOUNTS_BACK);
	unreadable_after("UPDATE account SET email = INSERT(email, 5, 1, CHAR(255)) WHERE id <> %llu AND id = %llu",
			 "account.email", ACCOUNTS_BACK);
	unreadable_after("UPDATE account SET email = 'ada@example.org' WHERE id <> %llu AND id = %llu", "is not sealed",
			 ACCOUNTS_BACK);
	unreadable_after(
		"UPDATE foyer_keys.person_key p JOIN foyer_keys.person_key q ON q.person_id = %llu SET p.wrapped = q.wrapped WHERE "
		"p.person_id = %llu",
		"was changed", KEYS_BACK);
	unreadable_after("DELETE FROM foyer_keys.person_key WHERE person_id <> %llu AND person_id = %llu", "has no key",
			 KEYS_BACK);
	change("DROP TABLE kept; DROP TABLE kept_key");
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE INSTR(CONCAT(email, given_name, family_name), "
				"'Canary') OR INSTR(CONCAT(email, given_name, family_name), 'example')"),
			 0);
}

static void read_for_billing(struct worker *w)
{
	struct fy_account a;
	struct fy_profile profile = { .given_name = personal("Ada"),
				      .family_name = personal("Lovelace"),
				      .phone = personal("+33 1"),
				      .skills = personal("piano"),
				      .address_level2 = personal("Paris") };
	CHECK_CODE(fy_accounts_update_profile(&w->ctx, people[0], 1, &profile, NULL), 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, people[0], FY_PURPOSE_BILLING, &a), 0);
	CHECK(fy_eq(a.profile.address_level2.text, FY_LIT("Paris")) && fy_eq(a.email.text, FY_LIT("ada@example.org")));
	CHECK(!fy_account_withheld(&a, FY_COLUMN_ACCOUNT_ADDRESS_LEVEL2) &&
	      !fy_account_withheld(&a, FY_COLUMN_ACCOUNT_STREET_ADDRESS)); /* allowed, but not given */
	CHECK(a.profile.phone.text.len == 0 && fy_account_withheld(&a, FY_COLUMN_ACCOUNT_PHONE));
	CHECK(a.profile.skills.text.len == 0 && fy_account_withheld(&a, FY_COLUMN_ACCOUNT_SKILLS));
	CHECK_CODE(fy_accounts_get(&w->ctx, people[0], FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.withheld == 0 && fy_eq(a.profile.skills.text, FY_LIT("piano")));
	struct fy_account_name *names;
	CHECK_CODE(fy_accounts_names(&w->ctx, people, 1, FY_PURPOSE_SERVICE_IMPROVEMENT, &names), FY_ERR_DENIED);
}

static void a_purpose_opens_its_fields_and_withholds_the_others(void **state)
{
	(void)state;
	run_all(1, given_two_people, NULL);
	run_all(1, read_for_billing, NULL);
}

static void destroy_and_read(struct worker *w)
{
	struct fy_account account;
	CHECK_CODE(fy_persons_destroy(&w->ctx, people[0]), 0);
	CHECK_CODE(fy_persons_destroy(&w->ctx, people[0]), 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, people[0], FY_PURPOSE_RIGHTS, &account), FY_ERR_UNREADABLE);
	CHECK_CODE(fy_accounts_get(&w->ctx, people[1], FY_PURPOSE_RIGHTS, &account), 0);
}

static void without_its_key_a_person_is_unreadable_for_good(void **state)
{
	(void)state;
	run_all(1, given_two_people, NULL);
	run_all(1, destroy_and_read, NULL);
}

static void add_messages(struct worker *w)
{
	for (unsigned i = 0; i < 3; i++) {
		struct fy_contact_new message = { .reference = fy_fmt(&w->arena, "R-%u", i),
						  .name = personal("Ada"),
						  .email = personal("ada@example.org"),
						  .subject = personal("A room"),
						  .message = personal("In May?"),
						  .consent_text_version = FY_LIT("1") };
		CHECK_CODE(fy_contact_add(&w->ctx, &message, NULL, 0, &people[i % 2]), 0);
	}
}

static void list_messages(struct worker *w)
{
	struct fy_contact_page page;
	struct fy_contact_message one;
	unsigned unreadable = 0;
	CHECK_CODE(fy_contact_list(&w->ctx, 0, 0, 10, &page), 0);
	CHECK(page.count == 3);
	for (size_t i = 0; i < 3; i++) {
		int err = fy_contact_get(&w->ctx, page.items[i].id, FY_PURPOSE_CONTACT, &one);
		bool damaged = fy_eq(page.items[i].reference, FY_LIT("R-1"));
		CHECK_CODE(err, damaged ? FY_ERR_UNREADABLE : 0);
		CHECK(damaged || fy_eq(one.name.text, FY_LIT("Ada")));
		unreadable += damaged;
		if (!damaged)
			CHECK_CODE(fy_contact_get(&w->ctx, page.items[i].id, FY_PURPOSE_BILLING, &one), FY_ERR_DENIED);
	}
	CHECK(unreadable == 1);
}

static void one_damaged_message_does_not_hide_the_others(void **state)
{
	(void)state;
	run_all(1, add_messages, NULL);
	change("UPDATE contact_message SET subject = REVERSE(subject) WHERE reference = 'R-1'");
	run_all(1, list_messages, NULL);
}

static void numbers(struct worker *w)
{
	uint64_t *ids = fy_new_array(&w->arena, uint64_t, 10000);
	for (unsigned i = 0; i < 10000; i++) {
		ids[i] = fy_id_new(&w->ctx);
		CHECK(ids[i] < UINT64_C(1) << 53 && (i == 0 || ids[i] > ids[i - 1]));
	}
	w->ctx.now += 100 * 365 * FY_DAY;
	CHECK(fy_id_new(&w->ctx) < UINT64_C(1) << 54);
}

static void numbers_ascend_and_fit_into_json(void **state)
{
	(void)state;
	run_all(1, numbers, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_opens_for_the_purposes_it_was_collected_for_and_for_its_person),
		cmocka_unit_test(a_value_that_was_moved_or_changed_does_not_open),
		cmocka_unit_test_setup(what_somebody_did_in_the_database_is_noticed_and_named, empty_tables),
		cmocka_unit_test_setup(a_purpose_opens_its_fields_and_withholds_the_others, empty_tables),
		cmocka_unit_test_setup(without_its_key_a_person_is_unreadable_for_good, empty_tables),
		cmocka_unit_test_setup(one_damaged_message_does_not_hide_the_others, empty_tables),
		cmocka_unit_test(numbers_ascend_and_fit_into_json),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
