/* Addresses: texts round-trip, and a client address is only ever the peer's or one a trusted hop wrote. */
#include "fuzz.h"

#include "protocol/netaddr.h"

static void check_addr(struct fy_slice text)
{
	struct fy_addr addr, again;
	char out[FY_ADDR_TEXT_MAX];
	if (fy_addr_parse(text, &addr) || fy_addr_is_unknown(&addr))
		return;
	size_t n = fy_addr_text(&addr, out);
	MUST(n < sizeof(out) && fy_addr_parse(fy_slice(out, n), &again) == 0 && fy_addr_eq(&addr, &again));
}

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice list = part(arena, &input), xff = part(arena, &input), forwarded = part(arena, &input);
	struct fy_slice proto = part(arena, &input);
	struct fy_cidr *cidrs = NULL, one;
	size_t count = 0;
	struct fy_addr peer;
	struct fy_http_head *head = fy_new(arena, struct fy_http_head);
	(void)out;
	check_addr(list);
	check_addr(xff);
	if (fy_cidr_parse(list, &one) == 0 && one.bits >= 96)
		MUST(fy_cidr_match(&one, &one.addr));
	if (fy_cidr_list_parse(arena, list, &cidrs, &count, NULL))
		count = 0;
	MUST(fy_addr_parse(FY_LIT("10.0.0.1"), &peer) == 0);
	const struct fy_http_header fields[3] = { { FY_LIT("X-Forwarded-For"), xff },
						  { FY_LIT("Forwarded"), forwarded },
						  { FY_LIT("X-Forwarded-Proto"), proto } };
	static const enum fy_http_known ids[3] = { FY_H_X_FORWARDED_FOR, FY_H_FORWARDED, FY_H_X_FORWARDED_PROTO };
	for (size_t i = 0; i < 3; i++)
		if (fields[i].value.len) {
			head->headers[head->header_count++] = fields[i];
			head->known[ids[i]] = (uint8_t)head->header_count;
		}
	struct fy_client client = fy_client_of(head, &peer, false, false, cidrs, count, FY_X_FORWARDED);
	if (!fy_cidr_list_match(cidrs, count, &peer))
		MUST(fy_addr_eq(&client.addr, &peer) && !client.forwarded && !client.https);
	client = fy_client_of(head, &peer, true, true, cidrs, count, FY_FORWARDED);
	MUST(client.forwarded || fy_addr_eq(&client.addr, &peer));
}

FUZZ_TARGET(run)
