/* Every page and mail with believable values, for the tests and the preview. */
#pragma once

#include "server/pages/pages_gen.h"

#define GIVEN_NOW (FY_SECOND * 1795399500) /* 2026-11-23T02:05:00Z */

struct given_page {
	const char *name;
	enum fy_page_role role;
	void (*write)(struct fy_buf *out, const struct fy_page *page);
	const struct fy_field_error *errors;
	size_t error_count;
	unsigned notice;
	enum fy_notice_tone tone;
	struct fy_text_args notice_args;
};

extern const struct given_page given_pages[];
extern const size_t given_page_count;

struct given_mail {
	const char *name;
	void (*pack)(struct fy_buf *fields);
};

extern const struct given_mail given_mails[];
extern const size_t given_mail_count;

struct fy_page given_page(enum fy_lang lang, enum fy_page_role role, const char *path);
