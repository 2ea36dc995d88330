/* The messages of the contact form, for the staff that answers them: they were written to be read by them, so there is
 * nothing to ask for first, but each opening is written to the log of reads; the list opens none. */
#include "server/routes/form.h"
#include "server/routes/tables.h"
#include "storage/access_log.h"
#include "storage/contact.h"

#define PAGE_SIZE 30
#define READERS (FY_ROLES(OWNER) | FY_ROLES(STAFF) | FY_ROLES(DPO))

static const char *const state_names[] = {
	[FY_CONTACT_OPEN] = "open", [FY_CONTACT_ANSWERED] = "answered", [FY_CONTACT_CLOSED] = "closed"
};

/* 0 for the empty text: all. */
static int read_state(struct fy_slice text, enum fy_contact_state *ret_state)
{
	*ret_state = 0;
	if (text.len == 0)
		return 0;
	for (enum fy_contact_state s = FY_CONTACT_OPEN; s <= FY_CONTACT_CLOSED; s++)
		if (fy_eq(text, fy_str(state_names[s])))
			*ret_state = s;
	return *ret_state ? 0 : FY_ERR_INVALID;
}

fy_async static int list(struct fy_req *req)
{
	struct fy_contact_page found;
	enum fy_contact_state state;
	struct fy_page page;
	struct fy_buf out;
	uint64_t cursor = 0, total;
	int err = read_state(fy_param(req, "state"), &state);
	if (err == 0 && fy_param(req, "cursor").len)
		err = fy_param_u64(req, "cursor", &cursor);
	if (err == 0)
		err = fy_contact_count(&req->ctx, state, &total);
	if (err == 0)
		err = fy_contact_list(&req->ctx, state, cursor, PAGE_SIZE, &found);
	if (err)
		return err;
	struct fy_row_contact *rows = fy_new_array(&req->arena, struct fy_row_contact, found.count + 1);
	for (size_t i = 0; i < found.count; i++)
		rows[i] = (struct fy_row_contact){
			.id = found.items[i].id,
			.reference = found.items[i].reference,
			.received = found.items[i].created_at,
			.state = fy_str(state_names[found.items[i].state]),
		};
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_contact(&out, &page,
			       &(struct fy_view_manage_contact){
				       .state = fy_param(req, "state"),
				       .total = total,
				       .next_cursor = found.next_cursor ? fy_fmt(&req->arena, "%llu",
										 (unsigned long long)found.next_cursor)
									: FY_NONE,
				       .messages = rows,
				       .messages_count = found.count,
			       });
	return fy_reply_html(req, 200, &out);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_contact_message message;
	struct fy_page page;
	struct fy_buf out;
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_contact_get(&req->ctx, id, FY_PURPOSE_CONTACT, &message);
	bool withheld = err == FY_ERR_DENIED;
	if (withheld)
		err = 0;
	else if (err == 0) /* written before anything is answered */
		err = fy_access_log_append(&req->ctx,
					   &(struct fy_read){
						   .reader_id = req->session->account_id,
						   .reader_role = (enum fy_account_role)req->session->role,
						   .person_id = id,
						   .purpose = FY_PURPOSE_CONTACT,
						   .fields = FY_LIT("contact_message.name contact_message.email "
								    "contact_message.subject "
								    "contact_message.message"),
					   });
	if (err)
		return err;
	fy_page_with_form(req, &page);
	fy_page_said(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_message(&out, &page,
			       &(struct fy_view_manage_message){
				       .id = id,
				       .withheld = withheld,
				       .reference = message.reference,
				       .name = message.name,
				       .email = message.email,
				       .subject = message.subject,
				       .message = message.message,
				       .received = message.created_at,
				       .state = fy_str(state_names[message.state]),
				       .consent_version = message.consent_text_version,
			       });
	return fy_reply_html(req, 200, &out);
}

fy_async static int set_state(struct fy_req *req)
{
	enum fy_contact_state state;
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	if (read_state(fy_param(req, "state"), &state) || state == 0)
		return FY_ERR_INVALID;
	int err = fy_contact_set_state(&req->ctx, id, state);
	if (err)
		return err;
	char *path = fy_cstr(&req->arena, fy_fmt(&req->arena, "/manage/contact/%llu", (unsigned long long)id));
	return fy_redirect_said(req, path, FY_TEXT_NOTICE_MESSAGE_UPDATED, 0);
}

static const struct fy_param list_params[] = { FY_QUERY("state", 20), FY_QUERY("cursor", 20) };
static const struct fy_param show_params[] = { FY_PATH("id", 20), FY_SAID };
static const struct fy_param state_params[] = { FY_PATH("id", 20), FY_FORM("csrf", 64), FY_FORM("state", 20) };

const struct fy_route fy_manage_contact_routes[] = {
	{ FY_GET, "/manage/contact", list, .access = FY_ACCESS_MANAGER, .roles = READERS, FY_PARAMS(list_params) },
	{ FY_GET, "/manage/contact/:id", show, .access = FY_ACCESS_MANAGER, .roles = READERS, FY_PARAMS(show_params) },
	{ FY_POST, "/manage/contact/:id/state", set_state, .access = FY_ACCESS_MANAGER, .roles = READERS,
	  .csrf = FY_CSRF_FORM, FY_PARAMS(state_params), .body_max = 4096 },
};
const unsigned fy_manage_contact_route_count = sizeof fy_manage_contact_routes / sizeof fy_manage_contact_routes[0];
