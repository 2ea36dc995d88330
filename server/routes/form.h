/* What form routes share: the errors of a form, the page that shows them, the notice after a redirect.
 * What a form asks is its route's; how errors look is the pages'. Called by the routes only. */
#pragma once

#include "server/http/page.h"
#include "server/http/request.h"
#include "server/pages/pages_gen.h"

#define FY_FORM_ERRORS_MAX 16

struct fy_form {
	struct fy_req *req;
	struct fy_field_error errors[FY_FORM_ERRORS_MAX];
	size_t count;
};

/* Looks at each declared form parameter: too long, and characters that no text has. */
void fy_form_init(struct fy_form *form, struct fy_req *req);
void fy_form_error(struct fy_form *form, const char *field, enum fy_text key);
void fy_form_error_n(struct fy_form *form, const char *field, enum fy_text key, uint64_t n);

/* `key` unless the field holds something. */
void fy_form_need(struct fy_form *form, const char *field, enum fy_text key);
bool fy_form_has_error(const struct fy_form *form, const char *field);

/* The address in `field`, parsed, with its look-up hash; errors are added. False: there is none. */
bool fy_form_email(struct fy_form *form, const char *field, struct fy_slice *ret_address, uint8_t ret_hash[32]);

/* A new password under the rules, normalised. `names` are what it must not be made of. */
bool fy_form_new_password(struct fy_form *form, const char *field, const struct fy_slice *names, size_t name_count,
			  struct fy_secret *ret_password);

/* A moment in Paris as datetime-local inputs send it, "2026-11-23T14:05"; a space or seconds do no harm. Empty: 0. What
 * is no moment, or is still to come, is an error. And the text of one, to fill the input with. */
fy_time fy_form_moment(struct fy_form *form, const char *field);
struct fy_slice fy_form_moment_text(struct fy_req *req, fy_time moment);
#define FY_MOMENT_CHARS 19

/* The page with its form token, and with the form's errors where `form` is not NULL. */
void fy_form_page(struct fy_req *req, const struct fy_form *form, struct fy_page *ret_page);

/* 422 for the API: each field with its error (RFC 9457). */
int fy_form_refuse(const struct fy_form *form);

/* 303 to `path` with a notice that the next page shows: "?said=profile_saved&n=3". */
int fy_redirect_said(struct fy_req *req, const char *path, enum fy_text notice, uint64_t n);

/* Puts the notice that the query names into the page; every page that redirects lead to declares FY_SAID. */
#define FY_SAID                                           \
	{ .name = "said", .in = FY_IN_QUERY, .max = 40 }, \
	{                                                 \
		.name = "n", .in = FY_IN_QUERY, .max = 9  \
	}
void fy_page_said(struct fy_req *req, struct fy_page *page);

/* Whether one may be sent to `next` after signing in: a page of this side of the site, and not an action. */
bool fy_next_page(const struct fy_req *req, struct fy_slice next);

/* Waits until the request has taken a multiple of `step_ms`: answers about accounts that exist and accounts that do
 * not then take the same time, to the eye of a clock on the network. */
fy_async void fy_settle(struct fy_req *req, unsigned step_ms);

/* An absolute link: base_url, path, "?token=…". */
struct fy_slice fy_link(struct fy_req *req, const char *path, const char *token);
