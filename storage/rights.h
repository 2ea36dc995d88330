/* Requests of persons about their rights (GDPR Articles 15 to 22), and their way to an answer:
 *
 *     RECEIVED ──► IDENTITY_CHECK        the clock stands (Article 12(6))
 *        │               │ proven
 *        └──► IN_PROGRESS ◄┘ ──► EXTENDED     within the first month (Article 12(3))
 *                 │                  │
 *                 └─── ANSWERED ◄────┘        REFUSED and WITHDRAWN from each state above
 *
 * No state comes back, so who names the state that he read changes just what he read. How long a month is, and what is
 * written to the person, are left to the callers: /account/requests, /manage/requests, the purge. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/register.h"

enum fy_rights_kind {
	FY_RIGHTS_ACCESS = 1,    /* Article 15 */
	FY_RIGHTS_RECTIFICATION, /* 16 */
	FY_RIGHTS_ERASURE,       /* 17 */
	FY_RIGHTS_RESTRICTION,   /* 18 */
	FY_RIGHTS_PORTABILITY,   /* 20 */
	FY_RIGHTS_OBJECTION,     /* 21 */
	FY_RIGHTS_POST_MORTEM,   /* loi 78-17, articles 84 to 86 */
};
#define FY_RIGHTS_KINDS_END (FY_RIGHTS_POST_MORTEM + 1)

enum fy_rights_state {
	FY_RIGHTS_RECEIVED = 1,
	FY_RIGHTS_IDENTITY_CHECK,
	FY_RIGHTS_IN_PROGRESS,
	FY_RIGHTS_EXTENDED,
	FY_RIGHTS_ANSWERED, /* from here on it has ended */
	FY_RIGHTS_REFUSED,
	FY_RIGHTS_WITHDRAWN,
};
#define FY_RIGHTS_STATES_END (FY_RIGHTS_WITHDRAWN + 1)

/* Characters; the repository bounds bytes at four each, and more is FY_ERR_TOO_LARGE. */
#define FY_RIGHTS_NAME_CHARS 200
#define FY_RIGHTS_WISH_CHARS 5000
#define FY_RIGHTS_NOTE_CHARS 1000
#define FY_RIGHTS_REPLY_CHARS 4000 /* also a refusal's reason; a mail has room for it (FY_MAIL_FIELDS_MAX) */

/* The proof that an answer was given is kept for as long as a claim can be made; storage/register.toml says how long
 * that is: `days` of the trigger FY_TRIGGER_REQUEST_ENDED. */
fy_time fy_rights_kept(const struct fy_config *config);

struct fy_rights_new {
	uint64_t account_id;  /* 0: name and email are given; if an account has that address, the request is its own */
	uint64_t recorded_by; /* who of the staff wrote down what came by letter; 0: the person, signed in */
	enum fy_rights_kind kind;
	enum fy_lang lang; /* of the mails where there is no account */
	struct fy_personal name, email;
	struct fy_personal wish;
	fy_time received_at;
	fy_time due_at;
};

struct fy_rights_request {
	uint64_t id, account_id, recorded_by;
	enum fy_rights_kind kind;
	enum fy_rights_state state;
	enum fy_lang lang;
	struct fy_personal name, email, wish, extension_reason, reply, refusal_reason; /* lists open no text */
	fy_time received_at;
	fy_time counts_from;      /* from when the month counts: later than received_at by what the clock stood */
	fy_time clock_stopped_at; /* 0: it runs */
	fy_time due_at;           /* the end of the first month */
	fy_time extended_until;   /* 0: not extended */
	fy_time answer_by;        /* the one of both that counts */
	fy_time ended_at;         /* answered, refused or withdrawn; 0: open */
	bool restricting;         /* restriction.h; not in lists */
	bool unreadable;          /* of fy_rights_file: damaged, texts are empty */
};

struct fy_rights_step {
	fy_time at;
	enum fy_rights_state from; /* 0: the request was made */
	enum fy_rights_state to;
	uint64_t by_account_id; /* 0: nobody was signed in */
	struct fy_personal note;
};

