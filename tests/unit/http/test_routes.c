/* The route tables: who may call what, as committed in routes.txt, and how paths find their rows. A change of the
 * table must change the file too, so that a review sees the security surface move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "foyer/buf.h"
#include "foyer/require.h"
#include "server/http/route.h"

static const char *const access_names[] = {
	[FY_ACCESS_ANYONE] = "anyone",   [FY_ACCESS_VISITOR] = "visitor",
	[FY_ACCESS_MEMBER] = "member",   [FY_ACCESS_MANAGER_LOGIN] = "manager-login",
	[FY_ACCESS_MANAGER] = "manager", [FY_ACCESS_OPERATOR] = "operator",
	[FY_ACCESS_PROBE] = "probe",
};
static const char role_letters[] = { [FY_ROLE_OWNER] = 'o',
				     [FY_ROLE_STAFF] = 's',
				     [FY_ROLE_ACCOUNTING] = 'a',
				     [FY_ROLE_AUDITOR] = 'u',
				     [FY_ROLE_DPO] = 'd' };
static const char *const csrf_names[] = {
	[FY_CSRF_NONE] = "-", [FY_CSRF_FORM] = "form", [FY_CSRF_ORIGIN] = "origin", [FY_CSRF_LINK] = "link"
};
static const char *const rate_names[] = { [FY_RATE_NONE] = "-", [FY_RATE_WRITE] = "write", [FY_RATE_MAIL] = "mail" };
static const char in_names[] = { [FY_IN_PATH] = ':', [FY_IN_QUERY] = '?', [FY_IN_FORM] = '=', [FY_IN_JSON] = '{' };

static void print(struct fy_buf *out)
{
	for (unsigned t = 0; t < fy_route_table_count; t++) {
		for (unsigned i = 0; i < *fy_route_tables[t].count; i++) {
			const struct fy_route *r = &fy_route_tables[t].routes[i];
			char roles[8] = "/";
			size_t n = r->roles != 0;
			for (unsigned role = FY_ROLE_OWNER; role <= FY_ROLE_DPO; role++)
				if (r->roles >> role & 1)
					roles[n++] = role_letters[role];
			roles[n] = '\0';
			fy_buf_fmt(out, "%s %s %s%s csrf:%s rate:%s body:%u%s", fy_method_name(r->method), r->path,
				   access_names[r->access], roles, csrf_names[r->csrf], rate_names[r->rate],
				   r->body_max, r->api ? " api" : "");
			for (unsigned p = 0; p < r->param_count; p++)
				fy_buf_fmt(out, " %s%c%u", r->params[p].name, in_names[r->params[p].in],
					   r->params[p].max);
			fy_buf_char(out, '\n');
		}
	}
}

static void the_table_is_the_committed_one(void **state)
{
	(void)state;
	static char committed[65536];
	struct fy_buf now;
	FILE *file = fopen(ROUTES, "r");
	assert_non_null(file);
	size_t len = fread(committed, 1, sizeof committed, file);
	fclose(file);
	fy_buf_init(&now, NULL, sizeof committed);
	print(&now);
	if (!fy_eq(fy_buf_slice(&now), fy_slice(committed, len))) {
		fputs("The routes are now (put this into tests/unit/http/routes.txt if it is meant):\n", stderr);
		fwrite(now.ptr, 1, now.len, stderr);
		fail();
	}
	fy_buf_finish(&now);
}

static struct fy_route_match match(enum fy_method method, const char *path)
{
	struct fy_route_match found;
	fy_router_match(method, fy_str(path), &found);
	return found;
}

static void paths_find_their_rows(void **state)
{
	(void)state;
	assert_string_equal(match(FY_GET, "/account").route->path, "/account");
	assert_string_equal(match(FY_HEAD, "/account").route->path, "/account");
	assert_int_equal(match(FY_POST, "/login").route->method, FY_POST);
	struct fy_route_match m = match(FY_POST, "/manage/contact/17/state");
	assert_string_equal(m.route->path, "/manage/contact/:id/state");
	assert_true(fy_eq(m.path_params[0], FY_LIT("17")));
}

static void what_is_not_there_is_not_found(void **state)
{
	(void)state;
	static const char *const paths[] = { "/nowhere",
					     "/account/",
					     "/ACCOUNT",
					     "",
					     "/manage/contact/",
					     "/manage/contact/1/state/2",
					     "/manage/contact//state" };
	for (size_t i = 0; i < FY_COUNT(paths); i++) {
		struct fy_route_match m = match(FY_POST, paths[i]);
		assert_null(m.route);
		assert_int_equal(m.allowed, 0);
	}
}

static void a_known_path_says_its_methods(void **state)
{
	(void)state;
	struct fy_route_match m = match(FY_DELETE, "/login");
	assert_null(m.route);
	assert_int_equal(m.allowed, 1u << FY_GET | 1u << FY_HEAD | 1u << FY_POST);
	m = match(FY_PUT, "/api/v1/me");
	assert_null(m.route);
	assert_int_equal(m.allowed, 1u << FY_GET | 1u << FY_HEAD | 1u << FY_PATCH);
}

static int set_up(void **state)
{
	(void)state;
	fy_router_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_committed_one),
		cmocka_unit_test(paths_find_their_rows),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_known_path_says_its_methods),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
