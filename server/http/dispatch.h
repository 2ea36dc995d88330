/* From a request to its handler: routing, who may call, limits, parameters, form tokens.
 * Called by the connection: fy_req_route on the loop when the head is there, fy_req_run as the fiber when
 * the body is. What the checks mean is in route.h; handlers see only requests that passed. */
#pragma once

#include <stdbool.h>

#include "foyer/fiber.h"

struct fy_req;

/* Finds the route by the head alone. False: the answer is already prepared (an error, a static file). */
bool fy_req_route(struct fy_req *req);

/* The fiber of one request; ends in fy_conn_respond. */
fy_async void fy_req_run(void *req);
