/* The switch between two stacks, alone: what a caller's registers held is still there when it goes on, on each machine
 * that has a switch of its own. Without cmocka and libuv, so that the cross-compiler can build it for an emulator. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/switch.h"

#define FIBERS 5
#define ROUNDS 20000
#define STACK (64 * 1024)

static void *main_sp, *fiber_sp[FIBERS];
static _Alignas(16) char stacks[FIBERS][STACK];
static int running;
static long steps, faults;

/* The compiler must not know what they hold, so it has to keep them where they are. */
#if defined(__aarch64__)
#define DOUBLE "+w"
#else
#define DOUBLE "+x"
#endif
#define HIDE_ALL()                                                                                              \
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h), "+r"(i)); \
	__asm__ volatile("" : DOUBLE(p), DOUBLE(q), DOUBLE(r), DOUBLE(s), DOUBLE(t), DOUBLE(u), DOUBLE(v), DOUBLE(w))

/* As many values as a call keeps registers, integers and doubles, all alive across each switch. */
static __attribute__((noinline)) void churn(uint64_t seed)
{
	for (uint64_t round = 0;; round++) {
		uint64_t x = seed * 0x9e3779b97f4a7c15u + round;
		double y = (double)(x >> 20);
		uint64_t a = x, b = x + 1, c = x + 2, d = x + 3, e = x + 4, f = x + 5, g = x + 6, h = x + 7, i = x + 8;
		double p = y, q = y + 1, r = y + 2, s = y + 3, t = y + 4, u = y + 5, v = y + 6, w = y + 7;
		int me = running;
		HIDE_ALL();
		steps++;
		fy_switch(&fiber_sp[me], main_sp);
		HIDE_ALL();
		faults += running != me;
		x = ((uint64_t)me + 1) * 0x9e3779b97f4a7c15u + round;
		y = (double)(x >> 20);
		faults += a != x || b != x + 1 || c != x + 2 || d != x + 3 || e != x + 4 || f != x + 5 || g != x + 6 ||
			  h != x + 7 || i != x + 8;
		faults += p != y || q != y + 1 || r != y + 2 || s != y + 3 || t != y + 4 || u != y + 5 || v != y + 6 ||
			  w != y + 7;
	}
}

static void entry(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	faults += here < (uintptr_t)stacks[running] || here > (uintptr_t)stacks[running] + STACK;
	churn((uint64_t)running + 1);
	abort();
}

int main(void)
{
	uint64_t kept = 0x0123456789abcdefu;
	double weight = 2.0 / 3.0;
	for (int i = 0; i < FIBERS; i++)
		fiber_sp[i] = fy_switch_prepare(stacks[i], STACK, entry);
	for (long round = 0; round < ROUNDS; round++) {
		for (running = 0; running < FIBERS; running++) {
			uint64_t before = kept;
			double heavy = weight;
			fy_switch(&main_sp, fiber_sp[running]);
			faults += before != kept || heavy != weight;
			kept = kept * 6364136223846793005u + 1442695040888963407u;
			weight = weight * 0.75 + 0.1;
		}
	}
	if (faults || steps != (long)FIBERS * ROUNDS) {
		fprintf(stderr, "%ld faults, %ld steps of %ld\n", faults, steps, (long)FIBERS * ROUNDS);
		return 1;
	}
	return 0;
}
