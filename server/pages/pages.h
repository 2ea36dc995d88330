/* The pages and mails of Foyer: what every page needs beside its own view, and the texts in two languages.
 * The pages themselves are generated from templates/ and mail/ by compile.py: one `struct fy_view_NAME` and one
 * `fy_page_NAME(out, page, view)` for each template, one `fy_mail_NAME` for each mail (see pages_gen.h).
 * Called by the routes and by what writes to the mail outbox; nothing here does I/O or parks.
 *
 * Escaping is decided at build time from the place in the HTML where a value stands, so a view carries plain text.
 * All slices must live until the call returns; a page appends to `out` and allocates nothing else. */
#pragma once

#include "foyer/buf.h"
#include "foyer/clock.h"
#include "foyer/ctx.h"
#include "foyer/slice.h"

/* Markup. Only a template makes one (its head says `fragment`), never a visitor's text. It points into the buffer it
 * was written to, so that buffer must not grow before the markup is used: give a fragment a buffer of its own. */
struct fy_html {
	struct fy_slice markup;
};

/* What stands for {n} and {s} in a sentence that is chosen at run time. */
struct fy_text_args {
	uint64_t n;
	struct fy_slice s, from, to;
};

/* Which navigation the layout shows. */
enum fy_page_role {
	FY_PAGE_GUEST = 0, /* nobody is signed in: sign in, register */
	FY_PAGE_MEMBER,    /* the account's pages, sign out */
	FY_PAGE_MANAGER,   /* the back office, with the time its session ends */
};

/* The pages of the back office that its navigation may show; which of them follows from the route table. */
enum fy_page_office {
	FY_OFFICE_SESSIONS,
	FY_OFFICE_CONTACT,
	FY_OFFICE_REQUESTS,
	FY_OFFICE_HOLDS,
	FY_OFFICE_BREACHES,
	FY_OFFICE_STUDIES,
	FY_OFFICE_JOBS,
	FY_OFFICE_PEOPLE,
	FY_OFFICE_ACCESS,
	FY_OFFICE_LOG,
	FY_OFFICE_PRIVACY,
};

enum fy_notice_tone {
	FY_NOTICE_DONE = 0, /* green: what was asked has happened */
	FY_NOTICE_INFO,     /* blue: something to know */
	FY_NOTICE_WARNING,  /* amber: it did not happen, and why */
};

/* One refused field. `field` is the form field's name; empty: the error is about the form as a whole. */
struct fy_field_error {
	struct fy_slice field;
	unsigned key; /* enum fy_text */
	struct fy_text_args args;
};

/* What the layout shows around every page. Zero means "none" for every member but lang. */
struct fy_page {
	enum fy_lang lang;
	enum fy_page_role role;
	uint32_t office; /* of a manager: bits 1u << FY_OFFICE_…, the pages that the role may open */
	struct fy_slice site_name;
	struct fy_slice site_address;
	struct fy_slice path;       /* of this page, "/account": for the language switch and the current link */
	struct fy_slice query;      /* the page's own query without lang= and without "?", encoded; may be empty */
	struct fy_secret csrf;      /* goes into every form */
	struct fy_personal who;     /* shown beside the sign-out button */
	struct fy_slice request_id; /* shown on error pages, so that a person can quote it */
	fy_time now;
	fy_time expires; /* end of a manager's session; shown in the header */
	unsigned notice; /* enum fy_text; a flash message above the page's heading */
	enum fy_notice_tone notice_tone;
	struct fy_text_args notice_args;
	const struct fy_field_error *errors;
	size_t error_count;
};

/* The page for an HTTP error: 400 401 403 404 405 409 413 429 500 503; others get the page of their class.
 * `wait_s` is the Retry-After of a 429 or 503 in seconds, 0 where there is none. */
void fy_page_error(struct fy_buf *out, const struct fy_page *page, unsigned status, uint64_t wait_s);

/* A sentence of text.toml's sections `error` and `notice`, static storage; {n}, {s}, … still stand in it. */
struct fy_slice fy_text(enum fy_lang lang, unsigned key);

/* The key's name in text.toml, "error.password_short"; for the API and logs. */
struct fy_slice fy_text_name(unsigned key);

/* Appends the sentence with {n}, {s}, {from} and {to} filled in, as plain text (mails, JSON before its own escaping). */
void fy_text_put(struct fy_buf *out, enum fy_lang lang, unsigned key, struct fy_text_args args);

/* ISO 3166-1 alpha-2, capitals; what the profile form's `country` field may hold beside "". */
bool fy_country_known(struct fy_slice code);
struct fy_slice fy_country_name(enum fy_lang lang, struct fy_slice code);
