/* Evaluates preconditions in the order of RFC 9110 13.2.2.
 * Leaves tags and dates themselves to the resource. Called before a representation is sent or changed. */
#include "protocol/etag.h"

#include "protocol/datetime.h"

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110 8.8.3). The length of the one at the start; 0 if none. */
static size_t tag_length(struct fy_slice s)
{
	size_t i = fy_starts(s, FY_LIT("W/")) ? 2 : 0;
	if (i >= s.len || s.ptr[i] != '"')
		return 0;
	for (i++; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c == '"')
			return i + 1;
		if (c < 0x21 || c == 0x7f)
			return 0;
	}
	return 0;
}

static struct fy_slice opaque(struct fy_slice tag)
{
	return fy_starts(tag, FY_LIT("W/")) ? fy_from(tag, 2) : tag;
}

static bool same(struct fy_slice a, struct fy_slice b, bool weak)
{
	if (weak)
		return fy_eq(opaque(a), opaque(b));
	return a.ptr[0] == '"' && fy_eq(a, b); /* a weak tag never matches strongly */
}

bool fy_etag_listed(struct fy_slice field, struct fy_slice etag, bool weak)
{
	bool found = false;
	field = fy_trim(field);
	if (fy_eq(field, FY_LIT("*")))
		return true;
	if (etag.len == 0)
		return false;
	while (field.len) {
		if (field.ptr[0] == ',') {
			field = fy_trim(fy_from(field, 1));
			continue;
		}
		size_t n = tag_length(field);
		if (n == 0)
			return false;
		found |= same(fy_upto(field, n), etag, weak);
		field = fy_trim(fy_from(field, n));
		if (field.len && field.ptr[0] != ',')
			return false;
	}
	return found;
}

/* Several fields of the name make one list. */
static bool any_listed(const struct fy_http_head *head, struct fy_slice name, struct fy_slice etag, bool weak)
{
	struct fy_slice value;
	size_t at = 0;
	while (fy_http_next(head, name, &at, &value))
		if (fy_etag_listed(value, etag, weak))
			return true;
	return false;
}

/* True when the field is one valid date and the resource is not newer, by whole seconds. An invalid or repeated
 * date is ignored (13.1.3, 13.1.4): *ret_usable then is false. */
static bool not_newer(const struct fy_http_head *head, enum fy_http_known field, fy_time modified, bool *ret_usable)
{
	fy_time date = 0;
	*ret_usable = head->known[field] && !fy_http_repeated(head, field) && modified &&
		      fy_parse_http_date(fy_http_get(head, field), modified, &date) == 0;
	return *ret_usable && fy_unix(modified) <= fy_unix(date);
}

enum fy_condition fy_etag_evaluate(const struct fy_http_head *head, struct fy_slice etag, fy_time modified)
{
	bool usable, safe = head->method == FY_GET || head->method == FY_HEAD;
	if (head->known[FY_H_IF_MATCH]) {
		if (!any_listed(head, FY_LIT("if-match"), etag, false))
			return FY_CONDITION_FAILED;
	} else if (!not_newer(head, FY_H_IF_UNMODIFIED_SINCE, modified, &usable) && usable) {
		return FY_CONDITION_FAILED;
	}
	if (head->known[FY_H_IF_NONE_MATCH]) {
		if (any_listed(head, FY_LIT("if-none-match"), etag, true))
			return safe ? FY_CONDITION_NOT_MODIFIED : FY_CONDITION_FAILED;
	} else if (safe && not_newer(head, FY_H_IF_MODIFIED_SINCE, modified, &usable)) {
		return FY_CONDITION_NOT_MODIFIED;
	}
	return FY_CONDITION_GO;
}

enum fy_condition fy_etag_evaluate_missing(const struct fy_http_head *head)
{
	return head->known[FY_H_IF_MATCH] ? FY_CONDITION_FAILED : FY_CONDITION_GO;
}
