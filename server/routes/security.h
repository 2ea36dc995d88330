/* The security page, which the forms for another password and another address show again with their errors. */
#pragma once

#include "server/routes/form.h"

/* `new_email`: what was typed as such. */
fy_async int fy_security_page(struct fy_req *req, const struct fy_form *form, struct fy_slice new_email, int status);

/* Ends a session of the person who asks, and of nobody else. ret_count 0: there is no such session of theirs. */
fy_async int fy_security_end_own(struct fy_req *req, struct fy_slice id, unsigned *ret_count);
