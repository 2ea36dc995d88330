/* Finding and parsing request heads: each rule of RFC 9112 and 9110 that a request can break. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/http_head.h"

static const struct fy_http_limits limits = FY_HTTP_LIMITS_DEFAULT;
static struct fy_http_head head;
static struct fy_http_fault fault;

/* The status with which these bytes are refused, 0 when they are a good head; finder and parser must agree. */
static int status_of_slice(struct fy_slice raw)
{
	size_t from = 0;
	fault.status = 0;
	ssize_t n = fy_http_head_find(raw, &limits, &from, &fault);
	if (n < 0)
		return fault.status;
	if (n == 0)
		return -1;
	return fy_http_head_parse(fy_upto(raw, (size_t)n), &limits, &head, &fault) ? fault.status : 0;
}

static int status_of(const char *raw)
{
	return status_of_slice(fy_str(raw));
}

/* The same for a request whose only oddity is one field. */
static int status_with(const char *field)
{
	char raw[512];
	snprintf(raw, sizeof(raw), "POST /x HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", field);
	return status_of(raw);
}

static int status_of_target(const char *method, const char *target)
{
	char raw[512];
	snprintf(raw, sizeof(raw), "%s %s HTTP/1.1\r\nHost: a\r\n\r\n", method, target);
	return status_of(raw);
}

static void a_request_is_taken_apart(void **state)
{
	(void)state;
	assert_int_equal(
		status_of("POST /a/b%20c?x=1&y HTTP/1.1\r\nHost: example.org:8080\r\nCookie:\tsid=1; b=2 \r\n"
			  "Content-Length: 12\r\nX-Empty:\r\nAccept: a\r\nAccept: b\r\nExpect: 100-Continue\r\n\r\n"),
		0);
	assert_int_equal(head.method, FY_POST);
	assert_int_equal(head.form, FY_TARGET_ORIGIN);
	assert_text(head.method_text, "POST");
	assert_text(head.target, "/a/b%20c?x=1&y");
	assert_text(head.path, "/a/b%20c");
	assert_text(head.query, "x=1&y");
	assert_text(head.host, "example.org:8080");
	assert_int_equal(head.minor, 1);
	assert_true(head.has_length);
	assert_int_equal(head.content_length, 12);
	assert_false(head.chunked);
	assert_true(head.keep_alive);
	assert_true(head.expect_continue);
	assert_int_equal(head.header_count, 7);
	assert_text(fy_http_get(&head, FY_H_COOKIE), "sid=1; b=2");
	assert_text(fy_http_find(&head, FY_LIT("x-EMPTY")), "");
	assert_non_null(fy_http_find(&head, FY_LIT("x-empty")).ptr);
	assert_null(fy_http_find(&head, FY_LIT("x-absent")).ptr);
	assert_null(fy_http_get(&head, FY_H_ORIGIN).ptr);
	assert_true(fy_http_repeated(&head, FY_H_ACCEPT));
	assert_false(fy_http_repeated(&head, FY_H_COOKIE));
	struct fy_slice value;
	size_t at = 0;
	assert_true(fy_http_next(&head, FY_LIT("accept"), &at, &value));
	assert_text(value, "a");
	assert_true(fy_http_next(&head, FY_LIT("accept"), &at, &value));
	assert_text(value, "b");
	assert_false(fy_http_next(&head, FY_LIT("accept"), &at, &value));
}

static void every_known_field_is_noted(void **state)
{
	(void)state;
	static const struct {
		enum fy_http_known id;
		const char *name, *value;
	} fields[] = {
#define FIELD(id, name) { FY_H_##id, name, "v" },
		FY_HTTP_KNOWN(FIELD)
#undef FIELD
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++) {
		char raw[256];
		enum fy_http_known id = fields[i].id;
		if (id == FY_H_HOST || id == FY_H_CONTENT_LENGTH || id == FY_H_TRANSFER_ENCODING || id == FY_H_EXPECT)
			continue;
		snprintf(raw, sizeof(raw), "GET / HTTP/1.1\r\nHost: a\r\n%s: v\r\n\r\n", fields[i].name);
		assert_int_equal(status_of(raw), 0);
		assert_text(fy_http_get(&head, id), "v");
	}
}

