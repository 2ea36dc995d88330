/* Requests about rights: one way forward, one winner of two, a history of each step, lists by what is due. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/outbox.h"
#include "storage/rights.h"

#define DUE (NOON + 30 * FY_DAY)

static const struct fy_mail_new mail = { .template_name = { "rights_receipt", 14 },
					 .to_address = { { "ada@example.org", 15 } },
					 .fields = { { "x", 1 } } };

static uint64_t given_due(struct fy_ctx *ctx, uint64_t account, fy_time due)
{
	uint64_t id = 0;
	struct fy_rights_new request = { .account_id = account,
					 .recorded_by = account ? 0 : 99,
					 .kind = FY_RIGHTS_ACCESS,
					 .lang = FY_LANG_EN,
					 .wish = personal("All that you have"),
					 .received_at = NOON,
					 .due_at = due };
	if (account == 0) {
		request.name = personal("Ada Lovelace");
		request.email = personal("ada@example.org");
	}
	return fy_rights_add(ctx, &request, &mail, &id) == 0 ? id : 0;
}

static uint64_t given(struct fy_ctx *ctx)
{
	return given_due(ctx, 7, DUE);
}

static int go(struct fy_ctx *ctx, uint64_t id, enum fy_rights_state from, enum fy_rights_state to)
{
	return fy_rights_move(ctx,
			      &(struct fy_rights_change){ .id = id,
							  .account_id = 7,
							  .from = from,
							  .to = to,
							  .by_account_id = 99,
							  .text = personal("Because."),
							  .counts_from = NOON + FY_DAY,
							  .answer_by = DUE + 60 * FY_DAY },
			      NULL);
}

static void make_and_read(struct worker *w)
{
	struct fy_rights_request r;
	struct fy_rights_step *steps;
	size_t count;
	uint64_t id = given_due(&w->ctx, 0, DUE);
	CHECK(id);
	CHECK_CODE(fy_rights_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
	CHECK(r.state == FY_RIGHTS_RECEIVED && r.kind == FY_RIGHTS_ACCESS && r.lang == FY_LANG_EN);
	CHECK(r.account_id == 0 && r.recorded_by == 99 && fy_eq(r.name.text, FY_LIT("Ada Lovelace")));
	CHECK(r.received_at == NOON && r.counts_from == NOON && r.due_at == DUE && r.answer_by == DUE);
	CHECK(r.clock_stopped_at == 0 && r.extended_until == 0 && r.ended_at == 0 && r.reply.text.len == 0);
	CHECK_CODE(fy_rights_steps(&w->ctx, id, FY_PURPOSE_RIGHTS, &steps, &count), 0);
	CHECK(count == 1 && steps[0].from == 0 && steps[0].to == FY_RIGHTS_RECEIVED && steps[0].by_account_id == 99);
	CHECK_CODE(fy_rights_get(&w->ctx, id + 1000, FY_PURPOSE_LEGAL_DUTIES, &r), FY_ERR_NOT_FOUND);
	CHECK_CODE(go(&w->ctx, id + 1000, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS), FY_ERR_NOT_FOUND);
}

static void a_request_is_saved_with_its_beginning_and_its_mail(void **state)
{
	(void)state;
	run_all(1, make_and_read, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_request"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 1);
}

static void a_mail_that_fails(struct worker *w)
{
	struct fy_mail_new bad = { .template_name = FY_LIT("rights_answer") };
	uint64_t id = given(&w->ctx);
	struct fy_rights_change change = { .id = id, .from = FY_RIGHTS_RECEIVED, .to = FY_RIGHTS_IN_PROGRESS };
	CHECK_CODE(fy_rights_move(&w->ctx, &change, &bad), FY_ERR_INVALID);
	CHECK_CODE(
		fy_rights_add(&w->ctx, &(struct fy_rights_new){ .account_id = 7, .kind = FY_RIGHTS_ACCESS }, &bad, &id),
		FY_ERR_INVALID);
}

static void a_step_whose_mail_cannot_be_saved_does_not_happen(void **state)
{
	(void)state;
	run_all(1, a_mail_that_fails, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_request WHERE state = 1"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_step"), 1);
}

/* Every pair of states, against the picture in rights.h. */
static void each_pair(struct worker *w)
{
	static const char *const ways[FY_RIGHTS_STATES_END] = { "", "2367", "367", "4567", "567", "", "", "" };
	for (unsigned from = 1; from < FY_RIGHTS_STATES_END; from++) {
		for (unsigned to = 0; to <= FY_RIGHTS_STATES_END; to++) {
			bool legal = to && to < FY_RIGHTS_STATES_END && strchr(ways[from], (char)('0' + to));
			CHECK(fy_rights_may_go(from, to) == legal);
			uint64_t id = given(&w->ctx);
			if (from == FY_RIGHTS_EXTENDED || from == FY_RIGHTS_ANSWERED)
				CHECK_CODE(go(&w->ctx, id, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS), 0);
			if (from > FY_RIGHTS_RECEIVED)
				CHECK_CODE(go(&w->ctx, id,
					      from == FY_RIGHTS_EXTENDED || from == FY_RIGHTS_ANSWERED
						      ? FY_RIGHTS_IN_PROGRESS
						      : FY_RIGHTS_RECEIVED,
					      from),
					   0);
			CHECK_CODE(go(&w->ctx, id, from, to), legal ? 0 : FY_ERR_INVALID);
			struct fy_rights_request r;
			CHECK_CODE(fy_rights_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
			CHECK((unsigned)r.state == (legal ? to : from));
			CHECK((r.ended_at != 0) == (r.state >= FY_RIGHTS_ANSWERED));
			CHECK((r.clock_stopped_at != 0) == (r.state == FY_RIGHTS_IDENTITY_CHECK));
		}
	}
}

static void only_the_steps_of_the_law_can_be_taken(void **state)
{
	(void)state;
	run_all(1, each_pair, NULL);
}

static void the_clock(struct worker *w)
{
	struct fy_rights_request r;
	uint64_t id = given(&w->ctx), late = given(&w->ctx);
	w->ctx.now = NOON + FY_DAY;
	CHECK_CODE(go(&w->ctx, id, FY_RIGHTS_RECEIVED, FY_RIGHTS_IDENTITY_CHECK), 0);
	CHECK_CODE(fy_rights_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
	CHECK(r.clock_stopped_at == NOON + FY_DAY && r.due_at == DUE);
	CHECK_CODE(go(&w->ctx, id, FY_RIGHTS_IDENTITY_CHECK, FY_RIGHTS_IN_PROGRESS), 0);
	CHECK_CODE(fy_rights_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
	CHECK(r.clock_stopped_at == 0 && r.counts_from == NOON + FY_DAY && r.received_at == NOON);
	CHECK(r.due_at == DUE + 60 * FY_DAY && r.answer_by == r.due_at && r.extended_until == 0);

	CHECK_CODE(go(&w->ctx, late, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS), 0);
	w->ctx.now = DUE + 1;
	CHECK_CODE(go(&w->ctx, late, FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_EXTENDED), FY_ERR_EXPIRED);
	w->ctx.now = DUE;
	CHECK_CODE(go(&w->ctx, late, FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_EXTENDED), 0);
	CHECK_CODE(fy_rights_get(&w->ctx, late, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
	CHECK(r.due_at == DUE && r.extended_until == DUE + 60 * FY_DAY && r.answer_by == r.extended_until);
	CHECK(fy_eq(r.extension_reason.text, FY_LIT("Because.")));
	CHECK_CODE(go(&w->ctx, late, FY_RIGHTS_EXTENDED, FY_RIGHTS_ANSWERED), 0);
	CHECK_CODE(fy_rights_get(&w->ctx, late, FY_PURPOSE_LEGAL_DUTIES, &r), 0);
	CHECK(fy_eq(r.reply.text, FY_LIT("Because.")) && r.refusal_reason.text.len == 0 && r.ended_at == DUE);
}

static void the_clock_stands_and_is_extended_within_the_first_month_only(void **state)
{
	(void)state;
	run_all(1, the_clock, NULL);
}

static void texts(struct worker *w)
{
	uint64_t id = given(&w->ctx);
	struct fy_rights_change change = { .id = id, .from = FY_RIGHTS_RECEIVED, .to = FY_RIGHTS_REFUSED };
	char *text = fy_zalloc(&w->arena, 4 * FY_RIGHTS_REPLY_CHARS + 1);
	memset(text, 'x', 4 * FY_RIGHTS_REPLY_CHARS + 1);
	CHECK_CODE(fy_rights_move(&w->ctx, &change, NULL), FY_ERR_INVALID); /* no reason */
	change.text.text = fy_slice(text, 4 * FY_RIGHTS_REPLY_CHARS + 1);
	CHECK_CODE(fy_rights_move(&w->ctx, &change, NULL), FY_ERR_TOO_LARGE);
	change.text.text.len--;
	change.note.text = fy_slice(text, 4 * FY_RIGHTS_NOTE_CHARS + 1);
	CHECK_CODE(fy_rights_move(&w->ctx, &change, NULL), FY_ERR_TOO_LARGE);
	change.note.text.len--;
	CHECK_CODE(fy_rights_move(&w->ctx, &change, NULL), 0);
}

static void a_refusal_needs_a_reason_and_texts_have_bounds(void **state)
{
	(void)state;
	run_all(1, texts, NULL);
}

static uint64_t contested;
static unsigned won, lost;

static void contest(struct worker *w)
{
	int err = go(&w->ctx, contested, FY_RIGHTS_IN_PROGRESS, w->index % 2 ? FY_RIGHTS_ANSWERED : FY_RIGHTS_REFUSED);
	if (err == 0)
		won++;
	else if (err == FY_ERR_CONFLICT)
		lost++;
	else
		CHECK_CODE(err, FY_ERR_CONFLICT);
}

static void begin_contest(struct worker *w)
{
	contested = given(&w->ctx);
	CHECK_CODE(go(&w->ctx, contested, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS), 0);
}

static void of_many_who_act_at_once_one_wins_and_the_others_are_told(void **state)
{
	(void)state;
	won = lost = 0;
	run_all(1, begin_contest, NULL);
	run_all(12, contest, NULL);
	assert_int_equal(won, 1);
	assert_int_equal(lost, 11);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_step"), 3);
}

static void lists(struct worker *w)
{
	struct fy_rights_page page;
	struct fy_rights_counts counts;
	uint64_t late = given_due(&w->ctx, 7, NOON - FY_DAY), far = given_due(&w->ctx, 8, NOON + 20 * FY_DAY);
	uint64_t soon = given_due(&w->ctx, 7, NOON + FY_DAY), same = given_due(&w->ctx, 7, NOON + FY_DAY);
	uint64_t stands = given_due(&w->ctx, 7, NOON), over = given_due(&w->ctx, 7, NOON), over2 = given(&w->ctx);
	struct fy_rights_cursor top = { 0 };
	CHECK_CODE(go(&w->ctx, stands, FY_RIGHTS_RECEIVED, FY_RIGHTS_IDENTITY_CHECK), 0);
	CHECK_CODE(go(&w->ctx, over, FY_RIGHTS_RECEIVED, FY_RIGHTS_WITHDRAWN), 0);
	CHECK_CODE(go(&w->ctx, over2, FY_RIGHTS_RECEIVED, FY_RIGHTS_WITHDRAWN), 0);
	CHECK_CODE(go(&w->ctx, soon, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS), 0);

	CHECK_CODE(fy_rights_list(&w->ctx, 0, top, 2, &page), 0);
	CHECK(page.count == 2 && page.items[0].id == late && page.items[1].id == soon && page.next.id == soon);
	CHECK(page.items[0].wish.text.len == 0 && page.items[0].account_id == 7);
	CHECK_CODE(fy_rights_list(&w->ctx, 0, page.next, 2, &page), 0); /* between two of one date */
	CHECK(page.count == 2 && page.items[0].id == same && page.items[1].id == far && page.next.id == 0);
	CHECK_CODE(fy_rights_list(&w->ctx, FY_RIGHTS_IDENTITY_CHECK, top, 9, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == stands && page.items[0].clock_stopped_at == NOON);
	CHECK_CODE(fy_rights_list(&w->ctx, FY_RIGHTS_WITHDRAWN, top, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == over2 && page.next.id == over2);
	CHECK_CODE(fy_rights_list(&w->ctx, FY_RIGHTS_WITHDRAWN, page.next, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == over && page.next.id == 0);

	CHECK_CODE(fy_rights_list_person(&w->ctx, 7, top, 4, &page), 0);
	CHECK(page.count == 4 && page.items[0].id == over2 && page.items[3].id == same);
	CHECK_CODE(fy_rights_list_person(&w->ctx, 7, page.next, 4, &page), 0);
	CHECK(page.count == 2 && page.items[0].id == soon && page.items[1].id == late && page.next.id == 0);
	CHECK_CODE(fy_rights_list_person(&w->ctx, 9, top, 4, &page), 0);
	CHECK(page.count == 0);
	CHECK_CODE(fy_rights_count(&w->ctx, &counts), 0);
	CHECK(counts.in[FY_RIGHTS_RECEIVED] == 3 && counts.in[FY_RIGHTS_IN_PROGRESS] == 1);
	CHECK(counts.in[FY_RIGHTS_IDENTITY_CHECK] == 1 && counts.in[FY_RIGHTS_WITHDRAWN] == 2);
}

static void the_board_begins_with_what_is_late_and_each_sees_the_own(void **state)
{
	(void)state;
	run_all(1, lists, NULL);
}

static void five_years(struct worker *w)
{
	uint64_t ended = given(&w->ctx), n;
	CHECK(ended && given(&w->ctx));
	CHECK_CODE(go(&w->ctx, ended, FY_RIGHTS_RECEIVED, FY_RIGHTS_REFUSED), 0);
	CHECK_CODE(fy_rights_count_old(&w->ctx, NOON, &n), 0);
	CHECK(n == 0);
	CHECK_CODE(fy_rights_count_old(&w->ctx, NOON + 1, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_rights_purge(&w->ctx, NOON + 1, 10, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_rights_purge(&w->ctx, NOON + 1, 10, &n), 0);
	CHECK(n == 0);
}

static void what_ended_goes_with_its_history_and_what_is_open_stays(void **state)
{
	(void)state;
	run_all(1, five_years, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_request"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM rights_step"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_saved_with_its_beginning_and_its_mail),
		TEST(a_step_whose_mail_cannot_be_saved_does_not_happen),
		TEST(only_the_steps_of_the_law_can_be_taken),
		TEST(the_clock_stands_and_is_extended_within_the_first_month_only),
		TEST(a_refusal_needs_a_reason_and_texts_have_bounds),
		TEST(of_many_who_act_at_once_one_wins_and_the_others_are_told),
		TEST(the_board_begins_with_what_is_late_and_each_sees_the_own),
		TEST(what_ended_goes_with_its_history_and_what_is_open_stays),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
