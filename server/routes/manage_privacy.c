/* The record of processing activities (GDPR Article 30): a sheet for each activity of the data register, with the
 * settings as they are, to be read, printed or opened as a table. What a row of promises says is register_view.h's. */
#include "foyer/require.h"
#include "protocol/csv.h"
#include "protocol/datetime.h"
#include "server/routes/form.h"
#include "server/routes/proof_rows.h"
#include "server/routes/register_view.h"
#include "server/routes/tables.h"
#include "storage/announcements.h"

#define TEXT_MAX 16384
#define CSV_MAX ((size_t)1 << 20)

/* What an activity's fields have together; the rest is told field by field. */
struct sums {
	uint32_t purposes, persons, viewers, sources;
};

static void add_up(struct sums *sums, const struct fy_register_table *holder, const struct fy_register_field *field,
		   enum fy_register_activity activity)
{
	if (field->mark == FY_MARK_PUBLIC || holder->activity != activity)
		return;
	sums->purposes |= field->purposes;
	sums->persons |= holder->persons;
	sums->viewers |= field->seen_by;
	sums->sources |= 1u << field->provided_by;
}

static struct sums sums_of(enum fy_register_activity activity)
{
	struct sums sums = { 0 };
	for (size_t i = 0; i < fy_register_field_count; i++)
		add_up(&sums, &fy_register_tables[fy_register_fields[i].table], &fy_register_fields[i], activity);
	for (size_t i = 0; i < fy_register_store_field_count; i++)
		add_up(&sums, &fy_register_stores[fy_register_store_fields[i].table], &fy_register_store_fields[i],
		       activity);
	return sums;
}

static struct fy_slice words_of(struct fy_ctx *ctx, const struct fy_register_word *words, unsigned count, uint32_t bits)
{
	struct fy_buf out;
	fy_buf_init(&out, ctx->arena, TEXT_MAX);
	for (unsigned i = 0; i < count; i++) {
		if (!(bits >> i & 1))
			continue;
		if (out.len)
			fy_buf_put(&out, FY_LIT(", "));
		fy_buf_put(&out, words[i].label[ctx->lang]);
	}
	return fy_buf_slice(&out);
}

/* A line for each of `keys` that differs: "identity – First name, Last name (Account), …". */
static struct fy_slice grouped(struct fy_ctx *ctx, const struct fy_row_promise *rows, const struct fy_slice *keys,
			       size_t count, bool fields)
{
	struct fy_buf out;
	fy_buf_init(&out, ctx->arena, TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		for (size_t k = 0; k < i && !known; k++)
			known = fy_eq(keys[k], keys[i]);
		if (known)
			continue;
		fy_buf_fmt(&out, "%s" FY_FMT, i ? "\n" : "", FY_ARG(keys[i]));
		for (size_t k = i; k < count && fields; k++)
			if (fy_eq(keys[k], keys[i]))
				fy_buf_fmt(&out, "%s" FY_FMT " (" FY_FMT ")", k == i ? " – " : ", ",
					   FY_ARG(rows[k].fields), FY_ARG(rows[k].holder));
	}
	return fy_buf_slice(&out);
}

static void put_rows(struct fy_ctx *ctx, const struct fy_row_promise *rows, size_t count, struct fy_row_sheet *sheet)
{
	struct fy_slice *categories = fy_new_array(ctx->arena, struct fy_slice, 3 * count);
	struct fy_slice *periods = categories + count, *bases = periods + count;
	for (size_t i = 0; i < count; i++) {
		categories[i] = rows[i].category;
		periods[i] = fy_fmt(ctx->arena, FY_FMT "; " FY_FMT, FY_ARG(rows[i].kept), FY_ARG(rows[i].then));
		bases[i] = rows[i].basis;
	}
	sheet->data = grouped(ctx, rows, categories, count, true);
	sheet->periods = grouped(ctx, rows, periods, count, true);
	sheet->basis = grouped(ctx, rows, bases, count, false);
}

