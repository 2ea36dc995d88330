/* See session_rows.h. */
#include "server/routes/session_rows.h"

#include "protocol/netaddr.h"

struct fy_slice fy_session_network(struct fy_req *req, const struct fy_session *session)
{
	char *text = fy_alloc(&req->arena, FY_ADDR_TEXT_MAX);
	struct fy_addr address;
	memcpy(address.b, session->address, sizeof address.b);
	return fy_slice(text, fy_addr_text(&address, text));
}

struct fy_slice fy_session_device(const struct fy_session *session)
{
	return fy_slice(session->device, strnlen(session->device, sizeof session->device));
}

const char *fy_session_kind_name(enum fy_session_kind kind)
{
	return kind == FY_SESSION_MANAGER ? "manager" : "visitor";
}
