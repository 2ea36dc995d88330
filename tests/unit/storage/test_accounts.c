/* Accounts: one for each address, no lost edit, tokens that work once, and a purge that spares the confirmed. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/db.h"
#include "storage/outbox.h"

static const struct fy_mail_new confirm_mail = {
	.template_name = { "confirm", 7 },
	.to_address = { { "ada@example.org", 15 } },
	.fields = { { "a link", 6 } },
};

/* An account of that name, pending, whose confirmation token is called the same. */
static int register_as(struct worker *w, const char *name, uint64_t *ret_id)
{
	struct fy_account_new account = {
		.email = personal("Ada@Example.org"),
		.email_hash = hash_of(&w->arena, name),
		.password_hash = secret("$argon2id$old"),
		.given_name = personal("Ada"),
		.family_name = personal("Lovelace"),
		.language = FY_LANG_EN,
	};
	return fy_accounts_create(&w->ctx, &account, FY_TOKEN_CONFIRM_EMAIL, hash_of(&w->arena, name), NOON + FY_DAY,
				  &confirm_mail, ret_id);
}

static unsigned won, lost;

static void register_the_same(struct worker *w)
{
	uint64_t id = 0;
	int err = register_as(w, "ada", &id);
	if (err) {
		CHECK_CODE(err, FY_ERR_EXISTS);
		lost++;
	} else {
		CHECK(id != 0);
		won++;
	}
}

static void one_address_registered_many_times_at_once_gives_one_account(void **state)
{
	(void)state;
	won = lost = 0;
	run_all(16, register_the_same, NULL);
	assert_int_equal(won, 1);
	assert_int_equal(lost, 15);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM account a JOIN one_time_token t ON t.account_id = a.id "
				"JOIN outbox o ON o.person_id = a.id"),
			 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 1);
}

/* Whether market research may read the account, and how many decisions are kept. */
static void research_reads(struct worker *w, uint64_t id, bool open, size_t decisions)
{
	struct fy_account a;
	struct fy_consent *consents;
	size_t count;
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_MARKET_RESEARCH, &a), 0);
	CHECK(a.person_withholds == !open);
	CHECK(fy_eq(a.email.text, open ? FY_LIT("Ada@Example.org") : FY_LIT("")));
	CHECK_CODE(fy_consents_list(&w->ctx, id, &consents, &count), 0);
	CHECK(count == decisions);
}

static void consent_of_the_confirmation(struct worker *w)
{
	uint64_t id;
	struct fy_consent consent;
	CHECK_CODE(register_as(w, "ada", &id), 0);
	research_reads(w, id, false, 0);
	change("ALTER TABLE consent ADD CONSTRAINT refuses CHECK (given = FALSE)");
	CHECK(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "ada"), true, NULL, &id) != 0);
	CHECK(number("SELECT state FROM account") == FY_ACCOUNT_PENDING);
	change("ALTER TABLE consent DROP CONSTRAINT refuses");
	w->ctx.now += FY_HOUR;
	CHECK_CODE(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "ada"), true, NULL, &id), 0);
	research_reads(w, id, true, 1);
	CHECK_CODE(fy_consents_get(&w->ctx, id, FY_CONSENT_MARKET_RESEARCH, &consent), 0);
	CHECK(consent.given && consent.decided_at == NOON + FY_HOUR &&
	      fy_eq(consent.text_version, FY_LIT(FY_CONSENT_TEXT_VERSION)));
	CHECK_CODE(register_as(w, "bob", &id), 0);
	CHECK_CODE(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "bob"), false, NULL, &id), 0);
	research_reads(w, id, false, 0);
}

static void a_confirmation_and_the_consent_given_with_it_are_kept_both_or_neither(void **state)
{
	(void)state;
	run_all(1, consent_of_the_confirmation, NULL);
}

/* As versions did that took the decision with the registration. */
static uint64_t given_a_stranger_s_consent(struct worker *w, const char *name)
{
	uint64_t id = 0;
	if (register_as(w, name, &id) == 0)
		fy_consents_set(&w->ctx, id, FY_CONSENT_MARKET_RESEARCH, true);
	return id;
}

