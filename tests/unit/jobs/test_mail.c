/* The delivery of the outbox: nothing lost, doubles recognisable, nothing about persons in the log. */
#include "tests/unit/jobs/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "foyer/log.h"
#include "jobs/mail_file.h"
#include "jobs/mail_letter.h"
#include "jobs/worker_name.h"
#include "storage/outbox.h"
#include "tests/support/given_person.h"
#include "tests/unit/jobs/fake_smtp.h"

static struct fake_smtp *server;
static char url[64];

static const char *withdraw_link = "";

/* In place of the server's templates: the only value is the text. */
static int compose(struct fy_ctx *ctx, const struct fy_outbox_mail *mail, struct fy_letter *letter)
{
	if (!fy_eq(mail->template_name, FY_LIT("confirm")))
		return FY_ERR_NOT_FOUND;
	letter->subject = (struct fy_personal){ fy_copy(ctx->arena, FY_LIT("Confirmez votre adresse é")) };
	letter->text = (struct fy_secret){ fy_copy(ctx->arena, mail->fields.text) };
	letter->html = (struct fy_secret){ fy_copy(ctx->arena, FY_LIT("<p>Bonjour Zoé</p>\n")) };
	letter->withdraw_link.text = fy_str(withdraw_link);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	change("DELETE FROM outbox; DELETE FROM job_lease");
	empty_dir("mail");
	withdraw_link = "";
	fy_mail_set_author(compose);
	stage.config.mail_transport = FY_MAIL_DIRECTORY;
	stage.config.mail_per_second = 0;
	stage.config.mail_from = FY_LIT("Host Families in Paris <no-reply@example.org>");
	return 0;
}

static int begin_smtp(void **state)
{
	begin(state);
	server = fake_smtp_start(FAKE_ACCEPTS);
	snprintf(url, sizeof url, "%s", fake_smtp_url(server));
	stage.config.mail_transport = FY_MAIL_SMTP;
	stage.config.mail_smtp_tls = FY_MAIL_TLS_OFF;
	stage.config.mail_smtp_url = fy_str(url);
	return 0;
}

static int end_smtp(void **state)
{
	(void)state;
	fake_smtp_stop(server);
	return 0;
}

struct given {
	unsigned count;
	const char *to;
};

static void add(struct task *t)
{
	const struct given *given = t->arg;
	struct fy_mail_new mail = {
		.template_name = FY_LIT("confirm"),
		.lang = FY_LANG_FR,
		.to_address = { fy_str(given->to) },
		.fields = { FY_LIT("Bonjour Zoé,\nhttps://example.org/verify?token=TOPSECRET\n.fin\n") },
	};
	for (unsigned i = 0; i < given->count; i++) {
		mail.person_id = given_person(&t->ctx);
		CHECK_CODE(fy_outbox_add(&t->ctx, &mail), 0);
	}
}

static void given_mails(unsigned count, const char *to)
{
	run_tasks(1, add, &(struct given){ count, to });
}

struct run {
	fy_time at;
	bool dry;
	long long send, again, give_up;
	int result;
	char detail[600], ids[2000];
};

static void run_task(struct task *t)
{
	struct run *run = t->arg;
	struct fy_job_report report;

	if (run->at)
		t->ctx.now = run->at;
	CHECK_CODE(fy_jobs_run_now(&t->ctx, "mail", run->dry, &report), 0);
	run->send = noted(&report, "send", "mails");
	run->again = noted(&report, "try again later", "mails");
	run->give_up = noted(&report, "give up", "mails");
	run->result = report.result;
	snprintf(run->detail, sizeof run->detail, FY_FMT, FY_ARG(report.detail));
	if (report.count)
		snprintf(run->ids, sizeof run->ids, FY_FMT, FY_ARG(report.items[0].names));
}

static struct run run_mail(fy_time at, bool dry)
{
	static struct run run;
	run = (struct run){ .at = at, .dry = dry };
	run_tasks(1, run_task, &run);
	return run;
}

/* The only file, or the first, in mail/. */
static char *any_mail(char *ret_name, size_t size)
{
	char path[400];
	DIR *dir = opendir(path_of("mail"));

	assert_non_null(dir);
	ret_name[0] = '\0';
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.')
			snprintf(ret_name, size, "%s", entry->d_name);
	}
	closedir(dir);
	snprintf(path, sizeof path, "mail/%s", ret_name);
	return read_file(path);
}

