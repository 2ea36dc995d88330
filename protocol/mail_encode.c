/* Encodes header text and bodies of mail.
 * Leaves checking for control characters to mail_message.c: here everything is encoded, nothing judged. */
#include "protocol/mail_encode.h"

#include "protocol/basexx.h"
#include "protocol/http_chars.h"
#include "protocol/utf8.h"

#define WORD_PLAIN_MAX 60 /* longer words cannot be folded and are encoded */

static size_t put(struct fy_buf *buf, struct fy_slice text, size_t column)
{
	fy_buf_put(buf, text);
	return column + text.len;
}

static size_t fold(struct fy_buf *buf)
{
	fy_buf_put(buf, FY_LIT("\r\n "));
	return 1;
}

/* True when the text can stand as it is: ASCII, no long words, nothing that looks like an encoded word. */
static bool is_plain(struct fy_slice text)
{
	size_t word = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c < 0x20 || c > 0x7e || (c == '=' && i + 1 < text.len && text.ptr[i + 1] == '?'))
			return false;
		word = c == ' ' ? 0 : word + 1;
		if (word > WORD_PLAIN_MAX)
			return false;
	}
	return true;
}

/* "=?utf-8?B?" + base64 + "?=", each at most 75 bytes and never cut inside a character (RFC 2047 2, 5). */
static size_t put_encoded_words(struct fy_buf *buf, struct fy_slice text, size_t column)
{
	const size_t frame = 12;
	for (bool first = true; text.len; first = false) {
		if (!first || column + frame + 12 > FY_MAIL_LINE)
			column = fold(buf);
		size_t room = (FY_MAIL_LINE - column - frame) / 4 * 3, n = 0;
		struct fy_slice rest = text;
		while (rest.len && fy_utf8_next(&rest) >= 0 && text.len - rest.len <= room)
			n = text.len - rest.len;
		if (n == 0)
			n = 1; /* an invalid byte; callers have validated, so this does not happen */
		char word[76];
		size_t len = fy_base64_encode(word, text.ptr, n);
		column = put(buf, FY_LIT("=?utf-8?B?"), column);
		column = put(buf, fy_slice(word, len), column);
		column = put(buf, FY_LIT("?="), column);
		text = fy_from(text, n);
	}
	return column;
}

size_t fy_mail_put_text(struct fy_buf *buf, struct fy_slice text, size_t column)
{
	text = fy_trim(text);
	if (!is_plain(text))
		return put_encoded_words(buf, text, column);
	for (bool first = true; text.ptr; first = false) {
		struct fy_slice word = fy_cut(&text, ' ');
		/* A line must not be white space only, so a fold comes before a word, never before a space. */
		if (!first && word.len && column + 1 + word.len > FY_MAIL_LINE)
			column = fold(buf);
		else if (!first)
			column = put(buf, FY_LIT(" "), column);
		column = put(buf, word, column);
	}
	return column;
}

size_t fy_mail_put_phrase(struct fy_buf *buf, struct fy_slice name, size_t column)
{
	bool atoms = true;
	if (!is_plain(name) || name.len > WORD_PLAIN_MAX)
		return put_encoded_words(buf, name, column);
	for (size_t i = 0; i < name.len; i++)
		atoms &= name.ptr[i] == ' ' || fy_char_is(name.ptr[i], FY_C_TOKEN);
	/* RFC 5322 has no '.' in atoms, and a phrase that looks folded is safer quoted. */
	atoms &= memchr(name.ptr, '.', name.len) == NULL && memmem(name.ptr, name.len, "  ", 2) == NULL;
	if (atoms)
		return put(buf, name, column);
	column = put(buf, FY_LIT("\""), column);
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"' || name.ptr[i] == '\\')
			column = put(buf, FY_LIT("\\"), column);
		column = put(buf, fy_slice(name.ptr + i, 1), column);
	}
	return put(buf, FY_LIT("\""), column);
}

void fy_mail_put_quoted_printable(struct fy_buf *buf, struct fy_slice text)
{
	static const char digits[] = "0123456789ABCDEF";
	while (text.len) {
		struct fy_slice line = fy_cut(&text, '\n');
		size_t column = 0;
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		for (size_t i = 0; i < line.len; i++) {
			unsigned char c = (unsigned char)line.ptr[i];
			bool blank = c == ' ' || c == '\t';
			/* Some relays change "From " and a lone dot at the start of a line. */
			bool literal = blank ? i + 1 < line.len : c > 0x20 && c < 0x7f && c != '=';
			if (column == 0 && (c == '.' || (c == 'F' && fy_starts(fy_from(line, i), FY_LIT("From ")))))
				literal = false;
			size_t width = literal ? 1 : 3;
			if (column + width > FY_MAIL_LINE - 1) {
				fy_buf_put(buf, FY_LIT("=\r\n"));
				column = 0;
			}
			const char hex[3] = { '=', digits[c >> 4], digits[c & 15] };
			fy_buf_put(buf, literal ? fy_slice(line.ptr + i, 1) : fy_slice(hex, 3));
			column += width;
		}
		fy_buf_put(buf, FY_LIT("\r\n"));
	}
}
