/* Job leases: one holder at a time, and one that lost its lease can do nothing more with it. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/leases.h"

#define HOLD (30 * FY_SECOND)

static unsigned taken;
static uint64_t last_fence;

static struct fy_slice owner_of(struct worker *w)
{
	return fy_fmt(&w->arena, "server%u/worker%u", w->index % 2, w->index);
}

static void try_to_take(struct worker *w)
{
	uint64_t fence;
	int err = fy_leases_take(&w->ctx, FY_LIT("purge"), owner_of(w), HOLD, fy_clock(), &fence);
	if (err) {
		CHECK_CODE(err, FY_ERR_BUSY);
		return;
	}
	taken++;
	last_fence = fence;
}

static void of_many_who_want_a_lease_one_gets_it_even_the_first_time(void **state)
{
	(void)state;
	taken = 0;
	run_all(24, try_to_take, NULL);
	assert_int_equal(taken, 1);
	assert_int_equal(last_fence, 1);
	run_all(24, try_to_take, NULL);
	assert_int_equal(taken, 1);
	for (int round = 2; round < 6; round++) {
		fy_clock_shift(HOLD + FY_SECOND);
		taken = 0;
		run_all(24, try_to_take, NULL);
		assert_int_equal(taken, 1);
		assert_int_equal(last_fence, round);
	}
}

static void lose(struct worker *w)
{
	uint64_t first, second;
	struct fy_lease lease;
	struct fy_slice name = FY_LIT("purge"), a = FY_LIT("a"), b = FY_LIT("b");
	CHECK_CODE(fy_leases_get(&w->ctx, name, &lease), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_leases_take(&w->ctx, name, a, HOLD, fy_clock(), &first), 0);
	fy_clock_shift(HOLD - FY_SECOND);
	CHECK_CODE(fy_leases_renew(&w->ctx, name, a, first, HOLD), 0);
	fy_clock_shift(2 * FY_SECOND);
	CHECK_CODE(fy_leases_take(&w->ctx, name, b, HOLD, fy_clock(), &second), FY_ERR_BUSY);
	fy_clock_shift(HOLD);
	CHECK_CODE(fy_leases_renew(&w->ctx, name, a, first, HOLD), 0); /* it ran out, but nobody took it */
	fy_clock_shift(HOLD + FY_SECOND);
	CHECK_CODE(fy_leases_take(&w->ctx, name, b, HOLD, fy_clock(), &second), 0);
	CHECK(second == first + 1);
	CHECK_CODE(fy_leases_renew(&w->ctx, name, a, first, HOLD), FY_ERR_EXPIRED);
	CHECK_CODE(fy_leases_finish(&w->ctx, name, a, first, 0, FY_LIT("done"), fy_clock()), FY_ERR_EXPIRED);
	CHECK_CODE(fy_leases_renew(&w->ctx, name, b, first, HOLD), FY_ERR_EXPIRED); /* an earlier holding */
	CHECK_CODE(fy_leases_get(&w->ctx, name, &lease), 0);
	CHECK(fy_eq(lease.owner, b) && lease.fence == second && lease.last_finished_at == 0);
	CHECK_CODE(fy_leases_finish(&w->ctx, name, b, second, FY_ERR_IO, FY_LIT("no disk"), fy_clock()), 0);
	CHECK_CODE(fy_leases_finish(&w->ctx, name, b, second, 0, FY_LIT("twice"), fy_clock()), FY_ERR_EXPIRED);
	CHECK_CODE(fy_leases_get(&w->ctx, name, &lease), 0);
	CHECK(lease.owner.len == 0 && lease.leased_until == 0 && lease.last_finished_at != 0);
	CHECK(lease.last_result == FY_ERR_IO && fy_eq(lease.last_detail, FY_LIT("no disk")));
}

static void a_holder_that_lost_its_lease_changes_nothing_more(void **state)
{
	(void)state;
	run_all(1, lose, NULL);
}

