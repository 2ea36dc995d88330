/* See register_view.h. */
#include "server/routes/register_view.h"

#include "foyer/config.h"
#include "foyer/require.h"
#include "protocol/datetime.h"
#include "server/export/export.h"
#include "server/pages/write.h"

#define TEXT_MAX 4096

struct fy_slice fy_register_periods(struct fy_ctx *ctx, const struct fy_policy_period *periods, size_t count)
{
	struct fy_buf out;
	fy_buf_init(&out, ctx->arena, TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct fy_register_keep *keep = &periods[i].keep;
		if (i)
			fy_text_put(&out, ctx->lang, FY_TEXT_RECORD_OR, (struct fy_text_args){ 0 });
		if (keep->setting && keep->setting_unit_s == 0) { /* a setting of an earlier version of the program */
			fy_buf_fmt(&out, "%s ", keep->setting);
		} else if (fy_register_keep_seconds(keep, ctx->config)) {
			fy_write_period(&out, ctx->lang, (uint64_t)fy_register_keep_seconds(keep, ctx->config));
			fy_buf_char(&out, ' ');
		}
		fy_buf_put(&out, periods[i].from[ctx->lang]);
	}
	return fy_buf_slice(&out);
}

static bool same_periods(const struct fy_policy_entry *a, const struct fy_policy_entry *b, enum fy_lang lang)
{
	if (a->period_count != b->period_count)
		return false;
	for (unsigned i = 0; i < a->period_count; i++) {
		const struct fy_register_keep *x = &a->periods[i].keep, *y = &b->periods[i].keep;
		if (x->seconds != y->seconds || !fy_eq(fy_str(x->setting), fy_str(y->setting)) ||
		    !fy_eq(a->periods[i].from[lang], b->periods[i].from[lang]))
			return false;
	}
	return true;
}

static bool same_terms(const struct fy_policy_entry *a, const struct fy_policy_entry *b, enum fy_lang lang)
{
	return fy_eq(a->category[lang], b->category[lang]) && fy_eq(a->holder[lang], b->holder[lang]) &&
	       fy_eq(a->persons[lang], b->persons[lang]) && fy_eq(a->purposes[lang], b->purposes[lang]) &&
	       fy_eq(a->basis[lang], b->basis[lang]) && fy_eq(a->provided_by[lang], b->provided_by[lang]) &&
	       fy_eq(a->then[lang], b->then[lang]) && fy_eq(a->seen_by[lang], b->seen_by[lang]) &&
	       same_periods(a, b, lang);
}

/* The labels of `entries[first]` and of all after it that say the same, which are marked as taken. */
static struct fy_slice fields_of(struct fy_ctx *ctx, const struct fy_policy_entry *entries, size_t first, size_t count,
				 uint32_t about, bool *taken)
{
	struct fy_buf out;
	fy_buf_init(&out, ctx->arena, TEXT_MAX);
	for (size_t i = first; i < count; i++) {
		if (taken[i] || (about && !(entries[i].about & about)) ||
		    !same_terms(&entries[first], &entries[i], ctx->lang))
			continue;
		taken[i] = true;
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		fy_buf_put(&out, entries[i].label[ctx->lang]);
	}
	return fy_buf_slice(&out);
}

size_t fy_register_rows(struct fy_ctx *ctx, const struct fy_policy_entry *entries, size_t count, uint32_t about,
			const struct fy_row_promise **ret_rows)
{
	struct fy_row_promise *rows = fy_new_array(ctx->arena, struct fy_row_promise, count + 1);
	bool *taken = fy_new_array(ctx->arena, bool, count + 1);
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct fy_policy_entry *e = &entries[i];
		if (taken[i] || (about && !(e->about & about)))
			continue;
		rows[n] = (struct fy_row_promise){
			.category = e->category[ctx->lang],
			.first = n == 0 || !fy_eq(rows[n - 1].category, e->category[ctx->lang]),
			.fields = fields_of(ctx, entries, i, count, about, taken),
			.holder = e->holder[ctx->lang],
			.persons = e->persons[ctx->lang],
			.purposes = e->purposes[ctx->lang],
			.basis = e->basis[ctx->lang],
			.source = e->provided_by[ctx->lang],
			.kept = fy_register_periods(ctx, e->periods, e->period_count),
			.then = e->then[ctx->lang],
			.seen = e->seen_by[ctx->lang],
		};
		n++;
	}
	*ret_rows = rows;
	return n;
}

