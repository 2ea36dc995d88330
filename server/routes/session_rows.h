/* Sessions as texts for pages, JSON and the command line. */
#pragma once

#include "protocol/json_writer.h"
#include "server/http/request.h"
#include "storage/accounts.h"
#include "storage/sessions.h"

/* "192.0.2.7", in the arena. */
struct fy_slice fy_session_network(struct fy_arena *arena, const struct fy_session *session);
struct fy_slice fy_session_device(const struct fy_session *session);
const char *fy_session_kind_name(enum fy_session_kind kind); /* "visitor", "manager" */

/* Whose sessions they are, one for each, in the context's arena: as staff_names.h says for the session `viewer`, or all
 * for the operator (NULL), with a row in the log of reads for each person. The list is of use without: where MariaDB
 * cannot say, all are empty and the answer is false. */
fy_async bool fy_session_people(struct fy_ctx *ctx, const struct fy_session *sessions, size_t count,
				const struct fy_session *viewer, struct fy_account_name **ret_people);

/* The account of an e-mail address. FY_ERR_INVALID: that is none; FY_ERR_NOT_FOUND: it has no account. */
fy_async int fy_session_find_person(struct fy_ctx *ctx, struct fy_slice email, uint64_t *ret_account);

/* What the request's `cursor` leads to; a wrong one is refused with a sentence. */
fy_async int fy_session_page(struct fy_req *req, const struct fy_session_filter *filter, unsigned limit,
			     struct fy_session_page *ret_page);

/* One object. `person` (NULL: the reader's own sessions) adds who it is; `own` (NULL: the reader has none) is the id of
 * the reader's session. */
void fy_session_put(struct fy_json *json, struct fy_arena *arena, const struct fy_session *session,
		    const struct fy_account_name *person, const char *own);