static void a_mail_becomes_one_private_file(void **state)
{
	char name[256], path[400];
	struct stat stat_buf;

	(void)state;
	rmdir(path_of("mail"));
	given_mails(1, "zoe@example.net");
	struct run run = run_mail(0, false);
	assert_int_equal(run.send, 1);
	assert_int_equal(count_files("mail", ""), 1);
	char *text = any_mail(name, sizeof name);
	assert_non_null(strstr(text, "From: Host Families in Paris <no-reply@example.org>\r\n"));
	assert_non_null(strstr(text, "\r\nTo: <zoe@example.net>\r\n"));
	assert_non_null(strstr(text, "Message-ID: <"));
	assert_non_null(strstr(text, "Auto-Submitted: auto-generated\r\n"));
	assert_non_null(strstr(text, "Content-Language: fr\r\n"));
	assert_non_null(strstr(text, "multipart/alternative"));
	assert_non_null(strstr(text, "TOPSECRET"));
	free(text);
	assert_int_equal(strspn(name, "0123456789TZ.-"), strlen(name) - 3);
	assert_string_equal(name + strlen(name) - 4, ".eml");
	snprintf(path, sizeof path, "mail/%s", name);
	assert_int_equal(stat(path_of(path), &stat_buf), 0);
	assert_int_equal(stat_buf.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of("mail"), &stat_buf), 0);
	assert_int_equal(stat_buf.st_mode & 07777, 0700);
	/* Nothing of it is left in the database. */
	assert_int_equal(
		number("SELECT COUNT(*) FROM outbox WHERE state = 3 AND to_address IS NULL AND fields IS NULL"), 1);
	assert_int_equal(run_mail(0, false).send, -1);
}

