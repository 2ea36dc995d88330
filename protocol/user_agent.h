/* A short label for a device, for the person's own list of sessions: "Firefox · Windows".
 * A label only, no fingerprint: no versions, no models beyond iPhone and iPad. Called at sign-in. */
#pragma once

#include <stddef.h>

#include "foyer/slice.h"

#define FY_UA_LABEL_MAX 40

/* Static parts only, never text from the field itself; "?" when nothing is recognised. UTF-8, NUL-terminated;
 * returns the length. */
size_t fy_user_agent_label(struct fy_slice user_agent, char out[FY_UA_LABEL_MAX]);
