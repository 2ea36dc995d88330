/* Another address for an account: one link, used once; what is found by the address goes along; nothing gives way but
 * what nobody confirmed; and what waits goes with its time, with a new password and with the account. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/contact.h"
#include "storage/email_change.h"
#include "storage/email_hash.h"
#include "storage/erasure.h"
#include "storage/export.h"
#include "storage/outbox.h"
#include "storage/rights.h"
#include "foyer/config.h"

#define OLD "ada@example.org"
#define NEW "Ada.Byron@example.net"

static const struct fy_config config = { .site_name = { "Foyer", 5 } };
static uint64_t ada;

static struct fy_slice address_hash(struct worker *w, const char *address)
{
	char *room = fy_alloc(&w->arena, FY_HASH_BYTES);
	FY_REQUIRE(fy_email_hash(&w->ctx, fy_str(address), NULL, (uint8_t *)room) == 0);
	return fy_slice(room, FY_HASH_BYTES);
}

static int register_as(struct worker *w, const char *address, enum fy_account_state state, uint64_t *ret_id)
{
	struct fy_account_new account = { .email = personal(address),
					  .email_hash = address_hash(w, address),
					  .password_hash = secret("$old"),
					  .given_name = personal("Ada"),
					  .family_name = personal("Byron"),
					  .state = state };
	return fy_accounts_create(&w->ctx, &account, FY_TOKEN_RESET_PASSWORD, hash_of(&w->arena, address),
				  NOON + FY_DAY, NULL, ret_id);
}

static void given_ada(struct worker *w)
{
	CHECK_CODE(register_as(w, OLD, FY_ACCOUNT_ACTIVE, &ada), 0);
}

static int ask(struct worker *w, const char *address, const char *link)
{
	const struct fy_mail_new mail = { .person_id = ada,
					  .template_name = FY_LIT("x"),
					  .to_address = personal(address),
					  .fields = secret("a link") };
	return fy_email_change_ask(&w->ctx, &(struct fy_email_change_new){ .account_id = ada,
									   .email = personal(address),
									   .token_hash = hash_of(&w->arena, link),
									   .mails = { &mail, NULL } });
}

static int follow(struct worker *w, const char *link)
{
	return fy_email_change_confirm(&w->ctx, hash_of(&w->arena, link), NULL);
}

static bool has_address(struct worker *w, const char *address)
{
	struct fy_account_signin s;
	uint64_t id;
	return fy_accounts_get_signin(&w->ctx, ada, &s) == 0 && fy_eq(s.email.text, fy_str(address)) &&
	       fy_accounts_find_id(&w->ctx, address_hash(w, address), &id) == 0 && id == ada;
}

static void change_it(struct worker *w)
{
	struct fy_email_change change;
	struct fy_account before, after;
	struct fy_token token;
	uint64_t id;
	const struct fy_mail_new farewell = {
		.person_id = ada, .template_name = FY_LIT("bye"), .to_address = personal(OLD), .fields = secret("x")
	};
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_RIGHTS, &before), 0);
	CHECK_CODE(fy_email_change_get(&w->ctx, ada, &change), FY_ERR_NOT_FOUND);
	CHECK_CODE(ask(w, "first@example.net", "first"), 0);
	CHECK_CODE(ask(w, NEW, "link"), 0);
	CHECK_CODE(fy_email_change_get(&w->ctx, ada, &change), 0);
	CHECK(fy_eq(change.email.text, FY_LIT(NEW)) && change.asked_at == NOON &&
	      change.expires_at == NOON + 48 * FY_HOUR);
	CHECK(has_address(w, OLD)); /* nothing has changed yet */
	CHECK_CODE(fy_email_change_find(&w->ctx, hash_of(&w->arena, "first"), &change), FY_ERR_NOT_FOUND);
	CHECK_CODE(follow(w, "first"), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_email_change_find(&w->ctx, hash_of(&w->arena, "link"), &change), 0);
	CHECK(change.account_id == ada && fy_eq(change.email.text, FY_LIT(NEW)));
	w->ctx.now = NOON + 48 * FY_HOUR;
	CHECK_CODE(fy_email_change_find(&w->ctx, hash_of(&w->arena, "link"), &change), FY_ERR_NOT_FOUND);
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);
	w->ctx.now--;
	CHECK_CODE(fy_email_change_confirm(&w->ctx, hash_of(&w->arena, "link"), &farewell), 0);
	CHECK(has_address(w, NEW));
	CHECK_CODE(fy_accounts_find_id(&w->ctx, address_hash(w, OLD), &id), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_get(&w->ctx, ada, FY_PURPOSE_CONTACT, &after),
		   0); /* collected for all that the old was */
	CHECK(fy_eq(after.email.text, FY_LIT(NEW)) && after.version == before.version + 1);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_RESET_PASSWORD, hash_of(&w->arena, OLD), &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_email_change_get(&w->ctx, ada, &change), FY_ERR_NOT_FOUND);
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);
}

