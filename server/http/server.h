/* The HTTP side of one worker: its listeners, its connections and what they share.
 * Connections are conn.c's; this keeps the clocks (time-outs, the Date header), the counts and limits.
 * The worker makes one. */
#pragma once

#include "foyer/list.h"
#include "server/net/address_count.h"
#include "server/net/acceptor.h"

struct fy_app;
struct fy_conn;
struct fy_tls_config;

/* A connection stands in exactly one of these lists, by what it is waiting for. Each list has one fixed
 * duration, so appending keeps it sorted by deadline and only its head is ever looked at. */
enum fy_conn_clock {
	FY_CLOCK_IDLE,   /* the next request: limits.idle_seconds */
	FY_CLOCK_HEAD,   /* the end of a head, from its first byte: limits.header_seconds */
	FY_CLOCK_BODY,   /* the end of a body, from the end of the head: limits.body_seconds */
	FY_CLOCK_BUSY,   /* the handler, which has a deadline of its own: none here */
	FY_CLOCK_WRITE,  /* the client to take what was written; renewed while it takes some */
	FY_CLOCK_LINGER, /* the client to close after we did */
	FY_CLOCK_COUNT
};

struct fy_http {
	struct fy_app *app;
	struct fy_acceptor *acceptors;
	unsigned acceptor_count;
	struct fy_tls_config *tls; /* NULL without a TLS listener */
	struct fy_list clocks[FY_CLOCK_COUNT];
	uint32_t seconds[FY_CLOCK_COUNT]; /* durations; 0: none */
	uv_timer_t tick;
	uint32_t now_s;              /* seconds of the loop's clock */
	char date[30], log_date[28]; /* this second, as the Date field and the access log have it */
	struct fy_address_count addresses;
	unsigned open; /* connections */
	uint64_t request_seed, request_count;
	uint64_t requests, refused, responses[6]; /* since the start; responses by class */
	char read_buffer[65536];                  /* one for the loop: what is read is copied or consumed at once */
	char plain_buffer[16384];                 /* the same after TLS; one record */
};

int fy_http_create(struct fy_app *app, struct fy_http **ret_http);

/* Begins to accept. FY_ERR_CONFIG where the certificate cannot be used. */
int fy_http_listen(struct fy_http *http, const struct fy_listener_start *listeners, unsigned count);

/* Stops accepting and closes the idle connections; the busy ones close after their response, and those that were
 * just opened get a moment for theirs. */
void fy_http_drain(struct fy_http *http);

/* Closes everything that is still open. */
void fy_http_abort(struct fy_http *http);

/* All connections must have gone and the loop must have run once more. */
void fy_http_destroy(struct fy_http *http);

/* Reads certificate and key again; the old ones stay where the new ones cannot be used. */
int fy_http_reload_tls(struct fy_http *http);
