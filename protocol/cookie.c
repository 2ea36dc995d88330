/* Finds a cookie in a Cookie field and writes Set-Cookie values (RFC 6265 4.1 and 5.4).
 * Leaves what a cookie is good for to server/auth. Called on each request: one pass, no allocation. */
#include "protocol/cookie.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"

bool fy_cookie_name_valid(struct fy_slice name)
{
	return name.len && name.len <= 128 && fy_span(name, FY_C_TOKEN) == name.len;
}

bool fy_cookie_next(struct fy_slice *field, struct fy_slice name, struct fy_slice *ret_value)
{
	while (field->ptr) {
		struct fy_slice value = fy_trim(fy_cut(field, ';'));
		if (value.len <= name.len || value.ptr[name.len] != '=' || !fy_starts(value, name))
			continue;
		value = fy_from(value, name.len + 1);
		if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
			value = fy_slice(value.ptr + 1, value.len - 2);
		*ret_value = fy_span(value, FY_C_COOKIE) == value.len ? value : FY_NONE;
		return true;
	}
	return false;
}

static bool path_valid(struct fy_slice path)
{
	return path.len == 0 || (path.ptr[0] == '/' && fy_span(path, FY_C_UNRESERVED | FY_C_PATH) == path.len &&
				 memchr(path.ptr, ';', path.len) == NULL);
}

/* What browsers demand of prefixed names (RFC 6265bis 4.1.3). */
static bool prefix_kept(const struct fy_cookie *cookie)
{
	struct fy_slice name = cookie->name;
	if (fy_eq_nocase(fy_upto(name, 7), FY_LIT("__Host-")))
		return cookie->secure && (cookie->path.len == 0 || fy_eq(cookie->path, FY_LIT("/")));
	if (fy_eq_nocase(fy_upto(name, 9), FY_LIT("__Secure-")))
		return cookie->secure;
	return true;
}

int fy_cookie_write(struct fy_buf *buf, const struct fy_cookie *cookie)
{
	static const char *const same_site[] = { "Lax", "Strict", "None" };
	if (!fy_cookie_name_valid(cookie->name) || fy_span(cookie->value, FY_C_COOKIE) != cookie->value.len ||
	    !path_valid(cookie->path) || !prefix_kept(cookie) || (unsigned)cookie->same_site > FY_SAMESITE_NONE)
		return FY_ERR_INVALID;
	if (cookie->same_site == FY_SAMESITE_NONE && !cookie->secure)
		return FY_ERR_INVALID;
	fy_buf_put(buf, cookie->name);
	fy_buf_char(buf, '=');
	fy_buf_put(buf, cookie->value);
	fy_buf_put(buf, FY_LIT("; Path="));
	fy_buf_put(buf, cookie->path.len ? cookie->path : FY_LIT("/"));
	if (cookie->max_age_s >= 0) {
		fy_buf_put(buf, FY_LIT("; Max-Age="));
		fy_buf_u64(buf, (uint64_t)cookie->max_age_s);
	}
	if (cookie->secure)
		fy_buf_put(buf, FY_LIT("; Secure"));
	if (!cookie->script_readable)
		fy_buf_put(buf, FY_LIT("; HttpOnly"));
	fy_buf_put(buf, FY_LIT("; SameSite="));
	fy_buf_put(buf, fy_str(same_site[cookie->same_site]));
	return 0;
}
