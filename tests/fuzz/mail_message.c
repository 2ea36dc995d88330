/* Mail: whatever stands in the fields, the head has exactly the lines asked for, and no line is too long. */
#include "fuzz.h"

#include "protocol/mail_message.h"

static void check_lines(struct fy_slice text, const struct fy_mail *mail)
{
	size_t heads = 0, should = 7 + (mail->reply_to.address.len > 0) + (mail->in_reply_to.len > 0) +
				   (mail->references.len > 0) + (mail->language.len > 0) + mail->auto_generated +
				   2 * (mail->list_unsubscribe.len > 0) + (mail->html.len == 0);
	bool head = true;
	while (text.len) {
		struct fy_slice line = fy_cut(&text, '\n');
		MUST(line.len && line.ptr[line.len - 1] == '\r');
		line.len--;
		MUST(line.len == 0 || !memchr(line.ptr, '\r', line.len));
		MUST(line.len <= 998 && (head || line.len <= 78));
		for (size_t i = 0; i < line.len; i++)
			MUST((line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f) || line.ptr[i] == '\t');
		if (line.len == 0)
			head = false;
		if (head && line.ptr[0] != ' ') {
			heads++;
			MUST(memchr(line.ptr, ':', line.len));
		}
	}
	MUST(heads == should);
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_mail mail = { .from = { part(arena, &input), FY_LIT("from@example.org") } };
	const char *bad = NULL;
	mail.to.name = part(arena, &input);
	mail.to.address = part(arena, &input);
	mail.reply_to.address = part(arena, &input);
	mail.subject = part(arena, &input);
	mail.message_id = part(arena, &input);
	mail.in_reply_to = part(arena, &input);
	mail.references = part(arena, &input);
	mail.language = part(arena, &input);
	mail.list_unsubscribe = part(arena, &input);
	mail.text = part(arena, &input);
	mail.html = part(arena, &input);
	mail.auto_generated = mail.text.len % 2;
	mail.date = (fy_time)mail.html.len * FY_DAY;
	if (fy_mail_write(out, &mail, &bad)) {
		MUST(bad && out->len == 0);
		return;
	}
	check_lines(fy_buf_slice(out), &mail);
}

FUZZ_TARGET(run)
