/* Checking an e-mail address and a password: the part that both sign-in pages share. */
#pragma once

#include "server/routes/form.h"
#include "storage/accounts.h"

enum fy_sign_in_result {
	FY_SIGN_IN_GOOD = 1,
	FY_SIGN_IN_WRONG,       /* one of the two is wrong, or the account is closed; an error is in the form */
	FY_SIGN_IN_UNCONFIRMED, /* the password is right, the address was never confirmed */
	FY_SIGN_IN_LIMITED,     /* too many failures; an error is in the form, the wait in req->retry_after_s */
};

/* Takes the fields `email` and `password`. Every way through costs one hash, and the same time for accounts that do
 * not exist. Negative: an error. */
fy_async int fy_sign_in_check(struct fy_form *form, struct fy_account_signin *ret_account);

/* Asks who is signed in for the password in `field` once more: a stolen session must not be a way to guess it, so the
 * same brake as at sign-in. A wrong one is an error in the form. ret_password (may be NULL) is what was typed. Negative:
 * an error, FY_ERR_LIMITED among them. */
fy_async int fy_sign_in_confirm(struct fy_form *form, const char *field, const struct fy_account_signin *account,
				struct fy_secret *ret_password);

/* Opens the session and sends its cookie. The token that the visitor had stops working. */
fy_async int fy_sign_in_open(struct fy_req *req, const struct fy_account_signin *account, enum fy_session_kind kind);
