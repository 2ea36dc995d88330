/* A small SMTP server for tests, in a thread of its own, on a free port of 127.0.0.1.
 * It does what its mood says and remembers what it was told; it knows nothing of TLS. Blocking inside its thread, so
 * that a client that blocks the loop is seen to do so. */
#pragma once

#include <stdbool.h>

enum fake_mood {
	FAKE_ACCEPTS,
	FAKE_451_AT_RCPT,
	FAKE_550_AT_RCPT,
	FAKE_530_AT_MAIL,
	FAKE_554_AFTER_DATA,
	FAKE_451_AFTER_DATA,
	FAKE_554_GREETING,
	FAKE_535_AT_AUTH,
	FAKE_SILENT, /* accepts the connection and says nothing */
	FAKE_SILENT_AFTER_DATA,
	FAKE_450_THEN_SILENT, /* refuses at RCPT, and answers nothing more, QUIT either */
	FAKE_HANGS_UP_AT_DATA,
	FAKE_MOODS
};

struct fake_smtp;

struct fake_smtp *fake_smtp_start(enum fake_mood mood);
void fake_smtp_stop(struct fake_smtp *fake);
void fake_smtp_mood(struct fake_smtp *fake, enum fake_mood mood);
const char *fake_smtp_url(const struct fake_smtp *fake);

/* What it saw so far. */
unsigned fake_smtp_connections(struct fake_smtp *fake);
unsigned fake_smtp_accepted(struct fake_smtp *fake); /* messages it answered 250 */
unsigned fake_smtp_commands(struct fake_smtp *fake, const char *verb);
char *fake_smtp_dialogue(struct fake_smtp *fake); /* all it received; malloc */
