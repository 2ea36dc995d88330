/* Access to personal data: asked, agreed to by somebody else, for one reader, person and purpose, until it ends; and the
 * roles behind it, of which the last owner's is not lost. */
#include "tests/unit/storage/repo_harness.h"

#include "foyer/config.h"
#include "storage/erasure.h"
#include "storage/grants.h"

static uint64_t make(struct worker *w, const char *name, enum fy_account_role role)
{
	uint64_t id = 0;
	struct fy_account_new account = {
		.email = personal("someone@example.org"),
		.email_hash = hash_of(&w->arena, name),
		.given_name = personal(name),
		.family_name = personal("Example"),
		.role = role,
		.state = FY_ACCOUNT_ACTIVE,
	};
	if (fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &id))
		return 0;
	return id;
}

static struct cast {
	uint64_t ada, bob, owner, second, staff, other, accountant, auditor, dpo;
} cast;

static void enter(struct worker *w)
{
	cast = (struct cast){
		.ada = make(w, "ada", FY_ROLE_MEMBER),
		.bob = make(w, "bob", FY_ROLE_MEMBER),
		.owner = make(w, "owner", FY_ROLE_OWNER),
		.second = make(w, "second", FY_ROLE_OWNER),
		.staff = make(w, "staff", FY_ROLE_STAFF),
		.other = make(w, "other", FY_ROLE_STAFF),
		.accountant = make(w, "accountant", FY_ROLE_ACCOUNTING),
		.auditor = make(w, "auditor", FY_ROLE_AUDITOR),
		.dpo = make(w, "dpo", FY_ROLE_DPO),
	};
	CHECK(cast.ada && cast.bob && cast.owner && cast.second && cast.staff && cast.other && cast.accountant &&
	      cast.auditor && cast.dpo);
}

static int begin(void **state)
{
	empty_tables(state);
	run_all(1, enter, NULL);
	return 0;
}

static struct fy_grant_new asked(uint64_t by, enum fy_register_purpose purpose)
{
	return (struct fy_grant_new){
		.person_id = cast.ada,
		.asked_by = by,
		.purpose = purpose,
		.reason = personal("the invoice of May is contested"),
		.minutes = 60,
	};
}

static int ask(struct worker *w, uint64_t by, enum fy_register_purpose purpose, uint64_t *ret_id)
{
	const struct fy_grant_new grant = asked(by, purpose);
	return fy_grants_ask(&w->ctx, &grant, ret_id);
}

static int read_as(struct worker *w, uint64_t grant, uint64_t reader, uint64_t person, enum fy_register_purpose purpose)
{
	return fy_grants_read(&w->ctx, &(struct fy_read){ .reader_id = reader,
							  .reader_role = FY_ROLE_STAFF,
							  .person_id = person,
							  .purpose = purpose,
							  .fields = FY_LIT("account.email"),
							  .request_id = grant });
}

