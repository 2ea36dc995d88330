/* Checks what one key cannot say alone: the form of addresses, and keys that need each other.
 * Types and bounds were checked by load.c, its only caller; whether a port is free or a server answers is
 * found out when it is used. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/config/address.h"
#include "server/config/config.h"

struct checking {
	const struct fy_config *config;
	const char *origin;
	struct fy_config_report *report;
};

/* sizeof(sun_path), the NUL counted (unix(7)). */
#define SOCKET_PATH_MAX 108

#define COMPLAIN(c, ...) fy_config_complain((c)->report, (c)->origin, 0, __VA_ARGS__)

static void check_listeners(struct checking *c, const char *name, const struct fy_config_strings *list)
{
	struct fy_listen_address address;

	for (size_t i = 0; i < list->count; i++) {
		if (!fy_listen_parse(list->items[i], &address))
			COMPLAIN(c,
				 "server.%s: \"" FY_FMT "\" is not an address like 127.0.0.1:8080, [::1]:8080 or "
				 "unix:/path",
				 name, FY_ARG(fy_upto(list->items[i], 60)));
		for (size_t j = 0; j < i; j++)
			if (fy_eq(list->items[i], list->items[j]))
				COMPLAIN(c, "server.%s names \"" FY_FMT "\" twice", name,
					 FY_ARG(fy_upto(list->items[i], 60)));
	}
}

/* A file that has to be there to start at all. */
static void check_readable(struct checking *c, const char *name, struct fy_slice path)
{
	if (path.len && access(path.ptr, R_OK) != 0)
		COMPLAIN(c, "%s: cannot read " FY_FMT ": %s", name, FY_ARG(path), strerror(errno));
}

static void check_server(struct checking *c)
{
	const struct fy_config *config = c->config;

	check_listeners(c, "listen", &config->server_listen);
	check_listeners(c, "tls_listen", &config->server_tls_listen);
	check_listeners(c, "admin_listen", &config->server_admin_listen);
	if (config->server_listen.count + config->server_tls_listen.count == 0)
		COMPLAIN(c, "server.listen and server.tls_listen are both empty, so nobody could reach Foyer");
	if (config->server_tls_listen.count && config->server_tls_certificate.len == 0)
		COMPLAIN(c, "server.tls_listen needs server.tls_certificate");
	if (config->server_tls_listen.count && config->server_tls_key.len == 0)
		COMPLAIN(c, "server.tls_listen needs server.tls_key");
	check_readable(c, "server.tls_certificate", config->server_tls_certificate);
	check_readable(c, "server.tls_key", config->server_tls_key);
}

/* RFC 6454 section 6.2: scheme, host and perhaps a port; no path, no user. */
static void check_base_url(struct checking *c)
{
	struct fy_slice url = c->config->server_base_url, rest = url;
	struct fy_host_address host;

	if (url.len == 0)
		return;
	if (fy_starts(url, FY_LIT("https://")))
		rest = fy_from(url, 8);
	else if (fy_starts(url, FY_LIT("http://")))
		rest = fy_from(url, 7);
	else
		rest = FY_NONE;
	if (!fy_host_parse(rest, 1, &host) || host.is_unix)
		COMPLAIN(c, "server.base_url: \"" FY_FMT "\" is not an origin like https://example.org", FY_ARG(url));
}

/* RFC 6265 section 4.1.1: a cookie's name is a token. */
static void check_cookie_name(struct checking *c, const char *key, struct fy_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char ch = (unsigned char)name.ptr[i];

		if (ch <= ' ' || ch >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", ch) != NULL) {
			COMPLAIN(c, "sessions.%s: \"" FY_FMT "\" is not a legal cookie name", key, FY_ARG(name));
			return;
		}
	}
}

static void check_sessions(struct checking *c)
{
	const struct fy_config *config = c->config;

	check_cookie_name(c, "cookie_name", config->sessions_cookie_name);
	check_cookie_name(c, "manager_cookie_name", config->sessions_manager_cookie_name);
	if (config->sessions_cookie_name.len &&
	    fy_eq(config->sessions_cookie_name, config->sessions_manager_cookie_name))
		COMPLAIN(c, "sessions.cookie_name and sessions.manager_cookie_name must differ");
	if (config->sessions_idle_days > config->sessions_absolute_days)
		COMPLAIN(c, "sessions.idle_days must not be more than sessions.absolute_days");
}

