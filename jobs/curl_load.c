/* See curl_load.h. */
#include "jobs/curl_load.h"

#include <dlfcn.h>
#include <stddef.h>

#include "foyer/log.h"

/* The name is that of the ABI: Debian 12 and 13 both have it. */
#define LIBRARY "libcurl.so.4"

static void *find(void *library, const char *name)
{
	void *function = dlsym(library, name);

	if (function == NULL)
		fy_log(NULL, FY_LOG_ERROR, "curl.incomplete", FY_KV("function", name));
	return function;
}

const struct fy_curl *fy_curl_load(void)
{
	static struct fy_curl curl;
	CURLcode (*global_init)(long flags);
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		fy_log(NULL, FY_LOG_ERROR, "curl.missing", FY_KV("reason", (const char *)dlerror()));
		return NULL;
	}
#define FY_CURL_FIND(name)                                                 \
	if ((curl.name = (__typeof__(&name))find(library, #name)) == NULL) \
		return NULL;
	FY_CURL_FUNCTIONS(FY_CURL_FIND)
#undef FY_CURL_FIND
	global_init = (CURLcode(*)(long))find(library, "curl_global_init");
	return global_init && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? &curl : NULL;
}
