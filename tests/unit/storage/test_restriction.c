/* What a person does not allow does not open: consents that were not given, restrictions that are in force. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/contact.h"
#include "storage/email_hash.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/restriction.h"
#include "storage/rights.h"

#define DUE (NOON + 30 * FY_DAY)
#define RESEARCH FY_PURPOSE_MARKET_RESEARCH

static uint64_t ada;

static void given_ada(struct worker *w, bool consents)
{
	struct fy_account_new account = { .email = personal("ada@example.org"),
					  .email_hash = hash_of(&w->arena, "ada"),
					  .given_name = personal("Ada"),
					  .family_name = personal("Byron") };
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &ada), 0);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, consents), 0);
}

static void opens(struct worker *w, enum fy_register_purpose purpose, bool expected)
{
	struct fy_account_name *names;
	uint64_t id = ada;
	CHECK_CODE(fy_accounts_names(&w->ctx, &id, 1, purpose, &names), 0);
	CHECK(fy_eq(names[0].family_name.text, FY_LIT("Byron")) == expected);
}

static uint64_t asks(struct worker *w, enum fy_rights_kind kind)
{
	struct fy_rights_new request = { .account_id = ada,
					 .kind = kind,
					 .lang = FY_LANG_EN,
					 .wish = personal("Keep it only"),
					 .received_at = NOON,
					 .due_at = DUE };
	uint64_t id = 0;
	return fy_rights_add(&w->ctx, &request, NULL, &id) == 0 ? id : 0;
}

static int goes(struct worker *w, uint64_t id, enum fy_rights_state from, enum fy_rights_state to, fy_time lift_at)
{
	struct fy_rights_change change = {
		.id = id,
		.account_id = ada,
		.from = from,
		.to = to,
		.text = personal("Because."),
		.lift_at = lift_at,
	};
	return fy_rights_move(&w->ctx, &change, NULL);
}

static void consents(struct worker *w)
{
	given_ada(w, w->arg != NULL);
	opens(w, RESEARCH, w->arg != NULL);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, true), 0);
	opens(w, RESEARCH, true);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, false), 0);
	opens(w, RESEARCH, false);
	opens(w, FY_PURPOSE_CONTACT, true);
	CHECK_CODE(fy_consents_set(&w->ctx, ada + 1, FY_CONSENT_MARKET_RESEARCH, true), FY_ERR_NOT_FOUND);
}

static void without_consent_nothing_opens_for_what_rests_on_it(void **state)
{
	(void)state;
	run_all(1, consents, NULL);
}

static void with_consent_given_at_registration_it_opens_until_it_is_withdrawn(void **state)
{
	(void)state;
	run_all(1, consents, "with");
}

static void restricts(struct worker *w)
{
	struct fy_restriction r;
	struct fy_account_signin signin;
	struct fy_account_overview overview;
	given_ada(w, true);
	asks(w, FY_RIGHTS_ACCESS);
	CHECK_CODE(fy_restriction_get(&w->ctx, ada, &r), 0);
	CHECK(!r.in_force && r.since == 0);
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), FY_ERR_NOT_FOUND);
	uint64_t first = asks(w, FY_RIGHTS_RESTRICTION), second = asks(w, FY_RIGHTS_OBJECTION);
	CHECK_CODE(fy_restriction_get(&w->ctx, ada, &r), 0);
	CHECK(r.in_force && r.since == NOON && r.lift_at == 0);
	for (unsigned purpose = 0; purpose < FY_PURPOSE_COUNT; purpose++) {
		struct fy_account account;
		bool left = 1u << purpose & FY_PURPOSES_DESPITE_RESTRICTION;
		bool collected = fy_register_fields[FY_COLUMN_ACCOUNT_EMAIL].purposes >> purpose & 1 ||
				 purpose == FY_PURPOSE_RIGHTS;
		CHECK_CODE(fy_accounts_get(&w->ctx, ada, purpose, &account), 0);
		CHECK((account.email.text.len != 0) == (left && collected));
		CHECK(account.person_withholds == !left);
	}
	CHECK_CODE(fy_accounts_get_signin(&w->ctx, ada, &signin), 0); /* and can be greeted by name */
	CHECK(fy_eq(signin.given_name.text, FY_LIT("Ada")));
	CHECK_CODE(fy_accounts_overview(&w->ctx, ada, &overview), 0);
	CHECK(overview.restricted);

	CHECK_CODE(goes(w, first, FY_RIGHTS_RECEIVED, FY_RIGHTS_WITHDRAWN, 0), 0);
	opens(w, FY_PURPOSE_CONTACT, false); /* the other one is in force */
	CHECK_CODE(goes(w, second, FY_RIGHTS_RECEIVED, FY_RIGHTS_WITHDRAWN, 0), 0);
	opens(w, FY_PURPOSE_CONTACT, true);
	opens(w, RESEARCH, true); /* as decided before */
	asks(w, FY_RIGHTS_RESTRICTION);
	opens(w, FY_PURPOSE_CONTACT, false);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, false), 0);
	opens(w, FY_PURPOSE_CONTACT, false); /* a decision of another kind leaves it */
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), 0);
	opens(w, FY_PURPOSE_CONTACT, true);
	opens(w, RESEARCH, false);
	CHECK_CODE(fy_accounts_overview(&w->ctx, ada, &overview), 0);
	CHECK(!overview.restricted);
}

