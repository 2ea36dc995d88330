/* Proves the configuration's promises: every problem is named with its line and the nearest key, layers win
 * in order, and what is written for a worker reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "foyer/require.h"
#include "server/config/address.h"
#include "server/config/config.h"

static char path[64];

static const char *given_file(const char *text)
{
	FILE *file;

	strcpy(path, "foyer-config-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return path;
}

static int load(const char *text, bool environment, struct fy_config **ret_config, struct fy_config_report *report)
{
	struct fy_config_source source = { .path = given_file(text), .environment = environment };
	int err = fy_config_load(&source, ret_config, report);

	unlink(path);
	return err;
}

/* The n-th problem reads "LINE: text". */
static void assert_problem(const struct fy_config_report *report, size_t n, unsigned line, const char *text)
{
	const struct fy_config_problem *p = report->first;

	while (n-- > 0 && p != NULL)
		p = p->next;
	assert_non_null(p);
	assert_string_equal(p->text, text);
	assert_int_equal(p->line, line);
}

static void defaults_satisfy_their_own_bounds(void **state)
{
	struct fy_config_source source = { .path = NULL };
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	assert_int_equal(fy_config_load(&source, &config, &report), 0);
	assert_true(config->embedded);
	assert_int_equal(config->server_listen.count, 1);
	assert_int_equal(config->passwords_memory_mib, 64);
	assert_int_equal(config->mail_transport, FY_MAIL_DIRECTORY);
	assert_int_equal(config->mail_smtp_tls, FY_MAIL_TLS_REQUIRED);
	assert_int_equal(config->state_directory.ptr[0], '/');
	fy_config_destroy(config);
	fy_config_report_finish(&report);
}

static void every_problem_is_named_with_its_line(void **state)
{
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	assert_int_equal(load("[sever]\n"
			      "listen = 1\n"
			      "[server]\n"
			      "workres = 2\n"
			      "workers = \"two\"\n"
			      "drain_seconds = 100000\n"
			      "trusted_proxies = [\"10.0.0.1/8\"]\n"
			      "[mail]\n"
			      "transport = \"pigeon\"\n"
			      "zzzzzzzzzz = true\n"
			      "[limits]\n"
			      "idle_days = 3\n",
			      false, &config, &report),
			 FY_ERR_CONFIG);
	assert_int_equal(report.count, 8);
	assert_problem(&report, 0, 1, "there is no section [sever]; did you mean [server]");
	assert_problem(&report, 1, 4, "there is no key server.workres; did you mean server.workers");
	assert_problem(&report, 2, 5, "server.workers must be a whole number, not a text");
	assert_problem(&report, 3, 6, "server.drain_seconds must be from 0 to 3600, not 100000");
	assert_problem(&report, 4, 7,
		       "server.trusted_proxies: \"10.0.0.1/8\" is not a network like 10.0.0.0/8 or 2001:db8::/32");
	assert_problem(&report, 5, 9, "mail.transport must be one of directory|smtp, not \"pigeon\"");
	assert_problem(&report, 6, 10, "there is no key mail.zzzzzzzzzz");
	assert_problem(&report, 7, 12, "there is no key limits.idle_days; did you mean sessions.idle_days");
	assert_null(config);
	fy_config_report_finish(&report);
}

static void broken_syntax_is_one_problem_with_its_line(void **state)
{
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	assert_int_equal(load("[server]\nworkers = = 3\n", false, &config, &report), FY_ERR_CONFIG);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.first->line, 2);
	fy_config_report_finish(&report);
}

static void a_missing_file_is_a_problem(void **state)
{
	struct fy_config_source source = { .path = "there-is-no-such-file.toml" };
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	assert_int_equal(fy_config_load(&source, &config, &report), FY_ERR_CONFIG);
	assert_problem(&report, 0, 0, "cannot be read: No such file or directory");
	fy_config_report_finish(&report);
}

