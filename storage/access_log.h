/* Who read what of whom: the log of reads of personal data by staff (GDPR Articles 5(2) and 32; CJEU C-579/21 for what
 * the person is told).
 * Rows are numbered without a gap, and each carries a keyed hash over the hash before it and its own content, so a row
 * that is changed, taken out or put in does not fit, and without the master key nobody makes one that does. A row with
 * both ends of the chain is locked by every append and has a keyed seal of its own: it shows that rows are missing at an
 * end. What nothing in here shows is a whole state of the log that was kept and put back; the last hash, noted elsewhere,
 * does.
 * Who may read, and asking first, are grants.h's. Called by it, by the routes, by `foyer access-log` and the purge. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/accounts.h"
#include "storage/keys.h"

#define FY_READ_FIELDS_MAX 600 /* bytes */

struct fy_read {
	uint64_t reader_id;
	enum fy_account_role reader_role; /* at that time */
	uint64_t person_id;               /* an account, or the person of a contact message */
	enum fy_register_purpose purpose;
	struct fy_slice fields; /* "account.email account.phone" */
	uint64_t request_id;    /* by which grant; 0: by the task of answering messages */
};

/* A row. `reason` and `break_glass` are the request's and only filled in for the person; empty once that is gone. */
struct fy_read_entry {
	uint64_t id;
	fy_time read_at;
	struct fy_read read;
	struct fy_personal reason;
	bool break_glass;
};

struct fy_read_page {
	struct fy_read_entry *items;
	size_t count;
	uint64_t next_cursor; /* 0: this was the last page */
};

/* Durable on return, or part of the running transaction. Appends queue behind each other: one commit each. */
fy_async int fy_access_log_append(struct fy_ctx *ctx, const struct fy_read *read);

/* Newest first, below `cursor` (0: from the top), at most `limit` (up to 200): all, and what the holder of
 * an account may see of the reads of the own data, messages and requests written with its address included. */
fy_async int fy_access_log_list(struct fy_ctx *ctx, uint64_t cursor, unsigned limit, struct fy_read_page *ret_page);
fy_async int fy_access_log_list_person(struct fy_ctx *ctx, uint64_t person_id, uint64_t cursor, unsigned limit,
				       struct fy_read_page *ret_page);

/* For the holder of an address, by its look-up hash (email_hash.h): reads of the account (0: none), and of what was written
 * with it. Without reasons; those are the requests' (grants.h). */
fy_async int fy_access_log_list_of(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice email_hash, uint64_t cursor,
				   unsigned limit, struct fy_read_page *ret_page);

enum fy_chain_fault {
	FY_CHAIN_FITS = 0,
	FY_CHAIN_CHANGED, /* the row's hash is not that of its content after the row before */
	FY_CHAIN_MISSING, /* there is no row of that number, but there was */
	FY_CHAIN_ENDS,    /* all rows fit, but the ends were set to these by somebody else: more may be gone */
	FY_CHAIN_ADDED,   /* there is a row of that number, but the chain does not reach there */
};

struct fy_chain_report {
	uint64_t checked, total; /* rows; total is of the start of the walk */
	enum fy_chain_fault fault;
	uint64_t id;                /* of the first row that does not fit */
	uint64_t first_id, last_id; /* of what was walked; 0: nothing */
	uint8_t hash
		[FY_HASH_BYTES]; /* of the last row: to be noted elsewhere, it proves that no later row was cut off */
};

/* Walks the chain in slices, with `show` (may be NULL) after each, while others append and purge. 0 also where it does
 * not fit: the report says so. */
fy_async int fy_access_log_verify(struct fy_ctx *ctx, void (*show)(const struct fy_chain_report *report, void *arg),
				  void *arg, struct fy_chain_report *ret_report);

/* The oldest rows, up to the first that was read at `before` or later: how many; the first of them; and takes up to
 * `limit` out, keeping the hash of the last one as the chain's new start. */
fy_async int fy_access_log_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_access_log_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				    size_t *ret_count);
fy_async int fy_access_log_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