static void wait_until_due(struct worker *w)
{
	uint64_t fence;
	struct fy_slice name = FY_LIT("rotate"), a = FY_LIT("a");
	fy_time due = fy_clock() + FY_HOUR;
	CHECK_CODE(fy_leases_take(&w->ctx, name, a, HOLD, fy_clock(), &fence), 0);
	CHECK_CODE(fy_leases_finish(&w->ctx, name, a, fence, 0, FY_LIT(""), due), 0);
	CHECK_CODE(fy_leases_take(&w->ctx, name, a, HOLD, due - 1, &fence), FY_ERR_EXISTS);
	CHECK_CODE(fy_leases_take(&w->ctx, name, a, HOLD, FY_LEASE_EVEN_EARLY, &fence), 0);
	CHECK(fence == 2);
	CHECK_CODE(fy_leases_finish(&w->ctx, name, a, fence, 0, FY_LIT(""), due), 0);
	CHECK_CODE(fy_leases_take(&w->ctx, name, a, HOLD, due, &fence), 0);
	CHECK(fence == 3);
}

static void a_job_that_is_not_due_is_not_taken_unless_asked_for(void **state)
{
	(void)state;
	run_all(1, wait_until_due, NULL);
}

static void come_from_the_future(struct worker *w)
{
	uint64_t fence;
	struct fy_slice name = FY_LIT("purge");
	CHECK_CODE(fy_leases_take(&w->ctx, name, FY_LIT("alive"), HOLD, fy_clock(), &fence), 0);
	w->ctx.now = fy_clock() + 365 * FY_DAY;
	CHECK_CODE(fy_leases_take(&w->ctx, name, FY_LIT("moved"), HOLD, FY_LEASE_EVEN_EARLY, &fence), FY_ERR_BUSY);
}

static void a_run_with_a_moved_time_does_not_take_over_a_live_lease(void **state)
{
	(void)state;
	run_all(1, come_from_the_future, NULL);
}

static void list(struct worker *w)
{
	uint64_t fence;
	struct fy_lease *leases;
	size_t count;
	char detail[1200];
	memset(detail, 'x', sizeof detail);
	detail[FY_LEASE_DETAIL_MAX - 1] = '\xc3'; /* an é across the cut */
	detail[FY_LEASE_DETAIL_MAX] = '\xa9';
	CHECK_CODE(fy_leases_list(&w->ctx, &leases, &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_leases_take(&w->ctx, FY_LIT("b"), FY_LIT("o"), HOLD, fy_clock(), &fence), 0);
	CHECK_CODE(fy_leases_take(&w->ctx, FY_LIT("a"), FY_LIT("o"), HOLD, fy_clock(), &fence), 0);
	CHECK_CODE(fy_leases_finish(&w->ctx, FY_LIT("a"), FY_LIT("o"), fence, 0, fy_slice(detail, sizeof detail),
				    fy_clock()),
		   0);
	CHECK_CODE(fy_leases_list(&w->ctx, &leases, &count), 0);
	CHECK(count == 2 && fy_eq(leases[0].name, FY_LIT("a")) && fy_eq(leases[1].name, FY_LIT("b")));
	CHECK(leases[0].owner.len == 0 && fy_eq(leases[1].owner, FY_LIT("o")));
	CHECK(leases[0].last_detail.len == FY_LEASE_DETAIL_MAX - 1);
	CHECK(leases[1].last_started_at != 0 && leases[1].last_finished_at == 0);
}

static void all_leases_are_listed_by_name(void **state)
{
	(void)state;
	run_all(1, list, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_many_who_want_a_lease_one_gets_it_even_the_first_time),
		TEST(a_holder_that_lost_its_lease_changes_nothing_more),
		TEST(a_job_that_is_not_due_is_not_taken_unless_asked_for),
		TEST(a_run_with_a_moved_time_does_not_take_over_a_live_lease),
		TEST(all_leases_are_listed_by_name),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
