/* The fiber scheduler: stacks, the ready list, waits and their deadlines.
 * What to wait for is left to others (await.c, storage/): they make an operation that holds a struct
 * fy_wait and end it from a callback. Everything that handles requests or runs jobs calls this.
 *
 * States of a fiber:   ready ──drain──► running ──fy_wait──► parked ──done or deadline──► ready
 *                                          └──function returns──► its stack goes back to the pool
 *
 * The ready list is drained twice a turn: after the poll phase (uv_check) and before the next one
 * (uv_prepare), so that what a timer or a close callback woke does not wait for the next event. Fibers
 * that become ready while the list drains run in the next drain, so no fiber can starve the loop. */
#include "foyer/fiber.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "foyer/ctx.h"
#include "foyer/list.h"
#include "foyer/require.h"
#include "switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define FY_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FY_ASAN 1
#endif
#endif

#ifdef FY_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE ((size_t)1024 * 1024) /* redzones make frames several times as large */
#else
#define STACK_SIZE ((size_t)256 * 1024)
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#define POOLED_MAX 256 /* free stacks kept mapped; a burst beyond gives its memory back */
#define TURN_HOOKS_MAX 8

struct fy_fiber {
	void *sp;
	char *map; /* the guard page, then the stack */
	size_t map_size;
	fy_fiber_fn fn;
	void *arg;
	struct fy_wait *wait; /* while parked */
	uint64_t deadline_ms;
	struct fy_list parked;
	struct fy_fiber *next; /* in the ready list or in the pool */
	bool dead;
	unsigned valgrind_id;
	void *fake_stack; /* AddressSanitizer's */
};

static struct {
	uv_loop_t *loop;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	uv_timer_t deadline_timer;
	uint64_t armed_ms; /* when deadline_timer fires; UINT64_MAX: not armed */
	unsigned max;
	void *sp; /* the loop's own stack while a fiber runs */
	void *fake_stack;
	const void *stack;
	size_t stack_size;
	struct fy_fiber *running;
	struct fy_fiber *ready_head, **ready_tail;
	struct fy_fiber *pool;
	struct fy_list parked;
	struct {
		void (*flush)(void *arg);
		void *arg;
	} hooks[TURN_HOOKS_MAX];
	unsigned hook_count;
	struct fy_sched_stats stats;
} sched;

static void switch_in(struct fy_fiber *fiber)
{
	sched.running = fiber;
	sched.stats.switches++;
#ifdef FY_ASAN
	size_t guard = fiber->map_size - STACK_SIZE;
	__sanitizer_start_switch_fiber(&sched.fake_stack, fiber->map + guard, STACK_SIZE);
#endif
	fy_switch(&sched.sp, fiber->sp);
#ifdef FY_ASAN
	__sanitizer_finish_switch_fiber(sched.fake_stack, NULL, NULL);
#endif
	sched.running = NULL;
}

static void arrived(void)
{
#ifdef FY_ASAN
	__sanitizer_finish_switch_fiber(sched.running->fake_stack, &sched.stack, &sched.stack_size);
#endif
}

static void switch_out(struct fy_fiber *fiber)
{
#ifdef FY_ASAN
	__sanitizer_start_switch_fiber(fiber->dead ? NULL : &fiber->fake_stack, sched.stack, sched.stack_size);
#endif
	fy_switch(&fiber->sp, sched.sp);
	arrived();
}

static void fiber_main(void)
{
	struct fy_fiber *fiber = sched.running;
	arrived();
	fiber->fn(fiber->arg);
	fiber->dead = true;
	switch_out(fiber);
	abort();
}

