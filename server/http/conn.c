/* The state machine of one connection: bytes in, whole requests to fibers, responses out.
 * What a request means is dispatch.c's, what a response looks like response.c's. Every change of state
 * goes through change_state, which also moves the connection to the clock of its new state. */
#include "server/http/conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "foyer/config.h"
#include "foyer/log.h"
#include "foyer/require.h"
#include "protocol/http_body.h"
#include "protocol/http_head.h"
#include "server/app.h"
#include "server/http/dispatch.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/net/tls.h"

#define INBOX_PAUSE 16384                   /* pipelined bytes past which reading stops until the response is out */
#define INBOX_MAX (INBOX_PAUSE + 2 * 65536) /* and what one more read may add to it */
#define LINGER_KIB_MAX 256                  /* what is read and thrown away from a client that was refused */
#define REQUEST_ARENA_MAX ((size_t)32 << 20)

static void consume(struct fy_conn *conn, struct fy_slice data);
static void refuse(struct fy_req *req, int status, struct fy_slice reason);

static void change_state(struct fy_conn *conn, enum fy_conn_state state)
{
	static const enum fy_conn_clock clock_of[] = {
		[FY_CONN_IDLE] = FY_CLOCK_IDLE, [FY_CONN_HEAD] = FY_CLOCK_HEAD,   [FY_CONN_BODY] = FY_CLOCK_BODY,
		[FY_CONN_BUSY] = FY_CLOCK_BUSY, [FY_CONN_WRITE] = FY_CLOCK_WRITE, [FY_CONN_LINGER] = FY_CLOCK_LINGER,
	};
	conn->state = (uint8_t)state;
	fy_list_unlink(&conn->clock);
	if (state == FY_CONN_CLOSED)
		return;
	enum fy_conn_clock clock = clock_of[state];
	conn->deadline_s = conn->http->now_s + conn->http->seconds[clock] + 1;
	fy_list_append(&conn->http->clocks[clock], &conn->clock);
}

static void inbox_drop(struct fy_conn *conn)
{
	if (conn->inbox == NULL)
		return;
	fy_buf_finish(&conn->inbox->buf);
	free(conn->inbox);
	conn->inbox = NULL;
}

static void inbox_put(struct fy_conn *conn, struct fy_slice data)
{
	if (data.len == 0)
		return;
	if (conn->inbox == NULL) {
		conn->inbox = calloc(1, sizeof *conn->inbox);
		FY_REQUIRE(conn->inbox != NULL);
		fy_buf_init(&conn->inbox->buf, NULL, INBOX_MAX);
	}
	fy_buf_put(&conn->inbox->buf, data);
	FY_REQUIRE(!conn->inbox->buf.failed);
}

/* ---- Opening and closing ---- */

static void on_closed(uv_handle_t *handle)
{
	struct fy_conn *conn = (struct fy_conn *)handle;
	struct fy_http *http = conn->http;
	if (conn->counted)
		fy_address_count_drop(&http->addresses, conn->address);
	inbox_drop(conn);
	fy_tls_destroy(conn->tls);
	free(conn);
	http->open--;
}

void fy_conn_close(struct fy_conn *conn)
{
	if (conn->state == FY_CONN_CLOSED)
		return;
	/* While a handler runs the request is its fiber's, while bytes are queued it is on_response_sent's;
	 * both find req->conn empty then. Otherwise nobody else knows of it. */
	bool orphan = conn->state == FY_CONN_BODY;
	change_state(conn, FY_CONN_CLOSED);
	if (conn->req) {
		conn->req->conn = NULL;
		if (orphan)
			fy_req_destroy(conn->req);
		conn->req = NULL;
	}
	uv_close(&conn->uv.handle, on_closed);
}

static void start_reading(struct fy_conn *conn);

static bool is_exempt(const struct fy_conn *conn, const struct fy_config *config)
{
	static const uint8_t v4_loopback[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 }, v6_loopback[16] = { [15] = 1 };
	return conn->unix_peer || memcmp(conn->address, v4_loopback, sizeof v4_loopback) == 0 ||
	       memcmp(conn->address, v6_loopback, sizeof v6_loopback) == 0 ||
	       fy_cidrs_hold(&config->server_trusted_proxies, conn->address);
}

