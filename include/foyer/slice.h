/* Text as a pointer and a length, passed by value.
 * A slice never owns: whoever made it says in whose memory it lives (usually a request's arena).
 * The wrapped types at the end mark text about a person, sealed or not, and text that opens doors; the
 * logger refuses them at compile time (see log.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fy_slice {
	const char *ptr;
	size_t len;
};

#define FY_LIT(s) ((struct fy_slice){ (s), sizeof(s) - 1 })
#define FY_NONE ((struct fy_slice){ NULL, 0 })
#define FY_FMT "%.*s"
#define FY_ARG(s) (int)(s).len, (s).ptr

static inline struct fy_slice fy_slice(const void *ptr, size_t len)
{
	return (struct fy_slice){ ptr, len };
}

static inline struct fy_slice fy_str(const char *s)
{
	return (struct fy_slice){ s, s ? strlen(s) : 0 };
}

static inline bool fy_eq(struct fy_slice a, struct fy_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII only, as protocol element names are. */
static inline bool fy_eq_nocase(struct fy_slice a, struct fy_slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
		if (x >= 'A' && x <= 'Z')
			x |= 0x20;
		if (y >= 'A' && y <= 'Z')
			y |= 0x20;
		if (x != y)
			return false;
	}
	return true;
}

static inline bool fy_starts(struct fy_slice s, struct fy_slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline struct fy_slice fy_from(struct fy_slice s, size_t start)
{
	if (start > s.len)
		start = s.len;
	return (struct fy_slice){ s.ptr + start, s.len - start };
}

static inline struct fy_slice fy_upto(struct fy_slice s, size_t len)
{
	return (struct fy_slice){ s.ptr, len < s.len ? len : s.len };
}

/* Cuts `s` at the first `sep`: returns what stands before it and leaves the rest in *s. Without a
 * `sep` the whole is returned and *s becomes empty with a NULL pointer, which ends a loop. */
static inline struct fy_slice fy_cut(struct fy_slice *s, char sep)
{
	const char *at = s->len ? memchr(s->ptr, sep, s->len) : NULL;
	struct fy_slice head = *s;
	if (at == NULL) {
		*s = FY_NONE;
		return head;
	}
	head.len = (size_t)(at - s->ptr);
	*s = fy_from(*s, head.len + 1);
	return head;
}

/* Strips spaces and tabs (HTTP's OWS) on both sides. */
static inline struct fy_slice fy_trim(struct fy_slice s)
{
	while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
		s.ptr++;
		s.len--;
	}
	while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Text about a person: shown to the person, sealed at rest, never logged. */
struct fy_personal {
	struct fy_slice text;
};

/* A personal or secret value as it is stored: sealed under its person's key (storage/seal.h). */
struct fy_sealed {
	struct fy_slice bytes;
};

/* Text that opens a door (password, token, key): compared in constant time, never logged. */
struct fy_secret {
	struct fy_slice text;
};
