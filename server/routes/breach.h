/* What the routes of the breach register share: finding a breach by the path, and its facts in a view. */
#pragma once

#include "server/routes/form.h"
#include "storage/breaches.h"

/* The breach that the path's `id` names. FY_ERR_NOT_FOUND. */
fy_async int fy_breach_find(struct fy_req *req, struct fy_breach *ret_breach);

/* "/manage/breaches/7" and what follows it. */
struct fy_slice fy_breach_path(struct fy_req *req, uint64_t id, const char *rest);

/* What the one who is signed in is about to change. */
struct fy_breach_change fy_breach_change_of(const struct fy_req *req, const struct fy_breach *breach, uint32_t version);

/* 303 to the breach, saying that the register is up to date. */
int fy_breach_saved(struct fy_req *req, uint64_t id);

/* "12", or empty where it is not known. */
struct fy_slice fy_breach_number(struct fy_req *req, bool known, uint64_t number);
struct fy_slice fy_breach_risk_name(enum fy_breach_risk risk); /* "0" to "3": the option's value */

/* The members that parts/breach_facts.html shows, alike in each view that includes it. */
#define FY_BREACH_FACTS(req, f)                                                                                       \
	.discovered = (f)->discovered_at, .aware = (f)->aware_at, .from = (f)->occurred_from, .to = (f)->occurred_to, \
	.confidentiality = (f)->confidentiality, .integrity = (f)->integrity, .availability = (f)->availability,      \
	.nature = (f)->nature, .persons_categories = (f)->persons_categories,                                         \
	.persons = fy_breach_number(req, (f)->has_persons, (f)->persons), .data_categories = (f)->data_categories,    \
	.records = fy_breach_number(req, (f)->has_records, (f)->records), .consequences = (f)->consequences,          \
	.measures_taken = (f)->measures_taken, .measures_planned = (f)->measures_planned,                             \
	.risk = fy_breach_risk_name((f)->risk)
