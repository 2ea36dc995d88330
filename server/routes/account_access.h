/* What the person sees of the team's access to their data, as rows for /account/privacy. */
#pragma once

#include "server/http/request.h"
#include "server/pages/pages_gen.h"

/* Fills the requests and the reads into `view`; `looks` is the route's parameter with the cursor. */
fy_async int fy_account_access_fill(struct fy_req *req, struct fy_view_account_privacy *view);
