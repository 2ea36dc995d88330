/* Writes a configuration: the commented example with every default, and the whole of one for a worker.
 * What it writes, load.c reads. Called by the commands and the supervisor. */
#include <stdio.h>

#include "protocol/netaddr.h"
#include "server/config/config.h"

#define COLUMNS 100

static struct fy_slice default_of(const struct fy_config_key *key)
{
	struct fy_slice rest = fy_str(key->fallback);

	return key->type == FY_CONFIG_CHOICE ? fy_cut(&rest, '|') : rest;
}

/* Breaks a sentence into comment lines. */
static void put_comment(struct fy_buf *out, struct fy_slice text)
{
	size_t column = 0;

	while (text.len) {
		struct fy_slice word = fy_cut(&text, ' ');

		if (column && column + 1 + word.len > COLUMNS) {
			fy_buf_char(out, '\n');
			column = 0;
		}
		if (column == 0) {
			fy_buf_char(out, '#');
			column = 1;
		}
		fy_buf_char(out, ' ');
		fy_buf_put(out, word);
		column += word.len + 1;
	}
	if (column)
		fy_buf_char(out, '\n');
}

static void put_range(struct fy_buf *out, const struct fy_config_key *key)
{
	if (key->type == FY_CONFIG_INT)
		fy_buf_fmt(out, "# From %lld to %lld.\n", (long long)key->least, (long long)key->most);
	if (key->type == FY_CONFIG_SECRET)
		fy_buf_fmt(out, "# %s_file = \"PATH\" reads it from a file.\n", key->key);
}

void fy_config_write_example(struct fy_buf *out)
{
	put_comment(out, FY_LIT("Every setting of Foyer with its default. Start it with: foyer serve --config FILE."));
	put_comment(out,
		    FY_LIT("A variable FOYER__SECTION__KEY in the environment wins over this file, a flag over both; "
			   "lists are separated by commas there. FOYER__SECTION__KEY_FILE reads a secret from a file. "
			   "foyer check-config names every mistake."));
	put_comment(out, FY_LIT("Made by foyer check-config --print-example from include/foyer/config_keys.def."));
	for (size_t s = 0; s < fy_config_section_count; s++) {
		const struct fy_config_section *section = &fy_config_sections[s];

		fy_buf_char(out, '\n');
		put_comment(out, fy_str(section->help));
		fy_buf_fmt(out, "[%s]\n", section->name);
		for (size_t i = 0; i < fy_config_key_count; i++) {
			const struct fy_config_key *key = &fy_config_keys[i];

			if (strcmp(key->section, section->name) != 0)
				continue;
			fy_buf_char(out, '\n');
			put_comment(out, fy_str(key->help));
			put_range(out, key);
			fy_buf_fmt(out, "#%s = " FY_FMT "\n", key->key, FY_ARG(default_of(key)));
		}
	}
}

/* Texts hold no control characters (load.c refuses them), so quotes and backslashes are all there is. */
static void put_text(struct fy_buf *out, struct fy_slice text)
{
	fy_buf_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			fy_buf_char(out, '\\');
		fy_buf_char(out, text.ptr[i]);
	}
	fy_buf_char(out, '"');
}

static void put_choice(struct fy_buf *out, const struct fy_config_key *key, int index)
{
	struct fy_slice rest = fy_str(key->fallback);

	fy_cut(&rest, '|');
	while (index-- > 0)
		fy_cut(&rest, '|');
	put_text(out, fy_cut(&rest, '|'));
}

static void put_list(struct fy_buf *out, const struct fy_config_key *key, const void *member)
{
	const struct fy_config_strings *strings = member;
	const struct fy_config_cidrs *cidrs = member;
	size_t count = key->type == FY_CONFIG_STRINGS ? strings->count : cidrs->count;

	fy_buf_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		char text[FY_ADDR_TEXT_MAX], buf[64];

		if (i)
			fy_buf_put(out, FY_LIT(", "));
		if (key->type == FY_CONFIG_STRINGS) {
			put_text(out, strings->items[i]);
		} else {
			fy_addr_text(&cidrs->items[i].addr, text);
			snprintf(buf, sizeof(buf), "%s/%d", text,
				 cidrs->items[i].bits - (fy_addr_is_v4(&cidrs->items[i].addr) ? 96 : 0));
			put_text(out, fy_str(buf));
		}
	}
	fy_buf_char(out, ']');
}

/* The sockets of embedded mode follow from the state directory, and their absence is what says embedded. */
static bool is_derived(const struct fy_config *config, const struct fy_config_key *key)
{
	return config->embedded && (key->offset == offsetof(struct fy_config, database_hosts) ||
				    key->offset == offsetof(struct fy_config, redis_host));
}

void fy_config_write(const struct fy_config *config, struct fy_buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < fy_config_key_count; i++) {
		const struct fy_config_key *key = &fy_config_keys[i];
		const void *member = (const char *)config + key->offset;

		if (is_derived(config, key))
			continue;
		if (strcmp(section, key->section) != 0)
			fy_buf_fmt(out, "[%s]\n", section = key->section);
		fy_buf_fmt(out, "%s = ", key->key);
		switch (key->type) {
		case FY_CONFIG_BOOL:
			fy_buf_put(out, *(const bool *)member ? FY_LIT("true") : FY_LIT("false"));
			break;
		case FY_CONFIG_INT:
			fy_buf_fmt(out, "%lld", (long long)*(const int64_t *)member);
			break;
		case FY_CONFIG_CHOICE:
			put_choice(out, key, *(const int *)member);
			break;
		case FY_CONFIG_STRING:
			put_text(out, *(const struct fy_slice *)member);
			break;
		case FY_CONFIG_SECRET:
			put_text(out, ((const struct fy_secret *)member)->text);
			break;
		case FY_CONFIG_STRINGS:
		case FY_CONFIG_CIDRS:
			put_list(out, key, member);
			break;
		}
		fy_buf_char(out, '\n');
	}
}
