/* The stage of the tests of jobs/ (harness.h). */
#include "tests/unit/jobs/harness.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foyer/require.h"
#include "storage/db.h"
#include "storage/instance.h"
#include "storage/keys.h"
#include "storage/migrate.h"
#include "tests/support/given_person.h"
#include "tests/support/mariadb_fixture.h"

#define TASKS_MAX 16
#define DEADLINE_MS 60000

struct stage stage;

static struct {
	uv_loop_t loop;
	struct mariadb_fixture *server;
	struct task tasks[TASKS_MAX];
	unsigned failures, alive;
	char log[96], mail[96];
} h;

void check_failed(struct task *t, const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: task %u: not so: %s%s%s\n", file, line, t->index, what, t->ctx.fault ? "; " : "",
		t->ctx.fault ? t->ctx.fault : "");
	h.failures++;
}

void check_code_failed(struct task *t, const char *file, int line, const char *what, int code, int expected)
{
	fprintf(stderr, "%s:%d: task %u: %s gave %d (%s), not %d (%s)%s%s\n", file, line, t->index, what, code,
		fy_strerror(code), expected, fy_strerror(expected), t->ctx.fault ? "; " : "",
		t->ctx.fault ? t->ctx.fault : "");
	h.failures++;
}

static void run_one(void *arg)
{
	struct task *t = arg;
	t->run(t);
	h.alive--;
}

