/* Invitations to market research: who may be told, what a withdrawal or restriction reaches, and that nobody changes what
 * somebody else has seen. That nobody is told twice is tests/unit/jobs/test_studies.c's. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/accounts.h"
#include "storage/consents.h"
#include "storage/outbox.h"
#include "storage/rights.h"
#include "storage/studies.h"
#include "storage/withdrawal.h"

static const struct fy_study_text text = {
	.title = { { "Une étude", 10 }, { "A study", 7 } },
	.text = { { "Bonjour.", 8 }, { "Hello.", 6 } },
	.link = { "https://example.org/q", 21 },
};

static uint64_t ada;
static char link_of_ada[FY_WITHDRAWAL_CHARS + 1];

static int letter(struct fy_ctx *ctx, const struct fy_study_text *what, const struct fy_study_recipient *to,
		  struct fy_mail_new *ret_mail)
{
	snprintf(link_of_ada, sizeof link_of_ada, FY_FMT, FY_ARG(to->withdrawal.text));
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("study_invitation"),
					  .lang = to->lang,
					  .consent = FY_CONSENT_MARKET_RESEARCH,
					  .to_address = to->email,
					  .fields = { fy_fmt(ctx->arena, FY_FMT " " FY_FMT " %lld",
							     FY_ARG(what->title[to->lang]), FY_ARG(to->given_name.text),
							     (long long)to->agreed_at) } };
	return 0;
}

static void given_ada(struct worker *w, bool agrees)
{
	struct fy_account_new account = { .email = personal("ada@example.org"),
					  .email_hash = hash_of(&w->arena, "ada"),
					  .given_name = personal("Ada"),
					  .family_name = personal("Byron"),
					  .language = FY_LANG_EN,
					  .state = FY_ACCOUNT_ACTIVE };
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &ada), 0);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, agrees), 0);
}

static uint64_t given_study(struct worker *w, struct fy_study *ret_study)
{
	uint64_t id = 0;
	int err = fy_studies_add(&w->ctx, &text, 7, &id);
	if (err == 0)
		err = fy_studies_send(&w->ctx, id, 1, 8);
	if (err == 0)
		err = fy_studies_get(&w->ctx, id, ret_study);
	return err ? 0 : id;
}

static int tell(struct worker *w, struct fy_study *study)
{
	struct fy_study_person person = { .id = ada, .lang = FY_LANG_EN };
	return fy_studies_tell(&w->ctx, study, &person, letter);
}

static void restrict_ada(struct worker *w)
{
	uint64_t id;
	struct fy_rights_new request = { .account_id = ada,
					 .kind = FY_RIGHTS_RESTRICTION,
					 .wish = personal("Keep it only"),
					 .received_at = NOON,
					 .due_at = NOON + 30 * FY_DAY };
	CHECK_CODE(fy_rights_add(&w->ctx, &request, NULL, &id), 0);
}

static void add_mail_about_rights(struct worker *w)
{
	struct fy_mail_new mail = { .person_id = ada,
				    .template_name = FY_LIT("right_receipt"),
				    .to_address = personal("ada@example.org"),
				    .fields = secret("Your request") };
	CHECK_CODE(fy_outbox_add(&w->ctx, &mail), 0);
}

/* What is delivered now: the mails whose values begin with `said`, or all. */
static size_t delivered(struct worker *w, const char *said)
{
	struct fy_outbox_mail *mails;
	size_t count, n = 0;
	if (fy_outbox_claim(&w->ctx, FY_LIT("me"), FY_MINUTE, 10, &mails, &count))
		return SIZE_MAX;
	for (size_t i = 0; i < count; i++)
		n += fy_starts(mails[i].fields.text, fy_str(said));
	return n;
}

static void only_a_yes_is_told(struct worker *w)
{
	struct fy_study study;
	struct fy_study_person *people;
	size_t count;
	uint64_t last, agreed;
	given_ada(w, false);
	CHECK(given_study(w, &study));
	CHECK_CODE(fy_studies_people(&w->ctx, 0, 10, &people, &count, &last), 0);
	CHECK(count == 0);
	CHECK_CODE(tell(w, &study), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, true), 0);
	CHECK_CODE(fy_studies_people(&w->ctx, 0, 10, &people, &count, &last), 0);
	CHECK(count == 1 && people[0].id == ada && people[0].lang == FY_LANG_EN && last == 0);
	CHECK_CODE(fy_studies_agreed(&w->ctx, &agreed), 0);
	CHECK(agreed == 1);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, false), 0);
	CHECK_CODE(fy_studies_people(&w->ctx, 0, 10, &people, &count, &last), 0);
	CHECK(count == 0);
	CHECK_CODE(fy_studies_agreed(&w->ctx, &agreed), 0);
	CHECK(agreed == 0);
	CHECK_CODE(tell(w, &study), FY_ERR_NOT_FOUND);
	CHECK(number("SELECT COUNT(*) FROM outbox") == 0);
}

static void who_is_told(struct worker *w)
{
	enum fy_consent_purpose purpose;
	struct fy_study study;
	uint64_t id;
	given_ada(w, true);
	CHECK(given_study(w, &study));
	CHECK_CODE(tell(w, &study), 0);
	CHECK(study.telling.told == 1 && study.telling.cursor == ada);
	CHECK_CODE(fy_withdrawal_find(&w->ctx, fy_str(link_of_ada), &id, &purpose), 0);
	CHECK(id == ada && purpose == FY_CONSENT_MARKET_RESEARCH);
	struct fy_slice said = fy_fmt(&w->arena, "A study Ada %lld", (long long)NOON);
	CHECK(delivered(w, fy_cstr(&w->arena, said)) == 1);
}

