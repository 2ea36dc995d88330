/* See password_rules.h. */
#include "server/auth/password_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "foyer/err.h"
#include "protocol/utf8.h"
#include "server/auth/common_passwords.h"

#define PERSONAL_MIN 4                   /* code points; shorter names stand in too many good passwords */

static int32_t fold(int32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The alphabet that a guesser must try, from the classes that occur; a CNIL table works the same way. */
static double alphabet(struct fy_slice text)
{
	bool lower = false, upper = false, digit = false, other = false, wide = false;
	for (int32_t c; (c = fy_utf8_next(&text)) >= 0;) {
		if (c >= 'a' && c <= 'z')
			lower = true;
		else if (c >= 'A' && c <= 'Z')
			upper = true;
		else if (c >= '0' && c <= '9')
			digit = true;
		else if (c < 128)
			other = true;
		else
			wide = true;
	}
	return lower * 26 + upper * 26 + digit * 10 + other * 33 + wide * 100;
}

/* Characters that surprise: not the one before again, not its neighbour in the alphabet, and not the beginning of
 * the password once more ("abcdefabcdef"). */
double fy_password_bits(struct fy_slice password)
{
	double size = alphabet(password);
	struct fy_slice rest = password, again = password;
	int32_t before = -10, step = 0;
	unsigned surprising = 0, at = 0, period = 0;
	for (int32_t c; (c = fy_utf8_next(&rest)) >= 0; at++) {
		int32_t now = fold(c), change = now - before;
		bool runs = change == 0 || ((change == 1 || change == -1) && change == step);
		struct fy_slice try = again;
		int32_t expected = fold(fy_utf8_next(&try));
		if (at && expected == now) {             /* repeats the beginning so far */
			again = try;
			period++;
		} else {
			again = password;
			period = 0;
		}
		if (!runs && period < 3)
			surprising++;
		step = change;
		before = now;
	}
	return size > 1 ? surprising * log2(size) : 0;
}

static int compare(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static bool listed(struct fy_arena *arena, struct fy_slice text)
{
	char *lower = fy_cstr(arena, text);
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
	return bsearch(lower, fy_common_passwords, fy_common_password_count, sizeof *fy_common_passwords, compare) != NULL;
}

/* The word without the digits and signs that people put around it to please a rule. */
static struct fy_slice core(struct fy_slice text)
{
	while (text.len && (unsigned char)text.ptr[0] < 128 && !((text.ptr[0] | 0x20) >= 'a' && (text.ptr[0] | 0x20) <= 'z'))
		text = fy_from(text, 1);
	while (text.len) {
		unsigned char last = (unsigned char)text.ptr[text.len - 1];
		if (last >= 128 || ((last | 0x20) >= 'a' && (last | 0x20) <= 'z'))
			break;
		text.len--;
	}
	return text;
}

/* A copy in lower case, É too. */
static struct fy_slice lower_case(struct fy_arena *arena, struct fy_slice text)
{
	char *out = fy_alloc(arena, text.len * 2 + 4);           /* no letter's lower case is twice as long */
	size_t len = 0;
	for (int32_t c; (c = fy_utf8_next(&text)) >= 0;)
		len += fy_utf8_put(out + len, (uint32_t)utf8proc_tolower(c));
	return fy_slice(out, len);
}

/* Takes each occurrence of `word` out of *text, whose bytes are the caller's to change. */
static bool cut_out(struct fy_slice *text, struct fy_slice word)
{
	bool found = false;
	for (char *at; (at = memmem(text->ptr, text->len, word.ptr, word.len));) {
		memmove(at, at + word.len, text->len - word.len - (size_t)(at - text->ptr));
		text->len -= word.len;
		found = true;
	}
	return found;
}

/* A long password may mention the person's town or first name; it must not be made of such: what is left without
 * them must be strong enough alone. */
static bool is_personal(struct fy_arena *arena, struct fy_slice password, const struct fy_slice *personal, size_t count)
{
	static const char between[] = " @.-_+,'";
	struct fy_slice rest = lower_case(arena, password);
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		struct fy_slice words = lower_case(arena, personal[i]);
		/* As a whole first: an address is nothing but itself, with its short parts and signs. */
		if (fy_utf8_count(words) >= PERSONAL_MIN && cut_out(&rest, words))
			found = true;
		for (size_t start = 0, end; start < words.len; start = end + 1) {
			for (end = start; end < words.len && !memchr(between, words.ptr[end], sizeof between - 1);)
				end++;
			struct fy_slice word = fy_slice(words.ptr + start, end - start);
			if (fy_utf8_count(word) >= PERSONAL_MIN && cut_out(&rest, word))
				found = true;
		}
	}
	return found && fy_password_bits(rest) < FY_PASSWORD_BITS;
}

enum fy_password_fault fy_password_check(struct fy_arena *arena, struct fy_slice password, const struct fy_slice *personal,
					 size_t personal_count)
{
	if (password.len == 0)
		return FY_PASSWORD_MISSING;
	if (!fy_utf8_valid(password) || !fy_utf8_is_line(password))
		return FY_PASSWORD_CHARACTERS;
	size_t length = fy_utf8_count(password);
	if (listed(arena, password))
		return FY_PASSWORD_COMMON;
	if (length < FY_PASSWORD_MIN)
		return FY_PASSWORD_SHORT;
	if (length > FY_PASSWORD_MAX)
		return FY_PASSWORD_LONG;
	struct fy_slice word = core(password);
	if (word.len >= PERSONAL_MIN && listed(arena, word))
		return FY_PASSWORD_COMMON;
	if (is_personal(arena, password, personal, personal_count))
		return FY_PASSWORD_PERSONAL;
	return fy_password_bits(password) < FY_PASSWORD_BITS ? FY_PASSWORD_WEAK : FY_PASSWORD_GOOD;
}

int fy_password_normalise(struct fy_arena *arena, struct fy_slice password, struct fy_secret *ret_password)
{
	struct fy_slice text;
	int err = fy_utf8_nfc(arena, password, &text);
	if (err)
		return err;
	*ret_password = fy_copy_secret(arena, text);
	return 0;
}
