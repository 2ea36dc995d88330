/* The frame around sealed values; see seal.h. */
#include "storage/seal.h"

#include <sodium.h>

#include "foyer/log.h"
#include "foyer/require.h"
#include "storage/keys.h"
#include "storage/policy.h"

#define VERSION 0xF9 /* no UTF-8 text begins with it: what was never sealed is told apart */
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_BYTES (1 + 4 + NONCE_BYTES)
#define COLUMN_NAME_MAX 80

_Static_assert(FY_SEAL_BYTES == HEAD_BYTES + TAG_BYTES, "the frame");
_Static_assert(FY_PERSON_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the key");
_Static_assert((int)FY_COLUMN_COUNT < UINT16_MAX, "columns");

static void put_u32(uint8_t *to, uint32_t n)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* "table.column", the row, the purposes. The name ends itself: no name is the beginning of another one with its 0. */
static size_t associated(enum fy_register_column column, uint64_t row, uint32_t purposes,
			 uint8_t out[COLUMN_NAME_MAX + 16])
{
	const struct fy_register_field *field = &fy_register_fields[column];
	const char *parts[] = { fy_register_tables[field->table].name, ".", field->column };
	size_t len = 0;
	for (unsigned i = 0; i < FY_COUNT(parts); i++) {
		size_t n = strlen(parts[i]);
		FY_REQUIRE(len + n < COLUMN_NAME_MAX);
		memcpy(out + len, parts[i], n);
		len += n;
	}
	out[len++] = 0;
	put_u32(out + len, (uint32_t)(row >> 32));
	put_u32(out + len + 4, (uint32_t)row);
	put_u32(out + len + 8, purposes);
	return len + 12;
}

struct fy_sealed fy_seal(struct fy_ctx *ctx, const struct fy_person *person, enum fy_register_column column,
			 uint64_t row, struct fy_slice text)
{
	uint8_t about[COLUMN_NAME_MAX + 16];
	FY_REQUIRE(fy_register_fields[column].sealed);
	if (text.len == 0)
		return (struct fy_sealed){ text };
	uint32_t purposes = fy_register_fields[column].purposes;
	purposes &= ~fy_policy_shut(ctx, column, purposes, true);
	purposes |= 1u << FY_PURPOSE_RIGHTS;
	size_t about_len = associated(column, row, purposes, about);
	uint8_t *frame = fy_alloc(ctx->arena, text.len + FY_SEAL_BYTES);
	frame[0] = VERSION;
	put_u32(frame + 1, purposes);
	randombytes_buf(frame + 5, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(frame + HEAD_BYTES, NULL, (const uint8_t *)text.ptr, text.len, about,
						   about_len, NULL, frame + 5, person->key);
	return (struct fy_sealed){ fy_slice(frame, text.len + FY_SEAL_BYTES) };
}

uint32_t fy_sealed_purposes(struct fy_sealed sealed)
{
	const uint8_t *frame = (const uint8_t *)sealed.bytes.ptr;
	return sealed.bytes.len >= FY_SEAL_BYTES && frame[0] == VERSION ? get_u32(frame + 1) : 0;
}

static int unreadable(struct fy_ctx *ctx, enum fy_register_column column, uint64_t row, const char *what)
{
	const struct fy_register_field *field = &fy_register_fields[column];
	return fy_fail(ctx, FY_ERR_UNREADABLE, "%s.%s of row %llu %s", fy_register_tables[field->table].name,
		       field->column, (unsigned long long)row, what);
}

static int refused(struct fy_ctx *ctx, const struct fy_person *person, const struct fy_register_field *field,
		   enum fy_register_purpose purpose, bool withheld, bool shut)
{
	const char *table = fy_register_tables[field->table].name, *word = fy_register_purposes[purpose].key;
	fy_log(ctx, FY_LOG_WARN, "purpose.refused", FY_KV("person", person->id), FY_KV("table", table),
	       FY_KV("column", field->column), FY_KV("purpose", word), FY_KV("withheld", withheld),
	       FY_KV("shut", shut));
	return fy_fail(ctx, FY_ERR_DENIED, "%s.%s %s for %s", table, field->column,
		       shut       ? "is not open yet"
		       : withheld ? "is withheld by its person"
				  : "was not collected",
		       word);
}

int fy_unseal(struct fy_ctx *ctx, const struct fy_person *person, enum fy_register_column column, uint64_t row,
	      enum fy_register_purpose purpose, struct fy_sealed sealed, struct fy_slice *ret_text)
{
	const struct fy_register_field *field = &fy_register_fields[column];
	const uint8_t *frame = (const uint8_t *)sealed.bytes.ptr;
	uint8_t about[COLUMN_NAME_MAX + 16];
	if (sealed.bytes.len == 0) {
		*ret_text = sealed.bytes;
		return 0;
	}
	uint32_t purposes = fy_sealed_purposes(sealed);
	if (purposes == 0)
		return unreadable(ctx, column, row, "is not sealed");
	size_t len = sealed.bytes.len - FY_SEAL_BYTES, about_len = associated(column, row, purposes, about);
	uint8_t *text = fy_alloc(ctx->arena, len + 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(text, NULL, NULL, frame + HEAD_BYTES,
						       sealed.bytes.len - HEAD_BYTES, about, about_len, frame + 5,
						       person->key) != 0)
		return unreadable(ctx, column, row, "was changed or moved after it was sealed");
	bool collected = purposes >> purpose & 1, withheld = person->withheld >> purpose & 1;
	bool shut = fy_policy_shut(ctx, column, 1u << purpose, false);
	if (!collected || withheld || shut) {
		sodium_memzero(text, len);
		return refused(ctx, person, field, purpose, collected && withheld, shut);
	}
	text[len] = 0;
	*ret_text = fy_slice(text, len);
	return 0;
}
