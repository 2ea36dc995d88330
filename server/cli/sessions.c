/* `foyer sessions list` and `foyer sessions revoke`: who is signed in, and ending it. The sessions are in Redis
 * (storage/sessions.h); the database is asked only where a person is named. */
#include <stdio.h>
#include <string.h>

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "protocol/netaddr.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "storage/sessions.h"

#define LIMIT_MS (10 * 60 * 1000)
#define PAGE 200
#define LINE_BYTES_MAX 4096

struct list {
	const char *person, *ip;
	struct fy_cidr network;
	bool json;
};

static const char *kind_text(enum fy_session_kind kind)
{
	return kind == FY_SESSION_MANAGER ? "manager" : "visitor";
}

static void put_json(struct fy_buf *buf, const struct fy_session *s, const char *address)
{
	struct fy_json json;
	struct fy_buf time;
	struct {
		const char *name;
		fy_time value;
	} const times[] = { { "created_at", s->created_at },
			    { "last_seen_at", s->last_seen_at },
			    { "ends_at", s->ends_at } };

	fy_json_init(&json, buf);
	fy_json_object(&json);
	fy_json_put_str(&json, "id", fy_str(s->id));
	fy_json_put_str(&json, "kind", fy_str(kind_text(s->kind)));
	fy_json_put_uint(&json, "account_id", s->account_id);
	fy_json_put_str(&json, "address", fy_str(address));
	fy_json_put_str(&json, "device", fy_slice(s->device, strnlen(s->device, sizeof(s->device))));
	for (size_t i = 0; i < FY_COUNT(times); i++) {
		fy_buf_init(&time, NULL, 64);
		fy_put_rfc3339(&time, times[i].value, false);
		fy_json_put_str(&json, times[i].name, fy_buf_slice(&time));
		fy_buf_finish(&time);
	}
	fy_json_end(&json);
	fy_json_finish(&json);
}

static void put_line(struct fy_buf *buf, const struct fy_session *s, const char *address)
{
	fy_buf_fmt(buf, "%s  %-7s  %8llu  %-39s  ", s->id, kind_text(s->kind), (unsigned long long)s->account_id,
		   address);
	fy_put_rfc3339(buf, s->created_at, false);
	fy_buf_put(buf, FY_LIT("  "));
	fy_put_rfc3339(buf, s->last_seen_at, false);
	fy_buf_fmt(buf, "  %.*s\n", (int)strnlen(s->device, sizeof(s->device)), s->device);
}

static void print_session(const struct list *list, const struct fy_session *s, bool first)
{
	struct fy_addr addr;
	char address[FY_ADDR_TEXT_MAX];
	struct fy_buf buf;

	memcpy(addr.b, s->address, sizeof(addr.b));
	fy_addr_text(&addr, address);
	fy_buf_init(&buf, NULL, LINE_BYTES_MAX);
	if (list->json) {
		fy_buf_put(&buf, first ? FY_LIT("\n  ") : FY_LIT(",\n  "));
		put_json(&buf, s, address);
	} else {
		put_line(&buf, s, address);
	}
	fwrite(buf.ptr, 1, buf.len, stdout);
	fy_buf_finish(&buf);
}

static void print_head(const struct list *list)
{
	if (list->json)
		putchar('[');
	else
		printf("%-32s  %-7s  %8s  %-39s  %-20s  %-20s  %s\n", "ID", "KIND", "ACCOUNT", "ADDRESS", "SINCE",
		       "LAST SEEN", "DEVICE");
}

/* A page at a time, with memory of its own: a hundred thousand sessions are no reason to hold them all. */
static fy_async int list_body(struct fy_ctx *outer, void *arg)
{
	const struct list *list = arg;
	struct fy_session_filter filter = { .network = list->ip ? &list->network : NULL };
	char cursor[256] = "";
	bool first = true;
	int err;

	if (list->person && fy_find_account(outer, list->person, &filter.account_id) != 0)
		return FY_EXIT_FAILED;
	print_head(list);
	do {
		struct fy_session_page page = { .count = 0 };
		struct fy_ctx ctx = *outer;
		struct fy_arena arena;

		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		err = fy_sessions_list(&ctx, &filter, fy_str(cursor), PAGE, &page);
		if (err)
			fy_cli_say("the sessions cannot be listed: %s", ctx.fault ? ctx.fault : fy_strerror(err));
		for (size_t i = 0; i < page.count; i++, first = false)
			print_session(list, &page.items[i], first);
		snprintf(cursor, sizeof(cursor), FY_FMT, FY_ARG(page.next_cursor));
		fy_arena_finish(&arena);
	} while (err == 0 && cursor[0]);
	if (list->json)
		printf("%s]\n", first ? "" : "\n");
	return err ? FY_EXIT_FAILED : FY_EXIT_OK;
}

