/* What every page needs beside its own view, taken from the request. Called by routes and error answers. */
#pragma once

#include "server/pages/pages.h"

struct fy_req;

/* Fills the layout's part: language, path, who is signed in, the form token. A visitor without a cookie
 * gets one only through fy_page_with_form, so that reading a page sets none. */
void fy_page_init(struct fy_req *req, struct fy_page *ret_page);
void fy_page_with_form(struct fy_req *req, struct fy_page *ret_page);

/* Where a member of staff begins: the first page that the role may open. NULL: none. */
const char *fy_page_office_front(unsigned role);

/* A buffer in the request's arena, ready for a page. */
void fy_page_buf(struct fy_req *req, struct fy_buf *ret_buf);
