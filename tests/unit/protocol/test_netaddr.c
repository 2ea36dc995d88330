/* Addresses, networks, and the client behind proxies. */
#include "support.h"

#include "foyer/require.h"
#include "protocol/netaddr.h"

static struct fy_addr addr(const char *text)
{
	struct fy_addr a;
	assert_int_equal(fy_addr_parse(fy_str(text), &a), 0);
	return a;
}

static void addresses_have_one_text(void **state)
{
	(void)state;
	static const char *const texts[][2] = { { "192.0.2.1", "192.0.2.1" },
						{ "2001:DB8::0:1", "2001:db8::1" },
						{ "::1", "::1" },
						{ "::ffff:192.0.2.1", "192.0.2.1" },
						{ "255.255.255.255", "255.255.255.255" } };
	char out_text[FY_ADDR_TEXT_MAX];
	for (size_t i = 0; i < FY_COUNT(texts); i++) {
		struct fy_addr a = addr(texts[i][0]);
		assert_text(fy_slice(out_text, fy_addr_text(&a, out_text)), texts[i][1]);
	}
	static const char *const bad[] = { "",
					   "1.2.3",
					   "1.2.3.4.5",
					   "256.1.1.1",
					   "01.2.3.4",
					   "1.2.3.4 ",
					   "::g",
					   "[::1]",
					   "fe80::1%eth0",
					   "1:2",
					   "localhost",
					   "1.2.3.4:80",
					   "0x7f.1",
					   "1234:1234:1234:1234:1234:1234:1234:1234:1234" };
	struct fy_addr a;
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_addr_parse(fy_str(bad[i]), &a), FY_ERR_INVALID);
	struct fy_addr zero = { { 0 } };
	assert_text(fy_slice(out_text, fy_addr_text(&zero, out_text)), "-");
	struct fy_addr v4 = addr("192.0.2.129"), v6 = addr("2001:db8:1:2::3"), cut = addr("192.0.2.0"),
		       cut6 = addr("2001:db8:1::");
	assert_true(fy_addr_is_v4(&v4) && !fy_addr_is_v4(&v6));
	v4 = fy_addr_truncate(v4);
	v6 = fy_addr_truncate(v6);
	assert_true(fy_addr_eq(&v4, &cut) && fy_addr_eq(&v6, &cut6));
}

