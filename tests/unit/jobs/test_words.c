/* What runs did, in words: one and many, both languages, and what is no key stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "foyer/require.h"
#include "jobs/words.h"

static void details_read_well_in_both_languages(void **state)
{
	static const struct {
		const char *detail, *fr, *en;
	} cases[] = {
		{ "send|1|mails", "envoyé\u00a0: 1 e-mail", "sent 1 mail" },
		{ "send|2|mails; give up|1|mails", "envoyé\u00a0: 2 e-mails, abandonné\u00a0: 1 e-mail",
		  "sent 2 mails, gave up on 1 mail" },
		{ "delete|0|expired links", "supprimé\u00a0: 0 lien expiré", "deleted 0 expired links" },
		{ "delete|450|unconfirmed registrations", "supprimé\u00a0: 450 inscriptions non confirmées",
		  "deleted 450 unconfirmed registrations" },
		{ "nothing to do", "rien à faire", "nothing to do" },
		{ "stopped half-way, as the server ends; rotate|1|logs",
		  "arrêté à mi-chemin, car le serveur s'arrête, archivé\u00a0: 1 journal",
		  "stopped half-way, as the server ends, rotated 1 log" },
		{ "the disk is full; delete|x|old logs", "the disk is full, delete|x|old logs",
		  "the disk is full, delete|x|old logs" },
		{ "delete 3 tokens, send 1 mails", "delete 3 tokens, send 1 mails", "delete 3 tokens, send 1 mails" },
		{ "", "", "" },
	};
	struct fy_arena arena;

	(void)state;
	fy_arena_init(&arena, 0);
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		struct fy_slice detail = fy_str(cases[i].detail);
		assert_string_equal(fy_cstr(&arena, fy_job_detail_words(&arena, FY_LANG_FR, detail)), cases[i].fr);
		assert_string_equal(fy_cstr(&arena, fy_job_detail_words(&arena, FY_LANG_EN, detail)), cases[i].en);
	}
	fy_arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(details_read_well_in_both_languages) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
