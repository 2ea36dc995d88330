/* Linear probing with backward-shift deletion; keyed by SipHash so that a botnet cannot pick addresses
 * that collide. */
#include "server/net/address_count.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "foyer/require.h"

struct fy_address_slot {
	uint8_t key[16];
	uint32_t count; /* 0: free */
};

#define FIRST_SLOTS 64

static unsigned char hash_key[crypto_shorthash_KEYBYTES];

void fy_address_count_init(struct fy_address_count *table)
{
	randombytes_buf(hash_key, sizeof hash_key);
	table->slots = calloc(FIRST_SLOTS, sizeof *table->slots);
	FY_REQUIRE(table->slots != NULL);
	table->mask = FIRST_SLOTS - 1;
	table->used = 0;
}

void fy_address_count_finish(struct fy_address_count *table)
{
	free(table->slots);
	table->slots = NULL;
}

static void make_key(const uint8_t address[16], uint8_t key[16])
{
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	memcpy(key, address, 16);
	if (memcmp(address, v4_mapped, sizeof v4_mapped) != 0)
		memset(key + 8, 0, 8);
}

static size_t home(const struct fy_address_count *table, const uint8_t key[16])
{
	uint64_t hash;
	crypto_shorthash((unsigned char *)&hash, key, 16, hash_key);
	return (size_t)hash & table->mask;
}

static struct fy_address_slot *find(struct fy_address_count *table, const uint8_t key[16])
{
	size_t at = home(table, key);
	while (table->slots[at].count && memcmp(table->slots[at].key, key, 16) != 0)
		at = (at + 1) & table->mask;
	return &table->slots[at];
}

static void grow(struct fy_address_count *table)
{
	struct fy_address_slot *old = table->slots;
	size_t old_mask = table->mask;
	table->mask = table->mask * 2 + 1;
	table->slots = calloc(table->mask + 1, sizeof *table->slots);
	FY_REQUIRE(table->slots != NULL);
	for (size_t i = 0; i <= old_mask; i++)
		if (old[i].count)
			*find(table, old[i].key) = old[i];
	free(old);
}

uint32_t fy_address_count_add(struct fy_address_count *table, const uint8_t address[16])
{
	uint8_t key[16];
	make_key(address, key);
	if (table->used * 2 > table->mask)
		grow(table);
	struct fy_address_slot *slot = find(table, key);
	if (slot->count == 0) {
		memcpy(slot->key, key, 16);
		table->used++;
	}
	return ++slot->count;
}

void fy_address_count_drop(struct fy_address_count *table, const uint8_t address[16])
{
	uint8_t key[16];
	make_key(address, key);
	struct fy_address_slot *slot = find(table, key);
	if (FY_CHECK(slot->count > 0))
		return;
	if (--slot->count)
		return;
	table->used--;
	size_t hole = (size_t)(slot - table->slots), at = hole;
	for (;;) { /* pull back the entries that the hole would cut off from their home */
		at = (at + 1) & table->mask;
		if (table->slots[at].count == 0)
			return;
		size_t from_home = (at - home(table, table->slots[at].key)) & table->mask;
		if (from_home < ((at - hole) & table->mask))
			continue;
		table->slots[hole] = table->slots[at];
		table->slots[at].count = 0;
		hole = at;
	}
}
