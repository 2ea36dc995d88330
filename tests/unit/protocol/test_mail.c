/* E-mail addresses (with the isemail cases of tests/vectors) and messages. */
#include "support.h"

#include <jansson.h>

#include "foyer/require.h"
#include "protocol/email_address.h"
#include "protocol/mail_encode.h"
#include "protocol/mail_message.h"
#include "protocol/utf8.h"

static void isemail_cases_get_their_verdict(void **state)
{
	(void)state;
	json_error_t error;
	json_t *root = json_load_file(VECTORS "/isemail-164.json", JSON_ALLOW_NUL, &error), *one;
	size_t i, refused = 0, accepted = 0;
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "tests"), i, one)
	{
		json_t *text = json_object_get(one, "address");
		const char *category = json_string_value(json_object_get(one, "category"));
		struct fy_slice address;
		int err = fy_email_parse(&arena, fy_slice(json_string_value(text), json_string_length(text)), &address);
		if (strcmp(category, "ISEMAIL_ERR") == 0) {
			refused++;
			if (err == 0)
				fail_msg("accepted: %s", json_string_value(text));
		} else if (strcmp(category, "ISEMAIL_VALID_CATEGORY") == 0 ||
			   strcmp(category, "ISEMAIL_DNSWARN") == 0) {
			accepted++;
			if (err)
				fail_msg("refused: %s", json_string_value(text));
		}
	}
	assert_int_equal(refused, 66);
	assert_int_equal(accepted, 22);
	json_decref(root);
}

static void addresses_are_normalised(void **state)
{
	(void)state;
	struct fy_slice address;
	assert_int_equal(fy_email_parse(&arena, FY_LIT("Zoe.L+x@Example.ORG"), &address), 0);
	assert_text(address, "Zoe.L+x@example.org");
	assert_text(fy_email_key(&arena, address), "zoe.l+x@example.org");
	assert_text(fy_email_domain(address), "example.org");
	assert_int_equal(fy_email_parse(&arena, FY_LIT("a@exämple.org"), &address), FY_ERR_UNSUPPORTED);
	assert_int_equal(fy_email_parse(&arena, FY_LIT("zoé@example.org"), &address), FY_ERR_UNSUPPORTED);
	assert_int_equal(fy_email_parse(&arena, FY_LIT("\"q\"@example.org"), &address), FY_ERR_UNSUPPORTED);
	assert_int_equal(fy_email_parse(&arena, FY_LIT("a@192.0.2.1"), &address), FY_ERR_INVALID);
	assert_int_equal(fy_email_parse(&arena, FY_LIT("a@b.c, d@e.f"), &address), FY_ERR_INVALID);
	assert_int_equal(fy_email_parse(&arena, FY_LIT("a@b.c\r\nBcc: d@e.f"), &address), FY_ERR_INVALID);
	assert_int_equal(fy_email_parse(&arena, FY_LIT(" a@b.c"), &address), FY_ERR_INVALID);
	fy_buf_put(&out, FY_LIT("a@"));
	while (out.len < 250)
		fy_buf_put(&out, FY_LIT("abcdefg."));
	fy_buf_put(&out, FY_LIT("abcd"));
	assert_int_equal(fy_email_parse(&arena, fy_upto(fy_buf_slice(&out), 254), &address), 0);
	fy_buf_put(&out, FY_LIT("e"));
	assert_int_equal(fy_email_parse(&arena, fy_buf_slice(&out), &address), FY_ERR_TOO_LARGE);
}

static struct fy_mail plain_mail(void)
{
	return (struct fy_mail){ .from = { FY_LIT("Foyer"), FY_LIT("no-reply@foyer.example") },
				 .to = { FY_LIT("Zoé \"Z\" Müller"), FY_LIT("zoe@example.org") },
				 .subject = FY_LIT("Bienvenue à Paris"),
				 .text = FY_LIT("Bonjour,\n\nà bientôt = demain. \n.\nFrom us\n"),
				 .message_id = FY_LIT("42.abc@foyer.example"),
				 .language = FY_LIT("fr"),
				 .date = 1795352700 * FY_SECOND,
				 .auto_generated = true };
}

