/* Finds the end of a request head and takes the head apart, without allocating (RFC 9112 2 to 5).
 * Leaves the request line to http_target.c, lengths and Host to http_framing.c and the second opinion to
 * llhttp (http_llhttp.c). Called by the connection code for each request.
 *
 * One pass over lines does both jobs. While a head is incomplete, the pass runs in `partial` mode each time a
 * line was completed: it then ignores what is missing, and refuses what no further byte can mend. */
#include "protocol/http_head.h"

#include "protocol/http_chars.h"
#include "protocol/http_llhttp.h"
#include "protocol/http_parts.h"

/* Empty lines before the request line are skipped (RFC 9112 2.2), but nobody may send them for ever. */
#define LEADING_MAX 4

static const struct fy_slice known_names[FY_H_END] = {
#define KNOWN_NAME(id, name) [FY_H_##id] = FY_LIT(name),
	FY_HTTP_KNOWN(KNOWN_NAME)
#undef KNOWN_NAME
};

/* The known fields by the length of their names: few have the same, so most lines cost one comparison. */
static const uint8_t known_by_length[20][5] = {
	[4] = { FY_H_HOST },
	[6] = { FY_H_COOKIE, FY_H_ACCEPT, FY_H_ORIGIN, FY_H_EXPECT },
	[7] = { FY_H_REFERER, FY_H_UPGRADE, FY_H_SEC_GPC },
	[8] = { FY_H_IF_MATCH },
	[9] = { FY_H_FORWARDED },
	[10] = { FY_H_CONNECTION, FY_H_USER_AGENT },
	[12] = { FY_H_CONTENT_TYPE, FY_H_X_REQUEST_ID },
	[13] = { FY_H_AUTHORIZATION, FY_H_IF_NONE_MATCH },
	[14] = { FY_H_CONTENT_LENGTH, FY_H_SEC_FETCH_SITE },
	[15] = { FY_H_ACCEPT_LANGUAGE, FY_H_ACCEPT_ENCODING, FY_H_X_FORWARDED_FOR, FY_H_IDEMPOTENCY_KEY },
	[16] = { FY_H_X_FORWARDED_HOST, FY_H_CONTENT_ENCODING },
	[17] = { FY_H_TRANSFER_ENCODING, FY_H_IF_MODIFIED_SINCE, FY_H_X_FORWARDED_PROTO },
	[19] = { FY_H_IF_UNMODIFIED_SINCE },
};

static enum fy_http_known known_of(struct fy_slice name)
{
	if (name.len >= sizeof(known_by_length) / sizeof(known_by_length[0]))
		return FY_H_NONE;
	for (const uint8_t *id = known_by_length[name.len]; *id; id++)
		if (fy_eq_nocase(name, known_names[*id]))
			return *id;
	return FY_H_NONE;
}

/* True when `s` has a byte that field values cannot have: controls but HTAB, and DEL (RFC 9110 5.5). Eight
 * bytes at a time: a byte below 0x20, or 0x7f, leaves its top bit in `hit`; a byte-wise look then decides. */
