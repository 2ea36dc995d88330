/* `foyer person …`: what the account page does, for the person who answers requests about rights. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "foyer/require.h"
#include "jobs/letters.h"
#include "protocol/datetime.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "server/export/export.h"
#include "server/routes/mails.h"
#include "storage/access_log.h"
#include "storage/accounts.h"
#include "storage/holds.h"
#include "storage/tx.h"

#define ERASE_MS 60000
#define EXPORT_MS (10 * 60 * 1000)

/* ---- erase ---- */

struct erase {
	const char *email;
	bool dry_run, yes, now;
};

static bool sure(const struct erase *erase)
{
	char line[16] = "";
	if (erase->yes)
		return true;
	printf("Erase the account of %s%s? This cannot be undone%s. [yes/no] ", erase->email, erase->now ? " now" : "",
	       erase->now ? "" : " after the days of grace");
	fflush(stdout);
	return fgets(line, sizeof line, stdin) && strcmp(line, "yes\n") == 0;
}

static int say_why(struct fy_ctx *ctx, int err)
{
	if (err == FY_ERR_DENIED && ctx->fault == NULL)
		fy_cli_say("this is the account of the last owner: give the role to somebody else first");
	else if (err == FY_ERR_NOT_FOUND)
		fy_cli_say("this account is not active");
	else
		fy_cli_say("the account cannot be erased: %s", ctx->fault ? ctx->fault : fy_strerror(err));
	return FY_EXIT_FAILED;
}

/* Whatever date stands. */
static fy_async int ask_now(struct fy_ctx *ctx, void *arg)
{
	const uint64_t *id = arg;
	int err = fy_erasure_cancel(ctx, *id);
	if (err == 0 || err == FY_ERR_NOT_FOUND)
		err = fy_erasure_ask(ctx, *id, FY_ERASURE_ASKED, ctx->now);
	return err;
}

/* A date that stands already is kept, unless --now. */
static fy_async int ask(struct fy_ctx *ctx, const struct erase *erase, uint64_t id)
{
	if (erase->now)
		return fy_tx(ctx, ask_now, &id);
	int err = fy_erasure_ask(ctx, id, FY_ERASURE_ASKED,
				 ctx->now + ctx->config->retention_erasure_grace_days * FY_DAY);
	return err == FY_ERR_EXISTS ? 0 : err;
}

/* Says so, where a legal hold keeps the account. */
static fy_async int check_hold(struct fy_ctx *ctx, uint64_t id, bool *ret_held)
{
	struct fy_hold hold;
	struct fy_buf day;
	int err = fy_holds_of(ctx, id, FY_PURPOSE_LEGAL_DUTIES, &hold);
	*ret_held = err == 0 && hold.id;
	if (err || !hold.id)
		return err;
	fy_buf_init(&day, ctx->arena, 64);
	fy_put_iso_date(&day, fy_paris_date(hold.review_at));
	fy_cli_say("a legal hold is on this account, to be reviewed on %s: it is erased when the hold is lifted, at "
		   "/manage/holds",
		   fy_cstr(ctx->arena, fy_buf_slice(&day)));
	return 0;
}

static fy_async int erase_body(struct fy_ctx *ctx, void *arg)
{
	const struct erase *erase = arg;
	struct fy_slice receipt;
	struct fy_account account;
	uint64_t id;
	if (fy_find_account(ctx, erase->email, &id) != 0)
		return FY_EXIT_FAILED;
	if (erase->dry_run) {
		uint64_t entered;
		int err = fy_provided_count(ctx, id, &entered);
		if (err)
			return say_why(ctx, err);
		printf("account_id=%llu: account, sessions, messages, links, waiting mails and %llu entered people would be "
		       "deleted and the keys destroyed%s; proofs of consent would stay for five years, without the name.\n",
		       (unsigned long long)id, (unsigned long long)entered,
		       erase->now ? "" : " after the days of grace");
		return FY_EXIT_OK;
	}
	bool held;
	int err = check_hold(ctx, id, &held);
	if (err || (held && erase->now))
		return err ? say_why(ctx, err) : FY_EXIT_FAILED;
	if (!sure(erase)) {
		fy_cli_say("nothing was changed");
		return FY_EXIT_FAILED;
	}
	err = ask(ctx, erase, id);
	if (err)
		return say_why(ctx, err);
	fy_cli_trace(ctx, "erasure.asked", FY_KV("account", id));
	if (!erase->now) {
		err = fy_accounts_get(ctx, id, FY_PURPOSE_RIGHTS, &account);
		if (err)
			return say_why(ctx, err);
		printf("account_id=%llu erase_at=%lld (seconds since 1970)\n", (unsigned long long)id,
		       (long long)fy_unix(account.erase_at));
		return FY_EXIT_OK;
	}
	fy_mails_author();
	err = fy_jobs_erase(ctx, id, &receipt);
	if (err)
		return say_why(ctx, err);
	fy_cli_trace(ctx, "account.erased", FY_KV("account", id));
	return fy_cli_print(receipt);
}

int fy_cmd_person_erase(int argc, char **argv)
{
	struct erase erase = { 0 };
	const struct fy_flag flags[] = {
		{ "--email", "E", "whose account", &erase.email, NULL },
		{ "--dry-run", NULL, "only say what would go", NULL, &erase.dry_run },
		{ "--yes", NULL, "do not ask", NULL, &erase.yes },
		{ "--now", NULL, "without the days of grace; prints the receipt", NULL, &erase.now },
	};
	struct fy_cli cli = {
		.name = "person erase",
		.help = "Erases an account as its holder can: after the days of grace, or at once with --now.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (erase.email == NULL) {
		fy_cli_say("--email is missing");
		return FY_EXIT_USAGE;
	}
	return fy_cli_run(&cli, FY_CLI_DB | FY_CLI_REDIS | FY_CLI_KEYS, ERASE_MS, erase_body, &erase);
}