static void all_methods_are_known_by_name(void **state)
{
	(void)state;
	for (int m = FY_GET; m < FY_METHODS_END; m++) {
		if (m != FY_TRACE)
			assert_int_equal(status_of_target(fy_method_name(m), "/"), 0);
		else
			assert_int_equal(status_of("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
		assert_int_equal(head.method, m);
	}
	assert_int_equal(status_of_target("get", "/"), 501);
	assert_int_equal(status_of_target("MKCOL", "/"), 501);
	assert_int_equal(status_of_target("QUERY", "/"), 501);
	assert_int_equal(status_of_target("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJ", "/"), 501);
	assert_int_equal(status_of_target("CONNECT", "example.org:443"), 501);
	assert_int_equal(status_of_target("CONNECT", "/"), 400);
	assert_int_equal(status_of_target("G(T", "/"), 400);
	assert_int_equal(status_of(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(status_of("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"), 400);
}

static void targets_have_four_forms(void **state)
{
	(void)state;
	assert_int_equal(status_of_target("GET", "http://Example.ORG:80/a?b"), 0);
	assert_int_equal(head.form, FY_TARGET_ABSOLUTE);
	assert_text(head.host, "Example.ORG:80"); /* and not the Host field's "a" (RFC 9112 3.2.2) */
	assert_text(head.path, "/a");
	assert_text(head.query, "b");
	assert_int_equal(status_of_target("GET", "HTTPS://b?q"), 0);
	assert_text(head.path, "/");
	assert_text(head.query, "q");
	assert_int_equal(status_of_target("OPTIONS", "http://b"), 0);
	assert_text(head.path, "*");
	assert_int_equal(status_of_target("OPTIONS", "*"), 0);
	assert_int_equal(head.form, FY_TARGET_ASTERISK);
	static const char *const bad[] = {
		"*x",           "x",         "a/b",          "http:/a",
		"http://",      "http:///a", "http://u@h/",  "http://u:p@h/",
		"ftp://h/",     "://h/",     "http://h:x/",  "http://h:99999/",
		"http://[::1/", "/#f",       "/a#",          "/\xc3\xa9",
		"/%",           "/%4",       "/%4g",         "/a\\b",
		"/<",           "/\"",       "/a?\"",        "/a?<",
		"/\x7f",        "/a?%zz",    "http://h%zz/", "example.org:443",
		"/^",           "/|",        "/{}",          "/a?\x01",
	};
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(status_of_target("GET", bad[i]), 400);
	assert_int_equal(status_of_target("GET", "*"), 400);
	static const char *const good[] = { "/",
					    "//",
					    "/a//b",
					    "/?",
					    "/a?b?c/d",
					    "/a;p=1,2",
					    "/~x/!$&'()*+,;=:@",
					    "/%00",
					    "/?a[]=1|2&b={}`^\\",
					    "http://[::1]:8080/",
					    "http://h:/",
					    "/a?" };
	for (size_t i = 0; i < FY_COUNT(good); i++)
		assert_int_equal(status_of_target("GET", good[i]), 0);
	assert_int_equal(status_of_target("GET", "/a?"), 0);
	assert_non_null(head.query.ptr);
	assert_int_equal(head.query.len, 0);
	assert_int_equal(status_of_target("GET", "/a"), 0);
	assert_null(head.query.ptr);
}

static void request_lines_have_one_shape(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int status;
	} lines[] = {
		{ "GET / HTTP/1.1", 0 },
		{ "GET / HTTP/1.2", 0 },
		{ "GET / HTTP/1.9", 0 },
		{ "GET / HTTP/1.0", 0 },
		{ "GET / HTTP/2.0", 505 },
		{ "GET / HTTP/0.9", 505 },
		{ "GET / HTTP/3.0", 505 },
		{ "GET / HTTP/5.6", 505 },
		{ "PRI * HTTP/2.0", 505 },
		{ "GET / http/1.1", 400 },
		{ "GET / HTTP/1.10", 400 },
		{ "GET / HTTP/01.1", 400 },
		{ "GET / HTTP/1", 400 },
		{ "GET / HTTP/1.", 400 },
		{ "GET / HTTP/1,1", 400 },
		{ "GET / HTTP/ 1.1", 400 },
		{ "GET /  HTTP/1.1", 400 },
		{ "GET  / HTTP/1.1", 400 },
		{ "GET / HTTP/1.1 ", 400 },
		{ "GET\t/ HTTP/1.1", 400 },
		{ "GET /\tHTTP/1.1", 400 },
		{ "GET /", 400 },
		{ "GET", 400 },
		{ "GET ", 400 },
		{ "GET / ICE/1.0", 400 },
		{ "GET / RTSP/1.0", 400 },
		{ "GET / HTTP/1.1x", 400 },
		{ "GET /a b HTTP/1.1", 400 },
		{ "/ HTTP/1.1", 400 },
		{ "GET HTTP/1.1", 400 },
		{ "GET / HTTP/1.\xc2\xb9", 400 },
		{ "GET / HTTP/-1.1", 400 },
		{ "\x16\x03\x01", 400 },
	};
	for (size_t i = 0; i < FY_COUNT(lines); i++) {
		char raw[128];
		snprintf(raw, sizeof(raw), "%s\r\nHost: a\r\n\r\n", lines[i].line);
		int status = status_of(raw);
		if (status != lines[i].status)
			fail_msg("\"%s\": %d, not %d (%s)", lines[i].line, status, lines[i].status, fault.reason);
	}
}

static void versions_are_answered_by_their_major(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET / HTTP/1.7\r\nHost: a\r\n\r\n"), 0);
	assert_int_equal(head.minor, 1);
	assert_true(head.keep_alive);
	assert_int_equal(status_of("GET / HTTP/1.0\r\n\r\n"), 0);
	assert_int_equal(head.minor, 0);
	assert_int_equal(head.host.len, 0);
	assert_false(head.keep_alive);
	assert_int_equal(status_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 0);
	assert_true(head.keep_alive);
	assert_int_equal(status_of("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), 0);
	assert_false(head.keep_alive);
	assert_int_equal(status_with("Connection: x ,, CLOSE"), 0);
	assert_false(head.keep_alive);
	assert_int_equal(status_with("Connection: closed"), 0);
	assert_true(head.keep_alive);
	assert_int_equal(status_with("Connection: a b"), 400);
}

static void exactly_one_valid_host_is_needed(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
	assert_int_equal(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(status_of("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"), 400);
	assert_int_equal(status_of("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
	static const char *const bad[] = { "",          "a b",
					   "a, b",      "a,b",
					   "a/b",       "a@b",
					   "a:b",       "a:1:2",
					   "a:65536",   "a:123456",
					   "[::1",      "[::1]x",
					   "[1.2.3.4]", "[]",
					   "[::g]",     "::1",
					   "a#",        "a?b",
					   "a\\b",      "http://a",
					   "a%",        "a%4",
					   "a%zz",      ":80",
					   "\xc3\xa9",  "[fe80::1%25eth0]",
					   "a:-1",      "a: 80" };
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_false(fy_http_host_valid(fy_str(bad[i])));
	static const char *const good[] = { "a",
					    "a.example",
					    "A:80",
					    "a:",
					    "192.0.2.1:8080",
					    "[::1]",
					    "[2001:db8::1]:443",
					    "a_b",
					    "xn--e1afmkfd.example",
					    "a:65535",
					    "a.",
					    "a%20b" };
	for (size_t i = 0; i < FY_COUNT(good); i++)
		assert_true(fy_http_host_valid(fy_str(good[i])));
	assert_int_equal(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
	assert_int_equal(status_of("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400);
}

static void framing_is_unambiguous(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		int status;
	} fields[] = {
		{ "Content-Length: 0", 0 },
		{ "Content-Length: 003", 0 },
		{ "Content-Length: \t42 ", 0 },
		{ "Content-Length:\t42\t  ", 0 },
		{ "Transfer-Encoding:\tchunked\t", 0 },
		{ "Content-Length: 9223372036854775807", 0 },
		{ "Content-Length: 9223372036854775808", 400 },
		{ "Content-Length: 18446744073709551617", 400 },
		{ "Content-Length: 99999999999999999999999", 400 },
		{ "Content-Length:", 400 },
		{ "Content-Length: +5", 400 },
		{ "Content-Length: -1", 400 },
		{ "Content-Length: 5 5", 400 },
		{ "Content-Length: 5,5", 400 },
		{ "Content-Length: 5, 5", 400 },
		{ "Content-Length: 0x5", 400 },
		{ "Content-Length: 5.0", 400 },
		{ "Content-Length: 1e3", 400 },
		{ "Content-Length: \xd9\xa5", 400 },
		{ "Content-Length: 5\r\nContent-Length: 5", 400 },
		{ "Content-Length: 5\r\nContent-Length: 6", 400 },
		{ "Content-Length: 5\r\nTransfer-Encoding: chunked", 400 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 5", 400 },
		{ "Transfer-Encoding: chunked", 0 },
		{ "Transfer-Encoding: Chunked", 0 },
		{ "transfer-encoding:chunked", 0 },
		{ "Transfer-Encoding:", 400 },
		{ "Transfer-Encoding: ,", 400 },
		{ "Transfer-Encoding: chunked,", 400 },
		{ "Transfer-Encoding: , chunked", 400 },
		{ "Transfer-Encoding: chunked, chunked", 400 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400 },
		{ "Transfer-Encoding: chunked, gzip", 400 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip", 400 },
		{ "Transfer-Encoding: gzip", 400 },
		{ "Transfer-Encoding: identity", 400 },
		{ "Transfer-Encoding: chunkedchunked", 400 },
		{ "Transfer-Encoding: xchunked", 400 },
		{ "Transfer-Encoding: \"chunked\"", 400 },
		{ "Transfer-Encoding: chunked;x=y", 400 },
		{ "Transfer-Encoding: chunked x", 400 },
		{ "Transfer-Encoding: \x0b"
		  "chunked",
		  400 },
		{ "Transfer-Encoding: gzip, chunked", 501 },
		{ "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501 },
		{ "Transfer_Encoding: chunked", 0 },
		{ "Expect: 100-continue", 0 },
		{ "Expect: 200-ok", 417 },
		{ "Expect:", 417 },
	};
	for (size_t i = 0; i < FY_COUNT(fields); i++) {
		int status = status_with(fields[i].field);
		if (status != fields[i].status)
			fail_msg("\"%s\": %d, not %d (%s)", fields[i].field, status, fields[i].status, fault.reason);
	}
	assert_int_equal(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
	assert_int_equal(status_of("POST / HTTP/1.0\r\nExpect: x\r\n\r\n"), 0);
	assert_int_equal(status_with("Transfer-Encoding: CHUNKED"), 0);
	assert_true(head.chunked);
	assert_false(head.has_length);
}

static void field_lines_have_one_shape(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"A : b",
		"A\t: b",
		" A: b",
		"\tA: b",
		"A",
		": b",
		"A: b\r\n c",
		"A: b\r\n\tc",
		"A: b\r\n \r\nC: d",
		"A\x01: b",
		"A\xc3\xa9: b",
		"A(b): c",
		"A: \x01",
		"A: \x7f",
		"A: b\x0c"
		"c",
		"A: b\rC: d",
		"A: b\nC: d",
		"A: b\r\r\nC: d",
		"A: b\r",
		"\"A\": b",
		"A b: c",
		"A: \x1b[31m",
		"X: 12345678\x08",
		"X: 1234567\x1f"
		"8",
	};
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		if (status_with(bad[i]) != 400)
			fail_msg("\"%s\" was not refused", bad[i]);
	assert_int_equal(status_with("A: caf\xc3\xa9\ttab \x80\xff"), 0);
	assert_text(fy_http_find(&head, FY_LIT("a")), "caf\xc3\xa9\ttab \x80\xff");
	static const char nul[] = "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n";
	assert_int_equal(status_of_slice(FY_LIT(nul)), 400);
	static const char nul_name[] = "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n";
	assert_int_equal(status_of_slice(FY_LIT(nul_name)), 400);
	static const char nul_target[] = "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n";
	assert_int_equal(status_of_slice(FY_LIT(nul_target)), 400);
}

static void limits_have_their_own_statuses(void **state)
{
	(void)state;
	struct fy_buf b;
	fy_buf_init(&b, &arena, 1 << 20);
	fy_buf_put(&b, FY_LIT("GET /"));
	for (int i = 0; i < 8191; i++)
		fy_buf_char(&b, 'a');
	size_t target = b.len;
	fy_buf_put(&b, FY_LIT(" HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 0);
	b.len = target;
	fy_buf_char(&b, 'a');
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 414); /* before the line is complete */
	fy_buf_put(&b, FY_LIT(" HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 414);

	b.len = 0;
	fy_buf_put(&b, FY_LIT("GET / HTTP/1.1\r\nHost: a\r\n"));
	for (int i = 0; i < FY_HTTP_HEADERS_MAX - 1; i++)
		fy_buf_put(&b, FY_LIT("a: b\r\n"));
	size_t full = b.len;
	fy_buf_put(&b, FY_LIT("\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 0);
	assert_int_equal(head.header_count, FY_HTTP_HEADERS_MAX);
	b.len = full;
	fy_buf_put(&b, FY_LIT("a: b\r\n\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 431);

	b.len = 0;
	fy_buf_put(&b, FY_LIT("GET / HTTP/1.1\r\nHost: a\r\nA: "));
	while (b.len < limits.head_max - 4)
		fy_buf_char(&b, 'x');
	size_t most = b.len;
	fy_buf_put(&b, FY_LIT("\r\n\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 0);
	b.len = most;
	fy_buf_put(&b, FY_LIT("x\r\n\r\n"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 431);
	b.len = most;
	fy_buf_put(&b, FY_LIT("xxxx"));
	assert_int_equal(status_of_slice(fy_buf_slice(&b)), 431); /* no end in sight */
}

static void bytes_after_the_head_are_left(void **state)
{
	(void)state;
	struct fy_slice raw = FY_LIT("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n");
	size_t from = 0;
	ssize_t n = fy_http_head_find(raw, &limits, &from, &fault);
	assert_int_equal(n, strlen("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_int_equal(fy_http_head_parse(fy_upto(raw, (size_t)n), &limits, &head, &fault), 0);
	/* A parser handed too much, or too little, says so. */
	assert_int_equal(fy_http_head_parse(raw, &limits, &head, &fault), FY_ERR_PROTOCOL);
	assert_int_equal(fy_http_head_parse(fy_upto(raw, (size_t)n - 1), &limits, &head, &fault), FY_ERR_PROTOCOL);
}

static void empty_lines_before_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(status_of("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_int_equal(status_of("\r\n\r\n\r\n\r\n\r\n"), 400);
	assert_int_equal(status_of("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
	assert_int_equal(status_of("\r\n"), -1);
	assert_int_equal(status_of("\r"), -1);
	assert_int_equal(status_of("\rG"), 400);
}

/* -1: the finder waits for more; otherwise the status it refuses with. */
static void what_cannot_become_a_head_is_refused_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *raw;
		int status;
	} cases[] = {
		{ "", -1 },
		{ "G", -1 },
		{ "GET", -1 },
		{ "GET ", -1 },
		{ "GET /", -1 },
		{ "GET /%", -1 },
		{ "GET /%4", -1 },
		{ "GET / ", -1 },
		{ "GET / HTTP/1.", -1 },
		{ "GET / HTTP/1.1", -1 },
		{ "GET / HTTP/1.1\r", -1 },
		{ "GET / HTTP/1.1\r\n", -1 },
		{ "GET / HTTP/1.1\r\nHost", -1 },
		{ "GET / HTTP/1.1\r\nHost: a", -1 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n", -1 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r", -1 },
		{ "GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n", -1 },
		{ "\x16\x03\x01\x02", 400 }, /* a TLS ClientHello */
		{ "SSH-2.0-OpenSSH_9.2\r\n", 400 },
		{ "\xff", 400 },
		{ "GET /\n", 400 },
		{ "GET / HTTP/1.1\nHost: a\n\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\n", 400 },
		{ "GET / HTTP/1.1\rH", 400 },
		{ "GET / HTTP/5.6", 505 },
		{ "GET / HTTP/2", 505 },
		{ "GET / ICE", 400 },
		{ "GET /\x01", 400 },
		{ "GET /%zz", 400 },
		{ "GET /\r\n", 400 }, /* HTTP/0.9 */
		{ "GET / HTTP/1.1\r\n Host", 400 },
		{ "GET / HTTP/1.1\r\nHost : a", 400 },
		{ "GET / HTTP/1.1\r\nA: \x01", 400 },
		{ "GET / HTTP/1.1\r\nA: b\rC", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: 1000000000000000000000\r\n", 400 },
		{ "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400 },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		int status = status_of(cases[i].raw);
		if (status != cases[i].status)
			fail_msg("\"%s\": %d, not %d", cases[i].raw, status, cases[i].status);
	}
}

/* Whatever the cuts between reads, finder and verdict are the same as with all bytes at once. */
static void arriving_byte_by_byte_changes_nothing(void **state)
{
	(void)state;
	static const char *const raws[] = {
		"\r\nGET /a?b HTTP/1.1\r\nHost: a\r\nCookie: x=y\r\n\r\nrest",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nB: c\nD: e\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n",
		"GET / HTTP/1.1\r\nB: c\r\n\r\n",
	};
	for (size_t i = 0; i < FY_COUNT(raws); i++) {
		struct fy_slice raw = fy_str(raws[i]);
		size_t from = 0;
		int status = status_of_slice(raw);
		ssize_t n = 0;
		for (size_t len = 0; len <= raw.len && n == 0; len++) {
			/* An exact copy, so that a sanitizer sees a read too far. */
			char *copy = malloc(len + 1);
			memcpy(copy, raw.ptr, len);
			copy = realloc(copy, len ? len : 1);
			n = fy_http_head_find(fy_slice(copy, len), &limits, &from, &fault);
			free(copy);
		}
		if (n > 0)
			n = fy_http_head_parse(fy_upto(raw, (size_t)n), &limits, &head, &fault);
		if ((n ? fault.status : 0) != status)
			fail_msg("case %zu: %zd %d, not %d (%s)", i, n, fault.status, status, fault.reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(a_request_is_taken_apart),
		FY_TEST(every_known_field_is_noted),
		FY_TEST(all_methods_are_known_by_name),
		FY_TEST(targets_have_four_forms),
		FY_TEST(request_lines_have_one_shape),
		FY_TEST(versions_are_answered_by_their_major),
		FY_TEST(exactly_one_valid_host_is_needed),
		FY_TEST(framing_is_unambiguous),
		FY_TEST(field_lines_have_one_shape),
		FY_TEST(limits_have_their_own_statuses),
		FY_TEST(bytes_after_the_head_are_left),
		FY_TEST(empty_lines_before_are_bounded),
		FY_TEST(what_cannot_become_a_head_is_refused_at_once),
		FY_TEST(arriving_byte_by_byte_changes_nothing),
	};
	return RUN_TESTS(tests);
}