void fy_conn_open(struct fy_http *http, const struct fy_acceptor *acceptor, int fd, const uint8_t address[16])
{
	const struct fy_config *config = http->app->config;
	struct fy_conn *conn = calloc(1, sizeof *conn);
	if (conn == NULL) {
		close(fd);
		return;
	}
	conn->http = http;
	conn->unix_peer = acceptor->is_unix;
	conn->listener_kind = (uint8_t)acceptor->kind;
	memcpy(conn->address, address, sizeof conn->address);
	fy_list_init(&conn->clock);
	http->open++;
	int err;
	if (conn->unix_peer) {
		uv_pipe_init(&http->app->loop, &conn->uv.pipe, 0);
		err = uv_pipe_open(&conn->uv.pipe, fd);
	} else {
		uv_tcp_init(&http->app->loop, &conn->uv.tcp);
		err = uv_tcp_open(&conn->uv.tcp, fd);
		uv_tcp_nodelay(&conn->uv.tcp, 1);
	}
	change_state(conn, FY_CONN_IDLE);
	if (err) {
		close(fd);
		fy_conn_close(conn);
		return;
	}
	int64_t most = config->server_max_connections_per_address;
	if (most && !is_exempt(conn, config)) {
		conn->counted = true;
		if (fy_address_count_add(&http->addresses, address) > (uint64_t)most) {
			http->refused++;
			fy_conn_close(conn);
			return;
		}
	}
	if (acceptor->kind == FY_LISTEN_TLS) {
		conn->tls = fy_tls_create(http->tls);
		if (conn->tls == NULL) {
			fy_conn_close(conn);
			return;
		}
		change_state(conn, FY_CONN_HEAD); /* the handshake counts as part of the first head */
	}
	start_reading(conn);
}

void fy_conn_hurry(struct fy_conn *conn)
{
	fy_list_unlink(&conn->clock);
	conn->deadline_s = conn->http->now_s + conn->http->seconds[FY_CLOCK_LINGER] + 1;
	fy_list_append(&conn->http->clocks[FY_CLOCK_LINGER], &conn->clock);
}

void fy_conn_late(struct fy_conn *conn)
{
	switch ((enum fy_conn_state)conn->state) {
	case FY_CONN_HEAD:
	case FY_CONN_BODY:
		if (conn->tls && !fy_tls_ready(conn->tls)) {
			fy_conn_close(conn);
			return;
		}
		if (conn->req == NULL)
			conn->req = fy_req_create(conn, REQUEST_ARENA_MAX);
		refuse(conn->req, 408, FY_LIT("The request did not arrive in time."));
		return;
	case FY_CONN_WRITE: {
		uint32_t unsent = (uint32_t)uv_stream_get_write_queue_size(&conn->uv.stream);
		if (unsent < conn->unsent) { /* slow, but taking: another turn */
			conn->unsent = unsent;
			change_state(conn, FY_CONN_WRITE);
			return;
		}
		fy_conn_close(conn);
		return;
	}
	default:
		fy_conn_close(conn);
	}
}

/* ---- Writing ---- */

struct write_op {
	uv_write_t write;
	uv_buf_t bufs[2];
	struct fy_req *req;
	struct fy_wait wait; /* of a streaming fiber */
};

static void response_done(struct fy_conn *conn);

static size_t buf_total(const uv_buf_t *bufs, unsigned count)
{
	size_t total = 0;
	for (unsigned i = 0; i < count; i++)
		total += bufs[i].len;
	return total;
}

/* What the kernel takes at once is written; `bufs` is left with the rest, whose length is returned, or a
 * negative error. */
static ssize_t write_now(struct fy_conn *conn, uv_buf_t *bufs, unsigned count)
{
	int sent = uv_try_write(&conn->uv.stream, bufs, count);
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0)
		return sent;
	for (unsigned i = 0; i < count && sent; i++) {
		size_t part = (size_t)sent < bufs[i].len ? (size_t)sent : bufs[i].len;
		bufs[i].base += part;
		bufs[i].len -= part;
		sent -= (int)part;
	}
	return (ssize_t)buf_total(bufs, count);
}

