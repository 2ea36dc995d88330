/* See receipt.h. What is hashed are the lines from the first to `previous`, each with one newline. */
#include "storage/receipt.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "foyer/buf.h"
#include "foyer/require.h"

#define TITLE "foyer erasure receipt 1"
#define TEXT_MAX 4096

static const char *const names[] = { "site", "serial", "reference", "ground", "asked", "erased", "previous" };

static const char *const grounds[] = {
	[FY_ERASURE_ASKED] = "request of the person (GDPR Article 17)",
	[FY_ERASURE_INACTIVE] = "two years of inactivity (GDPR Article 5(1)(e))",
	[FY_ERASURE_BY_SOURCE] = "withdrawn by whoever provided the data (GDPR Article 5(1)(e))",
	[FY_ERASURE_UNINFORMED] = "person not informed within a month (GDPR Article 14(3)(a))",
};

static void put_hex(struct fy_buf *out, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * FY_SIGNATURE_BYTES + 1];
	FY_REQUIRE(len <= FY_SIGNATURE_BYTES);
	sodium_bin2hex(hex, sizeof hex, bytes, len);
	fy_buf_fmt(out, "%s: %s\n", name, hex);
}

static void put_time(struct fy_buf *out, const char *name, fy_time t)
{
	time_t seconds = (time_t)fy_unix(t);
	struct tm tm;
	char text[32];
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	fy_buf_fmt(out, "%s: %s\n", name, text);
}

struct fy_slice fy_receipt_write(struct fy_arena *arena, const struct fy_keys *keys, const struct fy_receipt *r,
				 uint8_t ret_hash[FY_HASH_BYTES])
{
	uint8_t signature[FY_SIGNATURE_BYTES], key[FY_SIGN_PUBLIC_BYTES];
	struct fy_buf out;
	fy_buf_init(&out, arena, TEXT_MAX);
	fy_buf_fmt(&out, TITLE "\nsite: " FY_FMT "\nserial: %llu\n", FY_ARG(fy_trim(r->site)),
		   (unsigned long long)r->serial);
	put_hex(&out, "reference", r->reference, sizeof r->reference);
	fy_buf_fmt(&out, "ground: %s\n", grounds[r->ground]);
	put_time(&out, "asked", r->asked_at);
	put_time(&out, "erased", r->erased_at);
	put_hex(&out, "previous", r->previous, sizeof r->previous);
	crypto_generichash(ret_hash, FY_HASH_BYTES, (const uint8_t *)fy_buf_slice(&out).ptr, out.len, NULL, 0);
	fy_keys_sign(keys, fy_slice(ret_hash, FY_HASH_BYTES), signature);
	fy_keys_sign_public(keys, key);
	put_hex(&out, "hash", ret_hash, FY_HASH_BYTES);
	put_hex(&out, "key", key, sizeof key);
	put_hex(&out, "signature", signature, sizeof signature);
	return fy_buf_slice(&out);
}

static struct fy_slice next_line(struct fy_slice *text)
{
	struct fy_slice line = fy_cut(text, '\n');
	while (line.len && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' '))
		line.len--;
	return fy_trim(line);
}

static bool read_hex(struct fy_slice line, const char *name, uint8_t *ret_bytes, size_t len)
{
	size_t name_len = strlen(name), got;
	if (!fy_starts(line, fy_str(name)) || line.len != name_len + 2 + 2 * len ||
	    memcmp(line.ptr + name_len, ": ", 2) != 0)
		return false;
	return sodium_hex2bin(ret_bytes, len, line.ptr + name_len + 2, 2 * len, NULL, &got, NULL) == 0 && got == len;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As mails carry it (RFC 2045, 6.7): "=" at a line's end joins lines, and "=C3" is a byte. */
static struct fy_slice unquote(struct fy_arena *arena, struct fy_slice text)
{
	char *out = fy_alloc(arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		struct fy_slice rest = fy_from(text, i);
		if (fy_starts(rest, FY_LIT("=\r\n")))
			i += 2;
		else if (fy_starts(rest, FY_LIT("=\n")))
			i++;
		else if (rest.len > 2 && rest.ptr[0] == '=' && digit(rest.ptr[1]) >= 0 && digit(rest.ptr[2]) >= 0) {
			out[len++] = (char)(digit(rest.ptr[1]) << 4 | digit(rest.ptr[2]));
			i += 2;
		} else
			out[len++] = rest.ptr[0];
	}
	return fy_slice(out, len);
}

static enum fy_receipt_verdict verify(struct fy_arena *arena, struct fy_slice text,
				      const uint8_t key[FY_SIGN_PUBLIC_BYTES])
{
	uint8_t claimed[FY_HASH_BYTES], hash[FY_HASH_BYTES], signature[FY_SIGNATURE_BYTES],
		signer[FY_SIGN_PUBLIC_BYTES];
	struct fy_slice line = FY_NONE;
	struct fy_buf hashed;
	while (text.ptr && !fy_eq(line, FY_LIT(TITLE)))
		line = next_line(&text);
	if (!fy_eq(line, FY_LIT(TITLE)))
		return FY_RECEIPT_NOT_ONE;
	fy_buf_init(&hashed, arena, TEXT_MAX);
	fy_buf_fmt(&hashed, TITLE "\n");
	for (size_t i = 0; i < FY_COUNT(names); i++) {
		line = next_line(&text);
		if (!fy_starts(line, fy_str(names[i])) || hashed.failed)
			return FY_RECEIPT_NOT_ONE;
		fy_buf_fmt(&hashed, FY_FMT "\n", FY_ARG(line));
	}
	if (!read_hex(next_line(&text), "hash", claimed, sizeof claimed) ||
	    !read_hex(next_line(&text), "key", signer, sizeof signer) ||
	    !read_hex(next_line(&text), "signature", signature, sizeof signature))
		return FY_RECEIPT_NOT_ONE;
	crypto_generichash(hash, sizeof hash, (const uint8_t *)fy_buf_slice(&hashed).ptr, hashed.len, NULL, 0);
	if (sodium_memcmp(hash, claimed, sizeof hash) != 0)
		return FY_RECEIPT_CHANGED;
	if (sodium_memcmp(signer, key, sizeof signer) != 0)
		return FY_RECEIPT_OTHER_KEY;
	return crypto_sign_verify_detached(signature, hash, sizeof hash, key) == 0 ? FY_RECEIPT_GOOD
										   : FY_RECEIPT_FORGED;
}

enum fy_receipt_verdict fy_receipt_verify(struct fy_arena *arena, struct fy_slice text,
					  const uint8_t key[FY_SIGN_PUBLIC_BYTES])
{
	enum fy_receipt_verdict verdict = verify(arena, text, key);
	if (verdict == FY_RECEIPT_GOOD)
		return verdict;
	enum fy_receipt_verdict mailed = verify(arena, unquote(arena, text), key);
	return mailed == FY_RECEIPT_GOOD || verdict == FY_RECEIPT_NOT_ONE ? mailed : verdict;
}
