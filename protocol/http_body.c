/* Takes one request body out of the bytes after its head: a counted one, or a chunked one (RFC 9112 7.1).
 * Leaves reading and deadlines to the connection; trailers are checked and dropped (RFC 9110 6.5.1 allows it).
 * Called each time bytes arrive, with no memory but the struct.
 *
 *     SIZE ──';'──► EXT… ──CR──► SIZE_LF ──► DATA ──► DATA_CR ─► DATA_LF ──► SIZE
 *       └───────CR───────────────┘  └─ size 0 ─► TRAILER ─► … ─► END_LF (done)
 *
 * llhttp's versions differ on white space, bare LF and extensions here, so the chunk grammar is our own: no
 * white space anywhere, every line ends in CRLF. The tests compare it with llhttp as an oracle. */
#include "protocol/http_body.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"
#include "protocol/http_parts.h"

enum {
	COUNTED = 1,
	SIZE,
	SIZE_LF,
	EXT_NAME_START,
	EXT_NAME,
	EXT_VALUE_START,
	EXT_VALUE,
	EXT_QUOTED,
	EXT_ESCAPED,
	EXT_QUOTED_END,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	DONE
};

static int refuse_size(struct fy_http_fault *fault)
{
	fy_http_refuse(fault, 413, "the content is too large");
	return FY_ERR_TOO_LARGE;
}

int fy_http_body_init(struct fy_http_body *body, const struct fy_http_head *head, uint64_t max,
		      struct fy_http_fault *fault)
{
	*body = (struct fy_http_body){ .max = max, .left = head->chunked ? 0 : head->content_length };
	if (body->left > max)
		return refuse_size(fault);
	body->state = head->chunked ? SIZE : body->left ? COUNTED : DONE;
	body->done = body->state == DONE;
	return 0;
}

static bool ext_byte(char c, bool quoted)
{
	if (!quoted)
		return fy_char_is(c, FY_C_TOKEN);
	unsigned char u = (unsigned char)c;
	return (u >= 0x20 && u != 0x7f) || u == '\t';
}

/* The end of a chunk's size line. */
static int size_line_done(struct fy_http_body *body, struct fy_http_fault *fault)
{
	body->line = 0;
	if (body->left == 0) {
		body->state = TRAILER;
		return 0;
	}
	if (body->left > body->max - body->taken)
		return refuse_size(fault);
	body->state = DATA;
	return 0;
}

static int size_digit(struct fy_http_body *body, char c, struct fy_http_fault *fault)
{
	int digit = fy_hex_digit(c);
	if (digit < 0 || ++body->line > FY_CHUNK_DIGITS_MAX || body->left > (uint64_t)INT64_MAX >> 4)
		return fy_http_refuse(fault, 400, "a chunk size that is none");
	body->left = body->left << 4 | (unsigned)digit;
	return 0;
}

static int ext_step(struct fy_http_body *body, char c, struct fy_http_fault *fault)
{
	if (c != '\r' && (++body->line > FY_CHUNK_EXT_MAX || ++body->ext_total > FY_CHUNK_EXT_TOTAL_MAX))
		return fy_http_refuse(fault, 400, "chunk extensions are too long");
	switch (body->state) {
	case EXT_NAME_START:
		if (ext_byte(c, false))
			return body->state = EXT_NAME, 0;
		break;
	case EXT_NAME:
		if (ext_byte(c, false))
			return 0;
		if (c == '=')
			return body->state = EXT_VALUE_START, 0;
		goto separator;
	case EXT_VALUE_START:
		if (c == '"')
			return body->state = EXT_QUOTED, 0;
		if (ext_byte(c, false))
			return body->state = EXT_VALUE, 0;
		break;
	case EXT_VALUE:
		if (ext_byte(c, false))
			return 0;
		goto separator;
	case EXT_QUOTED:
		if (c == '"')
			return body->state = EXT_QUOTED_END, 0;
		if (c == '\\')
			return body->state = EXT_ESCAPED, 0;
		if (ext_byte(c, true))
			return 0;
		break;
	case EXT_ESCAPED:
		if (ext_byte(c, true))
			return body->state = EXT_QUOTED, 0;
		break;
	case EXT_QUOTED_END:
	separator:
		if (c == ';')
			return body->state = EXT_NAME_START, 0;
		if (c == '\r')
			return body->state = SIZE_LF, 0;
		break;
	}
	return fy_http_refuse(fault, 400, "malformed chunk extensions");
}

