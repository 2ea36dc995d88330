/* Puts the layers of the configuration on top of each other: defaults, file, environment, flags.
 * TOML's syntax is left to toml.cpp and what ties keys together to check.c. All values, the defaults too,
 * take the same road through set_value. Called through config.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/require.h"
#include "protocol/netaddr.h"
#include "server/config/config.h"
#include "server/config/toml.h"

/* Larger is no configuration file but a slip in a path. */
#define FILE_BYTES_MAX (1024 * 1024)
#define SECRET_BYTES_MAX 4096

struct loaded {
	struct fy_config config; /* first: a pointer to it is one to this */
	struct fy_arena arena;
};

struct loading {
	struct loaded *loaded;
	struct fy_config_report *report;
	const char *origin;
};

extern char **environ;

static struct fy_slice slice(struct fy_toml_text text)
{
	return (struct fy_slice){ text.ptr, text.len };
}

void fy_config_complain(struct fy_config_report *report, const char *origin, unsigned line, const char *format, ...)
{
	struct fy_config_problem *problem = fy_new(&report->arena, struct fy_config_problem), **at = &report->first;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* A file may hold anything; a terminal gets no control characters from it. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	problem->origin = fy_cstr(&report->arena, fy_str(origin));
	problem->line = line;
	problem->text = fy_cstr(&report->arena, fy_str(text));
	/* toml++ visits keys by name; people read files by line. Other origins keep their order. */
	while (*at != NULL && !(line && (*at)->line > line && strcmp((*at)->origin, origin) == 0))
		at = &(*at)->next;
	problem->next = *at;
	*at = problem;
	report->count++;
}

void fy_config_report_finish(struct fy_config_report *report)
{
	fy_arena_finish(&report->arena);
	report->first = NULL;
	report->count = 0;
}

void fy_config_report_print(const struct fy_config_report *report, struct fy_buf *out)
{
	for (const struct fy_config_problem *p = report->first; p; p = p->next) {
		if (p->line)
			fy_buf_fmt(out, "%s:%u: %s.\n", p->origin, p->line, p->text);
		else
			fy_buf_fmt(out, "%s: %s.\n", p->origin, p->text);
	}
}

static const char *kind_name(const struct fy_toml_value *value)
{
	static const char *const names[] = {
		[FY_TOML_BOOL] = "true or false",   [FY_TOML_INT] = "a number",    [FY_TOML_TEXT] = "a text",
		[FY_TOML_LIST] = "a list of texts", [FY_TOML_TABLE] = "a section",
	};
	return value->kind < FY_COUNT(names) && names[value->kind] ? names[value->kind] : "something else";
}

static void wrong_type(struct loading *l, const struct fy_config_key *key, const struct fy_toml_value *value,
		       const char *wanted)
{
	fy_config_complain(l->report, l->origin, value->line, "%s.%s must be %s, not %s", key->section, key->key,
			   wanted, kind_name(value));
}

static bool in_bounds(struct loading *l, const struct fy_config_key *key, unsigned line, int64_t n, const char *what)
{
	if (n >= key->least && n <= key->most)
		return true;
	fy_config_complain(l->report, l->origin, line, "%s.%s %s from %lld to %lld, not %lld", key->section, key->key,
			   what, (long long)key->least, (long long)key->most, (long long)n);
	return false;
}

static bool is_clean_text(struct loading *l, const struct fy_config_key *key, unsigned line, struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) {
			fy_config_complain(l->report, l->origin, line, "%s.%s contains a control character",
					   key->section, key->key);
			return false;
		}
	}
	return true;
}

static void set_choice(struct loading *l, const struct fy_config_key *key, const struct fy_toml_value *value,
		       int *member)
{
	struct fy_slice rest = fy_str(key->fallback), all;
	int index = 0;

	fy_cut(&rest, '|');
	all = rest;
	while (rest.ptr != NULL) {
		if (fy_eq(fy_cut(&rest, '|'), slice(value->text))) {
			*member = index;
			return;
		}
		index++;
	}
	fy_config_complain(l->report, l->origin, value->line, "%s.%s must be one of " FY_FMT ", not \"%.60s\"",
			   key->section, key->key, FY_ARG(all),
			   slice(value->text).len ? fy_cstr(&l->report->arena, slice(value->text)) : "");
}