static void a_restriction_leaves_what_the_law_leaves(void **state)
{
	(void)state;
	run_all(1, restricts, NULL);
}

static void is_refused(struct worker *w)
{
	struct fy_restriction r;
	uint64_t *ids;
	size_t count;
	given_ada(w, false);
	uint64_t id = asks(w, FY_RIGHTS_RESTRICTION);
	CHECK_CODE(goes(w, id, FY_RIGHTS_RECEIVED, FY_RIGHTS_REFUSED, NOON + 7 * FY_DAY), 0);
	opens(w, FY_PURPOSE_CONTACT, false);
	CHECK_CODE(fy_restriction_get(&w->ctx, ada, &r), 0);
	CHECK(r.in_force && r.lift_at == NOON + 7 * FY_DAY);
	w->ctx.now = NOON + 7 * FY_DAY - 1;
	CHECK_CODE(fy_restriction_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_restriction_lift_refused(&w->ctx, id), FY_ERR_NOT_FOUND);
	w->ctx.now++;
	CHECK_CODE(fy_restriction_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 1 && ids[0] == id);
	uint64_t other = asks(w, FY_RIGHTS_OBJECTION);
	CHECK_CODE(fy_restriction_lift_refused(&w->ctx, id), 0);
	opens(w, FY_PURPOSE_CONTACT, false);
	CHECK_CODE(goes(w, other, FY_RIGHTS_RECEIVED, FY_RIGHTS_IN_PROGRESS, 0), 0);
	CHECK_CODE(goes(w, other, FY_RIGHTS_IN_PROGRESS, FY_RIGHTS_ANSWERED, 0), 0);
	opens(w, FY_PURPOSE_CONTACT, false); /* granted: the person ends it */
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), 0);
	opens(w, FY_PURPOSE_CONTACT, true);
}

static void a_refused_restriction_lasts_until_the_person_had_time(void **state)
{
	(void)state;
	run_all(1, is_refused, NULL);
}

/* ---- What was written with the address ---- */

static uint64_t writes(struct worker *w, const char *address)
{
	static unsigned made;
	struct fy_contact_new message = { .reference = fy_fmt(&w->arena, "TEST-%u", ++made),
					  .name = personal("Ada"),
					  .email = personal(address),
					  .subject = personal("A room"),
					  .message = personal("Is it free?"),
					  .consent_text_version = FY_LIT("1") };
	uint64_t id = 0;
	return fy_contact_add(&w->ctx, &message, NULL, 0, &id) == 0 ? id : 0;
}

static int reads(struct worker *w, uint64_t id, enum fy_register_purpose purpose)
{
	struct fy_contact_message message = { 0 };
	int err = fy_contact_get(&w->ctx, id, purpose, &message);
	bool shown = message.message.text.len != 0; /* and the rest is there in any case */
	return message.id == id && shown == (err == 0) ? err : FY_ERR_INTERNAL;
}

static uint64_t is_recorded(struct worker *w, const char *address)
{
	struct fy_rights_new request = { .recorded_by = 77,
					 .kind = FY_RIGHTS_RESTRICTION,
					 .name = personal("Ada"),
					 .email = personal(address),
					 .wish = personal("Keep it only"),
					 .received_at = NOON,
					 .due_at = DUE };
	uint64_t id = 0;
	return fy_rights_add(&w->ctx, &request, NULL, &id) == 0 ? id : 0;
}

static void given_ada_by_address(struct worker *w)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_account_new account = { .email = personal("ada@example.org"),
					  .given_name = personal("Ada"),
					  .family_name = personal("Byron") };
	CHECK_CODE(fy_email_hash(&w->ctx, FY_LIT("ada@example.org"), NULL, hash), 0);
	account.email_hash = fy_slice(hash, sizeof hash);
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &ada), 0);
}

