/* Recognises a few browsers and systems in a User-Agent field, for a label that people understand.
 * Leaves versions and everything else unread: nothing here could tell two people apart. Called at sign-in. */
#include "protocol/user_agent.h"

#include "foyer/require.h"

/* A field longer than this is not a browser's; only its beginning is looked at. */
#define LOOK_MAX 512

struct mark {
	const char *text, *label;
};

/* In this order: nearly everybody also claims to be Safari, Chrome or Mozilla. */
static const struct mark browsers[] = {
	{ "Edg", "Edge" },
	{ "OPR/", "Opera" },
	{ "Opera", "Opera" },
	{ "SamsungBrowser/", "Samsung Internet" },
	{ "Vivaldi/", "Vivaldi" },
	{ "YaBrowser/", "Yandex" },
	{ "DuckDuckGo/", "DuckDuckGo" },
	{ "FxiOS/", "Firefox" },
	{ "Firefox/", "Firefox" },
	{ "CriOS/", "Chrome" },
	{ "Chromium/", "Chromium" },
	{ "Chrome/", "Chrome" },
	{ "Safari/", "Safari" },
	{ "curl/", "curl" },
	{ "Wget/", "Wget" },
	{ "python-requests/", "Python" },
	{ "okhttp/", "Android app" },
	{ "CFNetwork/", "iOS app" },
};

static const struct mark systems[] = {
	{ "iPhone", "iPhone" },   { "iPad", "iPad" },       { "Android", "Android" }, { "Windows", "Windows" },
	{ "CrOS", "ChromeOS" },   { "Macintosh", "Mac" },   { "Mac OS X", "Mac" },    { "Linux", "Linux" },
	{ "FreeBSD", "FreeBSD" }, { "OpenBSD", "OpenBSD" },
};

static const char *recognise(struct fy_slice text, const struct mark *marks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text.len && memmem(text.ptr, text.len, marks[i].text, strlen(marks[i].text)))
			return marks[i].label;
	return NULL;
}

size_t fy_user_agent_label(struct fy_slice user_agent, char out[FY_UA_LABEL_MAX])
{
	struct fy_slice text = fy_upto(user_agent, LOOK_MAX);
	const char *browser = recognise(text, browsers, FY_COUNT(browsers));
	const char *system = recognise(text, systems, FY_COUNT(systems));
	const char *parts[3] = { browser ? browser : system ? system : "?", NULL, NULL };
	if (browser && system) {
		parts[1] = " · ";
		parts[2] = system;
	}
	size_t n = 0;
	for (int i = 0; i < 3 && parts[i]; i++) {
		size_t len = strlen(parts[i]);
		FY_REQUIRE(n + len < FY_UA_LABEL_MAX);
		memcpy(out + n, parts[i], len);
		n += len;
	}
	out[n] = 0;
	return n;
}
