/* Runs a private mariadbd and redis-server under the state directory.
 *
 *     DIR/mariadb  DIR/redis        their data
 *     DIR/tmp                       MariaDB's temporary tables
 *     DIR/run                       mode 0700: sockets, locks, the statements that make databases and account
 *     DIR/log/mariadb.log …         what they print
 *
 * The account has no password because the directory's mode is the lock: whoever may open the socket is the user
 * who runs Foyer, or root, and both could read the data files. It may use its two databases and nothing else.
 * Keeping a program running is child.c's; what is stored is storage/'s. Called by the supervisor and by commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "foyer/buf.h"
#include "foyer/require.h"
#include "server/process/child.h"
#include "server/process/embedded.h"

/* A clean end flushes pages and the append-only file; past this the kill costs a recovery, nothing else. */
#define STOP_LIMIT_MS 60000
#define PROBE_MS 20

struct fy_embedded {
	struct fy_arena arena;
	struct fy_kept_child mariadb, redis;
	const char *dir, *log_dir;
};

/* Where Debian has them; PATH of a service often lacks sbin. */
static const char *find_program(const char *const *candidates)
{
	for (; *candidates; candidates++)
		if (access(*candidates, X_OK) == 0)
			return *candidates;
	return NULL;
}

static const char *const mariadbd_paths[] = { "/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd", "/usr/bin/mariadbd",
					      NULL };
static const char *const install_paths[] = { "/usr/bin/mariadb-install-db", "/usr/local/bin/mariadb-install-db", NULL };
/* redis-server is a link to redis-check-rdb, which redis-tools has: one program that looks at its own name. So the
 * server is there without the package that would also start it as a service. */
static const char *const redis_paths[] = { "/usr/bin/redis-server", "/usr/bin/redis-check-rdb",
					   "/usr/local/bin/redis-server", NULL };

static char *path_of(struct fy_arena *arena, const char *dir, const char *name)
{
	return (char *)fy_fmt(arena, "%s/%s", dir, name).ptr;
}

bool fy_embedded_exists(const struct fy_config *config)
{
	char name[4200];

	snprintf(name, sizeof(name), "%s/mariadb", config->state_directory.ptr);
	return config->embedded && access(name, F_OK) == 0;
}

static int make_private(const char *dir, char *why)
{
	if ((mkdir(dir, 0700) == 0 || errno == EEXIST) && chmod(dir, 0700) == 0)
		return 0;
	snprintf(why, FY_EMBEDDED_WHY_MAX, "cannot make the directory %s: %s", dir, strerror(errno));
	return FY_ERR_IO;
}

static int write_private(const char *path, const struct fy_buf *text, char *why)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || text->failed || write(fd, text->ptr, text->len) != (ssize_t)text->len) {
		snprintf(why, FY_EMBEDDED_WHY_MAX, "cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return FY_ERR_IO;
	}
	close(fd);
	return 0;
}

/* For the init file, where backslashes count too. */
static void put_quoted(struct fy_buf *sql, char quote, struct fy_slice text)
{
	fy_buf_char(sql, quote);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == quote || (text.ptr[i] == '\\' && quote == '\''))
			fy_buf_char(sql, text.ptr[i]);
		fy_buf_char(sql, text.ptr[i]);
	}
	fy_buf_char(sql, quote);
}

static void put_database(struct fy_buf *sql, struct fy_slice name, struct fy_slice user)
{
	fy_buf_put(sql, FY_LIT("CREATE DATABASE IF NOT EXISTS "));
	put_quoted(sql, '`', name);
	fy_buf_put(sql, FY_LIT(" CHARACTER SET utf8mb4;\nGRANT ALL PRIVILEGES ON "));
	/* In a GRANT '_' and '%' of a database name are wildcards. */
	fy_buf_char(sql, '`');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '_' || name.ptr[i] == '%')
			fy_buf_char(sql, '\\');
		if (name.ptr[i] == '`')
			fy_buf_char(sql, '`');
		fy_buf_char(sql, name.ptr[i]);
	}
	fy_buf_put(sql, FY_LIT("`.* TO "));
	put_quoted(sql, '\'', user);
	fy_buf_put(sql, FY_LIT("@'localhost';\n"));
}

/* mariadbd runs it at each start, before it lets anyone in. */
static int write_init_file(struct fy_embedded *e, const struct fy_config *config, const char *path, char *why)
{
	struct fy_slice user = config->database_user;
	struct fy_buf sql;

	fy_buf_init(&sql, &e->arena, 16384);
	fy_buf_put(&sql, FY_LIT("CREATE USER IF NOT EXISTS "));
	put_quoted(&sql, '\'', user);
	fy_buf_put(&sql, FY_LIT("@'localhost';\nALTER USER "));
	put_quoted(&sql, '\'', user);
	fy_buf_put(&sql, FY_LIT("@'localhost' IDENTIFIED BY "));
	put_quoted(&sql, '\'', config->database_password.text);
	fy_buf_put(&sql, FY_LIT(";\n"));
	put_database(&sql, config->database_name, user);
	put_database(&sql, fy_fmt(&e->arena, FY_FMT "_keys", FY_ARG(config->database_name)), user);
	return write_private(path, &sql, why);
}

