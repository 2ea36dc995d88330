/* Accounts: who a person is to Foyer, and their profile.
 * Hashing passwords and addresses, checking fields and deciding who may do what are left to server/;
 * sessions live in Redis. Called by the routes of registration, sign-in and the account pages, by the
 * commands for administrators, and by the purge. Texts that come back are in the context's arena. */
#pragma once

#include "foyer/ctx.h"
#include "foyer/fiber.h"
#include "storage/announcements.h"
#include "storage/receipt.h"
#include "storage/register.h"
#include "storage/tokens.h"

enum fy_account_role {
	FY_ROLE_MEMBER = 1,
	FY_ROLE_OWNER,
	FY_ROLE_STAFF,
	FY_ROLE_ACCOUNTING,
	FY_ROLE_AUDITOR,
	FY_ROLE_DPO,
};

enum fy_account_state {
	FY_ACCOUNT_PENDING = 1, /* registered; the address is not confirmed */
	FY_ACCOUNT_ACTIVE,
	FY_ACCOUNT_CLOSED,
};

/* Bounds in characters (Unicode code points), for the forms; the columns hold 4 bytes for each and the
 * frame of a sealed value. */
#define FY_ACCOUNT_EMAIL_MAX 254
#define FY_ACCOUNT_NAME_MAX 100
#define FY_ACCOUNT_PHONE_MAX 40
#define FY_ACCOUNT_POSITION_MAX 150
#define FY_ACCOUNT_PROSE_MAX 1000 /* skills, passions */
#define FY_ACCOUNT_STREET_MAX 250
#define FY_ACCOUNT_POSTAL_CODE_MAX 20
#define FY_ACCOUNT_CITY_MAX 100          /* address_level2 */
#define FY_ACCOUNT_COUNTRY_MAX 2         /* ISO 3166-1 alpha-2 */
#define FY_ACCOUNT_PASSWORD_HASH_MAX 255 /* bytes; libsodium's strings have 128 at the most */

struct fy_account_new {
	struct fy_personal email;       /* as the person wrote it */
	struct fy_slice email_hash;     /* 32 bytes: keyed hash of the normalised address */
	struct fy_secret password_hash; /* empty: no password yet */
	struct fy_personal given_name;
	struct fy_personal family_name;
	enum fy_lang language;
	enum fy_account_role role;   /* 0: FY_ROLE_MEMBER */
	enum fy_account_state state; /* 0: FY_ACCOUNT_PENDING */
};

/* What sign-in needs, and no more. */
struct fy_account_signin {
	uint64_t id;
	enum fy_account_state state;
	enum fy_account_role role;
	enum fy_lang language;
	uint32_t version;
	struct fy_secret password_hash; /* empty: none was ever set */
	struct fy_personal email;       /* for the mails that follow (reset, notices) */
	struct fy_personal given_name;
};

/* The fields a person edits; empty texts are "not given". */
struct fy_profile {
	struct fy_personal given_name;
	struct fy_personal family_name;
	struct fy_personal phone;
	struct fy_personal position;
	struct fy_personal skills;
	struct fy_personal passions;
	struct fy_personal street_address;
	struct fy_personal postal_code;
	struct fy_personal address_level2;
	struct fy_personal country;
	enum fy_lang language;
};

struct fy_account {
	uint64_t id;
	uint32_t version; /* goes up with each change of profile, role or state: the ETag */
	enum fy_account_state state;
	enum fy_account_role role;
	fy_time created_at;
	fy_time confirmed_at; /* these three: 0 = never */
	fy_time last_active_at;
	fy_time password_changed_at;
	fy_time erase_at, erase_asked_at; /* 0: it stays */
	enum fy_erasure_ground erase_ground;
	struct fy_personal policy_told; /* the date of a version; empty: before this was noted */
	struct fy_personal email;
	struct fy_profile profile;
	uint32_t withheld;     /* what the purpose did not open: see fy_account_withheld */
	bool person_withholds; /* all of it, as the person does not allow the purpose: withheld.h */
};

struct fy_mail_new;