static int bad_network(const char *text)
{
	fy_cli_say("this is not a network like 192.0.2.0/24 or 2001:db8::/32: %.60s", text);
	return FY_EXIT_USAGE;
}

int fy_cmd_sessions_list(int argc, char **argv)
{
	struct list list = { .person = NULL };
	const struct fy_flag flags[] = {
		{ "--person", "E", "only those of the person with this address", &list.person, NULL },
		{ "--ip", "CIDR", "only those last used from this network", &list.ip, NULL },
		{ "--json", NULL, "an array of objects", NULL, &list.json },
	};
	struct fy_cli cli = {
		.name = "sessions list",
		.help = "Shows the live sessions, most recently used first.",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	if (list.ip && fy_cidr_parse(fy_str(list.ip), &list.network) != 0)
		return bad_network(list.ip);
	return fy_cli_run(&cli, FY_CLI_REDIS | FY_CLI_KEYS | (list.person ? FY_CLI_DB : 0), LIMIT_MS, list_body, &list);
}

struct revoke {
	const char *id, *person, *ip;
	struct fy_cidr network;
	bool all;
};

static fy_async int revoke_body(struct fy_ctx *ctx, void *arg)
{
	const struct revoke *revoke = arg;
	unsigned count = 0;
	uint64_t account_id;
	int err;

	if (revoke->person) {
		if (fy_find_account(ctx, revoke->person, &account_id) != 0)
			return FY_EXIT_FAILED;
		err = fy_sessions_end_person(ctx, account_id, NULL, &count);
	} else if (revoke->ip) {
		err = fy_sessions_end_network(ctx, &revoke->network, NULL, &count);
	} else if (revoke->all) {
		err = fy_sessions_end_all(ctx, &count);
	} else {
		err = fy_sessions_end(ctx, fy_str(revoke->id), &count);
	}
	if (err) {
		fy_cli_say("the sessions cannot be ended: %s", ctx->fault ? ctx->fault : fy_strerror(err));
		return FY_EXIT_FAILED;
	}
	printf("revoked=%u\n", count);
	/* One that is not there is a slip of the finger; of a person or a network none is an answer. */
	return revoke->id && count == 0 ? FY_EXIT_FAILED : FY_EXIT_OK;
}

int fy_cmd_sessions_revoke(int argc, char **argv)
{
	struct revoke revoke = { .id = NULL };
	const struct fy_flag flags[] = {
		{ "--person", "E", "all of the person with this address", &revoke.person, NULL },
		{ "--ip", "CIDR", "all last used from this network", &revoke.ip, NULL },
		{ "--all", NULL, "all there are", NULL, &revoke.all },
	};
	struct fy_cli cli = {
		.name = "sessions revoke",
		.help = "Ends sessions: the next request with one of them is refused. Prints how many there were.",
		.operand = "[ID]",
		.flags = flags,
		.flag_count = FY_COUNT(flags),
	};
	int code = fy_cli_parse(&cli, argc, argv);

	if (code >= 0)
		return code;
	revoke.id = cli.operands[0];
	if (cli.operand_count > 1 || !!revoke.id + !!revoke.person + !!revoke.ip + revoke.all != 1) {
		fy_cli_say("name one: an ID, --person, --ip or --all");
		return FY_EXIT_USAGE;
	}
	if (revoke.ip && fy_cidr_parse(fy_str(revoke.ip), &revoke.network) != 0)
		return bad_network(revoke.ip);
	return fy_cli_run(&cli, FY_CLI_REDIS | FY_CLI_KEYS | (revoke.person ? FY_CLI_DB : 0), LIMIT_MS, revoke_body,
			  &revoke);
}
