/* Limits on how often: sign-in attempts per account and address, and plain rates per address.
 * Kept in Redis, one key each, so all workers and servers share them. Names of buckets are keyed hashes: no
 * address or account stands in Redis in clear. Which limits apply where is the routes' matter. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "foyer/ctx.h"
#include "foyer/fiber.h"

/* Sign-in: an account takes four attempts, then one after 1, 2, 4 … 60 seconds (CNIL délibération 2022-100); an
 * address takes 30 failures, then one in six seconds. `who` is the account's look-up hash, known or not: unknown
 * accounts are treated alike. Nobody is locked out by somebody else: no wait is longer than a minute, and from a
 * network where the account was signed in to (…_known) only failures from there count.
 * Asking counts as a failure until …_passed says otherwise, so that attempts made at the same time find each other.
 * FY_ERR_LIMITED with the seconds to wait. Redis away: FY_ERR_REDIS_DOWN; nobody can sign in then anyway, as
 * sessions live there. */
fy_async int fy_throttle_sign_in(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16],
				 unsigned *ret_wait_s);

/* The outcome, noted without waiting. A success forgets the account's failures, not the address'. */
void fy_throttle_sign_in_failed(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16]);
void fy_throttle_sign_in_passed(struct fy_ctx *ctx, struct fy_slice who);

/* After a success: the network of `address` is one of the holder's, for 30 days. */
void fy_throttle_sign_in_known(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16]);

/* The attempt that was let in did not happen (the hasher was busy, the database away): it counts no more. */
fy_async int fy_throttle_sign_in_untried(struct fy_ctx *ctx, struct fy_slice who, const uint8_t address[16]);

/* A leaky bucket (GCRA): `burst` at once, then `per_minute` (at most 60000). FY_ERR_LIMITED with the seconds to
 * wait. Redis away: 0, as a site that cannot count should rather answer. */
fy_async int fy_throttle_take(struct fy_ctx *ctx, struct fy_slice bucket, const uint8_t address[16],
			      unsigned per_minute, unsigned burst, unsigned *ret_wait_s);

/* Whether somebody unknown may have another mail sent to this recipient: six at once, then one in 20 minutes, whoever
 * asks and from wherever. Without it a form that answers by mail is a way to flood a stranger. Links into an account
 * count apart from notices, so that no flood of these keeps the holder from them. So do mails to people who are entered
 * and to addresses that accounts are to get, where it may be said that there were too many: of the others that would tell
 * whether the address has an account. Redis away: true. */
enum fy_mail_sort { FY_MAIL_NOTICE, FY_MAIL_LINK, FY_MAIL_ENTERED, FY_MAIL_CHANGE };
fy_async bool fy_throttle_mail(struct fy_ctx *ctx, enum fy_mail_sort sort, struct fy_slice recipient);

/* Whether a member may have another notice sent to somebody they enter: `per_day` at once, then as many a day. What is
 * removed again counts, as its mail has gone. FY_ERR_LIMITED with the seconds to wait. */
fy_async int fy_throttle_entering(struct fy_ctx *ctx, uint64_t account_id, unsigned per_day, unsigned *ret_wait_s);
