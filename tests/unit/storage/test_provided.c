/* Persons entered by a member: seen and edited by who entered them until they speak for themselves, told within a month or
 * erased, and gone for good however they go. */
#include "tests/unit/storage/repo_harness.h"

#include "foyer/config.h"
#include "storage/accounts.h"
#include "storage/erasure.h"
#include "storage/outbox.h"
#include "storage/persons.h"
#include "storage/provided.h"

#define MONTH (30 * FY_DAY)
#define YEARS (730 * FY_DAY)

static const struct fy_config config = { .site_name = { "Host Families", 13 } };
static uint64_t school, other;
static unsigned told_person, told_provider;
static char told_to[100];

static void given_schools(struct worker *w)
{
	const char *names[] = { "school", "other" };
	uint64_t *ids[] = { &school, &other };
	for (unsigned i = 0; i < 2; i++) {
		struct fy_account_new account = { .email = { fy_fmt(&w->arena, "%s@example.org", names[i]) },
						  .email_hash = hash_of(&w->arena, names[i]),
						  .given_name = personal("Claire"),
						  .family_name = personal("Dupont"),
						  .state = FY_ACCOUNT_ACTIVE };
		CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, ids[i]), 0);
	}
}

static struct fy_provided_fields adult(void)
{
	return (struct fy_provided_fields){ .given_name = personal("Mei"),
					    .family_name = personal("Canary"),
					    .email = personal("mei@example.org"),
					    .birth_date = { 2001, 5, 17 },
					    .lang = FY_LANG_EN,
					    .what_for = personal("A language course") };
}

static struct fy_provided_fields minor(void)
{
	struct fy_provided_fields f = adult();
	f.birth_date = (struct fy_date){ 2010, 2, 28 };
	f.email = personal("");
	f.adult_given_name = personal("Lan");
	f.adult_family_name = personal("Canary");
	f.adult_email = personal("lan@example.org");
	return f;
}

static const struct fy_provided_notice *notice(struct worker *w, const char *name, const struct fy_provided_fields *f)
{
	struct fy_mail_new *mail = fy_zalloc(&w->arena, sizeof *mail);
	struct fy_provided_notice *n = fy_zalloc(&w->arena, sizeof *n);
	*mail = (struct fy_mail_new){ .template_name = FY_LIT("notice"),
				      .to_address = fy_provided_recipient(f, w->ctx.now),
				      .fields = secret("link") };
	*n = (struct fy_provided_notice){ hash_of(&w->arena, name), w->ctx.now + 90 * FY_DAY, mail };
	return n;
}

static int add(struct worker *w, uint64_t provider, const struct fy_provided_fields *f, const char *link, uint64_t *ret)
{
	w->ctx.config = &config;
	return fy_provided_add(&w->ctx, provider, f, notice(w, link, f), ret);
}

static int person_letter(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail)
{
	(void)ctx;
	told_person++;
	struct fy_slice to = fy_provided_recipient(&gone->person, gone->erased_at).text;
	snprintf(told_to, sizeof told_to, FY_FMT, FY_ARG(to));
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("bye"),
					  .to_address = { to },
					  .fields = { gone->receipt } };
	return 0;
}

static int provider_letter(struct fy_ctx *ctx, const struct fy_provided_gone *gone, struct fy_mail_new *ret_mail)
{
	(void)ctx;
	told_provider++;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("gone"),
					  .to_address = gone->provider.email,
					  .fields = { gone->person.family_name.text } };
	return 0;
}

static const struct fy_provided_letters letters = { person_letter, provider_letter };

/* All that waits is sent, or refused for good. */
static void deliver(struct worker *w, bool delivered)
{
	struct fy_outbox_mail *mails;
	size_t count;
	CHECK_CODE(fy_outbox_claim(&w->ctx, FY_LIT("a"), FY_MINUTE, 50, &mails, &count), 0);
	for (size_t i = 0; i < count; i++)
		CHECK_CODE(delivered ? fy_outbox_sent(&w->ctx, FY_LIT("a"), &mails[i])
				     : fy_outbox_failed(&w->ctx, FY_LIT("a"), &mails[i], FY_LIT("550"), true, NULL),
			   0);
}

