/* The contact form: a message and its mails are one thing, however many arrive at once; lists page without gaps. */
#include "tests/unit/storage/repo_harness.h"

#include "storage/contact.h"
#include "storage/outbox.h"

static const struct fy_contact_new question = {
	.name = { { "Ada Lovelace", 12 } },
	.email = { { "ada@example.org", 15 } },
	.subject = { { "A room", 6 } },
	.message = { { "Is there a room in May?\nBest, Ada", 33 } },
	.consent_text_version = { "2026-11", 7 },
	.lang = FY_LANG_EN,
};

/* Each message needs a reference of its own. */
static int add(struct fy_ctx *ctx, const struct fy_contact_new *wanted, const struct fy_mail_new *with, size_t count,
	       uint64_t *ret_id)
{
	static unsigned made;
	struct fy_contact_new message = *wanted;
	message.reference = fy_fmt(ctx->arena, "TEST-%u", ++made);
	return fy_contact_add(ctx, &message, with, count, ret_id);
}

static const struct fy_mail_new mails[2] = {
	{ .template_name = { "contact_ack", 11 },
	  .to_address = { { "ada@example.org", 15 } },
	  .fields = { { "We answer soon.", 15 } } },
	{ .template_name = { "contact_notice", 14 },
	  .to_address = { { "staff@example.org", 17 } },
	  .fields = { { "Look.", 5 } } },
};

static unsigned saved, refused;

static void send_one(struct worker *w)
{
	struct fy_contact_new message = question;
	uint64_t id = 0;
	if (w->index % 8 == 5)
		message.consent_text_version = FY_LIT("\xff\xfe"); /* not UTF-8: the server refuses this row */
	int err = add(&w->ctx, &message, mails, 2, &id);
	if (w->index % 8 == 5) {
		CHECK_CODE(err, FY_ERR_INVALID);
		refused++;
		return;
	}
	CHECK_CODE(err, 0);
	struct fy_contact_message back;
	CHECK_CODE(fy_contact_get(&w->ctx, id, FY_PURPOSE_CONTACT, &back), 0);
	CHECK(back.id == id && back.state == FY_CONTACT_OPEN && back.lang == FY_LANG_EN);
	CHECK(fy_eq(back.message.text, question.message.text) && fy_eq(back.email.text, question.email.text));
	CHECK(fy_eq(back.name.text, question.name.text) && fy_eq(back.subject.text, question.subject.text));
	CHECK(back.created_at == NOON && back.consented_at == NOON && back.closed_at == 0);
	CHECK(fy_eq(back.consent_text_version, FY_LIT("2026-11")));
	saved++;
}

static void of_many_messages_at_once_each_is_saved_with_its_mails_and_a_bad_one_fails_alone(void **state)
{
	(void)state;
	saved = refused = 0;
	run_all(48, send_one, NULL);
	assert_int_equal(saved, 42);
	assert_int_equal(refused, 6);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 42);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'contact_ack'"), 42);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE template_name = 'contact_notice'"), 42);
}

static void too_long(struct worker *w)
{
	struct fy_contact_new message = question;
	char *text = fy_zalloc(&w->arena, FY_CONTACT_MESSAGE_MAX + 1);
	memset(text, 'x', FY_CONTACT_MESSAGE_MAX + 1);
	message.message.text = fy_slice(text, FY_CONTACT_MESSAGE_MAX + 1);
	CHECK_CODE(add(&w->ctx, &message, mails, 2, NULL), FY_ERR_TOO_LARGE);
	message.message.text.len--;
	CHECK_CODE(add(&w->ctx, &message, NULL, 0, NULL), 0);
	struct fy_mail_new bad = mails[0];
	bad.to_address.text.len = 0;
	CHECK_CODE(add(&w->ctx, &message, &bad, 1, NULL), FY_ERR_INVALID);
}

