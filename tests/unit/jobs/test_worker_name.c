/* Names of holders: certain death is seen, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foyer/require.h"
#include "jobs/worker_name.h"

/* The name of a process that lived, was somebody, and is reaped. */
static void name_of_the_dead(char ret_name[FY_LEASE_OWNER_MAX + 1])
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char name[FY_LEASE_OWNER_MAX + 1];
		fy_worker_name(name);
		_exit(write(fds[1], name, sizeof name) == sizeof name ? 0 : 1);
	}
	assert_int_equal(read(fds[0], ret_name, FY_LEASE_OWNER_MAX + 1), FY_LEASE_OWNER_MAX + 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(fds[0]);
	close(fds[1]);
}

static void who_lives_is_not_gone(void **state)
{
	(void)state;
	char name[FY_LEASE_OWNER_MAX + 1];
	fy_worker_name(name);
	assert_in_range(strlen(name), 10, FY_LEASE_OWNER_MAX);
	assert_false(fy_worker_gone(fy_str(name)));
}

static void who_was_killed_is_gone(void **state)
{
	(void)state;
	char name[FY_LEASE_OWNER_MAX + 1];
	name_of_the_dead(name);
	assert_true(fy_worker_gone(fy_str(name)));
}

static void a_number_that_came_again_is_another_process(void **state)
{
	(void)state;
	char name[FY_LEASE_OWNER_MAX + 1], host[FY_LEASE_OWNER_MAX + 1], other[2 * FY_LEASE_OWNER_MAX];
	unsigned long long started;
	unsigned space;
	long pid;
	fy_worker_name(name);
	assert_int_equal(sscanf(name, "%[^:]:%ld:%llx:%x", host, &pid, &started, &space), 4);
	snprintf(other, sizeof other, "%s:%ld:%llx:%08x", host, pid, started - 1, space);
	assert_true(fy_worker_gone(fy_str(other)));
	snprintf(other, sizeof other, "%s:%ld:%llx:%08x", host, pid, started - 1, space ^ 1); /* another machine's */
	assert_false(fy_worker_gone(fy_str(other)));
}

static void what_cannot_be_read_counts_as_alive(void **state)
{
	(void)state;
	static const char *const names[] = {
		"",
		"x",
		"somebody else",
		"host:",
		"host:1",
		"host:999999:1",
		"host:1:2:3:4",
		"host:-1:2:3",
		"host:0:0:0",
		"host:999999:zz:1",
		"host:4000000:10:deadbee",
	};
	for (size_t i = 0; i < FY_COUNT(names); i++)
		assert_false(fy_worker_gone(fy_str(names[i])));
	char endless[200];
	memset(endless, ':', sizeof endless);
	assert_false(fy_worker_gone(fy_slice(endless, sizeof endless)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_lives_is_not_gone),
		cmocka_unit_test(who_was_killed_is_gone),
		cmocka_unit_test(a_number_that_came_again_is_another_process),
		cmocka_unit_test(what_cannot_be_read_counts_as_alive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
