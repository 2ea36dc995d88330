/* A new master key: cut off anywhere it goes on, damaged keys are named and keep the old one in use, and a server that
 * does not know yet cannot wrap anything with a key that is gone. */
#include "tests/unit/storage/repo_harness.h"

#include <sys/stat.h>
#include <unistd.h>

#include "storage/accounts.h"
#include "storage/instance.h"
#include "storage/key_rotation.h"
#include "storage/keys.h"
#include "storage/persons.h"
#include "storage/statements.h"
#include "storage/withdrawal.h"
#include "tests/support/given_person.h"

#define PEOPLE 450 /* more than two slices */

static char folder[] = "/tmp/foyer-rotation-XXXXXX", path[64], next[70];
static struct fy_keys *early, *late; /* two processes that read the file */
static uint64_t people[PEOPLE];
static struct fy_key_rotation state;
static int outcome;
static char fault[500];

static int start(void **harness)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/master.key", folder);
	snprintf(next, sizeof next, "%s.next", path);
	return harness_start(harness);
}

static int stop(void **harness)
{
	rmdir(folder);
	return harness_stop(harness);
}

static void first_use(struct worker *w)
{
	w->ctx.keys = early;
	CHECK_CODE(fy_instance_check_key(&w->ctx), 0);
	for (unsigned i = 0; i < PEOPLE; i++)
		CHECK((people[i] = given_person(&w->ctx)) != 0);
}

static int given_people(void **harness)
{
	char why[256];
	empty_tables(harness);
	change("DELETE FROM foyer_keys.master_key; DELETE FROM instance");
	assert_int_equal(fy_keys_create_file(path, why), 0);
	assert_int_equal(fy_keys_load(path, &early, why), 0);
	run_all(1, first_use, NULL);
	assert_int_equal(fy_keys_make_next(path, why), 0);
	assert_int_equal(fy_keys_load(path, &late, why), 0);
	return 0;
}

static int forget(void **harness)
{
	(void)harness;
	fy_keys_destroy(early);
	fy_keys_destroy(late);
	unlink(path);
	unlink(next);
	/* the other tests' key */
	change("DELETE FROM foyer_keys.person_key; DELETE FROM foyer_keys.master_key");
	return 0;
}

static void rotate(struct worker *w)
{
	w->ctx.keys = late;
	outcome = fy_key_rotation_run(&w->ctx, path, NULL, NULL, &state);
	snprintf(fault, sizeof fault, "%s", w->ctx.fault ? w->ctx.fault : "");
}

static void open_all(struct worker *w)
{
	struct fy_person person;
	w->ctx.keys = w->arg;
	for (unsigned i = 0; i < PEOPLE; i++)
		CHECK_CODE(fy_persons_get(&w->ctx, people[i], &person), 0);
}

static void start_without_the_next_key(struct worker *w)
{
	w->ctx.keys = w->arg;
	CHECK_CODE(fy_instance_check_key(&w->ctx), FY_ERR_CONFIG);
	CHECK(strstr(w->ctx.fault, "which is in no file here"));
}

static void start_with_both(struct worker *w)
{
	w->ctx.keys = late;
	CHECK_CODE(fy_instance_check_key(&w->ctx), 0);
	CHECK(given_person(&w->ctx) != 0);
}

static char token[FY_WITHDRAWAL_CHARS];

static void make_link(struct worker *w)
{
	struct fy_person person;
	w->ctx.keys = early;
	CHECK_CODE(fy_persons_get(&w->ctx, people[0], &person), 0);
	memcpy(token, fy_withdrawal_token(&w->ctx, &person, FY_CONSENT_MARKET_RESEARCH).text.ptr, sizeof token);
}

static void follow_link(struct worker *w)
{
	enum fy_consent_purpose purpose;
	uint64_t id;
	w->ctx.keys = late;
	CHECK_CODE(fy_withdrawal_find(&w->ctx, fy_slice(token, sizeof token), &id, &purpose), 0);
	CHECK(id == people[0] && purpose == FY_CONSENT_MARKET_RESEARCH);
}

static void links_to_withdraw_a_consent_outlive_a_rotation(void **harness)
{
	(void)harness;
	run_all(1, make_link, NULL);
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	run_all(1, follow_link, NULL);
}