static bool has_control(struct fy_slice s)
{
	const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
	size_t i = 0;
	for (; i + 8 <= s.len; i += 8) {
		uint64_t word;
		memcpy(&word, s.ptr + i, 8);
		uint64_t del = word ^ (ones * 0x7f);
		uint64_t hit = ((word - ones * 0x20) & ~word & tops) | ((del - ones) & ~del & tops);
		if (hit)
			break;
	}
	for (; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* Cuts the next line, without its CRLF, from *rest. 1: got one; 0: it is not complete, and *ret_line is what there
 * is of it (a final CR taken off); negative: bare LF. */
static int next_line(struct fy_slice *rest, struct fy_slice *ret_line, struct fy_http_fault *fault)
{
	const char *lf = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	if (lf == NULL) {
		*ret_line = *rest;
		if (rest->len && rest->ptr[rest->len - 1] == '\r')
			ret_line->len--;
		return 0;
	}
	size_t n = (size_t)(lf - rest->ptr);
	if (n == 0 || lf[-1] != '\r')
		return fy_http_refuse(fault, 400, "a line feed without carriage return");
	*ret_line = fy_upto(*rest, n - 1);
	*rest = fy_from(*rest, n + 1);
	return 1;
}

/* field-name ":" OWS field-value OWS (RFC 9112 5). `partial` as everywhere. */
static int field_line(struct fy_slice line, bool partial, struct fy_http_header *ret_header,
		      struct fy_http_fault *fault)
{
	size_t n = fy_span(line, FY_C_TOKEN);
	if (n == line.len && partial)
		return 0;
	if (n == line.len || line.ptr[n] != ':' || n == 0) {
		bool space = n < line.len && (line.ptr[n] == ' ' || line.ptr[n] == '\t');
		return fy_http_refuse(fault, 400,
				      space && n == 0 ? "a folded field line, or white space before the first"
				      : space         ? "white space in or after a field name"
						      : "a field line without a proper name");
	}
	struct fy_slice value = fy_trim(fy_from(line, n + 1));
	if (has_control(value))
		return fy_http_refuse(fault, 400, "a control character in a field value");
	ret_header->name = fy_upto(line, n);
	ret_header->value = value;
	return 0;
}

static int add_field(struct fy_http_head *head, const struct fy_http_header *header, struct fy_http_framing *framing,
		     struct fy_http_fault *fault)
{
	head->headers[head->header_count++] = *header;
	enum fy_http_known field = known_of(header->name);
	if (field == FY_H_NONE)
		return 0;
	if (head->known[field])
		head->repeated |= (uint64_t)1 << field;
	else
		head->known[field] = (uint8_t)head->header_count;
	return fy_http_framing_field(framing, field, header->value, head, fault);
}

static int skip_empty_lines(struct fy_slice *rest, struct fy_http_fault *fault)
{
	for (int skipped = 0; fy_starts(*rest, FY_LIT("\r\n")); skipped++) {
		if (skipped == LEADING_MAX)
			return fy_http_refuse(fault, 400, "too many empty lines before the request line");
		*rest = fy_from(*rest, 2);
	}
	return 0;
}

static int parse_lines(struct fy_slice rest, bool partial, const struct fy_http_limits *limits,
		       struct fy_http_head *head, struct fy_http_fault *fault)
{
	struct fy_http_framing framing = { 0 };
	struct fy_http_header header = { 0 };
	struct fy_slice line;
	memset(head, 0, offsetof(struct fy_http_head, headers));
	int err = skip_empty_lines(&rest, fault);
	if (err)
		return err;
	int got = next_line(&rest, &line, fault);
	if (got < 0)
		return got;
	err = fy_http_request_line(line, !got, limits, head, fault);
	if (err || got == 0)
		return err;
	uint32_t headers_max = limits->headers_max < FY_HTTP_HEADERS_MAX ? limits->headers_max : FY_HTTP_HEADERS_MAX;
	while ((got = next_line(&rest, &line, fault)) > 0) {
		if (line.len == 0)
			break;
		if (head->header_count == headers_max)
			return fy_http_refuse(fault, 431, "too many header fields");
		err = field_line(line, false, &header, fault);
		if (!err)
			err = add_field(head, &header, &framing, fault);
		if (err)
			return err;
	}
	if (got < 0)
		return got;
	if (got == 0)
		return partial ? field_line(line, true, &header, fault)
			       : fy_http_refuse(fault, 400, "the head is not complete");
	if (rest.len)
		return fy_http_refuse(fault, 400, "bytes after the head");
	return fy_http_framing_end(&framing, head, fault);
}

ssize_t fy_http_head_find(struct fy_slice raw, const struct fy_http_limits *limits, size_t *scan_from,
			  struct fy_http_fault *fault)
{
	struct fy_slice rest = fy_from(raw, *scan_from), line;
	bool new_line = *scan_from == 0, begun = *scan_from > 0;
	int got, skipped = 0;
	while ((got = next_line(&rest, &line, fault)) > 0) {
		new_line = true;
		if (line.len) {
			begun = true;
			continue;
		}
		if (begun) {
			size_t length = (size_t)(rest.ptr - raw.ptr);
			if (length > limits->head_max)
				return fy_http_refuse(fault, 431, "the request head is too large");
			return (ssize_t)length;
		}
		if (++skipped > LEADING_MAX)
			return fy_http_refuse(fault, 400, "too many empty lines before the request line");
	}
	if (got < 0) {
		/* Say what was wrong first, in the order of the bytes. */
		struct fy_http_head head;
		int err = parse_lines(raw, true, limits, &head, fault);
		return err ? err : fy_http_refuse(fault, 400, "a line feed without carriage return");
	}
	/* Lines that are complete are checked as soon as they are, together with what came before; the open one each
	 * time. So a client that sends byte by byte costs its lines once each, and its last line as it grows. */
	struct fy_http_head head;
	int err = 0;
	if (new_line)
		err = parse_lines(raw, true, limits, &head, fault);
	else if (begun)
		err = field_line(line, true, &head.headers[0], fault);
	if (err)
		return err;
	if (raw.len >= limits->head_max)
		return fy_http_refuse(fault, 431, "the request head is too large");
	if (begun)
		*scan_from = raw.len - rest.len;
	return 0;
}

int fy_http_head_parse(struct fy_slice raw, const struct fy_http_limits *limits, struct fy_http_head *head,
		       struct fy_http_fault *fault)
{
	int err = parse_lines(raw, false, limits, head, fault);
	if (err)
		return err;
	struct fy_llhttp_verdict verdict;
	if (fy_llhttp_judge(raw, head->minor > 0, &verdict))
		return fy_http_refuse(fault, 400, verdict.error);
	/* Two parsers that disagree are what smuggling needs: then nobody is served. */
	if (verdict.chunked != head->chunked || verdict.has_length != head->has_length ||
	    verdict.content_length != head->content_length || verdict.major != 1 ||
	    !fy_eq(fy_str(verdict.method), head->method_text))
		return fy_http_refuse(fault, 400, "ambiguous framing");
	return 0;
}

struct fy_slice fy_http_find(const struct fy_http_head *head, struct fy_slice name)
{
	struct fy_slice value = FY_NONE;
	size_t at = 0;
	fy_http_next(head, name, &at, &value);
	return value;
}

bool fy_http_next(const struct fy_http_head *head, struct fy_slice name, size_t *at, struct fy_slice *ret_value)
{
	while (*at < head->header_count) {
		const struct fy_http_header *header = &head->headers[(*at)++];
		if (fy_eq_nocase(header->name, name)) {
			*ret_value = header->value;
			return true;
		}
	}
	return false;
}
