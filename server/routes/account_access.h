/* What the person sees of the team's access to their data, as rows for /account/privacy. */
#pragma once

#include "server/http/request.h"
#include "server/pages/pages_gen.h"

/* Fills the requests and the reads before the one with the number `before` (0: the latest) into `view`. */
fy_async int fy_account_access_fill(struct fy_req *req, uint64_t before, struct fy_view_account_privacy *view);
