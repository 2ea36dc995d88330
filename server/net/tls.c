/* mbedTLS over memory buffers; see tls.h. The one place that knows the differences between mbedTLS 2.28 and
 * 3.6: the random callback (3.x wants one for the key), PSA (3.6 needs it for TLS 1.3), version setters. */
#include "server/net/tls.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <sodium.h>
#include <stdlib.h>
#include <uv.h>

#include "foyer/buf.h"
#include "foyer/err.h"
#include "foyer/log.h"
#include "foyer/require.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define MBEDTLS_3 1
#include <psa/crypto.h>
#endif

#define INPUT_MAX ((size_t)131072)   /* one read of the socket and what mbedTLS left of the last */
#define OUTPUT_MAX ((size_t)8 << 20) /* a whole response, encrypted */

struct fy_tls_config {
	mbedtls_ssl_config ssl;
	mbedtls_x509_crt certificate;
	mbedtls_pk_context key;
	unsigned references;
};

struct fy_tls {
	struct fy_tls_config *config;
	mbedtls_ssl_context ssl;
	struct fy_buf input, output;
	size_t input_used;
	bool ready;
};

/* Forward secrecy and authenticated encryption only (RFC 9325 4.2). The names of TLS 1.3 are found by
 * mbedTLS 3.6 alone; 2.28 skips what it does not know. */
static const char *const suite_names[] = {
	"TLS1-3-AES-128-GCM-SHA256",
	"TLS1-3-AES-256-GCM-SHA384",
	"TLS1-3-CHACHA20-POLY1305-SHA256",
	"TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256",
	"TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256",
	"TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384",
	"TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384",
	"TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256",
	"TLS-ECDHE-RSA-WITH-CHACHA20-POLY1305-SHA256",
};

static int suites[FY_COUNT(suite_names) + 1];

static const char *alpn[] = { "http/1.1", NULL };

static int random_bytes(void *context, unsigned char *out, size_t len)
{
	(void)context;
	randombytes_buf(out, len);
	return 0;
}

static void find_suites(void)
{
	size_t found = 0;
	for (size_t i = 0; i < FY_COUNT(suite_names); i++) {
		int id = mbedtls_ssl_get_ciphersuite_id(suite_names[i]);
		if (id)
			suites[found++] = id;
	}
	suites[found] = 0;
}

static int complain(const char *file, const char *what, int code)
{
	char reason[160];
	mbedtls_strerror(code, reason, sizeof reason);
	fy_log(NULL, FY_LOG_ERROR, "tls.unusable", FY_KV("file", file), FY_KV("what", what),
	       FY_KV("reason", (const char *)reason));
	return FY_ERR_CONFIG;
}

