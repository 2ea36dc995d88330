/* Which passwords are taken, and which rule refuses the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "foyer/err.h"
#include "foyer/require.h"
#include "server/auth/password_rules.h"

static struct fy_arena arena;

static int finish(void **state)
{
	(void)state;
	fy_arena_finish(&arena);
	fy_arena_trim();
	return 0;
}

static enum fy_password_fault check_for(const char *password, const char *email, const char *name)
{
	struct fy_slice personal[] = { fy_str(email), fy_str(name), FY_LIT("Foyer") };
	return fy_password_check(&arena, fy_str(password), personal, FY_COUNT(personal));
}

static enum fy_password_fault check(const char *password)
{
	return check_for(password, "claire.fontaine@example.org", "Claire Fontaine");
}

static void every_common_password_is_refused(void **state)
{
	(void)state;
	char line[256], upper[256];
	unsigned count = 0, as_common = 0, empty = 0;
	FILE *list = fopen(COMMON, "r");
	assert_non_null(list);
	while (fgets(line, sizeof line, list)) {
		line[strcspn(line, "\n")] = '\0';
		count++;
		if (line[0] == '\0') { /* the list has the empty one, too */
			empty++;
			assert_int_equal(check(line), FY_PASSWORD_MISSING);
			continue;
		}
		enum fy_password_fault fault = check(line);
		if (fault != FY_PASSWORD_COMMON)
			print_error("%s gives %d\n", line, (int)fault);
		as_common += fault == FY_PASSWORD_COMMON;
		for (size_t i = 0; i <= strlen(line); i++)
			upper[i] = line[i] >= 'a' && line[i] <= 'z' ? (char)(line[i] - 32) : line[i];
		assert_int_equal(check(upper), FY_PASSWORD_COMMON);
	}
	fclose(list);
	assert_int_equal(count, 3000);
	assert_int_equal(empty, 1);
	assert_int_equal(as_common, 2999);
}

static void common_words_with_an_ending_are_still_common(void **state)
{
	(void)state;
	assert_int_equal(check("password2026!"), FY_PASSWORD_COMMON);
	assert_int_equal(check("12345Football67890"), FY_PASSWORD_COMMON);
	assert_int_equal(check("!!!sunshine!!!"), FY_PASSWORD_COMMON);
}

