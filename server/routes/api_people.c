/* The people whom a member enters, over the API: what the pages of people.c do. */
#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/etag.h"
#include "protocol/json_writer.h"
#include "server/http/list.h"
#include "server/routes/mails.h"
#include "server/routes/people.h"
#include "server/routes/tables.h"

#define PAGE_SIZE 50
#define PATH "/api/v1/people"

static void put_time(struct fy_req *req, struct fy_json *json, const char *key, fy_time time)
{
	struct fy_buf text;
	fy_buf_init(&text, &req->arena, 64);
	fy_put_rfc3339(&text, time, false);
	if (time)
		fy_json_put_str(json, key, fy_buf_slice(&text));
	else
		fy_json_put_null(json, key);
}

/* Of one whose person objected the name alone; the rest is null. */
static void put_person(struct fy_req *req, struct fy_json *json, const struct fy_provided *p)
{
	const struct fy_provided_fields *f = &p->fields;
	const struct {
		const char *key;
		struct fy_slice value;
	} rest[] = {
		{ "email", f->email.text },
		{ "birth_date", fy_people_birth_date(req, NULL, f) },
		{ "what_for", f->what_for.text },
		{ "adult_given_name", f->adult_given_name.text },
		{ "adult_family_name", f->adult_family_name.text },
		{ "adult_email", f->adult_email.text },
	};
	fy_json_put_uint(json, "id", p->id);
	fy_json_put_str(json, "state", fy_people_state(p->state));
	fy_json_put_str(json, "given_name", f->given_name.text);
	fy_json_put_str(json, "family_name", f->family_name.text);
	fy_json_put_str(json, "language", f->lang == FY_LANG_EN ? FY_LIT("en") : FY_LIT("fr"));
	for (size_t i = 0; i < FY_COUNT(rest); i++) {
		if (p->withheld)
			fy_json_put_null(json, rest[i].key);
		else
			fy_json_put_str(json, rest[i].key, rest[i].value);
	}
	fy_json_put_str(json, "notice", fy_people_notice_state(p->notice));
	put_time(req, json, "noticed_at", p->noticed_at);
	put_time(req, json, "inform_by", p->notice == FY_NOTICE_DELIVERED ? 0 : p->inform_by);
	put_time(req, json, "created_at", p->created_at);
}

/* The notice's state is no change of the record, but of what an answer says. */
static struct fy_slice etag_of(struct fy_req *req, const struct fy_provided *p)
{
	return fy_fmt(&req->arena, "\"v%u.%u\"", p->version, (unsigned)p->notice);
}

static int reply_person(struct fy_req *req, int status, const struct fy_provided *p)
{
	struct fy_buf out;
	struct fy_json json;
	fy_buf_init(&out, &req->arena, 16384);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	put_person(req, &json, p);
	fy_json_end(&json);
	fy_json_finish(&json);
	int err = fy_reply_json(req, status, &out);
	req->res.etag = etag_of(req, p);
	return err;
}

fy_async static int list(struct fy_req *req)
{
	struct fy_provided_page found;
	struct fy_buf out;
	struct fy_json json;
	uint64_t cursor = 0;
	unsigned limit;
	int err = fy_list_limit(req, PAGE_SIZE, &limit);
	if (err == 0 && fy_param(req, "cursor").len && fy_param_u64(req, "cursor", &cursor))
		err = fy_refuse(req, FY_ERR_INVALID, "cursor", "This is not a cursor of this list.");
	if (err == 0)
		err = fy_provided_list(&req->ctx, req->session->account_id, cursor, limit, &found);
	if (err)
		return err;
	fy_buf_init(&out, &req->arena, 2097152);
	fy_json_init(&json, &out);
	fy_json_object(&json);
	fy_json_put_array(&json, "people");
	for (size_t i = 0; i < found.count; i++) {
		fy_json_object(&json);
		put_person(req, &json, &found.items[i]);
		fy_json_end(&json);
	}
	fy_json_end(&json);
	fy_json_end(&json);
	fy_json_finish(&json);
	if (found.next_cursor)
		fy_list_link(req, fy_fmt(&req->arena, "%llu", (unsigned long long)found.next_cursor));
	return fy_reply_json(req, 200, &out);
}

fy_async static int find(struct fy_req *req, struct fy_provided *ret_person)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	return fy_provided_get(&req->ctx, req->session->account_id, id, ret_person);
}

fy_async static int show(struct fy_req *req)
{
	struct fy_provided p;
	int err = find(req, &p);
	return err ? err : reply_person(req, 200, &p);
}

