/* base64 (with padding), base64url (RFC 4648 5, without padding) and hexadecimal.
 * Leaves what the bytes mean to its callers: tokens, digests, mail. Decoding is strict: no white space, no
 * foreign characters, no leftover bits, so that one value has one spelling. Not constant-time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "foyer/arena.h"
#include "foyer/buf.h"
#include "foyer/slice.h"

#define FY_BASE64URL_LEN(n) (((n)*4 + 2) / 3)
#define FY_BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* `out` has room for FY_BASE64URL_LEN(len) bytes; no NUL is added. Returns the length written. */
size_t fy_base64url_encode(char *out, const void *data, size_t len);
size_t fy_base64_encode(char *out, const void *data, size_t len);
void fy_put_base64url(struct fy_buf *buf, struct fy_slice data);
void fy_put_base64(struct fy_buf *buf, struct fy_slice data);

/* FY_ERR_INVALID for bad text, FY_ERR_TOO_LARGE when it decodes to more than `max` bytes. */
int fy_base64url_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len);
int fy_base64_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len);

/* Lower case out; either case in. `out` has room for 2 * len bytes. */
void fy_hex_encode(char *out, const void *data, size_t len);
int fy_hex_decode(struct fy_slice text, void *out, size_t max, size_t *ret_len);
