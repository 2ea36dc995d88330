/* Who is on the other side of a request: cookie, language, session, form token, origin. Two cookies exist, one for
 * visitors and one for the back office, each "TOKEN", then ".in" where it was given at a sign-in, then ".fr" or
 * ".en" where ?lang= chose one: the token is 32 random bytes (base64url). A visitor who is not signed in has a token
 * too, once a form needs one; nothing is stored for it, since the form token is derived from it
 * (storage/sessions.h). Called by dispatch.c and page.c. */
#pragma once

#include "foyer/fiber.h"
#include "foyer/slice.h"

struct fy_req;

enum fy_which_cookie { FY_COOKIE_VISITOR, FY_COOKIE_MANAGER };

/* Reads the cookie of this side of the site into req->token. */
void fy_visitor_cookie(struct fy_req *req, enum fy_which_cookie which);

/* Chooses the language: ?lang= (and remembers it), the cookie's, the account's, Accept-Language, French. */
void fy_visitor_language(struct fy_req *req);

/* Looks the session up: 0 and req->session, FY_ERR_UNAUTHENTICATED, or FY_ERR_REDIS_DOWN. One command. */
fy_async int fy_visitor_load(struct fy_req *req);

/* Whether an unsafe request was sent by a page of ours: Sec-Fetch-Site, else Origin, else (no browser says
 * either any more) allowed, as the form token or the token in the header decides. */
bool fy_visitor_same_origin(const struct fy_req *req);
bool fy_visitor_csrf_matches(const struct fy_req *req);

/* Takes one from the address' bucket; FY_ERR_LIMITED with req->retry_after_s when it is empty. */
fy_async int fy_visitor_rate(struct fy_req *req, const char *bucket, unsigned per_minute, unsigned burst);

/* Global Privacy Control: the browser refuses every optional purpose in its visitor's name. */
bool fy_visitor_opts_out(const struct fy_req *req);

/* The request's query without lang=, for the language switch. */
struct fy_slice fy_visitor_query_without_lang(const struct fy_req *req);
