/* The table of http_chars.h, written out by range.
 * Leaves nothing else here. Used through fy_char_is and fy_span. */
#include "protocol/http_chars.h"

#define ALNUM (FY_C_TOKEN | FY_C_PATH | FY_C_QUERY | FY_C_HOST | FY_C_COOKIE | FY_C_UNRESERVED)
#define URI (FY_C_PATH | FY_C_QUERY | FY_C_HOST | FY_C_COOKIE)

const uint8_t fy_char_class[256] = {
	['0' ... '9'] = ALNUM | FY_C_HEX,
	['a' ... 'f'] = ALNUM | FY_C_HEX,
	['g' ... 'z'] = ALNUM,
	['A' ... 'F'] = ALNUM | FY_C_HEX,
	['G' ... 'Z'] = ALNUM,
	['-'] = ALNUM,
	['.'] = ALNUM,
	['_'] = ALNUM,
	['~'] = ALNUM,
	['!'] = URI | FY_C_TOKEN,
	['$'] = URI | FY_C_TOKEN,
	['%'] = URI | FY_C_TOKEN,
	['&'] = URI | FY_C_TOKEN,
	['\''] = URI | FY_C_TOKEN,
	['('] = URI,
	[')'] = URI,
	['*'] = URI | FY_C_TOKEN,
	['+'] = URI | FY_C_TOKEN,
	[','] = FY_C_PATH | FY_C_QUERY,
	[';'] = FY_C_PATH | FY_C_QUERY | FY_C_HOST,
	['='] = URI,
	[':'] = FY_C_PATH | FY_C_QUERY | FY_C_COOKIE,
	['@'] = FY_C_PATH | FY_C_QUERY | FY_C_COOKIE,
	['/'] = FY_C_PATH | FY_C_QUERY | FY_C_COOKIE,
	['?'] = FY_C_QUERY | FY_C_COOKIE,
	['['] = FY_C_QUERY | FY_C_COOKIE,
	[']'] = FY_C_QUERY | FY_C_COOKIE,
	['{'] = FY_C_QUERY | FY_C_COOKIE,
	['}'] = FY_C_QUERY | FY_C_COOKIE,
	['|'] = FY_C_QUERY | FY_C_COOKIE | FY_C_TOKEN,
	['^'] = FY_C_QUERY | FY_C_COOKIE | FY_C_TOKEN,
	['`'] = FY_C_QUERY | FY_C_COOKIE | FY_C_TOKEN,
	['\\'] = FY_C_QUERY,
	['#'] = FY_C_TOKEN | FY_C_COOKIE,
	['<'] = FY_C_COOKIE,
	['>'] = FY_C_COOKIE,
};