static void enter_and_read(struct worker *w)
{
	struct fy_provided p;
	struct fy_provided_page page;
	struct fy_provided_fields f = adult(), m = minor();
	uint64_t id, child, count;
	f.adult_email = personal("nobody@example.org"); /* of somebody of age it is not kept */
	CHECK_CODE(add(w, school, &f, "one", &id), 0);
	CHECK_CODE(add(w, school, &m, "two", &child), 0);
	CHECK_CODE(fy_provided_get(&w->ctx, school, id, &p), 0);
	CHECK(p.provider_id == school && p.version == 1 && p.state == FY_PROVIDED_ENTERED && !p.withheld);
	CHECK(p.notice == FY_NOTICE_ON_ITS_WAY && p.noticed_at == 0 && p.inform_by == NOON + MONTH);
	CHECK(fy_eq(p.fields.given_name.text, FY_LIT("Mei")) && p.fields.lang == FY_LANG_EN);
	CHECK(fy_date_compare(p.fields.birth_date, f.birth_date) == 0 && p.fields.adult_email.text.len == 0);
	CHECK_CODE(fy_provided_list(&w->ctx, school, 0, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == child && page.next_cursor == child);
	CHECK(fy_eq(page.items[0].fields.adult_email.text, FY_LIT("lan@example.org")));
	CHECK_CODE(fy_provided_list(&w->ctx, school, page.next_cursor, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == id && page.next_cursor == 0);
	CHECK_CODE(fy_provided_count(&w->ctx, school, &count), 0);
	CHECK(count == 2);
	/* who did not enter them sees nobody */
	CHECK_CODE(fy_provided_get(&w->ctx, other, id, &p), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_update(&w->ctx, other, id, 1, &f, NULL), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_end(&w->ctx, other, id, FY_PROVIDED_BY_PROVIDER, &letters, NULL), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_list(&w->ctx, other, 0, 10, &page), 0);
	CHECK(page.count == 0);
}

static void a_provider_sees_whom_they_entered_and_nobody_else(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, enter_and_read, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 4);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox o JOIN provided_person p ON p.notice_mail_id = o.id AND "
				"p.id = o.person_id"),
			 2);
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person WHERE given_name LIKE '%Mei%' OR birth_date LIKE "
				"'%2001%' OR email LIKE '%example%'"),
			 0);
}

static void refused(struct worker *w)
{
	uint64_t id;
	struct fy_provided_fields f = adult();
#define REFUSED(field, value)                                                 \
	do {                                                                  \
		struct fy_provided_fields bad = f;                            \
		bad.field = value;                                            \
		CHECK_CODE(add(w, school, &bad, "bad", &id), FY_ERR_INVALID); \
	} while (0)
	REFUSED(given_name, personal(""));
	REFUSED(family_name, personal(""));
	REFUSED(email, personal(""));
	REFUSED(what_for, personal(""));
	REFUSED(birth_date, ((struct fy_date){ 2026, 11, 24 }));
	REFUSED(birth_date, ((struct fy_date){ 2001, 2, 29 }));
	REFUSED(birth_date, ((struct fy_date){ 1905, 11, 22 }));
	REFUSED(birth_date, ((struct fy_date){ 0 }));
	f = minor();
	REFUSED(adult_given_name, personal(""));
	REFUSED(adult_family_name, personal(""));
	REFUSED(adult_email, personal(""));
#undef REFUSED
	CHECK_CODE(add(w, 4711, &f, "nobody", &id), FY_ERR_DENIED);
	CHECK(fy_provided_birth_date_ok((struct fy_date){ 1905, 11, 24 }, NOON));
	CHECK(fy_provided_birth_date_ok((struct fy_date){ 2026, 11, 23 }, NOON));
	CHECK(fy_provided_is_minor((struct fy_date){ 2008, 11, 24 }, NOON));
	CHECK(!fy_provided_is_minor((struct fy_date){ 2008, 11, 23 }, NOON));
	const struct fy_date leap = { 2008, 2, 29 };
	CHECK(fy_provided_of_age(leap) == fy_paris_day_start((struct fy_date){ 2026, 3, 1 }));
	CHECK(fy_provided_of_age((struct fy_date){ 2008, 2, 28 }) ==
	      fy_paris_day_start((struct fy_date){ 2026, 2, 28 }));
	CHECK(fy_provided_is_minor(leap, fy_provided_of_age(leap) - 1) &&
	      !fy_provided_is_minor(leap, fy_provided_of_age(leap)));
	/* 23:30 in London is tomorrow in Paris, where they come of age */
	CHECK(!fy_provided_is_minor((struct fy_date){ 2008, 11, 24 }, NOON + 13 * FY_HOUR + 30 * FY_MINUTE));
	CHECK(fy_eq(fy_provided_recipient(&f, NOON).text, FY_LIT("lan@example.org")));
	CHECK(fy_eq(fy_provided_recipient(&f, NOON + 3 * 366 * FY_DAY).text, FY_LIT("lan@example.org")));
	f.email = personal("mei@example.org");
	CHECK(fy_eq(fy_provided_recipient(&f, NOON + 3 * 366 * FY_DAY).text, FY_LIT("mei@example.org")));
}