static void set_cidrs(struct loading *l, const struct fy_config_key *key, const struct fy_toml_value *value,
		      struct fy_config_cidrs *member)
{
	struct fy_cidr *items = fy_new_array(&l->loaded->arena, struct fy_cidr, value->count);
	bool good = true;

	for (size_t i = 0; i < value->count; i++) {
		if (fy_cidr_parse(slice(value->list[i]), &items[i]) == 0)
			continue;
		fy_config_complain(l->report, l->origin, value->line,
				   "%s.%s: \"" FY_FMT "\" is not a network like 10.0.0.0/8 or 2001:db8::/32",
				   key->section, key->key, FY_ARG(fy_upto(slice(value->list[i]), 60)));
		good = false;
	}
	if (good)
		*member = (struct fy_config_cidrs){ items, value->count };
}

static void set_strings(struct loading *l, const struct fy_toml_value *value, struct fy_config_strings *member)
{
	struct fy_slice *items = fy_new_array(&l->loaded->arena, struct fy_slice, value->count);

	for (size_t i = 0; i < value->count; i++)
		items[i] = fy_copy(&l->loaded->arena, slice(value->list[i]));
	*member = (struct fy_config_strings){ items, value->count };
}

/* The one place where a value reaches the config. */
static void set_value(struct loading *l, const struct fy_config_key *key, const struct fy_toml_value *value)
{
	void *member = (char *)&l->loaded->config + key->offset;
	struct fy_slice text = slice(value->text);

	switch (key->type) {
	case FY_CONFIG_BOOL:
		if (value->kind != FY_TOML_BOOL)
			wrong_type(l, key, value, "true or false");
		else
			*(bool *)member = value->boolean;
		return;
	case FY_CONFIG_INT:
		if (value->kind != FY_TOML_INT)
			wrong_type(l, key, value, "a whole number");
		else if (in_bounds(l, key, value->line, value->integer, "must be"))
			*(int64_t *)member = value->integer;
		return;
	case FY_CONFIG_CHOICE:
		if (value->kind != FY_TOML_TEXT)
			wrong_type(l, key, value, "a text");
		else
			set_choice(l, key, value, member);
		return;
	case FY_CONFIG_STRING:
	case FY_CONFIG_SECRET:
		if (value->kind != FY_TOML_TEXT)
			wrong_type(l, key, value, "a text");
		else if (in_bounds(l, key, value->line, (int64_t)text.len, "must have a length in bytes") &&
			 is_clean_text(l, key, value->line, text)) {
			if (key->type == FY_CONFIG_SECRET)
				*(struct fy_secret *)member = fy_copy_secret(&l->loaded->arena, text);
			else
				*(struct fy_slice *)member = fy_copy(&l->loaded->arena, text);
		}
		return;
	case FY_CONFIG_STRINGS:
	case FY_CONFIG_CIDRS:
		if (value->kind != FY_TOML_LIST) {
			wrong_type(l, key, value, "a list of texts, like [\"one\", \"two\"]");
			return;
		}
		if (!in_bounds(l, key, value->line, (int64_t)value->count, "must have a number of elements"))
			return;
		for (size_t i = 0; i < value->count; i++)
			if (!is_clean_text(l, key, value->line, slice(value->list[i])))
				return;
		if (value->count == 0)
			memset(member, 0,
			       key->type == FY_CONFIG_CIDRS ? sizeof(struct fy_config_cidrs)
							    : sizeof(struct fy_config_strings));
		else if (key->type == FY_CONFIG_CIDRS)
			set_cidrs(l, key, value, member);
		else
			set_strings(l, value, member);
		return;
	}
}

/* Reads a whole small file into the report's arena. The sentence of a failure is in ret_why. */
static bool read_file(struct loading *l, const char *path, int fd, size_t max, struct fy_slice *ret_text,
		      const char **ret_why)
{
	bool opened = fd <= 0;
	struct fy_buf buf;
	struct stat st;
	ssize_t n = 0;

	if (opened && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0) {
		*ret_why = strerror(errno);
		return false;
	}
	fy_buf_init(&buf, &l->report->arena, max + 1);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		*ret_why = "it is a directory";
	} else {
		char *to = fy_buf_reserve(&buf, max + 1);

		*ret_why = NULL;
		while (to != NULL && buf.len <= max && (n = read(fd, to + buf.len, max + 1 - buf.len)) != 0) {
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0) {
				*ret_why = strerror(errno);
				break;
			}
			buf.len += (size_t)n;
		}
		if (*ret_why == NULL && buf.len > max)
			*ret_why = "it is too large";
	}
	if (opened)
		close(fd);
	*ret_text = fy_buf_slice(&buf);
	return *ret_why == NULL;
}