/* ---- export: with the documents of server/export ---- */

struct person_export {
	const char *email;
	bool json;
};

/* In the directory where the command was called, for its user alone, and never over what is there. */
static int save(const char *name, struct fy_slice bytes)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good = fd >= 0;
	if (!good) {
		fy_cli_say("%s cannot be made: %s", name, strerror(errno));
		return FY_EXIT_FAILED;
	}
	while (good && bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		good = n > 0 || (n < 0 && errno == EINTR);
		bytes = fy_from(bytes, n > 0 ? (size_t)n : 0);
	}
	good = good && fsync(fd) == 0;
	if (!good) {
		fy_cli_say("%s cannot be written: %s", name, strerror(errno));
		unlink(name);
	}
	close(fd);
	if (good)
		printf("%s\n", name);
	return good ? FY_EXIT_OK : FY_EXIT_FAILED;
}

static int print_json(const struct fy_export *export)
{
	struct fy_export_stream stream;
	struct fy_slice piece;
	int code = FY_EXIT_OK;
	fy_export_begin(&stream, export, FY_EXPORT_JSON);
	while (code == FY_EXIT_OK && fy_export_next(&stream, &piece))
		code = fy_cli_print(piece);
	fy_export_end(&stream);
	return code;
}

static fy_async int save_zip(struct fy_ctx *ctx, const struct fy_export *export)
{
	char name[FY_EXPORT_NAME_MAX];
	struct fy_slice zip;
	int err = fy_export_zip(ctx, export, &zip);
	if (err) {
		fy_cli_say("the export cannot be made: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	fy_export_name(export, name);
	return save(name, zip);
}

/* Written before anything is shown; the person sees it. Without an account it is noted with the first row that has a
 * number of its own. */
static fy_async int log_export(struct fy_ctx *ctx, const struct fy_export *export)
{
	struct fy_read read = { .reader_role = FY_ROLE_OWNER, .purpose = FY_PURPOSE_RIGHTS };
	const struct fy_export_record *first = export->records;
	struct fy_buf fields;
	while (first && first->kind != FY_EXPORT_ACCOUNT && first->kind != FY_EXPORT_MESSAGE &&
	       first->kind != FY_EXPORT_REQUEST)
		first = first->next;
	if (first == NULL)
		return 0;
	read.person_id = export->account_id                 ? export->account_id
			 : first->kind == FY_EXPORT_MESSAGE ? first->message->id
							    : first->request->id;
	fy_buf_init(&fields, ctx->arena, FY_READ_FIELDS_MAX);
	for (size_t i = 0; i < first->value_count; i++) {
		const char *column = first->values[i].field->column;
		if (fields.len + strlen(first->row.holder->name) + strlen(column) + 2 < FY_READ_FIELDS_MAX)
			fy_buf_fmt(&fields, "%s%s.%s", fields.len ? " " : "", first->row.holder->name, column);
	}
	read.fields = fy_buf_slice(&fields);
	return fy_access_log_append(ctx, &read);
}

static fy_async int export_body(struct fy_ctx *ctx, void *arg)
{
	const struct person_export *wanted = arg;
	struct fy_export export;
	uint8_t hash[FY_HASH_BYTES];

	if (fy_find_email_hash(ctx, wanted->email, hash, NULL) != 0)
		return FY_EXIT_USAGE;
	int err = fy_export_gather(ctx, fy_slice(hash, sizeof(hash)), &export);
	if (err) {
		fy_cli_say("the data cannot be read: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	err = log_export(ctx, &export);
	if (err) {
		fy_cli_say("the look cannot be noted in the log of reads, so nothing is shown: %s",
			   ctx->fault ? ctx->fault : fy_strerror(err));
		fy_export_finish(&export);
		return FY_EXIT_FAILED;
	}
	int code = FY_EXIT_FAILED;
	if (export.records == NULL)
		fy_cli_say("nothing is held about this address");
	else
		code = wanted->json ? print_json(&export) : save_zip(ctx, &export);
	if (code == FY_EXIT_OK)
		fy_cli_trace(ctx, "person.exported", FY_KV("account", export.account_id),
			     FY_KV("records", (uint64_t) export.record_count));
	fy_export_finish(&export);
	return code;
}

int fy_cmd_person_export(int argc, char **argv)
{
	struct person_export wanted = { .email = NULL };
	const struct fy_flag flags[] = {
		{ "--email", "E", "the person's e-mail address, with an account or without", &wanted.email, NULL },
		{ "--json", NULL, "data.json alone, on standard output", NULL, &wanted.json },
	};
	struct fy_cli cli = {
		.name = "person export",
		.help = "Writes all that is held about a person to foyer-export-YYYY-MM-DD.zip in this directory: a page in "
			"each language and JSON, each value with its source, purposes, legal basis and end.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (wanted.email == NULL) {
		fy_cli_say("say whose data: --email E");
		return FY_EXIT_USAGE;
	}
	return fy_cli_run(&cli, FY_CLI_DB | FY_CLI_REDIS | FY_CLI_KEYS, EXPORT_MS, export_body, &wanted);
}
