/* Sending mail by SMTP (RFC 5321) without ever blocking the loop.
 * What to send and what to do about a failure are mail.c's. One client serves any number of fibers at a time, each on
 * a connection of its own, and keeps connections for the next messages until it is destroyed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/config.h"
#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "foyer/slice.h"

struct fy_smtp;

/* Texts end with a NUL and outlive the client. */
struct fy_smtp_options {
	const char *url;  /* smtp:// or smtps:// */
	const char *user; /* empty or NULL: no sign-in */
	struct fy_secret password;
	/* Of smtp://. Opportunistic TLS does not check the certificate: whoever could forge one could as well hide
	 * that TLS is on offer (RFC 7435). */
	enum fy_mail_tls tls;
	const char *ca_file; /* NULL: the system's authorities */
	unsigned connect_ms; /* to connect, agree on TLS and sign in; 0: 20 s */
	unsigned total_ms;   /* one message, connecting included; 0: 120 s */
};

struct fy_smtp_result {
	int code;               /* the server's last reply; 0: none */
	bool permanent;         /* sending this message again would fail again (RFC 5321 4.2.1) */
	struct fy_slice reason; /* for the operator: no address, and nothing the server wrote. In the arena */
};

/* FY_ERR_CONFIG: the address is none; FY_ERR_UNSUPPORTED: libcurl is not there. */
int fy_smtp_create(const struct fy_smtp_options *options, struct fy_smtp **ret_smtp);

/* One message to one recipient. 0 once the server has taken it over; FY_ERR_IO: ret_result says more. All slices stay
 * where they are until the call returns. */
fy_async int fy_smtp_send(struct fy_ctx *ctx, struct fy_smtp *smtp, struct fy_slice from, struct fy_personal to,
			  struct fy_secret message, struct fy_smtp_result *ret_result);

/* Takes leave of the server. No send may be running. Parks until the loop has let go of it. Accepts NULL. */
fy_async void fy_smtp_destroy(struct fy_smtp *smtp);
