/* `foyer admin create`: makes an owner account. The first one is made by the link that `foyer serve` prints; this is
 * for the next ones, and for set-ups without a browser. Storage is storage/accounts.h's. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "protocol/utf8.h"
#include "server/auth/hasher.h"
#include "server/auth/password_rules.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "server/routes/mails.h"
#include "storage/accounts.h"
#include "storage/announcements.h"
#include "storage/tx.h"

#define LIMIT_MS 120000
#define LINK_DAYS 7

/* Room for FY_PASSWORD_MAX code points and a newline. */
#define PASSWORD_BYTES_MAX (FY_PASSWORD_MAX * 4 + 2)

struct create {
	const char *email, *given_name, *family_name;
	char password[PASSWORD_BYTES_MAX];
	size_t password_len;
	bool has_password;
};

static const char *fault_text(enum fy_password_fault fault)
{
	switch (fault) {
	case FY_PASSWORD_MISSING:
		return "there is none on standard input";
	case FY_PASSWORD_SHORT:
		return "it needs at least 12 characters";
	case FY_PASSWORD_LONG:
		return "it may have 200 characters at the most";
	case FY_PASSWORD_CHARACTERS:
		return "it is not valid text, or has invisible characters in it";
	case FY_PASSWORD_COMMON:
		return "it is one of those that are tried first";
	case FY_PASSWORD_PERSONAL:
		return "it is made of a name or the address";
	default:
		return "it is too easy to guess";
	}
}

_Static_assert(FY_PASSWORD_MIN == 12 && FY_PASSWORD_MAX == 200, "fault_text names the bounds");

static fy_async int make_hash(struct fy_ctx *ctx, struct create *create, struct fy_secret *ret_hash)
{
	struct fy_hasher_options options = {
		.memory_mib = (unsigned)ctx->config->passwords_memory_mib,
		.passes = (unsigned)ctx->config->passwords_passes,
		.threads = 1,
		.queue = 1,
	};
	const struct fy_slice personal[] = { fy_str(create->email), fy_str(create->given_name),
					     fy_str(create->family_name), ctx->config->site_name };
	struct fy_slice typed = fy_slice(create->password, create->password_len);
	struct fy_secret password = { FY_NONE };
	struct fy_hasher *hasher;
	enum fy_password_fault fault;
	int err;

	if (!create->has_password)
		return 0;
	fault = fy_password_check(ctx->arena, typed, personal, FY_COUNT(personal));
	if (fault != FY_PASSWORD_GOOD) {
		fy_cli_say("the password is not taken: %s", fault_text(fault));
		return FY_ERR_INVALID;
	}
	err = fy_password_normalise(ctx->arena, typed, &password);
	if (err == 0)
		err = fy_hasher_create(&options, &hasher);
	if (err == 0) {
		/* The hash is wiped with the arena, which lives until the command ends. */
		err = fy_password_hash(ctx, hasher, password, ret_hash);
		fy_hasher_destroy(hasher);
	}
	sodium_memzero(create->password, sizeof(create->password));
	if (err)
		fy_cli_say("the password cannot be hashed: %s", fy_strerror(err));
	return err;
}

struct making {
	const struct fy_account_new *account;
	uint64_t id;
};

/* It is active at once, so what its holder has to be told of the policy is told now. */
static fy_async int make(struct fy_ctx *ctx, void *arg)
{
	struct making *m = arg;
	int err = fy_accounts_create(ctx, m->account, 0, FY_NONE, 0, NULL, &m->id);
	return err ? err : fy_announcements_catch_up(ctx, m->id, fy_mails_policy_change);
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	struct create *create = arg;
	struct fy_account_new account = { .role = FY_ROLE_OWNER, .state = FY_ACCOUNT_ACTIVE };
	struct making making = { .account = &account };
	uint8_t email_hash[FY_HASH_BYTES];
	int err;

	if (fy_find_email_hash(ctx, create->email, email_hash, &account.email.text) != 0)
		return FY_EXIT_USAGE;
	account.email_hash = fy_slice(email_hash, sizeof(email_hash));
	/* Names are shown on pages and terminals, so they keep to what a form would take. */
	if (fy_utf8_clean_line(ctx->arena, fy_str(create->given_name), &account.given_name.text) ||
	    fy_utf8_clean_line(ctx->arena, fy_str(create->family_name), &account.family_name.text)) {
		fy_cli_say("a name holds characters that cannot be shown");
		return FY_EXIT_USAGE;
	}
	if (make_hash(ctx, create, &account.password_hash) != 0)
		return FY_EXIT_FAILED;
	err = fy_tx(ctx, make, &making);
	if (err == FY_ERR_EXISTS) {
		fy_cli_say("there is an account with this address already");
		return FY_EXIT_FAILED;
	}
	if (err) {
		fy_cli_say("the account cannot be made: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	fy_cli_trace(ctx, "account.created", FY_KV("account", making.id), FY_KV("role", "owner"));
	printf("account_id=%llu\n", (unsigned long long)making.id);
	if (account.password_hash.text.len)
		return FY_EXIT_OK;
	return fy_print_set_up_link(ctx, making.id, LINK_DAYS) == 0 ? FY_EXIT_OK : FY_EXIT_FAILED;
}

/* One line, without its newline. */
static void read_password(struct create *create)
{
	const char *newline;
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(create->password) &&
	       (n = read(0, create->password + len, sizeof(create->password) - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += (size_t)n;
		if (memchr(create->password, '\n', len))
			break;
	}
	newline = len ? memchr(create->password, '\n', len) : NULL;
	if (newline)
		len = (size_t)(newline - create->password);
	if (len && create->password[len - 1] == '\r')
		len--;
	create->password_len = len;
}

int fy_cmd_admin_create(int argc, char **argv)
{
	static struct create create = { .given_name = "", .family_name = "" };
	bool password = false;
	const struct fy_flag flags[] = {
		{ "--email", "E", "the address to sign in with", &create.email, NULL },
		{ "--password-stdin", NULL, "read the password from standard input", NULL, &password },
		{ "--given-name", "N", "given name", &create.given_name, NULL },
		{ "--family-name", "N", "family name", &create.family_name, NULL },
	};
	struct fy_cli cli = {
		.name = "admin create",
		.help = "Makes an owner account, active at once. Without --password-stdin it prints a link, good once, "
			"where the\n"
			"person sets the password.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (create.email == NULL) {
		fy_cli_say("--email is missing");
		return FY_EXIT_USAGE;
	}
	create.has_password = password;
	if (password)
		read_password(&create);
	code = fy_cli_run(&cli, FY_CLI_DB | FY_CLI_KEYS, LIMIT_MS, body, &create);
	sodium_memzero(&create, sizeof(create));
	return code;
}
