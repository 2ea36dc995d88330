/* The request line: method, request target and version (RFC 9112 3 and 2.3).
 * Leaves field lines to http_head.c and the meaning of a path to path.c and the router. Called for complete
 * lines, and for the unfinished first line of a slow client, so that rubbish is refused without waiting. */
#include "protocol/http_chars.h"
#include "protocol/http_parts.h"

/* No registered method is longer than 17 bytes (UPDATEREDIRECTREF); longer ones are not worth buffering. */
#define METHOD_MAX 32

static const struct {
	struct fy_slice name;
	enum fy_method method;
} methods[] = {
	{ FY_LIT("GET"), FY_GET },         { FY_LIT("POST"), FY_POST },   { FY_LIT("HEAD"), FY_HEAD },
	{ FY_LIT("PUT"), FY_PUT },         { FY_LIT("PATCH"), FY_PATCH }, { FY_LIT("DELETE"), FY_DELETE },
	{ FY_LIT("OPTIONS"), FY_OPTIONS }, { FY_LIT("TRACE"), FY_TRACE },
};

const char *fy_method_name(enum fy_method method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == method)
			return methods[i].name.ptr;
	return "?";
}

static enum fy_method method_of(struct fy_slice name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (fy_eq(methods[i].name, name))
			return methods[i].method;
	return 0;
}

/* Every byte of one of the classes, and '%' only before two hexadecimal digits. At the end of an unfinished
 * target an unfinished %XX is no fault yet. */
static bool uri_chars(struct fy_slice s, int classes, bool partial)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!fy_char_is(s.ptr[i], classes))
			return false;
		if (s.ptr[i] != '%')
			continue;
		for (int k = 0; k < 2; k++) {
			if (++i == s.len)
				return partial;
			if (!fy_char_is(s.ptr[i], FY_C_HEX))
				return false;
		}
	}
	return true;
}

static int split_path(struct fy_slice rest, struct fy_http_head *head, struct fy_http_fault *fault)
{
	head->query = rest;
	head->path = fy_cut(&head->query, '?');
	if (!uri_chars(head->path, FY_C_PATH, false))
		return fy_http_refuse(fault, 400, "a character in the path that paths cannot have");
	if (head->query.ptr && !uri_chars(head->query, FY_C_QUERY, false))
		return fy_http_refuse(fault, 400, "a character in the query that queries cannot have");
	return 0;
}

/* "http://host:port/path?query". The authority counts, and Host is ignored (RFC 9112 3.2.2). */
static int absolute_form(struct fy_http_head *head, struct fy_http_fault *fault)
{
	struct fy_slice rest = head->target;
	size_t scheme = 0;
	while (scheme < rest.len && rest.ptr[scheme] != ':')
		scheme++;
	struct fy_slice name = fy_upto(rest, scheme);
	if (!fy_starts(fy_from(rest, scheme), FY_LIT("://")) ||
	    !(fy_eq_nocase(name, FY_LIT("http")) || fy_eq_nocase(name, FY_LIT("https"))))
		return fy_http_refuse(fault, 400, "a request target of no form that exists");
	rest = fy_from(rest, scheme + 3);
	size_t n = 0;
	while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?')
		n++;
	head->host = fy_upto(rest, n);
	if (!fy_http_host_valid(head->host))
		return fy_http_refuse(fault, 400, "a bad authority in the request target");
	rest = fy_from(rest, n);
	head->form = FY_TARGET_ABSOLUTE;
	if (rest.len && rest.ptr[0] == '/')
		return split_path(rest, head, fault);
	/* An empty path is "/" (RFC 9110 4.2.3), or "*" when OPTIONS asks about the server (RFC 9112 3.2.4). */
	int err = split_path(rest, head, fault);
	if (err)
		return err;
	head->path = head->method == FY_OPTIONS && head->query.ptr == NULL ? FY_LIT("*") : FY_LIT("/");
	return 0;
}

static int read_target(struct fy_http_head *head, struct fy_http_fault *fault)
{
	head->query = FY_NONE;
	head->host = FY_NONE;
	if (head->target.ptr[0] == '/') {
		head->form = FY_TARGET_ORIGIN;
		return split_path(head->target, head, fault);
	}
	if (fy_eq(head->target, FY_LIT("*"))) {
		if (head->method != FY_OPTIONS)
			return fy_http_refuse(fault, 400, "'*' is a target for OPTIONS only");
		head->form = FY_TARGET_ASTERISK;
		head->path = head->target;
		return 0;
	}
	return absolute_form(head, fault);
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT, case-sensitive (RFC 9112 2.3). A prefix will do with `partial`. */
static int read_version(struct fy_slice text, bool partial, struct fy_http_head *head, struct fy_http_fault *fault)
{
	static const char form[] = "HTTP/#.#";
	if (text.len > 8 || (text.len < 8 && !partial))
		return fy_http_refuse(fault, 400, "no HTTP version at the end of the request line");
	for (size_t i = 0; i < text.len; i++)
		if (form[i] == '#' ? (unsigned)(text.ptr[i] - '0') > 9 : text.ptr[i] != form[i])
			return fy_http_refuse(fault, 400, "no HTTP version at the end of the request line");
	if (text.len > 5 && text.ptr[5] != '1')
		return fy_http_refuse(fault, 505, "only HTTP/1.x is spoken here");
	if (text.len == 8)
		head->minor = text.ptr[7] == '0' ? 0 : 1;
	return 0;
}

int fy_http_request_line(struct fy_slice line, bool partial, const struct fy_http_limits *limits,
			 struct fy_http_head *head, struct fy_http_fault *fault)
{
	size_t n = fy_span(fy_upto(line, METHOD_MAX + 1), FY_C_TOKEN);
	if (n > METHOD_MAX)
		return fy_http_refuse(fault, 501, "the method is too long to be one of ours");
	if (n == line.len && partial)
		return 0;
	if (n == 0 || n == line.len || line.ptr[n] != ' ')
		return fy_http_refuse(fault, 400, "the request line does not begin with a method and a space");
	head->method_text = fy_upto(line, n);
	struct fy_slice rest = fy_from(line, n + 1);
	const char *space = rest.len ? memchr(rest.ptr, ' ', rest.len) : NULL;
	head->target = space ? fy_upto(rest, (size_t)(space - rest.ptr)) : rest;
	if (head->target.len > limits->target_max)
		return fy_http_refuse(fault, 414, "the request target is too long");
	if (!uri_chars(head->target, FY_C_PATH | FY_C_QUERY, space == NULL))
		return fy_http_refuse(fault, 400, "a character in the request target that URIs cannot have");
	if (space == NULL && partial)
		return 0;
	if (space == NULL)
		return fy_http_refuse(fault, 400, "no HTTP version in the request line");
	if (head->target.len == 0)
		return fy_http_refuse(fault, 400, "no request target");
	int err = read_version(fy_from(rest, head->target.len + 1), partial, head, fault);
	if (err || partial)
		return err;
	head->method = method_of(head->method_text);
	if (head->method)
		return read_target(head, fault);
	if (fy_eq(head->method_text, FY_LIT("CONNECT")) && !fy_http_host_valid(head->target))
		return fy_http_refuse(fault, 400, "CONNECT without an authority");
	return fy_http_refuse(fault, 501, "the method is not one of ours");
}