static void networks_match(void **state)
{
	(void)state;
	static const struct {
		const char *cidr, *addr;
		bool match;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "1.2.3.4", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1", "::1", true },
		{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		struct fy_cidr cidr;
		struct fy_addr a = addr(cases[i].addr);
		assert_int_equal(fy_cidr_parse(fy_str(cases[i].cidr), &cidr), 0);
		if (fy_cidr_match(&cidr, &a) != cases[i].match)
			fail_msg("%s %s", cases[i].cidr, cases[i].addr);
	}
	static const char *const bad[] = {
		"10.0.0.1/8", "10.0.0.0/33", "::/129",      "10.0.0.0/",    "10.0.0.0/x",
		"/8",         "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "2001:db8::1/32"
	};
	struct fy_cidr cidr;
	for (size_t i = 0; i < FY_COUNT(bad); i++)
		assert_int_equal(fy_cidr_parse(fy_str(bad[i]), &cidr), FY_ERR_INVALID);
	struct fy_cidr *list;
	struct fy_slice wrong;
	size_t count;
	assert_int_equal(fy_cidr_list_parse(&arena, FY_LIT(" 10.0.0.0/8,::1\n 192.0.2.1 "), &list, &count, NULL), 0);
	assert_int_equal(count, 3);
	struct fy_addr one = addr("::1"), two = addr("::2");
	assert_true(fy_cidr_list_match(list, count, &one) && !fy_cidr_list_match(list, count, &two));
	assert_int_equal(fy_cidr_list_parse(&arena, FY_LIT("10.0.0.0/8, nonsense, x"), &list, &count, &wrong),
			 FY_ERR_INVALID);
	assert_text(wrong, "nonsense");
}

static const struct fy_http_limits limits = FY_HTTP_LIMITS_DEFAULT;

static struct fy_client client_by(const char *peer, bool trusted_peer, const char *fields,
				  enum fy_forwarded_field field)
{
	static struct fy_http_head head;
	struct fy_http_fault fault;
	struct fy_cidr *list;
	size_t count;
	struct fy_addr p = addr(peer);
	struct fy_slice raw = fy_fmt(&arena, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	assert_int_equal(fy_http_head_parse(raw, &limits, &head, &fault), 0);
	assert_int_equal(fy_cidr_list_parse(&arena, FY_LIT("10.0.0.0/8 2001:db8:ffff::/48"), &list, &count, NULL), 0);
	return fy_client_of(&head, &p, trusted_peer, false, list, count, field);
}

/* As a proxy that writes the field that comes first. */
static struct fy_client client(const char *peer, bool trusted_peer, const char *fields)
{
	return client_by(peer, trusted_peer, fields,
			 strncmp(fields, "Forwarded", 9) == 0 ? FY_FORWARDED : FY_X_FORWARDED);
}

static void the_field_that_the_proxy_does_not_write_is_not_read(void **state)
{
	(void)state;
	static const char fields[] = "Forwarded: for=127.0.0.1;proto=https\r\nX-Forwarded-For: 203.0.113.9\r\n";
	struct fy_addr outside = addr("203.0.113.9"), inside = addr("127.0.0.1"), proxy = addr("10.0.0.1");
	struct fy_client c = client_by("10.0.0.1", false, fields, FY_X_FORWARDED);
	assert_true(fy_addr_eq(&c.addr, &outside) && !c.https);
	c = client_by("10.0.0.1", false, fields, FY_FORWARDED);
	assert_true(fy_addr_eq(&c.addr, &inside) && c.https);
	c = client_by("10.0.0.1", false, "Forwarded: for=127.0.0.1\r\n", FY_X_FORWARDED);
	assert_true(fy_addr_eq(&c.addr, &proxy) && !c.forwarded);
}

static void only_trusted_proxies_are_believed(void **state)
{
	(void)state;
	static const struct {
		const char *peer, *fields, *client;
		bool https;
	} cases[] = {
		{ "203.0.113.9", "", "203.0.113.9", false },
		{ "203.0.113.9", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n", "203.0.113.9", false },
		{ "203.0.113.9", "Forwarded: for=1.1.1.1;proto=https\r\n", "203.0.113.9", false },
		{ "10.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n", "203.0.113.9", true },
		{ "10.0.0.1", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2\r\n", "203.0.113.9", false },
		{ "10.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9", false },
		{ "10.0.0.1", "X-Forwarded-For: 203.0.113.9, unknown\r\n", "10.0.0.1", false },
		{ "10.0.0.1", "X-Forwarded-For: 203.0.113.9:4711\r\n", "203.0.113.9", false },
		{ "10.0.0.1", "X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7", false },
		{ "10.0.0.1", "X-Forwarded-For: [2001:db8::7]:80\r\n", "2001:db8::7", false },
		{ "10.0.0.1", "X-Forwarded-For: 10.0.0.2, 10.0.0.3\r\n", "10.0.0.2", false },
		{ "10.0.0.1", "X-Forwarded-For:\r\n", "10.0.0.1", false },
		{ "10.0.0.1", "Forwarded: for=203.0.113.9;proto=https;by=10.0.0.1\r\n", "203.0.113.9", true },
		{ "10.0.0.1", "Forwarded: For=\"[2001:db8::7]:80\"; Proto=\"https\"\r\n", "2001:db8::7", true },
		{ "10.0.0.1", "Forwarded: for=6.6.6.6;proto=https, for=203.0.113.9;proto=http\r\n", "203.0.113.9",
		  false },
		{ "10.0.0.1", "Forwarded: for=203.0.113.9;proto=https, for=10.0.0.2;proto=http\r\n", "203.0.113.9",
		  true },
		{ "10.0.0.1", "Forwarded: for=_hidden;proto=https\r\n", "10.0.0.1", true },
		{ "10.0.0.1", "Forwarded: for=203.0.113.9\r\nX-Forwarded-For: 6.6.6.6\r\n", "203.0.113.9", false },
		{ "10.0.0.1", "Forwarded: for=\"1.1.1.1, for=203.0.113.9\r\n", "10.0.0.1", false },
		{ "2001:db8:ffff::1", "X-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9", false },
	};
	for (size_t i = 0; i < FY_COUNT(cases); i++) {
		char text[FY_ADDR_TEXT_MAX];
		struct fy_client c = client(cases[i].peer, false, cases[i].fields);
		fy_addr_text(&c.addr, text);
		if (strcmp(text, cases[i].client) || c.https != cases[i].https)
			fail_msg("%s %s: %s %d", cases[i].peer, cases[i].fields, text, c.https);
	}
	struct fy_client c = client("203.0.113.9", true, "X-Forwarded-For: 198.51.100.4\r\n");
	struct fy_addr should = addr("198.51.100.4");
	assert_true(fy_addr_eq(&c.addr, &should) && c.forwarded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FY_TEST(addresses_have_one_text),
		FY_TEST(networks_match),
		FY_TEST(only_trusted_proxies_are_believed),
		FY_TEST(the_field_that_the_proxy_does_not_write_is_not_read),
	};
	return RUN_TESTS(tests);
}