static void on_response_sent(uv_write_t *write, int status)
{
	struct write_op *op = write->data;
	struct fy_req *req = op->req;
	struct fy_conn *conn = req->conn;
	if (conn == NULL) {
		fy_req_destroy(req);
		return;
	}
	if (status == 0) {
		response_done(conn);
		return;
	}
	fy_conn_close(conn);
	fy_req_destroy(req);
}

static void on_piece_sent(uv_write_t *write, int status)
{
	struct write_op *op = write->data;
	fy_wait_done(&op->wait, status ? FY_ERR_CANCELLED : 0);
}

/* Writes plaintext, over TLS where the connection is one. Returns what the kernel did not take, which then
 * stands in `bufs`, in memory that stays: the caller's own, or for ciphertext a copy in `arena`, because
 * mbedTLS may append to its output meanwhile. Negative: an error. */
static ssize_t write_plain(struct fy_conn *conn, uv_buf_t *bufs, unsigned count, struct fy_arena *arena)
{
	if (conn->tls == NULL)
		return write_now(conn, bufs, count > 1 && bufs[1].len ? count : 1);
	for (unsigned i = 0; i < count; i++)
		if (bufs[i].len && fy_tls_write(conn->tls, fy_slice(bufs[i].base, bufs[i].len)))
			return UV_EIO;
	struct fy_slice pending = fy_tls_pending(conn->tls);
	bufs[0] = uv_buf_init((char *)pending.ptr, (unsigned)pending.len);
	for (unsigned i = 1; i < count; i++)
		bufs[i] = uv_buf_init(NULL, 0);
	ssize_t left = write_now(conn, bufs, 1);
	if (left > 0)
		bufs[0].base = fy_cstr(arena, fy_slice(bufs[0].base, bufs[0].len));
	fy_tls_sent(conn->tls, pending.len);
	return left;
}

/* Sends TLS records that are not part of a response: the handshake's, alerts. */
static void flush_tls(struct fy_conn *conn)
{
	struct fy_slice pending = fy_tls_pending(conn->tls);
	while (pending.len) {
		uv_buf_t buf = uv_buf_init((char *)pending.ptr, (unsigned)pending.len);
		int sent = uv_try_write(&conn->uv.stream, &buf, 1);
		if (sent == UV_EAGAIN)
			return; /* a handshake fits into an empty socket buffer; its clock ends the rest */
		if (sent < 0) {
			fy_conn_close(conn);
			return;
		}
		fy_tls_sent(conn->tls, (size_t)sent);
		pending = fy_tls_pending(conn->tls);
	}
}

bool fy_conn_has_ended(const struct fy_conn *conn)
{
	return conn->half_closed && conn->inbox == NULL;
}

void fy_conn_respond(struct fy_req *req)
{
	struct fy_conn *conn = req->conn;
	if (conn == NULL) { /* the client left while the handler ran */
		fy_req_destroy(req);
		return;
	}
	if (req->res.streaming) {
		if (req->res.broken) { /* the missing last chunk, or the reset, tells the client */
			fy_conn_close(conn);
			fy_req_destroy(req);
			return;
		}
		req->res.close |= fy_conn_has_ended(conn);
		response_done(conn);
		return;
	}
	const struct fy_config *config = conn->http->app->config;
	conn->requests++;
	if (!req->head.keep_alive || fy_conn_has_ended(conn) || conn->http->app->draining ||
	    conn->state == FY_CONN_BODY ||
	    (config->limits_requests_per_connection && conn->requests >= config->limits_requests_per_connection))
		req->res.close = true;
	struct fy_slice head, body;
	fy_response_build(req, conn->http, &head, &body);
	uv_buf_t bufs[2] = { uv_buf_init((char *)head.ptr, (unsigned)head.len),
			     uv_buf_init((char *)body.ptr, (unsigned)body.len) };
	change_state(conn, FY_CONN_WRITE);
	ssize_t left = write_plain(conn, bufs, 2, &req->arena);
	if (left == 0) {
		response_done(conn);
		return;
	}
	struct write_op *op = fy_new(&req->arena, struct write_op);
	op->req = req;
	op->write.data = op;
	memcpy(op->bufs, bufs, sizeof bufs);
	conn->unsent = (uint32_t)left;
	if (left < 0 || uv_write(&op->write, &conn->uv.stream, op->bufs, 2, on_response_sent)) {
		fy_conn_close(conn);
		fy_req_destroy(req);
	}
}

