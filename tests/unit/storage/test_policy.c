/* The dates of the policy: which version is in force, and that a purpose which a later one adds stays shut until its day.
 * Linked with the tables of a next release (tests/support/next_register.py), in which phone numbers get the purpose of
 * billing and the column of passions is new, from 2099-01-01. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "storage/policy.h"
#include "storage/seal.h"

static const uint8_t key[32] = { 1 };
static const struct fy_person ada = { 7, key, 0 };
static const struct fy_date new_year = { 2099, 1, 1 };

struct scene {
	struct fy_arena arena;
	struct fy_ctx ctx;
	fy_time shifted;
};

/* Both the clock and the context's time are `offset` from the day. */
static void go_to(struct scene *s, fy_time offset)
{
	fy_time wanted = fy_paris_day_start(new_year) + offset, by = wanted - fy_clock();
	fy_clock_shift(by);
	s->shifted += by;
	s->ctx.now = wanted;
}

static int begin(void **state)
{
	static struct scene scene;
	scene = (struct scene){ 0 };
	fy_arena_init(&scene.arena, 0);
	scene.ctx = (struct fy_ctx){ .arena = &scene.arena };
	go_to(&scene, -10 * FY_DAY);
	*state = &scene;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;
	fy_clock_shift(-s->shifted);
	fy_arena_finish(&s->arena);
	return 0;
}

static struct fy_sealed collect(struct scene *s, enum fy_register_column column)
{
	return fy_seal(&s->ctx, &ada, column, 7, FY_LIT("+33 6 12 34 56 78"));
}

static int read_for(struct scene *s, enum fy_register_column column, enum fy_register_purpose purpose,
		    struct fy_sealed sealed)
{
	struct fy_slice text = FY_NONE;
	int err = fy_unseal(&s->ctx, &ada, column, 7, purpose, sealed, &text);
	assert_int_equal(text.len, err ? 0 : 17);
	return err;
}

#define PHONE FY_COLUMN_ACCOUNT_PHONE
#define PASSIONS FY_COLUMN_ACCOUNT_PASSIONS

static void the_version_before_is_in_force_until_the_day(void **state)
{
	struct scene *s = *state;
	const struct fy_policy_list *all = &fy_policy_versions;
	const struct fy_policy_version *newest = &all->items[all->count - 1];
	uint32_t members = 1u << FY_PERSONS_MEMBERS, correspondents = 1u << FY_PERSONS_CORRESPONDENTS;
	assert_string_equal(newest->date, "2098-12-01");
	assert_string_equal(newest->effective, "2099-01-01");
	assert_true(fy_policy_now() == newest);
	go_to(s, -1);
	assert_true(fy_policy_in_force(all, s->ctx.now) == newest - 1);
	assert_true(fy_policy_coming(all, members, s->ctx.now) == newest);
	assert_null(fy_policy_coming(all, correspondents, s->ctx.now));
	go_to(s, 0);
	assert_true(fy_policy_in_force(all, s->ctx.now) == newest);
	assert_null(fy_policy_coming(all, members, s->ctx.now));
	assert_true(fy_policy_in_force(all, 0) == all->items);
}

static void what_is_collected_before_the_day_never_serves_the_new_purpose(void **state)
{
	struct scene *s = *state;
	struct fy_sealed old = collect(s, PHONE);
	assert_int_equal(fy_sealed_purposes(old),
			 1u << FY_PURPOSE_CONTACT | 1u << FY_PURPOSE_CONTRACTUALISATION | 1u << FY_PURPOSE_RIGHTS);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_CONTACT, old), 0);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, old), FY_ERR_DENIED);
	assert_non_null(strstr(s->ctx.fault, "account.phone is not open yet for billing"));
	go_to(s, FY_DAY);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, old), FY_ERR_DENIED);
	assert_non_null(strstr(s->ctx.fault, "account.phone was not collected for billing"));
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, collect(s, PHONE)), 0);
}

static void a_purpose_is_shut_whatever_the_value_says(void **state)
{
	struct scene *s = *state;
	go_to(s, FY_DAY);
	struct fy_sealed early = collect(s, PHONE); /* by a server whose clock ran ahead */
	go_to(s, -1);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, early), FY_ERR_DENIED);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_CONTACT, early), 0);
	go_to(s, 0);
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, early), 0);
}

static void a_moved_time_opens_nothing(void **state)
{
	struct scene *s = *state;
	go_to(s, FY_DAY);
	struct fy_sealed sealed = collect(s, PHONE);
	go_to(s, -FY_DAY);
	s->ctx.now += 10 * FY_DAY; /* a job with --at */
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, sealed), FY_ERR_DENIED);
	assert_int_equal(fy_sealed_purposes(collect(s, PHONE)) >> FY_PURPOSE_BILLING & 1, 0);
	go_to(s, FY_DAY);
	s->ctx.now -= 10 * FY_DAY;
	assert_int_equal(read_for(s, PHONE, FY_PURPOSE_BILLING, sealed), FY_ERR_DENIED);
}

static void a_new_column_is_collected_for_its_purposes_and_shut_until_the_day(void **state)
{
	struct scene *s = *state;
	struct fy_sealed sealed = collect(s, PASSIONS);
	assert_int_equal(fy_sealed_purposes(sealed), 1u << FY_PURPOSE_CONTRACTUALISATION | 1u << FY_PURPOSE_RIGHTS);
	assert_int_equal(read_for(s, PASSIONS, FY_PURPOSE_CONTRACTUALISATION, sealed), FY_ERR_DENIED);
	assert_int_equal(read_for(s, PASSIONS, FY_PURPOSE_RIGHTS, sealed), 0);
	go_to(s, 0);
	assert_int_equal(read_for(s, PASSIONS, FY_PURPOSE_CONTRACTUALISATION, sealed), 0);
}

static void only_what_was_added_is_late(void **state)
{
	(void)state;
	for (unsigned c = 0; c < FY_COLUMN_COUNT; c++)
		assert_int_equal(fy_policy_late[c], c == PHONE      ? 1u << FY_PURPOSE_BILLING
						    : c == PASSIONS ? 1u << FY_PURPOSE_CONTRACTUALISATION
								    : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_version_before_is_in_force_until_the_day, begin, end),
		cmocka_unit_test_setup_teardown(what_is_collected_before_the_day_never_serves_the_new_purpose, begin,
						end),
		cmocka_unit_test_setup_teardown(a_purpose_is_shut_whatever_the_value_says, begin, end),
		cmocka_unit_test_setup_teardown(a_moved_time_opens_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_new_column_is_collected_for_its_purposes_and_shut_until_the_day,
						begin, end),
		cmocka_unit_test(only_what_was_added_is_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
