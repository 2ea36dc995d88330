/* See right_words.h. */
#include "server/routes/right_words.h"

#include "foyer/require.h"
#include "server/domain/deadline.h"
#include "server/pages/pages_gen.h"

#define URGENT_DAYS 5
#define SOON_DAYS 10
#define LAST_DAY 2932896 /* 9999-12-31: the last that the database knows */

static const struct {
	const char *name;
	enum fy_text words;
} kinds[FY_RIGHTS_KINDS_END] = {
	[FY_RIGHTS_ACCESS] = { "access", FY_TEXT_RIGHT_ACCESS },
	[FY_RIGHTS_RECTIFICATION] = { "rectification", FY_TEXT_RIGHT_RECTIFICATION },
	[FY_RIGHTS_ERASURE] = { "erasure", FY_TEXT_RIGHT_ERASURE },
	[FY_RIGHTS_RESTRICTION] = { "restriction", FY_TEXT_RIGHT_RESTRICTION },
	[FY_RIGHTS_PORTABILITY] = { "portability", FY_TEXT_RIGHT_PORTABILITY },
	[FY_RIGHTS_OBJECTION] = { "objection", FY_TEXT_RIGHT_OBJECTION },
	[FY_RIGHTS_POST_MORTEM] = { "post_mortem", FY_TEXT_RIGHT_POST_MORTEM },
}, states[FY_RIGHTS_STATES_END] = {
	[FY_RIGHTS_RECEIVED] = { "received", FY_TEXT_RIGHT_STATE_RECEIVED },
	[FY_RIGHTS_IDENTITY_CHECK] = { "identity_check", FY_TEXT_RIGHT_STATE_IDENTITY_CHECK },
	[FY_RIGHTS_IN_PROGRESS] = { "in_progress", FY_TEXT_RIGHT_STATE_IN_PROGRESS },
	[FY_RIGHTS_EXTENDED] = { "extended", FY_TEXT_RIGHT_STATE_EXTENDED },
	[FY_RIGHTS_ANSWERED] = { "answered", FY_TEXT_RIGHT_STATE_ANSWERED },
	[FY_RIGHTS_REFUSED] = { "refused", FY_TEXT_RIGHT_STATE_REFUSED },
	[FY_RIGHTS_WITHDRAWN] = { "withdrawn", FY_TEXT_RIGHT_STATE_WITHDRAWN },
};

enum fy_rights_kind fy_right_kind(struct fy_slice name)
{
	for (unsigned k = 1; k < FY_COUNT(kinds); k++)
		if (fy_eq(name, fy_str(kinds[k].name)))
			return (enum fy_rights_kind)k;
	return 0;
}

enum fy_rights_state fy_right_state(struct fy_slice name)
{
	for (unsigned s = 1; s < FY_COUNT(states); s++)
		if (fy_eq(name, fy_str(states[s].name)))
			return (enum fy_rights_state)s;
	return 0;
}

struct fy_slice fy_right_state_name(enum fy_rights_state state)
{
	FY_REQUIRE(state && state < FY_COUNT(states));
	return fy_str(states[state].name);
}

struct fy_slice fy_right_kind_words(enum fy_lang lang, enum fy_rights_kind kind)
{
	FY_REQUIRE(kind && kind < FY_COUNT(kinds));
	return fy_text(lang, kinds[kind].words);
}

struct fy_slice fy_right_state_words(enum fy_lang lang, enum fy_rights_state state)
{
	FY_REQUIRE(state && state < FY_COUNT(states));
	return fy_text(lang, states[state].words);
}

struct fy_right_left fy_right_left(const struct fy_rights_request *request, fy_time now)
{
	int64_t days = fy_deadline_days_left(request->answer_by, now);
	return (struct fy_right_left){
		.ended = request->ended_at != 0,
		.stopped = request->clock_stopped_at != 0,
		.overdue = days < 0,
		.urgent = days <= URGENT_DAYS,
		.soon = days <= SOON_DAYS,
		.days = (uint64_t)(days < 0 ? -days : days),
	};
}

/* "ID" or "ID-MICROSECONDS". */
int fy_right_cursor(struct fy_req *req, struct fy_rights_cursor *ret_cursor)
{
	struct fy_slice text = fy_param(req, "cursor"), id = fy_cut(&text, '-');
	uint64_t numbers[2] = { 0 };
	const struct fy_slice parts[2] = { id, text };
	for (int n = 0; n < 2; n++) {
		for (size_t i = 0; i < parts[n].len; i++) {
			unsigned digit = (unsigned)(parts[n].ptr[i] - '0');
			if (digit > 9 || __builtin_mul_overflow(numbers[n], 10, &numbers[n]) ||
			    __builtin_add_overflow(numbers[n], digit, &numbers[n]))
				return FY_ERR_INVALID;
		}
	}
	if (numbers[1] / (uint64_t)FY_DAY > LAST_DAY)
		return FY_ERR_INVALID;
	*ret_cursor = (struct fy_rights_cursor){ .id = numbers[0], .answer_by = (fy_time)numbers[1] };
	return 0;
}

struct fy_slice fy_right_cursor_text(struct fy_req *req, struct fy_rights_cursor cursor)
{
	return cursor.id ? fy_fmt(&req->arena, "%llu-%lld", (unsigned long long)cursor.id, (long long)cursor.answer_by)
			 : FY_NONE;
}