static void a_minor_needs_an_adult_and_everybody_a_name_and_a_day(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, refused, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 2);
}

static unsigned entered, known;

static void enter_once(struct worker *w)
{
	struct fy_provided_fields f = adult();
	uint64_t id;
	int err = add(w, school, &f, w->index % 2 ? "one" : "two", &id);
	entered += err == 0;
	known += err == FY_ERR_EXISTS;
	CHECK(err == 0 || err == FY_ERR_EXISTS);
}

static void enter_again(struct worker *w)
{
	struct fy_provided_fields f = adult(), m = minor(), sibling = minor();
	uint64_t id, twin;
	f.email = personal("MEI@example.org");
	CHECK_CODE(add(w, school, &f, "again", &id), FY_ERR_EXISTS);
	CHECK_CODE(add(w, other, &f, "other", &id), 0);
	CHECK_CODE(add(w, school, &m, "child", &id), 0);
	CHECK_CODE(add(w, school, &m, "child 2", &id), FY_ERR_EXISTS);
	sibling.given_name = personal("Bo");
	CHECK_CODE(add(w, school, &sibling, "sibling", &twin), 0); /* with the same mother */
	CHECK_CODE(fy_provided_update(&w->ctx, school, twin, 1, &m, NULL), FY_ERR_EXISTS);
}

static void one_person_is_entered_once_by_one_provider(void **state)
{
	(void)state;
	entered = known = 0;
	run_all(1, given_schools, NULL);
	run_all(2, enter_once, NULL);
	assert_int_equal(entered, 1);
	assert_int_equal(known, 1);
	run_all(1, enter_again, NULL);
	/* and of two providers nothing in clear says that it is one person */
	assert_int_equal(number("SELECT COUNT(DISTINCT email_hash) FROM provided_person"), 4);
}