/* Activities without data have no sheet. */
static size_t make_sheets(struct fy_ctx *ctx, const struct fy_row_sheet **ret_sheets)
{
	const struct fy_policy_version *policy = fy_policy_in_force(&fy_policy_versions, ctx->now);
	struct fy_row_sheet *sheets = fy_new_array(ctx->arena, struct fy_row_sheet, FY_ACTIVITY_COUNT);
	struct fy_policy_entry *of = fy_new_array(ctx->arena, struct fy_policy_entry, policy->entry_count);
	size_t n = 0;
	for (unsigned activity = 0; activity < FY_ACTIVITY_COUNT; activity++) {
		struct fy_slice label = fy_register_activities[activity].label[ctx->lang];
		struct sums sums = sums_of((enum fy_register_activity)activity);
		const struct fy_row_promise *rows;
		size_t count = 0;
		for (size_t i = 0; i < policy->entry_count; i++)
			if (fy_eq(policy->entries[i].activity[ctx->lang], label))
				of[count++] = policy->entries[i];
		if (count == 0)
			continue;
		count = fy_register_rows(ctx, of, count, 0, &rows);
		sheets[n] = (struct fy_row_sheet){
			.activity = label,
			.purposes = words_of(ctx, fy_register_purposes, FY_PURPOSE_COUNT, sums.purposes),
			.persons = words_of(ctx, fy_register_persons, FY_PERSONS_COUNT, sums.persons),
			.recipients = words_of(ctx, fy_register_viewers, FY_VIEWER_COUNT, sums.viewers),
			.source = words_of(ctx, fy_register_sources, FY_SOURCE_COUNT, sums.sources),
		};
		put_rows(ctx, rows, count, &sheets[n++]);
	}
	*ret_sheets = sheets;
	return n;
}

/* Newest first. */
fy_async static bool list_news(struct fy_req *req, struct fy_view_manage_privacy *view)
{
	struct fy_announcement *items;
	size_t count;
	if (fy_announcements_list(&req->ctx, &items, &count))
		return false;
	struct fy_row_policy_news *rows = fy_new_array(&req->arena, struct fy_row_policy_news, count);
	for (size_t i = 0; i < count; i++) {
		const struct fy_announcement *item = &items[count - 1 - i];
		const struct fy_policy_version *version = item->version;
		bool later = strcmp(version->effective, version->date) != 0;
		rows[i] = (struct fy_row_policy_news){
			.date = fy_str(version->date),
			.day = fy_policy_day(version),
			.effective = later ? fy_policy_effective(version) : 0,
			.silent = item->silent,
			.counted = item->telling.counted,
			.told = item->telling.told,
			.persons = item->telling.persons,
			.ended = item->ended_at,
			.rewritten = item->rewritten,
		};
	}
	view->news = rows;
	view->news_count = count;
	return true;
}

