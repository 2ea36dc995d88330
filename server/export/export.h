/* An export (storage/export.h) as people and programs read it: JSON, a page in each language that needs neither network
 * nor script, and all of them in a ZIP. README.md beside this file describes the JSON. Documents come in pieces, a record
 * at a time, so that one of thousands of messages takes no more memory than one of a few. Gathering is storage's, sending
 * the callers'. Called by the routes of the privacy pages, the API and `foyer person export`. */
#pragma once

#include "protocol/json_writer.h"
#include "storage/export.h"

enum fy_export_document { FY_EXPORT_JSON, FY_EXPORT_HTML_FR, FY_EXPORT_HTML_EN, FY_EXPORT_README, FY_EXPORT_DOCUMENTS };

/* A document being written. The export outlives it. No I/O and no arena of others: it may run on any thread. */
struct fy_export_stream {
	const struct fy_export *export;
	enum fy_export_document document;
	enum { FY_EXPORT_AT_HEAD, FY_EXPORT_AT_RECORDS, FY_EXPORT_AT_END } at;
	const struct fy_export_record *record; /* the next one */
	struct fy_buf buf;
	struct fy_json json;
};

void fy_export_begin(struct fy_export_stream *stream, const struct fy_export *export, enum fy_export_document document);

/* The next piece, good until the next call; false: the document is complete. */
bool fy_export_next(struct fy_export_stream *stream, struct fy_slice *ret_piece);
void fy_export_end(struct fy_export_stream *stream);

/* "foyer-export-2026-11-23.zip", the day in Paris. */
#define FY_EXPORT_NAME_MAX 40
void fy_export_name(const struct fy_export *export, char ret_name[FY_EXPORT_NAME_MAX]);

/* The whole, compressed on another thread. ret_zip lives as long as the context's arena, and counts for nothing there.
 * FY_ERR_BUSY: this process is making two already. */
fy_async int fy_export_zip(struct fy_ctx *ctx, const struct fy_export *export, struct fy_slice *ret_zip);

/* The rules of keeping that apply to a row, in words: "180 days after …, or …"; the first of them to come ends it. */
void fy_export_put_rules(struct fy_buf *out, const struct fy_config *config, const struct fy_register_since *since,
			 const struct fy_register_field *field, enum fy_lang lang);