static struct fy_fiber *stack_take(void)
{
	struct fy_fiber *fiber = sched.pool;
	if (fiber) {
		sched.pool = fiber->next;
		sched.stats.pooled--;
		return fiber;
	}
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	fiber = calloc(1, sizeof *fiber);
	if (fiber == NULL)
		return NULL;
	fiber->map_size = STACK_SIZE + page;
	fiber->map =
		mmap(NULL, fiber->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (fiber->map == MAP_FAILED) {
		free(fiber);
		return NULL;
	}
	FY_REQUIRE(mprotect(fiber->map, page, PROT_NONE) == 0);
	fiber->valgrind_id = VALGRIND_STACK_REGISTER(fiber->map + page, fiber->map + fiber->map_size);
	fy_list_init(&fiber->parked);
	return fiber;
}

static void stack_destroy(struct fy_fiber *fiber)
{
	VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
	munmap(fiber->map, fiber->map_size);
	free(fiber);
}

static void stack_give(struct fy_fiber *fiber)
{
	if (sched.stats.pooled >= POOLED_MAX) {
		stack_destroy(fiber);
		return;
	}
	fiber->next = sched.pool;
	sched.pool = fiber;
	sched.stats.pooled++;
}

static void on_idle(uv_idle_t *handle)
{
	(void)handle;
}

/* An active idle handle keeps the loop alive and from sleeping until the next drain. */
static void make_ready(struct fy_fiber *fiber)
{
	if (sched.ready_head == NULL)
		uv_idle_start(&sched.idle, on_idle);
	fiber->next = NULL;
	*sched.ready_tail = fiber;
	sched.ready_tail = &fiber->next;
}

static void drain(void)
{
	struct fy_fiber *fiber = sched.ready_head;
	sched.ready_head = NULL;
	sched.ready_tail = &sched.ready_head;
	while (fiber) {
		struct fy_fiber *next = fiber->next;
		switch_in(fiber);
		if (fiber->dead) {
			sched.stats.live--;
			stack_give(fiber);
		}
		fiber = next;
	}
	for (unsigned i = 0; i < sched.hook_count; i++)
		sched.hooks[i].flush(sched.hooks[i].arg);
}

static void on_check(uv_check_t *handle)
{
	(void)handle;
	drain();
}

/* The last stop before the loop sleeps. */
static void on_prepare(uv_prepare_t *handle)
{
	(void)handle;
	drain();
	if (sched.ready_head == NULL)
		uv_idle_stop(&sched.idle);
}

/* The timer is left to run out rather than stopped for each wait; it keeps the loop alive only while somebody waits. */
static void park(struct fy_fiber *fiber)
{
	if (fy_list_empty(&sched.parked))
		uv_ref((uv_handle_t *)&sched.deadline_timer);
	fy_list_append(&sched.parked, &fiber->parked);
}

static void unpark(struct fy_fiber *fiber)
{
	fy_list_unlink(&fiber->parked);
	if (fy_list_empty(&sched.parked))
		uv_unref((uv_handle_t *)&sched.deadline_timer);
	make_ready(fiber);
}

static void on_deadline(uv_timer_t *timer);

static void arm(uint64_t deadline_ms)
{
	if (deadline_ms >= sched.armed_ms)
		return;
	uint64_t now = uv_now(sched.loop);
	sched.armed_ms = deadline_ms;
	uv_timer_start(&sched.deadline_timer, on_deadline, deadline_ms > now ? deadline_ms - now : 0, 0);
}

/* Most waits end long before their deadline, so ending one leaves the timer alone; when it fires, the
 * parked fibers are looked through once for those that are late and for the next time to fire. */
static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	uint64_t now = uv_now(sched.loop), next = UINT64_MAX;
	sched.armed_ms = UINT64_MAX;
	for (struct fy_list *l = sched.parked.next, *after; l != &sched.parked; l = after) {
		struct fy_fiber *fiber = FY_CONTAINER(l, struct fy_fiber, parked);
		after = l->next;
		if (fiber->deadline_ms > now) {
			next = fiber->deadline_ms < next ? fiber->deadline_ms : next;
			continue;
		}
		fiber->wait->state = FY_WAIT_ABANDONED;
		fiber->wait->fiber = NULL;
		fiber->wait = NULL;
		sched.stats.timeouts++;
		unpark(fiber);
	}
	if (next != UINT64_MAX)
		arm(next);
}

fy_async int fy_wait(struct fy_wait *wait, uint64_t deadline_ms)
{
	struct fy_fiber *fiber = sched.running;
	FY_REQUIRE(fiber != NULL);
	if (wait->state == FY_WAIT_DONE) {
		wait->state = FY_WAIT_IDLE;
		return wait->result;
	}
	FY_REQUIRE(wait->state == FY_WAIT_IDLE);
	if (deadline_ms <= uv_now(sched.loop)) {
		wait->state = FY_WAIT_ABANDONED;
		return FY_ERR_TIMEOUT;
	}
	wait->state = FY_WAIT_PARKED;
	wait->fiber = fiber;
	fiber->wait = wait;
	fiber->deadline_ms = deadline_ms;
	park(fiber);
	if (deadline_ms != UINT64_MAX)
		arm(deadline_ms);
	switch_out(fiber);
	if (fiber->wait == NULL) /* the deadline took it; *wait may be gone already */
		return FY_ERR_TIMEOUT;
	fiber->wait = NULL;
	wait->state = FY_WAIT_IDLE;
	return wait->result;
}