/* KEY_file: the secret is what the file holds, without the newline that editors add. */
static void set_from_file(struct loading *l, const struct fy_config_key *key, struct fy_slice path, unsigned line)
{
	struct fy_toml_value value = { .kind = FY_TOML_TEXT, .line = line };
	const char *name = fy_cstr(&l->report->arena, path), *why;
	struct fy_slice text;

	if (path.len == 0 || !read_file(l, name, 0, SECRET_BYTES_MAX, &text, &why)) {
		fy_config_complain(l->report, l->origin, line, "%s.%s_file: cannot read %s: %s", key->section, key->key,
				   path.len ? name : "\"\"", path.len ? why : "no name");
		return;
	}
	if (text.len && text.ptr[text.len - 1] == '\n')
		text.len -= text.len > 1 && text.ptr[text.len - 2] == '\r' ? 2 : 1;
	value.text = (struct fy_toml_text){ text.ptr, text.len };
	set_value(l, key, &value);
	if (text.len)
		sodium_memzero((char *)text.ptr, text.len);
}

/* Finds `key`, or the secret whose file it names; NULL when there is no such key. */
static const struct fy_config_key *find_key(struct fy_slice section, struct fy_slice name, bool *ret_is_file)
{
	const struct fy_config_key *key = fy_config_key_find(section, name);

	*ret_is_file = false;
	if (key == NULL && name.len > 5 && fy_eq(fy_from(name, name.len - 5), FY_LIT("_file"))) {
		key = fy_config_key_find(section, fy_upto(name, name.len - 5));
		if (key && key->type != FY_CONFIG_SECRET)
			key = NULL;
		*ret_is_file = key != NULL;
	}
	return key;
}

static void visit(void *arg, struct fy_toml_text section_text, struct fy_toml_text key_text,
		  const struct fy_toml_value *value)
{
	struct loading *l = arg;
	struct fy_slice section = slice(section_text), name = slice(key_text);
	const struct fy_config_key *key;
	const char *near;
	bool is_file;
	char buf[128];

	if (section.len == 0) {
		near = fy_config_nearest_key(section, name, buf);
		fy_config_complain(l->report, l->origin, value->line, "\"" FY_FMT "\" stands outside any [section]%s%s",
				   FY_ARG(fy_upto(name, 60)), near ? "; did you mean " : "", near ? near : "");
		return;
	}
	if (name.ptr == NULL) {
		if (fy_config_section_exists(section))
			return;
		near = fy_config_nearest_section(section);
		fy_config_complain(l->report, l->origin, value->line, "there is no section [" FY_FMT "]%s%s%s",
				   FY_ARG(fy_upto(section, 60)), near ? "; did you mean [" : "", near ? near : "",
				   near ? "]" : "");
		return;
	}
	if (!fy_config_section_exists(section))
		return; /* said once, at its header */
	key = find_key(section, name, &is_file);
	if (key == NULL) {
		near = fy_config_nearest_key(section, name, buf);
		fy_config_complain(l->report, l->origin, value->line, "there is no key " FY_FMT "." FY_FMT "%s%s",
				   FY_ARG(section), FY_ARG(fy_upto(name, 60)), near ? "; did you mean " : "",
				   near ? near : "");
	} else if (!is_file) {
		set_value(l, key, value);
	} else if (value->kind != FY_TOML_TEXT) {
		fy_config_complain(l->report, l->origin, value->line, "%s.%s_file must be the name of a file",
				   key->section, key->key);
	} else {
		set_from_file(l, key, slice(value->text), value->line);
	}
}

static void load_text(struct loading *l, struct fy_slice text)
{
	char error[256];
	unsigned line;

	if (!fy_toml_visit((struct fy_toml_text){ text.ptr, text.len }, visit, l, &line, error, sizeof(error)))
		fy_config_complain(l->report, l->origin, line, "this is not TOML: %s", error);
}

