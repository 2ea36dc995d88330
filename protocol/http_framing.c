/* The fields that decide where a request ends and whether the connection lives on (RFC 9112 6, 7, 9; 3.2).
 * Leaves all other fields alone. Called by http_head.c for each such field, and once at the end.
 *
 * Two readers of one byte stream must never disagree on a length, so nothing is repaired here: one
 * Content-Length of plain digits, or one `chunked`, never both, and no list that only happens to agree. */
#include <arpa/inet.h>

#include "protocol/http_chars.h"
#include "protocol/http_parts.h"

static bool port_valid(struct fy_slice port)
{
	unsigned number = 0;
	if (port.len > 5)
		return false;
	for (size_t i = 0; i < port.len; i++) {
		if ((unsigned)(port.ptr[i] - '0') > 9)
			return false;
		number = number * 10 + (unsigned)(port.ptr[i] - '0');
	}
	return number <= 65535;
}

static bool ip_literal_valid(struct fy_slice text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	if (text.len >= sizeof(copy) || text.len == 0 || memchr(text.ptr, 0, text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	return inet_pton(AF_INET6, copy, &addr) == 1;
}

/* A comma is a sub-delim and thus legal in a reg-name, but it is also how two Host fields look once they were
 * joined; nobody has such a name, so it is not in FY_C_HOST. An empty host cannot be served (RFC 9110 4.2.1). */
bool fy_http_host_valid(struct fy_slice host)
{
	size_t n;
	if (host.len && host.ptr[0] == '[') {
		const char *close = memchr(host.ptr, ']', host.len);
		if (close == NULL || !ip_literal_valid(fy_slice(host.ptr + 1, (size_t)(close - host.ptr) - 1)))
			return false;
		n = (size_t)(close - host.ptr) + 1;
	} else {
		n = fy_span(host, FY_C_HOST);
		if (n == 0 || n > 255)
			return false;
		for (size_t i = 0; i < n; i++)
			if (host.ptr[i] == '%' && (i + 2 >= n || !fy_char_is(host.ptr[i + 1], FY_C_HEX) ||
						   !fy_char_is(host.ptr[i + 2], FY_C_HEX)))
				return false;
	}
	if (n == host.len)
		return true;
	return host.ptr[n] == ':' && port_valid(fy_from(host, n + 1));
}

bool fy_http_is_token(struct fy_slice text)
{
	return text.len && fy_span(text, FY_C_TOKEN) == text.len;
}

static int content_length(struct fy_slice value, struct fy_http_head *head, struct fy_http_fault *fault)
{
	uint64_t number = 0;
	if (head->has_length)
		return fy_http_refuse(fault, 400, "more than one Content-Length");
	if (value.len == 0)
		return fy_http_refuse(fault, 400, "an empty Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		unsigned digit = (unsigned)(value.ptr[i] - '0');
		if (digit > 9)
			return fy_http_refuse(fault, 400, "a Content-Length that is not one plain number");
		if (number > ((uint64_t)INT64_MAX - digit) / 10)
			return fy_http_refuse(fault, 400, "a Content-Length too large to be one");
		number = number * 10 + digit;
	}
	head->has_length = true;
	head->content_length = number;
	return 0;
}

/* One or more codings; several fields make one list (RFC 9110 5.3). Empty elements are refused: what is left
 * after dropping them is exactly what request smuggling plays with. */
static int transfer_encoding(struct fy_http_framing *f, struct fy_slice value, struct fy_http_fault *fault)
{
	f->has_te = true;
	if (value.len == 0)
		return fy_http_refuse(fault, 400, "an empty Transfer-Encoding");
	do {
		struct fy_slice coding = fy_trim(fy_cut(&value, ','));
		struct fy_slice params = coding;
		struct fy_slice name = fy_trim(fy_cut(&params, ';'));
		if (!fy_http_is_token(name))
			return fy_http_refuse(fault, 400, "a malformed Transfer-Encoding");
		if (f->te_chunked)
			return fy_http_refuse(fault, 400, "a transfer coding after chunked");
		if (!fy_eq_nocase(name, FY_LIT("chunked")))
			f->te_foreign = true;
		else if (params.ptr)
			return fy_http_refuse(fault, 400, "chunked has no parameters");
		else
			f->te_chunked = true;
	} while (value.ptr);
	return 0;
}

static int connection(struct fy_http_framing *f, struct fy_slice value, struct fy_http_fault *fault)
{
	while (value.ptr) {
		struct fy_slice option = fy_trim(fy_cut(&value, ','));
		if (option.len == 0)
			continue; /* empty list elements are legal here (RFC 9110 5.6.1.2) and harmless */
		if (!fy_http_is_token(option))
			return fy_http_refuse(fault, 400, "a malformed Connection");
		if (fy_eq_nocase(option, FY_LIT("close")))
			f->close = true;
		else if (fy_eq_nocase(option, FY_LIT("keep-alive")))
			f->keep_alive = true;
	}
	return 0;
}

int fy_http_framing_field(struct fy_http_framing *f, enum fy_http_known field, struct fy_slice value,
			  struct fy_http_head *head, struct fy_http_fault *fault)
{
	switch (field) {
	case FY_H_CONTENT_LENGTH:
		if (f->has_te)
			return fy_http_refuse(fault, 400, "Content-Length beside Transfer-Encoding");
		return content_length(value, head, fault);
	case FY_H_TRANSFER_ENCODING:
		if (head->has_length)
			return fy_http_refuse(fault, 400, "Content-Length beside Transfer-Encoding");
		if (head->minor == 0)
			return fy_http_refuse(fault, 400, "Transfer-Encoding in HTTP/1.0"); /* RFC 9112 6.1 */
		return transfer_encoding(f, value, fault);
	case FY_H_CONNECTION:
		return connection(f, value, fault);
	case FY_H_HOST:
		if (f->host.ptr)
			return fy_http_refuse(fault, 400, "more than one Host");
		if (!fy_http_host_valid(value))
			return fy_http_refuse(fault, 400, "a Host that is none");
		f->host = value;
		return 0;
	case FY_H_EXPECT:
		/* The only expectation there is (RFC 9110 10.1.1), and HTTP/1.0 knows none. */
		if (head->minor == 0)
			return 0;
		if (!fy_eq_nocase(value, FY_LIT("100-continue")))
			return fy_http_refuse(fault, 417, "an expectation that cannot be met");
		head->expect_continue = true;
		return 0;
	default:
		return 0;
	}
}

int fy_http_framing_end(const struct fy_http_framing *f, struct fy_http_head *head, struct fy_http_fault *fault)
{
	if (f->has_te && !f->te_chunked)
		return fy_http_refuse(fault, 400, "chunked is not the final transfer coding"); /* RFC 9112 6.3 */
	if (f->te_foreign)
		return fy_http_refuse(fault, 501, "a transfer coding that is not known here"); /* RFC 9112 6.1 */
	head->chunked = f->te_chunked;
	if (f->host.ptr == NULL && head->minor > 0)
		return fy_http_refuse(fault, 400, "no Host");
	if (head->form != FY_TARGET_ABSOLUTE)
		head->host = f->host;
	if (head->method == FY_TRACE && (head->chunked || head->content_length))
		return fy_http_refuse(fault, 400, "TRACE with content"); /* RFC 9110 9.3.8 */
	head->keep_alive = !f->close && (head->minor > 0 || f->keep_alive);
	return 0;
}
