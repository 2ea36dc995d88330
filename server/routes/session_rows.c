/* See session_rows.h. */
#include "server/routes/session_rows.h"

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/netaddr.h"
#include "server/auth/one_time.h"
#include "server/routes/staff_names.h"
#include "storage/access_log.h"

#define NAMES_MS 2000 /* a list is not to wait longer for what it can do without */

struct fy_slice fy_session_network(struct fy_arena *arena, const struct fy_session *session)
{
	char *text = fy_alloc(arena, FY_ADDR_TEXT_MAX);
	struct fy_addr address;
	memcpy(address.b, session->address, sizeof address.b);
	return fy_slice(text, fy_addr_text(&address, text));
}

struct fy_slice fy_session_device(const struct fy_session *session)
{
	return fy_slice(session->device, strnlen(session->device, sizeof session->device));
}

const char *fy_session_kind_name(enum fy_session_kind kind)
{
	return kind == FY_SESSION_MANAGER ? "manager" : "visitor";
}

/* Of the operator: each person is told of the look, once a list. */
static fy_async int log_names(struct fy_ctx *ctx, const uint64_t *ids, const struct fy_account_name *people,
			      size_t count)
{
	int err = 0;
	for (size_t i = 0; i < count && err == 0; i++) {
		bool again = people[i].email.text.len == 0;
		for (size_t k = 0; k < i && !again; k++)
			again = ids[k] == ids[i];
		if (!again)
			err = fy_access_log_append(
				ctx,
				&(struct fy_read){
					.reader_role = FY_ROLE_OWNER,
					.person_id = ids[i],
					.purpose = FY_PURPOSE_IDENTIFICATION,
					.fields = FY_LIT("account.given_name account.family_name account.email") });
	}
	return err;
}

fy_async bool fy_session_people(struct fy_ctx *ctx, const struct fy_session *sessions, size_t count,
				const struct fy_session *viewer, struct fy_account_name **ret_people)
{
	uint64_t *ids = fy_new_array(ctx->arena, uint64_t, count + 1);
	for (size_t i = 0; i < count; i++)
		ids[i] = sessions[i].account_id;
	struct fy_ctx brief = *ctx;
	if (brief.deadline_ms > fy_loop_ms() + NAMES_MS)
		brief.deadline_ms = fy_loop_ms() + NAMES_MS;
	int err = FY_ERR_DB_DOWN;
	if (ctx->db && viewer)
		err = fy_staff_names(&brief, viewer, ids, count, ret_people);
	else if (ctx->db)
		err = fy_accounts_names(&brief, ids, count, FY_PURPOSE_IDENTIFICATION, ret_people);
	if (err == 0 && !viewer)
		err = log_names(ctx, ids, *ret_people, count);
	if (err)
		*ret_people = fy_new_array(ctx->arena, struct fy_account_name, count + 1);
	return err == 0;
}

fy_async int fy_session_find_person(struct fy_ctx *ctx, struct fy_slice email, uint64_t *ret_account)
{
	uint8_t hash[FY_HASH_BYTES];
	struct fy_account_signin account;
	if (fy_email_hash(ctx, email, NULL, hash))
		return FY_ERR_INVALID;
	int err = fy_accounts_find_signin(ctx, fy_slice(hash, sizeof hash), &account);
	if (err == 0)
		*ret_account = account.id;
	return err;
}

fy_async int fy_session_page(struct fy_req *req, const struct fy_session_filter *filter, unsigned limit,
			     struct fy_session_page *ret_page)
{
	int err = fy_sessions_list(&req->ctx, filter, fy_param(req, "cursor"), limit, ret_page);
	return err == FY_ERR_INVALID ? fy_refuse(req, err, "cursor", "The cursor is not one that this list gave.")
				     : err;
}

static void put_text(struct fy_json *json, const char *key, struct fy_slice text)
{
	if (text.len)
		fy_json_put_str(json, key, text);
	else
		fy_json_put_null(json, key);
}

void fy_session_put(struct fy_json *json, struct fy_arena *arena, const struct fy_session *session,
		    const struct fy_account_name *person, const char *own)
{
	const struct {
		const char *name;
		fy_time value;
	} times[] = { { "created_at", session->created_at },
		      { "last_seen_at", session->last_seen_at },
		      { "ends_at", session->ends_at } };

	fy_json_object(json);
	fy_json_put_str(json, "id", fy_str(session->id));
	fy_json_put_str(json, "kind", fy_str(fy_session_kind_name(session->kind)));
	if (person) {
		fy_json_put_uint(json, "account_id", session->account_id);
		put_text(json, "name", fy_staff_name(arena, person).text);
		put_text(json, "email", person->email.text);
	}
	fy_json_put_str(json, "device", fy_session_device(session));
	fy_json_put_str(json, "address", fy_session_network(arena, session));
	for (size_t i = 0; i < FY_COUNT(times); i++) {
		struct fy_buf time;
		fy_buf_init(&time, arena, 64);
		fy_put_rfc3339(&time, times[i].value, false);
		fy_json_put_str(json, times[i].name, fy_buf_slice(&time));
	}
	if (own)
		fy_json_put_bool(json, "current", strcmp(session->id, own) == 0);
	fy_json_end(json);
}