static void environment_wins_over_file_and_flag_over_both(void **state)
{
	struct fy_config_flag flag = { "--listen", "server", "listen", "127.0.0.1:0, [::1]:0" };
	struct fy_config_source source = { .environment = true, .flags = &flag, .flag_count = 1 };
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	setenv("FOYER__SERVER__WORKERS", "7", 1);
	setenv("FOYER__SERVER__LISTEN", "127.0.0.1:1", 1);
	setenv("FOYER__LOG__GZIP", "false", 1);
	source.path = given_file("[server]\nworkers = 3\ndrain_seconds = 4\n");
	assert_int_equal(fy_config_load(&source, &config, &report), 0);
	unlink(path);
	assert_int_equal(config->server_workers, 7);
	assert_int_equal(config->server_drain_seconds, 4);
	assert_false(config->log_gzip);
	assert_int_equal(config->server_listen.count, 2);
	assert_string_equal(config->server_listen.items[1].ptr, "[::1]:0");
	fy_config_destroy(config);
	fy_config_report_finish(&report);
	unsetenv("FOYER__SERVER__LISTEN");
	unsetenv("FOYER__LOG__GZIP");

	setenv("FOYER__SERVER__WORKERS", " 7", 1);
	setenv("FOYER__SERVER__WORKER", "7", 1);
	assert_int_equal(load("", true, &config, &report), FY_ERR_CONFIG);
	assert_int_equal(report.count, 2);
	fy_config_report_finish(&report);
	unsetenv("FOYER__SERVER__WORKERS");
	unsetenv("FOYER__SERVER__WORKER");
}

static void a_secret_may_come_from_a_file(void **state)
{
	struct fy_config_report report;
	struct fy_config *config = NULL;
	char name[64], text[256];

	(void)state;
	strcpy(name, given_file("open sesame\n"));
	snprintf(text, sizeof(text), "[database]\npassword_file = \"%s\"\n", name);
	assert_int_equal(load(text, false, &config, &report), 0);
	assert_true(fy_eq(config->database_password.text, FY_LIT("open sesame")));
	fy_config_destroy(config);
	fy_config_report_finish(&report);

	assert_int_equal(
		load("[database]\nname_file = \"x\"\npassword_file = \"no-such-file\"\n", false, &config, &report),
		FY_ERR_CONFIG);
	assert_int_equal(report.count, 2);
	assert_problem(&report, 1, 3, "database.password_file: cannot read no-such-file: No such file or directory");
	fy_config_report_finish(&report);
	unlink(name);
}

static void keys_that_need_each_other_are_checked_together(void **state)
{
	static const char *const bad[] = {
		"[server]\nlisten = []\n",
		"[server]\nlisten = [\"localhost:80\"]\n",
		"[server]\nlisten = [\"127.0.0.1:99999\"]\n",
		"[server]\nlisten = [\"127.0.0.1:80\", \"127.0.0.1:80\"]\n",
		"[server]\ntls_listen = [\"127.0.0.1:443\"]\ntls_key = \"/dev/null\"\n",
		"[server]\nbase_url = \"example.org\"\n",
		"[server]\nbase_url = \"https://example.org/path\"\n",
		"[sessions]\ncookie_name = \"a b\"\n",
		"[sessions]\ncookie_name = \"a\"\nmanager_cookie_name = \"a\"\n",
		"[sessions]\nidle_days = 31\n",
		"[database]\nhosts = [\"db:3306\"]\n",
		"[redis]\nhost = \"redis:6379\"\n",
		"[mail]\ntransport = \"smtp\"\n",
		"[mail]\nsmtp_url = \"http://mail\"\n",
		"[mail]\nfrom = \"nobody\"\n",
		"[site]\ndpo_name = \"Ada\"\n",
	};

	(void)state;
	for (size_t i = 0; i < FY_COUNT(bad); i++) {
		struct fy_config_report report;
		struct fy_config *config = NULL;

		if (load(bad[i], false, &config, &report) != FY_ERR_CONFIG || report.count != 1)
			fail_msg("%zu problems in: %s", report.count, bad[i]);
		fy_config_report_finish(&report);
	}
}