static void from_request_to_end(struct worker *w)
{
	uint64_t id, again;
	struct fy_grant g;
	struct fy_grant_open *open;
	size_t count;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &id), 0);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &again), FY_ERR_EXISTS);
	CHECK_CODE(fy_grants_open(&w->ctx, cast.staff, cast.ada, &open, &count), 0);
	CHECK(count == 0);
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);

	const uint64_t strangers[] = { cast.staff, cast.ada, cast.bob, cast.auditor };
	for (size_t i = 0; i < FY_COUNT(strangers); i++)
		CHECK_CODE(fy_grants_decide(&w->ctx, id, strangers[i], FY_DECIDES_STAFF, true), FY_ERR_DENIED);
	const uint64_t others[] = { cast.staff, cast.other, cast.owner, cast.bob };
	for (size_t i = 0; i < FY_COUNT(others); i++)
		CHECK_CODE(fy_grants_decide(&w->ctx, id, others[i], FY_DECIDES_PERSON, true), FY_ERR_DENIED);

	w->ctx.now = NOON + FY_HOUR;
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.other, FY_DECIDES_STAFF, true), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.owner, FY_DECIDES_STAFF, false), FY_ERR_CONFLICT);
	CHECK_CODE(fy_grants_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &g), 0);
	CHECK(g.state == FY_GRANT_APPROVED && g.decided_by == cast.other && g.decided_at == NOON + FY_HOUR);
	CHECK(g.ends_at == NOON + 2 * FY_HOUR && !g.break_glass && g.asker_role == FY_ROLE_STAFF);
	CHECK(fy_eq(g.reason.text, FY_LIT("the invoice of May is contested")));

	CHECK_CODE(fy_grants_open(&w->ctx, cast.staff, cast.ada, &open, &count), 0);
	CHECK(count == 1 && open[0].id == id && open[0].purpose == FY_PURPOSE_BILLING);
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_BILLING), 0);
	CHECK_CODE(read_as(w, id, cast.other, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(read_as(w, id, cast.staff, cast.bob, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	w->ctx.now = NOON + 2 * FY_HOUR;
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_open(&w->ctx, cast.staff, cast.ada, &open, &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_grants_get(&w->ctx, id, FY_PURPOSE_LEGAL_DUTIES, &g), 0);
	CHECK(g.state == FY_GRANT_ENDED);
}

static void a_grant_is_for_one_reader_one_person_one_purpose_and_ends(void **state)
{
	(void)state;
	run_all(1, from_request_to_end, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM access_log"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM access_request WHERE INSTR(reason, 'invoice') > 0"), 0);
}

static void the_person_decides(struct worker *w)
{
	uint64_t yes, no;
	struct fy_grant_page page;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &yes), 0);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_CONTACT, &no), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, yes, cast.ada, FY_DECIDES_PERSON, true), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, no, cast.ada, FY_DECIDES_PERSON, false), 0);
	CHECK_CODE(read_as(w, yes, cast.staff, cast.ada, FY_PURPOSE_BILLING), 0);
	CHECK_CODE(read_as(w, no, cast.staff, cast.ada, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_list_person(&w->ctx, cast.ada, 0, 0, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == no && page.next_cursor == no);
	CHECK(page.items[0].state == FY_GRANT_REFUSED && page.items[0].ends_at == 0);
	CHECK(fy_eq(page.items[0].reason.text, FY_LIT("the invoice of May is contested")));
	CHECK_CODE(fy_grants_list_person(&w->ctx, cast.ada, 0, page.next_cursor, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == yes && page.next_cursor == 0);
	CHECK_CODE(fy_grants_list_person(&w->ctx, cast.ada, cast.other, 0, 9, &page), 0);
	CHECK(page.count == 0);

	struct fy_read_page reads;
	CHECK_CODE(fy_access_log_list_person(&w->ctx, cast.ada, 0, 10, &reads), 0);
	CHECK(reads.count == 1 && reads.items[0].read.reader_id == 0 &&
	      reads.items[0].read.reader_role == FY_ROLE_STAFF);
	CHECK(fy_eq(reads.items[0].reason.text, FY_LIT("the invoice of May is contested")));
	CHECK_CODE(fy_access_log_list_person(&w->ctx, cast.bob, 0, 10, &reads), 0);
	CHECK(reads.count == 0);

	CHECK_CODE(fy_grants_give_back(&w->ctx, yes, cast.other), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_grants_give_back(&w->ctx, yes, cast.staff), 0);
	CHECK_CODE(fy_grants_give_back(&w->ctx, yes, cast.staff), FY_ERR_NOT_FOUND);
	CHECK_CODE(read_as(w, yes, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
}

static void the_person_may_decide_and_sees_who_looked_by_role_and_why(void **state)
{
	(void)state;
	run_all(1, the_person_decides, NULL);
}

static void the_person_refuses(struct worker *w)
{
	uint64_t first, again, other;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &first), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, first, cast.ada, FY_DECIDES_PERSON, false), 0);
	w->ctx.now += FY_HOUR;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &again), 0);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_CONTACT, &other), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, again, cast.other, FY_DECIDES_STAFF, true), FY_ERR_EXISTS);
	CHECK_CODE(fy_grants_decide(&w->ctx, other, cast.other, FY_DECIDES_STAFF, true), 0); /* for another purpose */
	CHECK_CODE(read_as(w, again, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_decide(&w->ctx, again, cast.ada, FY_DECIDES_PERSON, true), 0); /* the person may */
	CHECK_CODE(read_as(w, again, cast.staff, cast.ada, FY_PURPOSE_BILLING), 0);
	CHECK_CODE(fy_grants_end(&w->ctx, again, cast.bob, FY_DECIDES_PERSON), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_grants_end(&w->ctx, again, cast.other, FY_DECIDES_STAFF), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_grants_end(&w->ctx, again, cast.ada, FY_DECIDES_PERSON), 0);
	CHECK_CODE(read_as(w, again, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_end(&w->ctx, again, cast.ada, FY_DECIDES_PERSON), FY_ERR_NOT_FOUND);
	CHECK_CODE(read_as(w, other, cast.staff, cast.ada, FY_PURPOSE_CONTACT), 0);
	CHECK_CODE(fy_grants_end(&w->ctx, other, cast.owner, FY_DECIDES_STAFF), 0);
	CHECK_CODE(read_as(w, other, cast.staff, cast.ada, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	w->ctx.now = NOON + FY_GRANT_REFUSAL_HOLDS;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &again), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, again, cast.other, FY_DECIDES_STAFF, true), 0);
}