static void a_message_that_is_too_long_or_cannot_be_acknowledged_is_not_saved(void **state)
{
	(void)state;
	run_all(1, too_long, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox"), 0);
}

static void page_through(struct worker *w)
{
	uint64_t ids[7], n;
	struct fy_contact_page page;
	for (unsigned i = 0; i < 7; i++)
		CHECK_CODE(add(&w->ctx, &question, NULL, 0, &ids[i]), 0);
	CHECK_CODE(fy_contact_set_state(&w->ctx, ids[5], FY_CONTACT_ANSWERED), 0);
	CHECK_CODE(fy_contact_set_state(&w->ctx, ids[2], FY_CONTACT_ANSWERED), 0);

	CHECK_CODE(fy_contact_list(&w->ctx, 0, 0, 3, &page), 0);
	CHECK(page.count == 3 && page.items[0].id == ids[6] && page.items[2].id == ids[4] &&
	      page.next_cursor == ids[4]);
	CHECK(fy_starts(page.items[0].reference, FY_LIT("TEST-")) && page.items[0].state == FY_CONTACT_OPEN);
	uint64_t late;
	CHECK_CODE(add(&w->ctx, &question, NULL, 0, &late), 0); /* does not shift the next page */
	CHECK_CODE(fy_contact_list(&w->ctx, 0, page.next_cursor, 4, &page), 0);
	CHECK(page.count == 4 && page.items[0].id == ids[3] && page.items[3].id == ids[0] && page.next_cursor == 0);

	CHECK_CODE(fy_contact_list(&w->ctx, FY_CONTACT_ANSWERED, 0, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == ids[5] && page.next_cursor == ids[5]);
	CHECK_CODE(fy_contact_list(&w->ctx, FY_CONTACT_ANSWERED, page.next_cursor, 1, &page), 0);
	CHECK(page.count == 1 && page.items[0].id == ids[2] && page.next_cursor == 0);
	CHECK_CODE(fy_contact_list(&w->ctx, FY_CONTACT_CLOSED, 0, 0, &page), 0);
	CHECK(page.count == 0 && page.next_cursor == 0);
	CHECK_CODE(fy_contact_count(&w->ctx, FY_CONTACT_OPEN, &n), 0);
	CHECK(n == 6);
	CHECK_CODE(fy_contact_count(&w->ctx, 0, &n), 0);
	CHECK(n == 8);
}

static void a_list_pages_newest_first_by_state_and_new_messages_shift_nothing(void **state)
{
	(void)state;
	run_all(1, page_through, NULL);
}

static void close_and_purge(struct worker *w)
{
	uint64_t answered, reopened, unanswered, n;
	struct fy_contact_message back;
	CHECK_CODE(add(&w->ctx, &question, NULL, 0, &answered), 0);
	CHECK_CODE(add(&w->ctx, &question, NULL, 0, &reopened), 0);
	CHECK_CODE(add(&w->ctx, &question, NULL, 0, &unanswered), 0);
	w->ctx.now = NOON + 30 * FY_DAY;
	CHECK_CODE(fy_contact_set_state(&w->ctx, answered, FY_CONTACT_ANSWERED), 0);
	CHECK_CODE(fy_contact_set_state(&w->ctx, reopened, FY_CONTACT_CLOSED), 0);
	CHECK_CODE(fy_contact_set_state(&w->ctx, reopened, FY_CONTACT_OPEN), 0);
	CHECK_CODE(fy_contact_get(&w->ctx, answered, FY_PURPOSE_CONTACT, &back), 0);
	CHECK(back.state == FY_CONTACT_ANSWERED && back.closed_at == w->ctx.now);
	CHECK_CODE(fy_contact_get(&w->ctx, reopened, FY_PURPOSE_CONTACT, &back), 0);
	CHECK(back.state == FY_CONTACT_OPEN && back.closed_at == 0);
	w->ctx.now += FY_DAY;
	CHECK_CODE(fy_contact_set_state(&w->ctx, answered, FY_CONTACT_ANSWERED), 0); /* again: keeps its time */
	CHECK_CODE(fy_contact_get(&w->ctx, answered, FY_PURPOSE_CONTACT, &back), 0);
	CHECK(back.closed_at == NOON + 30 * FY_DAY);
	CHECK_CODE(fy_contact_set_state(&w->ctx, unanswered + 1000, FY_CONTACT_CLOSED), FY_ERR_NOT_FOUND);
	CHECK_CODE(fy_contact_get(&w->ctx, unanswered + 1000, FY_PURPOSE_CONTACT, &back), FY_ERR_NOT_FOUND);

	CHECK_CODE(fy_contact_count_old(&w->ctx, NOON + FY_DAY, &n), 0); /* the answered one was answered later */
	CHECK(n == 2);
	CHECK_CODE(fy_contact_purge(&w->ctx, NOON + FY_DAY, 1, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_contact_purge(&w->ctx, NOON + FY_DAY, 10, &n), 0);
	CHECK(n == 1);
	CHECK_CODE(fy_contact_get(&w->ctx, answered, FY_PURPOSE_CONTACT, &back), 0);
	CHECK_CODE(fy_contact_purge(&w->ctx, NOON + 30 * FY_DAY + 1, 10, &n), 0);
	CHECK(n == 1);
}

static void messages_go_a_while_after_they_were_closed_or_never_answered(void **state)
{
	(void)state;
	run_all(1, close_and_purge, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM contact_message"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_many_messages_at_once_each_is_saved_with_its_mails_and_a_bad_one_fails_alone),
		TEST(a_message_that_is_too_long_or_cannot_be_acknowledged_is_not_saved),
		TEST(a_list_pages_newest_first_by_state_and_new_messages_shift_nothing),
		TEST(messages_go_a_while_after_they_were_closed_or_never_answered),
	};
	return cmocka_run_group_tests(tests, harness_start, harness_stop);
}
