/* Puts one message together: headers in a fixed order, then the text, or text and HTML as alternatives.
 * Leaves encodings to mail_encode.c. Called by the mail job for each row of the outbox.
 *
 * Everything that comes from people is either checked against a small set of characters (addresses, ids) or
 * encoded; a control character anywhere in a header is an error, so a header cannot be injected. */
#include "protocol/mail_message.h"

#include "foyer/err.h"
#include "protocol/datetime.h"
#include "protocol/email_address.h"
#include "protocol/http_chars.h"
#include "protocol/mail_encode.h"
#include "protocol/utf8.h"

#define SUBJECT_MAX 500 /* bytes of UTF-8 */
#define NAME_MAX_BYTES 200
#define ID_MAX 200
#define REFERENCES_MAX 2000
#define URL_MAX 900
#define BOUNDARY "=_foyer_alternative_=_" /* "=_" does not occur in quoted-printable */

static bool is_atext(char c)
{
	return fy_char_is(c, FY_C_TOKEN) || c == '/' || c == '=' || c == '?' || c == '{' || c == '}';
}

/* One '@' with something on both sides, and no byte that means anything in a header. */
static bool addr_spec_ok(struct fy_slice text, size_t max)
{
	size_t at = 0, ats = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '@') {
			at = i;
			ats++;
		} else if (!is_atext(text.ptr[i]) && text.ptr[i] != '.') {
			return false;
		}
	}
	return text.len <= max && ats == 1 && at > 0 && at + 1 < text.len;
}

static bool mailbox_ok(const struct fy_mailbox *box)
{
	return addr_spec_ok(box->address, FY_EMAIL_MAX) && box->name.len <= NAME_MAX_BYTES &&
	       fy_utf8_is_line(box->name);
}

static bool references_ok(struct fy_slice ids)
{
	if (ids.len > REFERENCES_MAX)
		return false;
	while (ids.len) {
		struct fy_slice id = fy_cut(&ids, ' ');
		if (!addr_spec_ok(id, ID_MAX))
			return false;
	}
	return true;
}

static bool url_ok(struct fy_slice url)
{
	return url.len <= URL_MAX && fy_starts(url, FY_LIT("https://")) &&
	       fy_span(url, FY_C_PATH | FY_C_QUERY) == url.len && memchr(url.ptr, ',', url.len) == NULL;
}

static const char *find_fault(const struct fy_mail *mail)
{
	if (!mailbox_ok(&mail->from))
		return "from";
	if (!mailbox_ok(&mail->to))
		return "to";
	if (mail->reply_to.address.len && !mailbox_ok(&mail->reply_to))
		return "reply_to";
	if (mail->subject.len == 0 || mail->subject.len > SUBJECT_MAX || !fy_utf8_is_line(mail->subject))
		return "subject";
	if (!addr_spec_ok(mail->message_id, ID_MAX))
		return "message_id";
	if (mail->in_reply_to.len && !addr_spec_ok(mail->in_reply_to, ID_MAX))
		return "in_reply_to";
	if (!references_ok(mail->references))
		return "references";
	if (mail->language.len > 8 || fy_span(mail->language, FY_C_UNRESERVED) != mail->language.len)
		return "language";
	if (mail->list_unsubscribe.len && !url_ok(mail->list_unsubscribe))
		return "list_unsubscribe";
	if (mail->text.len == 0 || !fy_utf8_valid(mail->text))
		return "text";
	return fy_utf8_valid(mail->html) ? NULL : "html";
}

static void put_mailbox(struct fy_buf *buf, const char *field, const struct fy_mailbox *box)
{
	size_t column = strlen(field);
	fy_buf_put(buf, fy_str(field));
	if (fy_trim(box->name).len) {
		column = fy_mail_put_phrase(buf, fy_trim(box->name), column);
		bool long_line = column + box->address.len + 3 > FY_MAIL_LINE;
		fy_buf_put(buf, long_line ? FY_LIT("\r\n ") : FY_LIT(" "));
	}
	fy_buf_char(buf, '<');
	fy_buf_put(buf, box->address);
	fy_buf_put(buf, FY_LIT(">\r\n"));
}