/* Saves a new account with its token and the mail that carries it, in one transaction. An empty `token_hash`: no token;
 * `mail` NULL: no mail (its person is the new account). FY_ERR_EXISTS: the address is taken. ret_id may be NULL. */
fy_async int fy_accounts_create(struct fy_ctx *ctx, const struct fy_account_new *account, enum fy_token_purpose purpose,
				struct fy_slice token_hash, fy_time token_expires_at, const struct fy_mail_new *mail,
				uint64_t *ret_id);

/* By the keyed hash of the address. FY_ERR_NOT_FOUND. */
fy_async int fy_accounts_find_signin(struct fy_ctx *ctx, struct fy_slice email_hash,
				     struct fy_account_signin *ret_account);
fy_async int fy_accounts_get_signin(struct fy_ctx *ctx, uint64_t id, struct fy_account_signin *ret_account);

/* The number alone. FY_ERR_NOT_FOUND. */
fy_async int fy_accounts_find_id(struct fy_ctx *ctx, struct fy_slice email_hash, uint64_t *ret_id);

/* The account, as far as it may be read for `purpose`: FY_PURPOSE_RIGHTS, for the person's own eyes, opens all. Fields
 * that were not collected for the purpose are empty and withheld. Reads that queue at the same time share one
 * SELECT. FY_ERR_UNREADABLE: a value or the key of the person was changed, or is missing. */
fy_async int fy_accounts_get(struct fy_ctx *ctx, uint64_t id, enum fy_register_purpose purpose,
			     struct fy_account *ret_account);

/* Whether the read left out that field (FY_COLUMN_ACCOUNT_…), rather than finding it empty. */
static inline bool fy_account_withheld(const struct fy_account *account, enum fy_register_column column)
{
	return account->withheld >> (column - FY_COLUMN_ACCOUNT_ID) & 1;
}

/* What the first page of the own account shows, and no more. The hottest read of all: merged. Errors as above. */
struct fy_account_overview {
	struct fy_personal email, given_name, family_name, phone, address_level2;
	fy_time created_at, password_changed_at; /* the latter 0: never */
	fy_time erase_at;                        /* 0: it stays */
	bool restricted;                         /* storage/restriction.h */
};
fy_async int fy_accounts_overview(struct fy_ctx *ctx, uint64_t id, struct fy_account_overview *ret_overview);

/* Who the accounts are, for lists: as many names as ids, in their order; ids may repeat. Of an account that is gone,
 * unreadable or withheld by the person, which is logged, the texts are empty. Distinct ids share SELECTs, 32 each.
 * FY_ERR_DENIED: names were not collected for the purpose. */
struct fy_account_name {
	struct fy_personal email;
	struct fy_personal given_name;
	struct fy_personal family_name;
};
fy_async int fy_accounts_names(struct fy_ctx *ctx, const uint64_t *ids, size_t count, enum fy_register_purpose purpose,
			       struct fy_account_name **ret_names);

/* Replaces the profile if the account still has `version`; FY_ERR_CONFLICT when it changed meanwhile,
 * FY_ERR_NOT_FOUND when it is gone. ret_version (may be NULL) is the new one. */
fy_async int fy_accounts_update_profile(struct fy_ctx *ctx, uint64_t id, uint32_t version,
					const struct fy_profile *profile, uint32_t *ret_version);

/* Where an account becomes active, `letter` is of versions of the policy that are newer than the text it was made with
 * (fy_announcements_catch_up); its mails join the transaction. */

/* Uses a confirmation token and makes its account active, in one transaction. Errors of fy_tokens_use.
 * An account that is active already stays so. `market_research`: who holds the mailbox consents to it with that. No
 * decision counts that was taken before by whoever registered, here and where a password proves the mailbox (below). */
fy_async int fy_accounts_confirm(struct fy_ctx *ctx, struct fy_slice token_hash, bool market_research,
				 fy_announcement_letter letter, uint64_t *ret_id);

/* Uses a token (FY_TOKEN_RESET_PASSWORD or FY_TOKEN_SET_UP) and sets the password, in one transaction. A
 * pending account becomes active, as the token came by mail. FY_ERR_DENIED: the account is closed. The
 * caller ends the person's sessions. */
