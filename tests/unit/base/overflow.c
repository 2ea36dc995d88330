/* Overflows a local that lives across a wait. Built only with AddressSanitizer, which must stop it: with a
 * switch that the sanitizer cannot follow, this program would end in peace. */
#include "foyer/ctx.h"
#include "foyer/fiber.h"

static void overflow(void *arg)
{
	char local[16] = "";
	volatile char *at = local;
	struct fy_ctx ctx = { .deadline_ms = UINT64_MAX };
	fy_sleep(&ctx, 1);
	at[*(volatile int *)arg] = 1;
}

int main(void)
{
	uv_loop_t loop;
	int past_the_end = 16;
	uv_loop_init(&loop);
	fy_sched_init(&loop, 1);
	fy_fiber_start(overflow, &past_the_end);
	uv_run(&loop, UV_RUN_DEFAULT);
	return 0;
}
