/* The security page, which the form for a changed password shows again with its errors. */
#pragma once

#include "server/routes/form.h"

fy_async int fy_security_page(struct fy_req *req, const struct fy_form *form, int status);

/* Ends a session of the person who asks, and of nobody else. ret_count 0: there is no such session of theirs. */
fy_async int fy_security_end_own(struct fy_req *req, struct fy_slice id, unsigned *ret_count);