static void writes_and_restricts(struct worker *w)
{
	given_ada_by_address(w);
	uint64_t before = writes(w, "Ada@example.org"), others = writes(w, "eve@example.org");
	w->ctx.now += FY_HOUR;
	uint64_t request = asks(w, FY_RIGHTS_RESTRICTION);
	w->ctx.now += FY_HOUR;
	uint64_t after = writes(w, "ada@example.org");
	CHECK_CODE(reads(w, before, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	CHECK_CODE(reads(w, before, FY_PURPOSE_RIGHTS), 0);
	CHECK_CODE(reads(w, others, FY_PURPOSE_CONTACT), 0);
	CHECK_CODE(reads(w, after, FY_PURPOSE_CONTACT), 0); /* it is meant to be answered */
	CHECK_CODE(goes(w, request, FY_RIGHTS_RECEIVED, FY_RIGHTS_WITHDRAWN, 0), 0);
	CHECK_CODE(reads(w, before, FY_PURPOSE_CONTACT), 0);
	asks(w, FY_RIGHTS_OBJECTION);
	CHECK_CODE(reads(w, before, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	CHECK_CODE(reads(w, after, FY_PURPOSE_CONTACT), FY_ERR_DENIED); /* that, too, was before this one */
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), 0);
	CHECK_CODE(reads(w, before, FY_PURPOSE_CONTACT), 0);
	CHECK_CODE(reads(w, after, FY_PURPOSE_CONTACT), 0);
}

static void messages_of_before_are_restricted_with_the_account(void **state)
{
	(void)state;
	run_all(1, writes_and_restricts, NULL);
}

static void asks_by_letter(struct worker *w)
{
	struct fy_restriction r;
	struct fy_rights_request request;
	given_ada_by_address(w);
	uint64_t id = is_recorded(w, "ADA@example.org");
	opens(w, FY_PURPOSE_CONTACT, false);
	CHECK_CODE(fy_restriction_get(&w->ctx, ada, &r), 0);
	CHECK(r.in_force);
	CHECK_CODE(fy_rights_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &request), 0);
	CHECK(request.account_id == ada && request.recorded_by == 77 && request.restricting);
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), 0);
	opens(w, FY_PURPOSE_CONTACT, true);
}

static void a_request_by_letter_restricts_the_account_of_its_address(void **state)
{
	(void)state;
	run_all(1, asks_by_letter, NULL);
}

static void asks_without_account(struct worker *w)
{
	uint64_t *ids;
	size_t count;
	uint64_t message = writes(w, "eve@example.org"), id = is_recorded(w, "eve@example.org");
	CHECK_CODE(reads(w, message, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	struct fy_rights_change refusal = { .id = id,
					    .from = FY_RIGHTS_RECEIVED,
					    .to = FY_RIGHTS_REFUSED,
					    .text = personal("Because."),
					    .lift_at = NOON + 7 * FY_DAY };
	CHECK_CODE(fy_rights_move(&w->ctx, &refusal, NULL), 0);
	w->ctx.now = NOON + 7 * FY_DAY;
	CHECK_CODE(fy_restriction_list_due(&w->ctx, 0, 10, &ids, &count), 0);
	CHECK(count == 1 && ids[0] == id);
	CHECK_CODE(reads(w, message, FY_PURPOSE_CONTACT), FY_ERR_DENIED);
	CHECK_CODE(fy_restriction_lift_refused(&w->ctx, id), 0);
	CHECK_CODE(reads(w, message, FY_PURPOSE_CONTACT), 0);
}

static void without_an_account_it_restricts_the_messages(void **state)
{
	(void)state;
	run_all(1, asks_without_account, NULL);
}

static void decides(struct worker *w)
{
	int err;
	if (w->index % 2)
		err = fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, true);
	else
		err = asks(w, FY_RIGHTS_RESTRICTION) ? 0 : FY_ERR_INTERNAL;
	CHECK_CODE(err, 0);
}

static void given(struct worker *w)
{
	given_ada(w, false);
}

static void sees_both(struct worker *w)
{
	opens(w, RESEARCH, false);
	CHECK_CODE(fy_restriction_lift(&w->ctx, ada), 0);
	opens(w, RESEARCH, true);
}

static void choices_made_at_the_same_time_all_count(void **state)
{
	(void)state;
	run_all(1, given, NULL);
	run_all(8, decides, NULL);
	run_all(1, sees_both, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM consent WHERE account_id = (SELECT MAX(id) FROM account)"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_consent_nothing_opens_for_what_rests_on_it),
		TEST(with_consent_given_at_registration_it_opens_until_it_is_withdrawn),
		TEST(a_restriction_leaves_what_the_law_leaves),
		TEST(a_refused_restriction_lasts_until_the_person_had_time),
		TEST(messages_of_before_are_restricted_with_the_account),
		TEST(a_request_by_letter_restricts_the_account_of_its_address),
		TEST(without_an_account_it_restricts_the_messages),
		TEST(choices_made_at_the_same_time_all_count),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