static void consents_of_strangers(struct worker *w)
{
	uint64_t id = given_a_stranger_s_consent(w, "ada"), got;
	struct fy_slice reset = hash_of(&w->arena, "reset");
	research_reads(w, id, true, 1);
	CHECK_CODE(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "ada"), false, NULL, &got), 0);
	research_reads(w, id, false, 0);
	id = given_a_stranger_s_consent(w, "bob");
	CHECK_CODE(fy_accounts_contest(&w->ctx, id), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_RESET_PASSWORD, reset, NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_RESET_PASSWORD, reset, secret("$new"), NULL, &got), 0);
	research_reads(w, id, false, 0);

	/* What the holder decides stays, whatever link is followed later. */
	CHECK_CODE(fy_consents_set(&w->ctx, id, FY_CONSENT_MARKET_RESEARCH, true), 0);
	CHECK_CODE(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "bob"), false, NULL, &got), 0);
	research_reads(w, id, true, 1);
}

static void no_consent_counts_that_was_given_before_the_mailbox_was_proven(void **state)
{
	(void)state;
	run_all(1, consents_of_strangers, NULL);
}

static void read_back(struct worker *w)
{
	uint64_t id;
	struct fy_account a;
	struct fy_account_signin s;
	CHECK_CODE(register_as(w, "ada", &id), 0);
	CHECK_CODE(fy_accounts_find_signin(&w->ctx, hash_of(&w->arena, "ada"), &s), 0);
	CHECK(s.id == id && s.state == FY_ACCOUNT_PENDING && s.role == FY_ROLE_MEMBER && s.language == FY_LANG_EN);
	CHECK(s.version == 1 && fy_eq(s.password_hash.text, FY_LIT("$argon2id$old")));
	CHECK_CODE(fy_accounts_find_signin(&w->ctx, hash_of(&w->arena, "bob"), &s), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(s.id == id && fy_eq(s.email.text, FY_LIT("Ada@Example.org")));
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.id == id && a.version == 1 && a.created_at == NOON && a.confirmed_at == 0 && a.last_active_at == 0);
	CHECK(a.password_changed_at == NOON && fy_eq(a.email.text, FY_LIT("Ada@Example.org")));
	CHECK(fy_eq(a.profile.given_name.text, FY_LIT("Ada")) && fy_eq(a.profile.family_name.text, FY_LIT("Lovelace")));
	CHECK(a.profile.phone.text.len == 0 && a.profile.country.text.len == 0 && a.profile.language == FY_LANG_EN);
	CHECK_CODE(fy_accounts_get(&w->ctx, id + 1000, FY_PURPOSE_RIGHTS, &a), FY_ERR_NOT_FOUND);
}

static void an_account_is_read_back_as_it_was_written(void **state)
{
	(void)state;
	run_all(1, read_back, NULL);
}

static void read_names(struct worker *w)
{
	uint64_t ids[80], ada, bob;
	struct fy_account_name *names;
	struct fy_db_status before, after;
	CHECK_CODE(register_as(w, "ada", &ada), 0);
	CHECK_CODE(register_as(w, "bob", &bob), 0);
	for (size_t i = 0; i < 80; i++)
		ids[i] = i % 3 == 0 ? ada : i % 3 == 1 ? bob : bob + 100;
	fy_db_status(w->ctx.db, &before);
	CHECK_CODE(fy_accounts_names(&w->ctx, ids, 80, FY_PURPOSE_IDENTIFICATION, &names), 0);
	fy_db_status(w->ctx.db, &after);
	CHECK(after.executions - before.executions == 1);
	for (size_t i = 0; i < 80; i++) {
		bool there = i % 3 < 2;
		CHECK(fy_eq(names[i].email.text, there ? FY_LIT("Ada@Example.org") : FY_LIT("")));
		CHECK(fy_eq(names[i].given_name.text, there ? FY_LIT("Ada") : FY_LIT("")));
		CHECK(fy_eq(names[i].family_name.text, there ? FY_LIT("Lovelace") : FY_LIT("")));
	}
	CHECK_CODE(fy_accounts_names(&w->ctx, ids, 0, FY_PURPOSE_IDENTIFICATION, &names), 0);
}

static void the_names_of_a_list_take_one_statement(void **state)
{
	(void)state;
	run_all(1, read_names, NULL);
}

