/* Clocks, counts and limits of a worker's connections; see server.h. */
#include "server/http/server.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/datetime.h"
#include "server/app.h"
#include "server/http/conn.h"
#include "server/net/tls.h"

#define WRITE_SECONDS 30
#define LINGER_SECONDS 2

static void set_date(struct fy_http *http)
{
	struct fy_buf date = { .ptr = http->date, .cap = sizeof http->date, .max = sizeof http->date };
	struct fy_buf log_date = { .ptr = http->log_date, .cap = sizeof http->log_date, .max = sizeof http->log_date };
	fy_put_imf_date(&date, fy_clock());
	fy_put_clf_date(&log_date, fy_clock());
}

static void on_tick(uv_timer_t *timer)
{
	struct fy_http *http = timer->data;
	http->now_s = (uint32_t)(uv_now(timer->loop) / 1000);
	set_date(http);
	for (int i = 0; i < FY_CLOCK_COUNT; i++) {
		if (http->seconds[i] == 0)
			continue;
		struct fy_list *first;
		while ((first = fy_list_first(&http->clocks[i]))) {
			struct fy_conn *conn = FY_CONTAINER(first, struct fy_conn, clock);
			if (conn->deadline_s > http->now_s)
				break;
			fy_conn_late(conn);
		}
	}
}

static void on_accepted(void *owner, const struct fy_acceptor *acceptor, int fd, const uint8_t address[16])
{
	struct fy_http *http = owner;
	if (http->open >= (unsigned)http->app->config->server_max_connections) {
		/* Full: the connection that has waited longest for its next request makes room. */
		struct fy_list *oldest = fy_list_first(&http->clocks[FY_CLOCK_IDLE]);
		http->refused++;
		if (oldest == NULL) {
			close(fd);
			return;
		}
		fy_conn_close(FY_CONTAINER(oldest, struct fy_conn, clock));
	}
	fy_conn_open(http, acceptor, fd, address);
}

int fy_http_create(struct fy_app *app, struct fy_http **ret_http)
{
	const struct fy_config *config = app->config;
	struct fy_http *http = calloc(1, sizeof *http);
	FY_REQUIRE(http != NULL);
	http->app = app;
	http->seconds[FY_CLOCK_IDLE] = (uint32_t)config->limits_idle_seconds;
	http->seconds[FY_CLOCK_HEAD] = (uint32_t)config->limits_header_seconds;
	http->seconds[FY_CLOCK_BODY] = (uint32_t)config->limits_body_seconds;
	http->seconds[FY_CLOCK_WRITE] = WRITE_SECONDS;
	http->seconds[FY_CLOCK_LINGER] = LINGER_SECONDS;
	for (int i = 0; i < FY_CLOCK_COUNT; i++)
		fy_list_init(&http->clocks[i]);
	fy_address_count_init(&http->addresses);
	randombytes_buf(&http->request_seed, sizeof http->request_seed);
	uv_timer_init(&app->loop, &http->tick);
	http->tick.data = http;
	uv_timer_start(&http->tick, on_tick, 1000, 1000);
	http->now_s = (uint32_t)(uv_now(&app->loop) / 1000);
	set_date(http);
	*ret_http = http;
	return 0;
}

int fy_http_listen(struct fy_http *http, const struct fy_listener_start *listeners, unsigned count)
{
	const struct fy_config *config = http->app->config;
	int err = 0;
	http->acceptors = calloc(count ? count : 1, sizeof *http->acceptors);
	FY_REQUIRE(http->acceptors != NULL);
	for (unsigned i = 0; i < count && err == 0; i++) {
		if (listeners[i].kind == FY_LISTEN_TLS && http->tls == NULL)
			err = fy_tls_config_create(config->server_tls_certificate.ptr, config->server_tls_key.ptr,
						   &http->tls);
		if (err)
			break;
		struct fy_acceptor *acceptor = &http->acceptors[i];
		acceptor->accepted = on_accepted;
		acceptor->owner = http;
		err = fy_acceptor_start(acceptor, &http->app->loop, &listeners[i]);
		if (err == 0)
			http->acceptor_count++;
	}
	return err;
}

void fy_http_drain(struct fy_http *http)
{
	for (unsigned i = 0; i < http->acceptor_count; i++)
		fy_acceptor_stop(&http->acceptors[i]);
	struct fy_list *first;
	while ((first = fy_list_first(&http->clocks[FY_CLOCK_IDLE]))) {
		struct fy_conn *conn = FY_CONTAINER(first, struct fy_conn, clock);
		if (conn->requests)
			fy_conn_close(conn);
		else
			fy_conn_hurry(conn); /* just opened: its request is on the way, and would be lost */
	}
}

void fy_http_abort(struct fy_http *http)
{
	struct fy_list *first;
	for (int i = 0; i < FY_CLOCK_COUNT; i++)
		while ((first = fy_list_first(&http->clocks[i])))
			fy_conn_close(FY_CONTAINER(first, struct fy_conn, clock));
	if (!uv_is_closing((uv_handle_t *)&http->tick))
		uv_close((uv_handle_t *)&http->tick, NULL);
}

void fy_http_destroy(struct fy_http *http)
{
	if (http == NULL)
		return;
	FY_REQUIRE(http->open == 0);
	fy_address_count_finish(&http->addresses);
	fy_tls_config_destroy(http->tls);
	free(http->acceptors);
	free(http);
}

int fy_http_reload_tls(struct fy_http *http)
{
	const struct fy_config *config = http->app->config;
	if (http->tls == NULL)
		return 0;
	struct fy_tls_config *fresh;
	int err = fy_tls_config_create(config->server_tls_certificate.ptr, config->server_tls_key.ptr, &fresh);
	if (err) {
		fy_log(NULL, FY_LOG_ERROR, "tls.certificate_kept", FY_KV("reason", fy_strerror(err)));
		return err;
	}
	fy_tls_config_destroy(http->tls); /* connections in use hold a reference of their own */
	http->tls = fresh;
	return 0;
}