static void what_the_person_refused_or_ended_stays_shut(void **state)
{
	(void)state;
	run_all(1, the_person_refuses, NULL);
}

static void wait_too_long(struct worker *w)
{
	uint64_t id, again;
	struct fy_grant_page page;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &id), 0);
	CHECK_CODE(fy_grants_list(&w->ctx, true, 0, 10, &page), 0);
	CHECK(page.count == 1 && page.items[0].state == FY_GRANT_WAITING);
	w->ctx.now = NOON + FY_GRANT_WAIT;
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.other, FY_DECIDES_STAFF, true), FY_ERR_CONFLICT);
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.ada, FY_DECIDES_PERSON, true), FY_ERR_CONFLICT);
	CHECK_CODE(fy_grants_list(&w->ctx, true, 0, 10, &page), 0);
	CHECK(page.count == 0);
	CHECK_CODE(fy_grants_list(&w->ctx, false, 0, 10, &page), 0);
	CHECK(page.count == 1 && page.items[0].state == FY_GRANT_LAPSED);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &again), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, again + 5000, cast.other, FY_DECIDES_STAFF, true), FY_ERR_NOT_FOUND);
}

static void a_request_lapses_after_a_day_and_may_be_asked_again(void **state)
{
	(void)state;
	run_all(1, wait_too_long, NULL);
}

static void ask_wrongly(struct worker *w)
{
	uint64_t id;
	struct fy_grant_new good = asked(cast.staff, FY_PURPOSE_BILLING), grant;
#define REFUSED(error, ...)                                             \
	do {                                                            \
		grant = good;                                           \
		__VA_ARGS__;                                            \
		CHECK_CODE(fy_grants_ask(&w->ctx, &grant, &id), error); \
	} while (0)
	REFUSED(FY_ERR_INVALID, grant.person_id = cast.staff);
	REFUSED(FY_ERR_INVALID, grant.purpose = FY_PURPOSE_RIGHTS);
	REFUSED(FY_ERR_INVALID, grant.purpose = FY_PURPOSE_AUTHENTICATION);
	REFUSED(FY_ERR_INVALID, grant.reason = personal("éééééééé!"));
	REFUSED(FY_ERR_INVALID, grant.minutes = 0);
	REFUSED(FY_ERR_INVALID, grant.minutes = FY_GRANT_MINUTES_MAX + 1);
	REFUSED(FY_ERR_NOT_FOUND, grant.person_id = 12345);
	REFUSED(FY_ERR_DENIED, grant.asked_by = cast.bob);
	REFUSED(FY_ERR_DENIED, grant.asked_by = cast.auditor);
	REFUSED(FY_ERR_DENIED, grant.asked_by = 12345);
	REFUSED(0, grant.asked_by = cast.accountant);
	REFUSED(0, grant.minutes = FY_GRANT_MINUTES_MAX);
#undef REFUSED
}