static void speak_for_oneself(struct worker *w)
{
	struct fy_provided p;
	struct fy_provided_page page;
	struct fy_provided_fields f = adult(), mine;
	struct fy_slice link = hash_of(&w->arena, "one");
	uint64_t id;
	CHECK_CODE(add(w, school, &f, "one", &id), 0);
	f.family_name = personal("Serin");
	CHECK_CODE(fy_provided_update(&w->ctx, school, id, 1, &f, NULL), 0);
	CHECK_CODE(fy_provided_update(&w->ctx, school, id, 1, &f, NULL), FY_ERR_CONFLICT);
	CHECK_CODE(fy_provided_find(&w->ctx, hash_of(&w->arena, "x"), &p), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_find(&w->ctx, link, &p), 0);
	CHECK(p.id == id && p.notice == FY_NOTICE_ON_ITS_WAY && fy_eq(p.fields.family_name.text, FY_LIT("Serin")));
	mine = p.fields;
	mine.family_name = personal("Colibri");
	CHECK_CODE(fy_provided_correct(&w->ctx, hash_of(&w->arena, "x"), &mine, NULL), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_correct(&w->ctx, link, &mine, NULL), 0);
	CHECK_CODE(fy_provided_get(&w->ctx, school, id, &p), 0);
	CHECK(p.state == FY_PROVIDED_TAKEN_OVER && fy_eq(p.fields.family_name.text, FY_LIT("Colibri")));
	CHECK(p.notice == FY_NOTICE_DELIVERED && p.noticed_at == NOON);
	CHECK_CODE(fy_provided_update(&w->ctx, school, id, p.version, &f, NULL), FY_ERR_DENIED);

	CHECK_CODE(fy_provided_restrict(&w->ctx, link, true), 0);
	CHECK_CODE(fy_provided_get(&w->ctx, school, id, &p), 0);
	CHECK(p.state == FY_PROVIDED_RESTRICTED && p.withheld && p.fields.given_name.text.len == 3);
	CHECK(p.fields.email.text.len == 0 && p.fields.what_for.text.len == 0 && p.fields.birth_date.year == 0);
	CHECK_CODE(fy_provided_list(&w->ctx, school, 0, 10, &page), 0);
	CHECK(page.items[0].withheld && page.items[0].fields.email.text.len == 0);
	CHECK_CODE(fy_provided_update(&w->ctx, school, id, p.version, &f, NULL), FY_ERR_DENIED);
	CHECK_CODE(fy_provided_end(&w->ctx, school, id, FY_PROVIDED_BY_PROVIDER, &letters, NULL), FY_ERR_DENIED);
	CHECK_CODE(fy_provided_correct(&w->ctx, link, &mine, NULL), 0); /* their own to mend still */
	CHECK_CODE(fy_provided_find(&w->ctx, link, &p), 0);
	CHECK(p.state == FY_PROVIDED_RESTRICTED && p.fields.email.text.len);
	CHECK_CODE(fy_provided_restrict(&w->ctx, link, false), 0);
	CHECK_CODE(fy_provided_get(&w->ctx, school, id, &p), 0);
	CHECK(p.state == FY_PROVIDED_TAKEN_OVER && !p.withheld);
}

static void who_speaks_for_themselves_is_not_edited_and_who_objects_is_not_used(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, speak_for_oneself, NULL);
}

static void old_link(struct worker *w)
{
	struct fy_provided p;
	struct fy_provided_fields f = adult();
	uint64_t id;
	struct fy_slice link = hash_of(&w->arena, "one");
	CHECK_CODE(add(w, school, &f, "one", &id), 0);
	w->ctx.now = NOON + 90 * FY_DAY;
	CHECK_CODE(fy_provided_find(&w->ctx, link, &p), FY_ERR_EXPIRED);
	CHECK_CODE(fy_provided_correct(&w->ctx, link, &f, NULL), FY_ERR_EXPIRED);
	CHECK_CODE(fy_provided_restrict(&w->ctx, link, true), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_renew(&w->ctx, link, notice(w, "new", &p.fields)), 0);
	CHECK_CODE(fy_provided_renew(&w->ctx, link, notice(w, "newer", &p.fields)), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_find(&w->ctx, link, &p), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_find(&w->ctx, hash_of(&w->arena, "new"), &p), 0);
}

static void a_link_that_is_too_old_brings_a_new_one_and_nothing_else(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, old_link, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'notice'"), 2);
}

static uint64_t gone;

static void given_entered(struct worker *w)
{
	struct fy_provided_fields f = adult();
	told_person = told_provider = 0;
	CHECK_CODE(add(w, school, &f, "one", &gone), 0);
}

static void erase_oneself(struct worker *w)
{
	struct fy_provided p;
	struct fy_slice receipt;
	w->ctx.config = &config;
	CHECK_CODE(fy_provided_end(&w->ctx, 0, gone, FY_PROVIDED_BY_PERSON, &letters, &receipt), 0);
	CHECK(receipt.len && !memmem(receipt.ptr, receipt.len, "anary", 5));
	CHECK_CODE(fy_provided_end(&w->ctx, 0, gone, FY_PROVIDED_BY_PERSON, &letters, NULL), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_find(&w->ctx, hash_of(&w->arena, "one"), &p), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_get(&w->ctx, school, gone, &p), FY_ERR_NOT_FOUND);
}

