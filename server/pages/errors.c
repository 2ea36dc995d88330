/* Chooses the page for an HTTP error and finds embedded static files.
 * Deciding on the status is left to the HTTP layer; the pages are templates/error_*.html.
 * Called by the HTTP layer's error answers and by its static file handler. */
#include "server/pages/pages_gen.h"
#include "server/pages/static.h"

void fy_page_error(struct fy_buf *out, const struct fy_page *page, unsigned status, uint64_t wait_s)
{
#define SHOW(name) fy_page_error_##name(out, page, &(struct fy_view_error_##name){ .wait_seconds = wait_s })
	switch (status) {
	case 401:
		SHOW(401);
		break;
	case 403:
		SHOW(403);
		break;
	case 404:
		SHOW(404);
		break;
	case 405:
		SHOW(405);
		break;
	case 409:
		SHOW(409);
		break;
	case 413:
		SHOW(413);
		break;
	case 429:
		SHOW(429);
		break;
	case 503:
		SHOW(503);
		break;
	default:
		if (status >= 500)
			SHOW(500);
		else
			SHOW(400);
	}
#undef SHOW
}

/* A handful of files: walking them costs less than hashing the path would. */
const struct fy_static_file *fy_static_find(struct fy_slice path)
{
	for (size_t i = 0; i < fy_static_file_count; i++)
		if (fy_eq(fy_static_files[i].path, path))
			return &fy_static_files[i];
	return NULL;
}