fy_async int fy_accounts_reset_password(struct fy_ctx *ctx, enum fy_token_purpose purpose, struct fy_slice token_hash,
					struct fy_secret password_hash, fy_announcement_letter letter,
					uint64_t *ret_id);

/* Uses a FY_TOKEN_SET_UP and sets the password and the names of its account, likewise. */
fy_async int fy_accounts_set_up(struct fy_ctx *ctx, struct fy_slice token_hash, const struct fy_account_new *account,
				fy_announcement_letter letter, uint64_t *ret_id);

/* Uses the set-up token of the first owner (the one of account 0) and creates that account, active, in one
 * transaction. FY_ERR_EXISTS: the address is taken; FY_ERR_DENIED: there is an owner already. */
fy_async int fy_accounts_set_up_owner(struct fy_ctx *ctx, struct fy_slice token_hash,
				      const struct fy_account_new *account, fy_announcement_letter letter,
				      uint64_t *ret_id);

/* Sets the password of a person who proved the old one. Earlier reset links become useless. So does, here as above, a
 * change of the address that waits (email_change.h). */
fy_async int fy_accounts_set_password(struct fy_ctx *ctx, uint64_t id, struct fy_secret password_hash);

/* A second registration of an address whose first was never confirmed: whose password is it? Neither's, from now on;
 * who holds the mailbox chooses one by a FY_TOKEN_RESET_PASSWORD link. Does nothing to an account that is confirmed. */
fy_async int fy_accounts_contest(struct fy_ctx *ctx, uint64_t id);

/* The same password under a new cost: replaces `old_hash` only if it is still the one stored, otherwise
 * does nothing and returns 0. Does not count as a change of the account. */
fy_async int fy_accounts_rehash(struct fy_ctx *ctx, uint64_t id, struct fy_secret old_hash, struct fy_secret new_hash);

/* Notes that the person was active, which ends every warning of inactivity and a date that came of them; writes at most
 * once in 24 hours (rules: the retention of inactive accounts counts from the last action of the user, and a day is
 * precise enough for two years). */
fy_async int fy_accounts_touch(struct fy_ctx *ctx, uint64_t id);

/* ---- Roles (accounts_roles.c) ---- */

/* What is public of an account; nothing is opened. */
struct fy_account_standing {
	uint64_t id;
	enum fy_account_role role;
	enum fy_account_state state;
};
fy_async int fy_accounts_standing(struct fy_ctx *ctx, uint64_t id, struct fy_account_standing *ret_standing);

/* All with a role in the back office, by role. */
fy_async int fy_accounts_list_staff(struct fy_ctx *ctx, struct fy_account_standing **ret_staff, size_t *ret_count);

/* `by`, an owner (FY_ERR_DENIED), gives an active account (FY_ERR_NOT_FOUND) another role. Its requests for access and
 * open grants end with the old one. FY_ERR_CONFLICT: it would take the last owner who stays (active, and not to be
 * erased), also where two owners take each other's role at once. ret_old is the role it had, which may be the new one.
 * The caller ends the sessions. */
fy_async int fy_accounts_change_role(struct fy_ctx *ctx, uint64_t by, uint64_t id, enum fy_account_role role,
				     enum fy_account_role *ret_old);

/* Owners that are not closed. */
fy_async int fy_accounts_count_owners(struct fy_ctx *ctx, uint64_t *ret_count);

/* Registrations that were never confirmed, made before `before`. Counting; a slice of ids above `after`
 * (0: from the start) in ascending order, in the arena; and deleting one with its tokens and mails, if
 * it is still unconfirmed: ret_deleted says whether. */
fy_async int fy_accounts_count_unconfirmed(struct fy_ctx *ctx, fy_time before, uint64_t *ret_count);
fy_async int fy_accounts_list_unconfirmed(struct fy_ctx *ctx, fy_time before, uint64_t after, unsigned limit,
					  uint64_t **ret_ids, size_t *ret_count);
fy_async int fy_accounts_delete_unconfirmed(struct fy_ctx *ctx, uint64_t id, fy_time before, bool *ret_deleted);
