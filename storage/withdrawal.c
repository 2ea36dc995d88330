/* See withdrawal.h. */
#include "storage/withdrawal.h"

#include <sodium.h>

#include "foyer/require.h"
#include "storage/keys.h"
#include "storage/persons.h"

#define ABOUT_BYTES 9
#define MAC_BYTES 32
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(FY_PERSON_KEY_BYTES == crypto_kdf_KEYBYTES, "the key");
_Static_assert(sodium_base64_ENCODED_LEN(ABOUT_BYTES + MAC_BYTES, VARIANT) == FY_WITHDRAWAL_CHARS + 1, "the token");
_Static_assert(FY_CONSENT_PURPOSES <= UINT8_MAX, "the purpose");

/* Both are what older mails were made with: never change them. */
#define KDF_CONTEXT "withdraw"
#define KDF_NUMBER 1

static void sign(const struct fy_person *person, const uint8_t about[ABOUT_BYTES], uint8_t ret_mac[MAC_BYTES])
{
	uint8_t key[crypto_generichash_KEYBYTES];
	crypto_kdf_derive_from_key(key, sizeof key, KDF_NUMBER, KDF_CONTEXT, person->key);
	crypto_generichash(ret_mac, MAC_BYTES, about, ABOUT_BYTES, key, sizeof key);
	sodium_memzero(key, sizeof key);
}

struct fy_secret fy_withdrawal_token(struct fy_ctx *ctx, const struct fy_person *person,
				     enum fy_consent_purpose purpose)
{
	uint8_t bytes[ABOUT_BYTES + MAC_BYTES];
	char *text = fy_alloc_secret(ctx->arena, FY_WITHDRAWAL_CHARS + 1);
	FY_REQUIRE(purpose > 0 && purpose < FY_CONSENT_PURPOSES);
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(person->id >> (56 - 8 * i));
	bytes[8] = (uint8_t)purpose;
	sign(person, bytes, bytes + ABOUT_BYTES);
	sodium_bin2base64(text, FY_WITHDRAWAL_CHARS + 1, bytes, sizeof bytes, VARIANT);
	return (struct fy_secret){ fy_slice(text, FY_WITHDRAWAL_CHARS) };
}

fy_async int fy_withdrawal_find(struct fy_ctx *ctx, struct fy_slice token, uint64_t *ret_account,
				enum fy_consent_purpose *ret_purpose)
{
	uint8_t bytes[ABOUT_BYTES + MAC_BYTES], mac[MAC_BYTES];
	struct fy_person person;
	uint64_t account = 0;
	size_t len;
	if (token.len != FY_WITHDRAWAL_CHARS ||
	    sodium_base642bin(bytes, sizeof bytes, token.ptr, token.len, NULL, &len, NULL, VARIANT) != 0 ||
	    len != sizeof bytes)
		return FY_ERR_NOT_FOUND;
	for (unsigned i = 0; i < 8; i++)
		account = account << 8 | bytes[i];
	if (bytes[8] == 0 || bytes[8] >= FY_CONSENT_PURPOSES)
		return FY_ERR_NOT_FOUND;
	int err = fy_persons_get(ctx, account, &person);
	if (err)
		return err;
	sign(&person, bytes, mac);
	if (sodium_memcmp(mac, bytes + ABOUT_BYTES, MAC_BYTES) != 0)
		return FY_ERR_NOT_FOUND;
	*ret_account = account;
	*ret_purpose = (enum fy_consent_purpose)bytes[8];
	return 0;
}
