/* The settings, as one flat, read-only struct generated from config_keys.def: ctx->config->section_key.
 * Loading, checking and printing are server/config's; whoever needs a setting reads a member here.
 * A config is never changed once made: a reload makes a new one, so a pointer to it stays good for as
 * long as the work that was started with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/address.h"
#include "foyer/slice.h"

struct fy_config_strings {
	const struct fy_slice *items;
	size_t count;
};

struct fy_config_cidrs {
	const struct fy_cidr *items;
	size_t count;
};

/* In the order of the alternatives in config_keys.def. */
enum fy_mail_transport { FY_MAIL_DIRECTORY, FY_MAIL_SMTP };
enum fy_mail_tls { FY_MAIL_TLS_REQUIRED, FY_MAIL_TLS_OPPORTUNISTIC, FY_MAIL_TLS_OFF };

/* Texts end with a NUL that the length does not count; a text that is not set has length 0. */
#define FY_CONFIG_MEMBER_BOOL(name) bool name;
#define FY_CONFIG_MEMBER_INT(name) int64_t name; /* the unit ends the name: …_seconds, …_kib */
#define FY_CONFIG_MEMBER_CHOICE(name) int name;  /* index into the alternatives: the enums above */
#define FY_CONFIG_MEMBER_STRING(name) struct fy_slice name;
#define FY_CONFIG_MEMBER_SECRET(name) struct fy_secret name;
#define FY_CONFIG_MEMBER_STRINGS(name) struct fy_config_strings name;
#define FY_CONFIG_MEMBER_CIDRS(name) struct fy_config_cidrs name;

struct fy_config {
	const char *path; /* the file it was read from; NULL: built-in defaults */
	bool embedded;    /* no database.hosts: the supervisor runs MariaDB and Redis itself */
#define FY_SECTION(section, help)
#define FY_KEY(section, key, type, fallback, min, max, help) FY_CONFIG_MEMBER_##type(section##_##key)
#include "foyer/config_keys.def"
#undef FY_SECTION
#undef FY_KEY
};

/* Whether `addr` (IPv4 mapped, as above) lies in one of the networks. */
static inline bool fy_cidrs_hold(const struct fy_config_cidrs *list, const uint8_t addr[16])
{
	for (size_t i = 0; i < list->count; i++) {
		const struct fy_cidr *c = &list->items[i];
		size_t whole = c->bits / 8, rest = c->bits % 8;
		if (memcmp(c->addr.b, addr, whole) != 0)
			continue;
		if (rest == 0 || ((c->addr.b[whole] ^ addr[whole]) >> (8 - rest)) == 0)
			return true;
	}
	return false;
}
