/* The machine-dependent part of fibers: a stack to start on and a switch between two stacks.
 * x86-64 and aarch64 have some twenty instructions of their own (swapcontext makes a system call per
 * switch for the signal mask and hides stacks from AddressSanitizer); elsewhere ucontext serves.
 * Only fiber.c calls this. */
#pragma once

#include <stddef.h>

/* Prepares `stack` (lowest address, size) so that the first switch to it calls `entry()`, which must not
 * return. Returns the handle for fy_switch. */
void *fy_switch_prepare(void *stack, size_t size, void (*entry)(void));

/* Leaves through *save_sp and goes on where `load_sp` left. */
void fy_switch(void **save_sp, void *load_sp);
