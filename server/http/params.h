/* The declared parameters of a route, taken from path, query, form or JSON. Called by dispatch.c. */
#pragma once

struct fy_req;

/* Fills req->values and req->faults. FY_ERR_INVALID for what no honest client sends: bad encoding, one
 * name twice, too many pairs; FY_ERR_UNSUPPORTED for a body of another type. A text that is merely too
 * long or has forbidden characters is a fault of its field, for the handler's page to show. */
int fy_params_read(struct fy_req *req);
