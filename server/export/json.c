/* data.json; README.md beside this file says what stands where. Keys stay; `schema` goes up when one changes its sense. */
#include "foyer/config.h"
#include "protocol/datetime.h"
#include "server/export/write.h"
#include "server/routes/access_words.h"
#include "server/routes/people.h"
#include "server/routes/right_words.h"

#define SCHEMA 1
#define WORDS_MAX 2048

static void put_time(struct fy_json *json, const char *key, fy_time time)
{
	char space[64];
	struct fy_buf text = { .ptr = space, .cap = sizeof space, .max = sizeof space };
	if (time == 0) {
		fy_json_put_null(json, key);
		return;
	}
	fy_put_rfc3339(&text, time, false);
	fy_json_put_str(json, key, fy_buf_slice(&text));
}

static void put_label(struct fy_json *json, const char *key, const struct fy_slice label[2])
{
	fy_json_put_object(json, key);
	fy_json_put_str(json, "fr", label[FY_LANG_FR]);
	fy_json_put_str(json, "en", label[FY_LANG_EN]);
	fy_json_end(json);
}

static void put_words(struct fy_json *json, const char *key, const struct fy_register_word *words, unsigned count)
{
	fy_json_put_object(json, key);
	for (unsigned i = 0; i < count; i++)
		put_label(json, words[i].key, words[i].label);
	fy_json_end(json);
}

void fy_export_json_head(struct fy_export_stream *stream)
{
	const struct fy_export *export = stream->export;
	struct fy_json *json = &stream->json;
	fy_json_init(json, &stream->buf);
	fy_json_object(json);
	fy_json_put_uint(json, "schema", SCHEMA);
	put_time(json, "made_at", export->made_at);
	fy_json_put_object(json, "controller");
	fy_json_put_str(json, "name", export->config->site_name);
	fy_json_put_str(json, "address", export->config->site_address);
	fy_json_put_str(json, "contact", export->config->site_contact);
	fy_json_end(json);
	fy_json_put_object(json, "words");
	put_words(json, "category", fy_register_categories, FY_CATEGORY_COUNT);
	put_words(json, "source", fy_register_sources, FY_SOURCE_COUNT);
	put_words(json, "purposes", fy_register_purposes, FY_PURPOSE_COUNT);
	put_words(json, "basis", fy_register_bases, FY_BASIS_COUNT);
	put_words(json, "then", fy_register_thens, FY_THEN_COUNT);
	put_words(json, "seen_by", fy_register_viewers, FY_VIEWER_COUNT);
	fy_json_end(json);
	fy_json_put_array(json, "records");
}

static void put_bits(struct fy_json *json, const char *key, const struct fy_register_word *words, unsigned count,
		     uint32_t bits)
{
	fy_json_put_array(json, key);
	for (unsigned i = 0; i < count; i++)
		if (bits >> i & 1)
			fy_json_str(json, fy_str(words[i].key));
	fy_json_end(json);
}

static void put_end(struct fy_export_stream *stream, const struct fy_export_record *record,
		    const struct fy_export_value *value, const struct fy_register_field *field)
{
	struct fy_json *json = &stream->json;
	char space[2][WORDS_MAX];
	struct fy_slice rule[2];
	for (int lang = 0; lang < 2; lang++) {
		struct fy_buf text = { .ptr = space[lang], .cap = WORDS_MAX, .max = WORDS_MAX };
		fy_export_put_rules(&text, stream->export->config, &record->row.since, field, (enum fy_lang)lang);
		rule[lang] = fy_buf_slice(&text);
	}
	fy_json_put_object(json, "end");
	put_time(json, "at", value->ends_at);
	put_label(json, "rule", rule);
	fy_json_put_str(json, "then", fy_str(fy_register_thens[field->then].key));
	fy_json_end(json);
}

static void put_value(struct fy_export_stream *stream, const struct fy_export_record *record,
		      const struct fy_export_value *value)
{
	const struct fy_register_field *field = value->field;
	struct fy_json *json = &stream->json;
	fy_json_object(json);
	fy_json_put_str(json, "field", fy_str(field->column));
	put_label(json, "label", field->label);
	if (value->type == FY_EXPORT_TIME)
		put_time(json, "value", value->time);
	else if (value->type == FY_EXPORT_YES_NO)
		fy_json_put_bool(json, "value", value->yes);
	else if (value->type == FY_EXPORT_NUMBER)
		fy_json_put_uint(json, "value", value->number);
	else if (value->type == FY_EXPORT_LANGUAGE)
		fy_json_put_str(json, "value", value->language == FY_LANG_EN ? FY_LIT("en") : FY_LIT("fr"));
	else if (value->type == FY_EXPORT_GROUND && value->ground)
		fy_json_put_str(json, "value",
				value->ground == FY_ERASURE_ASKED ? FY_LIT("asked") : FY_LIT("inactive"));
	else if (value->text.text.len)
		fy_json_put_str(json, "value", value->text.text);
	else
		fy_json_put_null(json, "value");
	fy_json_put_str(json, "category", fy_str(fy_register_categories[field->category].key));
	fy_json_put_str(json, "source", fy_str(fy_register_sources[field->provided_by].key));
	put_bits(json, "purposes", fy_register_purposes, FY_PURPOSE_COUNT, field->purposes);
	fy_json_put_str(json, "basis", fy_str(fy_register_bases[field->basis].key));
	fy_json_put_object(json, "basis_of");
	for (unsigned i = 0; i < FY_PURPOSE_COUNT; i++)
		if (fy_export_by_consent(field) >> i & 1)
			fy_json_put_str(json, fy_register_purposes[i].key,
					fy_str(fy_register_bases[FY_BASIS_CONSENT].key));
	fy_json_end(json);
	put_end(stream, record, value, field);
	put_bits(json, "seen_by", fy_register_viewers, FY_VIEWER_COUNT, field->seen_by);
	fy_json_end(json);
}