fy_async int fy_conn_write(struct fy_req *req, struct fy_slice piece)
{
	struct fy_conn *conn = req->conn;
	if (conn == NULL)
		return FY_ERR_CANCELLED;
	if (piece.len == 0)
		return 0;
	/* A stream may be of any length, so a piece leaves nothing in the request's arena: what libuv needs lives
	 * here, on the fiber's stack, which does not go on before on_piece_sent. */
	struct fy_arena kept;
	struct write_op op = { .req = req };
	op.bufs[0] = uv_buf_init((char *)piece.ptr, (unsigned)piece.len);
	fy_arena_init(&kept, 0);
	ssize_t left = write_plain(conn, op.bufs, 1, &kept);
	int err = 0;
	if (left > 0) {
		op.write.data = &op;
		conn->unsent = (uint32_t)left;
		change_state(conn, FY_CONN_WRITE); /* its clock closes a connection whose client takes nothing */
		err = uv_write(&op.write, &conn->uv.stream, op.bufs, 1, on_piece_sent);
		if (err == 0) {
			err = fy_wait(&op.wait, UINT64_MAX);
			if (err == 0 && req->conn)
				change_state(req->conn, FY_CONN_BUSY);
		} else {
			left = err;
		}
	}
	fy_arena_finish(&kept);
	if (left < 0 && req->conn)
		fy_conn_close(req->conn);
	return left < 0 || err || req->conn == NULL ? FY_ERR_CANCELLED : 0;
}

/* ---- Between two requests ---- */

static void linger(struct fy_conn *conn)
{
	uv_os_fd_t fd;
	if (conn->tls) {
		fy_tls_close_notify(conn->tls);
		flush_tls(conn);
		if (conn->state == FY_CONN_CLOSED)
			return;
	}
	if (conn->half_closed || uv_fileno(&conn->uv.handle, &fd) || shutdown(fd, SHUT_WR)) {
		fy_conn_close(conn);
		return;
	}
	/* Closing now, with bytes of the client unread, would send a reset that may overtake the response. */
	inbox_drop(conn);
	change_state(conn, FY_CONN_LINGER);
	if (conn->paused)
		start_reading(conn);
}

static void response_done(struct fy_conn *conn)
{
	struct fy_req *req = conn->req;
	bool close_now = req->res.close;
	conn->req = NULL;
	fy_req_destroy(req);
	if (conn->tls) {
		flush_tls(conn); /* what mbedTLS had to say meanwhile */
		if (conn->state == FY_CONN_CLOSED)
			return;
	}
	/* A drain looked at the idle connections once, so who becomes idle later goes by itself. */
	if (close_now || fy_conn_has_ended(conn) || (conn->http->app->draining && conn->inbox == NULL)) {
		linger(conn);
		return;
	}
	change_state(conn, FY_CONN_IDLE);
	if (conn->paused)
		start_reading(conn);
	if (conn->inbox && !conn->consuming) /* otherwise consume's own loop goes on with it */
		consume(conn, FY_NONE);
}

/* ---- Reading ---- */

static void start_handler(struct fy_conn *conn)
{
	struct fy_req *req = conn->req;
	change_state(conn, FY_CONN_BUSY);
	if (fy_fiber_start(fy_req_run, req) == 0)
		return;
	fy_reply_error(req, FY_ERR_BUSY);
	req->res.close = true;
	fy_conn_respond(req);
}

/* An answer before any handler ran; the connection closes after it. */
static void refuse(struct fy_req *req, int status, struct fy_slice reason)
{
	req->conn->http->refused++;
	fy_reply_status(req, status, reason);
	req->res.close = true;
	fy_conn_respond(req);
}