static void nothing_is_left(void)
{
	char query[300];
	snprintf(query, sizeof query,
		 "SELECT (SELECT COUNT(*) FROM provided_person WHERE id = %llu) + (SELECT COUNT(*) FROM outbox WHERE "
		 "person_id = %llu) + (SELECT COUNT(*) FROM foyer_keys.person_key WHERE person_id = %llu)",
		 (unsigned long long)gone, (unsigned long long)gone, (unsigned long long)gone);
	assert_int_equal(number(query), 0);
}

static void replay(struct worker *w)
{
	uint64_t erased;
	struct fy_provided p;
	CHECK_CODE(fy_provided_get(&w->ctx, school, gone, &p), FY_ERR_UNREADABLE);
	CHECK_CODE(fy_erasure_replay(&w->ctx, &erased), 0);
	CHECK(erased == 1);
	CHECK_CODE(fy_erasure_replay(&w->ctx, &erased), 0);
	CHECK(erased == 0);
}

static void who_erased_themselves_stays_gone_when_an_older_dump_is_restored(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	change("CREATE OR REPLACE TABLE dump_provided AS SELECT * FROM provided_person");
	run_all(1, erase_oneself, NULL);
	nothing_is_left();
	assert_int_equal(told_person, 1); /* though the notice was on its way still: they hold its link */
	assert_int_equal(told_provider, 1);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure WHERE ground = 1"), 1);
	change("INSERT INTO provided_person SELECT * FROM dump_provided; DROP TABLE dump_provided");
	run_all(1, replay, NULL);
	nothing_is_left();
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 1);
}

static void remove_one(struct worker *w)
{
	w->ctx.config = &config;
	CHECK_CODE(fy_provided_end(&w->ctx, school, gone, FY_PROVIDED_BY_PROVIDER, &letters, NULL), 0);
}

static void sent(struct worker *w)
{
	deliver(w, true);
}

static void who_was_told_of_the_entry_is_told_of_its_end(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, remove_one, NULL);
	nothing_is_left(); /* nor the notice, which was not sent yet */
	assert_int_equal(told_person + told_provider, 0);
	run_all(1, given_entered, NULL);
	run_all(1, sent, NULL);
	run_all(1, remove_one, NULL);
	nothing_is_left();
	assert_int_equal(told_person, 1);
	assert_int_equal(told_provider, 0);
	assert_string_equal(told_to, "mei@example.org");
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure WHERE ground = 3"), 2);
	run_all(1, sent, NULL); /* the last mail takes its own key with it */
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.person_key"), 2);
}

static enum fy_provided_end due_why;

static void due(struct worker *w)
{
	struct fy_provided_due *items;
	size_t count;
	w->ctx.config = &config;
	CHECK_CODE(fy_provided_list_due(&w->ctx, 0, 10, &items, &count), 0);
	due_why = count ? items[0].why : 0;
	CHECK(count <= 1 && (count == 0 || items[0].id == gone));
	/* an end that is not due does not come */
	if (due_why != FY_PROVIDED_UNINFORMED)
		CHECK_CODE(fy_provided_end(&w->ctx, 0, gone, FY_PROVIDED_UNINFORMED, &letters, NULL), FY_ERR_NOT_FOUND);
	if (due_why != FY_PROVIDED_UNUSED)
		CHECK_CODE(fy_provided_end(&w->ctx, 0, gone, FY_PROVIDED_UNUSED, &letters, NULL), FY_ERR_NOT_FOUND);
}

static enum fy_provided_end due_at(fy_time after)
{
	run_at(NOON + after, 1, due, NULL);
	return due_why;
}

static void refused_mail(struct worker *w)
{
	deliver(w, false);
}

static void settle(struct worker *w)
{
	CHECK_CODE(fy_provided_settle(&w->ctx), 0);
}

static void end_due(struct worker *w)
{
	w->ctx.config = &config;
	CHECK_CODE(fy_provided_end(&w->ctx, 0, gone, due_why, &letters, NULL), 0);
}

static void look(struct worker *w)
{
	struct fy_provided p;
	CHECK_CODE(fy_provided_get(&w->ctx, school, gone, &p), 0);
	CHECK(p.notice == *(enum fy_provided_notice_state *)w->arg);
	CHECK((p.noticed_at != 0) == (p.notice == FY_NOTICE_DELIVERED));
}