static int load(struct fy_tls_config *config, const char *certificate, const char *key)
{
	int code = mbedtls_x509_crt_parse_file(&config->certificate, certificate);
	if (code)
		return complain(certificate, "certificate", code);
#ifdef MBEDTLS_3
	code = mbedtls_pk_parse_keyfile(&config->key, key, NULL, random_bytes, NULL);
#else
	code = mbedtls_pk_parse_keyfile(&config->key, key, NULL);
#endif
	if (code)
		return complain(key, "private key", code);
#ifdef MBEDTLS_3
	code = mbedtls_pk_check_pair(&config->certificate.pk, &config->key, random_bytes, NULL);
#else
	code = mbedtls_pk_check_pair(&config->certificate.pk, &config->key);
#endif
	if (code)
		return complain(key, "private key does not belong to the certificate", code);
	code = mbedtls_ssl_config_defaults(&config->ssl, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
					   MBEDTLS_SSL_PRESET_DEFAULT);
	if (code)
		return complain(certificate, "settings", code);
	mbedtls_ssl_conf_rng(&config->ssl, random_bytes, NULL);
	mbedtls_ssl_conf_ciphersuites(&config->ssl, suites);
	mbedtls_ssl_conf_alpn_protocols(&config->ssl, alpn);
#if MBEDTLS_VERSION_NUMBER >= 0x03020000
	mbedtls_ssl_conf_min_tls_version(&config->ssl, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(&config->ssl, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#ifdef MBEDTLS_SSL_RENEGOTIATION
	mbedtls_ssl_conf_renegotiation(&config->ssl, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	code = mbedtls_ssl_conf_own_cert(&config->ssl, &config->certificate, &config->key);
	return code ? complain(certificate, "certificate", code) : 0;
}

int fy_tls_config_create(const char *certificate, const char *key, struct fy_tls_config **ret_config)
{
	struct fy_tls_config *config = calloc(1, sizeof *config);
	FY_REQUIRE(config != NULL);
#ifdef MBEDTLS_3
	if (psa_crypto_init() != PSA_SUCCESS) {
		free(config);
		return FY_ERR_INTERNAL;
	}
#endif
	find_suites();
	mbedtls_ssl_config_init(&config->ssl);
	mbedtls_x509_crt_init(&config->certificate);
	mbedtls_pk_init(&config->key);
	config->references = 1;
	int err = load(config, certificate, key);
	if (err) {
		fy_tls_config_destroy(config);
		return err;
	}
	*ret_config = config;
	return 0;
}

void fy_tls_config_destroy(struct fy_tls_config *config)
{
	if (config == NULL || --config->references)
		return;
	mbedtls_ssl_config_free(&config->ssl);
	mbedtls_x509_crt_free(&config->certificate);
	mbedtls_pk_free(&config->key);
	free(config);
}

static int send_bytes(void *context, const unsigned char *bytes, size_t len)
{
	struct fy_tls *tls = context;
	fy_buf_put(&tls->output, fy_slice(bytes, len));
	return tls->output.failed ? MBEDTLS_ERR_SSL_ALLOC_FAILED : (int)len;
}

static int receive_bytes(void *context, unsigned char *out, size_t len)
{
	struct fy_tls *tls = context;
	struct fy_slice rest = fy_from(fy_buf_slice(&tls->input), tls->input_used);
	if (rest.len == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (len > rest.len)
		len = rest.len;
	memcpy(out, rest.ptr, len);
	tls->input_used += len;
	if (tls->input_used == tls->input.len) { /* a waiting connection has no buffer */
		fy_buf_finish(&tls->input);
		tls->input_used = 0;
	}
	return (int)len;
}

struct fy_tls *fy_tls_create(struct fy_tls_config *config)
{
	struct fy_tls *tls = calloc(1, sizeof *tls);
	if (tls == NULL)
		return NULL;
	mbedtls_ssl_init(&tls->ssl);
	if (mbedtls_ssl_setup(&tls->ssl, &config->ssl)) {
		mbedtls_ssl_free(&tls->ssl);
		free(tls);
		return NULL;
	}
	config->references++;
	tls->config = config;
	fy_buf_init(&tls->input, NULL, INPUT_MAX);
	fy_buf_init(&tls->output, NULL, OUTPUT_MAX);
	mbedtls_ssl_set_bio(&tls->ssl, tls, send_bytes, receive_bytes, NULL);
	return tls;
}

void fy_tls_destroy(struct fy_tls *tls)
{
	if (tls == NULL)
		return;
	mbedtls_ssl_free(&tls->ssl);
	fy_tls_config_destroy(tls->config);
	fy_buf_finish(&tls->input);
	fy_buf_finish(&tls->output);
	free(tls);
}

int fy_tls_feed(struct fy_tls *tls, struct fy_slice ciphertext)
{
	fy_buf_put(&tls->input, ciphertext);
	return tls->input.failed ? FY_ERR_TOO_LARGE : 0;
}

ssize_t fy_tls_read(struct fy_tls *tls, char *ptr, size_t len)
{
	if (!tls->ready) {
		int code = mbedtls_ssl_handshake(&tls->ssl);
		if (code == MBEDTLS_ERR_SSL_WANT_READ)
			return 0;
		if (code)
			return FY_ERR_PROTOCOL; /* the alert, if any, is pending */
		tls->ready = true;
	}
	for (;;) {
		int got = mbedtls_ssl_read(&tls->ssl, (unsigned char *)ptr, len);
		if (got > 0)
			return got;
		switch (got) {
		case MBEDTLS_ERR_SSL_WANT_READ:
			return 0;
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
		case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
			continue;
#endif
		case 0:
		case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		case MBEDTLS_ERR_SSL_CONN_EOF:
			return UV_EOF;
		default:
			return FY_ERR_PROTOCOL;
		}
	}
}

int fy_tls_write(struct fy_tls *tls, struct fy_slice plain)
{
	while (plain.len) {
		int put = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)plain.ptr, plain.len);
		if (put <= 0)
			return FY_ERR_IO;
		plain = fy_from(plain, (size_t)put);
	}
	return 0;
}

void fy_tls_close_notify(struct fy_tls *tls)
{
	mbedtls_ssl_close_notify(&tls->ssl);
}

struct fy_slice fy_tls_pending(struct fy_tls *tls)
{
	return fy_buf_slice(&tls->output);
}

void fy_tls_sent(struct fy_tls *tls, size_t len)
{
	FY_REQUIRE(len <= tls->output.len);
	if (len == tls->output.len) {
		fy_buf_finish(&tls->output);
		return;
	}
	memmove(tls->output.ptr, tls->output.ptr + len, tls->output.len - len);
	tls->output.len -= len;
}

bool fy_tls_ready(const struct fy_tls *tls)
{
	return tls->ready;
}
