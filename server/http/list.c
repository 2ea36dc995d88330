/* See list.h. */
#include "server/http/list.h"

#include "protocol/urlform.h"

#define QUERY_MAX 8192

int fy_list_limit(struct fy_req *req, unsigned usual, unsigned *ret_limit)
{
	uint64_t limit = usual;
	if (fy_param(req, "limit").len && (fy_param_u64(req, "limit", &limit) || limit == 0 || limit > FY_LIST_MAX))
		return fy_refuse(req, FY_ERR_INVALID, "limit", "The limit is a number from 1 to 200.");
	*ret_limit = (unsigned)limit;
	return 0;
}

_Static_assert(FY_LIST_MAX == 200, "the sentence names it");

void fy_list_link(struct fy_req *req, struct fy_slice cursor)
{
	struct fy_buf query;
	if (cursor.len == 0)
		return;
	fy_buf_init(&query, &req->arena, QUERY_MAX);
	for (unsigned i = 0; i < req->route->param_count; i++) {
		const struct fy_param *param = &req->route->params[i];
		if (param->in == FY_IN_QUERY && req->values[i].len && strcmp(param->name, "cursor") != 0)
			fy_urlform_put(&query, fy_str(param->name), req->values[i]);
	}
	fy_urlform_put(&query, FY_LIT("cursor"), cursor);
	fy_header(req, "Link",
		  fy_fmt(&req->arena, "<%s?" FY_FMT ">; rel=\"next\"", req->route->path, FY_ARG(fy_buf_slice(&query))));
}
