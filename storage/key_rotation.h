/* A new master key: the keys of all persons are wrapped anew, nothing that is sealed with them is touched.
 * May be cut off anywhere and begun again; the server goes on meanwhile, as each process looks for the next key when it
 * meets one it does not know (keys.h). The old master key is taken out only when no person needs it any more, which the
 * database holds to. Called by `foyer keys rotate`. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* What can be shown of it to anybody. One query; 0 in_use_since: no master key is known yet. */
struct fy_key_rotation_proof {
	fy_time in_use_since; /* when the master key in use was taken up, which ended the last rotation */
	fy_time began_at;     /* 0: no rotation is under way */
};
fy_async int fy_key_rotation_prove(struct fy_ctx *ctx, struct fy_key_rotation_proof *ret_proof);

struct fy_key_rotation {
	uint64_t total;   /* persons whose key the old master key wraps, at the start */
	uint64_t done;    /* rewrapped by this run */
	uint64_t damaged; /* keys that do not open; each is logged. They keep the old master key in use */
};

/* `path`: the key file, with FILE.next beside it (fy_keys_make_next) and ctx->keys loaded from both. `progress` (may be
 * NULL) is called after each slice. FY_ERR_UNREADABLE: some keys are damaged; all others were done, and both files
 * stay. FY_ERR_CONFIG: FILE.next is missing. */
fy_async int fy_key_rotation_run(struct fy_ctx *ctx, const char *path,
				 void (*progress)(const struct fy_key_rotation *state, void *arg), void *arg,
				 struct fy_key_rotation *ret_state);