static void the_link_in_the_new_mailbox_changes_the_address_once_and_in_time(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_all(1, change_it, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM email_change"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'bye'"), 1);
}

static unsigned won, lost;

static void ask_for_new(struct worker *w)
{
	CHECK_CODE(ask(w, NEW, "link"), 0);
}

static void follow_at_once(struct worker *w)
{
	int err = follow(w, "link");
	if (err) {
		CHECK_CODE(err, FY_ERR_NOT_FOUND);
		lost++;
	} else {
		won++;
	}
}

static void of_many_who_follow_the_link_at_once_one_changes_the_address(void **state)
{
	(void)state;
	won = lost = 0;
	run_all(1, given_ada, NULL);
	run_all(1, ask_for_new, NULL);
	run_all(8, follow_at_once, NULL);
	assert_int_equal(won, 1);
	assert_int_equal(lost, 7);
	assert_int_equal(number("SELECT version FROM account"), 2);
}

static void keep_what_is_taken(struct worker *w)
{
	uint64_t other;
	struct fy_account_signin s;
	CHECK_CODE(ask(w, NEW, "link"), 0); /* free when it was asked */
	CHECK_CODE(register_as(w, "ada.byron@EXAMPLE.net", FY_ACCOUNT_ACTIVE, &other), 0);
	CHECK_CODE(follow(w, "link"), FY_ERR_EXISTS);
	CHECK(has_address(w, OLD));
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, other, &s), 0);
	CHECK(fy_eq(s.password_hash.text, FY_LIT("$old")));
	change("UPDATE account SET state = 3, email_hash = NULL WHERE id <> (SELECT MIN(id) FROM account)");

	CHECK_CODE(register_as(w, NEW, FY_ACCOUNT_PENDING, &other), 0); /* by anybody */
	CHECK_CODE(follow(w, "link"), 0);
	CHECK(has_address(w, NEW));
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, other, &s), FY_ERR_NOT_FOUND);
}

static void an_account_keeps_its_address_and_an_unconfirmed_registration_gives_way(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_all(1, keep_what_is_taken, NULL);
}

static void stop_it(struct worker *w)
{
	struct fy_email_change waiting;
	uint64_t id;
	CHECK_CODE(fy_email_change_cancel(&w->ctx, ada), FY_ERR_NOT_FOUND);
	CHECK_CODE(ask(w, NEW, "link"), 0);
	CHECK_CODE(fy_email_change_cancel(&w->ctx, ada), 0);
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);

	CHECK_CODE(ask(w, NEW, "link"), 0);
	CHECK_CODE(fy_accounts_set_password(&w->ctx, ada, secret("$new")), 0);
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);

	CHECK_CODE(ask(w, NEW, "link"), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, ada, FY_TOKEN_RESET_PASSWORD, hash_of(&w->arena, "reset"), NOON + FY_HOUR,
				    NULL),
		   0);
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_RESET_PASSWORD, hash_of(&w->arena, "reset"),
					      secret("$newer"), NULL, &id),
		   0);
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);

	CHECK_CODE(ask(w, NEW, "link"), 0);
	change("UPDATE account SET state = 3");
	CHECK_CODE(follow(w, "link"), FY_ERR_NOT_FOUND);
	CHECK_CODE(ask(w, NEW, "other"), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_email_change_get(&w->ctx, ada, &waiting), 0);
}

static void cancelling_a_new_password_and_the_end_of_the_account_stop_it(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_all(1, stop_it, NULL);
}

/* ---- What is found by the address ---- */

static void write_with(struct worker *w, const char *address)
{
	static unsigned made;
	uint64_t id;
	const struct fy_contact_new message = { .reference = fy_fmt(&w->arena, "T-%u", ++made),
						.name = personal("Canary"),
						.email = personal(address),
						.subject = personal("S"),
						.message = personal("M"),
						.consent_text_version = FY_LIT("1") };
	const struct fy_rights_new request = { .kind = FY_RIGHTS_ACCESS,
					       .name = personal("Canary"),
					       .email = personal(address),
					       .wish = personal("W"),
					       .received_at = NOON,
					       .due_at = NOON + 30 * FY_DAY };
	CHECK_CODE(fy_contact_add(&w->ctx, &message, NULL, 0, NULL), 0);
	CHECK_CODE(fy_rights_add(&w->ctx, &request, NULL, &id), 0);
}

