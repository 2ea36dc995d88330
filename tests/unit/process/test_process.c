/* Proves what the supervisor's parts promise by themselves: waiting times, the state directory's judgement and lock,
 * and listening sockets that refuse a foreign port, are shared out, paused and taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "foyer/err.h"
#include "server/process/child.h"
#include "server/process/listeners.h"
#include "server/process/state.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "process-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf -- '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name, char *path)
{
	snprintf(path, 128, "%s/%s", dir, name);
	return path;
}

static void waiting_times_double_up_to_half_a_minute(void **state)
{
	const uint64_t expected[] = { 0, 0, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(fy_backoff_ms(i), expected[i]);
	assert_int_equal(fy_backoff_ms(4000000000u), 30000);
}

static void a_state_directory_is_made_with_its_parts(void **state)
{
	char top[128], log[128], mail[128], why[FY_STATE_WHY_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(fy_state_prepare(in_dir("s", top), in_dir("s/log", log), in_dir("s/mail", mail), why), 0);
	assert_int_equal(stat(mail, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fy_state_prepare(top, log, mail, why), 0);
}

static void a_state_directory_that_others_may_write_to_is_refused(void **state)
{
	char top[128], why[FY_STATE_WHY_MAX] = "";

	(void)state;
	assert_int_equal(mkdir(in_dir("w", top), 0700), 0);
	assert_int_equal(chmod(top, 0722), 0);
	assert_int_equal(fy_state_prepare(top, top, top, why), FY_EXIT_CONFIG);
	assert_non_null(strstr(why, "others than its owner may write"));
}

static void a_file_in_the_place_of_the_state_directory_is_refused(void **state)
{
	char top[128], why[FY_STATE_WHY_MAX] = "";
	FILE *file = fopen(in_dir("f", top), "w");

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_int_equal(fy_state_prepare(top, top, top, why), FY_EXIT_CONFIG);
	assert_non_null(strstr(why, "is not a directory"));
}

static void the_lock_is_held_by_one_and_says_by_whom(void **state)
{
	int pid, status, fd = fy_state_lock(dir, &pid);

	(void)state;
	assert_true(fd >= 0);
	if (fork() == 0) {
		int second = fy_state_lock(dir, &pid);
		_exit(second == -1 && pid == getppid() ? 0 : 1);
	}
	wait(&status);
	assert_int_equal(status, 0);
	close(fd);
	fd = fy_state_lock(dir, &pid);
	assert_true(fd >= 0);
	close(fd);
}

static struct fy_config given_config(const struct fy_slice *listen, size_t count)
{
	struct fy_config config = { .path = NULL };

	config.server_listen.items = listen;
	config.server_listen.count = count;
	return config;
}

static int connects(const struct fy_listen_address *address)
{
	int fd = socket(address->addr.ss_family, SOCK_STREAM, 0);
	int good = connect(fd, (const struct sockaddr *)&address->addr, address->len) == 0;

	close(fd);
	return good;
}

static void a_port_that_is_taken_is_refused_although_ports_are_shared(void **state)
{
	const struct fy_slice any = FY_LIT("127.0.0.1:0");
	struct fy_config config = given_config(&any, 1), other;
	struct fy_listeners first, second;
	char text[128], why[512];
	struct fy_slice taken;
	bool soft;

	(void)state;
	assert_int_equal(fy_listeners_open(&config, 3, NULL, &first, &soft, why), 0);
	assert_int_equal(first.items[0].count, 3);
	fy_listen_print(&first.items[0].address, text);
	assert_string_not_equal(text, "127.0.0.1:0");
	taken = fy_str(text);
	other = given_config(&taken, 1);
	assert_int_equal(fy_listeners_open(&other, 3, NULL, &second, &soft, why), FY_ERR_IO);
	assert_non_null(strstr(why, "another program uses it already"));
	fy_listeners_close(&first, NULL);
	assert_int_equal(fy_listeners_open(&other, 1, NULL, &second, &soft, why), 0);
	fy_listeners_close(&second, NULL);
}

static void a_paused_socket_gets_no_connection_until_it_is_resumed(void **state)
{
	const struct fy_slice any = FY_LIT("127.0.0.1:0");
	struct fy_config config = given_config(&any, 1);
	struct fy_listeners set;
	char why[512];
	int accepted = 0;
	bool soft;

	(void)state;
	assert_int_equal(fy_listeners_open(&config, 2, NULL, &set, &soft, why), 0);
	fy_listeners_pause(&set, 0);
	/* Of 32 connections each would go to the first socket with a chance of a half. */
	for (int i = 0; i < 32; i++)
		assert_true(connects(&set.items[0].address));
	for (int fd; (fd = accept(set.items[0].fds[1], NULL, NULL)) >= 0; accepted++)
		close(fd);
	assert_int_equal(accepted, 32);
	fy_listeners_pause(&set, 1);
	assert_false(connects(&set.items[0].address));
	fy_listeners_resume(&set, 0);
	assert_true(connects(&set.items[0].address));
	fy_listeners_close(&set, NULL);
}

