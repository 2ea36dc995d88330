/* The static files, embedded at build time by embed.py.
 * Answering conditional requests and choosing the variant is the HTTP layer's part. An address holds a fingerprint
 * of the content, so it may be cached for ever (RFC 8246 `immutable`). All is static storage. */
#pragma once

#include "foyer/slice.h"

struct fy_static_file {
	struct fy_slice path; /* "/static/site.3fa9….css" */
	struct fy_slice type;
	struct fy_slice etag;      /* strong, with its quotes: of the raw bytes */
	struct fy_slice etag_gzip; /* strong ETags differ between encodings (RFC 9110 8.8.3.3) */
	struct fy_slice raw;
	struct fy_slice gzip; /* empty where compression does not pay */
};

extern const struct fy_static_file fy_static_files[];
extern const size_t fy_static_file_count;

/* NULL when there is none; `path` is the request's path, exactly. */
const struct fy_static_file *fy_static_find(struct fy_slice path);
