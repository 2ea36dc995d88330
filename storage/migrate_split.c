/* Cutting a migration file into statements, as MariaDB's lexer would see quotes and comments.
 * What a statement means is left to the server. migrate.c calls it. */
#include "storage/migrate.h"

/* An executable comment, with ! or M: the server runs what stands in it. */
static bool is_executable(struct fy_slice s, size_t i)
{
	return s.len - i >= 3 && s.ptr[i] == '/' && s.ptr[i + 1] == '*' && (s.ptr[i + 2] == '!' || s.ptr[i + 2] == 'M');
}

/* Just past the end of the bracketed comment that begins at `i`. */
static size_t after_bracket(struct fy_slice s, size_t i)
{
	for (i += 3; i < s.len; i++)
		if (s.ptr[i] == '/' && s.ptr[i - 1] == '*')
			return i + 1;
	return s.len;
}

/* Where the comment that begins at `i` ends, or `i` when none does. */
static size_t after_comment(struct fy_slice s, size_t i)
{
	const char *p = s.ptr;
	size_t left = s.len - i;
	if (p[i] == '#' ||
	    (left >= 2 && p[i] == '-' && p[i + 1] == '-' && (left == 2 || (unsigned char)p[i + 2] <= ' '))) {
		while (i < s.len && p[i] != '\n')
			i++;
		return i;
	}
	if (left >= 2 && p[i] == '/' && p[i + 1] == '*' && !is_executable(s, i))
		return after_bracket(s, i);
	return i;
}

/* Just past the quoted text that begins at `i`. Doubling needs no care: it ends one text and begins another. */
static size_t after_quoted(struct fy_slice s, size_t i)
{
	char quote = s.ptr[i++];
	while (i < s.len && s.ptr[i] != quote)
		i += s.ptr[i] == '\\' && quote != '`' ? 2 : 1;
	return i < s.len ? i + 1 : s.len;
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == ';';
}

bool fy_migrate_split(struct fy_slice *rest, struct fy_slice *ret_statement)
{
	struct fy_slice s = *rest;
	size_t i = 0, start, end, after;
	while (i < s.len) {
		if (is_blank(s.ptr[i]))
			i++;
		else if ((after = after_comment(s, i)) > i)
			i = after;
		else
			break;
	}
	start = end = i;
	while (i < s.len && s.ptr[i] != ';') {
		char c = s.ptr[i];
		if (c == '\'' || c == '"' || c == '`')
			end = i = after_quoted(s, i);
		else if (is_executable(s, i))
			end = i = after_bracket(s, i);
		else if ((after = after_comment(s, i)) > i)
			i = after;
		else if (++i, !is_blank(c))
			end = i;
	}
	*rest = i < s.len ? fy_from(s, i + 1) : FY_NONE;
	if (end == start)
		return false;
	*ret_statement = fy_slice(s.ptr + start, end - start);
	return true;
}