/* What must not be seen in the list of processes. */
static int write_redis_file(struct fy_embedded *e, const struct fy_config *config, const char *path, char *why)
{
	struct fy_slice password = config->redis_password.text;
	struct fy_buf text;

	fy_buf_init(&text, &e->arena, 8192);
	if (password.len) {
		fy_buf_put(&text, FY_LIT("requirepass \""));
		for (size_t i = 0; i < password.len; i++) {
			if (password.ptr[i] == '"' || password.ptr[i] == '\\')
				fy_buf_char(&text, '\\');
			fy_buf_char(&text, password.ptr[i]);
		}
		fy_buf_put(&text, FY_LIT("\"\n"));
	}
	return write_private(path, &text, why);
}

/* The last line that says something, for a message; in the arena. */
static const char *last_line(struct fy_embedded *e, struct fy_slice text)
{
	struct fy_slice line, last = FY_LIT("it printed nothing");

	while (text.ptr != NULL) {
		line = fy_trim(fy_cut(&text, '\n'));
		if (line.len)
			last = line;
	}
	return fy_cstr(&e->arena, fy_upto(last, 300));
}

/* What the program printed since `from`; the first line of MariaDB's with [ERROR] says why, the last only that. */
static const char *log_reason(struct fy_embedded *e, const char *path, off_t from)
{
	char *buf = fy_alloc(&e->arena, 32769);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : pread(fd, buf, 32768, from);
	const char *error;

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	error = strstr(buf, "[ERROR] ");
	if (error != NULL)
		return fy_cstr(&e->arena, fy_upto(fy_slice(error + 8, strcspn(error + 8, "\n")), 300));
	return last_line(e, fy_str(buf));
}

/* Into a directory of another name first, so that an installation that was cut off is not taken for one. */
static fy_async int install_mariadb(struct fy_ctx *ctx, struct fy_embedded *e, char *why)
{
	const char *program = find_program(install_paths);
	char *data = path_of(&e->arena, e->dir, "mariadb"), *half = path_of(&e->arena, e->dir, "mariadb.new");
	struct fy_slice output = FY_NONE;
	int err, status = 0;

	if (access(data, F_OK) == 0)
		return 0;
	if (program == NULL) {
		snprintf(why, FY_EMBEDDED_WHY_MAX,
			 "mariadb-install-db is not installed; apt-get install mariadb-server-core");
		return FY_ERR_IO;
	}
	char *clear[] = { (char *)"rm", (char *)"-rf", (char *)"--", half, NULL };
	err = fy_await_child(ctx, &(struct fy_child){ .file = "rm", .argv = clear }, &status, NULL);
	if (err == 0)
		err = make_private(half, why);
	char *argv[] = {
		(char *)"sh",
		(char *)"-c",
		(char *)"exec \"$@\" 2>&1",
		(char *)"sh",
		(char *)program,
		(char *)"--no-defaults",
		(char *)fy_fmt(&e->arena, "--datadir=%s", half).ptr,
		(char *)"--basedir=/usr",
		(char *)"--auth-root-authentication-method=socket",
		(char *)"--skip-test-db",
		(char *)fy_fmt(&e->arena, "--tmpdir=%s/tmp", e->dir).ptr,
		geteuid() == 0 ? (char *)"--user=root" : NULL,
		NULL,
	};
	if (err == 0)
		err = fy_await_child(ctx, &(struct fy_child){ .file = "sh", .argv = argv, .output_max = 65536 },
				     &status, &output);
	if (err == 0 && status != 0)
		err = FY_ERR_IO;
	if (err == 0 && rename(half, data) != 0)
		err = -errno;
	if (err)
		snprintf(why, FY_EMBEDDED_WHY_MAX, "MariaDB's tables cannot be installed in %s: %s", data,
			 status ? last_line(e, output) : fy_strerror(err));
	return err;
}

