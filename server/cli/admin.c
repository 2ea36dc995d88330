/* `foyer admin create`: makes an owner account. The first one is made by the link that `foyer serve` prints; this is
 * for the next ones, and for set-ups without a browser. Storage is storage/accounts.h's. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "storage/accounts.h"

#define LIMIT_MS 120000
#define LINK_DAYS 7

/* NIST SP 800-63B 3.1.1.2 asks for 15 characters where the password is the only factor, which an owner's is until a
 * second one is enrolled; the upper bound only keeps the input small. */
#define PASSWORD_MIN 15
#define PASSWORD_MAX 1024

struct create {
	const char *email, *given_name, *family_name;
	char password[PASSWORD_MAX + 2];
	size_t password_len;
	unsigned long long passes;
	size_t memory;
	char hash[crypto_pwhash_STRBYTES];
	int result;
};

static void hash_password(void *arg)
{
	struct create *create = arg;

	create->result = crypto_pwhash_str_alg(create->hash, create->password, create->password_len, create->passes,
					       create->memory, crypto_pwhash_ALG_ARGON2ID13);
}

static fy_async int make_hash(struct fy_ctx *ctx, struct create *create, struct fy_secret *ret_hash)
{
	int err;

	if (create->password_len == 0)
		return 0;
	create->passes = (unsigned long long)ctx->config->passwords_passes;
	create->memory = (size_t)ctx->config->passwords_memory_mib * 1024 * 1024;
	err = fy_await_work(ctx, hash_password, create);
	sodium_memzero(create->password, sizeof(create->password));
	if (err || create->result != 0) {
		fy_cli_say("the password cannot be hashed: %s", err ? fy_strerror(err) : "out of memory");
		return err ? err : FY_ERR_NOMEM;
	}
	ret_hash->text = fy_str(create->hash);
	return 0;
}

static fy_async int body(struct fy_ctx *ctx, void *arg)
{
	struct create *create = arg;
	struct fy_account_new account = { .role = FY_ROLE_OWNER, .state = FY_ACCOUNT_ACTIVE };
	uint8_t email_hash[FY_HASH_BYTES];
	uint64_t id;
	int err;

	if (fy_find_email_hash(ctx, create->email, email_hash, &account.email.text) != 0)
		return FY_EXIT_USAGE;
	account.email_hash = fy_slice(email_hash, sizeof(email_hash));
	account.given_name.text = fy_str(create->given_name);
	account.family_name.text = fy_str(create->family_name);
	if (make_hash(ctx, create, &account.password_hash) != 0)
		return FY_EXIT_FAILED;
	err = fy_accounts_create(ctx, &account, 0, FY_NONE, 0, NULL, &id);
	if (err == FY_ERR_EXISTS) {
		fy_cli_say("there is an account with this address already");
		return FY_EXIT_FAILED;
	}
	if (err) {
		fy_cli_say("the account cannot be made: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	printf("account_id=%llu\n", (unsigned long long)id);
	if (account.password_hash.text.len)
		return FY_EXIT_OK;
	return fy_print_set_up_link(ctx, id, LINK_DAYS) == 0 ? FY_EXIT_OK : FY_EXIT_FAILED;
}

/* One line, without its newline. */
static bool read_password(struct create *create)
{
	const char *newline;
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(create->password) && (n = read(0, create->password + len, sizeof(create->password) - len)) != 0) {
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
	if (len < PASSWORD_MIN || len > PASSWORD_MAX) {
		fy_cli_say("the password on standard input must have from %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
		return false;
	}
	create->password_len = len;
	return true;
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
		.help = "Makes an owner account, active at once. Without --password-stdin it prints a link, good once, where the\n"
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
	if (password && !read_password(&create))
		return FY_EXIT_USAGE;
	code = fy_cli_run(&cli, FY_CLI_DB | FY_CLI_KEYS, LIMIT_MS, body, &create);
	sodium_memzero(&create, sizeof(create));
	return code;
}
