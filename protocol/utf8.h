/* UTF-8: validation, length in code points, characters that fields refuse, and NFC (libutf8proc).
 * Leaves the rules of single fields (length, who may see) to the data register. Called on every text
 * that comes from outside. Overlong forms, surrogates and values above U+10FFFF are invalid (RFC 3629). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "foyer/arena.h"
#include "foyer/slice.h"

bool fy_utf8_valid(struct fy_slice text);

/* Code points of valid UTF-8. */
size_t fy_utf8_count(struct fy_slice text);

/* Reads one code point and moves *text past it; -1 at the end or at an invalid byte (text unmoved). */
int32_t fy_utf8_next(struct fy_slice *text);

/* Writes 1 to 4 bytes; 0 for a surrogate or a value above U+10FFFF. */
size_t fy_utf8_put(char out[4], uint32_t code_point);

/* At most `max` code points of valid UTF-8, never cut inside one. */
struct fy_slice fy_utf8_upto(struct fy_slice text, size_t max);

/* Valid UTF-8 without control characters (C0, DEL, C1), line or paragraph separators, and without the
 * bidirectional overrides and other invisible characters that make text look like other text; nor blank letters,
 * private-use and unassigned characters. */
bool fy_utf8_is_line(struct fy_slice text);

/* A line that can be the name of a person, and nothing that a mail program would make a link of: letters, marks, and
 * between them spaces, hyphens, apostrophes, middle dots and full stops, the latter only at the end of a word. It has a
 * letter; at most `max` code points. */
bool fy_utf8_is_name(struct fy_slice text, size_t max);

/* fy_utf8_is_line without its last clause, and line feeds and tabs may stand in it (CR LF too; see
 * fy_utf8_clean_multiline). */
bool fy_utf8_is_multiline(struct fy_slice text);

/* Canonical composition (NFC), a copy in `arena` only where something changed.
 * FY_ERR_INVALID when not UTF-8 or with more than 30 combining marks in a row, FY_ERR_TOO_LARGE when it would
 * decompose into more than twice as many characters as it has bytes. */
int fy_utf8_nfc(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text);

/* What a form field holds before it is stored: valid, allowed characters only, NFC, no white space at the ends;
 * `line`: runs of white space become one space, and something in it can be seen; `multiline`: CR LF and CR become
 * LF, and white space at line ends goes. FY_ERR_INVALID otherwise. */
int fy_utf8_clean_line(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text);
int fy_utf8_clean_multiline(struct fy_arena *arena, struct fy_slice text, struct fy_slice *ret_text);