static void a_text_message_reads_as_written(void **state)
{
	(void)state;
	struct fy_mail mail = plain_mail();
	assert_int_equal(fy_mail_write(&out, &mail, NULL), 0);
	assert_text(taken(), "Date: Sun, 22 Nov 2026 14:05:00 +0100\r\n"
			     "From: Foyer <no-reply@foyer.example>\r\n"
			     "To: =?utf-8?B?Wm/DqSAiWiIgTcO8bGxlcg==?= <zoe@example.org>\r\n"
			     "Message-ID: <42.abc@foyer.example>\r\n"
			     "Subject: =?utf-8?B?QmllbnZlbnVlIMOgIFBhcmlz?=\r\n"
			     "MIME-Version: 1.0\r\n"
			     "Content-Language: fr\r\n"
			     "Auto-Submitted: auto-generated\r\n"
			     "Content-Type: text/plain; charset=utf-8\r\n"
			     "Content-Transfer-Encoding: quoted-printable\r\n"
			     "\r\n"
			     "Bonjour,\r\n\r\n=C3=A0 bient=C3=B4t =3D demain.=20\r\n=2E\r\n=46rom us\r\n");
}

static void html_comes_as_an_alternative(void **state)
{
	(void)state;
	struct fy_mail mail = plain_mail();
	mail.html = FY_LIT("<p>=_foyer_alternative_=_</p>");
	mail.reply_to = (struct fy_mailbox){ FY_LIT("Müller, Z."), FY_LIT("r@example.org") };
	mail.in_reply_to = FY_LIT("1@x.org");
	mail.references = FY_LIT("0@x.org 1@x.org");
	mail.list_unsubscribe = FY_LIT("https://foyer.example/u?t=abc");
	assert_int_equal(fy_mail_write(&out, &mail, NULL), 0);
	struct fy_slice text = taken();
	static const char *const parts[] = {
		"Reply-To: =?utf-8?B?TcO8bGxlciwgWi4=?= <r@example.org>\r\n",
		"In-Reply-To: <1@x.org>\r\n",
		"References: <0@x.org>\r\n <1@x.org>\r\n",
		"List-Unsubscribe: <https://foyer.example/u?t=abc>\r\n",
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
		"Content-Type: multipart/alternative; boundary=\"=_foyer_alternative_=_\"\r\n\r\n--=_foyer_alternative_=_\r\n",
		"\r\n--=_foyer_alternative_=_\r\nContent-Type: text/html; charset=utf-8\r\n",
		"<p>=3D_foyer_alternative_=3D_</p>\r\n",
		"\r\n--=_foyer_alternative_=_--\r\n"
	};
	for (size_t i = 0; i < FY_COUNT(parts); i++)
		if (!memmem(text.ptr, text.len, parts[i], strlen(parts[i])))
			fail_msg("missing: %s", parts[i]);
}

static void headers_cannot_be_injected(void **state)
{
	(void)state;
	static const struct {
		size_t field;
		const char *name, *bad[4];
	} cases[] = {
		{ offsetof(struct fy_mail, from.name), "from", { "a\r\nBcc: x@y.z", "a\n", "\x01", "\xff" } },
		{ offsetof(struct fy_mail, from.address), "from", { "", "a@b.c>\r\nX: y", "a@b@c", "a b@c.d" } },
		{ offsetof(struct fy_mail, to.name), "to", { "a\rb", "\u2028", "\u202e", "a\tb" } },
		{ offsetof(struct fy_mail, to.address), "to", { "a@b.c,d@e.f", "@b", "a@", "a@b.c\n" } },
		{ offsetof(struct fy_mail, reply_to.address), "reply_to", { "a@b.c (x)", "<a@b.c>", "a;b@c", "a" } },
		{ offsetof(struct fy_mail, subject), "subject", { "a\r\nBcc: x@y.z", "a\nb", "", "\x7f" } },
		{ offsetof(struct fy_mail, message_id), "message_id", { "", "a", "a@b>", "a@b\r\n" } },
		{ offsetof(struct fy_mail, in_reply_to), "in_reply_to", { "a", "a@b c@d", "a@b>", "\n" } },
		{ offsetof(struct fy_mail, references), "references", { "a", "a@b  c@d", "a@b\r\n c@d", "a@b>" } },
		{ offsetof(struct fy_mail, language), "language", { "fr\r\n", "f r", "verylonglanguage", ";" } },
		{ offsetof(struct fy_mail, list_unsubscribe),
		  "list_unsubscribe",
		  { "http://x", "https://x>\r\n", "https://x y", "https://x,y" } },
		{ offsetof(struct fy_mail, text), "text", { "", "\xff", "a\xc3", "\xed\xa0\x80" } },
		{ offsetof(struct fy_mail, html), "html", { "\xff", "\xc0\x80", "\xc3", "\x80" } },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++)
		for (size_t k = 0; k < 4; k++) {
			const char *bad = NULL;
			struct fy_mail mail = plain_mail();
			*(struct fy_slice *)((char *)&mail + cases[i].field) = fy_str(cases[i].bad[k]);
			if (fy_mail_write(&out, &mail, &bad) != FY_ERR_INVALID || strcmp(bad, cases[i].name))
				fail_msg("%s %zu: %s", cases[i].name, k, bad ? bad : "accepted");
			assert_int_equal(out.len, 0);
		}
}