static void a_reload_takes_open_sockets_over(void **state)
{
	const struct fy_slice any = FY_LIT("127.0.0.1:0");
	struct fy_config config = given_config(&any, 1);
	struct fy_listeners old, next;
	char before[128], after[128], why[512];
	bool soft;

	(void)state;
	assert_int_equal(fy_listeners_open(&config, 1, NULL, &old, &soft, why), 0);
	assert_int_equal(fy_listeners_open(&config, 3, &old, &next, &soft, why), 0);
	fy_listen_print(&old.items[0].address, before);
	fy_listen_print(&next.items[0].address, after);
	assert_string_equal(before, after);
	assert_int_equal(next.items[0].count, 3);
	fy_listeners_close(&old, &next);
	assert_true(connects(&next.items[0].address));
	fy_listeners_close(&next, NULL);
}

static void a_unix_socket_is_replaced_when_dead_and_respected_when_alive(void **state)
{
	char path[128], text[256], cwd[128], why[512];
	struct fy_listeners first, second;
	struct fy_slice item;
	struct fy_config config;
	bool soft;

	(void)state;
	/* sun_path is short, and the build directory may be deep. */
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	snprintf(text, sizeof(text), "unix:/proc/self/cwd/%s", in_dir("s.sock", path));
	item = fy_str(text);
	config = given_config(&item, 1);
	assert_int_equal(fy_listeners_open(&config, 4, NULL, &first, &soft, why), 0);
	assert_int_equal(first.items[0].count, 1);
	assert_int_equal(fy_listener_fd(&first.items[0], 3), first.items[0].fds[0]);
	assert_int_equal(fy_listeners_open(&config, 4, NULL, &second, &soft, why), FY_ERR_IO);
	assert_true(connects(&first.items[0].address));
	close(first.items[0].fds[0]); /* as a kill would */
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(fy_listeners_open(&config, 4, NULL, &second, &soft, why), 0);
	assert_true(connects(&second.items[0].address));
	fy_listeners_close(&second, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
	free(first.items[0].fds);
	free(first.items[0].wanted);
	free(first.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_times_double_up_to_half_a_minute),
		cmocka_unit_test(a_state_directory_is_made_with_its_parts),
		cmocka_unit_test(a_state_directory_that_others_may_write_to_is_refused),
		cmocka_unit_test(a_file_in_the_place_of_the_state_directory_is_refused),
		cmocka_unit_test(the_lock_is_held_by_one_and_says_by_whom),
		cmocka_unit_test(a_port_that_is_taken_is_refused_although_ports_are_shared),
		cmocka_unit_test(a_paused_socket_gets_no_connection_until_it_is_resumed),
		cmocka_unit_test(a_reload_takes_open_sockets_over),
		cmocka_unit_test(a_unix_socket_is_replaced_when_dead_and_respected_when_alive),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
