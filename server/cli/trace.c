/* Writes what a command did into the server's event log; see fy_cli_trace in cli.h. */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "foyer/config.h"
#include "server/cli/cli.h"

static struct fy_logfile *log_file;
static char user[64];

void fy_cli_trace_user(void)
{
	const struct passwd *entry = getpwuid(getuid());

	if (entry)
		snprintf(user, sizeof(user), "%s", entry->pw_name);
	else
		snprintf(user, sizeof(user), "uid %u", (unsigned)getuid());
}

bool fy_cli_trace_begin(const struct fy_ctx *ctx)
{
	char path[4200];
	int err = 0;

	if (ctx->config->log_level > FY_LOG_INFO)
		return false;
	snprintf(path, sizeof(path), "%s/foyer.log", ctx->config->log_directory.ptr);
	log_file = fy_logfile_open(path, &err);
	if (log_file == NULL) {
		fy_cli_say("it is done, but cannot be noted in %s: %s", path, fy_strerror(err));
		return false;
	}
	fy_log_to(log_file, FY_LOG_INFO);
	return true;
}

const char *fy_cli_trace_who(void)
{
	return user;
}

/* Closed at once, as a rotation waits for whoever has the file open. */
void fy_cli_trace_end(void)
{
	fy_log_to(NULL, FY_LOG_ERROR);
	fy_logfile_close(log_file);
	log_file = NULL;
}