static void set_up_mariadb(struct fy_embedded *e, const char *program)
{
	/* Small, since the machine is shared with the workers; durable, since a commit that was answered must
	 * survive a power cut (innodb_flush_log_at_trx_commit=1, and sync_binlog needs no binary log). */
	static const char *const fixed[] = {
		"--skip-networking",
		"--skip-name-resolve",
		"--skip-log-bin",
		"--skip-symbolic-links",
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_unicode_ci",
		"--default-time-zone=+00:00",
		"--innodb-flush-log-at-trx-commit=1",
		"--innodb-buffer-pool-size=96M",
		"--innodb-log-file-size=64M",
		"--innodb-buffer-pool-dump-at-shutdown=OFF",
		"--innodb-buffer-pool-load-at-startup=OFF",
		"--performance-schema=OFF",
		"--key-buffer-size=1M",
		"--aria-pagecache-buffer-size=8M",
		"--max-connections=300",
		"--local-infile=OFF",
		"--log-warnings=1",
	};
	char **argv = fy_new_array(&e->arena, char *, FY_COUNT(fixed) + 11);
	size_t n = 0;

	argv[n++] = (char *)"mariadbd";
	argv[n++] = (char *)"--no-defaults";
	argv[n++] = (char *)fy_fmt(&e->arena, "--datadir=%s/mariadb", e->dir).ptr;
	/* Of its own: at each start mariadbd removes from its tmpdir what looks like a leftover temporary table, and in
	 * /tmp that may be another server's. */
	argv[n++] = (char *)fy_fmt(&e->arena, "--tmpdir=%s/tmp", e->dir).ptr;
	argv[n++] = (char *)fy_fmt(&e->arena, "--socket=%s/run/mariadb.sock", e->dir).ptr;
	argv[n++] = (char *)fy_fmt(&e->arena, "--pid-file=%s/run/mariadb.pid", e->dir).ptr;
	argv[n++] = (char *)fy_fmt(&e->arena, "--init-file=%s/run/mariadb.sql", e->dir).ptr;
	/* Files named in SQL are confined to a place where nothing is. */
	argv[n++] = (char *)fy_fmt(&e->arena, "--secure-file-priv=%s/run", e->dir).ptr;
	if (geteuid() == 0)
		argv[n++] = (char *)"--user=root";
	for (size_t i = 0; i < FY_COUNT(fixed); i++)
		argv[n++] = (char *)fixed[i];
	e->mariadb.name = "mariadbd";
	e->mariadb.program = program;
	e->mariadb.argv = argv;
	e->mariadb.log_path = path_of(&e->arena, e->log_dir, "mariadb.log");
	e->mariadb.lock_path = path_of(&e->arena, e->dir, "run/mariadb.lock");
}

static void set_up_redis(struct fy_embedded *e, const char *program)
{
	const char *const args[] = {
		"redis-server",
		path_of(&e->arena, e->dir, "run/redis.conf"),
		"--port",
		"0",
		"--unixsocket",
		path_of(&e->arena, e->dir, "run/redis.sock"),
		"--unixsocketperm",
		"700",
		"--dir",
		path_of(&e->arena, e->dir, "redis"),
		"--daemonize",
		"no",
		/* Sessions are worth a second at most, and only when the machine fails: each command is written to
		 * the kernel before it is answered. */
		"--appendonly",
		"yes",
		"--appendfsync",
		"everysec",
		"--save",
		"",
		"--maxmemory-policy",
		"noeviction",
		NULL,
	};
	char **argv = fy_new_array(&e->arena, char *, FY_COUNT(args));

	memcpy(argv, args, sizeof(args));
	e->redis.name = "redis-server";
	e->redis.program = program;
	e->redis.argv = argv;
	e->redis.log_path = path_of(&e->arena, e->log_dir, "redis.log");
	e->redis.lock_path = path_of(&e->arena, e->dir, "run/redis.lock");
}

/* One look at whether a server behind a unix socket answers: MariaDB speaks first, Redis when asked. The connection
 * stays open in *fd between two looks. An answer that begins with `refused` says "not yet". */