/* One step forward. `from` is the state that its maker saw; which of the others it needs depends on `to`. */
struct fy_rights_change {
	uint64_t id;
	uint64_t account_id; /* whose request it is; 0: nobody's with an account */
	enum fy_rights_state from, to;
	uint64_t by_account_id;
	struct fy_personal note; /* of the history; may be empty */
	struct fy_personal text; /* extension's reason, reply or refusal's reason; not empty for these */
	fy_time counts_from;     /* IDENTITY_CHECK to IN_PROGRESS */
	fy_time answer_by;       /* the same, then the first month's end; and EXTENDED */
	fy_time lift_at;         /* REFUSED, of one that restricts: when that ends; 0: when the person says so */
};

/* The place after which a list goes on: the last row's id, and on the board its date. Zero: from the start. */
struct fy_rights_cursor {
	fy_time answer_by;
	uint64_t id;
};

struct fy_rights_page {
	struct fy_rights_request *items;
	size_t count;
	struct fy_rights_cursor next; /* id 0: this was the last page */
};

struct fy_mail_new;

/* Whether such a request restricts the account at once (restriction.h). Pure. */
bool fy_rights_restricts(enum fy_rights_kind kind);

/* Saves a request with the first row of its history and the mail that acknowledges it (NULL: none), all or nothing. */
fy_async int fy_rights_add(struct fy_ctx *ctx, const struct fy_rights_new *request, const struct fy_mail_new *mail,
			   uint64_t *ret_id);
/* For `purpose`: FY_PURPOSE_RIGHTS for the person, FY_PURPOSE_LEGAL_DUTIES for who answers. */
fy_async int fy_rights_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			   struct fy_rights_request *ret_request);

/* Whether the law's way leads from one to the other. Pure. */
bool fy_rights_may_go(enum fy_rights_state from, enum fy_rights_state to);

/* Takes the step, writes it into the history and saves the mail that tells the person (NULL: none), all or nothing.
 * FY_ERR_INVALID: no such step, or a text is missing. FY_ERR_CONFLICT: it is not in `from` any more. FY_ERR_EXPIRED: an
 * extension after the first month. FY_ERR_NOT_FOUND. */
fy_async int fy_rights_move(struct fy_ctx *ctx, const struct fy_rights_change *change, const struct fy_mail_new *mail);

/* The history, oldest first. */
fy_async int fy_rights_steps(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			     struct fy_rights_step **ret_steps, size_t *ret_count);

/* The requests of an account (0: of none) and those that were recorded for an address without an account, by its look-up
 * hash (email_hash.h): ids, the newest first. FY_ERR_TOO_LARGE: more than `limit` (up to 1000). */
fy_async int fy_rights_list_of(struct fy_ctx *ctx, uint64_t account_id, struct fy_slice email_hash, unsigned limit,
			       uint64_t **ret_ids, size_t *ret_count);

/* One with its history, for the person; a damaged one is logged and has no more than its dates. FY_ERR_NOT_FOUND. */
fy_async int fy_rights_file(struct fy_ctx *ctx, uint64_t id, struct fy_rights_request *ret_request,
			    struct fy_rights_step **ret_steps, size_t *ret_count);

/* Lists of at most `limit` (up to 100). A person's own and the ended ones: newest first. Open ones: the most urgent
 * first; `state` 0 means those whose clock runs. */
fy_async int fy_rights_list_person(struct fy_ctx *ctx, uint64_t account_id, struct fy_rights_cursor after,
				   unsigned limit, struct fy_rights_page *ret_page);
fy_async int fy_rights_list(struct fy_ctx *ctx, enum fy_rights_state state, struct fy_rights_cursor after,
			    unsigned limit, struct fy_rights_page *ret_page);

/* How many there are, by state. */
struct fy_rights_counts {
	uint64_t in[FY_RIGHTS_STATES_END];
};
fy_async int fy_rights_count(struct fy_ctx *ctx, struct fy_rights_counts *ret_counts);

/* Requests that ended before `before`: how many, which, and deletes up to `limit` with their history. */
fy_async int fy_rights_count_old(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_rights_list_old(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t **ret_ids,
				size_t *ret_count);
fy_async int fy_rights_purge(struct fy_ctx *ctx, fy_time before, unsigned limit, uint64_t *ret_deleted);