/* Feeds the body and returns how much of `data` it took. */
static size_t feed_body(struct fy_conn *conn, struct fy_slice data)
{
	struct fy_req *req = conn->req;
	size_t used = 0;
	struct fy_http_fault fault = { 0 };
	if (fy_http_body_feed(&req->body_reader, data, &req->body_buf, &used, &fault)) {
		refuse(req, fault.status, fy_str(fault.reason));
		return data.len;
	}
	if (req->body_reader.done) {
		req->body = fy_buf_slice(&req->body_buf);
		start_handler(conn);
	}
	return used;
}

/* Turns the head at the start of `data` into a request; returns its length, 0 while it is not whole. */
static size_t take_head(struct fy_conn *conn, struct fy_slice data, size_t *scanned)
{
	const struct fy_config *config = conn->http->app->config;
	struct fy_http_limits limits = {
		.head_max = (uint32_t)config->limits_header_bytes,
		.headers_max = (uint32_t)config->limits_header_count,
		.target_max = (uint32_t)config->limits_target_bytes,
	};
	struct fy_http_fault fault = { 0 };
	ssize_t found = fy_http_head_find(data, &limits, scanned, &fault);
	bool head_only = fy_starts(data, FY_LIT("HEAD "));
	if (found < 0) {
		conn->req = fy_req_create(conn, REQUEST_ARENA_MAX);
		conn->req->head_only = head_only;
		refuse(conn->req, fault.status, fy_str(fault.reason));
		return data.len;
	}
	if (found == 0)
		return 0;
	size_t length = (size_t)found;
	struct fy_req *req = fy_req_create(conn, REQUEST_ARENA_MAX);
	conn->req = req;
	req->head_only = head_only;
	if (fy_http_head_parse(fy_copy(&req->arena, fy_upto(data, length)), &limits, &req->head, &fault)) {
		req->head.method = 0; /* nothing of it may be used */
		refuse(req, fault.status, fy_str(fault.reason));
		return length;
	}
	bool has_body = req->head.chunked || req->head.content_length > 0;
	if (!fy_req_route(req)) { /* refused on its head alone; the body was not read */
		req->res.close = req->res.close || has_body;
		fy_conn_respond(req);
		return length;
	}
	if (!has_body) {
		start_handler(conn);
		return length;
	}
	uint32_t body_max = req->route->body_max;
	if (fy_http_body_init(&req->body_reader, &req->head, body_max, &fault)) {
		refuse(req, fault.status, FY_NONE);
		return length;
	}
	change_state(conn, FY_CONN_BODY);
	fy_buf_init(&req->body_buf, &req->arena, body_max);
	if (req->head.has_length) /* known and within the limit: no growing copies */
		fy_buf_reserve(&req->body_buf, req->head.content_length);
	if (req->head.expect_continue && data.len == length) {
		uv_buf_t go_on = uv_buf_init("HTTP/1.1 100 Continue\r\n\r\n", 25);
		/* A hint, that a client may do without; but half of it, or a TLS record that was made and not sent,
		 * would spoil what follows. The socket buffer is full only for a client that reads nothing. */
		ssize_t left = write_plain(conn, &go_on, 1, &req->arena);
		if (left < 0 || (left > 0 && (conn->tls || left < 25)))
			fy_conn_close(conn);
	}
	return length;
}

static bool wants_head(const struct fy_conn *conn)
{
	return conn->state == FY_CONN_IDLE || conn->state == FY_CONN_HEAD;
}

