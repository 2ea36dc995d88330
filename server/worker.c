/* The life of a worker: start, serve, drain, end. What it serves is server/http and routes/, what it runs
 * beside is jobs/; the supervisor (server/process) starts it and talks to it in single bytes.
 *
 *     starting ──clients tried, listening──► serving ──'D' or TERM──► draining ──nothing left, or too late──► ended
 *                                               └──────────'Q', or the supervisor is gone──────────┘ */
#include "server/worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "foyer/fiber.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "jobs/runner.h"
#include "server/app.h"
#include "server/http/server.h"
#include "server/http/route.h"
#include "server/routes/mails.h"
#include "storage/db.h"

#define FIBERS_BESIDE_REQUESTS 64 /* jobs, mail deliveries, start-up */
#define FIRST_CONTACT_MS 5000     /* how long READY waits for MariaDB before it goes on without */
#define DRAIN_LOOK_MS 20

struct worker {
	struct fy_app app;
	struct fy_http *http;
	const struct fy_worker_start *start;
	uv_pipe_t control;
	uv_signal_t term, usr1;
	uv_timer_t drain_timer;
	uint64_t drain_until_ms;
	char byte[64];
	int exit_code;
	bool aborted, ended, starting;
};

static void tell(struct worker *worker, char message)
{
	if (worker->start->control_fd >= 0 && !uv_is_closing((uv_handle_t *)&worker->control)) {
		uv_buf_t buf = uv_buf_init(&message, 1);
		uv_try_write((uv_stream_t *)&worker->control, &buf, 1);
	}
}

static void end_handles(struct worker *worker)
{
	if (worker->ended)
		return;
	worker->ended = true;
	if (worker->start->control_fd >= 0)
		uv_close((uv_handle_t *)&worker->control, NULL);
	uv_close((uv_handle_t *)&worker->term, NULL);
	uv_close((uv_handle_t *)&worker->usr1, NULL);
	uv_close((uv_handle_t *)&worker->drain_timer, NULL);
	uv_stop(&worker->app.loop);
}

/* Requests end by themselves at their deadlines, jobs between two slices; this only looks. */
static void on_drain_look(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	struct fy_sched_stats stats;
	fy_sched_stats(&stats);
	if (worker->http->open == 0 && stats.live == 0) {
		end_handles(worker);
		return;
	}
	if (fy_loop_ms() < worker->drain_until_ms)
		return;
	if (!worker->aborted) {
		worker->aborted = true;
		fy_log(NULL, FY_LOG_WARN, "worker.drain_too_long", FY_KV("connections", worker->http->open),
		       FY_KV("fibers", stats.live));
		fy_http_abort(worker->http);
		return;
	}
	if (worker->http->open == 0 && fy_loop_ms() > worker->drain_until_ms + 2000) {
		/* A fiber that outlived its deadline by seconds: nothing acknowledged depends on it. */
		worker->exit_code = 1;
		fy_logfile_flush(worker->app.event_log);
		fy_logfile_flush(worker->app.access_log);
		_exit(1);
	}
}

static void drain(struct worker *worker, uint64_t seconds)
{
	uint64_t until = fy_loop_ms() + seconds * 1000;
	if (worker->app.draining && until >= worker->drain_until_ms)
		return;
	worker->drain_until_ms = until;
	if (!worker->app.draining) {
		worker->app.draining = true;
		fy_log(NULL, FY_LOG_INFO, "worker.draining", FY_KV("connections", worker->http->open));
		fy_http_drain(worker->http);
		fy_jobs_drain(worker->app.jobs);
	}
	uv_timer_start(&worker->drain_timer, on_drain_look, 0, DRAIN_LOOK_MS);
}

static void on_term(uv_signal_t *signal, int number)
{
	struct worker *worker = signal->data;
	(void)number;
	drain(worker, (uint64_t)worker->app.config->server_drain_seconds);
}

static void on_usr1(uv_signal_t *signal, int number)
{
	struct worker *worker = signal->data;
	(void)number;
	fy_logfile_reopen(worker->app.event_log);
	fy_logfile_reopen(worker->app.access_log);
}

static void on_control_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct worker *worker = handle->data;
	(void)suggested;
	*buf = uv_buf_init(worker->byte, sizeof worker->byte);
}

static void on_control(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct worker *worker = stream->data;
	if (got < 0) { /* the supervisor has gone */
		uv_read_stop(stream);
		drain(worker, 0);
		return;
	}
	for (ssize_t i = 0; i < got; i++) {
		switch (buf->base[i]) {
		case FY_CONTROL_DRAIN:
			drain(worker, (uint64_t)worker->app.config->server_drain_seconds);
			break;
		case FY_CONTROL_QUIT:
			drain(worker, 0);
			break;
		case FY_CONTROL_REOPEN:
			fy_logfile_reopen(worker->app.event_log);
			fy_logfile_reopen(worker->app.access_log);
			break;
		default:
			fy_log(NULL, FY_LOG_WARN, "worker.unknown_message", FY_KV("byte", (int)buf->base[i]));
		}
	}
}