static void notice_is(enum fy_provided_notice_state expected)
{
	run_all(1, look, &expected);
}

static void whoever_cannot_be_told_within_a_month_is_erased(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, refused_mail, NULL);
	notice_is(FY_NOTICE_BOUNCED); /* at once */
	run_all(1, settle, NULL);
	notice_is(FY_NOTICE_BOUNCED); /* and when the mail is purged */
	assert_int_equal(due_at(MONTH - 1), 0);
	assert_int_equal(due_at(MONTH), FY_PROVIDED_UNINFORMED);
	run_at(NOON + MONTH, 1, end_due, NULL);
	nothing_is_left();
	assert_int_equal(told_person, 0);
	assert_int_equal(told_provider, 1);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure WHERE ground = 4"), 1);
}

static void whoever_was_told_stays_two_years_after_the_last_change(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, sent, NULL);
	notice_is(FY_NOTICE_DELIVERED);
	assert_int_equal(due_at(MONTH), 0); /* before and after the job looked */
	run_all(1, settle, NULL);
	change("DELETE FROM outbox");
	notice_is(FY_NOTICE_DELIVERED);
	assert_int_equal(due_at(YEARS - 1), 0);
	assert_int_equal(due_at(YEARS), FY_PROVIDED_UNUSED);
	run_at(NOON + YEARS, 1, end_due, NULL);
	nothing_is_left();
	assert_int_equal(told_person, 1);
	assert_int_equal(told_provider, 0);
}

static void notice_lost(struct worker *w)
{
	(void)w;
	change("DELETE FROM outbox");
}

static void a_notice_that_got_lost_did_not_arrive(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, notice_lost, NULL);
	run_all(1, settle, NULL);
	notice_is(FY_NOTICE_BOUNCED);
}

static void another_address(struct worker *w)
{
	struct fy_provided_fields f = adult();
	struct fy_provided p;
	w->ctx.config = &config;
	f.email = personal("mei.li@example.org");
	CHECK_CODE(fy_provided_get(&w->ctx, school, gone, &p), 0);
	CHECK_CODE(fy_provided_update(&w->ctx, school, gone, p.version, &f, notice(w, "two", &f)), 0);
	CHECK_CODE(fy_provided_find(&w->ctx, hash_of(&w->arena, "one"), &p), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_provided_find(&w->ctx, hash_of(&w->arena, "two"), &p), 0);
	CHECK(p.notice == FY_NOTICE_ON_ITS_WAY);
}

static void another_address_means_another_notice_but_not_another_month(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, refused_mail, NULL);
	run_at(NOON + 20 * FY_DAY, 1, another_address, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 1);
	assert_int_equal(due_at(MONTH), FY_PROVIDED_UNINFORMED);
	run_at(NOON + 20 * FY_DAY, 1, sent, NULL);
	assert_int_equal(due_at(MONTH), 0);
	/* once told, a correction after the month leaves time for its notice */
	run_at(NOON + 40 * FY_DAY, 1, settle, NULL);
	change("UPDATE provided_person SET notice_hash = UNHEX(REPEAT('6f', 32))");
	run_at(NOON + 40 * FY_DAY, 1, another_address, NULL);
	assert_int_equal(due_at(41 * FY_DAY), 0);
	assert_int_equal(due_at(47 * FY_DAY), FY_PROVIDED_UNINFORMED);
}

static int goodbye(struct fy_ctx *ctx, const struct fy_erasure_farewell *f, struct fy_mail_new *ret_mail)
{
	(void)ctx;
	*ret_mail = (struct fy_mail_new){ .template_name = FY_LIT("bye"),
					  .to_address = f->email,
					  .fields = { f->receipt } };
	return 0;
}

