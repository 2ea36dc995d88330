/* Checks an e-mail address as a form field (RFC 5321 4.1.2).
 * Leaves the proof to a mail that must be answered. Called by registration, sign-in, contact and mail. */
#include "protocol/email_address.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"

#define DOMAIN_MAX 253
#define LABEL_MAX 63

/* atext of RFC 5322 3.2.3 is tchar with these four besides. */
static bool is_atext(char c)
{
	return fy_char_is(c, FY_C_TOKEN) || c == '/' || c == '=' || c == '?' || c == '{' || c == '}';
}

/* Dot-string: atoms with single dots between. */
static int check_local(struct fy_slice local)
{
	bool dot = true;
	if (local.len > FY_EMAIL_LOCAL_MAX)
		return FY_ERR_TOO_LARGE;
	for (size_t i = 0; i < local.len; i++) {
		bool is_dot = local.ptr[i] == '.';
		if (is_dot ? dot : !is_atext(local.ptr[i]))
			return FY_ERR_INVALID;
		dot = is_dot;
	}
	return dot ? FY_ERR_INVALID : 0;
}

/* Labels of letters, digits and inner hyphens. A last label of digits only is an address that went wrong. */
static int check_domain(struct fy_slice domain)
{
	bool digits = false;
	if (domain.len > DOMAIN_MAX)
		return FY_ERR_TOO_LARGE;
	while (domain.ptr) {
		struct fy_slice label = fy_cut(&domain, '.');
		if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return FY_ERR_INVALID;
		if (label.len > LABEL_MAX)
			return FY_ERR_TOO_LARGE;
		digits = true;
		for (size_t i = 0; i < label.len; i++) {
			char c = label.ptr[i];
			bool digit = c >= '0' && c <= '9';
			if (!digit && (unsigned)((c | 0x20) - 'a') > 25 && c != '-')
				return FY_ERR_INVALID;
			digits &= digit;
		}
	}
	return digits ? FY_ERR_INVALID : 0;
}

static bool has_8bit(struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] >= 0x80)
			return true;
	return false;
}

static void lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned)(text[i] - 'A') < 26)
			text[i] |= 0x20;
}

int fy_email_parse(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_address)
{
	if (text.len == 0)
		return FY_ERR_INVALID;
	const char *at = memrchr(text.ptr, '@', text.len);
	if (at == NULL)
		return FY_ERR_INVALID;
	struct fy_slice local = fy_upto(text, (size_t)(at - text.ptr)), domain = fy_from(text, local.len + 1);
	if (has_8bit(text) || (local.len > 1 && local.ptr[0] == '"' && local.ptr[local.len - 1] == '"'))
		return FY_ERR_UNSUPPORTED;
	int err = check_local(local);
	if (!err)
		err = check_domain(domain);
	if (err)
		return err;
	if (text.len > FY_EMAIL_MAX)
		return FY_ERR_TOO_LARGE;
	char *copy = fy_cstr(arena, text);
	lower(copy + local.len + 1, domain.len);
	*ret_address = fy_slice(copy, text.len);
	return 0;
}

struct fy_slice fy_email_key(struct fy_arena *arena, struct fy_slice address)
{
	char *copy = fy_cstr(arena, address);
	lower(copy, address.len);
	return fy_slice(copy, address.len);
}

struct fy_slice fy_email_domain(struct fy_slice address)
{
	const char *at = address.len ? memrchr(address.ptr, '@', address.len) : NULL;
	return at ? fy_from(address, (size_t)(at - address.ptr) + 1) : FY_NONE;
}
