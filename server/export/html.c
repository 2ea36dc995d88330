/* data.fr.html and data.en.html: the site's own pages without its navigation, with the style sheet inside, so that they
 * can be read anywhere, without network and without script. */
#include "foyer/config.h"
#include "foyer/require.h"
#include "server/export/write.h"
#include "server/pages/pages_gen.h"
#include "server/pages/static.h"
#include "server/routes/access_words.h"
#include "server/routes/people.h"
#include "server/routes/right_words.h"

#define WORDS_MAX 4096

static struct fy_page page_of(const struct fy_export *export, enum fy_lang lang)
{
	return (struct fy_page){ .lang = lang,
				 .site_name = export->config->site_name,
				 .site_address = export->config->site_address,
				 .now = export->made_at };
}

static struct fy_slice style_sheet(void)
{
	for (size_t i = 0; i < fy_static_file_count; i++)
		if (fy_starts(fy_static_files[i].path, FY_LIT("/static/site.")))
			return fy_static_files[i].raw;
	return FY_NONE;
}

void fy_export_html_head(struct fy_export_stream *stream, enum fy_lang lang)
{
	const struct fy_export *export = stream->export;
	struct fy_page page = page_of(export, lang);
	struct fy_buf *out = &stream->buf;
	/* Nothing may be loaded or run from a file that is opened from a disk, whatever stands in it. */
	fy_buf_put(out, lang == FY_LANG_EN
				? FY_LIT("<!doctype html>\n<html lang=\"en\">\n<head>\n<title>Your data</title>\n")
				: FY_LIT("<!doctype html>\n<html lang=\"fr\">\n<head>\n<title>Vos données</title>\n"));
	fy_buf_put(out, FY_LIT("<meta charset=\"utf-8\">\n"
			       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			       "'unsafe-inline'\">\n"
			       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"));
	fy_buf_put(out, style_sheet());
	fy_buf_put(out, FY_LIT("</style>\n</head>\n<body>\n<div class=\"frame wide\">\n<main>\n"));
	fy_fragment_export_head(out, &page,
				&(struct fy_view_export_head){ .contact = export->config->site_contact,
							       .nothing = export->records == NULL });
}

void fy_export_html_foot(struct fy_export_stream *stream)
{
	fy_buf_put(&stream->buf, FY_LIT("</main>\n</div>\n</body>\n</html>\n"));
}

static struct fy_slice join_bits(struct fy_arena *arena, const struct fy_register_word *words, unsigned count,
				 uint32_t bits, enum fy_lang lang)
{
	struct fy_buf out;
	fy_buf_init(&out, arena, WORDS_MAX);
	for (unsigned i = 0; i < count; i++) {
		if (!(bits >> i & 1))
			continue;
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		fy_buf_put(&out, words[i].label[lang]);
	}
	return fy_buf_slice(&out);
}

/* "contract (…); market research: consent (…)", as the policy says it. */
static struct fy_slice basis_of(struct fy_arena *arena, const struct fy_register_field *field, enum fy_lang lang)
{
	struct fy_buf out;
	uint32_t by_consent = fy_export_by_consent(field);
	fy_buf_init(&out, arena, WORDS_MAX);
	fy_buf_put(&out, fy_register_bases[field->basis].label[lang]);
	if (by_consent) {
		fy_buf_put(&out, lang == FY_LANG_FR ? FY_LIT("\u202f; ") : FY_LIT("; "));
		fy_buf_put(&out, join_bits(arena, fy_register_purposes, FY_PURPOSE_COUNT, by_consent, lang));
		fy_buf_put(&out, lang == FY_LANG_FR ? FY_LIT("\u00a0: ") : FY_LIT(": "));
		fy_buf_put(&out, fy_register_bases[FY_BASIS_CONSENT].label[lang]);
	}
	return fy_buf_slice(&out);
}

static struct fy_row_export_value row_of(struct fy_arena *arena, const struct fy_export *export,
					 const struct fy_export_record *record, const struct fy_export_value *value,
					 enum fy_lang lang)
{
	const struct fy_register_field *field = value->field;
	struct fy_buf rules;
	fy_buf_init(&rules, arena, WORDS_MAX);
	fy_export_put_rules(&rules, export->config, &record->row.since, field, lang);
	struct fy_row_export_value row = {
		.label = field->label[lang],
		.category = fy_register_categories[field->category].label[lang],
		.text = value->text,
		.source = fy_register_sources[field->provided_by].label[lang],
		.purposes = join_bits(arena, fy_register_purposes, FY_PURPOSE_COUNT, field->purposes, lang),
		.basis = basis_of(arena, field, lang),
		.kept = fy_buf_slice(&rules),
		.ends = value->ends_at,
		.then = fy_register_thens[field->then].label[lang],
		.seen_by = join_bits(arena, fy_register_viewers, FY_VIEWER_COUNT, field->seen_by, lang),
	};
	if (value->type == FY_EXPORT_TIME && value->time) {
		row.kind = FY_LIT("time");
		row.time = value->time;
	} else if (value->type == FY_EXPORT_YES_NO) {
		row.kind = value->yes ? FY_LIT("yes") : FY_LIT("no");
	} else if (value->type == FY_EXPORT_LANGUAGE) {
		row.text.text = value->language == FY_LANG_EN ? FY_LIT("English") : FY_LIT("Français");
	} else if (value->field == &fy_register_fields[FY_COLUMN_ACCESS_LOG_FIELDS]) {
		row.text.text = fy_fields_label(arena, lang, value->text.text);
	} else if (value->type == FY_EXPORT_NUMBER) {
		row.text.text = fy_fmt(arena, "%llu", (unsigned long long)value->number);
	} else if (value->type == FY_EXPORT_GROUND && value->ground) {
		row.kind = value->ground == FY_ERASURE_ASKED ? FY_LIT("asked") : FY_LIT("inactive");
	} else if (value->field == &fy_register_fields[FY_COLUMN_ACCOUNT_COUNTRY] &&
		   fy_country_known(value->text.text)) {
		row.text.text = fy_country_name(lang, value->text.text);
	}
	return row;
}

static struct fy_view_export_record view_of(const struct fy_export_record *record, enum fy_lang lang)
{
	const struct fy_contact_message *m = record->message;
	const struct fy_rights_request *r = record->request;
	switch (record->kind) {
	case FY_EXPORT_ACCOUNT:
		return (struct fy_view_export_record){
			.kind = FY_LIT("account"),
			.number = record->account->id,
			.role = fy_role_label(lang, record->account->role),
			.state = fy_str(fy_export_account_state(record->account->state)),
		};
	case FY_EXPORT_EMAIL_CHANGE:
		return (struct fy_view_export_record){ .kind = FY_LIT("email_change"),
						       .at = record->email_change->asked_at };
	case FY_EXPORT_CONSENT:
		return (struct fy_view_export_record){ .kind = FY_LIT("consent"),
						       .version = record->consent->text_version };
	case FY_EXPORT_HOLD:
		return (struct fy_view_export_record){
			.kind = FY_LIT("hold"),
			.at = record->hold->placed_at,
			.by = record->hold->review_at,
			.closed = record->hold->lifted_at,
		};
	case FY_EXPORT_SESSION:
		return (struct fy_view_export_record){ .kind = FY_LIT("session") };
	case FY_EXPORT_OFFICE_SESSION:
		return (struct fy_view_export_record){ .kind = FY_LIT("office") };
	case FY_EXPORT_GRANT:
		return (struct fy_view_export_record){
			.kind = FY_LIT("grant"),
			.role = fy_role_label(lang, record->grant->asker_role),
			.reference = fy_purpose_label(lang, record->grant->purpose),
			.state = fy_grant_state_key(record->grant->state),
			.at = record->grant->asked_at,
			.by = record->grant->ends_at,
			.emergency = record->grant->break_glass,
		};
	case FY_EXPORT_READ:
		return (struct fy_view_export_record){
			.kind = FY_LIT("read"),
			.role = fy_role_label(lang, record->read->read.reader_role),
			.reference = fy_purpose_label(lang, record->read->read.purpose),
			.emergency = record->read->break_glass,
		};
	case FY_EXPORT_ENTERED:
		return (struct fy_view_export_record){
			.kind = FY_LIT("entered"),
			.who = record->provider,
			.state = fy_people_state(record->entered->state),
			.at = record->entered->created_at,
		};
	case FY_EXPORT_REQUEST:
		return (struct fy_view_export_record){
			.kind = FY_LIT("request"),
			.reference = fy_right_kind_words(lang, r->kind),
			.state = fy_right_state_words(lang, r->state),
			.at = r->received_at,
			.by = r->answer_by,
			.closed = r->ended_at,
		};
	case FY_EXPORT_STEP:
		return (struct fy_view_export_record){
			.kind = FY_LIT("step"),
			.state = fy_right_state_words(lang, record->step->to),
			.role = fy_export_step_by(record),
			.at = record->step->at,
		};
	case FY_EXPORT_MESSAGE:
		return (struct fy_view_export_record){
			.kind = FY_LIT("message"),
			.reference = m->reference,
			.state = fy_str(fy_export_message_state(m->state)),
			.version = m->consent_text_version,
			.at = m->created_at,
			.closed = m->closed_at,
		};
	case FY_EXPORT_MAIL:
		break;
	}
	return (struct fy_view_export_record){ .kind = FY_LIT("mail"), .at = record->mail->created_at };
}

void fy_export_html_record(struct fy_export_stream *stream, const struct fy_export_record *record, enum fy_lang lang)
{
	struct fy_page page = page_of(stream->export, lang);
	struct fy_view_export_record view = view_of(record, lang);
	struct fy_arena arena;
	fy_arena_init(&arena, 0);
	struct fy_row_export_value *rows = fy_new_array(&arena, struct fy_row_export_value, record->value_count);
	for (size_t i = 0; i < record->value_count; i++)
		rows[i] = row_of(&arena, stream->export, record, &record->values[i], lang);
	view.unreadable = record->unreadable;
	view.values = rows;
	view.values_count = record->value_count;
	fy_fragment_export_record(&stream->buf, &page, &view);
	fy_arena_finish(&arena);
}
