/* An intrusive, circular, doubly linked list. A node belongs to the object it stands in; an unlinked
 * node points to itself, so unlinking twice is harmless. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct fy_list {
	struct fy_list *next, *prev;
};

#define FY_CONTAINER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void fy_list_init(struct fy_list *l)
{
	l->next = l->prev = l;
}

static inline bool fy_list_empty(const struct fy_list *l)
{
	return l->next == l;
}

static inline void fy_list_unlink(struct fy_list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	fy_list_init(l);
}

static inline void fy_list_append(struct fy_list *head, struct fy_list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline struct fy_list *fy_list_first(struct fy_list *head)
{
	return head->next == head ? NULL : head->next;
}