static void a_worker_reads_back_what_the_supervisor_wrote(void **state)
{
	struct fy_config_source source = { 0 };
	struct fy_config_report report, again_report;
	struct fy_config *config = NULL, *again = NULL;
	struct fy_buf first, second;
	FILE *file;

	(void)state;
	assert_int_equal(load("[site]\nname = 'A \"quoted\" \\ name'\n[redis]\nhost = \"r:1\"\npassword = \"p\"\n"
			      "[database]\nhosts = [\"a:1\", \"unix:/b\"]\n[mail]\nsmtp_tls = \"off\"\n"
			      "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"2001:db8::/32\"]\n",
			      false, &config, &report),
			 0);
	fy_buf_init(&first, NULL, 65536);
	fy_buf_init(&second, NULL, 65536);
	fy_config_write(config, &first);
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fwrite(first.ptr, 1, first.len, file), first.len);
	rewind(file);
	source.fd = fileno(file);
	assert_int_equal(fy_config_load(&source, &again, &again_report), 0);
	fclose(file);
	fy_config_write(again, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.ptr, second.ptr, first.len);
	assert_true(fy_eq(again->site_name, FY_LIT("A \"quoted\" \\ name")));
	assert_int_equal(again->mail_smtp_tls, FY_MAIL_TLS_OFF);
	assert_int_equal(again->database_hosts.count, 2);
	fy_buf_finish(&first);
	fy_buf_finish(&second);
	fy_config_destroy(config);
	fy_config_destroy(again);
	fy_config_report_finish(&report);
	fy_config_report_finish(&again_report);
}

static void a_network_reaches_the_matcher_as_it_was_written(void **state)
{
	static const uint8_t inside[16] = { [10] = 0xff, 0xff, 10, 200, 0, 1 },
			     outside[16] = { [10] = 0xff, 0xff, 11, 0, 0, 1 };
	struct fy_config_report report;
	struct fy_config *config = NULL;

	(void)state;
	assert_int_equal(load("[server]\ntrusted_proxies = [\"10.128.0.0/9\", \"::1\"]\n", false, &config, &report), 0);
	assert_true(fy_cidrs_hold(&config->server_trusted_proxies, inside));
	assert_false(fy_cidrs_hold(&config->server_trusted_proxies, outside));
	assert_true(fy_cidrs_hold(&config->server_trusted_proxies, (const uint8_t[16]){ [15] = 1 }));
	assert_false(fy_cidrs_hold(&config->server_trusted_proxies, (const uint8_t[16]){ [15] = 2 }));
	fy_config_destroy(config);
	fy_config_report_finish(&report);
}

static void listeners_are_read_and_printed(void **state)
{
	static const char *const same[] = { "127.0.0.1:8080", "[::1]:0", "unix:/run/foyer.sock" };
	static const char *const bad[] = {
		"",         ":",       "127.0.0.1",       "::1:80",       "[::1]80",       "[::1",          "unix:",
		"unix:run", "host:80", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:080", "[127.0.0.1]:80"
	};
	struct fy_listen_address address;
	char text[128];

	(void)state;
	for (size_t i = 0; i < FY_COUNT(same); i++) {
		assert_true(fy_listen_parse(fy_str(same[i]), &address));
		fy_listen_print(&address, text);
		assert_string_equal(text, same[i]);
	}
	assert_true(fy_listen_parse(FY_LIT("*:80"), &address));
	fy_listen_print(&address, text);
	assert_string_equal(text, "[::]:80");
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (fy_listen_parse(fy_str(bad[i]), &address))
			fail_msg("accepted \"%s\"", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_satisfy_their_own_bounds),
		cmocka_unit_test(every_problem_is_named_with_its_line),
		cmocka_unit_test(broken_syntax_is_one_problem_with_its_line),
		cmocka_unit_test(a_missing_file_is_a_problem),
		cmocka_unit_test(environment_wins_over_file_and_flag_over_both),
		cmocka_unit_test(a_secret_may_come_from_a_file),
		cmocka_unit_test(keys_that_need_each_other_are_checked_together),
		cmocka_unit_test(a_worker_reads_back_what_the_supervisor_wrote),
		cmocka_unit_test(a_network_reaches_the_matcher_as_it_was_written),
		cmocka_unit_test(listeners_are_read_and_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