/* Listens only once the databases were tried, so that "ready" means it; a MariaDB that stays away does not
 * keep the pages that need none from answering. */
fy_async static void start_serving(void *arg)
{
	struct worker *worker = arg;
	struct fy_arena arena;
	struct fy_ctx ctx;
	fy_arena_init(&arena, 0);
	fy_app_ctx(&worker->app, &arena, FIRST_CONTACT_MS, &ctx);
	int err = fy_db_wait_ready(&ctx);
	if (err)
		fy_log(&ctx, FY_LOG_WARN, "worker.without_mariadb", FY_KV("error", fy_strerror(err)),
		       FY_KV("detail", ctx.fault ? ctx.fault : ""));
	fy_arena_finish(&arena);
	worker->starting = false;
	if (worker->app.draining)
		return;
	err = fy_http_listen(worker->http, worker->start->listeners, worker->start->listener_count);
	if (err) {
		worker->exit_code = err == FY_ERR_CONFIG ? 78 : 1;
		drain(worker, 0);
		return;
	}
	fy_jobs_start(worker->app.jobs);
	tell(worker, FY_CONTROL_READY);
	fy_log(NULL, FY_LOG_INFO, "worker.ready", FY_KV("index", worker->start->index));
}

static int open_all(struct worker *worker)
{
	struct fy_app *app = &worker->app;
	const struct fy_config *config = worker->start->config;
	int err = fy_app_open(app, config, (unsigned)config->limits_concurrent_requests + FIBERS_BESIDE_REQUESTS);
	if (err == 0)
		err = fy_app_open_logs(app);
	if (err == 0)
		err = fy_http_create(app, &worker->http);
	if (err == 0)
		err = fy_jobs_create(
			&(struct fy_jobs_host){
				.config = config, .db = app->db, .redis = app->redis, .keys = app->keys },
			&app->jobs);
	return err;
}

/* Connector/C readies OpenSSL with its first connection, TLS or not: the configuration file and every cipher and digest
 * by name, 1.6 MiB resident in each worker. Where nothing here speaks TLS through OpenSSL (the listener's is mbedTLS),
 * saying no first keeps it to what Connector/C really uses; see OPENSSL_init_crypto(3). Found by name, because it is
 * Connector/C's library and not ours; one that is built with GnuTLS has none. */
static void spare_openssl(const struct fy_config *config)
{
	enum { NO_STRINGS = 0x01, NO_CIPHERS = 0x10, NO_DIGESTS = 0x20, NO_CONFIG = 0x80 }; /* openssl/crypto.h */
	int (*init)(uint64_t options, const void *settings);
	bool smtp_tls = config->mail_transport == FY_MAIL_SMTP && config->mail_smtp_tls != FY_MAIL_TLS_OFF;
	if (config->database_tls_ca.len || config->redis_tls_ca.len || smtp_tls)
		return;
	*(void **)&init = dlsym(RTLD_DEFAULT, "OPENSSL_init_crypto");
	if (init)
		init(NO_STRINGS | NO_CIPHERS | NO_DIGESTS | NO_CONFIG, NULL);
}

int fy_worker_main(const struct fy_worker_start *start)
{
	static struct worker storage; /* large, and one per process */
	struct worker *worker = &storage;
	worker->start = start;
	spare_openssl(start->config);
	fy_router_init();
	fy_mails_author();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the whole group; the supervisor decides */
	signal(SIGHUP, SIG_IGN);
	int err = open_all(worker);
	if (err) {
		fy_app_close(&worker->app);
		return err == FY_ERR_CONFIG ? 78 : 1;
	}
	uv_loop_t *loop = &worker->app.loop;
	if (start->control_fd >= 0) {
		uv_pipe_init(loop, &worker->control, 0);
		worker->control.data = worker;
		uv_pipe_open(&worker->control, start->control_fd);
		uv_read_start((uv_stream_t *)&worker->control, on_control_room, on_control);
	}
	uv_signal_init(loop, &worker->term);
	uv_signal_init(loop, &worker->usr1);
	uv_timer_init(loop, &worker->drain_timer);
	worker->term.data = worker->usr1.data = worker->drain_timer.data = worker;
	uv_signal_start(&worker->term, on_term, SIGTERM);
	uv_signal_start(&worker->usr1, on_usr1, SIGUSR1);
	fy_fiber_start(start_serving, worker);
	uv_run(loop, UV_RUN_DEFAULT);

	fy_http_abort(worker->http);
	fy_jobs_destroy(worker->app.jobs);
	while (worker->http->open)
		uv_run(loop, UV_RUN_ONCE);
	fy_log(NULL, FY_LOG_INFO, "worker.ended", FY_KV("requests", worker->http->requests));
	bool clean = fy_app_close(&worker->app);
	fy_http_destroy(worker->http);
	return clean ? worker->exit_code : 1;
}