static struct fy_slice wide(struct fy_arena *arena, size_t characters)
{
	char *text = fy_alloc(arena, 4 * characters);
	for (size_t i = 0; i < characters; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x8f\xa1", 4);
	return fy_slice(text, 4 * characters);
}

static void widest_profile(struct worker *w)
{
	uint64_t id;
	uint32_t version;
	struct fy_account a;
	struct fy_profile p = {
		.given_name = { wide(&w->arena, FY_ACCOUNT_NAME_MAX) },
		.family_name = { wide(&w->arena, FY_ACCOUNT_NAME_MAX) },
		.phone = { wide(&w->arena, FY_ACCOUNT_PHONE_MAX) },
		.position = { wide(&w->arena, FY_ACCOUNT_POSITION_MAX) },
		.skills = { wide(&w->arena, FY_ACCOUNT_PROSE_MAX) },
		.passions = { wide(&w->arena, FY_ACCOUNT_PROSE_MAX) },
		.street_address = { wide(&w->arena, FY_ACCOUNT_STREET_MAX) },
		.postal_code = { wide(&w->arena, FY_ACCOUNT_POSTAL_CODE_MAX) },
		.address_level2 = { wide(&w->arena, FY_ACCOUNT_CITY_MAX) },
		.country = personal("FR"),
		.language = FY_LANG_FR,
	};
	CHECK_CODE(register_as(w, "ada", &id), 0);
	CHECK_CODE(fy_accounts_update_profile(&w->ctx, id, 1, &p, &version), 0);
	CHECK(version == 2);
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.version == 2 && a.profile.language == FY_LANG_FR);
	CHECK(fy_eq(a.profile.given_name.text, p.given_name.text) &&
	      fy_eq(a.profile.family_name.text, p.family_name.text));
	CHECK(fy_eq(a.profile.phone.text, p.phone.text) && fy_eq(a.profile.position.text, p.position.text));
	CHECK(fy_eq(a.profile.skills.text, p.skills.text) && fy_eq(a.profile.passions.text, p.passions.text));
	CHECK(fy_eq(a.profile.street_address.text, p.street_address.text) &&
	      fy_eq(a.profile.country.text, FY_LIT("FR")));
	CHECK(fy_eq(a.profile.postal_code.text, p.postal_code.text));
	CHECK(fy_eq(a.profile.address_level2.text, p.address_level2.text));
	p.skills.text = wide(&w->arena, 1100);
	CHECK_CODE(fy_accounts_update_profile(&w->ctx, id, 2, &p, NULL), FY_ERR_TOO_LARGE);
}

static void a_profile_of_the_widest_characters_fits_and_more_is_refused_whole(void **state)
{
	(void)state;
	run_all(1, widest_profile, NULL);
	assert_int_equal(number("SELECT version FROM account"), 2);
}

static void edit_version_one(struct worker *w)
{
	uint64_t id = *(uint64_t *)w->arg;
	uint32_t version = 0;
	struct fy_profile p = { .given_name = { fy_fmt(&w->arena, "W%u", w->index) }, .family_name = personal("L") };
	int err = fy_accounts_update_profile(&w->ctx, id, 1, &p, &version);
	if (err) {
		CHECK_CODE(err, FY_ERR_CONFLICT);
		lost++;
	} else {
		CHECK(version == 2);
		won++;
	}
}

static void register_ada(struct worker *w)
{
	CHECK_CODE(register_as(w, "ada", w->arg), 0);
}

static void edit_what_is_gone(struct worker *w)
{
	uint64_t id = *(uint64_t *)w->arg;
	struct fy_profile p = { .given_name = personal("A") };
	CHECK_CODE(fy_accounts_update_profile(&w->ctx, id + 1000, 1, &p, NULL), FY_ERR_NOT_FOUND);
	change("UPDATE account SET state = 3");
	CHECK_CODE(fy_accounts_update_profile(&w->ctx, id, 2, &p, NULL), FY_ERR_NOT_FOUND);
}

static void of_many_edits_of_one_version_one_is_kept(void **state)
{
	(void)state;
	uint64_t id;
	won = lost = 0;
	run_all(1, register_ada, &id);
	run_all(12, edit_version_one, &id);
	assert_int_equal(won, 1);
	assert_int_equal(lost, 11);
	assert_int_equal(number("SELECT version FROM account"), 2);
	run_all(1, edit_what_is_gone, &id);
}

static void confirm_ada(struct worker *w)
{
	uint64_t id = 0;
	int err = fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "ada"), false, NULL, &id);
	if (err) {
		CHECK_CODE(err, FY_ERR_EXPIRED);
		lost++;
	} else {
		CHECK(id == *(uint64_t *)w->arg);
		won++;
	}
}

static void a_confirmation_works_once_and_makes_the_account_active(void **state)
{
	(void)state;
	uint64_t id;
	won = lost = 0;
	run_all(1, register_ada, &id);
	run_at(NOON + FY_HOUR, 10, confirm_ada, &id);
	assert_int_equal(won, 1);
	assert_int_equal(lost, 9);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE state = 2 AND version = 2 "
				"AND confirmed_at = '2026-11-23 11:00:00'"),
			 1);
}

