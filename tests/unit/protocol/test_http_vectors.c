/* The request cases of llhttp's own test suite (tests/vectors), played as a connection would: heads and bodies
 * one after the other until a fault, a close, or the end of the bytes. */
#include "support.h"

#include <jansson.h>

#include "foyer/require.h"
#include "protocol/basexx.h"
#include "protocol/http_body.h"

static const struct fy_http_limits limits = FY_HTTP_LIMITS_DEFAULT;

struct outcome {
	int served;  /* complete requests */
	int status;  /* of the refusal; 0: none */
	bool unread; /* bytes came after a request that closes the connection */
};

static struct outcome play(struct fy_slice raw)
{
	struct outcome o = { 0 };
	struct fy_http_fault fault;
	struct fy_http_head head;
	while (raw.len) {
		struct fy_http_body body;
		size_t from = 0, used;
		ssize_t n = fy_http_head_find(raw, &limits, &from, &fault);
		if (n == 0)
			return o;
		if (n < 0 || fy_http_head_parse(fy_upto(raw, (size_t)n), &limits, &head, &fault)) {
			o.status = fault.status;
			return o;
		}
		raw = fy_from(raw, (size_t)n);
		out.len = 0;
		if (fy_http_body_init(&body, &head, 1 << 16, &fault) ||
		    fy_http_body_feed(&body, raw, &out, &used, &fault)) {
			o.status = fault.status;
			return o;
		}
		if (!body.done)
			return o;
		raw = fy_from(raw, used);
		o.served++;
		if (!head.keep_alive) {
			o.unread = raw.len > 0;
			return o;
		}
	}
	return o;
}

static json_t *cases;

static int load(void **state)
{
	json_error_t error;
	(void)state;
	json_t *root = json_load_file(VECTORS "/llhttp-request-cases.json", 0, &error);
	cases = root ? json_incref(json_object_get(root, "cases")) : NULL;
	json_decref(root);
	return cases ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	json_decref(cases);
	return 0;
}

static struct fy_slice bytes_of(const json_t *one)
{
	const char *text = json_string_value(json_object_get(one, "b64"));
	size_t len, max = strlen(text);
	char *raw = fy_alloc(&arena, max + 1);
	assert_int_equal(fy_base64_decode(fy_str(text), raw, max, &len), 0);
	return fy_slice(raw, len);
}

static const char *type_of(const json_t *one)
{
	return json_string_value(json_object_get(json_object_get(one, "meta"), "type"));
}

static const char *name_of(const json_t *one)
{
	return json_string_value(json_object_get(one, "name"));
}

