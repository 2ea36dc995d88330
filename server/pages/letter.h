/* The letters that mails carry: generated from mail/, packed when something happens and written when they are
 * delivered. Packing keeps the values alone, so a row of the outbox is small and a retry uses today's template.
 * Storing and sending are left to storage/outbox.h and jobs/. Routes pack with the generated fy_mail_NAME(). */
#pragma once

#include "server/pages/pages.h"
#include "storage/consents.h"

struct fy_letterhead {
	enum fy_lang lang;
	struct fy_slice site_name, site_address;
	struct fy_slice home_url; /* "https://…", for the signature */
};

struct fy_letter_text {
	struct fy_buf subject, text, html;
	struct fy_secret withdraw_link; /* of a mail that rests on a consent; points into the fields */
};

/* Packed values, in the order of the template: NAME=LENGTH:BYTES; each. */
void fy_fields_put(struct fy_buf *out, const char *name, struct fy_slice value);
void fy_fields_put_number(struct fy_buf *out, const char *name, int64_t value);

struct fy_fields {
	struct fy_slice rest;
	bool failed; /* something else stood there; nothing after it means anything */
};
struct fy_slice fy_fields_take(struct fy_fields *in, const char *name);
int64_t fy_fields_take_number(struct fy_fields *in, const char *name);

struct fy_letter_template {
	struct fy_slice name;
	enum fy_consent_purpose consent; /* that the mail rests on; 0: on none */
	/* False: the fields are not those of this template. */
	bool (*write)(struct fy_letter_text *out, const struct fy_letterhead *mail, struct fy_fields *in);
};
extern const struct fy_letter_template fy_letter_templates[];
extern const size_t fy_letter_template_count;

/* The consent that a mail of this template rests on; 0: on none, or there is no such template. */
enum fy_consent_purpose fy_letter_consent(struct fy_slice name);

/* Writes into the three buffers. FY_ERR_NOT_FOUND: no such template; FY_ERR_INVALID: the fields are another's, or of
 * another version of it, or it rests on a consent and its link to withdraw it is empty; FY_ERR_TOO_LARGE. */
int fy_letter_compose(struct fy_slice name, struct fy_slice fields, const struct fy_letterhead *mail,
		      struct fy_letter_text *ret_text);
