/* How many connections each address has open: an open-addressing table that grows with them.
 * IPv6 clients are counted by /64, which is what one household or one attacker gets. Used by the
 * listener; one per worker. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fy_address_count {
	struct fy_address_slot *slots;
	size_t mask, used;
};

void fy_address_count_init(struct fy_address_count *table);
void fy_address_count_finish(struct fy_address_count *table);

/* The count after adding one. */
uint32_t fy_address_count_add(struct fy_address_count *table, const uint8_t address[16]);
void fy_address_count_drop(struct fy_address_count *table, const uint8_t address[16]);
