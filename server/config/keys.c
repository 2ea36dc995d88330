/* The table of all settings, made from config_keys.def, and the search for a name in it.
 * What a value may be is load.c's business. Called by load.c and print.c. */
#include <stdio.h>

#include "foyer/require.h"
#include "server/config/config.h"

const struct fy_config_key fy_config_keys[] = {
#define FY_SECTION(section, help)
#define FY_KEY(section, key, type, fallback, min, max, help) \
	{ #section, #key, FY_CONFIG_##type, fallback, min, max, help, offsetof(struct fy_config, section##_##key) },
#include "foyer/config_keys.def"
#undef FY_SECTION
#undef FY_KEY
};
const size_t fy_config_key_count = FY_COUNT(fy_config_keys);

const struct fy_config_section fy_config_sections[] = {
#define FY_SECTION(section, help) { #section, help },
#define FY_KEY(...)
#include "foyer/config_keys.def"
#undef FY_SECTION
#undef FY_KEY
};
const size_t fy_config_section_count = FY_COUNT(fy_config_sections);

const struct fy_config_key *fy_config_key_find(struct fy_slice section, struct fy_slice key)
{
	for (size_t i = 0; i < fy_config_key_count; i++)
		if (fy_eq(section, fy_str(fy_config_keys[i].section)) && fy_eq(key, fy_str(fy_config_keys[i].key)))
			return &fy_config_keys[i];
	return NULL;
}

bool fy_config_section_exists(struct fy_slice section)
{
	for (size_t i = 0; i < fy_config_section_count; i++)
		if (fy_eq(section, fy_str(fy_config_sections[i].name)))
			return true;
	return false;
}

/* Longer names than any of ours are nobody's misspelling of them. */
#define NAME_MAX_LEN 48

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

/* Letters to insert, drop, replace or swap (optimal string alignment) to make `b` of `a`. */
static unsigned distance(struct fy_slice a, struct fy_slice b)
{
	unsigned rows[3][NAME_MAX_LEN + 1];

	if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]));
			if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
			    two_above[j - 2] + 1 < row[j])
				row[j] = two_above[j - 2] + 1;
		}
	}
	return rows[a.len % 3][b.len];
}

/* Near enough to be what was meant: a third of the letters, and at least two. */
static unsigned tolerance(struct fy_slice name)
{
	return name.len < 6 ? 2 : (unsigned)(name.len / 3);
}

const char *fy_config_nearest_key(struct fy_slice section, struct fy_slice key, char ret[128])
{
	const struct fy_config_key *best = NULL;
	unsigned best_distance = tolerance(key) + 1;

	/* The same name in another section is a better guess than a similar one here, but not than one that
	 * is a letter away. */
	for (size_t i = 0; i < fy_config_key_count; i++) {
		const struct fy_config_key *k = &fy_config_keys[i];
		unsigned d = distance(key, fy_str(k->key)) + (fy_eq(section, fy_str(k->section)) ? 0 : 1);

		if (d < best_distance) {
			best = k;
			best_distance = d;
		}
	}
	if (best == NULL)
		return NULL;
	snprintf(ret, 128, "%s.%s", best->section, best->key);
	return ret;
}

const char *fy_config_nearest_section(struct fy_slice section)
{
	const char *best = NULL;
	unsigned best_distance = tolerance(section) + 1;

	for (size_t i = 0; i < fy_config_section_count; i++) {
		unsigned d = distance(section, fy_str(fy_config_sections[i].name));

		if (d < best_distance) {
			best = fy_config_sections[i].name;
			best_distance = d;
		}
	}
	return best;
}
