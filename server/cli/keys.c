/* `foyer keys rotate`: a new master key. How is storage/key_rotation.h's. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "jobs/host_lock.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "storage/key_rotation.h"
#include "storage/keys.h"

#define LIMIT_MS (6 * 60 * 60 * 1000ULL)

struct rotate {
	bool prepare;
	bool terminal;
};

static void show(const struct fy_key_rotation *state, void *arg)
{
	const struct rotate *rotate = arg;
	if (!rotate->terminal)
		return;
	fprintf(stderr, "\r%llu of %llu keys", (unsigned long long)state->done, (unsigned long long)state->total);
	fflush(stderr);
}

static int prepare(const char *path)
{
	char why[256] = "";
	int err = fy_keys_make_next(path, why);
	if (err == 0)
		printf("next=%s.next\n", path);
	else if (err == FY_ERR_EXISTS)
		printf("next=%s.next (it was there already: an earlier rotation goes on)\n", path);
	else
		fy_cli_say("the next master key cannot be made: %s", why);
	return err == 0 || err == FY_ERR_EXISTS ? FY_EXIT_OK : FY_EXIT_FAILED;
}

/* Two rotations beside each other would each rename a next key that the other one made. */
static int lock(const char *path, int *ret_fd)
{
	char folder[4096];
	snprintf(folder, sizeof folder, "%s", path);
	char *end = strrchr(folder, '/');
	if (end)
		*(end == folder ? end + 1 : end) = '\0';
	int err = fy_host_lock_take(end ? folder : ".", "keys-rotate", ret_fd);
	if (err == FY_ERR_BUSY)
		fy_cli_say("another rotation is running");
	else if (err)
		fy_cli_say("the folder of %s cannot be written to: %s", path, fy_strerror(err));
	return err ? FY_EXIT_FAILED : FY_EXIT_OK;
}

static fy_async int rotate_keys(struct fy_ctx *ctx, struct rotate *rotate)
{
	const char *path = ctx->config->keys_master_key.ptr;
	struct fy_key_rotation state;
	uint64_t held[2];
	int code = prepare(path);

	if (code != FY_EXIT_OK || rotate->prepare)
		return code;
	fy_keys_reload(ctx->keys);
	rotate->terminal = isatty(STDERR_FILENO);
	int err = fy_key_rotation_run(ctx, path, show, rotate, &state);
	if (rotate->terminal)
		fputc('\n', stderr);
	if (err) {
		fy_cli_say(
			"the rotation stopped after %llu of %llu keys: %s; nothing is lost, and the same command goes on",
			(unsigned long long)state.done, (unsigned long long)state.total,
			ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	fy_keys_masters(ctx->keys, held);
	fy_cli_trace(ctx, "keys.rotated", FY_KV("persons", state.done));
	printf("rotated=%llu fingerprint=%016llx\n"
	       "foyer: keep a copy of %s away from the backups; copies of the old one open nothing that is stored now.\n",
	       (unsigned long long)state.done, (unsigned long long)held[1], path);
	return FY_EXIT_OK;
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	int fd, code = lock(ctx->config->keys_master_key.ptr, &fd);
	if (code != FY_EXIT_OK)
		return code;
	code = rotate_keys(ctx, arg);
	fy_host_lock_drop(fd);
	return code;
}

int fy_cmd_keys_rotate(int argc, char **argv)
{
	struct rotate rotate = { 0 };
	const struct fy_flag flags[] = {
		{ "--prepare", NULL, "only make FILE.next, to be copied to the other servers first", NULL,
		  &rotate.prepare },
	};
	struct fy_cli cli = {
		.name = "keys rotate",
		.help = "Makes a new master key and wraps the keys of all persons with it, while the server runs. Cut off, "
			"it goes on when it is called again. With several servers: --prepare first, copy FILE.next beside "
			"the key of each, rotate on one, then rename FILE.next to FILE on the others.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	return code >= 0 ? code : fy_cli_run(&cli, FY_CLI_DB | FY_CLI_KEYS, LIMIT_MS, body, &rotate);
}