static bool listed(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

/* Puts "Host: a" after the request line of what has none, so that its absence cannot be what gets it refused. */
static struct fy_slice with_host(struct fy_slice raw)
{
	size_t skip = fy_starts(raw, FY_LIT("\r\n")) ? 2 : 0;
	const char *crlf = memmem(raw.ptr + skip, raw.len - skip, "\r\n", 2);
	if (crlf == NULL || memmem(raw.ptr, raw.len, "Host:", 5) || memmem(raw.ptr, raw.len, "HOST:", 5))
		return raw;
	size_t line = (size_t)(crlf - raw.ptr) + 2;
	struct fy_buf b;
	fy_buf_init(&b, &arena, raw.len + 16);
	fy_buf_put(&b, fy_upto(raw, line));
	fy_buf_put(&b, FY_LIT("Host: a\r\n"));
	fy_buf_put(&b, fy_from(raw, line));
	return fy_buf_slice(&b);
}

/* An Upgrade may be ignored (RFC 9110 7.8), so these two, which llhttp pauses at, are plain good requests here. */
static const char *const good_upgrades[] = { "Upgrade GET request", "Upgrade POST request", NULL };

/* llhttp reports bytes after a request that closes; a server answers that one and reads no further. */
static const char after_close[] = "No restart when keep-alive is off (1.0)";

/* Every case without leniency that llhttp ends with an error or a pause: 61, none of which may be served. */
static void what_llhttp_refuses_is_not_served(void **state)
{
	(void)state;
	size_t i;
	json_t *one;
	int count = 0;
	json_array_foreach(cases, i, one)
	{
		if (strcmp(type_of(one), "request") || json_is_null(json_object_get(one, "llhttp_error")) ||
		    listed(name_of(one), good_upgrades))
			continue;
		count++;
		struct outcome o = play(bytes_of(one));
		if (strcmp(name_of(one), after_close) == 0)
			assert_true(o.served == 1 && o.unread);
		else if (o.status == 0)
			fail_msg("%s: was not refused", name_of(one));
	}
	assert_int_equal(count, 61);
}

/* The same without the help of a missing Host field: only what llhttp takes for wrong. */
static void a_host_field_saves_none_of_them(void **state)
{
	(void)state;
	size_t i;
	json_t *one;
	int count = 0;
	json_array_foreach(cases, i, one)
	{
		const char *error = json_string_value(json_object_get(one, "llhttp_error"));
		if (strcmp(type_of(one), "request") || error == NULL || strncmp(error, "Pause", 5) == 0 ||
		    strcmp(name_of(one), after_close) == 0)
			continue;
		count++;
		struct outcome o = play(with_host(bytes_of(one)));
		if (o.status == 0)
			fail_msg("%s: was not refused", name_of(one));
	}
	assert_int_equal(count, 52);
}

/* What llhttp lets through only when told to be lenient. */
static void nothing_is_lenient(void **state)
{
	(void)state;
	/* In these the bytes themselves are right, or stop before they are wrong. */
	static const char *const right[] = { "Resetting flags when keep-alive is off (1.0, lenient)", NULL };
	size_t i;
	json_t *one;
	int count = 0;
	json_array_foreach(cases, i, one)
	{
		if (strncmp(type_of(one), "request-lenient", 15) || listed(name_of(one), right))
			continue;
		count++;
		struct outcome o = play(with_host(bytes_of(one)));
		if (o.status == 0)
			fail_msg("%s: was not refused", name_of(one));
	}
	assert_int_equal(count, 27);
}

/* What llhttp accepts and RFC 9112 allows is accepted; the exceptions say which rule refuses them. */
static void what_llhttp_accepts_is_served(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int status;
		const char *rule;
	} exceptions[] = {
		{ "REPORT request", 501, "a method that is not implemented, RFC 9110 9.1" },
		{ "M-SEARCH request", 501, "RFC 9110 9.1" },
		{ "PURGE request", 501, "RFC 9110 9.1" },
		{ "SEARCH request", 501, "RFC 9110 9.1" },
		{ "LINK request", 501, "RFC 9110 9.1" },
		{ "SOURCE request", 501, "RFC 9110 9.1" },
		{ "QUERY request", 501, "RFC 9110 9.1" },
		{ "SOURCE request with ICE", 400, "not HTTP, RFC 9112 2.3" },
		{ "OPTIONS request with RTSP", 400, "not HTTP, RFC 9112 2.3" },
		{ "ANNOUNCE request with RTSP", 400, "not HTTP, RFC 9112 2.3" },
		{ "No HTTP version", 400, "HTTP/0.9 is no longer HTTP/1.x, RFC 9112 3" },
		{ "POST with `chunked` as last transfer-encoding", 400, "fragment in the target, RFC 9112 3.2" },
		{ "POST with `chunked` as last transfer-encoding (multiple headers)", 400, "fragment, RFC 9112 3.2" },
		{ "Fragment in URI", 400, "RFC 9112 3.2" },
		{ "Quotes in URI", 400, "a quote is no URI character, RFC 3986 2" },
		{ "`host:port` and basic auth", 400, "userinfo, RFC 9110 4.2.4" },
	};
	size_t i, k;
	json_t *one;
	int count = 0;
	json_array_foreach(cases, i, one)
	{
		if (strcmp(type_of(one), "request") || !json_is_null(json_object_get(one, "llhttp_error")))
			continue;
		count++;
		struct outcome o = play(with_host(bytes_of(one)));
		for (k = 0; k < FY_COUNT(exceptions); k++)
			if (strcmp(exceptions[k].name, name_of(one)) == 0)
				break;
		int should = k < FY_COUNT(exceptions) ? exceptions[k].status : 0;
		/* Two requests in one case: only the first got a Host, so the second is refused after the first was
		 * served. */
		if (o.status != should && !(should == 0 && o.status == 400 && o.served >= 1))
			fail_msg("%s: %d, not %d (%d served)", name_of(one), o.status, should, o.served);
		if (should == 0 && json_is_true(json_object_get(one, "complete")) &&
		    json_is_null(json_object_get(json_object_get(one, "meta"), "skipBody")))
			assert_true(o.served >= 1);
	}
	assert_int_equal(count, 68);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(what_llhttp_refuses_is_not_served),
		FY_TEST(a_host_field_saves_none_of_them),
		FY_TEST(nothing_is_lenient),
		FY_TEST(what_llhttp_accepts_is_served),
	};
	return finish_tests(cmocka_run_group_tests(tests, load, unload));
}
