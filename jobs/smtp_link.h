/* One connection to an SMTP server, signed in and ready for commands: made by libcurl, then spoken over by us.
 * libcurl resolves, connects, greets, negotiates TLS, checks the certificate and signs in (CURLOPT_CONNECT_ONLY on its
 * multi interface, driven by libuv). It does not send the message, because it waits for the reply to the end of data,
 * and for that to QUIT, in a blocking loop (smtp_done and smtp_disconnect in its lib/smtp.c, also with the multi
 * interface). What is said over the link is smtp.c's. */
#pragma once

#include <stdint.h>

#include "foyer/fiber.h"
#include "foyer/slice.h"
#include "jobs/smtp.h"

struct fy_smtp_hub;
struct fy_smtp_link;

/* The multi handle and its timer, shared by the links. FY_ERR_UNSUPPORTED: libcurl is not there. */
int fy_smtp_hub_create(struct fy_smtp_hub **ret_hub);
/* No link may be open. Parks until the loop has let go of it. */
fy_async void fy_smtp_hub_destroy(struct fy_smtp_hub *hub);

/* FY_ERR_IO: ret_result says why; never permanent, as it is not about a message. `deadline_ms` as in fy_wait. */
fy_async int fy_smtp_link_open(struct fy_arena *arena, struct fy_smtp_hub *hub, const struct fy_smtp_options *options,
			       uint64_t deadline_ms, struct fy_smtp_link **ret_link, struct fy_smtp_result *ret_result);

/* Closes the connection as it is. */
void fy_smtp_link_close(struct fy_smtp_link *link);

/* Sends all of it. FY_ERR_IO, FY_ERR_TIMEOUT: the link is good for nothing but close. */
fy_async int fy_smtp_link_put(struct fy_smtp_link *link, struct fy_slice text, uint64_t deadline_ms);

/* Reads one reply, of several lines or one (RFC 5321 4.2): its code. FY_ERR_IO, FY_ERR_TIMEOUT, FY_ERR_PROTOCOL. */
fy_async int fy_smtp_link_reply(struct fy_smtp_link *link, uint64_t deadline_ms, int *ret_code);
