/* "{keys}" in a migration or a statement: the name of the database beside the main one (db_internal.h). */
#include <stdlib.h>

#include "foyer/require.h"
#include "storage/db_internal.h"

static const char mark[] = "{keys}";

#define NAME_MAX_BYTES (64 * 4) /* of a database in MariaDB: 64 characters */

char *fy_sql_expand(struct fy_slice text, const char *database, size_t *ret_len)
{
	const char *at = text.ptr, *end = at + text.len, *found;
	size_t marks = 0;
	for (found = at; (found = memmem(found, (size_t)(end - found), mark, sizeof mark - 1)) != NULL; found++)
		marks++;
	char *out = malloc(text.len + marks * (2 * NAME_MAX_BYTES + sizeof "``_keys") + 1), *to = out;
	FY_REQUIRE(out != NULL && strlen(database) <= NAME_MAX_BYTES);
	while ((found = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
		to = mempcpy(to, at, (size_t)(found - at));
		*to++ = '`';
		for (const char *c = database; *c; c++) {
			if (*c == '`')
				*to++ = '`';
			*to++ = *c;
		}
		to = mempcpy(to, "_keys`", 6);
		at = found + sizeof mark - 1;
	}
	to = mempcpy(to, at, (size_t)(end - at));
	*to = '\0';
	*ret_len = (size_t)(to - out);
	return out;
}
