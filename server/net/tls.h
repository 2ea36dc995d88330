/* TLS for accepted connections with mbedTLS, as bytes in and bytes out: no sockets here.
 * The connection feeds ciphertext, takes plaintext, and sends what is pending. mbedTLS 2.28 (Debian 12)
 * speaks TLS 1.2, 3.6 (Debian 13) 1.2 and 1.3; only AEAD suites with ECDHE are offered. What differs
 * between the two versions is in tls.c alone. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "foyer/slice.h"

struct fy_tls_config; /* certificate, key and rules; reference-counted */
struct fy_tls;        /* one connection */

/* Paths of PEM files. On failure logs one line with the file and mbedTLS' reason; FY_ERR_CONFIG. */
int fy_tls_config_create(const char *certificate, const char *key, struct fy_tls_config **ret_config);
void fy_tls_config_destroy(struct fy_tls_config *config); /* drops a reference; accepts NULL */

struct fy_tls *fy_tls_create(struct fy_tls_config *config); /* NULL: out of memory */
void fy_tls_destroy(struct fy_tls *tls);

/* Hands over received ciphertext, all of it, before fy_tls_read is called until it returns 0. The
 * ciphertext is copied. FY_ERR_TOO_LARGE when more than a record's worth waits unread. */
int fy_tls_feed(struct fy_tls *tls, struct fy_slice ciphertext);

/* Plaintext bytes, 0 when it needs more ciphertext (the handshake runs in here too: send what is pending
 * after each call), UV_EOF after a close_notify, or another negative error: close. */
ssize_t fy_tls_read(struct fy_tls *tls, char *ptr, size_t len);

/* Encrypts all of `plain` behind what is pending. Only after the handshake. */
int fy_tls_write(struct fy_tls *tls, struct fy_slice plain);
void fy_tls_close_notify(struct fy_tls *tls);

/* Ciphertext to send. The memory stays with `tls` until fy_tls_sent. */
struct fy_slice fy_tls_pending(struct fy_tls *tls);
void fy_tls_sent(struct fy_tls *tls, size_t len);
bool fy_tls_ready(const struct fy_tls *tls); /* the handshake is over */
