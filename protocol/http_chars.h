/* Which bytes may stand where in HTTP and in URIs, as one table of bits.
 * Leaves every rule about sequences of bytes to its users. Included by the files of protocol/ that read
 * request heads, paths and cookies. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/slice.h"

enum {
	FY_C_TOKEN = 1, /* tchar, RFC 9110 5.6.2 */
	FY_C_PATH = 2,  /* pchar and '/', RFC 3986 3.3; '%' included */
	FY_C_QUERY = 4, /* RFC 3986 3.4, and []{}|^`\ which browsers leave as typed (WHATWG URL) */
	FY_C_HOST = 8,  /* reg-name, RFC 3986 3.2.2, without the comma; '%' included */
	FY_C_HEX = 16,
	FY_C_COOKIE = 32,    /* cookie-octet, RFC 6265 4.1.1 */
	FY_C_UNRESERVED = 64 /* RFC 3986 2.3 */
};

extern const uint8_t fy_char_class[256];

static inline bool fy_char_is(char c, int classes)
{
	return fy_char_class[(uint8_t)c] & classes;
}

/* The number of leading bytes that are of one of the classes. */
static inline size_t fy_span(struct fy_slice s, int classes)
{
	size_t n = 0;
	while (n < s.len && fy_char_is(s.ptr[n], classes))
		n++;
	return n;
}

/* -1 when it is no hexadecimal digit. */
static inline int fy_hex_digit(char c)
{
	if ((unsigned)(c - '0') < 10)
		return c - '0';
	unsigned letter = (unsigned)((c | 0x20) - 'a');
	return letter < 6 ? (int)letter + 10 : -1;
}
