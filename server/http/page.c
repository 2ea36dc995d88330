/* Fills struct fy_page from a request; see page.h. */
#include "server/http/page.h"

#include "foyer/require.h"
#include "server/http/request.h"
#include "server/http/visitor.h"

#define PAGE_MAX ((size_t)1 << 20)
#define PAGE_USUAL ((size_t)12288) /* most pages fit: one allocation and no copy */

static const char *const office_paths[] = {
	[FY_OFFICE_SESSIONS] = "/manage/sessions",
	[FY_OFFICE_CONTACT] = "/manage/contact",
	[FY_OFFICE_REQUESTS] = "/manage/requests",
	[FY_OFFICE_HOLDS] = "/manage/holds",
	[FY_OFFICE_BREACHES] = "/manage/breaches",
	[FY_OFFICE_STUDIES] = "/manage/studies",
	[FY_OFFICE_JOBS] = "/manage/jobs",
	[FY_OFFICE_PEOPLE] = "/manage/people",
	[FY_OFFICE_ACCESS] = "/manage/access-requests",
	[FY_OFFICE_LOG] = "/manage/access-log",
	[FY_OFFICE_PRIVACY] = "/manage/privacy",
};

static bool may_open(const char *path, unsigned role)
{
	struct fy_route_match match;
	fy_router_match(FY_GET, fy_str(path), &match);
	return match.route && match.route->roles >> role & 1;
}

const char *fy_page_office_front(unsigned role)
{
	for (size_t i = 0; i < FY_COUNT(office_paths); i++)
		if (may_open(office_paths[i], role))
			return office_paths[i];
	return NULL;
}

void fy_page_init(struct fy_req *req, struct fy_page *ret_page)
{
	*ret_page = (struct fy_page){
		.lang = req->ctx.lang,
		.site_name = req->app->config->site_name,
		.site_address = req->app->config->site_address,
		.path = req->head.path.len ? req->head.path : FY_LIT("/"),
		.query = fy_visitor_query_without_lang(req),
		.request_id = req->ctx.request_id,
		.now = req->ctx.now,
	};
	if (req->session == NULL)
		return;
	bool manager = req->session->kind == FY_SESSION_MANAGER;
	ret_page->role = manager ? FY_PAGE_MANAGER : FY_PAGE_MEMBER;
	for (size_t i = 0; manager && i < FY_COUNT(office_paths); i++)
		if (may_open(office_paths[i], req->session->role))
			ret_page->office |= 1u << i;
	ret_page->expires = manager ? req->session->ends_at : 0;
	ret_page->csrf.text = fy_req_csrf(req); /* the sign-out button is a form */
}

void fy_page_with_form(struct fy_req *req, struct fy_page *ret_page)
{
	fy_page_init(req, ret_page);
	ret_page->csrf.text = fy_req_csrf(req);
}

void fy_page_buf(struct fy_req *req, struct fy_buf *ret_buf)
{
	fy_buf_init(ret_buf, &req->arena, PAGE_MAX);
	fy_buf_reserve(ret_buf, PAGE_USUAL);
}