static void reset(struct worker *w)
{
	uint64_t id, got = 0;
	struct fy_account_signin s;
	struct fy_token token;
	struct fy_slice one = hash_of(&w->arena, "one"), two = hash_of(&w->arena, "two"),
			other = hash_of(&w->arena, "other");
	CHECK_CODE(register_as(w, "ada", &id), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_RESET_PASSWORD, one, NOON + FY_HOUR, &confirm_mail), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_SET_UP, other, NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_SET_UP, one, secret("$new"), NULL, &got),
		   FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_RESET_PASSWORD, one, secret("$new"), NULL, &got), 0);
	CHECK(got == id);
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(s.state == FY_ACCOUNT_ACTIVE && fy_eq(s.password_hash.text, FY_LIT("$new")));
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_RESET_PASSWORD, one, secret("$x"), NULL, &got),
		   FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, other, &token), FY_ERR_EXPIRED);

	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_RESET_PASSWORD, two, NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_accounts_set_password(&w->ctx, id, secret("$newer")), 0); /* ends the link in the mail */
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_RESET_PASSWORD, two, &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_accounts_set_password(&w->ctx, id + 1000, secret("$x")), FY_ERR_NOT_FOUND);

	struct fy_slice three = hash_of(&w->arena, "three");
	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_RESET_PASSWORD, three, NOON + FY_HOUR, NULL), 0);
	change("UPDATE account SET state = 3");
	CHECK_CODE(fy_accounts_reset_password(&w->ctx, FY_TOKEN_RESET_PASSWORD, three, secret("$x"), NULL, &got),
		   FY_ERR_DENIED);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_RESET_PASSWORD, three, &token), 0); /* not used up */
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(fy_eq(s.password_hash.text, FY_LIT("$newer")));
}

static void a_new_password_activates_ends_other_links_and_spares_closed_accounts(void **state)
{
	(void)state;
	run_all(1, reset, NULL);
}

static void rehash_and_touch(struct worker *w)
{
	uint64_t id;
	struct fy_account_signin s;
	struct fy_account a;
	CHECK_CODE(register_as(w, "ada", &id), 0);
	CHECK_CODE(fy_accounts_rehash(&w->ctx, id, secret("$argon2id$other"), secret("$stale")), 0);
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(fy_eq(s.password_hash.text, FY_LIT("$argon2id$old")));
	CHECK_CODE(fy_accounts_rehash(&w->ctx, id, s.password_hash, secret("$dearer")), 0);
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(fy_eq(s.password_hash.text, FY_LIT("$dearer")) && s.version == 1);

	CHECK_CODE(fy_accounts_touch(&w->ctx, id), 0);
	w->ctx.now = NOON + FY_DAY;
	CHECK_CODE(fy_accounts_touch(&w->ctx, id), 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.last_active_at == NOON);
	w->ctx.now++;
	CHECK_CODE(fy_accounts_touch(&w->ctx, id), 0);
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.last_active_at == NOON + FY_DAY + 1 && a.version == 1);
}

static void a_rehash_needs_the_old_hash_and_activity_is_noted_once_a_day(void **state)
{
	(void)state;
	run_all(1, rehash_and_touch, NULL);
}

static void set_up_known(struct worker *w)
{
	uint64_t id, got = 0;
	struct fy_account a;
	struct fy_account_new eve = { .password_hash = secret("$new"),
				      .given_name = personal("Eve"),
				      .family_name = personal("Adam") };
	CHECK_CODE(register_as(w, "ada", &id), 0);
	CHECK_CODE(fy_accounts_set_up(&w->ctx, hash_of(&w->arena, "ada"), &eve, NULL, &got), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_create(&w->ctx, id, FY_TOKEN_SET_UP, hash_of(&w->arena, "link"), NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_accounts_set_up(&w->ctx, hash_of(&w->arena, "link"), &eve, NULL, &got), 0);
	CHECK(got == id);
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &a), 0);
	CHECK(a.state == FY_ACCOUNT_ACTIVE && fy_eq(a.profile.given_name.text, FY_LIT("Eve")));
	CHECK(fy_eq(a.profile.family_name.text, FY_LIT("Adam")));
	CHECK_CODE(fy_accounts_set_up(&w->ctx, hash_of(&w->arena, "link"), &eve, NULL, &got), FY_ERR_EXPIRED);
}

static void an_account_is_set_up_with_its_names_by_its_own_link_once(void **state)
{
	(void)state;
	run_all(1, set_up_known, NULL);
}