static void what_may_not_be_asked_or_by_whom_not_is_refused(void **state)
{
	(void)state;
	run_all(1, ask_wrongly, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM access_request"), 2);
}

static uint64_t shared;
static unsigned won;

static void ask_shared(struct worker *w)
{
	uint64_t id;
	int err = ask(w, cast.staff, FY_PURPOSE_BILLING, &id);
	if (err == 0) {
		shared = id;
		won++;
	} else {
		CHECK_CODE(err, FY_ERR_EXISTS);
	}
}

static void decide_shared(struct worker *w)
{
	const uint64_t deciders[] = { cast.other, cast.owner, cast.accountant, cast.dpo };
	int err = fy_grants_decide(&w->ctx, shared, deciders[w->index % 4], FY_DECIDES_STAFF, w->index % 2);
	if (err == 0)
		won++;
	else
		CHECK_CODE(err, FY_ERR_CONFLICT);
}

static void of_many_who_ask_or_decide_at_once_one_does(void **state)
{
	(void)state;
	won = 0;
	run_all(12, ask_shared, NULL);
	assert_int_equal(won, 1);
	won = 0;
	run_all(16, decide_shared, NULL);
	assert_int_equal(won, 1);
}

static void break_glass(struct worker *w)
{
	uint64_t id;
	struct fy_grant_page page;
	struct fy_grant_new grant = asked(cast.staff, FY_PURPOSE_CONTACT);
	CHECK_CODE(fy_grants_break_glass(&w->ctx, &grant, &id), FY_ERR_DENIED);
	grant.asked_by = cast.dpo;
	CHECK_CODE(fy_grants_break_glass(&w->ctx, &grant, &id), FY_ERR_DENIED);
	grant.asked_by = cast.owner;
	CHECK_CODE(fy_grants_break_glass(&w->ctx, &grant, &id), 0);
	CHECK_CODE(read_as(w, id, cast.owner, cast.ada, FY_PURPOSE_CONTACT), 0);
	w->ctx.now = NOON + 4 * FY_DAY;
	CHECK_CODE(read_as(w, id, cast.owner, cast.ada, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_list(&w->ctx, true, 0, 10, &page), 0);
	CHECK(page.count == 1 && page.items[0].break_glass && page.items[0].verdict == 0);
	const uint64_t not_they[] = { cast.owner, cast.staff, cast.auditor, cast.ada };
	for (size_t i = 0; i < FY_COUNT(not_they); i++)
		CHECK_CODE(fy_grants_review(&w->ctx, id, not_they[i], FY_VERDICT_JUSTIFIED), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_review(&w->ctx, id, cast.dpo, FY_VERDICT_UNJUSTIFIED), 0);
	CHECK_CODE(fy_grants_review(&w->ctx, id, cast.second, FY_VERDICT_JUSTIFIED), FY_ERR_CONFLICT);
	CHECK_CODE(fy_grants_list(&w->ctx, true, 0, 10, &page), 0);
	CHECK(page.count == 0);
	CHECK_CODE(fy_grants_list(&w->ctx, false, 0, 10, &page), 0);
	CHECK(page.count == 1 && page.items[0].verdict == FY_VERDICT_UNJUSTIFIED &&
	      page.items[0].reviewed_by == cast.dpo);
}

static void an_owner_breaks_the_glass_and_somebody_else_reviews_it(void **state)
{
	(void)state;
	run_all(1, break_glass, NULL);
}

static void lose_the_role(struct worker *w)
{
	uint64_t open, waiting, id;
	enum fy_account_role old;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &open), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, open, cast.other, FY_DECIDES_STAFF, true), 0);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_CONTACT, &waiting), 0);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.dpo, cast.staff, FY_ROLE_MEMBER, &old), FY_ERR_DENIED);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.owner, 12345, FY_ROLE_STAFF, &old), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.owner, cast.staff, FY_ROLE_MEMBER, &old), 0);
	CHECK(old == FY_ROLE_STAFF);
	CHECK_CODE(read_as(w, open, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(fy_grants_decide(&w->ctx, waiting, cast.other, FY_DECIDES_STAFF, true), FY_ERR_CONFLICT);
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &id), FY_ERR_DENIED);
	CHECK_CODE(ask(w, cast.other, FY_PURPOSE_BILLING, &id), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.staff, FY_DECIDES_STAFF, true), FY_ERR_DENIED);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.owner, cast.bob, FY_ROLE_STAFF, &old), 0);
	CHECK(old == FY_ROLE_MEMBER);
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.bob, FY_DECIDES_STAFF, true), 0);
}

