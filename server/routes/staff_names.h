/* Names of people in the lists of the back office. The role alone opens none: the viewer's own is shown, and of others
 * what an open grant covers, once that read stands in the log (storage/grants.h). Nothing here is about one person's
 * file, which is manage_person.c's. */
#pragma once

#include "storage/accounts.h"
#include "storage/sessions.h"

/* One for each id (0: nobody), in the context's arena; empty where the name stays sealed. */
fy_async int fy_staff_names(struct fy_ctx *ctx, const struct fy_session *viewer, const uint64_t *ids, size_t count,
			    struct fy_account_name **ret_names);

/* "Zoé Lefèvre"; empty where nothing is known. */
struct fy_personal fy_staff_name(struct fy_arena *arena, const struct fy_account_name *name);
