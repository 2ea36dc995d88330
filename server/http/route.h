/* Routes: one const table per feature, and the table is the security surface.
 * Who may call, what a form needs, which parameters exist and how large they may be stand in the row;
 * what is not declared does not reach the handler. Zero is not a valid access: it must be spelled out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/fiber.h"
#include "foyer/slice.h"
#include "protocol/http_head.h"
#include "storage/accounts.h"

struct fy_req;

enum fy_access {
	FY_ACCESS_ANYONE = 1,    /* no session is looked up: works while Redis is away */
	FY_ACCESS_VISITOR,       /* req->session when somebody is signed in, else NULL */
	FY_ACCESS_MEMBER,        /* signed in; pages redirect to /login, the API answers 401 */
	FY_ACCESS_MANAGER_LOGIN, /* allowed networks only; back-office session if there is one */
	FY_ACCESS_MANAGER,       /* allowed networks and a back-office session of one of the row's roles */
	FY_ACCESS_OPERATOR,      /* on the admin listener only, which nobody outside reaches */
	FY_ACCESS_PROBE,         /* on every listener: /healthz, /readyz */
};

/* Roles of the back office, for `.roles`: FY_ROLES(OWNER) | FY_ROLES(DPO). */
#define FY_ROLES(role) (1u << FY_ROLE_##role)
#define FY_ROLES_STAFF (FY_ROLES(OWNER) | FY_ROLES(STAFF) | FY_ROLES(ACCOUNTING) | FY_ROLES(AUDITOR) | FY_ROLES(DPO))
#define FY_ROLES_RIGHTS (FY_ROLES(OWNER) | FY_ROLES(STAFF) | FY_ROLES(DPO)) /* who answers requests about rights */
#define FY_ROLES_BREACHES (FY_ROLES(OWNER) | FY_ROLES(DPO))

enum fy_csrf {
	FY_CSRF_NONE = 0, /* GET and HEAD only; start-up refuses it on any other method */
	FY_CSRF_FORM,     /* the hidden field `csrf` must match the cookie's token */
	FY_CSRF_ORIGIN,   /* JSON: Origin or Sec-Fetch-Site must be our own; a bearer token needs neither */
	/* The token of the mail's link in the query decides, and no cookie is looked at: the POST may come from anywhere, as
	 * that of a mail program does (RFC 8058 3.2). Only for FY_ACCESS_ANYONE. */
	FY_CSRF_LINK,
};

enum fy_rate {
	FY_RATE_NONE = 0,
	FY_RATE_WRITE, /* 60 a minute and address */
	FY_RATE_MAIL,  /* what sends a mail: 10 in ten minutes and address */
};

enum fy_param_in { FY_IN_PATH = 1, FY_IN_QUERY, FY_IN_FORM, FY_IN_JSON };

struct fy_param {
	const char *name;
	enum fy_param_in in;
	uint16_t max;  /* code points */
	bool required; /* only checked by fy_form_check */
	bool lines;    /* line breaks and tabs may stand in it */
	bool raw;      /* not trimmed: passwords */
};

#define FY_PATH(param, limit)                                                       \
	{                                                                           \
		.name = (param), .in = FY_IN_PATH, .max = (limit), .required = true \
	}
#define FY_QUERY(param, limit)                                     \
	{                                                          \
		.name = (param), .in = FY_IN_QUERY, .max = (limit) \
	}
#define FY_FORM(param, limit, ...)                                               \
	{                                                                        \
		.name = (param), .in = FY_IN_FORM, .max = (limit), ##__VA_ARGS__ \
	}
#define FY_JSON(param, limit, ...)                                               \
	{                                                                        \
		.name = (param), .in = FY_IN_JSON, .max = (limit), ##__VA_ARGS__ \
	}

#define FY_PARAMS_MAX 24
#define FY_PARAMS(array) .params = (array), .param_count = sizeof(array) / sizeof((array)[0])

typedef fy_async int (*fy_handler)(struct fy_req *req);

struct fy_route {
	enum fy_method method; /* a GET row answers HEAD too */
	const char *path;      /* "/manage/contact/:id": a segment with a colon is a path parameter */
	fy_handler handler;
	enum fy_access access;
	uint8_t roles; /* of FY_ACCESS_MANAGER, and only there: who; others get 403 */
	enum fy_csrf csrf;
	enum fy_rate rate;
	const struct fy_param *params;
	uint8_t param_count;
	bool api;             /* errors are RFC 9457 JSON, not pages */
	uint32_t body_max;    /* bytes; 0: no body */
	uint32_t deadline_ms; /* 0: limits.request_seconds */
};

struct fy_route_table {
	const struct fy_route *routes;
	const unsigned *count;
};

/* All tables, for the router, the printed list and the snapshot test. */
extern const struct fy_route_table fy_route_tables[];
extern const unsigned fy_route_table_count;

struct fy_route_match {
	const struct fy_route *route;   /* NULL: no such path, or the path with other methods */
	struct fy_slice path_params[4]; /* raw segments, in the order of the path */
	uint32_t allowed;               /* bit per enum fy_method that the path knows */
};

/* Checks the tables (a mistake in one is a broken program) and indexes them; once per process. */
void fy_router_init(void);
void fy_router_finish(void);
void fy_router_match(enum fy_method method, struct fy_slice path, struct fy_route_match *ret_match);
