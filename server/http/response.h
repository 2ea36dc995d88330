/* The bytes of a response: status line, fields, body. Conditional requests and HEAD are decided here, so
 * that no handler has to. Called by the connection when a handler has returned. */
#pragma once

#include "foyer/slice.h"

struct fy_http;
struct fy_req;

/* Both in the request's arena (or constants); the body is empty for HEAD, 204 and 304. */
void fy_response_build(struct fy_req *req, const struct fy_http *http, struct fy_slice *ret_head,
		       struct fy_slice *ret_body);

/* The head of a streamed response. */
struct fy_slice fy_response_stream_head(struct fy_req *req, const struct fy_http *http);

const char *fy_status_text(int status);
