/* Delivery of a message to a directory: one RFC 5322 message a file, complete and on the disk, or not there.
 * For development, for tests, and for programs that carry the files further. Called by mail.c on the thread pool. */
#pragma once

#include "foyer/slice.h"

/* Writes DIR/NAME.eml, mode 0600; one that is there already is replaced as a whole. Makes DIR, mode 0700. Blocking.
 * libuv's code of the system's error; then nothing of it remains. */
int fy_mail_file_write(const char *dir, struct fy_slice name, struct fy_secret message);
