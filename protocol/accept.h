/* Content negotiation: language, coding and kind of answer (RFC 9110 12.5).
 * Leaves the account's own language and `?lang=` to the routes. Called on requests without those. */
#pragma once

#include <stdbool.h>

#include "foyer/ctx.h"
#include "foyer/slice.h"

/* French or English by Accept-Language; `fallback` without a preference. */
enum fy_lang fy_accept_lang(struct fy_slice field, enum fy_lang fallback);

/* Whether Accept-Encoding allows "br", "gzip" or "identity". Without the field (ptr NULL) only identity;
 * identity is allowed unless excluded by q=0. */
bool fy_accept_encoding(struct fy_slice field, struct fy_slice coding);

enum fy_media { FY_MEDIA_HTML = 1, FY_MEDIA_JSON };

/* Whether the client would rather have JSON or HTML; `fallback` when it says nothing, or ranks both alike. */
enum fy_media fy_accept_media(struct fy_slice field, enum fy_media fallback);

/* How much the client wants `type` ("application/zip"), in thousandths; 0: not at all, or not a word about it. */
int fy_accept_weight(struct fy_slice field, const char *type);

/* A Content-Type without its parameters equals `type`, ASCII case ignored ("application/json"). */
bool fy_media_is(struct fy_slice content_type, struct fy_slice type);

/* A parameter of a Content-Type (charset, boundary), unquoted where the quotes hold no escapes; or FY_NONE. */
struct fy_slice fy_media_param(struct fy_slice content_type, struct fy_slice name);
