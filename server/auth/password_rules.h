/* Which passwords are taken. Length and estimated strength instead of prescribed character classes, as the CNIL
 * allows where attempts are limited (délibération 2022-100: 50 bits with throttling). Pure; called by the routes
 * that set a password. */
#pragma once

#include <stddef.h>

#include "foyer/arena.h"
#include "foyer/slice.h"

#define FY_PASSWORD_MIN 12 /* code points */
#define FY_PASSWORD_MAX 200
#define FY_PASSWORD_BITS 50

enum fy_password_fault {
	FY_PASSWORD_GOOD = 0,
	FY_PASSWORD_MISSING,
	FY_PASSWORD_SHORT,
	FY_PASSWORD_LONG,
	FY_PASSWORD_CHARACTERS, /* not valid text, or invisible characters in it */
	FY_PASSWORD_COMMON,     /* on the list of the most common ones, or made of those and little else */
	FY_PASSWORD_PERSONAL,   /* built from the person's name or address, or from the site's name */
	FY_PASSWORD_WEAK,       /* fewer than 50 bits: repetitions and runs do not count */
};

/* `password` is as typed; `personal` are texts that must not be its core (e-mail, names, the site's name). */
enum fy_password_fault fy_password_check(struct fy_arena *arena, struct fy_slice password,
					 const struct fy_slice *personal, size_t personal_count);

/* The form that is hashed: NFC, so that every keyboard gives the same bytes. FY_ERR_INVALID. */
int fy_password_normalise(struct fy_arena *arena, struct fy_slice password, struct fy_secret *ret_password);

/* The estimate, in bits; `password` is valid UTF-8. */
double fy_password_bits(struct fy_slice password);