static void who_loses_the_role_loses_requests_grants_and_the_right_to_decide(void **state)
{
	(void)state;
	run_all(1, lose_the_role, NULL);
}

/* Each owner takes the role of the other, several times over. */
static void demote_each_other(struct worker *w)
{
	enum fy_account_role old;
	uint64_t me = w->index % 2 ? cast.owner : cast.second, you = w->index % 2 ? cast.second : cast.owner;
	int err = fy_accounts_change_role(&w->ctx, me, you, FY_ROLE_MEMBER, &old);
	if (err == 0 && old == FY_ROLE_OWNER)
		won++;
	else if (err)
		CHECK(err == FY_ERR_DENIED || err == FY_ERR_CONFLICT);
}

static void step_down(struct worker *w)
{
	enum fy_account_role old;
	uint64_t last = (uint64_t)number("SELECT id FROM account WHERE role = 2");
	CHECK_CODE(fy_accounts_change_role(&w->ctx, last, last, FY_ROLE_STAFF, &old), FY_ERR_CONFLICT);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, last, cast.dpo, FY_ROLE_OWNER, &old), 0);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, last, last, FY_ROLE_STAFF, &old), 0);
}

static void two_owners_who_demote_each_other_leave_one_and_the_last_one_stays(void **state)
{
	(void)state;
	won = 0;
	run_all(8, demote_each_other, NULL);
	assert_int_equal(won, 1);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE role = 2"), 1);
	run_all(1, step_down, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE role = 2"), 1);
}

/* Of two owners one will be erased: the other may not go, and is the last in every way. */
static void one_is_to_be_erased(struct worker *w)
{
	enum fy_account_role old;
	CHECK_CODE(fy_erasure_ask(&w->ctx, cast.second, FY_ERASURE_ASKED, NOON + FY_DAY), 0);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.second, cast.owner, FY_ROLE_STAFF, &old), FY_ERR_CONFLICT);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.owner, cast.owner, FY_ROLE_STAFF, &old), FY_ERR_CONFLICT);
	CHECK_CODE(fy_erasure_ask(&w->ctx, cast.owner, FY_ERASURE_ASKED, NOON + FY_DAY), FY_ERR_DENIED);
	CHECK_CODE(fy_accounts_change_role(&w->ctx, cast.owner, cast.second, FY_ROLE_STAFF, &old), 0);
}

