/* One-time tokens: used once however many try, replaced by newer ones, over when they are over. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/outbox.h"
#include "storage/tokens.h"

static unsigned used, late;

static void make_set_up(struct worker *w)
{
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash_of(&w->arena, w->arg), NOON + FY_HOUR, NULL), 0);
}

static void try_to_use(struct worker *w)
{
	struct fy_token token;
	int err = fy_tokens_use(&w->ctx, FY_TOKEN_SET_UP, hash_of(&w->arena, w->arg), &token);
	CHECK(err == 0 || err == FY_ERR_EXPIRED);
	if (err == 0)
		used++;
	else
		late++;
}

static void of_many_who_use_a_token_at_once_one_succeeds(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		char name[8];
		snprintf(name, sizeof name, "t%d", round);
		used = late = 0;
		run_all(1, make_set_up, name);
		run_all(24, try_to_use, name);
		assert_int_equal(used, 1);
		assert_int_equal(late, 23);
	}
}

static int use_and_fail(struct fy_ctx *ctx, void *arg)
{
	struct fy_token token;
	int err = fy_tokens_use(ctx, FY_TOKEN_SET_UP, *(struct fy_slice *)arg, &token);
	return err ? err : FY_ERR_DENIED;
}

static void use_in_a_failing_transaction(struct worker *w)
{
	struct fy_slice hash = hash_of(&w->arena, "t");
	struct fy_token token;
	CHECK_CODE(fy_tx(&w->ctx, use_and_fail, &hash), FY_ERR_DENIED);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash, &token), 0);
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_SET_UP, hash, &token), 0);
	CHECK(token.account_id == 0 && token.expires_at == NOON + FY_HOUR);
}

static void a_use_is_undone_with_its_transaction(void **state)
{
	(void)state;
	run_all(1, make_set_up, "t");
	run_all(1, use_in_a_failing_transaction, NULL);
}

static void replace(struct worker *w)
{
	struct fy_token token;
	struct fy_slice old = hash_of(&w->arena, "old"), new = hash_of(&w->arena, "new");
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, old, NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, old, &token), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_RESET_PASSWORD, hash_of(&w->arena, "other"), NOON + FY_HOUR,
				    NULL),
		   0);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, old, &token), 0);
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, new, NOON + FY_HOUR, NULL), 0);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, old, &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_SET_UP, old, &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, new, &token), 0);
}

static void a_newer_token_of_the_same_purpose_ends_the_older_one(void **state)
{
	(void)state;
	run_all(1, replace, NULL);
}

static void outlive(struct worker *w)
{
	struct fy_token token;
	struct fy_slice hash = hash_of(&w->arena, "t");
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_RESET_PASSWORD, hash, &token), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash_of(&w->arena, "u"), &token), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, FY_LIT("short"), &token), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, FY_LIT("short"), NOON, NULL), FY_ERR_INVALID);
	w->ctx.now = NOON + FY_HOUR - 1;
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash, &token), 0);
	w->ctx.now = NOON + FY_HOUR;
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash, &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_SET_UP, hash, &token), FY_ERR_EXPIRED);
}

static void a_token_fits_its_purpose_and_ends_to_the_microsecond(void **state)
{
	(void)state;
	run_all(1, make_set_up, "t");
	run_all(1, outlive, NULL);
}

static void create_with_a_bad_mail(struct worker *w)
{
	struct fy_mail_new mail = { .template_name = FY_LIT("reset"), .person_id = given_person(&w->ctx) };
	struct fy_token token;
	struct fy_slice hash = hash_of(&w->arena, "t");
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash, NOON + FY_HOUR, &mail), FY_ERR_INVALID);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash, &token), FY_ERR_NOT_FOUND);
	mail.to_address = personal("a@example.org");
	mail.fields = secret("a link");
	CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash, NOON + FY_HOUR, &mail), 0);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_SET_UP, hash, &token), 0);
}

static void a_token_and_its_mail_come_together_or_not_at_all(void **state)
{
	(void)state;
	run_all(1, create_with_a_bad_mail, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 1);
}

static void purge(struct worker *w)
{
	uint64_t n;
	for (unsigned i = 0; i < 7; i++) {
		char name[8];
		snprintf(name, sizeof name, "p%u", i);
		CHECK_CODE(fy_tokens_create(&w->ctx, 0, FY_TOKEN_SET_UP, hash_of(&w->arena, name), NOON + i * FY_HOUR,
					    NULL),
			   0);
	}
	fy_time before = NOON + 5 * FY_HOUR;
	CHECK_CODE(fy_tokens_count_expired(&w->ctx, before, &n), 0);
	CHECK(n == 5);
	CHECK_CODE(fy_tokens_purge(&w->ctx, before, 3, &n), 0);
	CHECK(n == 3);
	CHECK_CODE(fy_tokens_purge(&w->ctx, before, 3, &n), 0);
	CHECK(n == 2);
	CHECK_CODE(fy_tokens_purge(&w->ctx, before, 3, &n), 0);
	CHECK(n == 0);
}

static void expired_tokens_are_purged_in_slices_and_good_ones_stay(void **state)
{
	(void)state;
	run_all(1, purge, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 2);
}

static void ask_for_an_address(struct worker *w)
{
	const struct fy_mail_new mail = { .template_name = FY_LIT("export_link"),
					  .to_address = personal("zoe@example.org"),
					  .fields = secret("link") };
	struct fy_slice first = hash_of(&w->arena, "first"), second = hash_of(&w->arena, "second");
	struct fy_token token;
	uint64_t n;
	CHECK_CODE(fy_tokens_create_for_address(&w->ctx, hash_of(&w->arena, "zoe"), FY_TOKEN_EXPORT, first,
						NOON + FY_HOUR, &mail),
		   0);
	CHECK_CODE(fy_tokens_create_for_address(&w->ctx, hash_of(&w->arena, "zoe"), FY_TOKEN_EXPORT, second,
						NOON + FY_HOUR, &mail),
		   0);
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_RESET_PASSWORD, first, &token), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_EXPORT, first, &token), 0);
	CHECK(token.account_id == 0 && fy_eq(token.email_hash, hash_of(&w->arena, "zoe")));
	CHECK_CODE(fy_tokens_use(&w->ctx, FY_TOKEN_EXPORT, first, &token), FY_ERR_EXPIRED);
	CHECK_CODE(fy_tokens_find(&w->ctx, FY_TOKEN_EXPORT, second, &token), 0);
	CHECK(number("SELECT COUNT(*) FROM foyer_keys.person_key JOIN outbox USING (person_id)") == 2);

	/* The key of a mail goes with it. */
	struct fy_outbox_mail *sent;
	size_t count;
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("w"), FY_HOUR, 1, &sent, &count), 0);
	CHECK(count == 1);
	CHECK_CODE(fy_outbox_sent(&w->ctx, FY_LIT("w"), &sent[0]), 0);
	CHECK(number("SELECT COUNT(*) FROM foyer_keys.person_key") == 1);

	/* An hour later both links are over, but a mail that waits is still found by its own. */
	CHECK_CODE(fy_tokens_count_expired(&w->ctx, NOON + 3 * FY_DAY, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_tokens_purge(&w->ctx, NOON + 3 * FY_DAY, 10, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_tokens_count_expired(&w->ctx, NOON + 3 * FY_DAY + 2 * FY_HOUR, &n), 0);
	CHECK(n == 2);
	CHECK_CODE(fy_tokens_purge(&w->ctx, NOON + 3 * FY_DAY + 2 * FY_HOUR, 1, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_tokens_purge(&w->ctx, NOON + 3 * FY_DAY + 2 * FY_HOUR, 10, &n), 0);
	CHECK(n == 1);
}

static void a_token_of_an_address_stays_until_its_mail_has_gone_with_its_key(void **state)
{
	(void)state;
	run_all(1, ask_for_an_address, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM one_time_token"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_many_who_use_a_token_at_once_one_succeeds),
		TEST(a_use_is_undone_with_its_transaction),
		TEST(a_newer_token_of_the_same_purpose_ends_the_older_one),
		TEST(a_token_fits_its_purpose_and_ends_to_the_microsecond),
		TEST(a_token_and_its_mail_come_together_or_not_at_all),
		TEST(expired_tokens_are_purged_in_slices_and_good_ones_stay),
		TEST(a_token_of_an_address_stays_until_its_mail_has_gone_with_its_key),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