void fy_wait_done(struct fy_wait *wait, int result)
{
	if (wait->state == FY_WAIT_ABANDONED || wait->state == FY_WAIT_DONE)
		return;
	wait->result = result;
	bool parked = wait->state == FY_WAIT_PARKED;
	wait->state = FY_WAIT_DONE;
	if (!parked)
		return;
	unpark(wait->fiber);
	wait->fiber = NULL;
}

int fy_fiber_start(fy_fiber_fn fn, void *arg)
{
	FY_REQUIRE(sched.loop != NULL);
	if (sched.stats.live >= sched.max)
		return FY_ERR_BUSY;
	struct fy_fiber *fiber = stack_take();
	if (fiber == NULL)
		return FY_ERR_BUSY;
	size_t guard = fiber->map_size - STACK_SIZE;
#ifdef FY_ASAN
	ASAN_UNPOISON_MEMORY_REGION(fiber->map + guard, STACK_SIZE);
#endif
	fiber->sp = fy_switch_prepare(fiber->map + guard, STACK_SIZE, fiber_main);
	fiber->fn = fn;
	fiber->arg = arg;
	fiber->dead = false;
	fiber->wait = NULL;
	fiber->fake_stack = NULL;
	sched.stats.started++;
	if (++sched.stats.live > sched.stats.peak)
		sched.stats.peak = sched.stats.live;
	make_ready(fiber);
	return 0;
}

struct fy_fiber *fy_fiber_self(void)
{
	return sched.running;
}

int fy_sched_init(uv_loop_t *loop, unsigned max)
{
	FY_REQUIRE(sched.loop == NULL);
	memset(&sched, 0, sizeof sched);
	sched.loop = loop;
	sched.max = max;
	sched.armed_ms = UINT64_MAX;
	sched.ready_tail = &sched.ready_head;
	fy_list_init(&sched.parked);
	uv_prepare_init(loop, &sched.prepare);
	uv_check_init(loop, &sched.check);
	uv_idle_init(loop, &sched.idle);
	uv_timer_init(loop, &sched.deadline_timer);
	uv_prepare_start(&sched.prepare, on_prepare);
	uv_check_start(&sched.check, on_check);
	uv_unref((uv_handle_t *)&sched.prepare);
	uv_unref((uv_handle_t *)&sched.check);
	uv_unref((uv_handle_t *)&sched.deadline_timer);
	return 0;
}

void fy_sched_finish(void)
{
	FY_REQUIRE(sched.stats.live == 0);
	uv_close((uv_handle_t *)&sched.prepare, NULL);
	uv_close((uv_handle_t *)&sched.check, NULL);
	uv_close((uv_handle_t *)&sched.idle, NULL);
	uv_close((uv_handle_t *)&sched.deadline_timer, NULL);
	while (sched.pool) {
		struct fy_fiber *fiber = sched.pool;
		sched.pool = fiber->next;
		stack_destroy(fiber);
	}
	sched.hook_count = 0;
	sched.loop = NULL;
}

void fy_sched_on_turn_end(void (*flush)(void *arg), void *arg)
{
	FY_REQUIRE(sched.hook_count < TURN_HOOKS_MAX);
	sched.hooks[sched.hook_count].flush = flush;
	sched.hooks[sched.hook_count++].arg = arg;
}

void fy_sched_stats(struct fy_sched_stats *ret_stats)
{
	*ret_stats = sched.stats;
}

void fy_sched_off_turn_end(void (*flush)(void *arg), void *arg)
{
	for (unsigned i = 0; i < sched.hook_count; i++) {
		if (sched.hooks[i].flush == flush && sched.hooks[i].arg == arg) {
			sched.hooks[i] = sched.hooks[--sched.hook_count];
			return;
		}
	}
}

uint64_t fy_loop_ms(void)
{
	return uv_now(sched.loop);
}

uv_loop_t *fy_loop(void)
{
	return sched.loop;
}

fy_async int fy_sleep(struct fy_ctx *ctx, uint64_t ms)
{
	uint64_t until = uv_now(sched.loop) + ms;
	struct fy_wait never = { 0 };
	if (ctx && ctx->deadline_ms < until) {
		fy_wait(&never, ctx->deadline_ms);
		return FY_ERR_TIMEOUT;
	}
	if (ms)
		fy_wait(&never, until);
	return 0;
}