static int own(struct worker *w, const char *token, uint64_t *ret_id)
{
	struct fy_account_new account = { .email = personal("owner@example.org"),
					  .email_hash = hash_of(&w->arena, "owner"),
					  .password_hash = secret("$h"),
					  .given_name = personal("O"),
					  .family_name = personal("W") };
	return fy_accounts_set_up_owner(&w->ctx, hash_of(&w->arena, token), &account, NULL, ret_id);
}

static void set_up(struct worker *w)
{
	uint64_t member, id = 0, owners;
	struct fy_account_signin s;
	struct fy_token token;
	CHECK_CODE(register_as(w, "ada", &member), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, member, FY_TOKEN_SET_UP, hash_of(&w->arena, "mine"), NOON + FY_HOUR, NULL),
		   0);
	CHECK_CODE(own(w, "mine", &id), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash_of(&w->arena, "mine"), &token), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash_of(&w->arena, "first"), NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(own(w, "first", &id), 0);
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, id, &s), 0);
	CHECK(s.role == FY_ROLE_OWNER && s.state == FY_ACCOUNT_ACTIVE);
	CHECK_CODE(fy_accounts_count_owners(&w->ctx, &owners), 0);
	CHECK(owners == 1);
	CHECK_CODE(own(w, "first", &id), FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash_of(&w->arena, "again"), NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(own(w, "again", &id), FY_ERR_DENIED);
	change("UPDATE account SET role = 3 WHERE role = 2");
	CHECK_CODE(own(w, "again", &id), FY_ERR_EXISTS);
}

static void the_first_owner_is_set_up_once_and_only_by_the_first_link(void **state)
{
	(void)state;
	run_all(1, set_up, NULL);
}

static void purge(struct worker *w)
{
	uint64_t ids[3], fresh, confirmed, n, *found;
	size_t count;
	bool deleted = false;
	const char *names[] = { "a", "b", "c" };
	for (unsigned i = 0; i < 3; i++)
		CHECK_CODE(register_as(w, names[i], &ids[i]), 0);
	w->ctx.now = NOON + FY_DAY;
	CHECK_CODE(register_as(w, "fresh", &fresh), 0);
	w->ctx.now = NOON;
	fy_time before = NOON + FY_HOUR;
	CHECK_CODE(fy_accounts_count_unconfirmed(&w->ctx, before, &n), 0);
	CHECK(n == 3);
	CHECK_CODE(fy_accounts_list_unconfirmed(&w->ctx, before, 0, 2, &found, &count), 0);
	CHECK(count == 2 && found[0] == ids[0] && found[1] == ids[1]);
	CHECK_CODE(fy_accounts_confirm(&w->ctx, hash_of(&w->arena, "b"), false, NULL, &confirmed),
		   0); /* after the list was made */
	CHECK_CODE(fy_accounts_delete_unconfirmed(&w->ctx, ids[0], before, &deleted), 0);
	CHECK(deleted);
	CHECK_CODE(fy_accounts_delete_unconfirmed(&w->ctx, ids[0], before, &deleted), 0);
	CHECK(!deleted);
	CHECK_CODE(fy_accounts_delete_unconfirmed(&w->ctx, ids[1], before, &deleted), 0);
	CHECK(!deleted);
	CHECK_CODE(fy_accounts_delete_unconfirmed(&w->ctx, fresh, before, &deleted), 0);
	CHECK(!deleted);
	CHECK_CODE(fy_accounts_list_unconfirmed(&w->ctx, before, ids[1], 2, &found, &count), 0);
	CHECK(count == 1 && found[0] == ids[2]);
}

static void the_purge_takes_tokens_and_mails_along_and_spares_the_confirmed_and_the_fresh(void **state)
{
	(void)state;
	run_all(1, purge, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_address_registered_many_times_at_once_gives_one_account),
		TEST(a_confirmation_and_the_consent_given_with_it_are_kept_both_or_neither),
		TEST(no_consent_counts_that_was_given_before_the_mailbox_was_proven),
		TEST(an_account_is_read_back_as_it_was_written),
		TEST(the_names_of_a_list_take_one_statement),
		TEST(a_profile_of_the_widest_characters_fits_and_more_is_refused_whole),
		TEST(of_many_edits_of_one_version_one_is_kept),
		TEST(a_confirmation_works_once_and_makes_the_account_active),
		TEST(a_new_password_activates_ends_other_links_and_spares_closed_accounts),
		TEST(a_rehash_needs_the_old_hash_and_activity_is_noted_once_a_day),
		TEST(an_account_is_set_up_with_its_names_by_its_own_link_once),
		TEST(the_first_owner_is_set_up_once_and_only_by_the_first_link),
		TEST(the_purge_takes_tokens_and_mails_along_and_spares_the_confirmed_and_the_fresh),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
