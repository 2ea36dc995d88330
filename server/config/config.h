/* Makes struct fy_config (foyer/config.h) out of defaults, a file, the environment and command-line flags,
 * in that order, and names every problem it finds, not only the first.
 * What a setting means is left to whoever reads it; that it can be used at all is checked here.
 * Called by the supervisor, the commands, and by each worker for the copy that the supervisor hands it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "foyer/buf.h"
#include "foyer/config.h"
#include "foyer/err.h"

enum fy_config_type {
	FY_CONFIG_BOOL = 1,
	FY_CONFIG_INT,
	FY_CONFIG_CHOICE,
	FY_CONFIG_STRING,
	FY_CONFIG_SECRET,
	FY_CONFIG_STRINGS,
	FY_CONFIG_CIDRS,
};

/* A row of config_keys.def. */
struct fy_config_key {
	const char *section, *key;
	enum fy_config_type type;
	const char *fallback; /* as TOML; for a CHOICE followed by |alternative|alternative */
	int64_t least, most;
	const char *help;
	size_t offset; /* of the member in struct fy_config */
};

struct fy_config_section {
	const char *name, *help;
};

extern const struct fy_config_key fy_config_keys[];
extern const size_t fy_config_key_count;
extern const struct fy_config_section fy_config_sections[];
extern const size_t fy_config_section_count;

const struct fy_config_key *fy_config_key_find(struct fy_slice section, struct fy_slice key);
bool fy_config_section_exists(struct fy_slice section);

/* The known name that looks most like it, or NULL when none is near. `section.key` in ret (a buffer of 128). */
const char *fy_config_nearest_key(struct fy_slice section, struct fy_slice key, char ret[128]);
const char *fy_config_nearest_section(struct fy_slice section);

/* A setting from a command-line flag. */
struct fy_config_flag {
	const char *flag; /* "--listen", for messages */
	const char *section, *key;
	const char *value; /* as in the environment; NULL: not given */
};

struct fy_config_source {
	const char *path; /* NULL: no file */
	bool environment; /* look at FOYER__SECTION__KEY */
	const struct fy_config_flag *flags;
	size_t flag_count;
	int fd; /* > 0: read from there what fy_config_write wrote, and nothing else */
};

struct fy_config_problem {
	const char *origin; /* the file's path, a variable, a flag */
	unsigned line;      /* 0: none */
	char *text;         /* a sentence without its full stop */
	struct fy_config_problem *next;
};

/* Problems in the order of their lines. Memory is the report's. */
struct fy_config_report {
	struct fy_arena arena;
	struct fy_config_problem *first;
	size_t count;
};

void fy_config_report_finish(struct fy_config_report *report);

/* Adds one; for checks made elsewhere, too. */
void fy_config_complain(struct fy_config_report *report, const char *origin, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* "FILE:LINE: text." a line. */
void fy_config_report_print(const struct fy_config_report *report, struct fy_buf *out);

/* 0 and a config, or FY_ERR_CONFIG and at least one problem. The report is initialised here and finished by
 * the caller in both cases. Derived values are filled in: paths are absolute, empty directories stand for
 * those in the state directory, and an embedded config names the sockets of the private servers. Blocks on
 * files: for start-up, commands and reloads only. */
int fy_config_load(const struct fy_config_source *source, struct fy_config **ret_config,
		   struct fy_config_report *report);

/* Wipes the secrets. Accepts NULL. */
void fy_config_destroy(struct fy_config *config);

/* The public origin where no base_url is set; once, before anyone else has the config. */
void fy_config_set_base_url(struct fy_config *config, struct fy_slice base_url);

/* All values as TOML, secrets too: for the pipe to a worker, never for eyes. */
void fy_config_write(const struct fy_config *config, struct fy_buf *out);

/* config.example.toml. */
void fy_config_write_example(struct fy_buf *out);

/* What ties keys together (a listener needs its certificate); part of fy_config_load. */
void fy_config_check(const struct fy_config *config, const char *origin, struct fy_config_report *report);
