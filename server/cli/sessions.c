/* `foyer sessions list` and `foyer sessions revoke`: who is signed in, and ending it. The sessions are in Redis
 * (storage/sessions.h); who the people are is in MariaDB, and may be missing. */
#include <stdio.h>
#include <string.h>

#include "foyer/require.h"
#include "protocol/datetime.h"
#include "protocol/json_writer.h"
#include "protocol/netaddr.h"
#include "server/cli/cli.h"
#include "server/cli/commands.h"
#include "server/cli/find.h"
#include "server/routes/session_rows.h"
#include "server/routes/staff_names.h"
#include "storage/sessions.h"

#define LIMIT_MS (10 * 60 * 1000)
#define PAGE 200
#define ENTRY_BYTES_MAX 32768 /* names whose every byte is escaped fit */

struct list {
	const char *person, *ip;
	struct fy_cidr network;
	bool json, names;
};

static void put_line(struct fy_buf *buf, struct fy_arena *arena, const struct fy_session *s,
		     const struct fy_account_name *person)
{
	struct fy_slice name = fy_staff_name(arena, person).text, email = person->email.text;

	fy_buf_fmt(buf, "%s  %-7s  %8llu  %-39.*s  ", s->id, fy_session_kind_name(s->kind),
		   (unsigned long long)s->account_id, FY_ARG(fy_session_network(arena, s)));
	fy_put_rfc3339(buf, s->created_at, false);
	fy_buf_put(buf, FY_LIT("  "));
	fy_put_rfc3339(buf, s->last_seen_at, false);
	fy_buf_fmt(buf, "  %-24.*s  " FY_FMT "%s" FY_FMT "%s\n", FY_ARG(fy_session_device(s)), FY_ARG(name),
		   name.len && email.len ? " <" : "", FY_ARG(email), name.len && email.len ? ">" : "");
}

static void print_session(const struct list *list, struct fy_arena *arena, const struct fy_session *s,
			  const struct fy_account_name *person, bool first)
{
	struct fy_buf buf;
	struct fy_json json;

	fy_buf_init(&buf, arena, ENTRY_BYTES_MAX);
	if (list->json) {
		fy_buf_put(&buf, first ? FY_LIT("\n  ") : FY_LIT(",\n  "));
		fy_json_init(&json, &buf);
		fy_session_put(&json, arena, s, person, NULL);
		fy_json_finish(&json);
	} else {
		put_line(&buf, arena, s, person);
	}
	fwrite(buf.ptr, 1, buf.len, stdout);
}

static void print_head(const struct list *list)
{
	if (list->json)
		putchar('[');
	else
		printf("%-32s  %-7s  %8s  %-39s  %-20s  %-20s  %-24s  %s\n", "ID", "KIND", "ACCOUNT", "ADDRESS",
		       "SINCE", "LAST SEEN", "DEVICE", "PERSON");
}

/* A page at a time, with memory of its own: a hundred thousand sessions are no reason to hold them all. */
static fy_async int list_body(struct fy_ctx *outer, void *arg)
{
	const struct list *list = arg;
	struct fy_session_filter filter = { .network = list->ip ? &list->network : NULL };
	char cursor[256] = "";
	bool first = true, named = list->names;
	int err;

	if (list->person && fy_find_account(outer, list->person, &filter.account_id) != 0)
		return FY_EXIT_FAILED;
	print_head(list);
	do {
		struct fy_session_page page = { .count = 0 };
		struct fy_account_name *people = NULL;
		struct fy_ctx ctx = *outer;
		struct fy_arena arena;

		fy_arena_init(&arena, 0);
		ctx.arena = &arena;
		ctx.db = named ? outer->db : NULL; /* once it failed, the rest of the list does not wait for it again */
		err = fy_sessions_list(&ctx, &filter, fy_str(cursor), PAGE, &page);
		if (err)
			fy_cli_say("the sessions cannot be listed: %s", ctx.fault ? ctx.fault : fy_strerror(err));
		else
			named = fy_session_people(&ctx, page.items, page.count, NULL, &people);
		for (size_t i = 0; i < page.count; i++, first = false)
			print_session(list, &arena, &page.items[i], &people[i], first);
		snprintf(cursor, sizeof(cursor), FY_FMT, FY_ARG(page.next_cursor));
		fy_arena_finish(&arena);
	} while (err == 0 && cursor[0]);
	if (list->json)
		printf("%s]\n", first ? "" : "\n");
	if (list->names && !named)
		fy_cli_say("MariaDB cannot say who the people are; their account numbers stand alone");
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
		{ "--names", NULL, "who the people are, each of whom is told that it was looked up", NULL,
		  &list.names },
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
	return fy_cli_run(&cli, FY_CLI_REDIS | FY_CLI_KEYS | (list.person ? FY_CLI_DB : FY_CLI_DB_IF_UP), LIMIT_MS,
			  list_body, &list);
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
	fy_cli_trace(ctx, "sessions.ended",
		     FY_KV("what", revoke->person ? "person"
				   : revoke->ip   ? "network"
				   : revoke->all  ? "all"
						  : "one"),
		     FY_KV("count", count));
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
