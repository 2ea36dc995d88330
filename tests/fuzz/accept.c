/* Negotiation: any text gives one of the offered answers, and parameters come out of the field itself. */
#include "fuzz.h"

#include "protocol/accept.h"

static void run(struct fy_arena *arena, struct fy_buf *out, struct fy_slice input)
{
	struct fy_slice field = exact(arena, input);
	(void)out;
	enum fy_lang lang = fy_accept_lang(field, FY_LANG_FR);
	MUST(lang == FY_LANG_FR || lang == FY_LANG_EN);
	enum fy_media media = fy_accept_media(field, FY_MEDIA_HTML);
	MUST(media == FY_MEDIA_HTML || media == FY_MEDIA_JSON);
	int weight = fy_accept_weight(field, "application/zip");
	MUST(weight >= 0 && weight <= 1000);
	if (memmem(field.ptr, field.len, "q=", 2) == NULL && memmem(field.ptr, field.len, "Q=", 2) == NULL)
		MUST(fy_accept_encoding(field, FY_LIT("identity"))); /* only q=0 excludes it */
	fy_accept_encoding(field, FY_LIT("br"));
	fy_accept_encoding(field, FY_LIT("gzip"));
	fy_media_is(field, FY_LIT("application/json"));
	struct fy_slice value = fy_media_param(field, FY_LIT("charset"));
	MUST(value.len == 0 || (value.ptr >= field.ptr && value.ptr + value.len <= field.ptr + field.len));
}

FUZZ_TARGET(run)
