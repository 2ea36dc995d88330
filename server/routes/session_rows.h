/* Sessions as texts for pages and JSON. */
#pragma once

#include "server/http/request.h"
#include "storage/sessions.h"

/* "192.0.2.7", in the request's arena. */
struct fy_slice fy_session_network(struct fy_req *req, const struct fy_session *session);
struct fy_slice fy_session_device(const struct fy_session *session);
const char *fy_session_kind_name(enum fy_session_kind kind);     /* "visitor", "manager" */
