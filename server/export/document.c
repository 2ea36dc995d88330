/* A document as a row of pieces (export.h), and the words that the documents share. */
#include "foyer/require.h"
#include "protocol/datetime.h"
#include "server/export/write.h"
#include "server/pages/pages_gen.h"
#include "server/pages/write.h"

#define PIECE_MAX ((size_t)4 << 20) /* the longest message, every byte of it escaped, in a page with its style */

void fy_export_begin(struct fy_export_stream *stream, const struct fy_export *export, enum fy_export_document document)
{
	*stream = (struct fy_export_stream){ .export = export, .document = document, .record = export->records };
	fy_buf_init(&stream->buf, NULL, PIECE_MAX);
}

void fy_export_end(struct fy_export_stream *stream)
{
	fy_buf_finish(&stream->buf);
}

static void put_head(struct fy_export_stream *stream)
{
	switch (stream->document) {
	case FY_EXPORT_JSON:
		fy_export_json_head(stream);
		break;
	case FY_EXPORT_HTML_FR:
		fy_export_html_head(stream, FY_LANG_FR);
		break;
	case FY_EXPORT_HTML_EN:
		fy_export_html_head(stream, FY_LANG_EN);
		break;
	default:
		fy_export_readme(stream);
		stream->at = FY_EXPORT_AT_END;
	}
}

static void put_record(struct fy_export_stream *stream, const struct fy_export_record *record)
{
	if (stream->document == FY_EXPORT_JSON)
		fy_export_json_record(stream, record);
	else
		fy_export_html_record(stream, record, stream->document == FY_EXPORT_HTML_EN ? FY_LANG_EN : FY_LANG_FR);
}

bool fy_export_next(struct fy_export_stream *stream, struct fy_slice *ret_piece)
{
	stream->buf.len = 0;
	if (stream->at == FY_EXPORT_AT_END)
		return false;
	if (stream->at == FY_EXPORT_AT_HEAD) {
		stream->at = FY_EXPORT_AT_RECORDS;
		put_head(stream);
	} else if (stream->record) {
		put_record(stream, stream->record);
		stream->record = stream->record->next;
	} else {
		stream->at = FY_EXPORT_AT_END;
		if (stream->document == FY_EXPORT_JSON)
			fy_export_json_foot(stream);
		else
			fy_export_html_foot(stream);
	}
	FY_REQUIRE(!stream->buf.failed);
	*ret_piece = fy_buf_slice(&stream->buf);
	return true;
}

void fy_export_name(const struct fy_export *export, char ret_name[FY_EXPORT_NAME_MAX])
{
	struct fy_buf name = { .ptr = ret_name, .cap = FY_EXPORT_NAME_MAX, .max = FY_EXPORT_NAME_MAX };
	fy_buf_put(&name, FY_LIT("foyer-export-"));
	fy_put_iso_date(&name, fy_paris_date(export->made_at));
	fy_buf_put(&name, FY_LIT(".zip"));
	ret_name[name.len] = 0;
}

void fy_export_put_rules(struct fy_buf *out, const struct fy_config *config, const struct fy_register_since *since,
			 const struct fy_register_field *field, enum fy_lang lang)
{
	bool first = true;
	for (unsigned i = 0; i < field->keep_count; i++) {
		const struct fy_register_keep *keep = &field->keep[i];
		int64_t seconds = fy_register_keep_seconds(keep, config);
		if (since->from[keep->from] == 0)
			continue;
		if (!first)
			fy_text_put(out, lang, FY_TEXT_RECORD_OR, (struct fy_text_args){ 0 });
		if (seconds) {
			fy_write_period(out, lang, (uint64_t)seconds);
			fy_buf_char(out, ' ');
		}
		fy_buf_put(out, fy_register_triggers[keep->from].label[lang]);
		first = false;
	}
}

uint32_t fy_export_by_consent(const struct fy_register_field *field)
{
	return field->basis == FY_BASIS_CONSENT ? 0 : field->purposes & (uint32_t)(FY_PURPOSES_BY_CONSENT);
}

const char *fy_export_account_state(enum fy_account_state state)
{
	return state == FY_ACCOUNT_PENDING ? "pending" : state == FY_ACCOUNT_CLOSED ? "closed" : "active";
}

struct fy_slice fy_export_step_by(const struct fy_export_record *record)
{
	uint64_t by = record->step->by_account_id;
	return by && by == record->request->account_id ? FY_LIT("person") : FY_LIT("staff");
}

const char *fy_export_message_state(enum fy_contact_state state)
{
	return state == FY_CONTACT_ANSWERED ? "answered" : state == FY_CONTACT_CLOSED ? "closed" : "open";
}