/* What the form said of an error, where it said something. */
static int refuse(struct fy_req *req, const struct fy_form *form, int err)
{
	switch (err) {
	case FY_ERR_EXISTS:
		return fy_reply_problem(req, 409, FY_LIT("You have entered this person already."), NULL, 0);
	case FY_ERR_INVALID:
		return form->count ? fy_form_refuse(form) : err;
	case FY_ERR_DENIED:
		return fy_reply_problem(req, 409, FY_LIT("The person speaks for themselves now."), NULL, 0);
	case FY_ERR_CONFLICT:
		return fy_reply_status(req, 412, FY_LIT("The record has changed meanwhile."));
	default:
		return err;
	}
}

fy_async static int enter(struct fy_req *req)
{
	struct fy_provided_fields fields = { .lang = req->ctx.lang };
	struct fy_provided p;
	struct fy_form form;
	uint64_t id;
	fy_form_init(&form, req);
	fy_people_take(&form, &fields);
	if (form.count)
		return fy_form_refuse(&form);
	int err = fy_people_enter(&form, &fields, &id);
	if (err)
		return refuse(req, &form, err);
	err = fy_provided_get(&req->ctx, req->session->account_id, id, &p);
	if (err)
		return err;
	fy_header(req, "Location", fy_fmt(&req->arena, PATH "/%llu", (unsigned long long)id));
	return reply_person(req, 201, &p);
}

fy_async static int patch(struct fy_req *req)
{
	struct fy_provided p;
	struct fy_form form;
	bool notified;
	int err = find(req, &p);
	if (err)
		return err;
	if (fy_http_get(&req->head, FY_H_IF_MATCH).ptr == NULL)
		return fy_reply_status(req, 428, FY_LIT("Send If-Match with the ETag of the person."));
	if (fy_etag_evaluate(&req->head, etag_of(req, &p), 0) != FY_CONDITION_GO)
		return refuse(req, &form, FY_ERR_CONFLICT);
	if (p.state != FY_PROVIDED_ENTERED)
		return refuse(req, &form, FY_ERR_DENIED);
	struct fy_provided_fields fields = p.fields;
	fy_form_init(&form, req);
	fy_people_take(&form, &fields);
	if (form.count)
		return fy_form_refuse(&form);
	err = fy_people_save(&form, &p, p.version, &fields, &notified);
	if (err == 0)
		err = find(req, &p);
	else
		return refuse(req, &form, err);
	return err ? err : reply_person(req, 200, &p);
}

fy_async static int remove_one(struct fy_req *req)
{
	uint64_t id;
	if (fy_param_u64(req, "id", &id))
		return FY_ERR_NOT_FOUND;
	int err = fy_provided_end(&req->ctx, req->session->account_id, id, FY_PROVIDED_BY_PROVIDER, &fy_mails_provided,
				  NULL);
	if (err == FY_ERR_DENIED)
		return fy_reply_problem(req, 409, FY_LIT("The person has objected: the record stays as it is."), NULL,
					0);
	if (err)
		return err;
	fy_mails_kick(req);
	return fy_reply_none(req);
}

static const struct fy_param list_params[] = { FY_LIST_PARAMS(20) };
static const struct fy_param enter_params[] = { FY_PEOPLE_PARAMS(FY_JSON) };
static const struct fy_param id_params[] = { FY_PATH("id", 20) };
static const struct fy_param patch_params[] = { FY_PATH("id", 20), FY_PEOPLE_PARAMS(FY_JSON) };

#define MEMBER .access = FY_ACCESS_MEMBER, .api = true
#define WRITE .csrf = FY_CSRF_ORIGIN, .rate = FY_RATE_WRITE
const struct fy_route fy_api_people_routes[] = {
	{ FY_GET, PATH, list, MEMBER, FY_PARAMS(list_params) },
	{ FY_POST, PATH, enter, MEMBER, WRITE, FY_PARAMS(enter_params), .body_max = 16384 },
	{ FY_GET, PATH "/:id", show, MEMBER, FY_PARAMS(id_params) },
	{ FY_PATCH, PATH "/:id", patch, MEMBER, WRITE, FY_PARAMS(patch_params), .body_max = 16384 },
	{ FY_DELETE, PATH "/:id", remove_one, MEMBER, WRITE, FY_PARAMS(id_params) },
};
const unsigned fy_api_people_route_count = sizeof fy_api_people_routes / sizeof fy_api_people_routes[0];