static void a_dry_run_names_what_the_run_then_sends(void **state)
{
	(void)state;
	given_mails(37, "zoe@example.net");
	struct run dry = run_mail(0, true);
	assert_int_equal(dry.send, 37);
	assert_int_equal(count_files("mail", ""), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 1 AND attempts = 0"), 37);
	assert_int_equal(number("SELECT COUNT(*) FROM job_lease"), 0);
	struct run run = run_mail(0, false);
	assert_int_equal(run.send, 37);
	assert_string_equal(run.detail, dry.detail);
	assert_int_equal(strlen(run.ids), strlen(dry.ids)); /* the order may differ: several go at a time */
	assert_int_equal(count_files("mail", "2"), 37);
}

static void a_run_takes_a_hundred_and_asks_for_another(void **state)
{
	(void)state;
	given_mails(130, "zoe@example.net");
	assert_int_equal(run_mail(0, true).send, 100);
	assert_int_equal(run_mail(0, false).send, 100);
	assert_int_equal(number("SELECT next_due_at <= UTC_TIMESTAMP(6) FROM job_lease WHERE name = 'mail'"), 1);
	assert_int_equal(run_mail(0, false).send, 30);
	assert_int_equal(number("SELECT next_due_at <= UTC_TIMESTAMP(6) FROM job_lease WHERE name = 'mail'"), 0);
	assert_int_equal(count_files("mail", "2"), 130);
}

/* What a worker leaves that was killed after the delivery and before the report: the claim lapses. */
static void a_mail_delivered_twice_is_the_same_mail(void **state)
{
	char first_name[256], second_name[256];

	(void)state;
	given_mails(1, "zoe@example.net");
	change("CREATE OR REPLACE TABLE kept AS SELECT * FROM outbox");
	run_mail(0, false);
	char *first = any_mail(first_name, sizeof first_name);
	change("DELETE FROM outbox; INSERT INTO outbox SELECT * FROM kept; DROP TABLE kept; UPDATE outbox SET state = 2, "
	       "attempts = 1, claimed_by = 'dead', next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE");
	assert_int_equal(run_mail(0, false).send, -1); /* not before the claim lapses */
	assert_int_equal(run_mail(fy_clock() + 2 * FY_MINUTE, false).send, 1);
	char *second = any_mail(second_name, sizeof second_name);
	assert_string_equal(first_name, second_name);
	assert_int_equal(count_files("mail", ""), 1);
	const char *id = strstr(first, "Message-ID: <");
	assert_true(id && strstr(second, "Message-ID: <"));
	assert_memory_equal(id, strstr(second, "Message-ID: <"), strcspn(id, "\r"));
	free(first);
	free(second);
}

/* Killed while it writes: what is left is not a mail, and the next delivery writes over it. */
/* Claims and holds the lease for an hour, and is killed. */
static void claim_and_die(struct task *t)
{
	char name[FY_LEASE_OWNER_MAX + 1];
	struct fy_outbox_mail *mails;
	uint64_t fence;
	size_t count;
	int fds[2];

	CHECK(pipe(fds) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		fy_worker_name(name);
		_exit(write(fds[1], name, sizeof name) == sizeof name ? 0 : 1);
	}
	CHECK(read(fds[0], name, sizeof name) == sizeof name);
	close(fds[0]);
	close(fds[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK_CODE(fy_leases_take(&t->ctx, FY_LIT("mail"), fy_str(name), FY_HOUR, FY_LEASE_EVEN_EARLY, &fence), 0);
	CHECK_CODE(fy_outbox_claim(&t->ctx, fy_str(name), FY_HOUR, 2, &mails, &count), 0);
	CHECK(count == 2);
}

static void what_a_killed_process_held_goes_out_at_once(void **state)
{
	(void)state;
	given_mails(3, "zoe@example.org");
	run_tasks(1, claim_and_die, NULL);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 2"), 2);
	struct run run = run_mail(0, false);
	assert_int_equal(run.result, 0);
	assert_int_equal(run.send, 3);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 3"), 3);
	/* A claim of somebody who may live is left alone. */
	given_mails(1, "zoe@example.org");
	change("UPDATE outbox SET state = 2, claimed_by = 'elsewhere:1:2:3', next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR "
	       "WHERE state = 1");
	run_mail(0, false);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 2 AND claimed_by = 'elsewhere:1:2:3'"), 1);
}

static void a_cut_off_file_never_counts_as_a_mail(void **state)
{
	struct fy_slice name = FY_LIT("20261123T100000.000000Z-000000000001");
	struct fy_secret message = { FY_LIT("Subject: x\r\n\r\nwhole\r\n") };

	(void)state;
	mkdir(path_of("mail"), 0700);
	write_file("mail/.20261123T100000.000000Z-000000000001.tmp",
		   "Subject: x\r\n\r\nthis was longer and cut off, and it goes");
	assert_int_equal(count_files("mail", "2"), 0);
	assert_int_equal(fy_mail_file_write(stage.config.mail_directory.ptr, name, message), 0);
	char *text = read_file("mail/20261123T100000.000000Z-000000000001.eml");
	assert_string_equal(text, message.text.ptr);
	free(text);
	assert_int_equal(count_files("mail", ""), 1);
}

static void a_directory_that_cannot_be_written_keeps_the_mails(void **state)
{
	struct fy_slice usual = stage.config.mail_directory;

	(void)state;
	given_mails(2, "zoe@example.net");
	stage.config.mail_directory = FY_LIT("/proc/nonexistent/mail");
	struct run run = run_mail(0, false);
	stage.config.mail_directory = usual;
	assert_int_equal(run.again, 2);
	assert_int_equal(run.result, FY_ERR_IO);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 1 AND fields IS NOT NULL AND "
				"next_attempt_at > UTC_TIMESTAMP(6)"),
			 2);
	assert_int_equal(run_mail(0, false).send, -1);
	assert_int_equal(run_mail(fy_clock() + 2 * FY_MINUTE, false).send, 2);
}

static void an_address_that_is_none_is_given_up(void **state)
{
	(void)state;
	given_mails(1, "zoe@example.net\r\nBcc: all@example.net");
	struct run run = run_mail(0, false);
	assert_int_equal(run.give_up, 1);
	assert_int_equal(run.result, 0);
	assert_int_equal(count_files("mail", ""), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 4 AND to_address IS NULL"), 1);
}

static void a_mail_that_no_template_writes_waits_for_another_version(void **state)
{
	(void)state;
	given_mails(2, "zoe@example.org");
	change("UPDATE outbox SET template_name = 'of another version' LIMIT 1");
	struct run run = run_mail(0, false);
	assert_int_equal(run.send, 1);
	assert_int_equal(run.again, 1);
	assert_int_equal(
		number("SELECT COUNT(*) FROM outbox WHERE state = 1 AND fields IS NOT NULL AND last_error LIKE '%template%'"),
		1);
	change("UPDATE outbox SET template_name = 'confirm', next_attempt_at = UTC_TIMESTAMP(6) WHERE state = 1");
	assert_int_equal(run_mail(0, false).send, 1);
}

static void a_wrong_sender_loses_no_mail(void **state)
{
	(void)state;
	given_mails(1, "zoe@example.net");
	stage.config.mail_from = FY_LIT("not an address");
	assert_int_equal(run_mail(0, false).again, 1);
	stage.config.mail_from = FY_LIT("no-reply@example.org");
	assert_int_equal(run_mail(fy_clock() + 2 * FY_MINUTE, false).send, 1);
}

static void by_smtp_each_mail_goes_to_its_one_recipient(void **state)
{
	(void)state;
	given_mails(9, "zoe@example.net");
	struct run run = run_mail(0, false);
	assert_int_equal(run.send, 9);
	assert_int_equal(fake_smtp_accepted(server), 9);
	assert_int_equal(fake_smtp_commands(server, "MAIL FROM:<no-reply@example.org>\r"), 9);
	assert_int_equal(fake_smtp_commands(server, "RCPT TO:<zoe@example.net>\r"), 9);
	assert_int_equal(fake_smtp_commands(server, "RCPT"), 9);
	assert_in_range(fake_smtp_connections(server), 1, 4);
	assert_int_equal(count_files("mail", ""), 0);
}

#define ONE_CLICK "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" /* RFC 8058 3.1 */

static bool has_fields(const char *text)
{
	bool link = strstr(text, "\r\nList-Unsubscribe: <https://example.org/withdraw?token=A-_b>\r\n") != NULL;
	assert_int_equal(link, strstr(text, ONE_CLICK) != NULL);
	assert_int_equal(link, strstr(text, "List-Unsubscribe") != NULL);
	return link;
}

/* What the file of a mail with this link says. */
static bool announced_with(const char *link)
{
	char name[256];
	empty_dir("mail");
	withdraw_link = link;
	given_mails(1, "zoe@example.net");
	assert_int_equal(run_mail(0, false).send, 1);
	char *text = any_mail(name, sizeof name);
	bool has = has_fields(text);
	free(text);
	return has;
}

static void a_link_to_withdraw_is_announced_to_mail_programs(void **state)
{
	(void)state;
	assert_true(announced_with("https://example.org/withdraw?token=A-_b"));
	assert_false(announced_with(""));                                       /* the mail rests on no consent */
	assert_false(announced_with("http://example.org/withdraw?token=A-_b")); /* only https may be */
}

static void and_by_smtp_too(void **state)
{
	(void)state;
	withdraw_link = "https://example.org/withdraw?token=A-_b";
	given_mails(1, "zoe@example.net");
	assert_int_equal(run_mail(0, false).send, 1);
	char *text = fake_smtp_dialogue(server);
	assert_true(has_fields(text));
	free(text);
}

static void refused_for_now_is_tried_again_and_then_sent(void **state)
{
	(void)state;
	given_mails(3, "zoe@example.net");
	fake_smtp_mood(server, FAKE_451_AT_RCPT);
	struct run run = run_mail(0, false);
	assert_int_equal(run.again, 3);
	assert_int_equal(run.result, FY_ERR_IO);
	assert_non_null(strstr(run.detail, "451"));
	assert_null(strstr(run.detail, "example.net"));
	fake_smtp_mood(server, FAKE_ACCEPTS);
	assert_int_equal(run_mail(0, false).send, -1); /* a minute has not passed */
	assert_int_equal(run_mail(fy_clock() + 61 * FY_SECOND, false).send, 3);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 3 AND attempts = 2"), 3);
}

static void refused_for_ever_is_given_up(void **state)
{
	(void)state;
	given_mails(1, "zoe@example.net");
	fake_smtp_mood(server, FAKE_550_AT_RCPT);
	struct run run = run_mail(0, false);
	assert_int_equal(run.give_up, 1);
	assert_int_equal(run.result, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE state = 4 AND fields IS NULL AND last_error LIKE "
				"'%550%'"),
			 1);
}

/* A run with a clock moved by a year must not leave a claim that lapses in a year. */
static void a_far_clock_claims_for_a_day_at_most(void **state)
{
	(void)state;
	given_mails(1, "zoe@example.net");
	fake_smtp_mood(server, FAKE_451_AT_RCPT);
	assert_int_equal(run_mail(fy_clock() + 365 * FY_DAY, false).again, 1);
	assert_int_equal(number("SELECT next_attempt_at < UTC_TIMESTAMP(6) + INTERVAL 2 MINUTE FROM outbox"), 1);
}

static void nothing_about_persons_reaches_the_log(void **state)
{
	int err = 0;

	(void)state;
	struct fy_logfile *file = fy_logfile_open(path_of("log/foyer.log"), &err);
	assert_non_null(file);
	fy_log_to(file, FY_LOG_DEBUG);
	given_mails(2, "zoe@example.net");
	given_mails(1, "zoe@@example.net");
	for (enum fake_mood mood = FAKE_ACCEPTS; mood < FAKE_SILENT; mood++) {
		fake_smtp_mood(server, mood);
		run_mail(fy_clock() + 23 * FY_HOUR, false);
		given_mails(1, "zoe@example.net");
	}
	fy_logfile_flush(file);
	fy_log_to(NULL, FY_LOG_INFO);
	fy_logfile_close(file);
	char *log = read_file("log/foyer.log");
	assert_non_null(strstr(log, "mail.not_delivered"));
	assert_null(strstr(log, "zoe"));
	assert_null(strstr(log, "secret")); /* what the server says in its 550 */
	assert_null(strstr(log, "TOPSECRET"));
	assert_null(strstr(log, "Confirmez"));
	free(log);
	assert_int_equal(number("SELECT COUNT(*) FROM outbox WHERE last_error LIKE '%@%'"), 0);
}

static struct fy_jobs *runner;

static bool has_arrived(void)
{
	return count_files("mail", "2") == 1;
}

static bool nothing_runs(void)
{
	struct fy_sched_stats stats;
	fy_sched_stats(&stats);
	return stats.live == 0;
}

static void a_kick_sends_it_at_once(void **state)
{
	struct fy_jobs_host host = { .config = &stage.config, .db = stage.db[0], .keys = stage.keys };

	(void)state;
	change("INSERT INTO job_lease (name, next_due_at) SELECT n, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR FROM "
	       "(SELECT 'mail' AS n UNION SELECT 'purge') AS names");
	assert_int_equal(fy_jobs_create(&host, &runner), 0);
	fy_jobs_start(runner);
	spin_ms(100);
	given_mails(1, "zoe@example.net");
	spin_ms(300);
	assert_int_equal(count_files("mail", ""), 0);
	fy_jobs_kick(runner, "mail");
	spin_until(has_arrived, 1000);
	fy_jobs_drain(runner);
	spin_until(nothing_runs, 5000);
	fy_jobs_destroy(runner);
	spin_ms(5);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)
#define SMTP_TEST(name) cmocka_unit_test_setup_teardown(name, begin_smtp, end_smtp)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mail_becomes_one_private_file),
		TEST(a_dry_run_names_what_the_run_then_sends),
		TEST(a_run_takes_a_hundred_and_asks_for_another),
		TEST(a_mail_delivered_twice_is_the_same_mail),
		TEST(what_a_killed_process_held_goes_out_at_once),
		TEST(a_cut_off_file_never_counts_as_a_mail),
		TEST(a_directory_that_cannot_be_written_keeps_the_mails),
		TEST(an_address_that_is_none_is_given_up),
		TEST(a_mail_that_no_template_writes_waits_for_another_version),
		TEST(a_wrong_sender_loses_no_mail),
		TEST(a_link_to_withdraw_is_announced_to_mail_programs),
		SMTP_TEST(and_by_smtp_too),
		SMTP_TEST(by_smtp_each_mail_goes_to_its_one_recipient),
		SMTP_TEST(refused_for_now_is_tried_again_and_then_sent),
		SMTP_TEST(refused_for_ever_is_given_up),
		SMTP_TEST(a_far_clock_claims_for_a_day_at_most),
		SMTP_TEST(nothing_about_persons_reaches_the_log),
		TEST(a_kick_sends_it_at_once),
	};
	return cmocka_run_group_tests(tests, stage_open_with_mariadb, stage_close);
}