static bool answers(int *fd, const char *path, const char *question, char refused)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char answer[16];
	ssize_t n;

	if (*fd < 0) {
		snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
		*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (*fd < 0)
			return false;
		if (connect(*fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
		    (question && send(*fd, question, strlen(question), MSG_NOSIGNAL) < 0)) {
			close(*fd);
			*fd = -1;
			return false;
		}
	}
	n = recv(*fd, answer, sizeof(answer), 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	close(*fd);
	*fd = -1;
	/* Redis loads its file: "-LOADING"; it wants a password: "-NOAUTH", which is an answer. */
	return n > 0 && !(answer[0] == refused && n > 1 && answer[1] == 'L');
}

static fy_async int wait_until_both_answer(struct fy_ctx *ctx, struct fy_embedded *e, off_t mariadb_log,
					   off_t redis_log, char *why)
{
	const char *mariadb_socket = path_of(&e->arena, e->dir, "run/mariadb.sock");
	const char *redis_socket = path_of(&e->arena, e->dir, "run/redis.sock");
	bool mariadb = false, redis = false;
	int mariadb_fd = -1, redis_fd = -1, err = 0;

	while (err == 0) {
		mariadb = mariadb || answers(&mariadb_fd, mariadb_socket, NULL, 0);
		redis = redis || answers(&redis_fd, redis_socket, "PING\r\n", '-');
		if (mariadb && redis)
			break;
		if (e->mariadb.ends) {
			snprintf(why, FY_EMBEDDED_WHY_MAX, "mariadbd does not start: %s (%s)",
				 log_reason(e, e->mariadb.log_path, mariadb_log), e->mariadb.log_path);
			err = FY_ERR_IO;
		} else if (e->redis.ends) {
			snprintf(why, FY_EMBEDDED_WHY_MAX, "redis-server does not start: %s (%s)",
				 log_reason(e, e->redis.log_path, redis_log), e->redis.log_path);
			err = FY_ERR_IO;
		} else if ((err = fy_sleep(ctx, PROBE_MS)) != 0) {
			snprintf(why, FY_EMBEDDED_WHY_MAX, "%s does not answer; %s may say why",
				 mariadb ? "redis-server" : "mariadbd",
				 mariadb ? e->redis.log_path : e->mariadb.log_path);
		}
	}
	if (mariadb_fd >= 0)
		close(mariadb_fd);
	if (redis_fd >= 0)
		close(redis_fd);
	return err;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static int prepare(struct fy_embedded *e, const struct fy_config *config, char *why)
{
	const char *mariadbd = find_program(mariadbd_paths), *redis = find_program(redis_paths);
	int err;

	if (mariadbd == NULL || redis == NULL) {
		snprintf(why, FY_EMBEDDED_WHY_MAX, "%s is not installed; apt-get install %s",
			 mariadbd ? "redis-server" : "mariadbd", mariadbd ? "redis-tools" : "mariadb-server-core");
		return FY_ERR_IO;
	}
	err = make_private(path_of(&e->arena, e->dir, "run"), why);
	if (err == 0)
		err = make_private(path_of(&e->arena, e->dir, "redis"), why);
	if (err == 0)
		err = make_private(path_of(&e->arena, e->dir, "tmp"), why);
	if (err == 0)
		err = write_init_file(e, config, path_of(&e->arena, e->dir, "run/mariadb.sql"), why);
	if (err == 0)
		err = write_redis_file(e, config, path_of(&e->arena, e->dir, "run/redis.conf"), why);
	set_up_mariadb(e, mariadbd);
	set_up_redis(e, redis);
	return err;
}

static int start_child(struct fy_kept_child *child, char *why)
{
	int err = fy_kept_child_start(child);

	if (err)
		snprintf(why, FY_EMBEDDED_WHY_MAX, "%s cannot be started: %s", child->name, fy_strerror(err));
	return err;
}

fy_async int fy_embedded_start(struct fy_ctx *ctx, const struct fy_config *config,
			       void (*report)(void *arg, bool bad, const char *sentence), void *arg,
			       struct fy_embedded **ret_embedded, char *ret_why)
{
	struct fy_embedded *e = calloc(1, sizeof(*e));
	off_t mariadb_log, redis_log;
	int err;

	FY_REQUIRE(e != NULL);
	fy_arena_init(&e->arena, 0);
	e->dir = fy_cstr(&e->arena, config->state_directory);
	e->log_dir = fy_cstr(&e->arena, config->log_directory);
	err = prepare(e, config, ret_why);
	if (err == 0)
		err = install_mariadb(ctx, e, ret_why);
	if (err) {
		fy_arena_finish(&e->arena);
		free(e);
		return err;
	}
	mariadb_log = size_of(e->mariadb.log_path);
	redis_log = size_of(e->redis.log_path);
	err = start_child(&e->mariadb, ret_why);
	if (err == 0)
		err = start_child(&e->redis, ret_why);
	if (err == 0)
		err = wait_until_both_answer(ctx, e, mariadb_log, redis_log, ret_why);
	if (err) {
		fy_embedded_stop(e);
		return err;
	}
	e->mariadb.report = e->redis.report = report;
	e->mariadb.arg = e->redis.arg = arg;
	*ret_embedded = e;
	return 0;
}

fy_async void fy_embedded_stop(struct fy_embedded *e)
{
	if (e == NULL)
		return;
	if (e->redis.starts)
		fy_kept_child_stop(&e->redis, STOP_LIMIT_MS);
	if (e->mariadb.starts)
		fy_kept_child_stop(&e->mariadb, STOP_LIMIT_MS);
	unlink(path_of(&e->arena, e->dir, "run/mariadb.sql"));
	unlink(path_of(&e->arena, e->dir, "run/redis.conf"));
	fy_arena_finish(&e->arena);
	free(e);
}
