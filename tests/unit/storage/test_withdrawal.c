/* The link that withdraws a consent: it works for its person and its purpose, and for nothing else. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/withdrawal.c"

static int find(struct worker *w, struct fy_slice token, uint64_t *ret_id)
{
	enum fy_consent_purpose purpose;
	return fy_withdrawal_find(&w->ctx, token, ret_id, &purpose);
}

static struct fy_slice token_of(struct worker *w, uint64_t id)
{
	struct fy_person person;
	if (fy_persons_get(&w->ctx, id, &person))
		return FY_NONE;
	return fy_withdrawal_token(&w->ctx, &person, FY_CONSENT_MARKET_RESEARCH).text;
}

static void a_link_names_its_person(struct worker *w)
{
	uint64_t ada = given_person(&w->ctx), bea = given_person(&w->ctx), id = 0;
	struct fy_slice token = token_of(w, ada), again = token_of(w, ada);
	CHECK(token.len == FY_WITHDRAWAL_CHARS && fy_eq(token, again)); /* the same in each mail */
	CHECK(!fy_eq(token, token_of(w, bea)));
	CHECK_CODE(find(w, token, &id), 0);
	CHECK(id == ada);
}

static void changes_are_refused(struct worker *w)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t ada = given_person(&w->ctx), id = 0;
	struct fy_slice token = token_of(w, ada);
	for (size_t i = 0; i < token.len; i++) {
		char *other = fy_cstr(&w->arena, token);
		const char *at = strchr(alphabet, other[i]);
		CHECK(at != NULL);
		other[i] = alphabet[(size_t)(at - alphabet) ^ 32]; /* a bit that counts in the last one, too */
		CHECK_CODE(find(w, fy_str(other), &id), FY_ERR_NOT_FOUND);
		other[i] = '=';
		CHECK_CODE(find(w, fy_str(other), &id), FY_ERR_NOT_FOUND);
	}
	CHECK_CODE(find(w, fy_upto(token, token.len - 1), &id), FY_ERR_NOT_FOUND);
	CHECK_CODE(find(w, fy_fmt(&w->arena, FY_FMT "A", FY_ARG(token)), &id), FY_ERR_NOT_FOUND);
	CHECK_CODE(find(w, FY_NONE, &id), FY_ERR_NOT_FOUND);
	CHECK(id == 0);
}

/* The MAC of one person's link before the number of another. */
static void of_another_person(struct worker *w)
{
	uint8_t mine[ABOUT_BYTES + MAC_BYTES], theirs[ABOUT_BYTES + MAC_BYTES];
	uint64_t ada = given_person(&w->ctx), bea = given_person(&w->ctx), id = 0;
	struct fy_slice a = token_of(w, ada), b = token_of(w, bea);
	char forged[FY_WITHDRAWAL_CHARS + 1];
	sodium_base642bin(mine, sizeof mine, a.ptr, a.len, NULL, NULL, NULL, VARIANT);
	sodium_base642bin(theirs, sizeof theirs, b.ptr, b.len, NULL, NULL, NULL, VARIANT);
	memcpy(mine, theirs, ABOUT_BYTES);
	sodium_bin2base64(forged, sizeof forged, mine, sizeof mine, VARIANT);
	CHECK_CODE(find(w, fy_str(forged), &id), FY_ERR_NOT_FOUND);
}

static void of_another_purpose(struct worker *w)
{
	uint8_t about[ABOUT_BYTES] = { [8] = 1 }, one[MAC_BYTES], two[MAC_BYTES];
	struct fy_person person;
	CHECK_CODE(fy_persons_get(&w->ctx, given_person(&w->ctx), &person), 0);
	sign(&person, about, one);
	about[8] = 2;
	sign(&person, about, two);
	CHECK(memcmp(one, two, MAC_BYTES) != 0);
	CHECK(memcmp(one, person.key, MAC_BYTES) != 0);
}

static void after_erasure(struct worker *w)
{
	uint64_t ada = given_person(&w->ctx), id = 0;
	struct fy_slice token = token_of(w, ada);
	CHECK_CODE(find(w, token, &id), 0);
	CHECK_CODE(fy_persons_destroy(&w->ctx, ada), 0);
	CHECK_CODE(find(w, token, &id), FY_ERR_NOT_FOUND);
}

#define RUN(name, body)                 \
	static void name(void **state)  \
	{                               \
		(void)state;            \
		run_all(1, body, NULL); \
	}
RUN(a_link_names_its_person_and_is_the_same_in_each_mail, a_link_names_its_person)
RUN(a_link_with_a_single_change_is_refused, changes_are_refused)
RUN(a_link_of_one_person_does_not_work_for_another, of_another_person)
RUN(a_link_for_one_purpose_does_not_work_for_another, of_another_purpose)
RUN(a_link_dies_with_its_person, after_erasure)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_names_its_person_and_is_the_same_in_each_mail),
		TEST(a_link_with_a_single_change_is_refused),
		TEST(a_link_of_one_person_does_not_work_for_another),
		TEST(a_link_for_one_purpose_does_not_work_for_another),
		TEST(a_link_dies_with_its_person),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