static void a_restriction_refuses(struct worker *w)
{
	struct fy_study study;
	given_ada(w, true);
	restrict_ada(w);
	CHECK(given_study(w, &study));
	CHECK_CODE(tell(w, &study), FY_ERR_DENIED);
	CHECK(study.telling.told == 0 && number("SELECT COUNT(*) FROM outbox") == 0);
}

static void withdrawn_while_it_waits(struct worker *w)
{
	struct fy_study study;
	given_ada(w, true);
	CHECK(given_study(w, &study));
	CHECK_CODE(tell(w, &study), 0);
	add_mail_about_rights(w);
	CHECK_CODE(fy_consents_set(&w->ctx, ada, FY_CONSENT_MARKET_RESEARCH, false), 0);
	CHECK(delivered(w, "Your request") == 1);
	CHECK(number("SELECT COUNT(*) FROM outbox WHERE consent = 1 AND state = 4 AND to_address IS NULL AND fields IS NULL "
		     "AND next_attempt_at IS NULL AND last_error = 'its person does not allow it any more'") == 1);
}

static void restricted_while_it_waits(struct worker *w)
{
	struct fy_study study;
	given_ada(w, true);
	CHECK(given_study(w, &study));
	CHECK_CODE(tell(w, &study), 0);
	restrict_ada(w);
	add_mail_about_rights(w);
	CHECK(delivered(w, "Your request") == 1);
	CHECK(delivered(w, "") == 0);
	CHECK(number("SELECT COUNT(*) FROM outbox WHERE consent = 1 AND state = 4") == 1);
}

static void versions(struct worker *w)
{
	struct fy_study_text other = text;
	struct fy_study study;
	uint64_t id;
	other.title[FY_LANG_EN] = FY_LIT("Another");
	CHECK_CODE(fy_studies_add(&w->ctx, &text, 7, &id), 0);
	CHECK_CODE(fy_studies_save(&w->ctx, id, 1, &other), 0);
	CHECK_CODE(fy_studies_save(&w->ctx, id, 1, &text), FY_ERR_CONFLICT);
	CHECK_CODE(fy_studies_send(&w->ctx, id, 1, 8), FY_ERR_CONFLICT); /* what was seen is not what it is now */
	CHECK_CODE(fy_studies_stop(&w->ctx, id, 9), FY_ERR_CONFLICT);
	CHECK_CODE(fy_studies_send(&w->ctx, id, 2, 8), 0);
	CHECK_CODE(fy_studies_save(&w->ctx, id, 3, &text), FY_ERR_CONFLICT);
	CHECK_CODE(fy_studies_send(&w->ctx, id, 3, 8), FY_ERR_CONFLICT);
	CHECK_CODE(fy_studies_stop(&w->ctx, id, 9), 0);
	CHECK_CODE(fy_studies_get(&w->ctx, id, &study), 0);
	CHECK(study.state == FY_STUDY_STOPPED && study.created_by == 7 && study.sent_by == 8 && study.stopped_by == 9);
	CHECK(fy_eq(study.text.title[FY_LANG_EN], FY_LIT("Another")) && study.telling.ended);
	CHECK_CODE(fy_studies_get(&w->ctx, id + 1, &study), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_studies_stop(&w->ctx, id + 1, 9), FY_ERR_NOT_FOUND);
}

static void stopped(struct worker *w)
{
	struct fy_study study;
	given_ada(w, true);
	uint64_t id = given_study(w, &study);
	CHECK_CODE(fy_studies_stop(&w->ctx, id, 9), 0);
	CHECK_CODE(tell(w, &study), FY_ERR_EXPIRED);
	CHECK_CODE(fy_studies_pass(&w->ctx, &study, ada), FY_ERR_EXPIRED);
	CHECK_CODE(fy_studies_end(&w->ctx, &study), FY_ERR_EXPIRED);
	CHECK(number("SELECT COUNT(*) FROM outbox") == 0);
}

#define RUN(name, body)                 \
	static void name(void **state)  \
	{                               \
		(void)state;            \
		run_all(1, body, NULL); \
	}
RUN(only_whose_latest_decision_is_a_yes_is_told, only_a_yes_is_told)
RUN(a_person_who_agreed_is_told_when_it_was_and_how_to_withdraw, who_is_told)
RUN(a_person_who_restricted_the_use_is_not_told, a_restriction_refuses)
RUN(a_mail_that_waits_is_not_sent_once_the_consent_is_withdrawn, withdrawn_while_it_waits)
RUN(a_mail_that_waits_is_not_sent_once_the_use_is_restricted, restricted_while_it_waits)
RUN(what_was_read_is_what_is_changed_and_sent, versions)
RUN(once_stopped_nobody_is_told, stopped)

static int begin(void **state)
{
	change("DELETE FROM study");
	return empty_tables(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_whose_latest_decision_is_a_yes_is_told, begin),
		cmocka_unit_test_setup(a_person_who_agreed_is_told_when_it_was_and_how_to_withdraw, begin),
		cmocka_unit_test_setup(a_person_who_restricted_the_use_is_not_told, begin),
		cmocka_unit_test_setup(a_mail_that_waits_is_not_sent_once_the_consent_is_withdrawn, begin),
		cmocka_unit_test_setup(a_mail_that_waits_is_not_sent_once_the_use_is_restricted, begin),
		cmocka_unit_test_setup(what_was_read_is_what_is_changed_and_sent, begin),
		cmocka_unit_test_setup(once_stopped_nobody_is_told, begin),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