static void check_storage(struct checking *c)
{
	const struct fy_config *config = c->config;
	struct fy_host_address host;

	if (config->embedded) {
		/* Both hosts are derived from it, so only its length can be wrong. */
		if (config->state_directory.len > SOCKET_PATH_MAX - sizeof("/run/mariadb.sock"))
			COMPLAIN(c,
				 "state.directory: \"" FY_FMT
				 "\" is too long; the paths of unix sockets in it may have %d "
				 "bytes",
				 FY_ARG(config->state_directory), SOCKET_PATH_MAX - 1);
		return;
	}
	for (size_t i = 0; i < config->database_hosts.count; i++)
		if (!fy_host_parse(config->database_hosts.items[i], 3306, &host))
			COMPLAIN(c,
				 "database.hosts: \"" FY_FMT "\" is not an address like db.example:3306 or unix:/path "
				 "(the path of a socket has at most 107 bytes)",
				 FY_ARG(fy_upto(config->database_hosts.items[i], 120)));
	if (config->redis_host.len && !fy_host_parse(config->redis_host, 6379, &host))
		COMPLAIN(c,
			 "redis.host: \"" FY_FMT "\" is not an address like redis.example:6379 or unix:/path "
			 "(the path of a socket has at most 107 bytes)",
			 FY_ARG(fy_upto(config->redis_host, 120)));
	if (config->database_hosts.count && config->redis_host.len == 0)
		COMPLAIN(c, "database.hosts is set but redis.host is not; set both, or neither for embedded mode");
	if (config->redis_host.len && config->database_hosts.count == 0)
		COMPLAIN(c, "redis.host is set but database.hosts is not; set both, or neither for embedded mode");
	check_readable(c, "database.tls_ca", config->database_tls_ca);
	check_readable(c, "redis.tls_ca", config->redis_tls_ca);
	check_readable(c, "mail.smtp_ca", config->mail_smtp_ca);
}

/* Enough to catch a slip; the address itself is judged by the mail server. */
static bool looks_like_address(struct fy_slice text)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;

	return at != NULL && at != text.ptr && at != text.ptr + text.len - 1;
}

static void check_mail(struct checking *c)
{
	const struct fy_config *config = c->config;
	struct fy_slice url = config->mail_smtp_url, rest = FY_NONE;
	struct fy_host_address host;

	if (!looks_like_address(config->mail_from))
		COMPLAIN(c, "mail.from: \"" FY_FMT "\" is not an address", FY_ARG(config->mail_from));
	if (!looks_like_address(config->site_contact))
		COMPLAIN(c, "site.contact: \"" FY_FMT "\" is not an address", FY_ARG(config->site_contact));
	if (config->site_dpo_contact.len && !looks_like_address(config->site_dpo_contact))
		COMPLAIN(c, "site.dpo_contact: \"" FY_FMT "\" is not an address", FY_ARG(config->site_dpo_contact));
	if (config->site_dpo_name.len && config->site_dpo_contact.len == 0)
		COMPLAIN(c, "site.dpo_name is set, which needs site.dpo_contact");
	if (url.len == 0) {
		if (config->mail_transport == FY_MAIL_SMTP)
			COMPLAIN(c, "mail.transport is \"smtp\", which needs mail.smtp_url");
		return;
	}
	if (fy_starts(url, FY_LIT("smtp://")))
		rest = fy_from(url, 7);
	else if (fy_starts(url, FY_LIT("smtps://")))
		rest = fy_from(url, 8);
	if (!fy_host_parse(rest, 25, &host) || host.is_unix)
		COMPLAIN(c, "mail.smtp_url: \"" FY_FMT "\" is not like smtp://host:587 or smtps://host:465",
			 FY_ARG(url));
}

void fy_config_check(const struct fy_config *config, const char *origin, struct fy_config_report *report)
{
	struct checking c = { config, origin, report };

	check_server(&c);
	check_base_url(&c);
	check_sessions(&c);
	check_storage(&c);
	check_mail(&c);
}
