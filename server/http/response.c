/* Serialises responses; see response.h. The security fields are the same for every response of a kind, so
 * they are constants: a handler can neither forget nor weaken them. */
#include "server/http/response.h"

#include "foyer/require.h"
#include "protocol/etag.h"
#include "server/http/request.h"
#include "server/http/server.h"

#define HEAD_MAX ((size_t)16384)

/* Sent with everything. Nothing of ours needs scripts, frames, or another origin, so all is closed. */
#define COMMON_FIELDS                                 \
	"X-Content-Type-Options: nosniff\r\n"         \
	"Referrer-Policy: same-origin\r\n"            \
	"Cross-Origin-Opener-Policy: same-origin\r\n" \
	"Cross-Origin-Resource-Policy: same-origin\r\n"

#define PAGE_FIELDS                                                                                           \
	"Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "    \
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n"                                     \
	"X-Frame-Options: DENY\r\n"                                                                           \
	"Permissions-Policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " \
	"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), browsing-topics=()\r\n"

#define DATA_FIELDS "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"

const char *fy_status_text(int status)
{
	switch (status) {
	case 100:
		return "Continue";
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 204:
		return "No Content";
	case 302:
		return "Found";
	case 303:
		return "See Other";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 421:
		return "Misdirected Request";
	case 422:
		return "Unprocessable Content";
	case 428:
		return "Precondition Required";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Unknown";
	}
}

static void put_head(struct fy_req *req, const struct fy_http *http, struct fy_buf *head)
{
	struct fy_response *res = &req->res;
	fy_buf_put(head, FY_LIT("HTTP/1.1 "));
	fy_buf_u64(head, (uint64_t)res->status);
	fy_buf_char(head, ' ');
	fy_buf_put(head, fy_str(fy_status_text(res->status)));
	fy_buf_put(head, FY_LIT("\r\nDate: "));
	fy_buf_put(head, fy_slice(http->date, 29));
	fy_buf_put(head, FY_LIT("\r\nX-Request-Id: "));
	fy_buf_put(head, req->ctx.request_id);
	fy_buf_put(head, FY_LIT("\r\n" COMMON_FIELDS));
	if (res->type.len) {
		fy_buf_put(head, FY_LIT("Content-Type: "));
		fy_buf_put(head, res->type);
		fy_buf_put(head, FY_LIT("\r\n"));
	}
	if (fy_starts(res->type, FY_LIT("text/html")))
		fy_buf_put(head, FY_LIT(PAGE_FIELDS));
	else
		fy_buf_put(head, FY_LIT(DATA_FIELDS));
	if (req->secure)
		fy_buf_put(head, FY_LIT("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"));
	if (!res->cacheable)
		fy_buf_put(head, FY_LIT("Cache-Control: no-store\r\n"));
	if (res->etag.len) {
		fy_buf_put(head, FY_LIT("ETag: "));
		fy_buf_put(head, res->etag);
		fy_buf_put(head, FY_LIT("\r\n"));
	}
	fy_buf_put(head, fy_buf_slice(&res->headers));
	if (res->close)
		fy_buf_put(head, FY_LIT("Connection: close\r\n"));
	else if (req->head.minor == 0)
		fy_buf_put(head, FY_LIT("Connection: keep-alive\r\n"));
}

void fy_response_build(struct fy_req *req, const struct fy_http *http, struct fy_slice *ret_head,
		       struct fy_slice *ret_body)
{
	struct fy_response *res = &req->res;
	struct fy_buf head;
	if (FY_CHECK(res->status != 0))
		fy_reply_error(req, FY_ERR_INTERNAL);
	bool reading = req->head.method == FY_GET || req->head.method == FY_HEAD;
	if (res->status == 200 && res->etag.len && reading) {
		enum fy_condition condition = fy_etag_evaluate(&req->head, res->etag, 0);
		if (condition == FY_CONDITION_NOT_MODIFIED) {
			res->status = 304;
		} else if (condition == FY_CONDITION_FAILED) {
			/* An error of its own: nothing that was said about the resource goes with it. */
			fy_buf_init(&res->headers, &req->arena, 8192);
			fy_reply_status(req, 412, FY_NONE);
		}
	}
	bool bodyless = res->status == 204 || res->status == 304;
	fy_buf_init(&head, &req->arena, HEAD_MAX);
	fy_buf_reserve(&head, 1280);
	put_head(req, http, &head);
	if (!bodyless) {
		fy_buf_put(&head, FY_LIT("Content-Length: "));
		fy_buf_u64(&head, res->body.len);
		fy_buf_put(&head, FY_LIT("\r\n"));
	}
	fy_buf_put(&head, FY_LIT("\r\n"));
	FY_REQUIRE(!head.failed);
	*ret_head = fy_buf_slice(&head);
	*ret_body = bodyless || req->head_only || req->head.method == FY_HEAD ? FY_NONE : res->body;
	req->sent = ret_body->len;
}

struct fy_slice fy_response_stream_head(struct fy_req *req, const struct fy_http *http)
{
	struct fy_buf head;
	fy_buf_init(&head, &req->arena, HEAD_MAX);
	if (req->head.minor == 0)
		req->res.close = true;
	put_head(req, http, &head);
	if (req->head.minor > 0)
		fy_buf_put(&head, FY_LIT("Transfer-Encoding: chunked\r\n"));
	fy_buf_put(&head, FY_LIT("\r\n"));
	FY_REQUIRE(!head.failed);
	return fy_buf_slice(&head);
}
