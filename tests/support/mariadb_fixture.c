/* A private mariadbd for tests: own data directory under a temporary one, own socket, stopped by its pid.
 * What to store in it is left to the tests; it uses Connector/C's blocking calls on purpose, so that it does not
 * share a mistake with the client under test. Called by the unit tests of storage, jobs and server. */
#include "tests/support/mariadb_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mysql.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_TRIES 3000 /* of 10 ms: a loaded machine with sanitizers is slow */
#define ARGS_MAX 48

struct mariadb_fixture {
	char dir[64];
	char data[96], socket[96], log[96];
	char user[32];
	bool accounts;
	uint16_t port;
	const char *const *extra;
	pid_t pid;
	MYSQL *mysql;
};

static _Noreturn void give_up(const char *what, const char *why)
{
	fprintf(stderr, "mariadb fixture: %s: %s\n", what, why);
	abort();
}

static uint16_t free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) || getsockname(fd, (struct sockaddr *)&addr, &len))
		give_up("a free port", strerror(errno));
	close(fd);
	return ntohs(addr.sin_port);
}

static pid_t spawn(struct mariadb_fixture *f, char *const argv[])
{
	pid_t pid = fork();
	if (pid < 0)
		give_up("fork", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int log = open(f->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	execvp(argv[0], argv);
	_exit(127);
}

static void install(struct mariadb_fixture *f)
{
	char data[128], user[64], tmp[128];
	int status;
	snprintf(data, sizeof data, "--datadir=%s", f->data);
	snprintf(user, sizeof user, "--user=%s", f->user);
	/* Of its own: a mariadbd that starts removes from its tmpdir what looks like a leftover of its kind. */
	snprintf(tmp, sizeof tmp, "--tmpdir=%s", f->dir);
	char *argv[] = { "mariadb-install-db",
			 "--no-defaults",
			 user,
			 data,
			 tmp,
			 "--auth-root-authentication-method=normal",
			 "--skip-test-db",
			 "--skip-name-resolve",
			 "--innodb-log-file-size=4M",
			 NULL };
	pid_t pid = spawn(f, argv);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		give_up("mariadb-install-db", f->log);
}

static void connect_to_it(struct mariadb_fixture *f)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	for (int i = 0; i < START_TRIES; i++) {
		f->mysql = mysql_init(NULL);
		if (mysql_real_connect(f->mysql, NULL, "root", NULL, NULL, 0, f->socket, CLIENT_MULTI_STATEMENTS))
			return;
		mysql_close(f->mysql);
		f->mysql = NULL;
		int status;
		if (waitpid(f->pid, &status, WNOHANG) == f->pid)
			give_up("mariadbd ended at once, see", f->log);
		nanosleep(&pause, NULL);
	}
	give_up("mariadbd does not answer, see", f->log);
}

static void run(struct mariadb_fixture *f)
{
	char data[128], user[64], sock[128], port[32], tmp[128];
	char *argv[ARGS_MAX] = { "mariadbd",
				 "--no-defaults",
				 user,
				 data,
				 sock,
				 tmp,
				 "--bind-address=127.0.0.1",
				 "--innodb-buffer-pool-size=16M",
				 "--innodb-log-file-size=4M",
				 "--skip-log-bin",
				 "--performance-schema=OFF",
				 "--skip-name-resolve",
				 "--character-set-server=utf8mb4" };
	int n = 13;
	snprintf(data, sizeof data, "--datadir=%s", f->data);
	snprintf(user, sizeof user, "--user=%s", f->user);
	snprintf(sock, sizeof sock, "--socket=%s", f->socket);
	snprintf(tmp, sizeof tmp, "--tmpdir=%s", f->dir);
	snprintf(port, sizeof port, "--port=%u", f->port);
	argv[n++] = f->port ? port : "--skip-networking";
	if (!f->accounts)
		argv[n++] = "--skip-grant-tables";
	for (const char *const *e = f->extra; e && *e && n < ARGS_MAX - 1; e++)
		argv[n++] = (char *)*e;
	f->pid = spawn(f, argv);
	connect_to_it(f);
	mariadb_fixture_sql(f, "CREATE DATABASE IF NOT EXISTS foyer CHARACTER SET utf8mb4");
}

struct mariadb_fixture *mariadb_fixture_start(const struct mariadb_fixture_options *options)
{
	static const struct mariadb_fixture_options none;
	const struct passwd *mysql = geteuid() == 0 ? getpwnam("mysql") : NULL;
	struct mariadb_fixture *f = calloc(1, sizeof *f);
	if (options == NULL)
		options = &none;
	if (f == NULL)
		give_up("start", "out of memory");
	snprintf(f->dir, sizeof(f->dir), "/tmp/foyer-mariadb-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		give_up(f->dir, strerror(errno));
	snprintf(f->data, sizeof f->data, "%s/data", f->dir);
	snprintf(f->socket, sizeof f->socket, "%s/sock", f->dir);
	snprintf(f->log, sizeof f->log, "%s/log", f->dir);
	snprintf(f->user, sizeof f->user, "%s",
		 mysql            ? "mysql"
		 : geteuid() == 0 ? "root"
				  : getpwuid(geteuid())->pw_name);
	f->accounts = options->accounts;
	f->extra = options->extra;
	f->port = options->tcp ? free_port() : 0;
	if (mkdir(f->data, 0700) ||
	    (mysql && (chown(f->dir, mysql->pw_uid, mysql->pw_gid) || chown(f->data, mysql->pw_uid, mysql->pw_gid))))
		give_up(f->data, strerror(errno));
	if (f->accounts)
		install(f);
	run(f);
	return f;
}

static void hang_up(struct mariadb_fixture *f)
{
	if (f->mysql)
		mysql_close(f->mysql);
	f->mysql = NULL;
}

static void end(struct mariadb_fixture *f, int signal)
{
	int status;
	hang_up(f);
	if (f->pid <= 0)
		return;
	kill(f->pid, SIGCONT);
	kill(f->pid, signal);
	while (waitpid(f->pid, &status, 0) < 0 && errno == EINTR)
		;
	f->pid = 0;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

void mariadb_fixture_stop(struct mariadb_fixture *f)
{
	if (f == NULL)
		return;
	end(f, SIGKILL); /* nothing in it is worth a clean end */
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
}

const char *mariadb_fixture_socket(const struct mariadb_fixture *f)
{
	return f->socket;
}

uint16_t mariadb_fixture_port(const struct mariadb_fixture *f)
{
	return f->port;
}

void mariadb_fixture_kill(struct mariadb_fixture *f)
{
	end(f, SIGKILL);
	unlink(f->socket);
}

void mariadb_fixture_start_again(struct mariadb_fixture *f)
{
	run(f);
}

static bool all_stopped(pid_t pid)
{
	char path[64], line[512];
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	bool stopped = tasks != NULL;
	for (struct dirent *task; stopped && (task = readdir(tasks));) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%.20s/stat", (int)pid, task->d_name);
		FILE *stat = fopen(path, "r");
		if (stat == NULL)
			continue; /* the thread ended */
		char *state = fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
		stopped = state == NULL || state[2] == 'T';
		fclose(stat);
	}
	if (tasks)
		closedir(tasks);
	return stopped;
}

void mariadb_fixture_freeze(struct mariadb_fixture *f, bool frozen)
{
	kill(f->pid, frozen ? SIGSTOP : SIGCONT);
	/* The signal is on its way; a server that is to be frozen is so only when each of its threads has stopped. */
	for (int tries = 0; frozen && !all_stopped(f->pid) && tries < 10000; tries++)
		usleep(100);
}

void mariadb_fixture_sql(struct mariadb_fixture *f, const char *text)
{
	int more = mysql_query(f->mysql, text);
	if (more)
		give_up(text, mysql_error(f->mysql));
	do {
		MYSQL_RES *rows = mysql_store_result(f->mysql);
		if (rows)
			mysql_free_result(rows);
		more = mysql_next_result(f->mysql);
		if (more > 0)
			give_up(text, mysql_error(f->mysql));
	} while (more == 0);
	if (mysql_select_db(f->mysql, "foyer"))
		give_up("database foyer", mysql_error(f->mysql));
}

int64_t mariadb_fixture_number(struct mariadb_fixture *f, const char *text)
{
	if (mysql_query(f->mysql, text))
		give_up(text, mysql_error(f->mysql));
	MYSQL_RES *rows = mysql_store_result(f->mysql);
	MYSQL_ROW row = rows ? mysql_fetch_row(rows) : NULL;
	int64_t number = row && row[0] ? strtoll(row[0], NULL, 10) : -1;
	if (rows)
		mysql_free_result(rows);
	return number;
}