static void load_defaults(struct loading *l)
{
	const char *section = "";
	struct fy_buf text;

	fy_buf_init(&text, &l->report->arena, 64 * 1024);
	for (size_t i = 0; i < fy_config_key_count; i++) {
		const struct fy_config_key *k = &fy_config_keys[i];
		struct fy_slice rest = fy_str(k->fallback);

		if (strcmp(section, k->section) != 0)
			fy_buf_fmt(&text, "[%s]\n", section = k->section);
		if (k->type == FY_CONFIG_CHOICE)
			rest = fy_cut(&rest, '|');
		fy_buf_fmt(&text, "%s = " FY_FMT "\n", k->key, FY_ARG(rest));
	}
	l->origin = "config_keys.def";
	load_text(l, fy_buf_slice(&text));
	FY_REQUIRE(!text.failed && l->report->count == 0);
}

/* Variables and flags hold text only: numbers and booleans are read from it, lists are split at commas. */
static void set_from_text(struct loading *l, const struct fy_config_key *key, struct fy_slice text)
{
	struct fy_toml_value value = { .kind = FY_TOML_TEXT, .text = { text.ptr, text.len } };
	char *end = NULL;

	if (key->type == FY_CONFIG_BOOL) {
		bool yes = fy_eq(text, FY_LIT("true")) || fy_eq(text, FY_LIT("1"));

		if (yes || fy_eq(text, FY_LIT("false")) || fy_eq(text, FY_LIT("0"))) {
			value.kind = FY_TOML_BOOL;
			value.boolean = yes;
		}
	} else if (key->type == FY_CONFIG_INT) {
		errno = 0;
		value.integer = strtoll(text.ptr, &end, 10);
		if (text.len && errno == 0 && end == text.ptr + text.len && (unsigned char)text.ptr[0] > ' ')
			value.kind = FY_TOML_INT;
	} else if (key->type == FY_CONFIG_STRINGS || key->type == FY_CONFIG_CIDRS) {
		struct fy_toml_text *list = fy_new_array(&l->report->arena, struct fy_toml_text, text.len + 1);

		while (text.len) {
			struct fy_slice item = fy_trim(fy_cut(&text, ','));
			if (item.len)
				list[value.count++] = (struct fy_toml_text){ item.ptr, item.len };
		}
		value.kind = FY_TOML_LIST;
		value.list = list;
	}
	set_value(l, key, &value);
}

/* FOYER__SECTION__KEY. A misspelt one is a problem, not silence. */
static void load_environment(struct loading *l)
{
	static const struct fy_slice prefix = { "FOYER__", 7 };

	for (char **e = environ; *e; e++) {
		struct fy_slice value = fy_str(*e), name = fy_cut(&value, '='), section, rest;
		const struct fy_config_key *key = NULL;
		const char *near = NULL;
		char *lower, buf[128];
		bool is_file = false;
		char *split;

		if (!fy_starts(name, prefix))
			continue;
		l->origin = fy_cstr(&l->report->arena, name);
		lower = fy_cstr(&l->report->arena, fy_from(name, prefix.len));
		for (char *c = lower; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c + 0x20);
		split = strstr(lower, "__");
		section = split ? fy_slice(lower, (size_t)(split - lower)) : fy_str(lower);
		rest = split ? fy_str(split + 2) : FY_NONE;
		key = find_key(section, rest, &is_file);
		if (key == NULL) {
			near = fy_config_nearest_key(section, rest, buf);
			fy_config_complain(l->report, l->origin, 0, "there is no setting of this name%s%s",
					   near ? "; did you mean " : "", near ? near : "");
		} else if (is_file) {
			set_from_file(l, key, value, 0);
		} else {
			set_from_text(l, key, value);
		}
	}
}

static void load_flags(struct loading *l, const struct fy_config_source *source)
{
	for (size_t i = 0; i < source->flag_count; i++) {
		const struct fy_config_flag *f = &source->flags[i];

		if (f->value == NULL)
			continue;
		l->origin = f->flag;
		set_from_text(l, fy_config_key_find(fy_str(f->section), fy_str(f->key)), fy_str(f->value));
	}
}

