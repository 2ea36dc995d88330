/* From method and path to a route: literal paths by one hash look-up, paths with parameters by walking
 * the few patterns. Checks at start-up that each row of the tables keeps the rules of route.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foyer/require.h"
#include "server/http/route.h"

#define SLOTS 512 /* power of two, a few times the number of routes */

static const struct fy_route *literal[SLOTS];
static const struct fy_route *patterns[128];
static unsigned pattern_count;

static uint32_t hash_path(struct fy_slice path)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < path.len; i++)
		hash = (hash ^ (unsigned char)path.ptr[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static _Noreturn void bad_route(const struct fy_route *route, const char *what)
{
	fprintf(stderr, "foyer: route %s %s: %s\n", fy_method_name(route->method), route->path, what);
	abort();
}

static void check(const struct fy_route *route)
{
	bool safe = route->method == FY_GET;
	if (route->access == 0)
		bad_route(route, "says nothing about access");
	if (route->method == 0 || route->handler == NULL || route->path[0] != '/')
		bad_route(route, "is incomplete");
	if ((route->access == FY_ACCESS_MANAGER) != (route->roles != 0))
		bad_route(route, "says for which roles of the back office it is, or is not of the back office");
	if (safe && (route->csrf || route->body_max))
		bad_route(route, "a GET has neither a form token nor a body");
	if (!safe && route->csrf == FY_CSRF_NONE)
		bad_route(route, "changes something without a check of where the request comes from");
	if (route->param_count > FY_PARAMS_MAX)
		bad_route(route, "has too many parameters");
	bool has_csrf = false, has_token = false;
	for (unsigned i = 0; i < route->param_count; i++) {
		has_csrf |= strcmp(route->params[i].name, "csrf") == 0;
		enum fy_param_in in = route->params[i].in;
		has_token |= in == FY_IN_QUERY && strcmp(route->params[i].name, "token") == 0;
		if (route->params[i].max == 0 || in == 0)
			bad_route(route, "has a parameter without limit or place");
		if (safe && (in == FY_IN_FORM || in == FY_IN_JSON))
			bad_route(route, "a GET has no body to take parameters from");
	}
	if (route->csrf == FY_CSRF_FORM && !has_csrf)
		bad_route(route, "does not declare the field csrf that it needs");
	if (route->csrf == FY_CSRF_LINK && (!has_token || route->access != FY_ACCESS_ANYONE))
		bad_route(route, "rests on a link and has no token in the query, or looks at who is signed in");
}

void fy_router_init(void)
{
	memset(literal, 0, sizeof literal);
	pattern_count = 0;
	for (unsigned t = 0; t < fy_route_table_count; t++) {
		for (unsigned i = 0; i < *fy_route_tables[t].count; i++) {
			const struct fy_route *route = &fy_route_tables[t].routes[i];
			check(route);
			if (strchr(route->path, ':')) {
				FY_REQUIRE(pattern_count < FY_COUNT(patterns));
				patterns[pattern_count++] = route;
				continue;
			}
			uint32_t at = hash_path(fy_str(route->path)) & (SLOTS - 1);
			while (literal[at]) {
				if (literal[at]->method == route->method && strcmp(literal[at]->path, route->path) == 0)
					bad_route(route, "stands twice");
				at = (at + 1) & (SLOTS - 1);
			}
			literal[at] = route;
		}
	}
}

void fy_router_finish(void)
{
	pattern_count = 0;
}

/* Whether `path` has the shape of `pattern`; its parameters' raw segments go to `params`. */
static bool fits(const char *pattern, struct fy_slice path, struct fy_slice params[4])
{
	struct fy_slice shape = fy_str(pattern);
	unsigned count = 0;
	while (shape.ptr && path.ptr) {
		struct fy_slice want = fy_cut(&shape, '/'), got = fy_cut(&path, '/');
		if (want.len && want.ptr[0] == ':') {
			if (got.len == 0)
				return false;
			params[count++] = got;
		} else if (!fy_eq(want, got)) {
			return false;
		}
	}
	return shape.ptr == NULL && path.ptr == NULL;
}

static bool consider(const struct fy_route *route, enum fy_method method, struct fy_route_match *match)
{
	match->allowed |= 1u << route->method;
	if (route->method == FY_GET)
		match->allowed |= 1u << FY_HEAD;
	if (route->method != method && !(route->method == FY_GET && method == FY_HEAD))
		return false;
	match->route = route;
	return true;
}

void fy_router_match(enum fy_method method, struct fy_slice path, struct fy_route_match *ret_match)
{
	*ret_match = (struct fy_route_match){ 0 };
	for (uint32_t at = hash_path(path) & (SLOTS - 1); literal[at]; at = (at + 1) & (SLOTS - 1))
		if (fy_eq(path, fy_str(literal[at]->path)) && consider(literal[at], method, ret_match))
			return;
	for (unsigned i = 0; i < pattern_count; i++) {
		struct fy_slice params[4] = { 0 };
		if (fits(patterns[i]->path, path, params) && consider(patterns[i], method, ret_match)) {
			memcpy(ret_match->path_params, params, sizeof params);
			return;
		}
	}
}