static void words_of_the_list_are_worth_little_however_they_are_spelled(void **state)
{
	(void)state;
	static const char *const bad[] = { "motdepasse75003", "motdepassemotdepasse", "MotDePasse-MotDePasse",
					   "soleilsoleil13",  "Soleil!Soleil!2026",   "bonjoursoleil2024",
					   "p@ssw0rd12345",   "M0td3p@553!!!!",       "P4$$w0rdP4$$w0rd",
					   "jetaimejetaime",  "b0nj0ur-s0l31l",       "ch0c0l@t4ever",
					   "marseille13000!", "!l0v3y0u-s0l31l",      "vacances2026vacances",
					   "foyerparis75003" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (check(bad[i]) == FY_PASSWORD_GOOD || check(bad[i]) == FY_PASSWORD_SHORT)
			fail_msg("%s gives %d", bad[i], (int)check(bad[i]));
	assert_int_equal(check("M0td3p@553!!!!"), FY_PASSWORD_COMMON);
	assert_int_equal(check("bonjour, le soleil mange une horloge"), FY_PASSWORD_GOOD);
	assert_int_equal(check("soleil-xK4$vq9mZw2"), FY_PASSWORD_GOOD);
}

static void fingers_that_walk_over_the_keyboard_surprise_nobody(void **state)
{
	(void)state;
	static const char *const bad[] = { "azertyqsdfgh",        "AzertyUiop123", "qsdfghjklmwxcvbn",
					   "azertyuiopoiuytreza", "1qaz2wsx3edc",  "1aqw2zsx3edc4rfv",
					   "qwertyasdfgh",        "poiuytrezaml",  "wxcvbnqsdfgh12",
					   "QWERTYuiop!!" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (check(bad[i]) == FY_PASSWORD_GOOD || check(bad[i]) == FY_PASSWORD_SHORT)
			fail_msg("%s gives %d", bad[i], (int)check(bad[i]));
}

static void length_is_counted_in_code_points(void **state)
{
	(void)state;
	char text[1001];
	assert_int_equal(check(""), FY_PASSWORD_MISSING);
	assert_int_equal(check("xK4$vq9mZw2"), FY_PASSWORD_SHORT);
	assert_int_equal(check("xK4$vq9mZw2L"), FY_PASSWORD_GOOD);
	assert_int_equal(check("żółćęśąźńłó"), FY_PASSWORD_SHORT); /* 11, in 22 bytes */
	assert_int_equal(check("żółćęśąźńłób"), FY_PASSWORD_GOOD);
	for (int i = 0; i < 1000; i++)
		text[i] = (char)('!' + (i * 7919 + i * i * 31) % 90);
	text[FY_PASSWORD_MAX] = '\0';
	assert_int_equal(check(text), FY_PASSWORD_GOOD);
	text[FY_PASSWORD_MAX] = 'x';
	text[FY_PASSWORD_MAX + 1] = '\0';
	assert_int_equal(check(text), FY_PASSWORD_LONG);
	assert_true(FY_PASSWORD_MIN == 12 && FY_PASSWORD_MAX >= 128);
}

static void good_ones_are_taken_whatever_they_are_made_of(void **state)
{
	(void)state;
	assert_int_equal(check("correct horse battery staple"), FY_PASSWORD_GOOD);
	assert_int_equal(check("le petit chat mange du fromage"), FY_PASSWORD_GOOD);
	assert_int_equal(check("qwmzhtfbkxnrdp"), FY_PASSWORD_GOOD);   /* no digit, no capital, no sign */
	assert_int_equal(check("8462951703759284"), FY_PASSWORD_GOOD); /* 16 digits: 53 bits, as the CNIL counts */
	assert_int_equal(check("пароль для семьи Леруа"), FY_PASSWORD_GOOD);
}

static void what_repeats_or_runs_is_weak(void **state)
{
	(void)state;
	assert_int_equal(check("aaaaaaaaaaaaaaaa"), FY_PASSWORD_WEAK);
	assert_int_equal(check("abababababababab"), FY_PASSWORD_WEAK);
	assert_int_equal(check("abcdefghijklmnopqrstuvwxyz"), FY_PASSWORD_WEAK);
	assert_int_equal(check("98765432109876543210"), FY_PASSWORD_WEAK);
	assert_int_equal(check("zkqzkqzkqzkqzkqzkq"), FY_PASSWORD_WEAK);
	assert_int_equal(check("840192736551"), FY_PASSWORD_WEAK); /* 12 digits: 40 bits */
	assert_int_equal(check("            "), FY_PASSWORD_WEAK);
}

static void the_persons_own_words_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check("claire.fontaine@example.org"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("FontaineClaire1975"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("claire-fontaine-75"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("foyerfoyer2026"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("F0y3r-2026-F0y3r"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("cl@1reF0nt@1ne"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check("xx-Foyer-foyer-FOYER"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check_for("Élodie-Élodie75", "x@example.org", "élodie Garçon"), FY_PASSWORD_PERSONAL);
	assert_int_equal(check_for("garçongarçon12", "x@example.org", "Élodie Garçon"), FY_PASSWORD_PERSONAL);
	/* A short name stands in many a word, and what remains may be strong enough alone. */
	assert_int_equal(check_for("xK4$vq9mZw2Lea", "lea@example.org", "Léa Li"), FY_PASSWORD_GOOD);
	assert_int_equal(check("xK4$vq9mZw2Lclaire"), FY_PASSWORD_GOOD);
	assert_int_equal(check_for("xK4$vq9mZw2L", "", ""), FY_PASSWORD_GOOD);
}

static void broken_and_invisible_text_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check("xK4$vq9mZw2\xff"), FY_PASSWORD_CHARACTERS);
	assert_int_equal(check("xK4$vq9m\tZw2L"), FY_PASSWORD_CHARACTERS);
	assert_int_equal(check("xK4$vq9m\xe2\x80\xae"
			       "Zw2L"),
			 FY_PASSWORD_CHARACTERS);
	struct fy_slice nul = fy_slice("xK4$vq9m\0Zw2L", 13);
	assert_int_equal(fy_password_check(&arena, nul, NULL, 0), FY_PASSWORD_CHARACTERS);
}

static void all_keyboards_give_the_same_bytes(void **state)
{
	(void)state;
	struct fy_secret composed, decomposed;
	assert_int_equal(fy_password_normalise(&arena, fy_str("caf\xc3\xa9 cr\xc3\xa8me 12"), &composed), 0);
	assert_int_equal(fy_password_normalise(&arena, fy_str("cafe\xcc\x81 cre\xcc\x80me 12"), &decomposed), 0);
	assert_true(fy_eq(composed.text, decomposed.text));
	assert_int_equal(fy_password_normalise(&arena, fy_str("\xc3"), &composed), FY_ERR_INVALID);
}

static void the_estimate_agrees_with_the_cnil(void **state)
{
	(void)state;
	/* L log2 N, without repetitions: 16 digits 53.2; 8 of 95 signs 52.6; 26 letters 4.7 each. */
	assert_true(fy_password_bits(FY_LIT("8401927365840192")) < 53.3);
	assert_true(fy_password_bits(FY_LIT("8462951703759284")) > 53.0);
	assert_true(fy_password_bits(FY_LIT("aQ3$zM8!")) > 52.5 && fy_password_bits(FY_LIT("aQ3$zM8!")) < 52.7);
	assert_true(fy_password_bits(FY_NONE) == 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, finish)
	const struct CMUnitTest tests[] = {
		TEST(every_common_password_is_refused),
		TEST(common_words_with_an_ending_are_still_common),
		TEST(words_of_the_list_are_worth_little_however_they_are_spelled),
		TEST(fingers_that_walk_over_the_keyboard_surprise_nobody),
		TEST(length_is_counted_in_code_points),
		TEST(good_ones_are_taken_whatever_they_are_made_of),
		TEST(what_repeats_or_runs_is_weak),
		TEST(the_persons_own_words_are_refused),
		TEST(broken_and_invisible_text_is_refused),
		TEST(all_keyboards_give_the_same_bytes),
		TEST(the_estimate_agrees_with_the_cnil),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
