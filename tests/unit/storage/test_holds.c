/* Legal holds: what is held is not erased, whoever asks, until somebody lifts the hold. */
#include "tests/unit/storage/repo_harness.h"

#include "foyer/config.h"
#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/holds.h"
#include "storage/persons.h"

#define REVIEW (NOON + 90 * FY_DAY)
#define LEGAL FY_PURPOSE_LEGAL_DUTIES

static const struct fy_config config = { .site_name = { "Host Families", 13 } };
static uint64_t ada;

static void given_ada(struct worker *w)
{
	struct fy_account_new account = { .email = personal("ada@example.org"),
					  .email_hash = hash_of(&w->arena, "ada"),
					  .given_name = personal("Ada"),
					  .family_name = personal("Byron"),
					  .state = FY_ACCOUNT_ACTIVE };
	w->ctx.config = &config;
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &ada), 0);
}

static int place(struct worker *w, uint64_t *ret_id)
{
	return fy_holds_place(&w->ctx, ada, personal("Unpaid stay,\nfile 12"), REVIEW, 99, ret_id);
}

static void place_and_read(struct worker *w)
{
	struct fy_hold hold, *list;
	uint64_t id, next;
	size_t count;
	given_ada(w);
	CHECK_CODE(fy_holds_of(&w->ctx, ada, LEGAL, &hold), 0);
	CHECK(hold.id == 0 && hold.review_at == 0);
	CHECK_CODE(fy_holds_place(&w->ctx, ada, personal(""), REVIEW, 99, &id), FY_ERR_INVALID);
	CHECK_CODE(fy_holds_place(&w->ctx, ada, personal("Why"), NOON, 99, &id), FY_ERR_INVALID);
	CHECK_CODE(fy_holds_place(&w->ctx, ada + 1, personal("Why"), REVIEW, 99, &id), FY_ERR_NOT_FOUND);
	CHECK_CODE(place(w, &id), 0);
	CHECK_CODE(place(w, &next), FY_ERR_EXISTS);
	CHECK_CODE(fy_holds_of(&w->ctx, ada, FY_PURPOSE_RIGHTS, &hold), 0);
	CHECK(hold.id == id && hold.placed_by == 99 && hold.placed_at == NOON && hold.review_at == REVIEW);
	CHECK(fy_eq(hold.reason.text, FY_LIT("Unpaid stay,\nfile 12")));
	CHECK_CODE(fy_holds_of(&w->ctx, ada, FY_PURPOSE_CONTACT, &hold), FY_ERR_DENIED);
	CHECK_CODE(fy_holds_list(&w->ctx, false, 0, 10, &list, &count, &next), 0);
	CHECK(count == 1 && list[0].id == id && next == 0);

	CHECK_CODE(fy_holds_review(&w->ctx, id, NOON), FY_ERR_INVALID);
	CHECK_CODE(fy_holds_review(&w->ctx, id, REVIEW + FY_DAY), 0);
	CHECK_CODE(fy_holds_lift(&w->ctx, id, 98), 0);
	CHECK_CODE(fy_holds_lift(&w->ctx, id, 98), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_holds_review(&w->ctx, id, REVIEW), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_holds_of(&w->ctx, ada, LEGAL, &hold), 0);
	CHECK(hold.id == 0);
	CHECK_CODE(fy_holds_get(&w->ctx, id, LEGAL, &hold), 0);
	CHECK(hold.lifted_at == NOON && hold.review_at == REVIEW + FY_DAY);
	CHECK_CODE(fy_holds_get(&w->ctx, id + 1, LEGAL, &hold), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_holds_list(&w->ctx, false, 0, 10, &list, &count, &next), 0);
	CHECK(count == 0);
	CHECK_CODE(place(w, &id), 0); /* once more, for another reason */
	CHECK_CODE(fy_holds_list(&w->ctx, true, 0, 10, &list, &count, &next), 0);
	CHECK(count == 1);
}

static void a_hold_has_a_reason_and_a_day_and_ends_when_somebody_lifts_it(void **state)
{
	(void)state;
	run_all(1, place_and_read, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM legal_hold WHERE INSTR(reason, 'Unpaid')"), 0);
}

static void erase(struct worker *w)
{
	uint64_t id;
	given_ada(w);
	CHECK_CODE(fy_erasure_ask(&w->ctx, ada, FY_ERASURE_ASKED, NOON), 0);
	CHECK_CODE(place(w, &id), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_holds_lift(&w->ctx, id, 98), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, ada), 0);
	CHECK_CODE(place(w, &id), 0); /* between closing and the end */
	CHECK_CODE(fy_erasure_finish(&w->ctx, ada, NULL, NULL), FY_ERR_DENIED);
	CHECK_CODE(fy_holds_lift(&w->ctx, id, 98), 0);
	CHECK_CODE(fy_erasure_finish(&w->ctx, ada, NULL, NULL), 0);
}

static void what_is_held_is_not_erased_at_any_step(void **state)
{
	(void)state;
	run_all(1, erase, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM legal_hold"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 0);
}

static int empty(void **state)
{
	(void)state;
	change("DELETE FROM account; DELETE FROM foyer_keys.person_key");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_hold_has_a_reason_and_a_day_and_ends_when_somebody_lifts_it, empty),
		cmocka_unit_test_setup(what_is_held_is_not_erased_at_any_step, empty),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
