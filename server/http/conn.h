/* One client connection speaking HTTP/1.1.
 *
 *     IDLE ─first byte─► HEAD ─whole─► BODY ─whole─► BUSY ─handler returned─► WRITE ─taken─► IDLE or LINGER
 *                          └─────────────────── bad or too late ──────────────────► WRITE ─► LINGER ─► closed
 *
 * A waiting connection has no buffer and no request; its state is this struct. Responses leave in the
 * order of their requests: pipelined bytes wait in `inbox` while a request is under way. */
#pragma once

#include <uv.h>

#include "foyer/buf.h"
#include "foyer/fiber.h"
#include "foyer/list.h"
#include "server/http/server.h"

struct fy_req;
struct fy_tls;

enum fy_conn_state {
	FY_CONN_IDLE,
	FY_CONN_HEAD,
	FY_CONN_BODY,
	FY_CONN_BUSY,
	FY_CONN_WRITE,
	FY_CONN_LINGER,
	FY_CONN_CLOSED
};

struct fy_inbox {
	struct fy_buf buf;
	size_t scanned; /* where the search for the head's end goes on */
};

struct fy_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	struct fy_http *http;
	struct fy_list clock;
	struct fy_req *req; /* from its head to the last byte of its response */
	struct fy_tls *tls;
	struct fy_inbox *inbox; /* bytes received and not used yet; NULL: none */
	uint32_t deadline_s, requests, unsent;
	uint8_t address[16];
	uint8_t state, listener_kind;
	bool unix_peer : 1, counted : 1, paused : 1, half_closed : 1, consuming : 1;
	uint16_t lingered_kib;
};

/* Takes `fd`. */
void fy_conn_open(struct fy_http *http, const struct fy_acceptor *acceptor, int fd, const uint8_t address[16]);
void fy_conn_close(struct fy_conn *conn);
void fy_conn_late(struct fy_conn *conn);  /* its clock has run out */
void fy_conn_hurry(struct fy_conn *conn); /* idle: has a moment left to send its first request */

/* The client has said its last word, and no request can follow the present one. */
bool fy_conn_has_ended(const struct fy_conn *conn);

/* The request's handler has returned: sends the response that it prepared and ends the request. */
void fy_conn_respond(struct fy_req *req);

/* For streamed responses: sends one piece, parks while the client does not take it. */
fy_async int fy_conn_write(struct fy_req *req, struct fy_slice piece);