/* A request that was recorded with the address of an account is the account's from the start. */
static void found(struct worker *w, const char *address, size_t expected, size_t expected_requests)
{
	uint64_t *ids;
	size_t messages, requests;
	CHECK_CODE(fy_contact_list_email(&w->ctx, address_hash(w, address), 10, &ids, &messages), 0);
	CHECK_CODE(fy_rights_list_of(&w->ctx, 0, address_hash(w, address), 10, &ids, &requests), 0);
	CHECK(messages == expected && requests == expected_requests);
}

static void change_and_look(struct worker *w)
{
	struct fy_contact_message m;
	uint64_t *ids;
	size_t count;
	write_with(w, "ADA@example.org");
	write_with(w, NEW);
	write_with(w, "bob@example.org");
	CHECK_CODE(ask(w, NEW, "link"), 0);
	found(w, OLD, 1, 0);
	found(w, NEW, 1, 1);
	CHECK_CODE(follow(w, "link"), 0);
	found(w, OLD, 0, 0); /* whoever gets the old mailbox one day finds nothing */
	found(w, NEW, 2, 1);
	found(w, "bob@example.org", 1, 1);
	CHECK_CODE(fy_rights_list_of(&w->ctx, ada, address_hash(w, NEW), 10, &ids, &count), 0);
	CHECK(count == 2);
	CHECK_CODE(fy_contact_list_email(&w->ctx, address_hash(w, NEW), 10, &ids, &count), 0);
	CHECK_CODE(fy_contact_get(&w->ctx, ids[count - 1], FY_PURPOSE_RIGHTS, &m), 0);
	CHECK(fy_eq(m.email.text, FY_LIT("ADA@example.org"))); /* as it was written */
	CHECK_CODE(fy_export_find(&w->ctx, address_hash(w, OLD)), FY_ERR_NOT_FOUND);
}

static void erase_her(struct worker *w)
{
	w->ctx.config = &config;
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), 0);
	CHECK_CODE(fy_erasure_finish(&w->ctx, ada, NULL, NULL), 0);
}

static void an_erasure_after_a_change_takes_what_was_written_with_the_old_address(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	change("UPDATE account SET confirmed_at = created_at");
	run_all(1, change_and_look, NULL);
	run_all(1, erase_her, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 1); /* Bob's */
	assert_int_equal(
		number("SELECT COUNT(*) FROM foyer_keys.person_key k JOIN contact_message m ON m.id = k.person_id"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_request"), 3); /* files have their own time */
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 4);
}

static void an_erasure_takes_the_address_that_waits(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_all(1, ask_for_new, NULL);
	run_all(1, erase_her, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM email_change"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 0);
}

static void purge(struct worker *w)
{
	uint64_t n, *ids;
	size_t count;
	CHECK_CODE(ask(w, NEW, "link"), 0);
	fy_time end = NOON + fy_email_change_valid(&w->ctx);
	CHECK_CODE(fy_email_change_count_expired(&w->ctx, end, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_email_change_purge(&w->ctx, end, 10, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_email_change_count_expired(&w->ctx, end + 1, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_email_change_list_expired(&w->ctx, end + 1, 10, &ids, &count), 0);
	CHECK(count == 1 && ids[0] == ada);
	CHECK_CODE(fy_email_change_purge(&w->ctx, end + 1, 10, &n), 0);
	CHECK(n == 1 && has_address(w, OLD));
}

static void what_nobody_confirmed_in_time_is_purged(void **state)
{
	(void)state;
	run_all(1, given_ada, NULL);
	run_all(1, purge, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_link_in_the_new_mailbox_changes_the_address_once_and_in_time),
		TEST(of_many_who_follow_the_link_at_once_one_changes_the_address),
		TEST(an_account_keeps_its_address_and_an_unconfirmed_registration_gives_way),
		TEST(cancelling_a_new_password_and_the_end_of_the_account_stop_it),
		TEST(an_erasure_after_a_change_takes_what_was_written_with_the_old_address),
		TEST(an_erasure_takes_the_address_that_waits),
		TEST(what_nobody_confirmed_in_time_is_purged),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
