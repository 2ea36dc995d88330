/* libcurl, loaded when the first mail goes out by SMTP.
 * It brings some thirty libraries with it, which cost each worker three megabytes and its start a tenth of a second,
 * also where mails go to a directory. Called by smtp_link.c alone. */
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define FY_CURL_FUNCTIONS(X)        \
	X(curl_easy_cleanup)        \
	X(curl_easy_getinfo)        \
	X(curl_easy_init)           \
	X(curl_easy_recv)           \
	X(curl_easy_send)           \
	X(curl_easy_setopt)         \
	X(curl_easy_strerror)       \
	X(curl_multi_add_handle)    \
	X(curl_multi_assign)        \
	X(curl_multi_cleanup)       \
	X(curl_multi_info_read)     \
	X(curl_multi_init)          \
	X(curl_multi_remove_handle) \
	X(curl_multi_setopt)        \
	X(curl_multi_socket_action)

struct fy_curl {
#define FY_CURL_MEMBER(name) __typeof__(&name) name;
	FY_CURL_FUNCTIONS(FY_CURL_MEMBER)
#undef FY_CURL_MEMBER
};

/* NULL, after a line in the log, where the library is not there. Never unloaded. */
const struct fy_curl *fy_curl_load(void);
