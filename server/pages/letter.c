/* Packing and unpacking a letter's values; see letter.h. */
#include "server/pages/letter.h"

#include <stdio.h>
#include <stdlib.h>

void fy_fields_put(struct fy_buf *out, const char *name, struct fy_slice value)
{
	fy_buf_fmt(out, "%s=%zu:", name, value.len);
	fy_buf_put(out, value);
	fy_buf_char(out, ';');
}

void fy_fields_put_number(struct fy_buf *out, const char *name, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)value);
	fy_fields_put(out, name, fy_str(digits));
}

static struct fy_slice not_there(struct fy_fields *in)
{
	in->failed = true;
	in->rest = FY_NONE;
	return FY_NONE;
}

struct fy_slice fy_fields_take(struct fy_fields *in, const char *name)
{
	size_t len = 0, digits = 0;
	struct fy_slice rest = in->rest, label = fy_str(name);

	if (!fy_starts(rest, label) || rest.len <= label.len || rest.ptr[label.len] != '=')
		return not_there(in);
	rest = fy_from(rest, label.len + 1);
	while (digits < rest.len && digits < 6 && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
		len = len * 10 + (size_t)(rest.ptr[digits++] - '0');
	if (digits == 0 || digits == rest.len || rest.ptr[digits] != ':')
		return not_there(in);
	rest = fy_from(rest, digits + 1);
	if (len >= rest.len || rest.ptr[len] != ';')
		return not_there(in);
	in->rest = fy_from(rest, len + 1);
	return fy_upto(rest, len);
}

int64_t fy_fields_take_number(struct fy_fields *in, const char *name)
{
	struct fy_slice text = fy_fields_take(in, name);
	char digits[24], *end;

	if (text.len == 0 || text.len >= sizeof digits) {
		not_there(in);
		return 0;
	}
	memcpy(digits, text.ptr, text.len);
	digits[text.len] = '\0';
	long long value = strtoll(digits, &end, 10);
	if (*end != '\0')
		not_there(in);
	return value;
}

static const struct fy_letter_template *find(struct fy_slice name)
{
	for (size_t i = 0; i < fy_letter_template_count; i++)
		if (fy_eq(fy_letter_templates[i].name, name))
			return &fy_letter_templates[i];
	return NULL;
}

enum fy_consent_purpose fy_letter_consent(struct fy_slice name)
{
	const struct fy_letter_template *template = find(name);

	return template ? template->consent : 0;
}

int fy_letter_compose(struct fy_slice name, struct fy_slice fields, const struct fy_letterhead *mail,
		      struct fy_letter_text *ret_text)
{
	const struct fy_letter_template *template = find(name);
	struct fy_fields in = { .rest = fields };

	if (template == NULL)
		return FY_ERR_NOT_FOUND;
	ret_text->withdraw_link.text = FY_NONE;
	if (!template->write(ret_text, mail, &in))
		return FY_ERR_INVALID;
	if (template->consent && ret_text->withdraw_link.text.len == 0)
		return FY_ERR_INVALID;
	return ret_text->subject.failed || ret_text->text.failed || ret_text->html.failed ? FY_ERR_TOO_LARGE : 0;
}