static void put_request(struct fy_json *json, const struct fy_rights_request *request)
{
	fy_json_put_uint(json, "id", request->id);
	fy_json_put_str(json, "kind", fy_right_kind_name(request->kind));
	fy_json_put_str(json, "state", fy_right_state_name(request->state));
	put_time(json, "received_at", request->received_at);
	put_time(json, "answer_by", request->answer_by);
	put_time(json, "ended_at", request->ended_at);
}

static void put_number(struct fy_json *json, const char *key, uint64_t number)
{
	if (number)
		fy_json_put_uint(json, key, number);
	else
		fy_json_put_null(json, key);
}

static void put_grant(struct fy_json *json, const struct fy_grant *grant)
{
	fy_json_put_uint(json, "id", grant->id);
	fy_json_put_str(json, "role", fy_role_key(grant->asker_role));
	fy_json_put_str(json, "purpose", fy_purpose_key(grant->purpose));
	fy_json_put_str(json, "state", fy_grant_state_key(grant->state));
	put_time(json, "asked_at", grant->asked_at);
	put_time(json, "ends_at", grant->ends_at);
	fy_json_put_bool(json, "emergency", grant->break_glass);
}

static void put_entered(struct fy_json *json, const struct fy_export_record *record)
{
	const struct fy_provided *person = record->entered;
	fy_json_put_uint(json, "id", person->id);
	if (record->provider.text.len)
		fy_json_put_str(json, "entered_by", record->provider.text);
	else
		fy_json_put_null(json, "entered_by");
	put_time(json, "entered_at", person->created_at);
	fy_json_put_str(json, "state", fy_people_state(person->state));
}

/* What places the record, and is about nobody else than who entered it. */
static void put_details(struct fy_json *json, const struct fy_export_record *record)
{
	fy_json_put_object(json, "details");
	switch (record->kind) {
	case FY_EXPORT_ACCOUNT:
		fy_json_put_uint(json, "id", record->account->id);
		fy_json_put_str(json, "role", fy_role_key(record->account->role));
		fy_json_put_str(json, "state", fy_str(fy_export_account_state(record->account->state)));
		break;
	case FY_EXPORT_EMAIL_CHANGE:
		put_time(json, "asked_at", record->email_change->asked_at);
		put_time(json, "expires_at", record->email_change->expires_at);
		break;
	case FY_EXPORT_HOLD:
		put_time(json, "placed_at", record->hold->placed_at);
		put_time(json, "review_at", record->hold->review_at);
		put_time(json, "lifted_at", record->hold->lifted_at);
		break;
	case FY_EXPORT_CONSENT:
		fy_json_put_str(json, "purpose", FY_LIT("market_research"));
		fy_json_put_str(json, "text_version", record->consent->text_version);
		break;
	case FY_EXPORT_SESSION:
	case FY_EXPORT_OFFICE_SESSION:
		fy_json_put_str(json, "id", fy_str(record->session->id));
		put_time(json, "ends_at", record->session->ends_at);
		break;
	case FY_EXPORT_GRANT:
		put_grant(json, record->grant);
		break;
	case FY_EXPORT_READ:
		fy_json_put_str(json, "role", fy_role_key(record->read->read.reader_role));
		fy_json_put_str(json, "purpose", fy_purpose_key(record->read->read.purpose));
		fy_json_put_bool(json, "emergency", record->read->break_glass);
		put_number(json, "access_request", record->read->read.request_id);
		break;
	case FY_EXPORT_ENTERED:
		put_entered(json, record);
		break;
	case FY_EXPORT_REQUEST:
		put_request(json, record->request);
		break;
	case FY_EXPORT_STEP:
		fy_json_put_uint(json, "request", record->request->id);
		put_time(json, "at", record->step->at);
		fy_json_put_str(json, "state", fy_right_state_name(record->step->to));
		fy_json_put_str(json, "by", fy_export_step_by(record));
		break;
	case FY_EXPORT_MESSAGE:
		fy_json_put_str(json, "reference", record->message->reference);
		put_time(json, "received_at", record->message->created_at);
		fy_json_put_str(json, "state", fy_str(fy_export_message_state(record->message->state)));
		put_time(json, "closed_at", record->message->closed_at);
		fy_json_put_str(json, "consent_text_version", record->message->consent_text_version);
		break;
	case FY_EXPORT_MAIL:
		put_time(json, "written_at", record->mail->created_at);
		break;
	}
	fy_json_put_bool(json, "unreadable", record->unreadable);
	fy_json_end(json);
}

void fy_export_json_record(struct fy_export_stream *stream, const struct fy_export_record *record)
{
	struct fy_json *json = &stream->json;
	fy_json_object(json);
	fy_json_put_str(json, "record", fy_str(record->row.holder->name));
	put_label(json, "label", record->row.holder->label);
	put_details(json, record);
	fy_json_put_array(json, "values");
	for (size_t i = 0; i < record->value_count; i++)
		put_value(stream, record, &record->values[i]);
	fy_json_end(json);
	fy_json_end(json);
}

void fy_export_json_foot(struct fy_export_stream *stream)
{
	fy_json_end(&stream->json);
	fy_json_end(&stream->json);
	fy_json_finish(&stream->json);
	fy_buf_put(&stream->buf, FY_LIT("\n"));
}
