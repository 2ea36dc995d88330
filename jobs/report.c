/* What a run did, collected as it goes: counts and names for each action (job.h).
 * A dry run collects through the same calls, so its report and the real run's are comparable line by line. */
#include <string.h>

#include "foyer/require.h"
#include "jobs/job.h"
#include "jobs/words.h"
#include "storage/leases.h"

#define NAMES_MAX 16384 /* bytes of names of one item; past it "…" */
#define NAMES_MORE ", …"

static struct fy_job_item *item_of(struct fy_job_run *run, const char *action, const char *object)
{
	for (size_t i = 0; i < run->item_count; i++) {
		if (strcmp(run->items[i].action, action) == 0 && strcmp(run->items[i].object, object) == 0)
			return &run->items[i];
	}
	FY_REQUIRE(run->item_count < FY_JOB_ITEMS_MAX);
	fy_buf_init(&run->names[run->item_count], run->ctx->arena, NAMES_MAX);
	run->items[run->item_count] = (struct fy_job_item){ .action = action, .object = object };
	return &run->items[run->item_count++];
}

void fy_job_note(struct fy_job_run *run, const char *action, const char *object, uint64_t count, struct fy_slice name)
{
	struct fy_job_item *item = item_of(run, action, object);
	struct fy_buf *names = &run->names[item - run->items];

	item->count += count;
	if (name.len == 0 || names->failed)
		return;
	if (names->len + name.len + 2 + sizeof NAMES_MORE > NAMES_MAX) {
		fy_buf_put(names, FY_LIT(NAMES_MORE));
		item->names = fy_buf_slice(names);
		names->failed = true; /* from now on only the count grows */
		return;
	}
	if (names->len)
		fy_buf_put(names, FY_LIT(", "));
	fy_buf_put(names, name);
	item->names = fy_buf_slice(names);
}

void fy_job_note_id(struct fy_job_run *run, const char *action, const char *object, uint64_t id)
{
	char space[20];
	struct fy_buf text = { .ptr = space, .cap = sizeof space, .max = sizeof space };

	fy_buf_u64(&text, id);
	fy_job_note(run, action, object, 1, fy_buf_slice(&text));
}

struct fy_slice fy_job_summary(const struct fy_job_run *run, struct fy_arena *arena)
{
	struct fy_buf line;

	fy_buf_init(&line, arena, FY_LEASE_DETAIL_MAX);
	for (size_t i = 0; i < run->item_count; i++) {
		if (run->items[i].count == 0)
			continue;
		fy_buf_fmt(&line, "%s%s|%llu|%s", line.len ? "; " : "", run->items[i].action,
			   (unsigned long long)run->items[i].count, run->items[i].object);
	}
	return line.len ? fy_buf_slice(&line) : FY_LIT(FY_JOB_NOTHING);
}
