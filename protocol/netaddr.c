/* IP addresses and networks: text to 16 bytes and back, and matching.
 * Leaves who the client behind proxies is to client_addr.c. Called for each connection. */
#include "protocol/netaddr.h"

#include <arpa/inet.h>

#include "foyer/err.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool fy_addr_is_v4(const struct fy_addr *addr)
{
	return memcmp(addr->b, mapped, sizeof(mapped)) == 0;
}

bool fy_addr_is_unknown(const struct fy_addr *addr)
{
	static const uint8_t zero[16];
	return memcmp(addr->b, zero, sizeof(zero)) == 0;
}

bool fy_addr_eq(const struct fy_addr *a, const struct fy_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

void fy_addr_from_v4(const uint8_t v4[4], struct fy_addr *ret_addr)
{
	memcpy(ret_addr->b, mapped, sizeof(mapped));
	memcpy(ret_addr->b + 12, v4, 4);
}

int fy_addr_parse(struct fy_slice text, struct fy_addr *ret_addr)
{
	char copy[FY_ADDR_TEXT_MAX];
	uint8_t v4[4];
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len))
		return FY_ERR_INVALID;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = 0;
	if (memchr(text.ptr, ':', text.len))
		return inet_pton(AF_INET6, copy, ret_addr->b) == 1 ? 0 : FY_ERR_INVALID;
	if (inet_pton(AF_INET, copy, v4) != 1)
		return FY_ERR_INVALID;
	fy_addr_from_v4(v4, ret_addr);
	return 0;
}

size_t fy_addr_text(const struct fy_addr *addr, char out[FY_ADDR_TEXT_MAX])
{
	if (fy_addr_is_unknown(addr)) {
		memcpy(out, "-", 2);
		return 1;
	}
	if (!fy_addr_is_v4(addr)) {
		inet_ntop(AF_INET6, addr->b, out, FY_ADDR_TEXT_MAX);
		return strlen(out);
	}
	char *at = out; /* by hand: inet_ntop prints through snprintf, and this runs for each request */
	for (int i = 12; i < 16; i++) {
		unsigned n = addr->b[i];
		if (n > 99)
			*at++ = (char)('0' + n / 100);
		if (n > 9)
			*at++ = (char)('0' + n / 10 % 10);
		*at++ = (char)('0' + n % 10);
		*at++ = i < 15 ? '.' : '\0';
	}
	return (size_t)(at - out - 1);
}

/* Clears what stands after the first `bits` bits; tells whether anything did. */
static bool clear_after(struct fy_addr *addr, unsigned bits)
{
	bool any = false;
	for (unsigned i = bits / 8; i < 16; i++) {
		uint8_t keep = i == bits / 8 ? (uint8_t)(0xff00u >> bits % 8) : 0;
		any |= (addr->b[i] & ~keep) != 0;
		addr->b[i] &= keep;
	}
	return any;
}

struct fy_addr fy_addr_truncate(struct fy_addr addr)
{
	clear_after(&addr, fy_addr_is_v4(&addr) ? 96 + 24 : 48);
	return addr;
}

int fy_cidr_parse(struct fy_slice text, struct fy_cidr *ret_cidr)
{
	struct fy_cidr cidr;
	struct fy_slice bits = text;
	struct fy_slice addr = fy_cut(&bits, '/');
	if (fy_addr_parse(addr, &cidr.addr))
		return FY_ERR_INVALID;
	unsigned base = fy_addr_is_v4(&cidr.addr) && memchr(addr.ptr, ':', addr.len) == NULL ? 96 : 0, number = 0;
	if (bits.ptr) {
		if (bits.len == 0 || bits.len > 3 || (bits.len > 1 && bits.ptr[0] == '0'))
			return FY_ERR_INVALID;
		for (size_t i = 0; i < bits.len; i++) {
			if ((unsigned)(bits.ptr[i] - '0') > 9)
				return FY_ERR_INVALID;
			number = number * 10 + (unsigned)(bits.ptr[i] - '0');
		}
		if (base + number > 128)
			return FY_ERR_INVALID;
	} else {
		number = 128 - base;
	}
	cidr.bits = (uint8_t)(base + number);
	if (clear_after(&cidr.addr, cidr.bits))
		return FY_ERR_INVALID;
	*ret_cidr = cidr;
	return 0;
}

bool fy_cidr_match(const struct fy_cidr *cidr, const struct fy_addr *addr)
{
	unsigned whole = cidr->bits / 8, rest = cidr->bits % 8;
	/* ::/0 means IPv6: an IPv4 client is let in by an IPv4 network only. */
	if (cidr->bits < 96 && fy_addr_is_v4(addr))
		return false;
	if (memcmp(cidr->addr.b, addr->b, whole))
		return false;
	return rest == 0 || ((cidr->addr.b[whole] ^ addr->b[whole]) & (uint8_t)(0xff00u >> rest)) == 0;
}

bool fy_cidr_list_match(const struct fy_cidr *list, size_t count, const struct fy_addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (fy_cidr_match(&list[i], addr))
			return true;
	return false;
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct fy_slice next_piece(struct fy_slice *text)
{
	size_t n = 0;
	while (text->len && is_separator(text->ptr[0]))
		*text = fy_from(*text, 1);
	while (n < text->len && !is_separator(text->ptr[n]))
		n++;
	struct fy_slice piece = fy_upto(*text, n);
	*text = fy_from(*text, n);
	return piece;
}

int fy_cidr_list_parse(struct fy_arena *arena, struct fy_slice text, struct fy_cidr **ret_list, size_t *ret_count,
		       struct fy_slice *ret_bad)
{
	size_t count = 0;
	for (struct fy_slice rest = text, piece; (piece = next_piece(&rest)).len;)
		count++;
	struct fy_cidr *list = fy_new_array(arena, struct fy_cidr, count ? count : 1);
	for (size_t i = 0; i < count; i++) {
		struct fy_slice piece = next_piece(&text);
		if (fy_cidr_parse(piece, &list[i]) == 0)
			continue;
		if (ret_bad)
			*ret_bad = piece;
		return FY_ERR_INVALID;
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}