static void absolute(struct loaded *loaded, struct fy_slice *path)
{
	char cwd[PATH_MAX];
	struct fy_slice rest = *path;

	if (path->len == 0 || path->ptr[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
		return;
	while (fy_starts(rest, FY_LIT("./")))
		rest = fy_from(rest, 2);
	*path = fy_fmt(&loaded->arena, "%s/" FY_FMT, strcmp(cwd, "/") == 0 ? "" : cwd, FY_ARG(rest));
}

static void below_state(struct loaded *loaded, struct fy_slice *path, const char *name)
{
	if (path->len == 0)
		*path = fy_fmt(&loaded->arena, FY_FMT "/%s", FY_ARG(loaded->config.state_directory), name);
	else
		absolute(loaded, path);
}

/* Values that follow from others, so that no reader has to know the rule. */
static void derive(struct loaded *loaded)
{
	struct fy_config *c = &loaded->config;

	absolute(loaded, &c->state_directory);
	while (c->state_directory.len > 1 && c->state_directory.ptr[c->state_directory.len - 1] == '/')
		c->state_directory = fy_copy(&loaded->arena, fy_upto(c->state_directory, c->state_directory.len - 1));
	below_state(loaded, &c->log_directory, "log");
	below_state(loaded, &c->mail_directory, "mail");
	below_state(loaded, &c->keys_master_key, "master.key");
	absolute(loaded, &c->server_tls_certificate);
	absolute(loaded, &c->server_tls_key);
	absolute(loaded, &c->database_tls_ca);
	absolute(loaded, &c->redis_tls_ca);
	absolute(loaded, &c->mail_smtp_ca);
	if (c->server_base_url.len && c->server_base_url.ptr[c->server_base_url.len - 1] == '/')
		c->server_base_url = fy_copy(&loaded->arena, fy_upto(c->server_base_url, c->server_base_url.len - 1));
	c->embedded = c->database_hosts.count == 0 && c->redis_host.len == 0;
	if (c->embedded) {
		struct fy_slice *host = fy_new(&loaded->arena, struct fy_slice);

		*host = fy_fmt(&loaded->arena, "unix:" FY_FMT "/run/mariadb.sock", FY_ARG(c->state_directory));
		c->database_hosts = (struct fy_config_strings){ host, 1 };
		c->redis_host = fy_fmt(&loaded->arena, "unix:" FY_FMT "/run/redis.sock", FY_ARG(c->state_directory));
	}
}

int fy_config_load(const struct fy_config_source *source, struct fy_config **ret_config,
		   struct fy_config_report *report)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	struct loading l = { loaded, report, NULL };
	struct fy_slice text;
	const char *why;

	*report = (struct fy_config_report){ .count = 0 };
	fy_arena_init(&report->arena, 0);
	FY_REQUIRE(loaded != NULL);
	fy_arena_init(&loaded->arena, 0);
	load_defaults(&l);
	if (source->path != NULL || source->fd > 0) {
		l.origin = source->path ? source->path : "the supervisor's settings";
		if (read_file(&l, source->path, source->fd, FILE_BYTES_MAX, &text, &why)) {
			load_text(&l, text);
			sodium_memzero((char *)text.ptr, text.len);
		} else {
			fy_config_complain(report, l.origin, 0, "cannot be read: %s", why);
		}
	}
	if (source->path != NULL)
		loaded->config.path = fy_cstr(&loaded->arena, fy_str(source->path));
	if (source->environment)
		load_environment(&l);
	load_flags(&l, source);
	if (report->count == 0) {
		derive(loaded);
		fy_config_check(&loaded->config, source->path ? source->path : "configuration", report);
	}
	if (report->count != 0) {
		fy_config_destroy(&loaded->config);
		return FY_ERR_CONFIG;
	}
	*ret_config = &loaded->config;
	return 0;
}

void fy_config_set_base_url(struct fy_config *config, struct fy_slice base_url)
{
	struct loaded *loaded = (struct loaded *)config;

	config->server_base_url = fy_copy(&loaded->arena, base_url);
}

void fy_config_destroy(struct fy_config *config)
{
	struct loaded *loaded = (struct loaded *)config;

	if (config == NULL)
		return;
	fy_arena_finish(&loaded->arena);
	free(loaded);
}