static void an_owner_who_is_to_be_erased_does_not_count_as_one_who_stays(void **state)
{
	(void)state;
	run_all(1, one_is_to_be_erased, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE role = 2"), 1);
}

static void read_then_erase(struct worker *w)
{
	static const struct fy_config config = { .site_name = { "Host Families", 13 } };
	struct fy_chain_report report;
	struct fy_read_page reads;
	uint64_t id;
	w->ctx.config = &config;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &id), 0);
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.other, FY_DECIDES_STAFF, true), 0);
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_BILLING), 0);
	CHECK_CODE(fy_erasure_ask(&w->ctx, cast.ada, FY_ERASURE_ASKED, NOON), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, cast.ada), 0);
	CHECK_CODE(fy_erasure_finish(&w->ctx, cast.ada, NULL, NULL), 0);
	CHECK_CODE(read_as(w, id, cast.staff, cast.ada, FY_PURPOSE_BILLING), FY_ERR_DENIED);
	CHECK_CODE(fy_access_log_verify(&w->ctx, NULL, NULL, &report), 0);
	CHECK(report.fault == FY_CHAIN_FITS && report.checked == 1);
	CHECK_CODE(fy_access_log_list(&w->ctx, 0, 10, &reads), 0);
	CHECK(reads.count == 1 && reads.items[0].read.person_id == cast.ada && reads.items[0].reason.text.len == 0);
}

static void after_an_erasure_the_chain_fits_and_the_reason_is_gone(void **state)
{
	(void)state;
	run_all(1, read_then_erase, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM access_request"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM access_log"), 1);
}

static void purge(struct worker *w)
{
	uint64_t id, count, deleted, *ids;
	size_t listed;
	CHECK_CODE(ask(w, cast.staff, FY_PURPOSE_BILLING, &id), 0);
	w->ctx.now = NOON + 30 * FY_MINUTE;
	CHECK_CODE(fy_grants_decide(&w->ctx, id, cast.other, FY_DECIDES_STAFF, true), 0);
	CHECK_CODE(ask(w, cast.other, FY_PURPOSE_BILLING, &id), 0);
	CHECK_CODE(fy_grants_count_old(&w->ctx, NOON + FY_HOUR, &count), 0);
	CHECK(count == 1); /* the grant is open until half an hour later */
	CHECK_CODE(fy_grants_list_old(&w->ctx, NOON + FY_HOUR, 10, &ids, &listed), 0);
	CHECK(listed == 1 && ids[0] == id);
	CHECK_CODE(fy_grants_purge(&w->ctx, NOON + FY_HOUR, 10, &deleted), 0);
	CHECK(deleted == 1);
	CHECK_CODE(fy_grants_purge(&w->ctx, NOON + 2 * FY_HOUR, 10, &deleted), 0);
	CHECK(deleted == 1);
}

static void a_request_is_purged_once_it_is_old_and_its_grant_too(void **state)
{
	(void)state;
	run_all(1, purge, NULL);
}

#define STAGED(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(a_grant_is_for_one_reader_one_person_one_purpose_and_ends),
		STAGED(the_person_may_decide_and_sees_who_looked_by_role_and_why),
		STAGED(what_the_person_refused_or_ended_stays_shut),
		STAGED(a_request_lapses_after_a_day_and_may_be_asked_again),
		STAGED(what_may_not_be_asked_or_by_whom_not_is_refused),
		STAGED(of_many_who_ask_or_decide_at_once_one_does),
		STAGED(an_owner_breaks_the_glass_and_somebody_else_reviews_it),
		STAGED(who_loses_the_role_loses_requests_grants_and_the_right_to_decide),
		STAGED(two_owners_who_demote_each_other_leave_one_and_the_last_one_stays),
		STAGED(an_owner_who_is_to_be_erased_does_not_count_as_one_who_stays),
		STAGED(after_an_erasure_the_chain_fits_and_the_reason_is_gone),
		STAGED(a_request_is_purged_once_it_is_old_and_its_grant_too),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
