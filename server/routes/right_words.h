/* Requests about rights (storage/rights.h) in words: the names that forms and filters use, and what people read; and
 * the cursors of their lists. Called by the member's and the staff's routes and by the mails. */
#pragma once

#include "server/http/request.h"
#include "storage/rights.h"

/* "access", "post_mortem"; "received", "identity_check": fields of forms. 0 for any other text. */
enum fy_rights_kind fy_right_kind(struct fy_slice name);
enum fy_rights_state fy_right_state(struct fy_slice name);
struct fy_slice fy_right_state_name(enum fy_rights_state state);

struct fy_slice fy_right_kind_words(enum fy_lang lang, enum fy_rights_kind kind);
struct fy_slice fy_right_state_words(enum fy_lang lang, enum fy_rights_state state);

/* How much time is left, for the badge: days of Paris. */
struct fy_right_left {
	bool ended, stopped, overdue;
	bool urgent, soon; /* five days or fewer; ten or fewer */
	uint64_t days;     /* left, or late */
};
struct fy_right_left fy_right_left(const struct fy_rights_request *request, fy_time now);

/* The query's parameter `cursor`, empty: from the start. FY_ERR_INVALID. And back; empty on the last page. */
#define FY_RIGHT_CURSOR_CHARS 42
int fy_right_cursor(struct fy_req *req, struct fy_rights_cursor *ret_cursor);
struct fy_slice fy_right_cursor_text(struct fy_req *req, struct fy_rights_cursor cursor);