static void long_headers_are_folded(void **state)
{
	(void)state;
	struct fy_mail mail = plain_mail();
	struct fy_slice text;
	mail.subject =
		FY_LIT("été été été été été été été été été été été été été été été été été été été été 😀😀😀😀😀😀😀😀😀");
	mail.to.name = FY_LIT("A very long name of a person or of an organisation in Paris, with a comma");
	assert_int_equal(fy_mail_write(&out, &mail, NULL), 0);
	for (text = taken(); text.len;) {
		struct fy_slice line = fy_cut(&text, '\n');
		assert_true(line.len <= 79);
		/* Encoded words are never cut inside a character. */
		const char *word = memmem(line.ptr, line.len, "=?utf-8?B?", 10);
		assert_true(word == NULL || memmem(word, line.len - (size_t)(word - line.ptr), "?=", 2));
	}
	mail.subject = FY_LIT(
		"An ASCII subject that is so long that it needs to be folded at one of its many spaces, twice in fact, "
		"to fit into the lines that mail has");
	assert_int_equal(fy_mail_write(&out, &mail, NULL), 0);
	text = taken();
	assert_non_null(memmem(text.ptr, text.len,
			       "Subject: An ASCII subject that is so long that it needs to be folded at one\r\n of ",
			       80));
	fy_mail_put_text(&out, FY_LIT("=?utf-8?B?eA==?="), 9);
	assert_text(taken(), "=?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?=");
	fy_mail_put_phrase(&out, FY_LIT("Z. \"x\\y\""), 4);
	assert_text(taken(), "\"Z. \\\"x\\\\y\\\"\"");
}

static void quoted_printable_keeps_to_its_lines(void **state)
{
	(void)state;
	struct fy_slice text;
	for (int i = 0; i < 300; i++)
		fy_buf_put(&out, i % 7 ? FY_LIT("a ") : FY_LIT("é"));
	struct fy_slice source = taken();
	fy_mail_put_quoted_printable(&out, source);
	text = taken();
	/* Decoded by hand, it is the source again. */
	for (size_t i = 0, column = 0; i < text.len; i++, column++) {
		assert_true(column < 78);
		if (text.ptr[i] == '\n')
			column = (size_t)-1;
		if (text.ptr[i] != '=') {
			if (text.ptr[i] != '\r' && text.ptr[i] != '\n')
				fy_buf_char(&out, text.ptr[i]);
			continue;
		}
		if (text.ptr[i + 1] != '\r')
			fy_buf_char(&out, (char)strtol((char[]){ text.ptr[i + 1], text.ptr[i + 2], 0 }, NULL, 16));
		if (text.ptr[i + 1] != '\r') {
			i += 2;
			column += 2;
		}
	}
	assert_true(fy_eq(fy_buf_slice(&out), source));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(isemail_cases_get_their_verdict),     FY_TEST(addresses_are_normalised),
		FY_TEST(a_text_message_reads_as_written),     FY_TEST(html_comes_as_an_alternative),
		FY_TEST(headers_cannot_be_injected),          FY_TEST(long_headers_are_folded),
		FY_TEST(quoted_printable_keeps_to_its_lines),
	};
	return RUN_TESTS(tests);
}