void run_tasks(unsigned count, void (*run)(struct task *t), void *arg)
{
	assert_in_range(count, 1, TASKS_MAX);
	h.failures = 0;
	h.alive = count;
	uv_update_time(&h.loop);
	for (unsigned i = 0; i < count; i++) {
		struct task *t = &h.tasks[i];
		*t = (struct task){ .index = i, .arg = arg, .run = run };
		fy_arena_init(&t->arena, 0);
		t->ctx = (struct fy_ctx){ .arena = &t->arena,
					  .deadline_ms = fy_loop_ms() + DEADLINE_MS,
					  .now = fy_clock(),
					  .lang = FY_LANG_EN,
					  .config = &stage.config,
					  .db = stage.db[i % 2],
					  .keys = stage.keys };
		assert_int_equal(fy_fiber_start(run_one, t), 0);
	}
	while (h.alive)
		uv_run(&h.loop, UV_RUN_ONCE);
	for (unsigned i = 0; i < count; i++)
		fy_arena_finish(&h.tasks[i].arena);
	assert_int_equal(h.failures, 0);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static bool spin(bool (*condition)(void), unsigned limit_ms)
{
	uv_timer_t tick;
	uint64_t end = uv_hrtime() + (uint64_t)limit_ms * 1000000;
	bool held = false;

	uv_timer_init(&h.loop, &tick);
	uv_timer_start(&tick, on_tick, 2, 2);
	while (!(held = condition && condition()) && uv_hrtime() < end)
		uv_run(&h.loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&h.loop, UV_RUN_NOWAIT);
	return held;
}

void spin_until(bool (*condition)(void), unsigned limit_ms)
{
	assert_true(spin(condition, limit_ms));
}

void spin_ms(unsigned ms)
{
	spin(NULL, ms);
}

long long number(const char *query)
{
	return mariadb_fixture_number(h.server, query);
}

void change(const char *statements)
{
	mariadb_fixture_sql(h.server, statements);
}

void mariadb_away(void)
{
	mariadb_fixture_kill(h.server);
}

void mariadb_back(void)
{
	mariadb_fixture_start_again(h.server);
}

int stage_open(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	strcpy(stage.dir, "/tmp/foyer-jobs-XXXXXX");
	if (mkdtemp(stage.dir) == NULL)
		return -1;
	snprintf(h.log, sizeof h.log, "%s/log", stage.dir);
	snprintf(h.mail, sizeof h.mail, "%s/mail", stage.dir);
	if (mkdir(h.log, 0700))
		return -1;
	stage.config = (struct fy_config){
		.log_directory = fy_str(h.log),
		.log_rotate_mib = 64,
		.log_keep_days = 180,
		.log_gzip = true,
		.mail_directory = fy_str(h.mail),
		.mail_from = FY_LIT("Host Families in Paris <no-reply@example.org>"),
		.mail_smtp_url = FY_LIT(""),
		.mail_smtp_user = FY_LIT(""),
		.retention_unconfirmed_days = 7,
		.retention_sent_mail_days = 7,
		.retention_contact_days = 365,
		.retention_access_log_days = 365,
		.site_name = FY_LIT("Host Families in Paris"),
	};
	uv_loop_init(&h.loop);
	return fy_sched_init(&h.loop, 64);
}

static void migrate_and_wait(struct task *t)
{
	const struct fy_db_options *options = t->arg;

	CHECK_CODE(fy_migrate(&t->ctx, &(struct fy_migrate_options){ .db = options }, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		CHECK_CODE(fy_db_create(options, &stage.db[i]), 0);
		t->ctx.db = stage.db[i];
		CHECK_CODE(fy_db_wait_ready(&t->ctx), 0);
	}
	CHECK_CODE(fy_instance_check_key(&t->ctx), 0);
}

int stage_open_with_mariadb(void **state)
{
	if (stage_open(state))
		return -1;
	h.server = mariadb_fixture_start(NULL);
	stage.keys = given_keys();
	struct fy_db_options options = { .socket_path = mariadb_fixture_socket(h.server),
					 .user = "root",
					 .database = "foyer",
					 .pool_size = 4,
					 .backoff_max_ms = 200 };
	run_tasks(1, migrate_and_wait, &options);
	return 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* 0 only when every handle of the loop was closed. */
int stage_close(void **state)
{
	(void)state;
	fy_db_destroy(stage.db[0]);
	fy_db_destroy(stage.db[1]);
	struct fy_sched_stats stats;
	for (fy_sched_stats(&stats); stats.live; fy_sched_stats(&stats))
		uv_run(&h.loop, UV_RUN_ONCE);
	fy_sched_finish();
	for (int i = 0; i < 50 && uv_run(&h.loop, UV_RUN_NOWAIT); i++)
		;
	fy_arena_trim();
	fy_keys_destroy(stage.keys);
	mariadb_fixture_stop(h.server);
	nftw(stage.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return uv_loop_close(&h.loop);
}

const char *path_of(const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", stage.dir, name);
	return path;
}

void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");
	FY_REQUIRE(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

char *read_file(const char *name)
{
	FILE *file = fopen(path_of(name), "r");
	char *text = NULL;
	size_t size = 0;

	if (file == NULL)
		return NULL;
	ssize_t got = getdelim(&text, &size, '\0', file);
	fclose(file);
	if (got < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

bool file_exists(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

unsigned count_files(const char *dir, const char *prefix)
{
	unsigned count = 0;
	DIR *open_dir = opendir(path_of(dir));

	if (open_dir == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(open_dir)) != NULL;)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			 strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(open_dir);
	return count;
}

void empty_dir(const char *dir)
{
	char path[1024];
	DIR *open_dir = opendir(path_of(dir));

	if (open_dir == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(open_dir)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s/%s", stage.dir, dir, entry->d_name);
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlink(path);
	}
	closedir(open_dir);
}

long long noted(const struct fy_job_report *report, const char *action, const char *object)
{
	for (size_t i = 0; i < report->count; i++) {
		if (strcmp(report->items[i].action, action) == 0 && strcmp(report->items[i].object, object) == 0)
			return (long long)report->items[i].count;
	}
	return -1;
}

bool same_items(const struct fy_job_report *a, const struct fy_job_report *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++)
		same = strcmp(a->items[i].action, b->items[i].action) == 0 &&
		       strcmp(a->items[i].object, b->items[i].object) == 0 && a->items[i].count == b->items[i].count &&
		       fy_eq(a->items[i].names, b->items[i].names);
	return same;
}
