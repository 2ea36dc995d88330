/* How each document writes its parts; for the files of this folder. */
#pragma once

#include "server/export/export.h"

/* The head of a document, one record, and what follows the last. All append to stream->buf. */
void fy_export_json_head(struct fy_export_stream *stream);
void fy_export_json_record(struct fy_export_stream *stream, const struct fy_export_record *record);
void fy_export_json_foot(struct fy_export_stream *stream);

void fy_export_html_head(struct fy_export_stream *stream, enum fy_lang lang);
void fy_export_html_record(struct fy_export_stream *stream, const struct fy_export_record *record, enum fy_lang lang);
void fy_export_html_foot(struct fy_export_stream *stream);

void fy_export_readme(struct fy_export_stream *stream);

/* Purposes of the field (bits) that rest on consent, where the field itself rests on something else. */
uint32_t fy_export_by_consent(const struct fy_register_field *field);

/* The words that the API and the export have for these. */
const char *fy_export_account_state(enum fy_account_state state);
const char *fy_export_message_state(enum fy_contact_state state);

/* Who took the step of a request: "person" or "staff", never who of them. */
struct fy_slice fy_export_step_by(const struct fy_export_record *record);