static void erase_the_school(struct worker *w)
{
	struct fy_provided_fields m = minor();
	uint64_t id;
	CHECK_CODE(add(w, school, &m, "child", &id), 0);
	CHECK_CODE(fy_provided_restrict(&w->ctx, hash_of(&w->arena, "child"), true), 0);
	CHECK_CODE(fy_erasure_ask(&w->ctx, school, FY_ERASURE_ASKED, NOON), 0);
	CHECK_CODE(fy_erasure_close(&w->ctx, school), 0);
	m.given_name = personal("Late");
	CHECK_CODE(add(w, school, &m, "late", &id), FY_ERR_DENIED);
	CHECK(fy_erasure_finish(&w->ctx, school, goodbye, NULL) != 0); /* not while they are there */
	CHECK_CODE(fy_provided_end_all(&w->ctx, school, &letters), 0);
	CHECK_CODE(fy_provided_end_all(&w->ctx, school, &letters), 0);
	CHECK_CODE(fy_erasure_finish(&w->ctx, school, goodbye, NULL), 0);
}

static void replay_all(struct worker *w)
{
	uint64_t erased;
	CHECK_CODE(fy_erasure_replay(&w->ctx, &erased), 0);
	CHECK(erased == 3);
}

static void with_the_provider_go_all_whom_it_entered(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	change("CREATE OR REPLACE TABLE dump_account AS SELECT * FROM account");
	run_all(1, sent, NULL);
	change("CREATE OR REPLACE TABLE dump_provided AS SELECT * FROM provided_person");
	run_all(1, erase_the_school, NULL);
	nothing_is_left();
	assert_int_equal(told_person, 2); /* who objected had the notice, too */
	assert_int_equal(told_provider, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.erasure"), 3);
	change("INSERT IGNORE INTO account SELECT * FROM dump_account; INSERT INTO provided_person SELECT * FROM "
	       "dump_provided; INSERT INTO provided_person SELECT person_id, provider_id, version, state, lang, given_name, "
	       "family_name, email, UNHEX(REPEAT('77', 32)), address_hash, birth_date, what_for, adult_given_name, adult_family_name, "
	       "adult_email, adult_hash, p.created_at, last_active_at, inform_by, notice_state, notice_mail_id, noticed_at, "
	       "UNHEX(REPEAT('78', 32)), notice_expires_at FROM dump_provided p JOIN foyer_keys.erasure e ON e.serial = 2; "
	       "DROP TABLE dump_account; DROP TABLE dump_provided");
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person"), 2);
	run_all(1, replay_all, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM provided_person"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 1);
}

static void without_a_key(struct worker *w)
{
	struct fy_provided_page page;
	w->ctx.config = &config;
	CHECK_CODE(fy_persons_destroy(&w->ctx, gone), 0);
	CHECK_CODE(fy_provided_list(&w->ctx, school, 0, 10, &page), 0); /* one does not hide the others */
	CHECK(page.count == 1 && page.items[0].fields.given_name.text.len == 0);
	CHECK_CODE(fy_provided_end(&w->ctx, school, gone, FY_PROVIDED_BY_PROVIDER, &letters, NULL), 0);
}

static void somebody_whose_key_is_gone_can_still_be_removed(void **state)
{
	(void)state;
	run_all(1, given_schools, NULL);
	run_all(1, given_entered, NULL);
	run_all(1, without_a_key, NULL);
	nothing_is_left();
}

static int empty(void **state)
{
	change("DELETE FROM provided_person; DELETE FROM foyer_keys.erasure");
	return empty_tables(state);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup(name, empty)
	const struct CMUnitTest tests[] = {
		TEST(a_provider_sees_whom_they_entered_and_nobody_else),
		TEST(a_minor_needs_an_adult_and_everybody_a_name_and_a_day),
		TEST(one_person_is_entered_once_by_one_provider),
		TEST(who_speaks_for_themselves_is_not_edited_and_who_objects_is_not_used),
		TEST(a_link_that_is_too_old_brings_a_new_one_and_nothing_else),
		TEST(who_erased_themselves_stays_gone_when_an_older_dump_is_restored),
		TEST(who_was_told_of_the_entry_is_told_of_its_end),
		TEST(whoever_cannot_be_told_within_a_month_is_erased),
		TEST(whoever_was_told_stays_two_years_after_the_last_change),
		TEST(a_notice_that_got_lost_did_not_arrive),
		TEST(another_address_means_another_notice_but_not_another_month),
		TEST(with_the_provider_go_all_whom_it_entered),
		TEST(somebody_whose_key_is_gone_can_still_be_removed),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
