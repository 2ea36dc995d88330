/* Sign-in sessions in Redis.
 * A session is one string under a keyed hash of the cookie's token, so a dump of Redis signs nobody in; one
 * GETEX reads it and slides its idle limit. Two sorted sets index the ids, by person and by last use; they are
 * hints, may lag or dangle, and are mended when listed. Cookies are server/http/visitor.c's. Nothing is cached:
 * a session that was ended is refused at the next request. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/address.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/keys.h"

#define FY_TOKEN_CHARS 43        /* 32 random bytes, base64url */
#define FY_SESSION_ID_CHARS 32   /* hexadecimal; names a session in lists, opens nothing */
#define FY_SESSION_CURSOR_MAX 64 /* characters of a page's next_cursor */
#define FY_SESSION_DEVICE_MAX 40

enum fy_session_kind { FY_SESSION_VISITOR = 1, FY_SESSION_MANAGER };
enum fy_session_method { FY_METHOD_PASSWORD = 1 };

struct fy_session {
	char id[FY_SESSION_ID_CHARS + 1];
	uint64_t account_id;
	enum fy_session_kind kind;
	enum fy_session_method method;
	uint8_t role; /* enum fy_account_role at sign-in */
	enum fy_lang lang;
	fy_time created_at;
	fy_time last_seen_at; /* to the minute */
	fy_time ends_at;      /* the absolute limit; the idle one may come first */
	uint8_t address[16];  /* of the last use that was noted: at most a minute old */
	char device[FY_SESSION_DEVICE_MAX];
};

struct fy_session_new {
	uint64_t account_id;
	enum fy_session_kind kind;
	enum fy_session_method method;
	uint8_t role;
	enum fy_lang lang;
	uint8_t address[16];
	struct fy_slice device;
};

/* A fresh token; nothing is stored for it until fy_sessions_open. */
void fy_session_make_token(char ret_token[FY_TOKEN_CHARS + 1]);

/* Opens a session under a new token, which is returned; `old_token` (may be empty) stops working, whatever it
 * was: rotation at sign-in. */
fy_async int fy_sessions_open(struct fy_ctx *ctx, const struct fy_session_new *session, struct fy_slice old_token,
			      char ret_token[FY_TOKEN_CHARS + 1]);

/* Who is this? FY_ERR_UNAUTHENTICATED: nobody, or ended, or of another kind. Slides the idle limit and at
 * most once a minute notes `address` and the time, without waiting for that. One command. */
fy_async int fy_sessions_find(struct fy_ctx *ctx, enum fy_session_kind kind, struct fy_slice token,
			      const uint8_t address[16], struct fy_session *ret_session);

/* Endings return 0 also when there was nothing to end; counts may be NULL. `except` (may be NULL) is an id
 * that stays. */
fy_async int fy_sessions_end_token(struct fy_ctx *ctx, struct fy_slice token);
fy_async int fy_sessions_end(struct fy_ctx *ctx, struct fy_slice id, unsigned *ret_count);
fy_async int fy_sessions_end_person(struct fy_ctx *ctx, uint64_t account_id, const char *except, unsigned *ret_count);
fy_async int fy_sessions_end_network(struct fy_ctx *ctx, const struct fy_cidr *network, const char *except,
				     unsigned *ret_count);
fy_async int fy_sessions_end_all(struct fy_ctx *ctx, unsigned *ret_count);

struct fy_session_filter {
	uint64_t account_id;           /* 0: everybody */
	const struct fy_cidr *network; /* NULL: from anywhere */
};

struct fy_session_page {
	struct fy_session *items; /* in the context's arena */
	size_t count;
	struct fy_slice next_cursor; /* empty: the last page */
};

/* Most recently used first. `cursor` is empty or a page's next_cursor; FY_ERR_INVALID for another text. */
fy_async int fy_sessions_list(struct fy_ctx *ctx, const struct fy_session_filter *filter, struct fy_slice cursor,
			      unsigned limit, struct fy_session_page *ret_page);
fy_async int fy_sessions_count(struct fy_ctx *ctx, uint64_t *ret_count);
fy_async int fy_sessions_count_person(struct fy_ctx *ctx, uint64_t account_id, uint64_t *ret_count);

/* The value of a form's csrf field for the holder of `token`, signed in or not. */
void fy_session_csrf(const struct fy_keys *keys, struct fy_slice token, char ret_text[FY_TOKEN_CHARS + 1]);
bool fy_session_csrf_matches(const struct fy_keys *keys, struct fy_slice token, struct fy_slice field);
