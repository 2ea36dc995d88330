/* The page about the member's data, which forms on it show again with their errors. */
#pragma once

#include "server/routes/form.h"

fy_async int fy_account_privacy_again(struct fy_req *req, const struct fy_form *form, int status);

/* Whether the person has just signed in: what is worth asking the password again for is then done without. */
bool fy_account_just_signed_in(const struct fy_req *req);
