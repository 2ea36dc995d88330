/* Decoding and cleaning of declared parameters; see params.h. What is not declared is dropped here. */
#include "server/http/params.h"

#include "foyer/require.h"
#include "protocol/accept.h"
#include "protocol/json_in.h"
#include "protocol/urlform.h"
#include "protocol/utf8.h"
#include "server/http/request.h"

#define PAIRS_MAX 64 /* forms of ours have a dozen fields */
#define JSON_DEPTH_MAX 4

static int index_of(const struct fy_req *req, const char *name)
{
	for (unsigned i = 0; i < req->route->param_count; i++)
		if (strcmp(req->route->params[i].name, name) == 0)
			return (int)i;
	fy_require_failed(name, req->route->path, 0);
}

static void put(struct fy_req *req, unsigned i, struct fy_slice value)
{
	const struct fy_param *param = &req->route->params[i];
	int err = 0;
	if (param->lines)
		err = fy_utf8_clean_multiline(&req->arena, value, &value);
	else if (!param->raw)
		err = fy_utf8_clean_line(&req->arena, value, &value);
	else if (!fy_utf8_valid(value))
		err = FY_ERR_INVALID;
	if (err) {
		req->faults[i] = FY_PARAM_BAD_TEXT;
		value = FY_NONE;
	} else if (fy_utf8_count(value) > param->max) {
		req->faults[i] = FY_PARAM_TOO_LONG;
		value = fy_utf8_upto(value, param->max);
	}
	req->values[i] = value.ptr ? value : FY_LIT("");
}

static int from_pairs(struct fy_req *req, struct fy_slice text, enum fy_param_in in)
{
	struct fy_pairs pairs;
	int err = fy_urlform_parse(&req->arena, text, PAIRS_MAX, &pairs);
	if (err)
		return fy_refuse(req, FY_ERR_INVALID, NULL, "The parameters are badly encoded.");
	for (unsigned i = 0; i < req->route->param_count; i++) {
		struct fy_slice name = fy_str(req->route->params[i].name);
		if (req->route->params[i].in != in)
			continue;
		const struct fy_pair *pair = fy_pairs_find(&pairs, name);
		if (pair == NULL)
			continue;
		if (fy_pairs_count(&pairs, name) > 1)
			return fy_refuse(req, FY_ERR_INVALID, req->route->params[i].name,
					 "The parameter stands twice.");
		put(req, i, pair->value);
	}
	return 0;
}

static int from_json(struct fy_req *req)
{
	const struct fy_json_value *root;
	if (fy_json_parse(&req->arena, req->body, JSON_DEPTH_MAX, &root, NULL) || fy_json_type(root) != FY_JSON_OBJECT)
		return fy_refuse(req, FY_ERR_INVALID, NULL, "The body is not a JSON object.");
	for (unsigned i = 0; i < req->route->param_count; i++) {
		if (req->route->params[i].in != FY_IN_JSON)
			continue;
		const struct fy_json_value *value = fy_json_member(root, req->route->params[i].name);
		struct fy_slice text;
		bool truth;
		if (value == NULL)
			continue;
		if (fy_json_type(value) == FY_JSON_NULL) /* RFC 7396: null clears */
			put(req, i, FY_LIT(""));
		else if (fy_json_as_str(value, &text) == 0)
			put(req, i, text);
		else if (fy_json_as_bool(value, &truth) == 0)
			put(req, i, truth ? FY_LIT("on") : FY_LIT(""));
		else
			req->faults[i] = FY_PARAM_BAD_TEXT;
	}
	return 0;
}

static int from_path(struct fy_req *req)
{
	unsigned at = 0;
	for (unsigned i = 0; i < req->route->param_count; i++) {
		if (req->route->params[i].in != FY_IN_PATH)
			continue;
		struct fy_slice text;
		if (fy_url_decode(&req->arena, req->path_params[at++], false, &text))
			return fy_refuse(req, FY_ERR_INVALID, NULL, "The path is badly encoded.");
		put(req, i, text);
		if (req->faults[i])
			return FY_ERR_NOT_FOUND;
	}
	return 0;
}

/* Fields of a form and of JSON are checked together by the handler (form.h); of a query the API takes none that was
 * cut. */
static int refuse_query(struct fy_req *req)
{
	for (unsigned i = 0; i < req->route->param_count; i++) {
		const struct fy_param *param = &req->route->params[i];
		if (req->route->api && param->in == FY_IN_QUERY && req->faults[i])
			return fy_refuse(req, FY_ERR_INVALID, param->name,
					 req->faults[i] == FY_PARAM_TOO_LONG
						 ? "The parameter is too long."
						 : "The parameter has characters that no text has.");
	}
	return 0;
}

int fy_params_read(struct fy_req *req)
{
	bool in_query = false, in_form = false, in_json = false, in_path = false;
	for (unsigned i = 0; i < req->route->param_count; i++) {
		enum fy_param_in in = req->route->params[i].in;
		in_query |= in == FY_IN_QUERY;
		in_form |= in == FY_IN_FORM;
		in_json |= in == FY_IN_JSON;
		in_path |= in == FY_IN_PATH;
	}
	int err = in_path ? from_path(req) : 0;
	if (err == 0 && in_query && req->head.query.len)
		err = from_pairs(req, req->head.query, FY_IN_QUERY);
	struct fy_slice type = fy_http_get(&req->head, FY_H_CONTENT_TYPE);
	if (err == 0 && in_form && req->body.len) {
		if (!fy_media_is(type, FY_LIT("application/x-www-form-urlencoded")))
			return fy_refuse(req, FY_ERR_UNSUPPORTED, NULL,
					 "The body must be a form: application/x-www-form-urlencoded.");
		err = from_pairs(req, req->body, FY_IN_FORM);
	}
	if (err == 0 && in_json) {
		if (!fy_media_is(type, FY_LIT("application/json")) &&
		    !fy_media_is(type, FY_LIT("application/merge-patch+json")))
			return fy_refuse(req, FY_ERR_UNSUPPORTED, NULL,
					 "The body must be JSON: application/json or application/merge-patch+json.");
		err = from_json(req);
	}
	return err ? err : refuse_query(req);
}

struct fy_slice fy_param(const struct fy_req *req, const char *name)
{
	return req->values[index_of(req, name)];
}

bool fy_param_given(const struct fy_req *req, const char *name)
{
	return req->values[index_of(req, name)].ptr != NULL;
}

enum fy_param_fault fy_param_fault(const struct fy_req *req, const char *name)
{
	return req->faults[index_of(req, name)];
}

bool fy_param_on(const struct fy_req *req, const char *name)
{
	struct fy_slice value = fy_param(req, name);
	return value.len && !fy_eq(value, FY_LIT("0")) && !fy_eq(value, FY_LIT("false"));
}

int fy_param_u64(const struct fy_req *req, const char *name, uint64_t *ret_number)
{
	struct fy_slice text = fy_param(req, name);
	uint64_t number = 0;
	if (text.len == 0 || text.len > 20)
		return FY_ERR_INVALID;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.ptr[i] - '0');
		if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return FY_ERR_INVALID;
	}
	*ret_number = number;
	return 0;
}