static void use_bytes(struct fy_conn *conn, struct fy_slice data)
{
	bool boxed = conn->inbox != NULL;
	size_t scanned = boxed ? conn->inbox->scanned : 0, used = 0;
	if (boxed) {
		inbox_put(conn, data);
		data = fy_buf_slice(&conn->inbox->buf);
	}
	while (used < data.len) {
		size_t took = 0;
		if (wants_head(conn))
			took = take_head(conn, fy_from(data, used), &scanned);
		else if (conn->state == FY_CONN_BODY)
			took = feed_body(conn, fy_from(data, used));
		if (took == 0)
			break;
		used += took;
		scanned = 0;
		if (conn->state == FY_CONN_CLOSED || conn->state == FY_CONN_LINGER)
			return;
		if (boxed && conn->inbox == NULL)
			return;
	}
	struct fy_slice rest = fy_from(data, used);
	if (rest.len == 0) {
		inbox_drop(conn);
	} else if (boxed) {
		memmove(conn->inbox->buf.ptr, rest.ptr, rest.len);
		conn->inbox->buf.len = rest.len;
	} else {
		inbox_put(conn, rest);
	}
	if (conn->inbox)
		conn->inbox->scanned = scanned;
	if (conn->state == FY_CONN_IDLE && rest.len)
		change_state(conn, FY_CONN_HEAD);
	if (!wants_head(conn) && conn->inbox && conn->inbox->buf.len > INBOX_PAUSE && !conn->paused) {
		conn->paused = true;
		uv_read_stop(&conn->uv.stream);
	}
}

/* Uses what has arrived, the inbox first. What is left waits in the inbox. A request that is answered on its head
 * alone ends inside of the loop, and must not begin to read the same bytes again. */
static void consume(struct fy_conn *conn, struct fy_slice data)
{
	conn->consuming = true;
	use_bytes(conn, data);
	conn->consuming = false;
	if (conn->half_closed && wants_head(conn)) /* what is left never becomes a request */
		linger(conn);
}

static void received(struct fy_conn *conn, struct fy_slice data)
{
	if (conn->state == FY_CONN_LINGER) {
		conn->lingered_kib += (uint16_t)(data.len / 1024 + 1);
		if (conn->lingered_kib > LINGER_KIB_MAX)
			fy_conn_close(conn);
		return;
	}
	consume(conn, data);
}

static void client_ended(struct fy_conn *conn)
{
	if (conn->state != FY_CONN_BUSY && conn->state != FY_CONN_WRITE) {
		if (conn->tls && fy_tls_ready(conn->tls) && conn->state != FY_CONN_LINGER) {
			fy_tls_close_notify(conn->tls); /* RFC 5246 7.2.1: the other side's is answered */
			flush_tls(conn);
		}
		fy_conn_close(conn);
		return;
	}
	conn->half_closed = true; /* it may still read the response */
	uv_read_stop(&conn->uv.stream);
}

static void received_tls(struct fy_conn *conn, struct fy_slice ciphertext)
{
	char *plain = conn->http->plain_buffer;
	if (fy_tls_feed(conn->tls, ciphertext)) {
		fy_conn_close(conn);
		return;
	}
	while (conn->state != FY_CONN_CLOSED) {
		bool was_ready = fy_tls_ready(conn->tls);
		ssize_t got = fy_tls_read(conn->tls, plain, sizeof conn->http->plain_buffer);
		/* During a response the pending records are its own and on their way already. */
		if (conn->state != FY_CONN_WRITE)
			flush_tls(conn);
		if (conn->state == FY_CONN_CLOSED)
			return;
		if (!was_ready && fy_tls_ready(conn->tls)) {
			change_state(conn, FY_CONN_IDLE);
			if (conn->http->app->draining)
				fy_conn_hurry(conn);
		}
		if (got == 0)
			return;
		if (got < 0) {
			if (got == UV_EOF)
				client_ended(conn);
			else
				fy_conn_close(conn);
			return;
		}
		received(conn, fy_slice(plain, (size_t)got));
	}
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct fy_conn *conn = (struct fy_conn *)handle;
	(void)suggested;
	*buf = uv_buf_init(conn->http->read_buffer, sizeof conn->http->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct fy_conn *conn = (struct fy_conn *)stream;
	if (got == 0)
		return;
	if (got == UV_EOF)
		client_ended(conn);
	else if (got < 0)
		fy_conn_close(conn);
	else if (conn->tls)
		received_tls(conn, fy_slice(buf->base, (size_t)got));
	else
		received(conn, fy_slice(buf->base, (size_t)got));
}

static void start_reading(struct fy_conn *conn)
{
	conn->paused = false;
	if (uv_read_start(&conn->uv.stream, on_room, on_read))
		fy_conn_close(conn);
}
