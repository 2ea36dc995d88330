/* Writing one mail; see mail_letter.h. */
#include "jobs/mail_letter.h"

#include <sodium.h>

#include "protocol/datetime.h"
#include "protocol/email_address.h"
#include "protocol/mail_message.h"

#define ID_BYTES 16

/* "Name <address>", "<address>" or "address"; the name may stand in quotes. */
static int read_sender(struct fy_arena *arena, struct fy_slice sender, struct fy_mailbox *ret_mailbox)
{
	struct fy_slice text = fy_trim(sender), address = text, name = FY_NONE;

	if (text.len && text.ptr[text.len - 1] == '>') {
		const char *open = memrchr(text.ptr, '<', text.len);
		if (open == NULL)
			return FY_ERR_CONFIG;
		name = fy_trim(fy_slice(text.ptr, (size_t)(open - text.ptr)));
		address = fy_slice(open + 1, (size_t)(text.ptr + text.len - 1 - (open + 1)));
		if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
			name = fy_slice(name.ptr + 1, name.len - 2);
	}
	ret_mailbox->name = name;
	return fy_email_parse(arena, address, &ret_mailbox->address) ? FY_ERR_CONFIG : 0;
}

/* From what never changes about the row, so that a mail delivered twice is recognised as one. Hashed: a number that
 * counts up would tell each reader how many mails there were. */
static struct fy_slice message_id(struct fy_arena *arena, const struct fy_letter *letter, struct fy_slice from)
{
	uint8_t hash[ID_BYTES];
	char hex[2 * ID_BYTES + 1];
	struct fy_slice seed = fy_fmt(arena, "%llu %lld " FY_FMT, (unsigned long long)letter->id,
				      (long long)letter->created_at, FY_ARG(letter->to.text));

	crypto_generichash(hash, sizeof hash, (const uint8_t *)seed.ptr, seed.len, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
	return fy_fmt(arena, "%s@" FY_FMT, hex, FY_ARG(fy_email_domain(from)));
}

int fy_letter_write(struct fy_arena *arena, const struct fy_letter *letter, struct fy_letter_written *ret_written,
		    const char **ret_why)
{
	struct fy_mail mail = {
		.subject = letter->subject.text,
		.text = letter->text.text,
		.html = letter->html.text,
		.language = letter->lang == FY_LANG_FR ? FY_LIT("fr") : FY_LIT("en"),
		.date = letter->created_at,
		.auto_generated = true,
	};
	struct fy_buf buf;
	const char *bad = "message";

	if (fy_starts(letter->withdraw_link.text, FY_LIT("https://")))
		mail.list_unsubscribe = letter->withdraw_link.text;
	*ret_why = "mail.from";
	int err = read_sender(arena, letter->sender, &mail.from);
	if (err)
		return err;
	*ret_why = "recipient";
	if (fy_email_parse(arena, letter->to.text, &mail.to.address))
		return FY_ERR_INVALID;
	mail.message_id = message_id(arena, letter, mail.from.address);
	fy_buf_init(&buf, arena, FY_LETTER_MAX);
	fy_buf_reserve(&buf, 2048 + 2 * (letter->text.text.len + letter->html.text.len)); /* growing leaves copies */
	buf.failed = false;
	err = fy_mail_write(&buf, &mail, &bad);
	*ret_why = bad;
	if (err)
		return err;
	*ret_written = (struct fy_letter_written){ .from = mail.from.address,
						   .to = { mail.to.address },
						   .message = { fy_buf_slice(&buf) } };
	return 0;
}

struct fy_slice fy_letter_name(struct fy_arena *arena, const struct fy_letter *letter)
{
	struct fy_datetime at = fy_datetime_utc(letter->created_at);

	return fy_fmt(arena, "%04d%02d%02dT%02d%02d%02d.%06dZ-%012llu", at.date.year, at.date.month, at.date.day,
		      at.hour, at.minute, at.second, at.micro, (unsigned long long)letter->id);
}
