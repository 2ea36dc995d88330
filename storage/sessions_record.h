/* How a session stands in Redis; shared by sessions.c and sessions_list.c alone.
 * The record is one line of words, readable with redis-cli by an operator in need:
 * version kind method role lang account created seen ends address device */
#pragma once

#include "foyer/buf.h"
#include "storage/sessions.h"

#define FY_SESSION_KEY_MAX 48
#define FY_SESSION_ALL_KEY "sess-seen" /* sorted set: id by time of last use, in microseconds */

void fy_session_key(const char *id, char ret_key[FY_SESSION_KEY_MAX]);             /* the session */
void fy_session_person_key(uint64_t account_id, char ret_key[FY_SESSION_KEY_MAX]); /* sorted set of a person's ids */
void fy_session_encode(const struct fy_session *session, struct fy_buf *out);

/* FY_ERR_INVALID for a record of another version or from another hand. */
int fy_session_decode(struct fy_slice record, const char *id, struct fy_session *ret_session);

/* Takes a few of the entries that were not used for longest out of the index where their session has expired. Called
 * at each sign-in, so that the index cannot outgrow the sessions for long. */
fy_async int fy_sessions_tidy(struct fy_ctx *ctx);
