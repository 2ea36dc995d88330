/* E-mail: an accepted address parses to itself and can go into a mail as a recipient. */
#include "fuzz.h"

#include "protocol/email_address.h"
#include "protocol/mail_message.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice address, again;
	if (fy_email_parse(arena, exact(arena, input), &address))
		return;
	MUST(address.len <= FY_EMAIL_MAX && address.len == input.len);
	MUST(fy_email_parse(arena, address, &again) == 0 && fy_eq(address, again));
	MUST(fy_email_domain(address).len && fy_eq_nocase(fy_email_key(arena, address), address));
	struct fy_mail mail = { .from = { FY_LIT("F"), FY_LIT("f@example.org") },
				.to = { .address = address },
				.subject = FY_LIT("s"),
				.text = FY_LIT("t"),
				.message_id = FY_LIT("1@example.org") };
	MUST(fy_mail_write(out, &mail, NULL) == 0);
}

FUZZ_TARGET(run)