/* As the template names it: no end is known, all on one day, or from one to another. */
static struct fy_slice goes(const struct fy_row_held_class *class)
{
	struct fy_date from = fy_paris_date(class->first_ends), to = fy_paris_date(class->last_ends);
	if (class->first_ends == 0)
		return FY_LIT("open");
	return memcmp(&from, &to, sizeof from) ? FY_LIT("span") : FY_LIT("day");
}

/* Adds a row to its class, whose fields are kept alike but where one of them says otherwise. */
static void add_to_class(struct fy_ctx *ctx, const struct fy_register_field *fields, size_t count,
			 const struct fy_register_since *since, struct fy_row_held_class *class)
{
	fy_time first = 0;
	for (size_t i = 0; i < count; i++) {
		fy_time end = fy_export_shows(&fields[i]) ? fy_register_end(&fields[i], since, ctx->config) : 0;
		first = first == 0 || (end && end < first) ? end : first;
	}
	class->count++;
	class->endless += first == 0;
	class->last_ends = first > class->last_ends ? first : class->last_ends;
	if (first && (class->first_ends == 0 || first < class->first_ends))
		class->first_ends = first;
}

static struct fy_row_held_class class_of(struct fy_ctx *ctx, const struct fy_register_row *held, size_t count,
					 bool *taken)
{
	size_t fields_count;
	const struct fy_register_table *holder = held->holder;
	const struct fy_register_field *fields = fy_register_fields_of(holder, &fields_count), *shown = NULL;
	struct fy_row_held_class class = { .label = holder->label[ctx->lang] };
	struct fy_register_since any = { 0 };
	struct fy_buf why;
	for (size_t i = 0; i < count; i++) {
		if (held[i].holder != holder)
			continue;
		taken[i] = true;
		add_to_class(ctx, fields, fields_count, &held[i].since, &class);
		for (unsigned t = 0; t < FY_TRIGGER_COUNT; t++)
			any.from[t] = held[i].since.from[t] ? held[i].since.from[t] : any.from[t];
	}
	for (size_t i = 0; i < fields_count && shown == NULL; i++)
		shown = fy_export_shows(&fields[i]) ? &fields[i] : NULL;
	FY_REQUIRE(shown != NULL);
	fy_buf_init(&why, ctx->arena, TEXT_MAX);
	fy_export_put_rules(&why, ctx->config, &any, shown, ctx->lang);
	class.why = fy_buf_slice(&why);
	class.goes = goes(&class);
	return class;
}

size_t fy_register_classes(struct fy_ctx *ctx, const struct fy_register_row *held, size_t count,
			   const struct fy_row_held_class **ret_rows)
{
	struct fy_row_held_class *rows = fy_new_array(ctx->arena, struct fy_row_held_class, count + 1);
	bool *taken = fy_new_array(ctx->arena, bool, count + 1);
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (!taken[i])
			rows[n++] = class_of(ctx, held + i, count - i, taken + i);
	*ret_rows = rows;
	return n;
}

