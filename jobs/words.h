/* Runs in words, see words.c. */
#pragma once

#include "foyer/buf.h"
#include "foyer/ctx.h"

/* What a detail may say beside what was done. */
#define FY_JOB_NOTHING "nothing to do"
#define FY_JOB_STOPPED "stopped half-way, as the server ends"

/* "delete|3|expired links; send|1|mails" as "deleted 3 expired links, sent 1 mail". Other pieces stay as they are. */
struct fy_slice fy_job_detail_words(struct fy_arena *arena, enum fy_lang lang, struct fy_slice detail);

/* "mails" as "mail" where there is one. */
struct fy_slice fy_job_object_words(enum fy_lang lang, struct fy_slice object, uint64_t count);
