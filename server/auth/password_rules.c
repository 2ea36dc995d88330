/* See password_rules.h. */
#include "server/auth/password_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "foyer/err.h"
#include "foyer/require.h"
#include "protocol/utf8.h"
#include "server/auth/common_passwords.h"

#define PERSONAL_MIN 4 /* code points; shorter names stand in too many good passwords */
#define WORD_MAX 20
#define WORD_BITS 12 /* of some four thousand words */

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

/* Fingers that walk over AZERTY and QWERTY: along the rows and down the columns. */
static bool are_neighbours(int32_t a, int32_t b)
{
	static const char keys[] =
		"azertyuiop qsdfghjklm wxcvbn qwertyuiop asdfghjkl zxcvbnm 1234567890 1aqw 2zsx 3edc 4rfv 5tgb 6yhn "
		"7uj 8ik 9ol 0pm 1qaz 2wsx 7ujm";
	if (a <= ' ' || b <= ' ' || a > 'z' || b > 'z')
		return false;
	for (const char *at = keys; (at = strchr(at, (char)a)); at++)
		if (at[1] == (char)b || (at > keys && at[-1] == (char)b))
			return true;
	return false;
}

/* Characters that surprise: not the one before again, not its neighbour in the alphabet or on the keyboard, and not the
 * beginning of the password once more ("abcdefabcdef"). */
double fy_password_bits(struct fy_slice password)
{
	double size = alphabet(password);
	struct fy_slice rest = password, again = password;
	int32_t before = -10, step = 0;
	unsigned surprising = 0, at = 0, period = 0, walk = 0;
	for (int32_t c; (c = fy_utf8_next(&rest)) >= 0; at++) {
		int32_t now = fold(c), change = now - before;
		walk = are_neighbours(before, now) ? walk + 1 : 0;
		bool runs = change == 0 || ((change == 1 || change == -1) && change == step) || walk > 1;
		struct fy_slice try = again;
		int32_t expected = fold(fy_utf8_next(&try));
		if (at && expected == now) { /* repeats the beginning so far */
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
	const struct fy_slice *text = key;
	const char *word = *(const char *const *)item;
	for (size_t i = 0; i < text->len; i++, word++) {
		int difference = fold((unsigned char)text->ptr[i]) - (unsigned char)*word;
		if (difference || *word == '\0')
			return difference ? difference : 1;
	}
	return *word ? -1 : 0;
}

static bool listed(struct fy_slice text)
{
	return bsearch(&text, fy_common_passwords, fy_common_password_count, sizeof *fy_common_passwords, compare) !=
	       NULL;
}

/* The word without the digits and signs that people put around it to please a rule. */
static struct fy_slice core(struct fy_slice text)
{
	while (text.len && (unsigned char)text.ptr[0] < 128 &&
	       !((text.ptr[0] | 0x20) >= 'a' && (text.ptr[0] | 0x20) <= 'z'))
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
	char *out = fy_alloc(arena, text.len * 2 + 4); /* no letter's lower case is twice as long */
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

/* Reads p@ssw0rd as password: of the same length, in lower case. `one` is what 1 and ! stand for. */
static struct fy_slice read_leet(struct fy_arena *arena, struct fy_slice text, char one)
{
	static const char from[] = "@4301!5$7+", to[] = "aaeo??sstt";
	char *out = fy_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++) {
		const char *sign = text.ptr[i] ? strchr(from, text.ptr[i]) : NULL;
		out[i] = (char)fold(text.ptr[i]);
		if (sign)
			out[i] = to[sign - from] == '?' ? one : to[sign - from];
	}
	return fy_slice(out, text.len);
}

/* The longest common word that begins here. */
static size_t word_at(struct fy_slice text)
{
	size_t longest = text.len < WORD_MAX ? text.len : WORD_MAX;
	if (text.ptr[0] < 'a' || text.ptr[0] > 'z')
		return 0;
	for (size_t len = longest; len >= PERSONAL_MIN; len--)
		if (listed(fy_upto(text, len)))
			return len;
	return 0;
}

static bool has_letter(struct fy_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (fold(text.ptr[i]) >= 'a' && fold(text.ptr[i]) <= 'z')
			return true;
	return false;
}

/* Who guesses tries common words first, in every spelling, twice and together: a word of the list is worth WORD_BITS
 * where it stands first and one bit again, and the rest is estimated without it. */
static bool is_made_of_words(struct fy_arena *arena, struct fy_slice password)
{
	struct fy_slice readings[] = { lower_case(arena, password), read_leet(arena, password, 'i'),
				       read_leet(arena, password, 'l') };
	struct fy_slice seen[FY_PASSWORD_MAX / PERSONAL_MIN];
	size_t count = 0, left = 0;
	char *rest = fy_alloc(arena, password.len + 1);
	double bits = 0;
	readings[0] = readings[0].len == password.len ? readings[0] : readings[1];
	for (size_t at = 0, step; at < password.len; at += step) {
		struct fy_slice word = FY_NONE;
		for (size_t r = 0; r < FY_COUNT(readings); r++) {
			size_t len = word_at(fy_from(readings[r], at));
			if (len > word.len && has_letter(fy_slice(password.ptr + at, len)))
				word = fy_slice(readings[r].ptr + at, len);
		}
		step = word.len ? word.len : 1;
		if (word.len == 0) {
			rest[left++] = password.ptr[at];
			continue;
		}
		bool again = false;
		for (size_t i = 0; i < count; i++)
			again |= fy_eq(seen[i], word);
		bits += again ? 1 : WORD_BITS;
		if (!again && count < FY_COUNT(seen))
			seen[count++] = word;
	}
	return count && bits + fy_password_bits(fy_slice(rest, left)) < FY_PASSWORD_BITS;
}

enum fy_password_fault fy_password_check(struct fy_arena *arena, struct fy_slice password,
					 const struct fy_slice *personal, size_t personal_count)
{
	if (password.len == 0)
		return FY_PASSWORD_MISSING;
	if (!fy_utf8_valid(password) || !fy_utf8_is_line(password))
		return FY_PASSWORD_CHARACTERS;
	size_t length = fy_utf8_count(password);
	if (listed(password))
		return FY_PASSWORD_COMMON;
	if (length < FY_PASSWORD_MIN)
		return FY_PASSWORD_SHORT;
	if (length > FY_PASSWORD_MAX)
		return FY_PASSWORD_LONG;
	struct fy_slice word = core(password);
	if (word.len >= PERSONAL_MIN && listed(word))
		return FY_PASSWORD_COMMON;
	if (is_personal(arena, password, personal, personal_count) ||
	    is_personal(arena, read_leet(arena, password, 'i'), personal, personal_count) ||
	    is_personal(arena, read_leet(arena, password, 'l'), personal, personal_count))
		return FY_PASSWORD_PERSONAL;
	if (fy_password_bits(password) < FY_PASSWORD_BITS)
		return FY_PASSWORD_WEAK;
	return is_made_of_words(arena, password) ? FY_PASSWORD_COMMON : FY_PASSWORD_GOOD;
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
