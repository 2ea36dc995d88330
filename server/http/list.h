/* Lists in pages by `?limit=&cursor=` and `Link: <…>; rel="next"` (RFC 8288).
 * What a cursor holds is its repository's affair. Called by the handlers of the API's lists. */
#pragma once

#include "server/http/request.h"

#define FY_LIST_MAX 200
#define FY_LIST_PARAMS(cursor_max) FY_QUERY("limit", 3), FY_QUERY("cursor", (cursor_max))

/* 1 to FY_LIST_MAX, `usual` where none is given; FY_ERR_INVALID after a sentence. */
int fy_list_limit(struct fy_req *req, unsigned usual, unsigned *ret_limit);

/* The field that leads to the next page, with the same filters; none where `cursor` is empty. */
void fy_list_link(struct fy_req *req, struct fy_slice cursor);