static int trailer_step(struct fy_http_body *body, char c, struct fy_http_fault *fault)
{
	if (++body->trailer > FY_TRAILER_MAX)
		return fy_http_refuse(fault, 431, "the trailer is too large");
	switch (body->state) {
	case TRAILER:
		if (c == '\r')
			return body->state = END_LF, 0;
		if (fy_char_is(c, FY_C_TOKEN))
			return body->state = TRAILER_NAME, 0;
		break;
	case TRAILER_NAME:
		if (fy_char_is(c, FY_C_TOKEN))
			return 0;
		if (c == ':')
			return body->state = TRAILER_VALUE, 0;
		break;
	case TRAILER_VALUE:
		if (c == '\r')
			return body->state = TRAILER_LF, 0;
		if (ext_byte(c, true))
			return 0;
		break;
	case TRAILER_LF:
		if (c == '\n')
			return body->state = TRAILER, 0;
		break;
	case END_LF:
		if (c == '\n') {
			body->state = DONE;
			body->done = true;
			return 0;
		}
		break;
	}
	return fy_http_refuse(fault, 400, "a malformed trailer");
}

/* One byte outside of content. */
static int step(struct fy_http_body *body, char c, struct fy_http_fault *fault)
{
	switch (body->state) {
	case SIZE:
		if (body->line && c == ';') {
			body->line = 0;
			body->state = EXT_NAME_START;
			return 0;
		}
		if (body->line && c == '\r') {
			body->state = SIZE_LF;
			return 0;
		}
		return size_digit(body, c, fault);
	case SIZE_LF:
		if (c != '\n')
			return fy_http_refuse(fault, 400, "a chunk size line without CRLF");
		return size_line_done(body, fault);
	case DATA_CR:
	case DATA_LF:
		if (c != (body->state == DATA_CR ? '\r' : '\n'))
			return fy_http_refuse(fault, 400, "a chunk without CRLF after it");
		body->state = body->state == DATA_CR ? DATA_LF : SIZE;
		return 0;
	default:
		return body->state < DATA ? ext_step(body, c, fault) : trailer_step(body, c, fault);
	}
}

static int take_content(struct fy_http_body *body, struct fy_slice *in, struct fy_buf *out, struct fy_http_fault *fault)
{
	struct fy_slice part = fy_upto(*in, body->left < in->len ? (size_t)body->left : in->len);
	fy_buf_put(out, part);
	if (out->failed)
		return refuse_size(fault);
	*in = fy_from(*in, part.len);
	body->left -= part.len;
	body->taken += part.len;
	if (body->left)
		return 0;
	if (body->state == COUNTED) {
		body->state = DONE;
		body->done = true;
	} else {
		body->state = DATA_CR;
	}
	return 0;
}

int fy_http_body_feed(struct fy_http_body *body, struct fy_slice in, struct fy_buf *out, size_t *ret_used,
		      struct fy_http_fault *fault)
{
	struct fy_slice rest = in;
	while (rest.len && body->state != DONE) {
		int err;
		if (body->state == COUNTED || body->state == DATA) {
			err = take_content(body, &rest, out, fault);
		} else {
			err = step(body, rest.ptr[0], fault);
			rest = fy_from(rest, 1);
		}
		if (err)
			return err;
	}
	*ret_used = in.len - rest.len;
	return 0;
}
