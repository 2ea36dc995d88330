/* Lays out the first frame of a new stack for the assembly switch of this machine, or falls back to
 * ucontext. The layouts mirror switch_x86_64.S and switch_aarch64.S; nothing else knows them. */
#include "switch.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)

void *fy_switch_prepare(void *stack, size_t size, void (*entry)(void))
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	uint64_t *sp = (uint64_t *)top;
	*--sp = 0; /* entry sees the alignment of a called function, and no caller */
	*--sp = (uint64_t)(uintptr_t)entry;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
	*--sp = 0x1f80 | (uint64_t)0x37f << 32; /* the ABI's initial MXCSR and x87 control word */
	return sp;
}

#elif defined(__aarch64__)

void *fy_switch_prepare(void *stack, size_t size, void (*entry)(void))
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	uint64_t *sp = (uint64_t *)(top - 160);
	memset(sp, 0, 160);
	sp[11] = (uint64_t)(uintptr_t)entry; /* x30: where ret goes */
	return sp;
}

#else

#include <stdlib.h>
#include <ucontext.h>

/* The contexts live at the stack's top; the handle is a pointer to them. The scheduler's own context
 * needs storage too: it is allocated at its first switch and kept. */
void *fy_switch_prepare(void *stack, size_t size, void (*entry)(void))
{
	ucontext_t *context = (ucontext_t *)(((uintptr_t)stack + size - sizeof(ucontext_t)) & ~(uintptr_t)15);
	getcontext(context);
	context->uc_stack.ss_sp = stack;
	context->uc_stack.ss_size = (size_t)((char *)context - (char *)stack);
	context->uc_link = NULL;
	makecontext(context, entry, 0);
	return context;
}

void fy_switch(void **save_sp, void *load_sp)
{
	if (*save_sp == NULL)
		*save_sp = calloc(1, sizeof(ucontext_t));
	swapcontext(*save_sp, load_sp);
}

#endif