static void put_ids(struct fy_buf *buf, const char *field, struct fy_slice ids)
{
	fy_buf_put(buf, fy_str(field));
	for (bool first = true; ids.len; first = false) {
		struct fy_slice id = fy_cut(&ids, ' ');
		fy_buf_put(buf, first ? FY_LIT("<") : FY_LIT("\r\n <"));
		fy_buf_put(buf, id);
		fy_buf_char(buf, '>');
	}
	fy_buf_put(buf, FY_LIT("\r\n"));
}

static void put_headers(struct fy_buf *buf, const struct fy_mail *mail)
{
	fy_buf_put(buf, FY_LIT("Date: "));
	fy_put_mail_date(buf, mail->date);
	fy_buf_put(buf, FY_LIT("\r\n"));
	put_mailbox(buf, "From: ", &mail->from);
	put_mailbox(buf, "To: ", &mail->to);
	if (mail->reply_to.address.len)
		put_mailbox(buf, "Reply-To: ", &mail->reply_to);
	put_ids(buf, "Message-ID: ", mail->message_id);
	if (mail->in_reply_to.len)
		put_ids(buf, "In-Reply-To: ", mail->in_reply_to);
	if (mail->references.len)
		put_ids(buf, "References: ", mail->references);
	fy_buf_put(buf, FY_LIT("Subject: "));
	fy_mail_put_text(buf, mail->subject, strlen("Subject: "));
	fy_buf_put(buf, FY_LIT("\r\nMIME-Version: 1.0\r\n"));
	if (mail->language.len) {
		fy_buf_put(buf, FY_LIT("Content-Language: "));
		fy_buf_put(buf, mail->language);
		fy_buf_put(buf, FY_LIT("\r\n"));
	}
	if (mail->auto_generated || mail->auto_replied)
		fy_buf_put(buf, mail->auto_replied ? FY_LIT("Auto-Submitted: auto-replied\r\n")
						   : FY_LIT("Auto-Submitted: auto-generated\r\n"));
	if (mail->list_unsubscribe.len) {
		fy_buf_put(buf, FY_LIT("List-Unsubscribe: <"));
		fy_buf_put(buf, mail->list_unsubscribe);
		fy_buf_put(buf, FY_LIT(">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
	}
}

static void put_part(struct fy_buf *buf, struct fy_slice subtype, struct fy_slice text)
{
	fy_buf_put(buf, FY_LIT("Content-Type: text/"));
	fy_buf_put(buf, subtype);
	fy_buf_put(buf, FY_LIT("; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"));
	fy_mail_put_quoted_printable(buf, text);
}

int fy_mail_write(struct fy_buf *buf, const struct fy_mail *mail, const char **ret_bad)
{
	const char *fault = find_fault(mail);
	if (fault) {
		if (ret_bad)
			*ret_bad = fault;
		return FY_ERR_INVALID;
	}
	put_headers(buf, mail);
	if (mail->html.len == 0) {
		put_part(buf, FY_LIT("plain"), mail->text);
	} else {
		fy_buf_put(buf, FY_LIT("Content-Type: multipart/alternative; boundary=\"" BOUNDARY "\"\r\n"
				       "\r\n--" BOUNDARY "\r\n"));
		put_part(buf, FY_LIT("plain"), mail->text);
		fy_buf_put(buf, FY_LIT("\r\n--" BOUNDARY "\r\n"));
		put_part(buf, FY_LIT("html"), mail->html);
		fy_buf_put(buf, FY_LIT("\r\n--" BOUNDARY "--\r\n"));
	}
	return buf->failed ? FY_ERR_TOO_LARGE : 0;
}