fy_async static int show(struct fy_req *req)
{
	const struct fy_config *config = req->app->config;
	const struct fy_policy_version *policy = fy_policy_in_force(&fy_policy_versions, req->ctx.now);
	struct fy_view_manage_privacy view = {
		.contact = config->site_contact,
		.dpo_name = config->site_dpo_name,
		.dpo_contact = config->site_dpo_contact,
		.date = fy_str(policy->date),
		.version = fy_policy_day(policy),
		.fingerprint = fy_str(policy->fingerprint),
		.mail_files = config->mail_transport == FY_MAIL_DIRECTORY,
	};
	struct fy_page page;
	struct fy_buf out;
	view.sheets_count = make_sheets(&req->ctx, &view.sheets);
	view.measures_count = fy_register_measures(&req->ctx, req->app->secure_cookies, &view.measures);
	view.proofs_count = fy_proof_rows(&req->ctx, &view.proofs);
	view.news_known = list_news(req, &view);
	fy_page_with_form(req, &page);
	fy_page_buf(req, &out);
	fy_page_manage_privacy(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

static struct fy_slice dpo_of(struct fy_req *req)
{
	const struct fy_config *config = req->app->config;
	return config->site_dpo_name.len ? fy_fmt(&req->arena, FY_FMT ", " FY_FMT, FY_ARG(config->site_dpo_name),
						  FY_ARG(config->site_dpo_contact))
					 : config->site_dpo_contact;
}

static struct fy_slice measures_of(struct fy_req *req)
{
	const struct fy_row_measure *measures;
	size_t count = fy_register_measures(&req->ctx, req->app->secure_cookies, &measures);
	struct fy_buf out;
	fy_buf_init(&out, &req->arena, TEXT_MAX);
	for (size_t i = 0; i < count; i++)
		fy_buf_fmt(&out, "%s" FY_FMT, i ? "\n" : "", FY_ARG(measures[i].words));
	return fy_buf_slice(&out);
}

fy_async static int show_csv(struct fy_req *req)
{
	static const enum fy_text heads[] = {
		FY_TEXT_RECORD_ACTIVITY, FY_TEXT_RECORD_CONTROLLER, FY_TEXT_RECORD_CONTACT, FY_TEXT_RECORD_DPO,
		FY_TEXT_RECORD_PURPOSES, FY_TEXT_RECORD_PERSONS,    FY_TEXT_RECORD_DATA,    FY_TEXT_RECORD_RECIPIENTS,
		FY_TEXT_RECORD_OUTSIDE,  FY_TEXT_RECORD_TRANSFERS,  FY_TEXT_RECORD_PERIODS, FY_TEXT_RECORD_BASIS,
		FY_TEXT_RECORD_SOURCE,   FY_TEXT_RECORD_MEASURES,   FY_TEXT_RECORD_VERSION,
	};
	const struct fy_config *config = req->app->config;
	const struct fy_row_sheet *sheets;
	size_t count = make_sheets(&req->ctx, &sheets);
	const char *date = fy_policy_in_force(&fy_policy_versions, req->ctx.now)->date;
	enum fy_lang lang = req->ctx.lang;
	struct fy_slice cells[FY_COUNT(heads)], measures = measures_of(req);
	struct fy_buf out;
	fy_buf_init(&out, &req->arena, CSV_MAX);
	fy_buf_put(&out, FY_CSV_BOM);
	for (size_t i = 0; i < FY_COUNT(heads); i++)
		cells[i] = fy_text(lang, heads[i]);
	fy_csv_row(&out, cells, FY_COUNT(heads));
	for (size_t i = 0; i < count; i++) {
		const struct fy_row_sheet *sheet = &sheets[i];
		const struct fy_slice row[FY_COUNT(heads)] = {
			sheet->activity,
			fy_fmt(&req->arena, FY_FMT ", " FY_FMT, FY_ARG(config->site_name),
			       FY_ARG(config->site_address)),
			config->site_contact,
			dpo_of(req),
			sheet->purposes,
			sheet->persons,
			sheet->data,
			sheet->recipients,
			fy_text(lang, FY_TEXT_RECORD_OUTSIDE_TEXT),
			fy_text(lang, FY_TEXT_RECORD_TRANSFERS_TEXT),
			sheet->periods,
			sheet->basis,
			sheet->source,
			measures,
			fy_str(date),
		};
		fy_csv_row(&out, row, FY_COUNT(row));
	}
	if (out.failed)
		return FY_ERR_TOO_LARGE;
	fy_header(req, "Content-Disposition",
		  fy_fmt(&req->arena, "attachment; filename=\"%s-%s.csv\"", lang == FY_LANG_EN ? "record" : "registre",
			 date));
	return fy_reply(req, 200, FY_LIT("text/csv; charset=utf-8; header=present"), fy_buf_slice(&out));
}

const struct fy_route fy_manage_privacy_routes[] = {
	{ FY_GET, "/manage/privacy", show, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES(OWNER) | FY_ROLES(AUDITOR) | FY_ROLES(DPO) },
	{ FY_GET, "/manage/privacy/record.csv", show_csv, .access = FY_ACCESS_MANAGER,
	  .roles = FY_ROLES(OWNER) | FY_ROLES(AUDITOR) | FY_ROLES(DPO) },
};
const unsigned fy_manage_privacy_route_count = sizeof fy_manage_privacy_routes / sizeof fy_manage_privacy_routes[0];