static void between_preparing_and_rotating_new_persons_can_be_made(void **harness)
{
	(void)harness;
	run_all(1, start_with_both, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.master_key"), 2);
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.master_key"), 1);
}

static void a_rotation_that_was_cut_off_goes_on(void **harness)
{
	(void)harness;
	change("CREATE TRIGGER foyer_keys.cut_off BEFORE UPDATE ON foyer_keys.person_key FOR EACH ROW IF (SELECT COUNT(*) FROM "
	       "foyer_keys.person_key WHERE master_key_id = NEW.master_key_id) >= 300 THEN SIGNAL SQLSTATE '45000'; END IF");
	run_all(1, rotate, NULL);
	change("DROP TRIGGER foyer_keys.cut_off");
	assert_int_not_equal(outcome, 0);
	assert_int_equal(state.done, 200); /* what was committed, not what was tried */
	assert_int_equal(state.total, PEOPLE);
	assert_int_equal(access(next, F_OK), 0);
	run_all(1, start_without_the_next_key, early);
	run_all(1, open_all, early); /* half is wrapped by a key that this process must look for */
	run_all(1, open_all, late);
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	assert_int_equal(state.done, PEOPLE - 200);
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.master_key"), 1);
	assert_int_not_equal(access(next, F_OK), 0);
	struct fy_keys *fresh;
	char why[256];
	assert_int_equal(fy_keys_load(path, &fresh, why), 0);
	run_all(1, open_all, fresh);
	fy_keys_destroy(fresh);
}

static void a_damaged_key_is_named_and_the_old_master_key_stays_in_use(void **harness)
{
	(void)harness;
	struct fy_keys *old = early;
	change("UPDATE foyer_keys.person_key SET wrapped = REVERSE(wrapped) ORDER BY person_id LIMIT 1");
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, FY_ERR_UNREADABLE);
	assert_int_equal(state.damaged, 1);
	assert_int_equal(state.done, PEOPLE - 1);
	assert_non_null(strstr(fault, "1 keys do not open"));
	assert_int_equal(number("SELECT COUNT(*) FROM foyer_keys.master_key"), 2);
	assert_int_equal(access(next, F_OK), 0);
	change("UPDATE foyer_keys.person_key SET wrapped = REVERSE(wrapped) ORDER BY person_id LIMIT 1"); /* restored from a copy */
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	run_all(1, open_all, old);
}

static void register_somebody(struct worker *w)
{
	uint64_t id;
	struct fy_account_new account = { .email = personal("late@example.org"),
					  .email_hash = hash_of(&w->arena, "late"),
					  .given_name = personal("Late"),
					  .family_name = personal("Comer") };
	struct fy_account read;
	w->ctx.keys = early;
	CHECK_CODE(fy_accounts_create(&w->ctx, &account, 0, FY_NONE, 0, NULL, &id), 0);
	w->ctx.keys = late;
	CHECK_CODE(fy_accounts_get(&w->ctx, id, FY_PURPOSE_RIGHTS, &read), 0);
}

static void a_server_that_missed_the_rotation_learns_of_it_before_it_can_lose_a_key(void **harness)
{
	(void)harness;
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	run_all(1, register_somebody, NULL);
	assert_int_equal(number("SELECT COUNT(DISTINCT master_key_id) FROM foyer_keys.person_key"), 1);
	assert_int_equal(
		number("SELECT COUNT(*) FROM foyer_keys.person_key p LEFT JOIN foyer_keys.master_key m ON m.id = p.master_key_id WHERE "
		       "m.id IS NULL"),
		0);
}

static void start_with(struct worker *w)
{
	w->ctx.keys = w->arg;
	CHECK_CODE(fy_instance_check_key(&w->ctx), FY_ERR_CONFIG);
	CHECK(strstr(w->ctx.fault, "is not the one"));
}

static void after_a_rotation_the_old_key_file_is_refused(void **harness)
{
	(void)harness;
	char why[256], copy[64];
	struct fy_keys *old;
	snprintf(copy, sizeof copy, "%s/copy", folder);
	assert_int_equal(link(path, copy), 0);
	run_all(1, rotate, NULL);
	assert_int_equal(outcome, 0);
	assert_int_equal(fy_keys_load(copy, &old, why), 0);
	run_all(1, start_with, old);
	fy_keys_destroy(old);
	unlink(copy);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, given_people, forget)
	const struct CMUnitTest tests[] = {
		TEST(a_rotation_that_was_cut_off_goes_on),
		TEST(between_preparing_and_rotating_new_persons_can_be_made),
		TEST(a_damaged_key_is_named_and_the_old_master_key_stays_in_use),
		TEST(a_server_that_missed_the_rotation_learns_of_it_before_it_can_lose_a_key),
		TEST(after_a_rotation_the_old_key_file_is_refused),
		TEST(links_to_withdraw_a_consent_outlive_a_rotation),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
