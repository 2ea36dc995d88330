/* What the pages about people in the back office share. */
#pragma once

#include "server/http/request.h"
#include "server/pages/pages_gen.h"

/* Those who may ask to see personal data, and decide on the requests of others. */
#define FY_ROLES_ASKERS (FY_ROLES_STAFF & ~FY_ROLES(AUDITOR))

/* 303 to the person's page, with a notice or without (0). */
int fy_redirect_to_person(struct fy_req *req, uint64_t account, enum fy_text notice);
