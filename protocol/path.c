/* Decides whether a raw path means one thing to everyone, and whether a redirect stays on this site.
 * Leaves matching to the router. Called once a request, and for each "next" a visitor names. */
#include "protocol/path.h"

#include "foyer/err.h"
#include "protocol/http_chars.h"
#include "protocol/utf8.h"

#define LOCAL_MAX 1024

/* "." or "..", also with its dots as %2e. */
static bool is_dots(struct fy_slice segment)
{
	int dots = 0;
	while (segment.len) {
		if (segment.ptr[0] == '.')
			segment = fy_from(segment, 1);
		else if (segment.len >= 3 && segment.ptr[0] == '%' && segment.ptr[1] == '2' &&
			 (segment.ptr[2] | 0x20) == 'e')
			segment = fy_from(segment, 3);
		else
			return false;
		if (++dots > 2)
			return false;
	}
	return dots > 0;
}

/* Bytes of one segment once decoded, in blocks that never cut a UTF-8 sequence: -1 at the end, -2 when bad. */
static int next_byte(struct fy_slice *s)
{
	if (s->len == 0)
		return -1;
	char c = s->ptr[0];
	if (c != '%') {
		*s = fy_from(*s, 1);
		return fy_char_is(c, FY_C_PATH) ? (unsigned char)c : -2;
	}
	if (s->len < 3 || !fy_char_is(s->ptr[1], FY_C_HEX) || !fy_char_is(s->ptr[2], FY_C_HEX))
		return -2;
	int byte = fy_hex_digit(s->ptr[1]) << 4 | fy_hex_digit(s->ptr[2]);
	*s = fy_from(*s, 3);
	/* What a later reader could take for a separator, or for the end of a string. */
	return byte == '/' || byte == '\\' || byte < 0x20 || byte == 0x7f ? -2 : byte;
}

static int check_segment(struct fy_slice segment)
{
	char sequence[4];
	size_t have = 0;
	int byte;
	while ((byte = next_byte(&segment)) >= 0) {
		if (byte < 0x80 && have == 0)
			continue;
		if (have == sizeof(sequence))
			return FY_ERR_INVALID;
		sequence[have++] = (char)byte;
		if (fy_utf8_valid(fy_slice(sequence, have)))
			have = 0;
	}
	return byte == -2 || have ? FY_ERR_INVALID : 0;
}

int fy_path_check(struct fy_slice path)
{
	bool strange = false;
	if (path.len == 0 || path.ptr[0] != '/')
		return FY_ERR_INVALID;
	struct fy_slice rest = fy_from(path, 1);
	while (rest.ptr) {
		struct fy_slice segment = fy_cut(&rest, '/');
		if ((segment.len == 0 && rest.ptr) || is_dots(segment))
			strange = true;
		int err = check_segment(segment);
		if (err)
			return err;
	}
	return strange ? FY_ERR_NOT_FOUND : 0;
}

bool fy_path_is_local(struct fy_slice target)
{
	struct fy_slice query = target;
	if (target.len > LOCAL_MAX)
		return false;
	struct fy_slice path = fy_cut(&query, '?');
	if (path.len > 1 && (path.ptr[1] == '/' || path.ptr[1] == '\\'))
		return false;
	return fy_path_check(path) == 0 && fy_span(query, FY_C_QUERY) == query.len;
}
