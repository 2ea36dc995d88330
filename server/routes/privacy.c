/* The privacy policy: the page that the data register makes (GDPR Articles 13 and 14), its published versions, and
 * what changed from one to the next. What a version holds is storage/policy.h's. */
#include "server/routes/form.h"
#include "server/routes/proof_rows.h"
#include "server/routes/register_view.h"
#include "server/routes/tables.h"

fy_async static int show(struct fy_req *req)
{
	const struct fy_config *config = req->app->config;
	const struct fy_policy_version *policy = fy_policy_in_force(&fy_policy_versions, req->ctx.now);
	const struct fy_policy_version *next = policy == fy_policy_now() ? NULL : policy + 1;
	struct fy_view_privacy view = {
		.contact = config->site_contact,
		.dpo_name = config->site_dpo_name,
		.dpo_contact = config->site_dpo_contact,
		.version = fy_policy_day(policy),
		.coming = next ? fy_policy_effective(next) : 0,
		.coming_date = next ? fy_str(next->date) : FY_NONE,
		.mail_files = config->mail_transport == FY_MAIL_DIRECTORY,
	};
	struct fy_page page;
	struct fy_buf out;
	view.promises_count = fy_register_rows(&req->ctx, policy->entries, policy->entry_count, 0, &view.promises);
	view.proofs_count = fy_proof_rows(&req->ctx, &view.proofs);
	view.measures_count = fy_register_measures(&req->ctx, req->app->secure_cookies, &view.measures);
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_privacy(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

fy_async static int list(struct fy_req *req)
{
	const struct fy_policy_list *all = &fy_policy_versions;
	const struct fy_policy_version *now = fy_policy_in_force(all, req->ctx.now);
	struct fy_row_policy_version *rows = fy_new_array(&req->arena, struct fy_row_policy_version, all->count);
	struct fy_page page;
	struct fy_buf out;
	for (size_t i = 0; i < all->count; i++) {
		const struct fy_policy_version *version = &all->items[all->count - 1 - i];
		rows[i] = (struct fy_row_policy_version){
			.date = fy_str(version->date),
			.day = fy_policy_day(version),
			.effective = fy_policy_effective(version),
			.fingerprint = fy_str(version->fingerprint),
			.major = version->major,
			.first = version == all->items,
			.now = version == now,
			.coming = version > now,
		};
	}
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_policy_versions(&out, &page,
				&(struct fy_view_policy_versions){ .versions = rows, .versions_count = all->count });
	return fy_reply_html(req, 200, &out);
}

fy_async static int show_version(struct fy_req *req)
{
	const struct fy_policy_version *version = fy_policy_find(&fy_policy_versions, fy_param(req, "date"));
	struct fy_page page;
	struct fy_buf out;
	if (version == NULL)
		return FY_ERR_NOT_FOUND;
	struct fy_view_policy_version view = {
		.date = fy_str(version->date),
		.day = fy_policy_day(version),
		.fingerprint = fy_str(version->fingerprint),
		.first = version == fy_policy_versions.items,
	};
	view.promises_count = fy_register_rows(&req->ctx, version->entries, version->entry_count, 0, &view.promises);
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_policy_version(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

fy_async static int show_changes(struct fy_req *req)
{
	const struct fy_policy_version *version = fy_policy_find(&fy_policy_versions, fy_param(req, "date"));
	struct fy_page page;
	struct fy_buf out;
	if (version == NULL)
		return FY_ERR_NOT_FOUND;
	struct fy_view_policy_changes view = {
		.date = fy_str(version->date),
		.day = fy_policy_day(version),
		.effective = strcmp(version->effective, version->date) ? fy_policy_effective(version) : 0,
		.before = version == fy_policy_versions.items ? 0 : fy_policy_day(version - 1),
		.major = version->major,
		.changes_count = version->change_count,
	};
	view.changes = fy_register_changes(&req->ctx, version);
	fy_page_init(req, &page);
	fy_page_buf(req, &out);
	fy_page_policy_changes(&out, &page, &view);
	return fy_reply_html(req, 200, &out);
}

/* The bytes that the fingerprint is of, so that anybody can check it. */
fy_async static int show_file(struct fy_req *req)
{
	const struct fy_policy_version *version = fy_policy_find(&fy_policy_versions, fy_param(req, "date"));
	if (version == NULL)
		return FY_ERR_NOT_FOUND;
	return fy_reply(req, 200, FY_LIT("application/json"), version->file);
}

static const struct fy_param version_params[] = { FY_PATH("date", 10) };

const struct fy_route fy_privacy_routes[] = {
	{ FY_GET, "/privacy", show, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/privacy/versions", list, .access = FY_ACCESS_VISITOR },
	{ FY_GET, "/privacy/versions/:date", show_version, .access = FY_ACCESS_VISITOR, FY_PARAMS(version_params) },
	{ FY_GET, "/privacy/versions/:date/changes", show_changes, .access = FY_ACCESS_VISITOR,
	  FY_PARAMS(version_params) },
	{ FY_GET, "/privacy/versions/:date/file", show_file, .access = FY_ACCESS_VISITOR, FY_PARAMS(version_params) },
};
const unsigned fy_privacy_route_count = sizeof fy_privacy_routes / sizeof fy_privacy_routes[0];
