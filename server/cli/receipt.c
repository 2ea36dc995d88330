/* `foyer receipt verify`: checks the receipt of an erasure, without a database and without a network. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "foyer/config.h"
#include "foyer/require.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "storage/receipt.h"

#define FILE_MAX 65536 /* a mail with a receipt in it */

static int read_text(struct fy_arena *arena, const char *path, struct fy_slice *ret_text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text = fy_alloc(arena, FILE_MAX);
	if (file == NULL) {
		fy_cli_say("%s: %s", path, strerror(errno));
		return FY_EXIT_FAILED;
	}
	size_t len = fread(text, 1, FILE_MAX, file);
	if (file != stdin)
		fclose(file);
	if (len == FILE_MAX) {
		fy_cli_say("%s is too long for a receipt", path);
		return FY_EXIT_FAILED;
	}
	*ret_text = fy_slice(text, len);
	return FY_EXIT_OK;
}

/* --key, or that of this installation. */
static int find_key(const struct fy_cli *cli, const char *hex, uint8_t ret_key[FY_SIGN_PUBLIC_BYTES])
{
	struct fy_config *config;
	struct fy_keys *keys;
	char why[256];
	size_t len;
	if (hex) {
		if (sodium_hex2bin(ret_key, FY_SIGN_PUBLIC_BYTES, hex, strlen(hex), NULL, &len, NULL) == 0 &&
		    len == FY_SIGN_PUBLIC_BYTES)
			return FY_EXIT_OK;
		fy_cli_say("--key takes %d hexadecimal digits", 2 * FY_SIGN_PUBLIC_BYTES);
		return FY_EXIT_USAGE;
	}
	int code = fy_cli_config(cli, &config);
	if (code)
		return code;
	if (fy_keys_load(config->keys_master_key.ptr, &keys, why) == 0) {
		fy_keys_sign_public(keys, ret_key);
		fy_keys_destroy(keys);
	} else {
		fy_cli_say("%s; with --key no file is needed", why);
		code = FY_EXIT_CONFIG;
	}
	fy_config_destroy(config);
	return code;
}

int fy_cmd_receipt_verify(int argc, char **argv)
{
	static const char *const verdicts[] = {
		[FY_RECEIPT_NOT_ONE] = "there is no complete receipt in this file",
		[FY_RECEIPT_CHANGED] = "the receipt was changed: its lines do not have the hash that it names",
		[FY_RECEIPT_OTHER_KEY] = "the receipt names another key than the one it was compared with",
		[FY_RECEIPT_FORGED] = "the signature is not of that key",
	};
	const char *hex = NULL;
	const struct fy_flag flags[] = {
		{ "--key", "HEX",
		  "the public key of the site (/.well-known/foyer-receipt-key); without it, this "
		  "installation's",
		  &hex, NULL },
	};
	struct fy_cli cli = {
		.name = "receipt verify",
		.help = "Checks the receipt of an erasure: that no line was changed, and who signed it. FILE may be the whole "
			"mail, or - for standard input.",
		.operand = "FILE",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	uint8_t key[FY_SIGN_PUBLIC_BYTES];
	struct fy_arena arena;
	struct fy_slice text;
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (cli.operand_count != 1) {
		fy_cli_say("name one file");
		return FY_EXIT_USAGE;
	}
	fy_arena_init(&arena, 0);
	code = find_key(&cli, hex, key);
	if (code == FY_EXIT_OK)
		code = read_text(&arena, cli.operands[0], &text);
	if (code == FY_EXIT_OK) {
		enum fy_receipt_verdict verdict = fy_receipt_verify(&arena, text, key);
		if (verdict == FY_RECEIPT_GOOD) {
			printf("good: signed by this key, and no line was changed\n");
		} else {
			fy_cli_say("%s", verdicts[verdict]);
			code = FY_EXIT_FAILED;
		}
	}
	fy_arena_finish(&arena);
	return code;
}