static enum fy_text sentence_of(const struct fy_policy_change *c)
{
	static const struct {
		const char *kind;
		enum fy_text sentence;
	} all[] = {
		{ "basis", FY_TEXT_CHANGE_BASIS },
		{ "category", FY_TEXT_CHANGE_CATEGORY },
		{ "field_added", FY_TEXT_CHANGE_FIELD_ADDED },
		{ "field_removed", FY_TEXT_CHANGE_FIELD_REMOVED },
		{ "label", FY_TEXT_CHANGE_LABEL },
		{ "period", FY_TEXT_CHANGE_PERIOD },
		{ "persons_added", FY_TEXT_CHANGE_PERSONS_ADDED },
		{ "persons_removed", FY_TEXT_CHANGE_PERSONS_REMOVED },
		{ "provided_by", FY_TEXT_CHANGE_PROVIDED_BY },
		{ "purpose_added", FY_TEXT_CHANGE_PURPOSE_ADDED },
		{ "purpose_basis", FY_TEXT_CHANGE_PURPOSE_BASIS },
		{ "purpose_removed", FY_TEXT_CHANGE_PURPOSE_REMOVED },
		{ "then", FY_TEXT_CHANGE_THEN },
		{ "viewer_added", FY_TEXT_CHANGE_VIEWER_ADDED },
		{ "viewer_removed", FY_TEXT_CHANGE_VIEWER_REMOVED },
		{ "word", FY_TEXT_CHANGE_WORD },
	};
	enum fy_text sentence = FY_TEXT_NONE;
	for (size_t i = 0; i < FY_COUNT(all); i++)
		if (strcmp(all[i].kind, c->kind) == 0)
			sentence = all[i].sentence;
	FY_REQUIRE(sentence != FY_TEXT_NONE);
	bool none_left = sentence == FY_TEXT_CHANGE_PURPOSE_BASIS && !c->to[0].len;
	return none_left ? FY_TEXT_CHANGE_PURPOSE_BASIS_NONE : sentence;
}

const struct fy_row_change *fy_register_changes(struct fy_ctx *ctx, const struct fy_policy_version *version)
{
	struct fy_row_change *rows = fy_new_array(ctx->arena, struct fy_row_change, version->change_count + 1);
	for (size_t i = 0; i < version->change_count; i++) {
		const struct fy_policy_change *c = &version->changes[i];
		struct fy_text_args args = {
			.s = c->what[ctx->lang],
			.from = c->from_count ? fy_register_periods(ctx, c->from_periods, c->from_count)
					      : c->from[ctx->lang],
			.to = c->to_count ? fy_register_periods(ctx, c->to_periods, c->to_count) : c->to[ctx->lang],
		};
		struct fy_buf words;
		fy_buf_init(&words, ctx->arena, TEXT_MAX);
		fy_text_put(&words, ctx->lang, sentence_of(c), args);
		rows[i] = (struct fy_row_change){ .major = c->major, .words = fy_buf_slice(&words) };
	}
	return rows;
}

size_t fy_register_measures(struct fy_ctx *ctx, bool https, const struct fy_row_measure **ret_rows)
{
	static const enum fy_text all[] = {
		FY_TEXT_RECORD_SAFE_HTTPS,    FY_TEXT_RECORD_SAFE_SEALED, FY_TEXT_RECORD_SAFE_PASSWORDS,
		FY_TEXT_RECORD_SAFE_ATTEMPTS, FY_TEXT_RECORD_SAFE_OFFICE, FY_TEXT_RECORD_SAFE_SESSIONS,
		FY_TEXT_RECORD_SAFE_LOGS,
	};
	struct fy_row_measure *rows = fy_new_array(ctx->arena, struct fy_row_measure, FY_COUNT(all));
	struct fy_text_args args = { .n = (uint64_t)ctx->config->sessions_manager_minutes };
	size_t n = 0;
	for (size_t i = https ? 0 : 1; i < FY_COUNT(all); i++) {
		struct fy_buf out;
		fy_buf_init(&out, ctx->arena, TEXT_MAX);
		fy_text_put(&out, ctx->lang, all[i], args);
		rows[n++].words = fy_buf_slice(&out);
	}
	*ret_rows = rows;
	return n;
}
